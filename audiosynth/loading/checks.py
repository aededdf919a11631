"""Static checks: every branch of a compiled recipe against the records and components it will become."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from audiosynth import registry
from audiosynth.clip import Recording, Slack
from audiosynth.errors import UsageError, did_you_mean
from audiosynth.language.compiler import Path
from audiosynth.language.draws import Number
from audiosynth.language.draws_lists import Several
from audiosynth.language.draws_time import Seed
from audiosynth.language.nodes import OPAQUE, Const, LetMap, ListNode, MapNode, Node, Repeat
from audiosynth.loading.hints import component, described, meant
from audiosynth.loading.normalise import LEVEL_KEYS
from audiosynth.records.fields import Family
from audiosynth.registry import Component
from audiosynth.spec import Bed, Event

Found = Iterator[tuple[Path, str]]
_INNER = ("of", "then", "default")
"""Keys of the words that hold what they repeat or choose."""


class End(NamedTuple):
    """Something a node can give: a value or a node that holds others, where it stands, and the node that gives it."""

    value: Any
    path: Path
    node: Node


class Checker:
    """Walks a compiled tree beside a model and yields (path, message) for all that cannot be right.

    Parameters
    ----------
    origins
        Path of each node in the recipe, from the compiler.
    """

    def __init__(self, origins: Mapping[int, Path]) -> None:
        self.origins = origins

    def ends(self, node: Node, path: Path, seen: set[int] | None = None) -> Iterator[End]:
        """Yield all that `node` can end in, each once."""
        seen = set() if seen is None else seen
        if id(node) in seen:
            return
        seen.add(id(node))
        path = self.origins.get(id(node), path)
        for witness in node.witnesses():
            if isinstance(witness, Node) and witness is not node:
                yield from self.ends(witness, path, seen)
            elif witness is not OPAQUE:
                yield End(witness, path, node)

    def model(self, node: Node, model: type[BaseModel], path: Path, *, owner: str, optional: bool = False) -> Found:
        """Check everything `node` can give against `model`."""
        for end in self.ends(node, path):
            items = entries(end.value)
            if items is not None:
                yield from self.items(items, model, end.path, owner=owner)
            elif not (end.value is None and optional):
                yield end.path, f"expected a map of {', '.join(model.model_fields)}; got {described(end.value)}"

    def items(self, items: Mapping[str, Node], model: type[BaseModel], path: Path, *, owner: str) -> Found:
        """Check the entries of a map against the fields of `model`, and a constant map as a whole."""
        clean = True
        for found in self._entries(items, model, path, owner):
            clean = False
            yield found
        static = _static(items)
        if clean and static is not None:
            try:
                model.model_validate(static)
            except ValidationError as error:
                for loc, message in registry.explain(error, owner):
                    yield (*path, *loc), message

    def _entries(self, items: Mapping[str, Node], model: type[BaseModel], path: Path, owner: str) -> Found:
        fields = model.model_fields
        for key, child in items.items():
            if key not in fields:
                known = getattr(model, "elsewhere", {}).get(key)
                near = {
                    *fields,
                    *(Bed.model_fields if path[:1] == ("noise",) else LEVEL_KEYS if model is Event else ()),
                }
                yield (*path, key), known or f"'{owner}' has no such parameter{did_you_mean(key, near)}"
            else:
                yield from self.field(child, fields[key].rebuild_annotation(), (*path, key), owner=owner)
        for key, info in fields.items():
            if info.is_required() and key not in items and key not in ("seed", "content"):
                yield path, f"'{owner}' needs '{key}'"

    def field(self, node: Node, annotation: Any, path: Path, *, owner: str, optional: bool = False) -> Found:
        """Check everything `node` can give against a field's annotation."""
        kind, target = _kind(annotation)
        optional = optional or type(None) in _options(annotation)
        if kind == "list":
            yield from self._list(node, target, path, owner, optional)
        elif kind == "family":
            yield from self._component(node, target, path, optional)
        elif kind == "model":
            drawn = not path or not isinstance(path[-1], str) or path[-1] in _INNER or path[-2:-1] == ("cases",)
            name = target.__name__.lower() if drawn else str(path[-1])
            yield from self.model(node, target, path, owner=name, optional=optional)
        else:
            yield from self._leaf(node, annotation, path, owner)

    def _list(self, node: Node, inner: Any, path: Path, owner: str, optional: bool) -> Found:
        for end in self.ends(node, path):
            if isinstance(end.value, Repeat | Several):
                yield from self._item(end.value, inner, end.path, owner)
            elif isinstance(end.value, ListNode):
                for i, item in enumerate(end.value.items):
                    yield from self._item(item, inner, (*end.path, i), owner)
            elif isinstance(end.value, list | tuple):
                for i, value in enumerate(end.value):
                    yield from self.field(Const(value), inner, (*end.path, i), owner=owner)
            elif not (end.value is None and optional):
                dash = "; begin each item with '- '" if entries(end.value) is not None else ""
                yield end.path, f"expected a list, got {described(end.value)}{dash}"

    def _item(self, node: Node, inner: Any, path: Path, owner: str) -> Found:
        """Check an item of a list: what it repeats, and a null that a draw gives, which leaves nothing."""
        for end in self.ends(node, path):
            if isinstance(end.value, Repeat):
                yield from self._item(end.value.of, inner, end.path, owner)
            elif isinstance(end.value, Several):
                for i, item in enumerate(end.value.items):
                    yield from self._item(item, inner, (*end.path, i), owner)
            else:
                child = end.value if isinstance(end.value, Node) else Const(end.value)
                yield from self.field(child, inner, end.path, owner=owner, optional=not isinstance(node, Const))

    def _component(self, node: Node, family: str, path: Path, optional: bool) -> Found:
        for end in self.ends(node, path):
            items = entries(end.value)
            if items is None:
                if not (end.value is None and optional):
                    hint = component(end.value, registry.newest(family))
                    yield end.path, f"expected a map with `type:`, got {described(end.value)}{hint}"
                continue
            name = items["type"].witnesses()[0] if "type" in items else None
            if not isinstance(name, str):
                kinds = ", ".join(registry.newest(family))
                yield end.path, f"a {family[:-1]} needs a `type`; there are {kinds}"
                continue
            try:
                cls = registry.lookup(family, name)
            except UsageError as error:
                yield (*end.path, "type"), str(error)
                continue
            rest = {key: value for key, value in items.items() if key != "type"}
            yield from self.items(rest, cls, end.path, owner=name.split("@")[0])

    def _leaf(self, node: Node, annotation: Any, path: Path, owner: str) -> Found:
        for end in self.ends(node, path):
            problem = self._wrong(end, annotation, path, owner)
            if problem:
                yield end.path, problem
                return

    def _wrong(self, end: End, annotation: Any, path: Path, owner: str) -> str:
        value, node = end.value, end.node
        if isinstance(value, Node):
            tree = dict.fromkeys(entries(value) or ())
            return "" if _holds(annotation) else f"expected a value, got {described(value)}{meant(tree)}"
        if isinstance(value, Slack) and Slack not in _plain_options(annotation):
            if path[-1:] == ("start",) and owner == "file":
                return ""  # the plan knows how much of the recording is left
            return "{slack: …} says where an event or a segment stands; it fits `onset` and the `start` of a file"
        if isinstance(value, Recording):
            fits = Recording in _plain_options(annotation) or _holds(annotation)
            return "" if fits else "expected a value, got a recording; name one of its fields, such as $take.label"
        problem = invalid(annotation, value)
        if problem and isinstance(node, Number):
            return self._drawn(node, value, problem)
        if problem and isinstance(value, str) and Recording in _plain_options(annotation):
            return f"expected a recording, got '{value}'; draw one of a catalogue: {{pick: {{from: NAME}}}}"
        return problem + meant(value) if problem else ""

    def _drawn(self, node: Number, witness: Any, problem: str) -> str:
        name, wanted = node.distribution.name, problem.split(", got", maxsplit=1)[0]
        if abs(witness) >= 1e300:
            return f"'{name}' has no bounds, but this parameter does ({wanted}); use truncnorm"
        if isinstance(witness, float) and "integer" in problem:
            return f"'{name}' gives fractions, but this parameter is a whole number; use integers"
        return f"'{name}' can give {witness:g}: {wanted}"


