"""How much one clip can draw at most: recipes may come from strangers, and grow by repeats of repeats and names of names."""

from __future__ import annotations

from typing import Final

from audiosynth.language.nodes import Node, Repeat
from audiosynth.language.references import Join, Ref, Sum
from audiosynth.language.talk import MAX_SPEAKERS
from audiosynth.language.talks import Turns

MAX_DRAWN: Final = 200_000
"""Most values of one clip: a thousand events of two hundred values."""


def drawn_at_most(root: Node) -> int:
    """Return an upper bound of the values in a cast of `root`: a repeat counts as often as it can come, a name as all it names.

    What speakers have counts as often as there can be speakers.

    Examples
    --------
    >>> from audiosynth.language.nodes import Const, MapNode
    >>> drawn_at_most(Repeat("x", Const(3), MapNode({"a": Const(1), "b": Const(2)}), 3, 3))
    11
    """
    known: dict[int, int] = {}
    todo = [root]
    while todo:
        node = todo[-1]
        inner = [*node.children(), *([node.target] if isinstance(node, Ref) and node.target is not None else [])]
        waiting = [child for child in inner if id(child) not in known]
        if waiting and id(node) not in known:
            todo += waiting
            continue
        todo.pop()
        if id(node) in known:
            continue
        counts = [known[id(child)] for child in inner]
        if isinstance(node, Sum | Join):
            known[id(node)] = 1
        elif isinstance(node, Turns):
            known[id(node)] = 1 + MAX_SPEAKERS * sum(counts)
        elif isinstance(node, Repeat):
            known[id(node)] = 1 + known[id(node.n)] + node.n_max * known[id(node.of)]
        else:
            known[id(node)] = 1 + (max(counts, default=0) if node.exclusive else sum(counts))
    return known[id(root)]
