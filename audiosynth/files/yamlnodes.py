"""From PyYAML's parser events to nodes: what may stand in a document, how often, how deep, and where each value is.

Only events of the pure Python parser are used: one reader on every machine, with or without libyaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import yaml

from audiosynth.errors import ParameterError, Problem, RecipeError
from audiosynth.files.yamlvalues import MAX_DEPTH, MAX_NODES, SURROGATE, NodePath, format_path, resolve


class Mark(NamedTuple):
    """Where a node starts: file, and line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return ``file:line:column``."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass
class Node:
    """A scalar, or a list or dict of nodes; `size` and `height` count it with aliases expanded."""

    value: Any
    mark: Mark
    keys: dict[str, Mark] = field(default_factory=dict)
    size: int = 1
    height: int = 1


class Composer:
    """Turns the parser's events into nodes, collecting what is wrong; only what cannot be survived stops it."""

    def __init__(self, text: str, name: str, base: str) -> None:
        self.name, self.base = name, base
        self.events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.SafeLoader))
        self.anchors: dict[str, Node | None] = {}
        self.problems: list[Problem] = []

    def document(self) -> Node:
        """Compose the one document of the text."""
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            return Node(None, Mark(self.name, 1, 1))
        if start.version not in (None, (1, 2)):
            self.report(start, (), "this file is read as YAML 1.2; remove the %YAML line")
        root = self.node(next(self.events), (), 1)
        next(self.events)
        if isinstance(again := next(self.events), yaml.DocumentStartEvent):
            self.stop(again, (), "a second document starts here; one file holds one document")
        return root

    def mark(self, event: Any) -> Mark:
        """Return where an event starts, counted from 1."""
        return Mark(self.name, event.start_mark.line + 1, event.start_mark.column + 1)

    def report(self, event: Any, path: NodePath, message: str) -> None:
        """Note a problem and go on."""
        below = format_path(path)
        joint = "." if self.base and below and not below.startswith("[") else ""
        self.problems.append(Problem(str(self.mark(event)), self.base + joint + below, message))

    def stop(self, event: Any, path: NodePath, message: str) -> NoReturn:
        """Note a problem that ends the reading."""
        self.report(event, path, message)
        raise RecipeError(self.problems)

    def node(self, event: Any, path: NodePath, depth: int) -> Node:
        """Compose the node that starts with `event`."""
        if depth > MAX_DEPTH:
            self.stop(event, path[:3], f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path, depth)
        if event.tag is not None:
            self.report(event, path, f"the tag {_shown(event.tag)} has no meaning here; remove it, or quote the text")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self.scalar(event, path), self.mark(event))
        else:
            compose = self.mapping if isinstance(event, yaml.MappingStartEvent) else self.sequence
            node = compose(event, path, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: Any, path: NodePath, depth: int) -> Node:
        """Return a stand-in for the anchored node, at the alias's own place."""
        name = event.anchor
        if name not in self.anchors:
            self.stop(event, path, f"nothing is anchored as &{name} above this alias")
        target = self.anchors[name]
        if target is None:
            self.stop(event, path, f"*{name} stands inside &{name}: aliases without end")
        if depth + target.height - 1 > MAX_DEPTH:
            self.stop(event, path[:3], f"nested deeper than {MAX_DEPTH} levels once *{name} is written out")
        return Node(target.value, self.mark(event), target.keys, target.size, target.height)

    def scalar(self, event: Any, path: NodePath) -> Any:
        """Return the value of a scalar: text if quoted or in a block, else by the core schema."""
        if SURROGATE.search(event.value):
            self.report(event, path, "half a UTF-16 pair is no character; write the character itself")
        if event.tag is not None or not event.implicit[0]:
            return event.value
        try:
            return resolve(event.value)
        except ParameterError as error:
            self.report(event, path, str(error))
            return None

    def adopt(self, node: Node, child: Node, event: Any, path: NodePath) -> None:
        """Count `child` in `node`, within the bound."""
        node.size += child.size
        node.height = max(node.height, child.height + 1)
        if node.size > MAX_NODES:
            self.stop(event, path[:3], f"more than {MAX_NODES} values once the aliases are written out")

    def sequence(self, start: Any, path: NodePath, depth: int) -> Node:
        """Compose a list."""
        node = Node([], self.mark(start))
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            child = self.node(event, (*path, len(node.value)), depth + 1)
            node.value.append(child)
            self.adopt(node, child, event, path)
        return node

    def mapping(self, start: Any, path: NodePath, depth: int) -> Node:
        """Compose a map; of equal keys the first one stays, and the second is a problem."""
        node = Node({}, self.mark(start))
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event, path, depth)
            child = self.node(next(self.events), path if key is None else (*path, key), depth + 1)
            if key is None:
                continue
            if key in node.keys:
                self.report(event, path, f"key '{key}' is given twice, first at {node.keys[key]}; keep one of them")
                continue
            node.keys[key], node.value[key] = self.mark(event), child
            self.adopt(node, child, event, path)
        return node

    def key(self, event: Any, path: NodePath, depth: int) -> str | None:
        """Return a key if it is a string; else note the problem."""
        if not isinstance(event, yaml.ScalarEvent):
            self.node(event, path, depth + 1)
            self.report(event, path, "a key must be a plain word, not a list, a map or an alias")
            return None
        problems = len(self.problems)
        value = self.node(event, path, depth + 1).value
        if value == "<<" and event.implicit[0]:
            self.report(event, path, "merge keys ('<<') are not YAML 1.2; write the keys out, or use `extends:`")
            return None
        if not isinstance(value, str) and len(self.problems) == problems:
            self.report(event, path, f"keys are texts, this one reads as {_spelt(value)}: write '{event.value}' quoted")
        return value if isinstance(value, str) else None


def _spelt(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else f"the number {value}"


def _shown(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!", 1)
