"""Nodes that say how many events there are and of which class: densities, co-occurrence tables, chains, timetables."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from audiosynth.language.nodes import MAX_REPEAT, Node, Repeat, Scope
from audiosynth.language.quantiles import Poisson

LARGEST_MEAN: Final = 600.0
"""Mean above which a Poisson count is drawn in parts."""
WHOLE: Final = 1e-9
"""A sum of probabilities nearer to 1 than this is 1."""


@dataclass(frozen=True, eq=False)
class Density(Node):
    """A count of events from their number per minute and the length of the clip.

    `poisson`: the count of a Poisson process. `fixed`: the whole number below the mean or the one above, so that the mean
    over clips is exact.
    """

    path: str
    per_minute: Node
    duration: Node
    fixed: bool
    n_min: int
    n_max: int

    def draw(self, scope: Scope) -> int:
        """Return the count."""
        rate, root = self.per_minute.draw(scope), scope
        while root.parent is not None:
            root = root.parent
        seconds = self.duration.draw(root)  # the same draw as the clip's own
        if any(isinstance(x, bool) or not isinstance(x, int | float) or not x >= 0 for x in (rate, seconds)):
            raise scope.error(
                self.path, f"expected events per minute and seconds from 0 on, got {rate!r} and {seconds!r}"
            )
        mean = rate * seconds / 60.0
        if self.fixed:
            return int(min(math.floor(mean + scope.uniform(self.path)), self.n_max))
        if mean > 2 * MAX_REPEAT:  # to have as few as a clip holds is beyond chance
            return self.n_max
        parts = 1 + int(mean // LARGEST_MEAN)  # a sum of Poisson counts is one
        law, path = Poisson(mean / parts, MAX_REPEAT), scope.prefix + self.path
        return min(sum(law.inverse(scope.dice.uniform(path, k)) for k in range(parts)), self.n_max)

    def witnesses(self) -> Sequence[Any]:
        """Return the fewest and the most."""
        return self.n_min, self.n_max

    def children(self) -> Sequence[Node]:
        """Return the rate."""
        return (self.per_minute,)


@dataclass(frozen=True, eq=False)
class OneOf(Node):
    """A value that a cast of a `repeat` brings along, such as `$label`."""

    values: tuple[Any, ...]

    def witnesses(self) -> Sequence[Any]:
        """Return all that it can be."""
        return self.values


@dataclass(frozen=True, eq=False)
class Series(Repeat):
    """As many casts as a drawn list has entries, each knowing its entry by name."""

    labels: tuple[str, ...] = ()

    def casts(self, scope: Scope) -> Sequence[Mapping[str, Any]]:
        """Return the entries."""
        found: Sequence[Mapping[str, Any]] = self.n.draw(scope)
        return found


@dataclass(frozen=True)
class Row:
    """What may come with or after a class: others by rising shares, and how many events there are at most."""

    labels: tuple[str, ...]
    edges: tuple[float, ...]
    max_events: int = MAX_REPEAT

    @classmethod
    def of(cls, shares: Mapping[str, float], max_events: int = MAX_REPEAT) -> Row:
        """Return the row of shares; their sum is the last edge, exactly 1 where it should be."""
        edges = list(accumulate(float(share) for share in shares.values()))
        if edges and abs(edges[-1] - 1.0) < WHOLE:
            edges[-1] = 1.0
        return cls(tuple(shares), tuple(edges), max_events)

    def at(self, x: float) -> str | None:
        """Return the class at `x` from 0 on; None beyond the last edge."""
        i = bisect_right(self.edges, x)
        return self.labels[i] if i < len(self.labels) else None


@dataclass(frozen=True, eq=False)
class Cooccurrence(Node):
    """A first class, and others that come with it: 1 to `max_events` events in all, each number equally likely."""

    path: str
    first: Node
    table: Mapping[str, Row]

    def draw(self, scope: Scope) -> list[dict[str, str]]:
        """Return the classes, the first one first."""
        label = _known(scope, self.path, self.first.draw(scope), self.table)
        row = self.table[label]
        dice, path = scope.dice, scope.prefix + self.path
        more = int(scope.uniform(f"{self.path}.n") * row.max_events) if row.labels else 0
        draws = (row.at(dice.uniform(f"{path}.with", k) * row.edges[-1]) for k in range(more))
        return [{"label": label}, *({"label": other or row.labels[-1]} for other in draws)]

    def children(self) -> Sequence[Node]:
        """Return the draw of the first class."""
        return (self.first,)


@dataclass(frozen=True, eq=False)
class Chain(Node):
    """A Markov chain of classes: each depends on the one before; what a row lacks to 1 is the chance that it ends there."""

    path: str
    first: Node
    table: Mapping[str, Row]
    max_events: int

    def draw(self, scope: Scope) -> list[dict[str, str]]:
        """Return the classes in order."""
        label: str | None = self.first.draw(scope)
        if not isinstance(label, str):
            raise scope.error(self.path, f"expected a class to begin with, got {label!r}")
        out: list[dict[str, str]] = []
        while label is not None and len(out) < self.max_events:
            out.append({"label": label})
            row = self.table.get(label)
            label = None if row is None else row.at(scope.dice.uniform(f"{scope.prefix}{self.path}.next", len(out)))
        return out

    def children(self) -> Sequence[Node]:
        """Return the draw of the first class."""
        return (self.first,)


@dataclass(frozen=True, eq=False)
class Timetable(Node):
    """Events at set times: [time, label] pairs, drawn or not."""

    path: str
    pairs: Node

    def draw(self, scope: Scope) -> list[dict[str, Any]]:
        """Return the times and classes in the order of the recipe."""
        out = []
        for pair in self.pairs.draw(scope):
            good = isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[1], str)
            if not good or isinstance(pair[0], bool) or not isinstance(pair[0], int | float):
                raise scope.error(self.path, f"expected [time in seconds, label], got {pair!r}")
            out.append({"time": pair[0], "label": pair[1]})
        return out

    def children(self) -> Sequence[Node]:
        """Return the pairs."""
        return (self.pairs,)


def _known(scope: Scope, path: str, label: Any, table: Mapping[str, Row]) -> str:
    if not isinstance(label, str) or label not in table:
        raise scope.error(path, f"the first class is {label!r}, which has no row; there are {', '.join(table)}")
    return label