def entries(value: Any) -> Mapping[str, Node] | None:
    """Return the entries of a map, drawn or constant; None for anything else."""
    if isinstance(value, MapNode):
        return value.items
    if isinstance(value, LetMap):
        return {**value.body.items, "let": Const({})}
    if isinstance(value, Mapping):
        return {key: Const(item) for key, item in value.items()}
    return None


def _static(items: Mapping[str, Node]) -> dict[str, Any] | None:
    """Return the map as values, if nothing in it is drawn but seeds."""
    out = {key: still(node) for key, node in items.items()}
    return None if any(value is OPAQUE for value in out.values()) else out


def still(node: Node) -> Any:
    """Return the value of a node in which nothing is drawn but seeds; OPAQUE if something is."""
    if isinstance(node, Const):
        return node.value
    if isinstance(node, Seed):
        return 0
    if isinstance(node, MapNode):
        inner = _static(node.items)
        return OPAQUE if inner is None else inner
    if isinstance(node, ListNode):
        values = [still(item) for item in node.items]
        return OPAQUE if any(value is OPAQUE for value in values) else values
    return OPAQUE


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    config = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
    try:
        return TypeAdapter(annotation, config=config)
    except PydanticUserError:  # a model has a config of its own
        return TypeAdapter(annotation)


