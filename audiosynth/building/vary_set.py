"""What `audiosynth vary` sets: one ``path=value``, found and changed in the tree of a spec."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from audiosynth.errors import UsageError, counted, did_you_mean
from audiosynth.files import strictyaml
from audiosynth.language.compiler import path_text
from audiosynth.language.distributions import shown
from audiosynth.language.reserved import RESERVED
from audiosynth.loading.normalise import LEVEL_KEYS
from audiosynth.loading.source import steps_of

Place = tuple[Any, Any, tuple[Any, ...]]
"""A map or list, the key in it, and the path to the value; which is one key longer where the key's map is still to be made."""
_SET: Final = re.compile(r"((?:[^=\[\]]|\[[^\]]*\])+)=(.*)", re.DOTALL)
_RELATIVE: Final = re.compile(r"\s*([+*])\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*")
_OF_THE_SET: Final = {
    "sr": "samples are counted in it; build the recipe again with another one",
    "channels": "every clip has the same; build the recipe again with another one",
    "split": "it is the name of the clip",
    "ordinal": "it is the name of the clip",
    "n_samples": "it follows from the duration; set that",
}
_FOLLOWING: Final = {
    "place": "it follows from the onset and the source; set those",
    "let": "it only tells what was drawn; set the values that were made of it",
    "recording": "what is said of a recording must be true of its file; build the recipe again",
    "recordings": "what is said of a recording must be true of its file; build the recipe again",
}
_MOST: Final = 1000
"""Names remembered to tell which one was meant."""


@dataclass
class Found:
    """What became of one setting over a manifest; told to the user where nothing did.

    Attributes
    ----------
    places, changed
        Values that it named, and how many of them are others now.
    names
        Keys and labels that were there where it looked for one that was not.
    missing, wanted
        The first thing that was not there, in words, and its name alone.
    """

    places: int = 0
    changed: int = 0
    names: dict[str, None] = field(default_factory=dict)
    missing: str = ""
    wanted: str = ""

    def miss(self, wanted: str, message: str, names: Any = ()) -> None:
        """Note that something was not there."""
        known = [str(name) for name in names if name is not None]
        if not self.missing or (known and not self.names):
            self.wanted, self.missing = wanted, message
        if wanted == self.wanted and len(self.names) < _MOST:
            self.names.update(dict.fromkeys(known))


