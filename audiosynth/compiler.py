"""From the raw tree of a recipe to nodes: finds the draws, resolves names, collects every problem with its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any, Final

from audiosynth.distributions import NUMERIC, numeric
from audiosynth.errors import ParameterError, did_you_mean
from audiosynth.nodes import (
    MAX_REPEAT,
    OPAQUE,
    Choice,
    Const,
    ConstMap,
    LetMap,
    ListNode,
    MapNode,
    Maybe,
    Node,
    Number,
    Pick,
    Product,
    Repeat,
    Seed,
    SlackNode,
    Turn,
)
from audiosynth.references import By, Duration, Join, Ref, Sum
from audiosynth.registry import FAMILIES, components

Path = tuple[str | int, ...]
_REFERENCE: Final = re.compile(r"^\$([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)$")


def path_text(path: Path) -> str:
    """Return a path as people write it.

    Examples
    --------
    >>> path_text(("events", 0, "source", "fmin"))
    'events[0].source.fmin'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True)
class Compiler:
    """One walk over a raw tree.

    Attributes
    ----------
    catalogues
        Names that `pick` may draw from.
    names
        Nodes of the `let` names in reach, filled as they are compiled.
    problems
        (path, message) pairs; appended to, never raised.
    keyed
        Path used for the dice: list items with a `name` count by it, so that a new item moves no other draw.
    origins
        Path in the raw tree of each node made, by the node's id.
    kept
        Those nodes, so that no id is given away again.
    """

    catalogues: frozenset[str]
    problems: list[tuple[Path, str]]
    names: Mapping[str, Node | None] = field(default_factory=dict)
    keyed: str = ""
    origins: dict[int, Path] = field(default_factory=dict)
    kept: list[Node] = field(default_factory=list)

    def fail(self, path: Path, message: str) -> Node:
        """Note a problem and go on with nothing."""
        self.problems.append((path, message))
        return Const(None)

    def at(self, key: str | int) -> Compiler:
        """Return the compiler for a child."""
        text = f"[{key}]" if isinstance(key, int) else f".{key}" if self.keyed else str(key)
        return replace(self, keyed=self.keyed + text)

    def compile(self, raw: Any, path: Path) -> Node:
        """Compile any tree and remember where it came from."""
        if isinstance(raw, Mapping):
            node = self.mapping(raw, path)
        elif isinstance(raw, list):
            node = self.sequence(raw, path)
        elif isinstance(raw, str) and raw.startswith("$"):
            node = self.reference(raw, path)
        else:
            node = Const(raw)
        self.kept.append(node)
        self.origins.setdefault(id(node), path)
        return node

    def sequence(self, raw: list[Any], path: Path) -> Node:
        """Compile a list; an item's dice are keyed by its `name` if it has a plain one."""
        seen: set[str] = set()
        nodes = []
        for i, item in enumerate(raw):
            name = item.get("name") if isinstance(item, Mapping) else None
            key: str | int = i
            if isinstance(name, str) and not name.startswith("$"):
                if name in seen:
                    self.fail((*path, i, "name"), f"two items are called '{name}'; names key the dice and must differ")
                seen.add(name)
                key = f"<{name}>"
            nodes.append(self.at(key).compile(item, (*path, i)))
        if all(isinstance(node, Const) for node in nodes):
            return Const([node.value for node in nodes if isinstance(node, Const)])
        return ListNode(tuple(nodes))

    def mapping(self, raw: Mapping[str, Any], path: Path) -> Node:
        """Compile a map: a draw, a scope with `let`, or plain."""
        marks = [key for key in raw if key in RESERVED]
        if marks and len(raw) == 1:
            return RESERVED[marks[0]](self.at(marks[0]), raw[marks[0]], (*path, marks[0]))
        if marks:
            return self.fail(
                path,
                f"'{marks[0]}' draws a value and must be alone in its map; write {{literal: …}} if it is meant as a key",
            )
        if "let" in raw:
            return self.scope(raw, path)
        items = {key: self.at(key).compile(value, (*path, key)) for key, value in raw.items()}
        if self.wants_seed(raw, path):
            items["seed"] = Seed(self.at("seed").keyed)
        if all(isinstance(node, Const) for node in items.values()):
            return Const(ConstMap({key: node.value for key, node in items.items() if isinstance(node, Const)}))
        return MapNode(tuple(items), items)

    def wants_seed(self, raw: Mapping[str, Any], path: Path) -> bool:
        """Return whether this is a component that makes noise and has no seed of its own."""
        name = raw.get("type")
        if name is None or "seed" in raw:
            return False
        if not isinstance(name, str) or name.startswith("$"):
            self.fail(
                (*path, "type"),
                "a type stands in the recipe; to draw one, choose between whole maps: {choice: [{type: …}, …]}",
            )
            return False
        found = [
            cls for family in FAMILIES for full, cls in components(family).items() if name in (cls.type_name, full)
        ]
        return any("seed" in cls.model_fields for cls in found)

    def scope(self, raw: Mapping[str, Any], path: Path) -> Node:
        """Compile a map with a `let`: its names are seen in all of it."""
        inner, lets = self.lets(raw["let"], (*path, "let"))
        body = {key: inner.at(key).compile(value, (*path, key)) for key, value in raw.items() if key != "let"}
        return LetMap(lets, MapNode(tuple(body), body))

    def lets(self, raw: Any, path: Path) -> tuple[Compiler, dict[str, Node]]:
        """Compile a `let` block; returns the compiler that knows its names, and the nodes."""
        if not isinstance(raw, Mapping):
            self.fail(path, f"expected names and values, got {raw!r}")
            return self, {}
        for name in raw:
            if not re.fullmatch(r"[A-Za-z_]\w*", name):
                self.fail((*path, name), f"'{name}' cannot be a name; use letters, digits and _")
        order = self.order(raw, path)
        names: dict[str, Node | None] = {**self.names, **dict.fromkeys(raw)}
        inner = replace(self, names=names)
        nodes = {}
        for name in order:
            nodes[name] = names[name] = inner.at("let").at(name).compile(raw[name], (*path, name))
        return inner, {name: nodes[name] for name in raw}

    def order(self, raw: Mapping[str, Any], path: Path) -> list[str]:
        """Return the names so that each comes after those it uses; a circle is a problem."""
        uses = {name: _references(value) & raw.keys() for name, value in raw.items()}
        order: list[str] = []
        rest = list(raw)
        while rest:
            ready = [name for name in rest if uses[name] <= set(order)]
            if not ready:
                self.fail(
                    (*path, rest[0]), f"${rest[0]} depends on itself (through {', '.join(sorted(uses[rest[0]]))})"
                )
                return order + rest
            order += ready
            rest = [name for name in rest if name not in order]
        return order

    def reference(self, raw: str, path: Path) -> Node:
        """Compile `$name`, `$name.field` or `$$text`."""
        if raw.startswith("$$"):
            return Const(raw[1:])
        match = _REFERENCE.match(raw)
        if not match:
            return self.fail(
                path,
                f"expected $name or $name.field as the whole value, got '{raw}' (use join to build texts, $$ for a dollar)",
            )
        name, rest = match.group(1), match.group(2)
        if name not in self.names:
            return self.fail(path, f"${name} is not defined here{did_you_mean(name, self.names)}")
        return Ref(path_text(path), name, tuple(rest.split(".")[1:]), self.names[name])

    def number(self, name: str, raw: Any, path: Path) -> Node:
        """Compile a numeric distribution."""
        try:
            return Number(self.keyed, numeric(name, raw))
        except ParameterError as error:
            return self.fail(path, str(error))

    def items(self, raw: Any, path: Path) -> tuple[Node, ...]:
        """Compile the items of a choice; an empty list is a problem."""
        if not isinstance(raw, list) or not raw:
            self.fail(path, f"expected a list with at least one item, got {raw!r}")
            return (Const(None),)
        return tuple(self.at(i).compile(item, (*path, i)) for i, item in enumerate(raw))


