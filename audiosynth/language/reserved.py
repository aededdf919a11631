"""The reserved keys of the recipe language: what each takes, and the node it becomes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from itertools import accumulate
from typing import Any, Final

from audiosynth.errors import ParameterError, did_you_mean
from audiosynth.language.compiler import Compiler, Path, Word, path_text
from audiosynth.language.distributions import NUMERIC, is_number, numeric, shown
from audiosynth.language.draws import Balance, Choice, Maybe, Number, Pick, Product, Turn, is_condition
from audiosynth.language.draws_time import FitNode, SlackNode
from audiosynth.language.nodes import OPAQUE, SOME_RECORDING, Const, Node, leaves
from audiosynth.language.references import By, Duration, Join, Ref, Sum, is_plain, text_of
from audiosynth.language.reserved_lists import sequence, some_of
from audiosynth.language.reserved_scene import follow, repeat
from audiosynth.language.reserved_talks import MAX_EXAMPLES

BLOCK: Final = 1_000
"""Slots over which `balance` is exact (DESIGN section 3)."""
MAX_ITEMS: Final = 1_000_000
"""Most combinations of a `product`; a recipe from a stranger must not ask for endless permutations."""
MAX_RATIO: Final = 1e6
"""Largest ratio of the costs of a `balance`."""


def _number(name: str, c: Compiler, raw: Any, path: Path) -> Node:
    try:
        return Number(c.keyed, numeric(name, raw))
    except ParameterError as error:
        return c.fail(path, str(error))


def _choice(c: Compiler, raw: Any, path: Path) -> Node:
    items = c.items(raw, path)
    return Choice(c.keyed, items, tuple(float(i + 1) for i in range(len(items))))


def _weighted(c: Compiler, raw: Any, path: Path) -> Node:
    pairs = raw if isinstance(raw, list) else []
    ok = [p for p in pairs if isinstance(p, list) and len(p) == 2 and is_number(p[0]) and 0 <= p[0] <= 1e12]
    if not pairs or len(ok) != len(pairs) or sum(p[0] for p in pairs) <= 0:
        return c.fail(
            path, f"'weighted' takes [[weight, value], …], weights from 0 to 1e12, one above 0; got {shown(raw)}"
        )
    items = tuple(c.at(i).compile(p[1], (*path, i, 1)) for i, p in enumerate(pairs))
    return Choice(c.keyed, items, tuple(accumulate(float(p[0]) for p in pairs)))


def _turn(once: bool, c: Compiler, raw: Any, path: Path) -> Node:
    return Turn(c.keyed, c.items(raw, path), once)


def shares(costs: list[float], total: int = BLOCK) -> tuple[int, ...]:
    """Return how often each item comes in `total` slots so that count · cost is as even as whole counts allow.

    The exact shares are proportional to 1 / cost; they are rounded down, and the slots left go to the largest
    remainders (Hamilton's method), earlier items first.

    Examples
    --------
    >>> shares([1.0, 3.0])
    (750, 250)
    """
    weights = [1.0 / cost for cost in costs]
    exact = [total * weight / math.fsum(weights) for weight in weights]
    counts = [math.floor(x) for x in exact]
    by_rest = sorted(range(len(costs)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_rest[: total - sum(counts)]:
        counts[i] += 1
    return tuple(counts)


def _balance(c: Compiler, raw: Any, path: Path) -> Node:
    if not isinstance(raw, Mapping) or raw.keys() != {"of", "cost"}:
        return c.fail(
            path, f"'balance' takes {{of: [item, …], cost: [seconds, …] or {{item: seconds}}}}, got {shown(raw)}"
        )
    items = c.at("of").items(raw["of"], (*path, "of"))
    costs = raw["cost"]
    if isinstance(costs, Mapping):
        names = [text_of(item) if is_plain(item) else "" for item in (raw["of"] if isinstance(raw["of"], list) else [])]
        known = {text_of(key) if is_plain(key) else "": value for key, value in costs.items()}
        odd = [name for name in (*known, *names) if (name in known) != (name in names)]
        if odd:
            return c.fail(
                (*path, "cost"), f"'cost' needs one entry for each item of 'of', and no other; see '{odd[0]}'"
            )
        costs = [known[name] for name in names]
    good = isinstance(costs, list) and len(costs) == len(items) and all(is_number(x) and x > 0 for x in costs)
    if not good or max(costs) > MAX_RATIO * min(costs) or len(items) > BLOCK:
        return c.fail(
            (*path, "cost"),
            f"expected one number above 0 for each of the {len(items)} items (what one use costs, seconds say), got "
            f"{shown(raw['cost'])}",
        )
    counts = shares([float(cost) for cost in costs])
    if min(counts) == 0:
        return c.fail((*path, "cost"), f"item {counts.index(0)} would come less than once in {BLOCK} draws; drop it")
    return Balance(c.keyed, items, counts)


def _product(c: Compiler, raw: Any, path: Path) -> Node:
    if not isinstance(raw, Mapping) or not raw:
        return c.fail(path, f"'product' takes {{name: [value, …], …}}, got {shown(raw)}")
    node = Product(c.keyed, {name: c.at(name).items(items, (*path, name)) for name, items in raw.items()})
    if node.n_items() > MAX_ITEMS:
        return c.fail(path, f"{node.n_items():,} combinations; at most {MAX_ITEMS:,} are balanced")
    return node


PICK: Final = ("from", "where", "unless", "how")


def _pick(c: Compiler, raw: Any, path: Path) -> Node:
    raw = {"from": raw} if isinstance(raw, str) else raw
    if not isinstance(raw, Mapping) or not isinstance(raw.get("from"), str):
        return c.fail(
            path,
            f"'pick' takes {{from: catalogue, where: {{field: value}}, unless: {{field: value}}, how: random|cycle|deck}}, got {shown(raw)}",
        )
    for key in raw:
        if key not in PICK:
            c.fail((*path, key), f"'pick' has no '{key}'{did_you_mean(key, PICK)}")
    if raw["from"] not in c.catalogues:
        return c.fail(
            (*path, "from"), f"no catalogue is called '{raw['from']}'{did_you_mean(raw['from'], c.catalogues)}"
        )
    how = raw.get("how", "random")
    if how not in ("random", "cycle", "deck"):
        return c.fail((*path, "how"), f"expected random, cycle or deck, got {how!r}")
    nodes = {}
    for key in ("where", "unless"):
        asked = raw.get(key, {})
        plain = asked.values() if isinstance(asked, Mapping) else [asked]
        if not isinstance(asked, Mapping) or not all(isinstance(v, Mapping) or is_condition(v) for v in plain):
            return c.fail((*path, key), f"expected {{field: value or list of values}}, got {shown(asked)}")
        if how == "deck" and any(isinstance(v, Mapping) or "$" in str(v) for v in plain):
            return c.fail(
                (*path, key),
                "a deck deals each recording once over the split, so what it deals from cannot be drawn; use how: random or cycle",
            )
        nodes[key] = c.at(key).compile(asked, (*path, key))
    examples: tuple[Any, ...] = (SOME_RECORDING,)
    if raw["from"] in c.tables:  # one that could not be made is told of already
        examples = tuple(entry.meta for entry in c.tables[raw["from"]][:MAX_EXAMPLES]) or (OPAQUE,)
    return Pick(c.keyed, raw["from"], nodes["where"], nodes["unless"], how, examples)


def _by(c: Compiler, raw: Any, path: Path) -> Node:
    cases = raw.get("cases") if isinstance(raw, Mapping) else None
    if not isinstance(cases, Mapping) or not cases or not {"on", "cases"} <= raw.keys() <= {"on", "cases", "default"}:
        return c.fail(path, f"'by' takes {{on: $name, cases: {{value: …}}, default: …}}, got {shown(raw)}")
    nodes = {
        text_of(key): c.at("cases").at(str(key)).compile(value, (*path, "cases", key)) for key, value in cases.items()
    }
    default = c.at("default").compile(raw["default"], (*path, "default")) if "default" in raw else None
    return By(path_text(path), c.at("on").compile(raw["on"], (*path, "on")), nodes, default)


def _maybe(c: Compiler, raw: Any, path: Path) -> Node:
    if not isinstance(raw, Mapping) or raw.keys() != {"p", "then"}:
        return c.fail(path, f"'maybe' takes {{p: probability, then: …}}, got {shown(raw)}")
    p = raw["p"]
    if not is_number(p) or not 0 <= p <= 1:
        return c.fail((*path, "p"), f"expected a probability from 0 to 1, got {shown(p)}")
    return Maybe(c.keyed, float(p), c.at("then").compile(raw["then"], (*path, "then")))


def _slack(c: Compiler, raw: Any, path: Path) -> Node:
    value = c.compile(raw, path)
    if any(w is not OPAQUE and (not is_number(w) or not 0 <= w <= 1) for w in leaves(value)):
        return c.fail(path, f"'slack' takes a fraction from 0 to 1 or a draw of one, got {shown(raw)}")
    return SlackNode(path_text(path), value)


def _fit(c: Compiler, raw: Any, path: Path) -> Node:
    if path != ("duration", "fit"):
        return c.fail(path, "'fit' is a length for the whole clip; it stands under `duration`")
    return FitNode(path_text(path), c.compile(raw, path))


def _of(c: Compiler, raw: Any, path: Path) -> Node:
    if not isinstance(raw, str):
        return c.fail(path, f"'of' takes the name of a recording, got {shown(raw)}")
    ref = c.reference(f"${raw.removeprefix('$')}", path)
    return Duration(path_text(path), ref) if isinstance(ref, Ref) else ref


def _sum(c: Compiler, raw: Any, path: Path) -> Node:
    return Sum(path_text(path), c.items(raw, path))


def _join(c: Compiler, raw: Any, path: Path) -> Node:
    return Join(path_text(path), c.items(raw, path))


def _literal(c: Compiler, raw: Any, path: Path) -> Node:  # noqa: ARG001
    return Const(raw)


_OTHERS: Final[Mapping[str, Callable[[Compiler, Any, Path], Node]]] = {
    "choice": _choice,
    "one_of": _choice,
    "weighted": _weighted,
    "cycle": partial(_turn, False),
    "deck": partial(_turn, True),
    "balance": _balance,
    "product": _product,
    "pick": _pick,
    "by": _by,
    "sum": _sum,
    "join": _join,
    "repeat": repeat,
    "maybe": _maybe,
    "some_of": some_of,
    "sequence": sequence,
    "of": _of,
    "slack": _slack,
    "fit": _fit,
    "follow": follow,
    "literal": _literal,
}
RESERVED: Final[Mapping[str, Word]] = {**{name: partial(_number, name) for name in NUMERIC}, **_OTHERS}
"""Keys that mark a draw when they are alone in their map."""
