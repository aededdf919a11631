"""The recipe language as a tree of nodes: what stands still, what holds other nodes, and where one cast stands.

`compiler.Compiler` makes the tree once per recipe; casting it for a clip is calling `draw(scope)` at the root. Every
node also lists *witnesses*: a few values or nodes that span what it can give, which `checks` holds against the models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Final

from audiosynth.clip import Member, Recording
from audiosynth.dice import ClipDice, block_order, permutation
from audiosynth.errors import PlanError


class Opaque:
    """A value that is known only when a clip is planned, such as a field of a drawn recording."""

    def __reduce__(self) -> str:
        """Stay one object in other processes."""
        return "OPAQUE"


OPAQUE: Final = Opaque()
SOME_RECORDING: Final = Recording(
    data="", path="", sha256="0" * 64, sr=16_000, n_channels=1024, n_samples=2**40, active=(0, 2**40)
)
"""Witness of a drawn recording: long, and of many channels."""
MAX_REPEAT: Final = 1_000
"""Most items one `repeat` may make."""


class ConstMap(dict[str, Any]):
    """A map without any draw in it: cast to itself, so that what is built from it can be kept."""

    __slots__ = ("built",)

    def __init__(self, tree: Mapping[str, Any]) -> None:
        super().__init__(tree)
        self.built: dict[str, Any] = {}


class Many(list[Any]):
    """What a `repeat` made: inside a list its items stand one by one."""


PickFrom = Callable[[str, str, Mapping[str, Any], Mapping[str, Any]], Sequence[Member]]
"""(catalogue, split, where, unless) → the recordings that may be drawn, in order."""


@dataclass(slots=True)
class Scope:
    """Where one cast stands: the clip's dice, the names in reach, the slot of the enclosing repeats, and which attempt it is."""

    dice: ClipDice
    pool: PickFrom
    lets: Mapping[str, Node] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    prefix: str = ""
    k: int = 0
    n_max: int = 1
    parent: Scope | None = None
    attempt: int = 0

    def value(self, name: str) -> Any:
        """Return the value of a `let` name, drawing it on first use."""
        if name in self.values:
            return self.values[name]
        if name in self.lets:
            self.values[name] = self.lets[name].draw(self)
            return self.values[name]
        if self.parent is None:
            raise self.error("", f"${name} is not defined here")
        return self.parent.value(name)

    def uniform(self, path: str) -> float:
        """Return this node's number in [0, 1)."""
        return self.dice.uniform(self.prefix + path, self.attempt)

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
            raise self.error(
                path,
                f"the deck of {n_items} is used up; make fewer clips, add items, or use `cycle`, which starts again",
            )
        return permutation(n_items, seed=self.dice.seed, split=self.dice.split, path=path, turn=turn)[place]

    def balanced(self, counts: tuple[int, ...], path: str) -> int:
        """Return which item a balanced draw gives at this slot: item i comes `counts[i]` times in each block."""
        block, place = divmod(self.slot(), sum(counts))
        return block_order(counts, seed=self.dice.seed, split=self.dice.split, path=path, block=block)[place]

    def error(self, path: str, message: str) -> PlanError:
        """Return the error of a draw that this clip cannot make."""
        clip = f"clip {self.dice.split}/{self.dice.ordinal}"
        return PlanError(f"{clip}, {path}: {message}" if path else f"{clip}: {message}")


class Node:
    """One place of a compiled recipe; nodes are told apart by identity."""

    exclusive: ClassVar[bool] = False
    """Whether a cast uses one of the children only."""

    def draw(self, scope: Scope) -> Any:
        """Return the value for this clip."""
        raise NotImplementedError

    def witnesses(self) -> Sequence[Any]:
        """Return values or nodes that span what `draw` can give; the node itself if it holds others."""
        return (self,)

    def children(self) -> Sequence[Node]:
        """Return the nodes inside."""
        return ()


@dataclass(frozen=True, eq=False)
class Const(Node):
    """A value that stands in the recipe."""

    value: Any

    def draw(self, scope: Scope) -> Any:  # noqa: ARG002
        """Return the value itself; nobody may change it."""
        return self.value

    def witnesses(self) -> Sequence[Any]:
        """Return the value."""
        return (self.value,)


