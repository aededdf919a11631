"""What a process that makes clip after clip does with memory it has freed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
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
    """Have the interpreter look for garbage in cycles less often; for processes that end with their work.

    Examples
    --------
    >>> import gc
    >>> before = gc.get_threshold()
    >>> collect_seldom()
    >>> gc.get_threshold()[0]
    20000
    >>> gc.set_threshold(*before)
    """
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


@cache
def spare_what_is_loaded() -> None:
    """Once, let searches for garbage pass over all that this process holds by now; for processes that end with their work.

    Notes
    -----
    All that is imported for a build is some 200 000 objects, none of them garbage. To go through them takes 70 ms, every thousand
    clips or two: a tenth of the time of short clips. What was spared is still freed when nothing refers to it any more.
    """
    gc.freeze()


@contextmanager
def spared() -> Iterator[None]:
    """Let them pass over it for as long as this lasts; for processes that go on. One that spares something itself is left alone.

    Examples
    --------
    >>> import gc
    >>> with spared():
    ...     gc.get_freeze_count() > 0
    True
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
