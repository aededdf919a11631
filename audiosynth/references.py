"""Nodes that look at other values: `$name`, `by`, `sum`, `join`, `of`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from audiosynth.clip import Recording
from audiosynth.distributions import round_significant
from audiosynth.errors import PlanError
from audiosynth.nodes import OPAQUE, Node, Scope

MAX_WITNESSES = 64
"""Most combinations of witnesses that one `join` or `sum` is checked with."""


def field_of(value: Any, name: str) -> Any:
    """Return a field of a drawn value: a key of a map, or what is known of a recording.

    Raises
    ------
    KeyError
        If there is no such field.
    """
    if isinstance(value, Recording):
        if name in value.meta:
            return value.meta[name]
        known = {
            "path": value.path,
            "sha256": value.sha256,
            "sr": value.sr,
            "n_channels": value.n_channels,
            "duration": duration_of(value),
        }
        return known[name]
    if isinstance(value, Mapping):
        return value[name]
    raise KeyError(name)


def duration_of(recording: Recording) -> float:
    """Return the length of a recording in seconds, to 1 µs."""
    return round(recording.n_samples / recording.sr, 6)


@dataclass(frozen=True)
class Ref:
    """`$name` or `$name.field`."""

    path: str
    name: str
    fields: tuple[str, ...]
    target: Node | None = None

    def draw(self, scope: Scope) -> Any:
        """Return the named value of this clip."""
        value = scope.value(self.name)
        for part in self.fields:
            try:
                value = field_of(value, part)
            except KeyError:
                has = ", ".join(sorted(value.meta)) if isinstance(value, Recording) else type(value).__name__
                raise PlanError(
                    f"clip {scope.dice.split}/{scope.dice.ordinal}, {self.path}: ${self.name} has no field '{part}' "
                    f"(it has: {has})"
                ) from None
        return value

    def witnesses(self) -> list[Any]:
        """Return the witnesses of what is named, where they can be known."""
        if self.target is None or self.fields:
            return [OPAQUE]
        return self.target.witnesses()


@dataclass(frozen=True)
class By:
    """One of several sub-trees, chosen by another value."""

    path: str
    on: Node
    cases: Mapping[str, Node]
    default: Node | None

    def draw(self, scope: Scope) -> Any:
        """Return the cast of the case for the value of `on`."""
        key = _text(self.on.draw(scope))
        node = self.cases.get(key, self.default)
        if node is None:
            raise PlanError(
                f"clip {scope.dice.split}/{scope.dice.ordinal}, {self.path}: no case for '{key}' and no default; "
                f"there are {', '.join(self.cases)}"
            )
        return node.draw(scope)

    def witnesses(self) -> list[Any]:
        """Return all cases and the default."""
        return [*self.cases.values(), *(() if self.default is None else (self.default,))]


@dataclass(frozen=True)
class Sum:
    """The sum of several numbers."""

    path: str
    terms: tuple[Node, ...]

    def draw(self, scope: Scope) -> float | int:
        """Return the sum, rounded to nine significant digits unless all terms are whole."""
        values = [term.draw(scope) for term in self.terms]
        bad = next((v for v in values if isinstance(v, bool) or not isinstance(v, int | float)), None)
        if bad is not None:
            raise PlanError(f"clip {scope.dice.split}/{scope.dice.ordinal}, {self.path}: cannot add {bad!r}")
        total = sum(values)
        return total if isinstance(total, int) else round_significant(total)

    def witnesses(self) -> list[Any]:
        """Return the sums of the terms' extremes."""
        sets = [term.witnesses() for term in self.terms]
        if any(not isinstance(w, int | float) for ws in sets for w in ws):
            return [OPAQUE]
        return [sum(min(ws) for ws in sets), sum(max(ws) for ws in sets)]


@dataclass(frozen=True)
class Join:
    """Several values as one text."""

    terms: tuple[Node, ...]

    def draw(self, scope: Scope) -> str:
        """Return the concatenation."""
        return "".join(_text(term.draw(scope)) for term in self.terms)

    def witnesses(self) -> list[Any]:
        """Return the texts of the first combinations of witnesses."""
        sets = [term.witnesses() for term in self.terms]
        if any(isinstance(w, Mapping | list) or w is OPAQUE or hasattr(w, "draw") for ws in sets for w in ws):
            return [OPAQUE]
        return [
            "".join(map(_text, combination))
            for combination, _ in zip(product(*sets), range(MAX_WITNESSES), strict=False)
        ]


@dataclass(frozen=True)
class Duration:
    """`{of: name}`: the length in seconds of a named recording."""

    path: str
    recording: Ref

    def draw(self, scope: Scope) -> float:
        """Return the length, to 1 µs."""
        value = self.recording.draw(scope)
        if not isinstance(value, Recording):
            raise PlanError(
                f"clip {scope.dice.split}/{scope.dice.ordinal}, {self.path}: ${self.recording.name} is no recording"
            )
        return duration_of(value)

    def witnesses(self) -> list[Any]:
        """Return nothing that can be checked before planning."""
        return [OPAQUE]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, ".9g") if isinstance(value, float) else str(value)