@dataclass(frozen=True, eq=False)
class Lookup(Node):
    """What a table has for a value that may be drawn, such as a profile's content for its name."""

    of: Node
    table: Mapping[str, Any]

    def draw(self, scope: Scope) -> Any:
        """Return the entry of the value's draw."""
        return self.table[self.of.draw(scope)]

    def witnesses(self) -> Sequence[Any]:
        """Return all entries."""
        return tuple(self.table.values())


@dataclass(frozen=True, eq=False)
class Given(Node):
    """A recording that each clip brings along (`clips: {each: …}`)."""

    def witnesses(self) -> Sequence[Any]:
        """Return some recording."""
        return (SOME_RECORDING,)


@dataclass(frozen=True, eq=False)
class SplitName(Node):
    """The name of the clip's split (`$split`), which the plan brings along."""

    names: tuple[str, ...]

    def witnesses(self) -> Sequence[Any]:
        """Return the names of all splits."""
        return self.names


@dataclass(frozen=True, eq=False)
class MapNode(Node):
    """A map with draws somewhere inside."""

    items: Mapping[str, Node]

    @cached_property
    def _split(self) -> tuple[dict[str, Any], tuple[tuple[str, Node], ...]]:
        """Return the map with what stands still in it, in order, and the entries that do not."""
        still = {key: item.value if isinstance(item, Const) else None for key, item in self.items.items()}
        return still, tuple((key, item) for key, item in self.items.items() if not isinstance(item, Const))

    def draw(self, scope: Scope) -> dict[str, Any]:
        """Cast every entry."""
        still, moving = self._split
        out = still.copy()
        for key, item in moving:
            out[key] = item.draw(scope)
        return out

    def children(self) -> Sequence[Node]:
        """Return the entries."""
        return tuple(self.items.values())


@dataclass(frozen=True, eq=False)
class LetMap(Node):
    """A map with its own `let`: names seen only inside it."""

    lets: Mapping[str, Node]
    body: MapNode

    def draw(self, scope: Scope) -> dict[str, Any]:
        """Cast the body in an inner scope; the names' values stay in the result under `let`."""
        inner = Scope(scope.dice, scope.pool, self.lets, {}, scope.prefix, scope.k, scope.n_max, scope)
        tree = self.body.draw(inner)
        tree["let"] = {name: inner.value(name) for name in self.lets}
        return tree

    def children(self) -> Sequence[Node]:
        """Return the names' values and the body."""
        return (*self.lets.values(), self.body)


@dataclass(frozen=True, eq=False)
class ListNode(Node):
    """A list with draws inside: a `repeat` is spliced in, a draw that gives null leaves nothing."""

    items: tuple[Node, ...]

    def draw(self, scope: Scope) -> list[Any]:
        """Cast every item."""
        out: list[Any] = []
        for item in self.items:
            value = item.draw(scope)
            if isinstance(value, Many):
                out.extend(value)
            elif value is not None or isinstance(item, Const):
                out.append(value)
        return out

    def children(self) -> Sequence[Node]:
        """Return the items."""
        return self.items


@dataclass(frozen=True, eq=False)
class Repeat(Node):
    """`n` casts of one sub-tree, each with dice of its own; a cast that gives null leaves nothing."""

    path: str
    n: Node
    of: Node
    n_min: int
    n_max: int

    def casts(self, scope: Scope) -> Sequence[Mapping[str, Any]]:
        """Return the names that each cast brings along: as many maps as there are casts."""
        return ({},) * int(self.n.draw(scope))

    def draw(self, scope: Scope) -> Many:
        """Return the list of casts."""
        out = Many()
        slots, first = scope.n_max * max(1, self.n_max), scope.k * max(1, self.n_max)
        for i, names in enumerate(self.casts(scope)):
            prefix = f"{scope.prefix}{self.path}#{i}/"
            value = self.of.draw(Scope(scope.dice, scope.pool, {}, dict(names), prefix, first + i, slots, scope))
            out.extend(value if isinstance(value, Many) else () if value is None else (value,))
        return out

    def children(self) -> Sequence[Node]:
        """Return the count and what is repeated."""
        return self.n, self.of


def leaves(node: Node) -> list[Any]:
    """Return all that a node can end in: values, and nodes that hold others (maps, lists, repeats).

    Examples
    --------
    >>> leaves(Const(3))
    [3]
    """
    out: list[Any] = []
    seen: set[int] = set()
    todo = [node]
    while todo:
        here = todo.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        found = here.witnesses()
        out += [item for item in found if not isinstance(item, Node) or item is here]
        todo += [item for item in reversed(found) if isinstance(item, Node) and item is not here]
    return out
