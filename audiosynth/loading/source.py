"""The text behind a recipe: the file, what it extends, what was set on the command line, and where each value stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from audiosynth.errors import Problem, RecipeError, UsageError, did_you_mean
from audiosynth.files import strictyaml
from audiosynth.files.shipped import shipped_recipe, shipped_recipes
from audiosynth.language.reserved import RESERVED

RecipePath = tuple[str | int, ...]
MAX_EXTENDS: Final = 8
"""Longest chain of `extends`."""
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(\d+|[^\]]+)\]")
APPENDED: Final = "[+]"
"""Ends the path of a list that gets one item more."""


@dataclass(frozen=True)
class Source:
    """A merged raw tree and the place of each of its values.

    Attributes
    ----------
    tree
        Plain data, `extends` resolved and overrides applied.
    places
        ``file:line:column`` (or ``--set …``) by path.
    folder
        The recipe's folder; relative data roots start here.
    text
        The recipe as one self-contained YAML text.
    """

    tree: dict[str, Any]
    places: Mapping[RecipePath, str]
    folder: Path
    text: str
    moved: Mapping[RecipePath, RecipePath] = field(default_factory=dict)

    def where(self, path: RecipePath) -> str:
        """Return the place of a value, or of the nearest thing around it."""
        for n in range(len(path), -1, -1):
            here = self.moved.get(path[:n], path[:n])
            if here in self.places:
                return self.places[here]
            if path[:n] in self.places:
                return self.places[path[:n]]
        return ""

    def written(self, path: RecipePath) -> RecipePath:
        """Return a path as the recipe has it, short forms and all."""
        for n in range(len(path), 0, -1):
            if path[:n] in self.moved:
                return (*self.moved[path[:n]], *path[n:])
        return path

    def with_moved(self, moved: Mapping[RecipePath, RecipePath]) -> Source:
        """Return the source knowing that values were moved while short forms were written out."""
        return replace(self, moved=moved)


def read_source(path: Path, *, set_values: Iterable[str] = (), seed: int | None = None) -> Source:
    """Read a recipe file, merge what it extends, apply ``path=value`` overrides (``path[+]=value`` adds to a list).

    Raises
    ------
    RecipeError
        If a file is missing, not YAML, or extends in a circle.
    UsageError
        If an override names a place that is not there.
    """
    tree, places = _read(path, chain=())
    for override in set_values:
        name, found, text = override.partition("=")
        if not found:
            raise UsageError(f"--set takes path=value, got '{override}'")
        name, value = name.strip(), strictyaml.parse_scalar(text, name=f"--set {name.strip()}")
        if name.endswith(APPENDED):
            name = name.removesuffix(APPENDED)
            value = [*_list_at(tree, name), value]
        _set(tree, places, name, value)
    if seed is not None:
        tree["seed"] = seed
        places[("seed",)] = "--seed"
    return Source(tree, places, path.resolve().parent, strictyaml.dump(tree))


def _read(path: Path, *, chain: tuple[Path, ...]) -> tuple[dict[str, Any], dict[RecipePath, str]]:
    if not path.is_file():
        shipped = (
            f'; `load_recipe(shipped_recipe("{path}"))` loads the one that comes along'
            if str(path) in shipped_recipes()
            else ""
        )
        way = shipped or "; `audiosynth new NAME` writes one to start from"
        raise RecipeError([Problem(str(path), "", f"no such recipe file{way}")])
    document = strictyaml.load_file(path)
    if not isinstance(document.tree, dict):
        raise RecipeError(
            [Problem(str(path), "", f"a recipe is a map of keys and values, got {type(document.tree).__name__}")]
        )
    tree: dict[str, Any] = document.tree
    places: dict[RecipePath, str] = {at: str(mark) for at, mark in {**document.marks, **document.keys}.items()}
    if "extends" not in tree:
        return tree, places
    parent = _parent(path, tree.pop("extends"), places.pop(("extends",), str(path)), (*chain, path.resolve()))
    base, base_places = _read(parent, chain=(*chain, path.resolve()))
    return _merge(base, tree), {**base_places, **places}


def _parent(path: Path, name: Any, place: str, chain: tuple[Path, ...]) -> Path:
    folder = path.resolve().parent
    parent = (folder / str(name)).resolve()
    if not parent.is_file() and name in shipped_recipes():  # one that comes along, by its name
        return shipped_recipe(name)
    message = ""
    if not isinstance(name, str) or not parent.is_relative_to(folder):
        message = f"expected a file in the recipe's own folder, got {name!r}"
    elif not parent.is_file():
        near = did_you_mean(name, shipped_recipes())
        message = f"there is no file '{name}' beside the recipe, and no recipe of that name comes along{near}"
    elif parent in chain:
        message = f"'{name}' extends in a circle"
    elif len(chain) > MAX_EXTENDS:
        message = f"more than {MAX_EXTENDS} recipes extend one another"
    if message:
        raise RecipeError([Problem(place, "extends", message)])
    return parent


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` on top: maps are merged, everything else is replaced."""
    out = dict(base)
    for key, value in over.items():
        old = out.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and _alike(old, value):
            value = _merge(old, value)  # noqa: PLW2901
        out[key] = value
    return out


