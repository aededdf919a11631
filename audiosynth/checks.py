"""Static checks: every branch of a compiled recipe against the records and components it will become."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from audiosynth import registry
from audiosynth.clip import Recording, Slack
from audiosynth.compiler import Path
from audiosynth.errors import UsageError, did_you_mean
from audiosynth.nodes import OPAQUE, Const, LetMap, ListNode, MapNode, Node, Number, Repeat
from audiosynth.registry import Component
from audiosynth.spec import Family

Found = Iterator[tuple[Path, str]]
_FILLED_BY_PLAN = {"seed", "place", "start_sample"}


class Checker:
    """Walks a compiled tree beside a model and yields (path, message) for all that cannot be right.

    Parameters
    ----------
    origins
        Path of each node in the recipe, from the compiler.
    """

    def __init__(self, origins: Mapping[int, Path]) -> None:
        self.origins = origins

    def model(self, node: Node, model: type[BaseModel], path: Path, *, owner: str) -> Found:
        """Check everything `node` can give against `model`."""
        path = self.origins.get(id(node), path)
        items = _entries(node)
        if items is None:
            for witness in node.witnesses():
                yield from self._witness(witness, model, path, owner)
            return
        yield from self._keys(items, model, path, owner)
        clean = True
        for key, child in items.items():
            if key in model.model_fields:
                for found in self.field(child, model.model_fields[key].rebuild_annotation(), (*path, key), owner=owner):
                    clean = False
                    yield found
        if clean and isinstance(node, Const) and _FILLED_BY_PLAN.isdisjoint(model.model_fields):
            yield from self._whole(node.value, model, path, owner)

    def _witness(self, witness: Any, model: type[BaseModel], path: Path, owner: str) -> Found:
        if witness is OPAQUE or witness is None:
            return
        node = witness if hasattr(witness, "witnesses") else Const(witness)
        if isinstance(node, Const) and not isinstance(node.value, Mapping):
            if not isinstance(node.value, Recording):
                yield path, f"expected a map of {', '.join(model.model_fields)}; got {node.value!r}"
            return
        yield from self.model(node, model, path, owner=owner)

    def _keys(self, items: Mapping[str, Node], model: type[BaseModel], path: Path, owner: str) -> Found:
        for key in items:
            if key not in model.model_fields:
                yield (*path, key), f"'{owner}' has no such parameter{did_you_mean(key, model.model_fields)}"
        for key, info in model.model_fields.items():
            if info.is_required() and key not in items and key not in _FILLED_BY_PLAN:
                yield path, f"'{owner}' needs '{key}'"

    def _whole(self, value: Any, model: type[BaseModel], path: Path, owner: str) -> Found:
        try:
            model.model_validate({k: v for k, v in value.items() if k != "type" or "type" in model.model_fields})
        except ValidationError as error:
            for loc, message in registry.explain(error, owner):
                yield (*path, *loc), message

    def field(self, node: Node, annotation: Any, path: Path, *, owner: str) -> Found:
        """Check everything `node` can give against a field's annotation."""
        path = self.origins.get(id(node), path)
        kind, target = _kind(annotation)
        if kind == "leaf":
            yield from self._leaf(node, annotation, path)
        elif kind == "list":
            yield from self._list(node, target, path, owner)
        elif kind == "family":
            yield from self._component(node, target, path)
        else:
            yield from self.model(
                node, target, path, owner=path[-1] if isinstance(path[-1], str) else target.__name__.lower()
            )

    def _list(self, node: Node, inner: Any, path: Path, owner: str) -> Found:
        if isinstance(node, ListNode):
            for i, item in enumerate(node.items):
                yield from self.field(item.of if isinstance(item, Repeat) else item, inner, (*path, i), owner=owner)
            return
        if isinstance(node, Const) and isinstance(node.value, list | tuple):
            for i, value in enumerate(node.value):
                yield from self.field(Const(value), inner, (*path, i), owner=owner)
            return
        for witness in node.witnesses():
            if witness is OPAQUE:
                continue
            if isinstance(witness, ListNode | Const) or hasattr(witness, "witnesses"):
                if witness is not node:
                    yield from self._list(witness, inner, self.origins.get(id(witness), path), owner)
                else:
                    yield path, "expected a list"
            elif not isinstance(witness, list | tuple):
                yield path, f"expected a list, got {witness!r}"

    def _component(self, node: Node, family: str, path: Path) -> Found:
        path = self.origins.get(id(node), path)
        items = _entries(node)
        if items is None:
            for witness in node.witnesses():
                if witness is OPAQUE or witness is None:
                    continue
                if isinstance(witness, Const | MapNode | LetMap) or hasattr(witness, "witnesses"):
                    if witness is node:
                        yield path, f"expected a map with `type:`, got {getattr(node, 'value', None)!r}"
                    else:
                        yield from self._component(witness, family, path)
                else:
                    yield path, f"expected a map with `type:`, got {witness!r}"
            return
        if "type" not in items:
            yield path, f"a {family[:-1]} needs a `type`; there are {', '.join(registry.newest(family))}"
            return
        for name in items["type"].witnesses():
            if not isinstance(name, str):
                yield (*path, "type"), f"expected the name of a {family[:-1]}, got {name!r}"
                continue
            try:
                cls = registry.lookup(family, name)
            except UsageError as error:
                yield (*path, "type"), str(error)
                continue
            rest = {key: value for key, value in items.items() if key != "type"}
            constant = isinstance(node, Const)
            child: Node = (
                Const({k: v for k, v in node.value.items() if k != "type"})
                if isinstance(node, Const)
                else MapNode(tuple(rest), rest)
            )
            del constant
            yield from self.model(child, cls, path, owner=name.split("@")[0])

    def _leaf(self, node: Node, annotation: Any, path: Path) -> Found:
        for witness in node.witnesses():
            if witness is OPAQUE or isinstance(witness, Recording):
                continue
            if hasattr(witness, "witnesses"):
                if witness is not node:
                    yield from self._leaf(witness, annotation, self.origins.get(id(witness), path))
                elif not isinstance(node, MapNode | ListNode):
                    yield path, f"expected a value, got {node!r}"
                continue
            problem = _invalid(annotation, witness)
            if problem and isinstance(node, Number):
                yield path, self._drawn(node, witness, problem)
            elif problem:
                yield path, problem
            if problem:
                return

    def _drawn(self, node: Number, witness: Any, problem: str) -> str:
        name = node.distribution.name
        if abs(witness) >= 1e300:
            return f"'{name}' has no bounds, but this parameter does ({problem.split(', got', maxsplit=1)[0]}); use truncnorm"
        if isinstance(witness, float) and "integer" in problem:
            return f"'{name}' gives fractions, but this parameter is a whole number; use integers"
        return f"'{name}' can give {witness:g}: {problem.split(', got', maxsplit=1)[0]}"


def _entries(node: Node) -> Mapping[str, Node] | None:
    if isinstance(node, MapNode):
        return node.items
    if isinstance(node, LetMap):
        return {**node.body.items, "let": Const({})}
    if isinstance(node, Const) and isinstance(node.value, Mapping):
        return {key: Const(value) for key, value in node.value.items()}
    return None


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation, config={"strict": True, "allow_inf_nan": False, "arbitrary_types_allowed": True})


def _invalid(annotation: Any, value: Any) -> str:
    try:
        try:
            adapter = _adapter(annotation)
        except TypeError:  # unhashable metadata: build it anew
            adapter = TypeAdapter(annotation, config={"strict": True, "allow_inf_nan": False})
        adapter.validate_python(value)
    except ValidationError as error:
        messages = [message for _, message in registry.explain(error, "this")]
        return messages[0] if messages else "not valid"
    except ValueError as error:
        return str(error)
    return ""


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
