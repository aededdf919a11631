"""The recipes that `audiosynth new` writes: commented, complete, each one for a kind of work to start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audiosynth.files.shipped import starting_point

POINTS: Final[Mapping[str, tuple[str, str]]] = {
    "events": ("sounds to detect, over noise", ""),
    "wake_word": ("a phrase, what sounds like it, what people say", "the extra [speech]"),
    "commands": ("spoken command words, unknown words, silence", "the extra [speech]"),
    "augment": ("speech of yours in rooms and noise", "--data speech=DIR"),
    "rooms": ("sounds at places in rooms, two microphones, directions", ""),
    "noise": ("noise of places, and nothing else", ""),
}
"""What each starting point makes, and what it needs beyond the package; the first is the usual one."""


def starter(name: str, *, point: str = "events") -> str:
    """Return a recipe called `name` that builds as it stands (with what `POINTS` says it needs).

    Raises
    ------
    UsageError
        If there is no such starting point.

    Examples
    --------
    >>> starter("mine").splitlines()[8]
    'name: mine'
    >>> starter("mine", point="rooms").splitlines()[0]
    '# Sounds at places in simulated rooms, heard by a pair of microphones, with their directions. Needs no recordings.'
    """
    return starting_point(point).read_text(encoding="utf-8").replace("NAME", name)