def _alike(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether two maps are merged: a draw replaces what stood there, and so does a component of another type."""
    drawn = any(len(tree) == 1 and next(iter(tree)) in RESERVED for tree in (old, new))
    return not drawn and new.get("type", old.get("type")) == old.get("type")


def steps_of(name: str) -> list[str | int]:
    """Return the steps of a path: keys, and what stands in brackets.

    Raises
    ------
    UsageError
        If it is not written as one.

    Examples
    --------
    >>> steps_of("events[0].source.fmin")
    ['events', 0, 'source', 'fmin']
    """
    steps = [int(b) if b.isdigit() else b or a for a, b in _STEP.findall(name)]
    if not steps or "".join(m.group(0) for m in _STEP.finditer(name)) != name:
        raise UsageError(f"--set {name}: expected a path such as noise.snr_db or events[0].source.fmin")
    if "/" in str(steps[0]):
        raise UsageError(f"--set {name}: expected steps with dots between them: {name.replace('/', '.')}")
    return steps


def _list_at(tree: Mapping[str, Any], name: str) -> list[Any]:
    """Return the list at a path; an empty one where there is nothing yet."""
    here: Any = tree
    for step in steps_of(name):
        here = here[_index(here, step, name)] if isinstance(here, list) else _as_map(here, name).get(str(step), [])
    if not isinstance(here, list):
        raise UsageError(f"--set {name}{APPENDED}: is {here!r}, and no list to add to")
    return here


def _as_map(here: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(here, dict):
        raise UsageError(f"--set {name}{APPENDED}: leads into {here!r}, which is not a map")
    return here


def _set(tree: dict[str, Any], places: dict[RecipePath, str], name: str, value: Any) -> None:
    steps = steps_of(name)
    here: Any = tree
    walked: list[str | int] = []
    for step in steps[:-1]:
        here, at = _enter(here, step, name)
        walked.append(at)
    last = steps[-1]
    if isinstance(here, list):
        here[_index(here, last, name)] = value
        walked.append(_index(here, last, name))
    elif isinstance(here, dict):
        here[str(last)] = value
        walked.append(str(last))
    else:
        raise UsageError(f"--set {name}: '{last}' would stand inside {here!r}, which is not a map")
    path = tuple(walked)
    for old in [at for at in places if at[: len(path)] == path]:
        del places[old]
    places[path] = f"--set {name}"


def _enter(here: Any, step: str | int, name: str) -> tuple[Any, str | int]:
    if isinstance(here, list):
        i = _index(here, step, name)
        return here[i], i
    if not isinstance(here, dict):
        raise UsageError(f"--set {name}: '{step}' would stand inside {here!r}, which is not a map")
    if step not in here:
        hint = did_you_mean(step, here)
        if hint:
            raise UsageError(f"--set {name}: the recipe has no '{step}'{hint}")
        here[str(step)] = {}
    return here[str(step)], str(step)


def _index(items: list[Any], step: str | int, name: str) -> int:
    named = {
        item["name"]: i for i, item in enumerate(items) if isinstance(item, dict) and isinstance(item.get("name"), str)
    }
    index = step if isinstance(step, int) else named.get(step, -1)
    if not 0 <= index < len(items):
        which = f"; say which: {name.replace(f'.{step}', f'[0].{step}', 1)}" if isinstance(step, str) and items else ""
        hint = did_you_mean(step, named) or which
        raise UsageError(f"--set {name}: no item '{step}' in a list of {len(items)}{hint}")
    return index
