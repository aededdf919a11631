"""From the raw tree of a recipe to nodes: finds the draws, resolves names, collects every problem with its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any, Final

from audiosynth.clip import Entry
from audiosynth.errors import did_you_mean
from audiosynth.language.draws import Maybe
from audiosynth.language.draws_time import Placed, Seed, Start
from audiosynth.language.nodes import Const, ConstMap, LetMap, ListNode, Lookup, MapNode, Node, leaves
from audiosynth.language.references import Ref
from audiosynth.profiles.profile import profile_path, read_profile, tree_of
from audiosynth.registry import FAMILIES, Component, known

Path = tuple[str | int, ...]
MAX_NAMES: Final = 100
"""Most `let` names in reach of one place: each may use those before it."""
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
    words
        The reserved keys, each with what compiles it (`audiosynth.words.RESERVED`).
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
    folder
        Where files that the recipe names stand.
    tables
        Rows of the tables that `pick` may draw from too.
    length
        The node of the clip's duration, once it is known.
    """

    words: Mapping[str, Word]
    catalogues: frozenset[str]
    problems: list[tuple[Path, str]]
    names: Mapping[str, Node | None] = field(default_factory=dict)
    keyed: str = ""
    origins: dict[int, Path] = field(default_factory=dict)
    kept: list[Node] = field(default_factory=list)
    folder: FilePath | None = None
    tables: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    length: Node | None = None

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
        marks = [key for key in raw if key in self.words]
        if marks and len(raw) == 1:
            return self.words[marks[0]](self.at(marks[0]), raw[marks[0]], (*path, marks[0]))
        if marks:
            return self.fail(
                path,
                f"'{marks[0]}' draws a value and must be alone in its map; write {{literal: …}} if it is meant as a key",
            )
        if "let" in raw:
            return self.scope(raw, path)
        if "p" in raw and _is_effect(raw.get("type")):
            return self.chance(raw, path)
        items = {key: self.at(key).compile(value, (*path, key)) for key, value in raw.items()}
        if self.wants_seed(raw, path):
            items["seed"] = Seed(self.at("seed").keyed)
        if self.wants_start(raw, path):
            items["start_sample"] = Start(self.at("start_sample").keyed)
        for key, tree in self.left_out(raw).items():
            items[key] = self.at(key).compile(tree, (*path, key))
        if raw.get("type") == "profile" and "content" not in raw and "profile" in items:
            items["content"] = self.profile(items["profile"], (*path, "profile"))
        _place(items, path)
        if all(isinstance(node, Const) for node in items.values()):
            return Const(ConstMap({key: node.value for key, node in items.items() if isinstance(node, Const)}))
        return MapNode(items)

    def chance(self, raw: Mapping[str, Any], path: Path) -> Node:
        """Compile an effect with a `p`, which is there with that probability; all else of it is drawn as without."""
        p = raw["p"]
        if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
            return self.fail((*path, "p"), f"expected a probability from 0 to 1, got {p!r}")
        effect = self.compile({key: value for key, value in raw.items() if key != "p"}, path)
        return Maybe(self.at("p").keyed, float(p), effect)

    def wants_seed(self, raw: Mapping[str, Any], path: Path) -> bool:
        """Return whether this is a component that makes noise, or a region to draw a place from, without a seed."""
        name = raw.get("type")
        if "seed" in raw:
            return False
        if name is None:
            return path[-1:] == ("within",)
        if not isinstance(name, str) or name.startswith("$"):
            self.fail(
                (*path, "type"),
                "a type stands in the recipe; to draw one, choose between whole maps: {choice: [{type: …}, …]}",
            )
            return False
        return any("seed" in cls.model_fields for cls in _classes(name))

    def left_out(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return the draws of a component's own for parameters that the recipe does not give."""
        found = _classes(raw["type"]) if isinstance(raw.get("type"), str) else ()
        return {key: tree for cls in found for key, tree in cls.drawn.items() if key not in raw}

    def profile(self, name: Node, path: Path) -> Node:
        """Return the contents of the noise profiles that a name can be."""
        table: dict[str, Any] = {}
        for value in leaves(name):
            try:
                table[str(value)] = tree_of(read_profile(profile_path(str(value), self.folder)))
            except ValueError as error:
                return self.fail(path, str(error))
        return Const(table[name.value]) if isinstance(name, Const) else Lookup(name, table)

    def wants_start(self, raw: Mapping[str, Any], path: Path) -> bool:
        """Return whether this is (or may be, under `let`) an endless noise of recordings that begins anywhere."""
        name = raw.get("type")
        if path[:1] not in (("noise",), ("let",)) or not isinstance(name, str) or "start_sample" in raw:
            return False
        cls = known("noises", name)
        return cls is not None and hasattr(cls, "period") and raw.keys() <= {"type", *cls.model_fields}

    def scope(self, raw: Mapping[str, Any], path: Path) -> Node:
        """Compile a map with a `let`: its names are seen in all of it."""
        inner, lets = self.lets(raw["let"], (*path, "let"))
        body = {key: inner.at(key).compile(value, (*path, key)) for key, value in raw.items() if key != "let"}
        _place(body, path)
        return LetMap(lets, MapNode(body))

    def lets(self, raw: Any, path: Path) -> tuple[Compiler, dict[str, Node]]:
        """Compile a `let` block; returns the compiler that knows its names, and the nodes."""
        if not isinstance(raw, Mapping):
            self.fail(path, f"expected names and values, got {raw!r}")
            return self, {}
        count = len({*self.names, *raw} - {"split"})  # which every clip brings along
        if count > MAX_NAMES:
            self.fail(path, f"{count} names in reach; at most {MAX_NAMES} are")
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

    def items(self, raw: Any, path: Path) -> tuple[Node, ...]:
        """Compile the items of a choice; an empty list is a problem."""
        if not isinstance(raw, list) or not raw:
            self.fail(path, f"expected a list with at least one item, got {raw!r}")
            return (Const(None),)
        return tuple(self.at(i).compile(item, (*path, i)) for i, item in enumerate(raw))


def _place(items: dict[str, Node], path: Path) -> None:
    """Let the onset of an event be drawn again; what is named under `let` is drawn once."""
    for key in ("onset", "at") if path[0:1] == ("events",) and "let" not in path and "source" in items else ():
        if key in items and not isinstance(items[key], Const):
            items[key] = Placed(items[key])


def _is_effect(name: Any) -> bool:
    """Return whether a name is that of an effect, with or without a version."""
    return isinstance(name, str) and known("effects", name.partition("@")[0]) is not None


def _classes(name: str) -> list[type[Component]]:
    """Return the components of a name in any family."""
    return [cls for family in FAMILIES if (cls := known(family, name)) is not None]


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


Word = Callable[[Compiler, Any, Path], Node]
"""Compiles what stands under a reserved key."""
