"""Nodes that look at other values: `$name`, `by`, `sum`, `join`, `of`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any, ClassVar, Final

from audiosynth.clip import Recording
from audiosynth.language.nodes import OPAQUE, MapNode, Node, Scope, leaves
from audiosynth.language.quantiles import round_significant

MAX_WITNESSES: Final = 64
"""Most combinations of witnesses that one `join` is checked with."""
MAX_SUM: Final = 2.0**53
"""Largest sum: beyond it whole numbers and floats part, and a chain of names, each added to itself, doubles at every step."""
MAX_TEXT: Final = 10_000
"""Longest text that `join` may make: a chain of names, each joined with itself, doubles at every step."""


def text_of(value: Any) -> str:
    """Return a plain value as `join` and `by` see it: 10 and 10.0 are one, and so are "10" and 10.

    Examples
    --------
    >>> [text_of(value) for value in (True, None, 10.0, 0.1, "a")]
    ['true', 'null', '10', '0.1', 'a']
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".9g")
    return str(value)


def is_plain(value: Any) -> bool:
    """Return whether a value is a text, a number, a truth value or null."""
    return value is None or isinstance(value, str | int | float)


def field_of(value: Any, name: str) -> Any:
    """Return a field of a drawn value: a key of a map, or what is known of a recording.

    Raises
    ------
    KeyError
        If there is no such field.
    """
    if isinstance(value, Recording):
        return value.meta[name] if name in value.meta else KNOWN_FIELDS[name](value)
    if isinstance(value, Mapping):
        return value[name]
    raise KeyError(name)


def duration_of(recording: Recording) -> float:
    """Return the length of a recording in seconds, to 1 µs."""
    return round(recording.n_samples / recording.sr, 6)


KNOWN_FIELDS: Final = {
    "path": lambda recording: recording.path,
    "sha256": lambda recording: recording.sha256,
    "sr": lambda recording: recording.sr,
    "n_channels": lambda recording: recording.n_channels,
    "duration": duration_of,
}
"""Fields that every recording has; those of its catalogue come first."""


@dataclass(frozen=True, eq=False)
class Ref(Node):
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
                has = [*value.meta, *KNOWN_FIELDS] if isinstance(value, Recording) else value
                shown = ", ".join(has) if isinstance(has, list | Mapping) else f"nothing, it is {value!r}"
                raise scope.error(self.path, f"${self.name} has no field '{part}' (it has: {shown})") from None
        return value

    @cached_property
    def ends(self) -> tuple[Any, ...]:
        """Return the nodes or values that the field can be, OPAQUE for those of a recording."""
        found: list[Any] = [OPAQUE] if self.target is None else [self.target]
        for part in self.fields:
            at = [leaf for item in found for leaf in (leaves(item) if isinstance(item, Node) else [item])]
            found = []
            for leaf in at:
                inside = leaf.items if isinstance(leaf, MapNode) else leaf
                if isinstance(inside, Mapping) and part in inside:
                    found.append(inside[part])
                elif isinstance(inside, Recording) or inside is OPAQUE:
                    found.append(OPAQUE)
        return tuple(found)

    def witnesses(self) -> Sequence[Any]:
        """Return the witnesses of what is named, where they can be known."""
        return self.ends


@dataclass(frozen=True, eq=False)
class By(Node):
    """One of several sub-trees, chosen by another value, as text."""

    path: str
    on: Node
    cases: Mapping[str, Node]
    default: Node | None
    exclusive: ClassVar[bool] = True

    def draw(self, scope: Scope) -> Any:
        """Return the cast of the case for the value of `on`."""
        value = self.on.draw(scope)
        node = self.cases.get(text_of(value), self.default) if is_plain(value) else None
        if node is None:
            shown = text_of(value) if is_plain(value) else type(value).__name__.lower()
            raise scope.error(self.path, f"no case for '{shown}' and no default; there are {', '.join(self.cases)}")
        return node.draw(scope)

    def witnesses(self) -> Sequence[Any]:
        """Return all cases and the default."""
        return self.children()[1:]

    def children(self) -> Sequence[Node]:
        """Return the condition, all cases and the default."""
        return (self.on, *self.cases.values(), *(() if self.default is None else (self.default,)))


@dataclass(frozen=True, eq=False)
class Sum(Node):
    """The sum of several numbers."""

    path: str
    terms: tuple[Node, ...]

    def draw(self, scope: Scope) -> float | int:
        """Return the sum, rounded to nine significant digits unless all terms are whole."""
        values = [term.draw(scope) for term in self.terms]
        bad = next((v for v in values if isinstance(v, bool) or not isinstance(v, int | float)), None)
        if bad is not None or None in values:
            raise scope.error(self.path, f"cannot add {bad!r}; `sum` takes numbers")
        total = sum(values)
        if abs(total) > MAX_SUM:
            raise scope.error(self.path, f"the sum is beyond ±{MAX_SUM:.2g}")
        return total if isinstance(total, int) else round_significant(total)

    @cached_property
    def ends(self) -> tuple[Any, ...]:
        """Return the smallest and the largest sum, OPAQUE if a term cannot be known."""
        sets = [leaves(term) for term in self.terms]
        if any(isinstance(w, bool) or not isinstance(w, int | float) for ws in sets for w in ws):
            return (OPAQUE,)
        return sum(min(ws) for ws in sets), sum(max(ws) for ws in sets)

    def witnesses(self) -> Sequence[Any]:
        """Return the sums of the terms' extremes."""
        return self.ends

    def children(self) -> Sequence[Node]:
        """Return the terms."""
        return self.terms


@dataclass(frozen=True, eq=False)
class Join(Node):
    """Several values as one text."""

    path: str
    terms: tuple[Node, ...]

    def draw(self, scope: Scope) -> str:
        """Return the concatenation."""
        values = [term.draw(scope) for term in self.terms]
        bad = [value for value in values if not is_plain(value)]
        if bad:
            raise scope.error(self.path, f"cannot join {bad[0]!r}; `join` takes texts and numbers")
        text = "".join(map(text_of, values))
        if len(text) > MAX_TEXT:
            raise scope.error(self.path, f"the joined text has more than {MAX_TEXT:,} characters")
        return text

    @cached_property
    def ends(self) -> tuple[Any, ...]:
        """Return the texts of the first combinations of witnesses, OPAQUE if a term cannot be known."""
        sets = [leaves(term) for term in self.terms]
        if any(not is_plain(w) for ws in sets for w in ws):
            return (OPAQUE,)
        return tuple("".join(map(text_of, some))[:MAX_TEXT] for some in islice(product(*sets), MAX_WITNESSES))

    def witnesses(self) -> Sequence[Any]:
        """Return the texts of the first combinations of witnesses."""
        return self.ends

    def children(self) -> Sequence[Node]:
        """Return the terms."""
        return self.terms


@dataclass(frozen=True, eq=False)
class Duration(Node):
    """`{of: name}`: the length in seconds of a named recording."""

    path: str
    recording: Ref

    def draw(self, scope: Scope) -> float:
        """Return the length, to 1 µs."""
        value = self.recording.draw(scope)
        if not isinstance(value, Recording):
            raise scope.error(self.path, f"${self.recording.name} is no recording")
        return duration_of(value)

    def witnesses(self) -> Sequence[Any]:
        """Return nothing that can be checked before planning."""
        return (OPAQUE,)
