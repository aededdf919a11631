"""The recipe language as a tree of nodes: what stands still, what is drawn, and how a draw is keyed.

`compiler.compile_tree` makes the tree once per recipe; casting it for a clip is calling `draw(scope)` at the root.
Every node also lists *witnesses*: a few trees that span what it can give, which `check` validates statically.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from audiosynth.clip import Recording, Slack
from audiosynth.dice import ClipDice, permutation
from audiosynth.distributions import Distribution
from audiosynth.errors import PlanError

OPAQUE: Final = object()
"""Witness of a value that is known only when a clip is planned (a field of a drawn recording)."""
MAX_REPEAT: Final = 1_000
"""Most items one `repeat` may make."""


class ConstMap(dict[str, Any]):
    """A map without any draw in it: cast to itself, so that what is built from it can be kept."""

    __slots__ = ("built",)

    def __init__(self, tree: Mapping[str, Any]) -> None:
        super().__init__(tree)
        self.built: dict[str, Any] = {}


PickFrom = Callable[[str, str, Mapping[str, Any]], Sequence[Recording]]
"""(catalogue, split, where) → the recordings that may be drawn, in order."""


@dataclass
class Scope:
    """Where one cast stands: the clip's dice, the names in reach, and the slot of the enclosing repeats."""

    dice: ClipDice
    pool: PickFrom
    lets: Mapping[str, Node] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    prefix: str = ""
    k: int = 0
    n_max: int = 1
    parent: Scope | None = None

    def value(self, name: str) -> Any:
        """Return the value of a `let` name, drawing it on first use."""
        if name in self.values:
            return self.values[name]
        if name in self.lets:
            self.values[name] = self.lets[name].draw(self)
            return self.values[name]
        if self.parent is None:
            raise PlanError(f"clip {self.dice.split}/{self.dice.ordinal}: ${name} is not defined here")
        return self.parent.value(name)

    def slot(self) -> int:
        """Return the number of this draw within its split: ordinal · n_max + k."""
        return self.dice.ordinal * self.n_max + self.k

    def turned(self, n_items: int, path: str, *, once: bool) -> int:
        """Return which of `n_items` a dataset-level draw gives at this slot.

        Raises
        ------
        PlanError
            If `once` is set and all items are used up.
        """
        turn, place = divmod(self.slot(), n_items)
        if once and turn:
            raise PlanError(
                f"clip {self.dice.split}/{self.dice.ordinal}, {path}: the deck of {n_items} is used up; "
                "make fewer clips, add items, or use `cycle`, which starts again"
            )
        return permutation(n_items, seed=self.dice.seed, split=self.dice.split, path=path, turn=turn)[place]


class Node(Protocol):
    """One place of a compiled recipe."""

    def draw(self, scope: Scope) -> Any:
        """Return the value for this clip."""
        ...

    def witnesses(self) -> list[Any]:
        """Return values or trees of nodes that span what `draw` can give."""
        ...


@dataclass(frozen=True)
class Const:
    """A value that stands in the recipe."""

    value: Any

    def draw(self, scope: Scope) -> Any:  # noqa: ARG002
        """Return the value itself; nobody may change it."""
        return self.value

    def witnesses(self) -> list[Any]:
        """Return the value."""
        return [self.value]


@dataclass(frozen=True)
class MapNode:
    """A map with draws somewhere inside."""

    order: tuple[str, ...]
    items: Mapping[str, Node]

    def draw(self, scope: Scope) -> dict[str, Any]:
        """Cast every entry; a `let` of its own opens a scope for this map."""
        return {key: self.items[key].draw(scope) for key in self.order}

    def witnesses(self) -> list[Any]:
        """Return the node itself: validation walks into it."""
        return [self]


@dataclass(frozen=True)
class LetMap:
    """A map with its own `let`: names seen only inside it."""

    lets: Mapping[str, Node]
    body: MapNode

    def draw(self, scope: Scope) -> dict[str, Any]:
        """Cast the body in an inner scope; the names' values stay in the result under `let`."""
        inner = Scope(scope.dice, scope.pool, self.lets, {}, scope.prefix, scope.k, scope.n_max, scope)
        tree = self.body.draw(inner)
        tree["let"] = {name: inner.value(name) for name in self.lets}
        return tree

    def witnesses(self) -> list[Any]:
        """Return the body: the names are checked apart."""
        return [self.body]


@dataclass(frozen=True)
class ListNode:
    """A list with draws inside; a `repeat` is spliced in, a `maybe` that says no leaves nothing."""

    items: tuple[Node, ...]

    def draw(self, scope: Scope) -> list[Any]:
        """Cast every item."""
        out: list[Any] = []
        for item in self.items:
            if isinstance(item, Repeat):
                out.extend(item.draw(scope))
            elif isinstance(item, Maybe):
                value = item.draw(scope)
                out.extend(() if value is None else (value,))
            else:
                out.append(item.draw(scope))
        return out

    def witnesses(self) -> list[Any]:
        """Return the node itself."""
        return [self]


