"""Load a recipe: strict YAML → merged tree → compiled nodes → checked; every problem at once, with its place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from audiosynth import catalogue as catalogues
from audiosynth import registry, splits
from audiosynth.checks import Checker
from audiosynth.clip import Recording
from audiosynth.compiler import Compiler, path_text
from audiosynth.errors import AssetError, AudiosynthError, Problem, RecipeError, did_you_mean
from audiosynth.loaded import Each, Recipe
from audiosynth.nodes import Const, MapNode
from audiosynth.normalise import normalise
from audiosynth.recipe_source import Source, read_source
from audiosynth.spec import MAX_DURATION, Output, Scene

RecipePath = tuple[str | int, ...]
SCENE_KEYS: Final = frozenset(Scene.model_fields)
KEYS: Final = SCENE_KEYS | {
    "name", "description", "seed", "sr", "channels", "reference_channel", "calibration_db", "clips", "splits", "data",
    "catalogues", "output", "export", "supervision",
}  # fmt: skip
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SETTINGS: Final[Mapping[str, tuple[Any, Any]]] = {
    "seed": (0, (0, 2**63 - 1)),
    "sr": (16000, (1000, 384_000)),
    "channels": (1, (1, 64)),
    "reference_channel": (0, (0, 63)),
}
MAX_CLIPS: Final = 100_000_000


@dataclass
class _Loader:
    """Collects problems while a recipe is taken apart."""

    source: Source
    problems: list[Problem] = field(default_factory=list)

    def fail(self, path: RecipePath, message: str) -> None:
        problem = Problem(self.source.where(path), path_text(path), message)
        if problem not in self.problems:
            self.problems.append(problem)

    def stop(self) -> None:
        if self.problems:
            raise RecipeError(self.problems)


def load_recipe(
    path: str | Path,
    *,
    set_values: Iterable[str] = (),
    seed: int | None = None,
    clips: int | None = None,
    data: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    cache_dir: Path | None = None,
) -> Recipe:
    """Read, check and compile a recipe.

    Parameters
    ----------
    path
        The YAML file.
    set_values
        ``path=value`` overrides, values in YAML (``noise.snr_db=6``).
    seed, clips
        Override the recipe's seed, and its number of clips (per split).
    data
        Folders of data roots by name; they win over the environment (``AUDIOSYNTH_DATA_<NAME>``) and the recipe.
    environ
        Environment to look in; the process's by default.
    cache_dir
        Where catalogue indexes are kept; the user's cache by default.

    Returns
    -------
    recipe
        Ready for `audiosynth.plan_clip` and `audiosynth.build`.

    Raises
    ------
    RecipeError
        With every problem found, each with file:line:column and path.
    AssetError
        If recordings it names are missing or cannot be used.

    Examples
    --------
    >>> from audiosynth import load_recipe, shipped_recipe
    >>> load_recipe(shipped_recipe("quickstart"), clips=2).sr
    16000
    """
    source = read_source(Path(path), set_values=set_values, seed=seed)
    loader = _Loader(source)
    tree, moved = normalise(source.tree)
    source = loader.source = source.with_moved(moved)
    for key in tree:
        if key not in KEYS:
            loader.fail((key,), f"a recipe has no '{key}'{did_you_mean(key, KEYS)}")
    settings = {key: _setting(loader, tree, key) for key in _SETTINGS}
    split_spec = _splits(loader, tree)
    specs = _catalogue_specs(loader, tree)
    each, counts = _clips(loader, tree, split_spec, specs, clips)
    compiled = _compile(loader, tree, frozenset(specs), each)
    output = _record(loader, tree, "output", Output)
    exports = _exports(loader, tree)
    supervision = _supervision(loader, tree, counts)
    loader.stop()
    scene, lets = compiled
    roots, scanned, members = _recordings(loader, tree, specs, split_spec, list(counts), data or {}, environ, cache_dir)
    if each is not None:
        counts = _count_each(loader, each, members, list(counts), clips)
    loader.stop()
    return Recipe(
        name=_name(tree, Path(path)), description=str(tree.get("description", "")), clips=counts, scene=scene, lets=lets,
        output=output, tree=source.tree, calibration_db=tree.get("calibration_db"), catalogues=scanned, members=members,
        exports=exports, supervision=supervision, each=each, roots=roots, text=source.text, **settings,
    )  # fmt: skip


def _name(tree: Mapping[str, Any], path: Path) -> str:
    return str(tree.get("name", re.sub(r"[^a-z0-9_-]+", "_", path.stem.lower()).strip("_") or "dataset"))


def _setting(loader: _Loader, tree: Mapping[str, Any], key: str) -> Any:
    default, (low, high) = _SETTINGS[key]
    value = tree.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        loader.fail((key,), f"expected a whole number from {low} to {high}, got {value!r}")
        return default
    return value


def _record(loader: _Loader, tree: Mapping[str, Any], key: str, model: Any) -> Any:
    try:
        return model.model_validate(tree.get(key, {}))
    except ValidationError as error:
        for loc, message in registry.explain(error, key):
            loader.fail((key, *loc), message)
        return model()


def _splits(loader: _Loader, tree: Mapping[str, Any]) -> splits.SplitSpec | None:
    if "splits" not in tree:
        return None
    try:
        return splits.SplitSpec.model_validate(tree["splits"])
    except ValidationError as error:
        for loc, message in registry.explain(error, "splits"):
            loader.fail(("splits", *loc), message)
        return None


def _catalogue_specs(loader: _Loader, tree: Mapping[str, Any]) -> dict[str, catalogues.CatalogueSpec]:
    raw = tree.get("catalogues", {})
    specs: dict[str, catalogues.CatalogueSpec] = {}
    if not isinstance(raw, Mapping):
        loader.fail(("catalogues",), f"expected a map of catalogues by name, got {raw!r}")
        return specs
    for name, entry in raw.items():
        try:
            specs[name] = catalogues.CatalogueSpec.model_validate(entry)
        except ValidationError as error:
            for loc, message in registry.explain(error, f"catalogue '{name}'"):
                loader.fail(("catalogues", name, *loc), message)
    return specs


def _clips(
    loader: _Loader,
    tree: Mapping[str, Any],
    split_spec: splits.SplitSpec | None,
    specs: Mapping[str, Any],
    override: int | None,
) -> tuple[Each | None, dict[str, int]]:
    names = list(split_spec.shares) if split_spec is not None else ["train"]
    raw = tree.get("clips", 10)
    if isinstance(raw, Mapping) and "each" in raw:
        return _each(loader, raw, specs), dict.fromkeys(names, 0)
    counts: dict[str, int] = {}
    if isinstance(raw, Mapping):
        for name, count in raw.items():
            if split_spec is not None and name not in names:
                loader.fail(
                    ("clips", name),
                    f"no split is called '{name}'{did_you_mean(name, names)}; there are {', '.join(names)}",
                )
            counts[name] = _count(loader, ("clips", name), count)
    elif split_spec is None:
        counts = {"train": _count(loader, ("clips",), raw)}
    else:
        total = _count(loader, ("clips",), raw)
        counts = _share_out(total, split_spec.shares)
    for name in counts:
        if not _NAME.fullmatch(name):
            loader.fail(("clips", name), f"expected a split name of a-z, 0-9, _ and -, got '{name}'")
    return None, {name: count if override is None else override for name, count in counts.items()}


def _share_out(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Split a total by shares, the largest remainders first, so that it is met exactly."""
    whole = sum(shares.values())
    exact = {name: total * share / whole for name, share in shares.items()}
    counts = {name: math.floor(x) for name, x in exact.items()}
    by_rest = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in by_rest[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def _count(loader: _Loader, path: RecipePath, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_CLIPS:
        loader.fail(path, f"expected a number of clips from 0 to {MAX_CLIPS:,}, got {value!r}")
        return 0
    return value


def _each(loader: _Loader, raw: Mapping[str, Any], specs: Mapping[str, Any]) -> Each:
    each = raw["each"] if isinstance(raw["each"], Mapping) else {}
    name, source, replicas = each.get("as", "item"), each.get("from"), raw.get("replicas", 1)
    for key in [k for k in raw if k not in ("each", "replicas")] + [k for k in each if k not in ("from", "as")]:
        loader.fail(("clips", key), f"'each' takes {{from: catalogue, as: name}} and replicas, not '{key}'")
    if source not in specs:
        loader.fail(("clips", "each", "from"), f"no catalogue is called {source!r}{did_you_mean(source, specs)}")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*", name):
        loader.fail(("clips", "each", "as"), f"expected a name of letters, digits and _, got {name!r}")
    if isinstance(replicas, bool) or not isinstance(replicas, int) or not 1 <= replicas <= 10_000:
        loader.fail(("clips", "replicas"), f"expected a whole number from 1 to 10000, got {replicas!r}")
        replicas = 1
    return Each(str(source), str(name), replicas)


def _compile(loader: _Loader, tree: Mapping[str, Any], names: frozenset[str], each: Each | None) -> tuple[Any, Any]:
    found: list[tuple[RecipePath, str]] = []
    compiler = Compiler(names, found)
    if each is not None:
        compiler = Compiler(names, found, {each.name: None})
    inner, lets = compiler.lets(tree["let"], ("let",)) if "let" in tree else (compiler, {})
    entries = {k: inner.at(k).compile(v, (k,)) for k, v in tree.items() if k in SCENE_KEYS and k != "let"}
    scene = MapNode(tuple(entries), entries)
    checked = MapNode((*entries, "let"), {**entries, "let": Const({})})
    if "duration" not in tree:
        loader.fail(("duration",), f"a recipe needs a `duration` in seconds (0 to {MAX_DURATION:g}), or {{of: name}}")
    else:
        found.extend(Checker(inner.origins).model(checked, Scene, (), owner="recipe"))
    for path, message in found:
        loader.fail(path, message)
    return scene, lets


def _exports(loader: _Loader, tree: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    raw = tree.get("export", ["jsonl"])
    if not isinstance(raw, list):
        loader.fail(("export",), f"expected a list of exporters, got {raw!r}")
        return ()
    out = []
    for i, entry in enumerate(raw):
        item = {"type": entry} if isinstance(entry, str) else entry
        try:
            out.append(registry.dump(registry.create("exporters", item)))
        except ValidationError as error:
            for loc, message in registry.explain(error, str(item.get("type"))):
                loader.fail(("export", i, *loc), message)
        except (AudiosynthError, AttributeError) as error:
            loader.fail(("export", i), str(error))
    return tuple(out)


def _supervision(loader: _Loader, tree: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, str]:
    raw = tree.get("supervision", {})
    kinds = ("strong", "weak", "none")
    for name, kind in raw.items() if isinstance(raw, Mapping) else [("", raw)]:
        if name not in counts or kind not in kinds:
            loader.fail(
                ("supervision", name),
                f"expected a split ({', '.join(counts)}) and one of {', '.join(kinds)}; got {name}: {kind!r}",
            )
    return dict(raw) if isinstance(raw, Mapping) else {}


def _recordings(
    loader: _Loader, tree: Mapping[str, Any], specs: Mapping[str, catalogues.CatalogueSpec], split_spec: splits.SplitSpec | None,
    split_names: Sequence[str], data: Mapping[str, str], environ: Mapping[str, str] | None, cache_dir: Path | None,
) -> tuple[dict[str, Path], dict[str, catalogues.Catalogue], dict[tuple[str, str], tuple[Recording, ...]]]:  # fmt: skip
    from audiosynth.assets import resolve_roots

    if not specs:
        return {}, {}, {}
    declared = tree.get("data", {})
    used = {spec.data for spec in specs.values()}
    roots = resolve_roots({name: declared.get(name, "") for name in sorted(used)}, data, loader.source.folder, environ)
    scanned, members = {}, {}
    for name, spec in specs.items():
        scanned[name] = found = catalogues.scan(spec, name=name, root=roots[spec.data], cache_dir=cache_dir)
        for split, recordings in _members(found, spec, split_spec, split_names, loader.source.folder).items():
            members[name, split] = recordings
    return roots, scanned, members


def _members(
    found: catalogues.Catalogue, spec: catalogues.CatalogueSpec, split_spec: splits.SplitSpec | None,
    split_names: Sequence[str], folder: Path,
) -> dict[str, tuple[Recording, ...]]:  # fmt: skip
    if split_spec is None or spec.group is None:
        return dict.fromkeys(split_names, found.recordings)
    fields = (spec.group,) if isinstance(spec.group, str) else tuple(spec.group)
    sent = splits.assign(
        found.recordings,
        group_fields=fields,
        shares=split_spec.shares,
        seed=split_spec.seed,
        frozen=split_spec.frozen(folder),
        name=found.name,
    )
    members = {split: tuple(r for r in found.recordings if sent[r.path] == split) for split in split_names}
    empty = [split for split, items in members.items() if not items]
    if empty:
        raise AssetError(
            f"catalogue '{found.name}': a split with too few groups: '{empty[0]}' gets none of them; "
            "send a group there with `splits: {shares: …, assign: {group: split}}`, or set `group: null` to share"
        )
    return members


def _count_each(
    loader: _Loader,
    each: Each,
    members: Mapping[tuple[str, str], Sequence[Recording]],
    names: Sequence[str],
    override: int | None,
) -> dict[str, int]:
    counts = {split: len(members.get((each.catalogue, split), ())) * each.replicas for split in names}
    if not any(counts.values()):
        loader.fail(("clips", "each"), f"catalogue '{each.catalogue}' has no recordings")
    return counts if override is None else {split: min(count, override) for split, count in counts.items()}