def _references(raw: Any) -> set[str]:
    if isinstance(raw, Mapping):
        return (
            {raw["of"]}
            if set(raw) == {"of"} and isinstance(raw["of"], str)
            else set().union(*map(_references, raw.values()))
        )
    if isinstance(raw, list):
        return set().union(*map(_references, raw))
    match = _REFERENCE.match(raw) if isinstance(raw, str) else None
    return {match.group(1)} if match else set()


def _choice(c: Compiler, raw: Any, path: Path) -> Node:
    items = c.items(raw, path)
    return Choice(c.keyed, items, tuple(float(i + 1) for i in range(len(items))))


def _weighted(c: Compiler, raw: Any, path: Path) -> Node:
    pairs = raw if isinstance(raw, list) else []
    ok = [
        p
        for p in pairs
        if isinstance(p, list)
        and len(p) == 2
        and isinstance(p[0], int | float)
        and not isinstance(p[0], bool)
        and p[0] >= 0
    ]
    if not pairs or len(ok) != len(pairs) or sum(p[0] for p in pairs) <= 0:
        return c.fail(path, f"'weighted' takes [[weight, value], …] with weights >= 0, got {raw!r}")
    items = tuple(c.at(i).compile(p[1], (*path, i, 1)) for i, p in enumerate(pairs))
    return Choice(c.keyed, items, tuple(accumulate(float(p[0]) for p in pairs)))


def _turn(*, once: bool) -> Callable[[Compiler, Any, Path], Node]:
    return lambda c, raw, path: Turn(c.keyed, c.items(raw, path), once)


def _product(c: Compiler, raw: Any, path: Path) -> Node:
    if not isinstance(raw, Mapping) or not raw:
        return c.fail(path, f"'product' takes {{name: [values], …}}, got {raw!r}")
    return Product(c.keyed, {name: c.at(name).items(items, (*path, name)) for name, items in raw.items()})