@dataclass(frozen=True)
class Number:
    """A numeric distribution."""

    path: str
    distribution: Distribution

    def draw(self, scope: Scope) -> float | int:
        """Return the distribution's value at this node's draw."""
        return self.distribution.inverse(scope.dice.uniform(scope.prefix + self.path, 0))

    def witnesses(self) -> list[Any]:
        """Return both ends of the support (±1e300 where unbounded)."""
        low, high = self.distribution.support()
        return [max(low, -1e300), min(high, 1e300)]


@dataclass(frozen=True)
class Choice:
    """One of several sub-trees, by weight."""

    path: str
    items: tuple[Node, ...]
    edges: tuple[float, ...]

    def draw(self, scope: Scope) -> Any:
        """Return the cast of the item whose weight interval the draw falls in."""
        u = scope.dice.uniform(scope.prefix + self.path, 0) * self.edges[-1]
        i = next((i for i, edge in enumerate(self.edges) if u < edge), len(self.items) - 1)
        return self.items[i].draw(scope)

    def witnesses(self) -> list[Any]:
        """Return all items."""
        return list(self.items)


@dataclass(frozen=True)
class Turn:
    """`cycle` and `deck`: items in a keyed order of the whole split."""

    path: str
    items: tuple[Node, ...]
    once: bool

    def draw(self, scope: Scope) -> Any:
        """Return the cast of the item at this slot."""
        return self.items[scope.turned(len(self.items), self.path, once=self.once)].draw(scope)

    def witnesses(self) -> list[Any]:
        """Return all items."""
        return list(self.items)


@dataclass(frozen=True)
class Product:
    """All combinations of several lists, balanced over the split."""

    path: str
    factors: Mapping[str, tuple[Node, ...]]

    def draw(self, scope: Scope) -> dict[str, Any]:
        """Return one combination as a map."""
        size = 1
        for items in self.factors.values():
            size *= len(items)
        index = scope.turned(size, self.path, once=False)
        out = {}
        for name, items in self.factors.items():
            index, i = divmod(index, len(items))
            out[name] = items[i].draw(scope)
        return out

    def witnesses(self) -> list[Any]:
        """Return maps that hold every item of every factor at least once."""
        longest = max(len(items) for items in self.factors.values())
        return [
            MapNode(tuple(self.factors), {name: items[i % len(items)] for name, items in self.factors.items()})
            for i in range(longest)
        ]


@dataclass(frozen=True)
class Pick:
    """A recording of a catalogue, of this clip's split."""

    path: str
    catalogue: str
    where: Node
    how: str = "random"

    def draw(self, scope: Scope) -> Recording:
        """Return the recording."""
        where = self.where.draw(scope)
        pool = scope.pool(self.catalogue, scope.dice.split, where)
        if not pool:
            raise PlanError(
                f"clip {scope.dice.split}/{scope.dice.ordinal}, {self.path}: no recording of '{self.catalogue}' in split "
                f"'{scope.dice.split}' has {where or 'any entry'}; change `where`, the catalogue or `splits`"
            )
        if self.how == "random":
            return pool[int(scope.dice.uniform(scope.prefix + self.path, 0) * len(pool))]
        return pool[scope.turned(len(pool), self.path, once=self.how == "deck")]

    def witnesses(self) -> list[Any]:
        """Return nothing that can be checked before planning."""
        return [OPAQUE]


@dataclass(frozen=True)
class Repeat:
    """`n` casts of one sub-tree, each with dice of its own."""

    path: str
    n: Node
    of: Node
    n_max: int

    def draw(self, scope: Scope) -> list[Any]:
        """Return the list of casts."""
        out: list[Any] = []
        for i in range(self.n.draw(scope)):
            inner = Scope(
                scope.dice, scope.pool, {}, {}, f"{scope.prefix}{self.path}#{i}/",
                scope.k * self.n_max + i, scope.n_max * self.n_max, scope,
            )  # fmt: skip
            out.append(self.of.draw(inner))
        return out

    def witnesses(self) -> list[Any]:
        """Return a list with one item."""
        return [ListNode((self.of,))]


@dataclass(frozen=True)
class Maybe:
    """A sub-tree with probability `p`, else null."""

    path: str
    p: float
    then: Node

    def draw(self, scope: Scope) -> Any:
        """Return the cast of `then`, or None."""
        return self.then.draw(scope) if scope.dice.uniform(scope.prefix + self.path, 0) < self.p else None

    def witnesses(self) -> list[Any]:
        """Return both outcomes."""
        return [self.then, None]


@dataclass(frozen=True)
class SlackNode:
    """`{slack: x}`: a fraction of the room there is, turned into samples by the plan."""

    value: Node

    def draw(self, scope: Scope) -> Slack:
        """Return the fraction."""
        return Slack(slack=self.value.draw(scope))

    def witnesses(self) -> list[Any]:
        """Return nothing: the room there is shows in the plan."""
        return [OPAQUE]


@dataclass(frozen=True)
class Seed:
    """The seed of a component that makes noise, filled where the recipe gives none."""

    path: str

    def draw(self, scope: Scope) -> int:
        """Return 53 bits."""
        return scope.dice.bits(scope.prefix + self.path)

    def witnesses(self) -> list[Any]:
        """Return nothing to check."""
        return [OPAQUE]
