"""What somebody probably meant by a value that does not fit: a number with its unit, a draw in another program's spelling, a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from audiosynth.clip import Recording, Slack
from audiosynth.errors import Problem, did_you_mean
from audiosynth.language.distributions import shown
from audiosynth.language.draws_lists import Several
from audiosynth.language.nodes import LetMap, ListNode, MapNode, Repeat
from audiosynth.language.reserved import RESERVED
from audiosynth.loading.normalise import LEVEL_KEYS

_UNITS: Final[Mapping[str, tuple[float, str]]] = {
    "ms": (1e-3, "times are seconds"),
    "msec": (1e-3, "times are seconds"),
    "s": (1.0, "times are seconds"),
    "sec": (1.0, "times are seconds"),
    "min": (60.0, "times are seconds"),
    "hz": (1.0, "frequencies are Hz"),
    "khz": (1e3, "frequencies are Hz"),
    "k": (1e3, "rates and frequencies are Hz"),
    "db": (1.0, "levels are dB"),
    "dbfs": (1.0, "levels are dB"),
    "m": (1.0, "distances are metres"),
    "cm": (1e-2, "distances are metres"),
    "deg": (1.0, "angles are degrees"),
    "°": (1.0, "angles are degrees"),
    "%": (1e-2, "shares are fractions of 1"),
}
"""Factor to the unit that recipes use, and which that is."""
_NOTHING: Final = ("got none", "got null")
_NUMBER: Final = re.compile(r"\s*([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*([a-zA-Z°%]+)\s*")
_CALL: Final = re.compile(r"\s*([a-z_]+)\s*\((.*)\)\s*", re.DOTALL)
_RANGE: Final = re.compile(r"\s*([-+]?[0-9.]+)\s*(?:-|\.\.\.?|to)\s*([-+]?[0-9.]+)\s*")


def meant(value: Any) -> str:
    """Return a hint to put behind a message, or an empty text.

    Examples
    --------
    >>> meant("300ms")
    '; times are seconds, without a unit: 0.3'
    >>> meant("uniform(0, 20)")
    '; a draw is written {uniform: [0, 20]}'
    >>> meant({"unifrom": [0, 20]})
    "; did you mean 'uniform'?"
    >>> meant("anything")
    ''
    """
    if isinstance(value, Mapping) and len(value) == 1:
        return did_you_mean(next(iter(value)), RESERVED)
    if not isinstance(value, str):
        return ""
    number, call, interval = _NUMBER.fullmatch(value), _CALL.fullmatch(value), _RANGE.fullmatch(value)
    if number is not None and number[2].lower() in _UNITS:
        factor, told = _UNITS[number[2].lower()]
        return f"; {told}, without a unit: {float(number[1]) * factor:.10g}"
    if call is not None and call[1] in RESERVED:
        return f"; a draw is written {{{call[1]}: [{call[2].strip().strip('[]')}]}}"
    if interval is not None:
        return f"; a draw between two numbers is written {{uniform: [{interval[1]}, {interval[2]}]}}"
    return ""


def described(value: Any) -> str:
    """Return what came, in a few words."""
    if isinstance(value, Recording):
        return "a recording"
    if isinstance(value, MapNode | LetMap):
        return "a map"
    if isinstance(value, ListNode | Repeat | Several):
        return "a list"
    return "{slack: …}" if isinstance(value, Slack) else "null" if value is None else shown(value)


def component(value: Any, known: Iterable[str]) -> str:
    """Return a hint for what stands where a map with a `type` belongs.

    Examples
    --------
    >>> component("click", ["click"])
    '; write {type: click}'
    """
    if isinstance(value, str):
        return f"; write {{type: {value}}}" if value in known else did_you_mean(value, known)
    return "; write one map, without a dash or brackets" if isinstance(value, list | tuple) else ""


def follows(problem: Problem, problems: Iterable[Problem]) -> bool:
    """Return whether a problem is that nothing came, where another problem is why: below it, or in the level it is of."""
    if not problem.message.lower().endswith(_NOTHING):
        return False
    whole, _, last = problem.path.rpartition(".")
    below = [problem.path, *(f"{whole}.{key}".lstrip(".") for key in LEVEL_KEYS if last == "level")]
    others = [other.path for other in problems if other.path != problem.path]
    return any(path == top or path.startswith((f"{top}.", f"{top}[")) for path in others for top in below)