def invalid(annotation: Any, value: Any) -> str:
    """Return why `value` does not fit an annotation; empty if it does."""
    try:
        try:
            adapter = _adapter(annotation)
        except TypeError:  # unhashable metadata: build it anew
            adapter = _adapter.__wrapped__(annotation)
        adapter.validate_python(value)
    except ValidationError as error:
        messages = [message for _, message in registry.explain(error, "this")]
        return messages[0] if messages else "not valid"
    except ValueError as error:
        return str(error)
    return ""


def _holds(annotation: Any) -> bool:
    """Return whether a field takes maps or lists of plain values."""
    return any(get_origin(option) in (dict, list, tuple) for option in _plain_options(annotation))


def _plain_options(annotation: Any) -> list[Any]:
    """Return what an annotation allows, without what is annotated."""
    plain = [get_args(option)[0] if get_origin(option) is Annotated else option for option in _options(annotation)]
    return [option for item in plain for option in _options(item)]


def _kind(annotation: Any) -> tuple[str, Any]:
    """Return how a field is checked: leaf, list of …, family …, or model …."""
    for option in _options(annotation):
        origin, args = get_origin(option), get_args(option)
        if origin is Annotated:
            family = next((m for m in args[1:] if isinstance(m, Family)), None)
            if family is not None:
                return "family", family.name
            kind = _kind(args[0])
            if kind[0] != "leaf":
                return kind
        elif origin is tuple and len(args) == 2 and args[1] is Ellipsis and _kind(args[0])[0] != "leaf":
            return "list", args[0]
        elif isinstance(option, type) and issubclass(option, BaseModel) and option not in (Slack, Recording, Component):
            return "model", option
    return "leaf", annotation


def _options(annotation: Any) -> tuple[Any, ...]:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return get_args(annotation)
    if origin is Annotated and get_origin(get_args(annotation)[0]) in (Union, types.UnionType):
        return get_args(get_args(annotation)[0])
    return (annotation,)
