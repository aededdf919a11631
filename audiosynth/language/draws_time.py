"""Nodes whose values the plan completes: places in the room there is, lengths that fit, starts of loops; and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from audiosynth.clip import Fit, Follow, Slack
from audiosynth.language.draws import Choice, Maybe, Number
from audiosynth.language.nodes import OPAQUE, Const, MapNode, Node, Scope
from audiosynth.language.quantiles import Uniform

MAX_AFTER: Final = 3600.0
"""Most seconds after the last event of a clip that is as long as its events."""
MAX_GAP: Final = 86_400.0
"""Most seconds between an event and the one it follows."""


@dataclass(frozen=True, eq=False)
class SlackNode(Node):
    """`{slack: x}`: a fraction of the room there is, turned into samples by the plan."""

    path: str
    value: Node

    def draw(self, scope: Scope) -> Slack:
        """Return the fraction."""
        value = self.value.draw(scope)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise scope.error(self.path, f"'slack' takes a fraction from 0 to 1, got {value!r}")
        return Slack(slack=value)

    def witnesses(self) -> Sequence[Any]:
        """Return the middle of the room there is."""
        return (Slack(slack=0.5),)

    def children(self) -> Sequence[Node]:
        """Return the fraction."""
        return (self.value,)


@dataclass(frozen=True, eq=False)
class FitNode(Node):
    """`{fit: seconds}`: as long as what the clip holds, and some seconds more."""

    path: str
    value: Node

    def draw(self, scope: Scope) -> Fit:
        """Return the seconds after the last event."""
        value = self.value.draw(scope)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_AFTER:
            raise scope.error(
                self.path, f"'fit' takes the seconds after the last event, 0 to {MAX_AFTER:g}, got {value!r}"
            )
        return Fit(float(value))

    def witnesses(self) -> Sequence[Any]:
        """Return nothing that can be checked before planning."""
        return (OPAQUE,)

    def children(self) -> Sequence[Node]:
        """Return the seconds."""
        return (self.value,)


@dataclass(frozen=True, eq=False)
class FollowNode(Node):
    """`{follow: seconds}`: so long after the event before it ends; below 0, before its end."""

    path: str
    value: Node

    def draw(self, scope: Scope) -> Follow:
        """Return the gap, and which events it counts among: those of the same `repeat`."""
        value = self.value.draw(scope)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_GAP:
            raise scope.error(self.path, f"'follow' takes seconds (±{MAX_GAP:g}), got {value!r}")
        return Follow(float(value), scope.prefix.rpartition("#")[0])

    def witnesses(self) -> Sequence[Any]:
        """Return nothing that can be checked before planning."""
        return (OPAQUE,)

    def children(self) -> Sequence[Node]:
        """Return the seconds."""
        return (self.value,)


@dataclass(frozen=True, eq=False)
class Placed(Node):
    """The `onset` or `at` of an event: a draw that a scene's rules may ask for again."""

    node: Node

    def draw(self, scope: Scope) -> Placing:
        """Return the draw itself; planning asks it for values."""
        return Placing(self, scope)

    def witnesses(self) -> Sequence[Any]:
        """Return what the draw can give."""
        return (self.node,)

    def children(self) -> Sequence[Node]:
        """Return the draw."""
        return (self.node,)

    @cached_property
    def movable(self) -> bool:
        """Whether another attempt can give another value: a named value is drawn once, and stays."""
        return any(isinstance(node, Number | Choice | Maybe) for node in _all_of(self.node))

    @cached_property
    def follows(self) -> bool:
        """Whether it can stand after another event."""
        return any(isinstance(node, FollowNode) for node in _all_of(self.node))

    @cached_property
    def even(self) -> Number | None:
        """The one `uniform` that decides the place, if there is nothing else to draw."""
        node = self.node
        if isinstance(node, MapNode):
            moving = [item for item in node.items.values() if not isinstance(item, Const)]
            node = moving[0] if len(moving) == 1 and moving[0] is node.items.get("time") else Const(None)
        elif isinstance(node, SlackNode | FollowNode):
            node = node.value
        if not isinstance(node, Number) or not isinstance(node.distribution, Uniform):
            return None
        low, high = node.distribution.support()
        from_both_ends = isinstance(self.node, MapNode) and low < 0 <= high
        return None if from_both_ends else node

    @cached_property
    def ends(self) -> tuple[Any, Any] | None:
        """The earliest and the latest value, if all between are equally likely; of a `follow`, its seconds."""
        if self.even is None:
            return None
        low, high = self.even.distribution.support()
        if isinstance(self.node, SlackNode):
            return Slack(slack=low), Slack(slack=high)
        if isinstance(self.node, MapNode):
            still = {k: item.value for k, item in self.node.items.items() if isinstance(item, Const)}
            return {**still, "time": low}, {**still, "time": high}
        return low, high


def _all_of(node: Node) -> list[Node]:
    """Return a node and all nodes inside."""
    out = [node]
    for here in out:
        out += here.children()
    return out


@dataclass(slots=True)
class Placing:
    """The place of one event of one clip, not yet drawn."""

    placed: Placed
    scope: Scope

    def value(self, attempt: int = 0) -> Any:
        """Return the draw of an attempt; attempt 0 is what the recipe gives where no rule forbids it."""
        s = self.scope
        return self.placed.node.draw(
            Scope(s.dice, s.pool, s.lets, s.values, s.prefix, s.k, s.n_max, s.parent, attempt) if attempt else s
        )

    def uniform(self, attempt: int) -> float:
        """Return a number in [0, 1) of this place's own."""
        path = "place" if self.placed.even is None else self.placed.even.path
        return self.scope.dice.uniform(self.scope.prefix + path, attempt)

    def ends(self) -> tuple[Any, Any] | None:
        """Return the earliest and the latest value, if all between are equally likely."""
        ends = self.placed.ends
        if ends is None or not isinstance(self.placed.node, FollowNode):
            return ends
        group = self.scope.prefix.rpartition("#")[0]
        return Follow(ends[0], group), Follow(ends[1], group)


@dataclass(frozen=True, eq=False)
class Start(Node):
    """Where in an endless sound a clip begins, filled where the recipe does not say: a fraction of its loop."""

    path: str

    def draw(self, scope: Scope) -> Slack:
        """Return the fraction; the plan knows how long the loop is."""
        return Slack(slack=scope.uniform(self.path))

    def witnesses(self) -> Sequence[Any]:
        """Return the beginning."""
        return (0,)


@dataclass(frozen=True, eq=False)
class Seed(Node):
    """The seed of a component that makes noise, filled where the recipe gives none."""

    path: str

    def draw(self, scope: Scope) -> int:
        """Return 53 bits."""
        return scope.dice.bits(scope.prefix + self.path)

    def witnesses(self) -> Sequence[Any]:
        """Return a seed."""
        return (0,)
