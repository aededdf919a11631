"""Nodes whose values the plan completes: places in the room there is, lengths that fit, starts of loops; and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from audiosynth.clip import Fit, Slack
from audiosynth.nodes import OPAQUE, Node, Scope

MAX_AFTER: Final = 3600.0
"""Most seconds after the last event of a clip that is as long as its events."""


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
class Start(Node):
    """Where in an endless sound a clip begins, filled where the recipe does not say: a fraction of its loop."""

    path: str

    def draw(self, scope: Scope) -> Slack:
        """Return the fraction; the plan knows how long the loop is."""
        return Slack.model_construct(slack=scope.uniform(self.path))

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
