"""Nodes that draw: numbers, one of several, turns over the whole set, recordings, seeds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from audiosynth.clip import Entry, Member, Withheld
from audiosynth.errors import WithdrawnError
from audiosynth.language.nodes import SOME_RECORDING, Const, MapNode, Node, Scope
from audiosynth.language.quantiles import Distribution, Integers, Poisson

TRIES = 200
"""Draws for something withdrawn; only where nearly all of a catalogue is gone do they not suffice."""
REFILLED = "~refilled"
"""Among the values of a clip (no `let` can be called so): something else was taken for what was withdrawn."""
MAX_LISTED = 256
"""Widest range of whole numbers whose every member is a witness."""


@dataclass(frozen=True, eq=False)
class Number(Node):
    """A numeric distribution."""

    path: str
    distribution: Distribution

    def draw(self, scope: Scope) -> float | int:
        """Return the distribution's value at this node's draw."""
        return self.distribution.inverse(scope.uniform(self.path))

    def witnesses(self) -> Sequence[Any]:
        """Return both ends of the support (±1e300 where unbounded), or all of a few whole numbers."""
        low, high = self.distribution.support()
        if isinstance(self.distribution, Integers | Poisson) and high - low < MAX_LISTED:
            return tuple(range(int(low), int(high) + 1))
        if isinstance(self.distribution, Integers | Poisson):
            return low, high
        return float(max(low, -1e300)), float(min(high, 1e300))


@dataclass(frozen=True, eq=False)
class Choice(Node):
    """One of several sub-trees, by weight."""

    path: str
    items: tuple[Node, ...]
    edges: tuple[float, ...]
    exclusive: ClassVar[bool] = True

    def draw(self, scope: Scope) -> Any:
        """Return the cast of the item whose weight interval the draw falls in."""
        i = bisect_right(self.edges, scope.uniform(self.path) * self.edges[-1])
        if i == len(self.items):  # rounding brought the draw up to the last edge: the last item with weight
            i = self.edges.index(self.edges[-1])
        return self.items[i].draw(scope)

    def witnesses(self) -> Sequence[Any]:
        """Return all items."""
        return self.items

    def children(self) -> Sequence[Node]:
        """Return all items."""
        return self.items


class Dealt(Node):
    """A draw that counts within a split, so that usage is balanced over the whole set."""

    path: str

    def n_items(self) -> int:
        """Return how many items there are to deal; 0 if only the plan knows."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Turn(Dealt):
    """`cycle` and `deck`: items in a keyed order of the whole split."""

    path: str
    items: tuple[Node, ...]
    once: bool
    exclusive: ClassVar[bool] = True

    def draw(self, scope: Scope) -> Any:
        """Return the cast of the item at this slot."""
        return self.items[scope.turned(len(self.items), self.path, once=self.once)].draw(scope)

    def witnesses(self) -> Sequence[Any]:
        """Return all items."""
        return self.items

    def children(self) -> Sequence[Node]:
        """Return all items."""
        return self.items

    def n_items(self) -> int:
        """Return how many items there are."""
        return len(self.items)


@dataclass(frozen=True, eq=False)
class Balance(Dealt):
    """Items at set shares of every block of slots, exact to one slot."""

    path: str
    items: tuple[Node, ...]
    counts: tuple[int, ...]
    exclusive: ClassVar[bool] = True

    def draw(self, scope: Scope) -> Any:
        """Return the cast of the item at this slot."""
        return self.items[scope.balanced(self.counts, self.path)].draw(scope)

    def witnesses(self) -> Sequence[Any]:
        """Return all items."""
        return self.items

    def children(self) -> Sequence[Node]:
        """Return all items."""
        return self.items

    def n_items(self) -> int:
        """Return how many items there are."""
        return len(self.items)


@dataclass(frozen=True, eq=False)
class Product(Dealt):
    """All combinations of several lists, balanced over the split."""

    path: str
    factors: Mapping[str, tuple[Node, ...]]
    exclusive: ClassVar[bool] = True

    def draw(self, scope: Scope) -> dict[str, Any]:
        """Return one combination as a map."""
        index = scope.turned(self.n_items(), self.path, once=False)
        out = {}
        for name, items in self.factors.items():
            index, i = divmod(index, len(items))
            out[name] = items[i].draw(scope)
        return out

    def n_items(self) -> int:
        """Return how many combinations there are."""
        size = 1
        for items in self.factors.values():
            size *= len(items)
        return size

    @cached_property
    def _maps(self) -> tuple[MapNode, ...]:
        longest = max(len(items) for items in self.factors.values())
        return tuple(
            MapNode({name: items[i % len(items)] for name, items in self.factors.items()}) for i in range(longest)
        )

    def witnesses(self) -> Sequence[Any]:
        """Return maps that hold every item of every factor at least once."""
        return self._maps

    def children(self) -> Sequence[Node]:
        """Return those maps."""
        return self._maps


