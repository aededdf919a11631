"""Nodes that give several items of a list at once: all of them, or some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audiosynth.language.nodes import Many, Node, Scope


@dataclass(frozen=True, eq=False)
class Several(Node):
    """`sequence` and `some_of`: items that stand in a list one after the other; those that give null leave nothing.

    Attributes
    ----------
    path
        Of the node.
    items, keys
        What there is, and the path of each item, by which it is drawn.
    n
        How many are used; None for all of them.
    shuffled
        Whether they come in an order of their own.
    """

    path: str
    items: tuple[Node, ...]
    keys: tuple[str, ...]
    n: Node | None = None
    shuffled: bool = False

    def draw(self, scope: Scope) -> Many:
        """Return the casts of the items that are used.

        Every item has a number of its own, whatever others there are, and those with the smallest are used.
        """
        used = list(range(len(self.items)))
        if self.n is not None:
            used = sorted(self._by(scope, "use")[: int(self.n.draw(scope))])
        if self.shuffled:
            used = [i for i in self._by(scope, "order") if i in used]
        out = Many()
        for i in used:
            value = self.items[i].draw(scope)
            out.extend(value if isinstance(value, Many) else () if value is None else (value,))
        return out

    def _by(self, scope: Scope, what: str) -> list[int]:
        numbers = [scope.uniform(f"{key}.{what}") for key in self.keys]
        return sorted(range(len(numbers)), key=lambda i: (numbers[i], i))

    def children(self) -> Sequence[Node]:
        """Return the count and the items."""
        return (*self.items, *(() if self.n is None else (self.n,)))