@dataclass(frozen=True)
class Setting:
    """One ``path=value``.

    Attributes
    ----------
    text
        As written.
    steps
        Keys, numbers of list items, names of list items, ``key=value`` for the items that have it, ``*`` for all of them.
    relation
        ``+`` or ``*`` where the value is added to what stands there or multiplied with it; empty where it replaces it.
    value
        Plain data, or a `Decimal` where it is relative.
    """

    text: str
    steps: tuple[str | int, ...]
    relation: str
    value: Any

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Read ``noise.snr_db=6``, ``events[label=dog].snr_db=+3``, ``events[*].source.amplitude=*0.5``.

        Raises
        ------
        UsageError
            If it is not written as one, or sets what cannot be set.

        Examples
        --------
        >>> Setting.parse("events[label=dog].snr_db=+3").steps
        ('events', 'label=dog', 'snr_db')
        """
        match = _SET.fullmatch(text)
        if match is None:
            raise UsageError(
                f"--set takes path=value such as noise.snr_db=6 or events[label=dog].snr_db=+3, got '{text}'"
            )
        name, written = match[1].strip(), match[2]
        steps = tuple(steps_of(name))
        fixed = _OF_THE_SET.get(str(steps[0])) or next((_FOLLOWING[str(s)] for s in steps if s in _FOLLOWING), None)
        if fixed is not None:
            raise UsageError(f"--set {text}: that cannot be varied: {fixed}")
        if steps[0] == "events" and len(steps) < 3:
            raise UsageError(
                f"--set {text}: events as a whole are not set; name something in them, as in events[0].snr_db=6"
            )
        relative = _RELATIVE.fullmatch(written)
        if relative is not None:
            return cls(text, steps, relative[1], Decimal(relative[2]))
        value = strictyaml.parse_scalar(written, name=f"--set {name}")
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in RESERVED:
            raise UsageError(
                f"--set {text}: `vary` throws no dice; give a value, or build the recipe again with --set {text}"
            )
        return cls(text, steps, "", value)

    def apply(self, tree: dict[str, Any], found: Found) -> int:
        """Change the tree of a spec wherever it has the path; return in how many places, and count them."""
        before = found.changed
        for holder, key, path in list(self._places(tree, found)):
            inside = path[-1] != key
            old = None if inside else holder[key]
            new = self._new(old, path_text(path), found)
            if new is None and self.relation:
                continue
            holder[key] = {path[-1]: new} if inside else new
            found.places += 1
            found.changed += old != new
        return found.changed - before

    def _new(self, old: Any, place: str, found: Found) -> Any:
        if not self.relation:
            return copy.deepcopy(self.value)  # later settings may change something in it
        if old is None:
            found.miss(
                place, f"{place} is null, so there is nothing to count from; give a value without '{self.relation}'"
            )
            return None
        if isinstance(old, bool) or not isinstance(old, int | float):
            raise UsageError(
                f"--set {self.text}: '{self.relation}' needs a number to count from, {place} is {shown(old)}"
            )
        exact = Decimal(repr(old))
        new = exact + self.value if self.relation == "+" else exact * self.value
        return int(new) if isinstance(old, int) and new == int(new) else float(new)

    def _places(self, tree: dict[str, Any], found: Found) -> Iterator[Place]:
        here: list[tuple[Any, tuple[Any, ...]]] = [(tree, ())]
        for n, step in enumerate(self.steps):
            last = n == len(self.steps) - 1
            entered = [place for item, path in here for place in _enter(item, step, path, found, last=last)]
            if last:
                yield from entered
            here = [(holder[key], path) for holder, key, path in entered] if not last else []


def _enter(here: Any, step: str | int, path: tuple[Any, ...], found: Found, *, last: bool) -> Iterator[Place]:
    """Yield the places that one step leads to."""
    name = path_text(path)
    if here is None:
        found.miss(name, f"{name} is null")
    elif isinstance(here, list):
        yield from ((here, i, (*path, i)) for i in _items(here, step, name, found))
    elif not isinstance(here, dict):
        found.miss(name, f"{name} is {shown(here)}, with nothing inside")
    elif step in here:
        yield here, step, (*path, step)
    else:
        yield from _short(here, str(step), path, found, last=last)


def _short(here: dict[str, Any], step: str, path: tuple[Any, ...], found: Found, *, last: bool) -> Iterator[Place]:
    """Yield what a short form of the recipe stands for: an event's `snr_db`, a parameter of the only noise."""
    event = len(path) == 2 and path[0] == "events"
    layers = here["layers"] if path == ("noise",) else []
    only = layers[0]["source"] if len(layers) == 1 else {}
    if event and step in LEVEL_KEYS and here["level"] is not None:
        yield here["level"], step, (*path, "level", step)
    elif event and step in LEVEL_KEYS and last:
        yield here, "level", (*path, "level", step)
    elif step in only:
        yield only, step, (*path, "layers", 0, "source", step)
    else:
        names = [*here, *only, *(LEVEL_KEYS if event else ())]
        found.miss(step, f"{path_text(path) or 'a clip'} has no '{step}'", names)


def _items(items: list[Any], step: str | int, name: str, found: Found) -> list[int]:
    """Return which items of a list a step means."""
    if step == "*":
        chosen = list(range(len(items)))
        names: list[Any] = []
    elif isinstance(step, int):
        chosen, names = [step] if step < len(items) else [], []
    else:
        key, equals, wanted = step.partition("=")
        key, wanted = (key, wanted) if equals else ("name", step)
        names = [item.get(key) for item in items if isinstance(item, dict)]
        chosen = [
            i for i, item in enumerate(items) if isinstance(item, dict) and key in item and _text(item[key]) == wanted
        ]
    if not chosen:
        found.miss(str(step).rpartition("=")[2], f"{name} has no item [{step}]", names)
    return chosen


def _text(value: Any) -> str:
    return value if isinstance(value, str) else strictyaml.dump({"x": value}).strip().removeprefix("x: ")


def unused(setting: Setting, found: Found, clips: int) -> str:
    """Return in words why a setting changed nothing in any of so many clips; empty if it did."""
    if found.changed:
        return ""
    if found.places:
        return f"--set {setting.text}: that is what stands there already, in all {counted(clips, 'clip')}; nothing would change"
    hint = did_you_mean(found.wanted, found.names)
    if not hint and found.names:
        hint = f"; there are {', '.join(sorted(found.names)[:12])}{', …' if len(found.names) > 12 else ''}"
    return f"--set {setting.text}: none of the {counted(clips, 'clip')} has that; {found.missing or 'there is nothing of it'}{hint}"