def _pick(c: Compiler, raw: Any, path: Path) -> Node:
    if isinstance(raw, str):
        raw = {"from": raw}
    if not isinstance(raw, Mapping) or not isinstance(raw.get("from"), str):
        return c.fail(
            path, f"'pick' takes {{from: catalogue, where: {{field: value}}, how: random|cycle|deck}}, got {raw!r}"
        )
    for key in raw:
        if key not in ("from", "where", "how"):
            c.fail((*path, key), f"'pick' has no '{key}'{did_you_mean(key, ('from', 'where', 'how'))}")
    if raw["from"] not in c.catalogues:
        return c.fail(
            (*path, "from"), f"no catalogue is called '{raw['from']}'{did_you_mean(raw['from'], c.catalogues)}"
        )
    how = raw.get("how", "random")
    if how not in ("random", "cycle", "deck"):
        return c.fail((*path, "how"), f"expected random, cycle or deck, got {how!r}")
    where = raw.get("where", {})
    if not isinstance(where, Mapping):
        return c.fail((*path, "where"), f"expected {{field: value or list of values}}, got {where!r}")
    return Pick(c.keyed, raw["from"], c.at("where").compile(where, (*path, "where")), how)


def _by(c: Compiler, raw: Any, path: Path) -> Node:
    if (
        not isinstance(raw, Mapping)
        or not {"on", "cases"} <= raw.keys() <= {"on", "cases", "default"}
        or not isinstance(raw["cases"], Mapping)
    ):
        return c.fail(path, f"'by' takes {{on: $name, cases: {{value: …}}, default: …}}, got {raw!r}")
    cases = {key: c.at("cases").at(key).compile(value, (*path, "cases", key)) for key, value in raw["cases"].items()}
    default = c.at("default").compile(raw["default"], (*path, "default")) if "default" in raw else None
    return By(path_text(path), c.at("on").compile(raw["on"], (*path, "on")), cases, default)


def _repeat(c: Compiler, raw: Any, path: Path) -> Node:
    if not isinstance(raw, Mapping) or raw.keys() != {"n", "of"}:
        return c.fail(path, f"'repeat' takes {{n: count, of: …}}, got {raw!r}")
    n = c.at("n").compile(raw["n"], (*path, "n"))
    counts = n.witnesses()
    flat = [w.value if isinstance(w, Const) else w for w in counts]
    if any(isinstance(w, bool) or not isinstance(w, int) or not 0 <= w <= MAX_REPEAT for w in flat):
        return c.fail(
            (*path, "n"), f"expected whole numbers from 0 to {MAX_REPEAT} (integers, poisson, choice), got {raw['n']!r}"
        )
    return Repeat(c.keyed, n, c.at("of").compile(raw["of"], (*path, "of")), max(1, *flat))


def _maybe(c: Compiler, raw: Any, path: Path) -> Node:
    if not isinstance(raw, Mapping) or raw.keys() != {"p", "then"}:
        return c.fail(path, f"'maybe' takes {{p: probability, then: …}}, got {raw!r}")
    p = raw["p"]
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
        return c.fail((*path, "p"), f"expected a probability from 0 to 1, got {p!r}")
    return Maybe(c.keyed, float(p), c.at("then").compile(raw["then"], (*path, "then")))


def _slack(c: Compiler, raw: Any, path: Path) -> Node:
    value = c.compile(raw, path)
    numbers = [w for w in value.witnesses() if w is not OPAQUE]
    if any(isinstance(w, bool) or not isinstance(w, int | float) or not 0 <= w <= 1 for w in numbers):
        return c.fail(path, f"'slack' takes a fraction from 0 to 1 or a draw of one, got {raw!r}")
    return SlackNode(value)


def _of(c: Compiler, raw: Any, path: Path) -> Node:
    ref = c.reference(f"${raw}", path)
    return Duration(path_text(path), ref) if isinstance(ref, Ref) else ref


RESERVED: Final[Mapping[str, Callable[[Compiler, Any, Path], Node]]] = {
    **{name: (lambda c, raw, path, name=name: c.number(name, raw, path)) for name in NUMERIC},  # type: ignore[misc]
    "choice": _choice,
    "weighted": _weighted,
    "cycle": _turn(once=False),
    "deck": _turn(once=True),
    "product": _product,
    "pick": _pick,
    "by": _by,
    "sum": lambda c, raw, path: Sum(path_text(path), c.items(raw, path)),
    "join": lambda c, raw, path: Join(c.items(raw, path)),
    "repeat": _repeat,
    "maybe": _maybe,
    "of": _of,
    "slack": _slack,
    "literal": lambda c, raw, path: Const(raw),  # noqa: ARG005
}
"""Keys that mark a draw when they are alone in their map."""
