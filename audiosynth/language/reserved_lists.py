"""`sequence` and `some_of`: several items in place of one of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from audiosynth.errors import did_you_mean
from audiosynth.language.compiler import Compiler, Path
from audiosynth.language.distributions import shown
from audiosynth.language.draws_lists import Several
from audiosynth.language.nodes import OPAQUE, Node, leaves

KEYS: Final = ("n", "of", "order")
"""What `some_of` takes."""
ORDERS: Final = ("kept", "random")


def sequence(c: Compiler, raw: Any, path: Path) -> Node:
    """Compile `sequence`: all items, in their order."""
    items = c.items(raw, path)
    return Several(c.keyed, items, _keys(c, items))


def some_of(c: Compiler, raw: Any, path: Path) -> Node:
    """Compile `some_of`: n of the items, each at most once."""
    if not isinstance(raw, Mapping) or not {"n", "of"} <= raw.keys():
        return c.fail(path, f"'some_of' takes {{n: count, of: [item, …], order: kept | random}}, got {shown(raw)}")
    for key in raw:
        if key not in KEYS:
            c.fail((*path, key), f"'some_of' has no '{key}'{did_you_mean(key, KEYS)}")
    order = raw.get("order", "kept")
    if order not in ORDERS:
        return c.fail((*path, "order"), f"expected kept or random, got {shown(order)}")
    inner = c.at("of")
    items = inner.items(raw["of"], (*path, "of"))
    n = c.at("n").compile(raw["n"], (*path, "n"))
    wrong = [
        w for w in leaves(n) if w is OPAQUE or isinstance(w, bool) or not isinstance(w, int) or not 0 <= w <= len(items)
    ]
    if wrong:
        return c.fail(
            (*path, "n"),
            f"expected whole numbers from 0 to {len(items)}, the number of items (integers, choice), got {shown(raw['n'])}",
        )
    return Several(c.keyed, items, _keys(inner, items), n, order == "random")


def _keys(c: Compiler, items: tuple[Node, ...]) -> tuple[str, ...]:
    return tuple(c.at(i).keyed for i in range(len(items)))