@dataclass(frozen=True, eq=False)
class Pick(Dealt):
    """A recording of a catalogue or a row of a table, of this clip's split."""

    path: str
    catalogue: str
    where: Node
    unless: Node
    how: str = "random"
    examples: tuple[Any, ...] = (SOME_RECORDING,)

    def draw(self, scope: Scope) -> Any:
        """Return the recording, or the fields of a table's row."""
        where, unless = self._still or (self._met("where", scope), self._met("unless", scope))
        pool = scope.pool(self.catalogue, scope.dice.split, where, unless)
        if not pool:
            wanted = ", ".join(f"{key}: {value}" for key, value in where.items())
            barred = ", ".join(f"{key}: {value}" for key, value in unless.items())
            raise scope.error(
                self.path,
                f"no recording of '{self.catalogue}' in split '{scope.dice.split}' has {wanted or 'any entry'}"
                f"{f' and not {barred}' if barred else ''}; change `{'unless' if barred else 'where'}`, the catalogue or `splits`",
            )
        random = self.how == "random"
        i = (
            int(scope.uniform(self.path) * len(pool))
            if random
            else scope.turned(len(pool), self.path, once=self.how == "deck")
        )
        found = pool[i]
        if isinstance(found, Withheld):
            found = self._instead(pool, scope)
        return found.meta if isinstance(found, Entry) else found

    def _instead(self, pool: Sequence[Member], scope: Scope) -> Member:
        """Return another recording for one that was withdrawn."""
        if self.how == "deck" and not all(isinstance(member, Withheld) for member in pool):
            raise _withdrawn(scope, self.path, "a deck has each recording once")
        return instead(pool, scope, self.path, f"{scope.prefix}{self.path}~{scope.attempt}")

    @cached_property
    def _still(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the conditions where nothing in them is drawn and there is nothing wrong with them."""
        if not (isinstance(self.where, Const) and isinstance(self.unless, Const)):
            return None
        found = self.where.value, self.unless.value
        return found if all(map(_are_conditions, found)) else None

    def _met(self, name: str, scope: Scope) -> dict[str, Any]:
        """Return the conditions that a recording has to meet."""
        found: dict[str, Any] = getattr(self, name).draw(scope)
        if not _are_conditions(found):
            raise scope.error(self.path, f"`{name}` takes {{field: value or list of values}}, got {found!r}")
        return found

    def witnesses(self) -> Sequence[Any]:
        """Return some recording, or some rows of the table."""
        return self.examples

    def children(self) -> Sequence[Node]:
        """Return the conditions."""
        return self.where, self.unless

    def n_items(self) -> int:
        """Return 0: the split and the conditions decide."""
        return 0


def _are_conditions(found: Any) -> bool:
    return isinstance(found, dict) and all(map(is_condition, found.values()))


def instead(pool: Sequence[Member], scope: Scope, path: str, key: str) -> Member:
    """Return something else of a pool for what was withdrawn: the first of further draws (of this `key`) that may be used.

    So no other clip changes, and what is withdrawn later changes only the clips that had it. The clip is noted as filled up.

    Raises
    ------
    WithdrawnError
        If nothing else is there.
    """
    left = [member for member in pool if not isinstance(member, Withheld)]
    if not left:
        raise _withdrawn(scope, path, "nothing else fits")
    top = scope
    while top.parent is not None:
        top = top.parent
    top.values[REFILLED] = True
    for again in range(TRIES):
        found = pool[int(scope.dice.uniform(key, again) * len(pool))]
        if not isinstance(found, Withheld):
            return found
    return left[int(scope.dice.uniform(key, TRIES) * len(left))]


def _withdrawn(scope: Scope, path: str, why: str) -> WithdrawnError:
    return WithdrawnError(f"{scope.error(path, f'a recording of it was withdrawn, and {why}')}")


def is_condition(value: Any) -> bool:
    """Return whether `value` can stand in `where`: a plain value, or a list of them."""
    items = value if isinstance(value, list) else [value]
    return all(item is None or isinstance(item, str | int | float) for item in items)


@dataclass(frozen=True, eq=False)
class Maybe(Node):
    """A sub-tree with probability `p`, else null."""

    path: str
    p: float
    then: Node
    exclusive: ClassVar[bool] = True

    def draw(self, scope: Scope) -> Any:
        """Return the cast of `then`, or None."""
        return self.then.draw(scope) if scope.uniform(self.path) < self.p else None

    def witnesses(self) -> Sequence[Any]:
        """Return both outcomes."""
        return self.then, None

    def children(self) -> Sequence[Node]:
        """Return what may be drawn."""
        return (self.then,)
