"""What a process that makes clip after clip does with memory it has freed."""

from __future__ import annotations

import gc
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h (mallopt(3))."""
LARGEST_KEPT: Final = 2**25
"""Arrays up to this many bytes come from kept memory; the most that mallopt takes."""
KEPT_BYTES: Final = 2**26
"""Most freed memory that stays with the process."""
COLLECT_AFTER: Final = 20_000
"""Objects more than were freed, after which the interpreter looks for cycles among the new ones: those of some ten clips. Its own
choice of 700 has it look at the clips that are being made several times for each of them."""


def keep_freed_memory() -> bool:
    """Let this process keep freed memory for its next clip, up to `KEPT_BYTES`; return whether its C library can.

    Notes
    -----
    Every clip asks for the same arrays of some MB again. glibc hands them back to the system in between, which must then clear
    each page anew: up to a third of the time of a plain clip, more on virtual machines. Nothing that is heard depends on it.

    Examples
    --------
    >>> keep_freed_memory() in (True, False)
    True
    """
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows: no such thing
        return False
    return bool(mallopt(_MMAP_THRESHOLD, LARGEST_KEPT)) and bool(mallopt(_TRIM_THRESHOLD, KEPT_BYTES))


def collect_seldom() -> None:
    """Have the interpreter look for garbage in cycles less often, and not among what is loaded by now.

    Notes
    -----
    What clips leave behind is freed as soon as nothing refers to it. A search through all that numba, SciPy and a catalogue hold
    takes 80 ms and finds nothing.

    Examples
    --------
    >>> import gc
    >>> before = gc.get_threshold()
    >>> collect_seldom()
    >>> gc.get_threshold()[0], gc.get_freeze_count() > 0
    (20000, True)
    >>> gc.set_threshold(*before), gc.unfreeze()
    (None, None)
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
