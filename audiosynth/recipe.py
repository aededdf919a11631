"""Load a recipe: strict YAML → merged tree → compiled nodes → checked; every problem at once, with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from audiosynth.clip import Entry, Member, Withheld
from audiosynth.errors import AssetError, Problem, did_you_mean
from audiosynth.language.budget import MAX_DRAWN, drawn_at_most
from audiosynth.language.compiler import Compiler, path_text
from audiosynth.language.draws import Turn
from audiosynth.language.nodes import Const, Given, MapNode, Node, Repeat, SplitName
from audiosynth.language.reserved import RESERVED
from audiosynth.loading.allowed import allowed
from audiosynth.loading.checks import Checker
from audiosynth.loading.checks_scene import Sounds, beyond_full_scale, scene_problems, sounds_of, without_sounds
from audiosynth.loading.corpora import before_corpora
from audiosynth.loading.normalise import normalise
from audiosynth.loading.parts import (
    Loader,
    RecipePath,
    catalogue_names,
    catalogue_specs,
    clip_counts,
    data_roots,
    exports_of,
    licence_of,
    output_of,
    settings_of,
    split_spec_of,
    supervision_of,
)
from audiosynth.loading.source import read_source
from audiosynth.loading.tables import members_of, tables_of
from audiosynth.material import catalogue as catalogues
from audiosynth.material import splits
from audiosynth.material.licences import Declared
from audiosynth.material.withdrawn import Withdrawn, read_withdrawn, withhold
from audiosynth.records.loaded import Each, Recipe
from audiosynth.spec import MAX_DURATION, Scene

SCENE_KEYS: Final = frozenset(Scene.model_fields)
KEYS: Final = SCENE_KEYS | {
    "name", "description", "seed", "sr", "channels", "reference_channel", "calibration_db", "clips", "splits", "data",
    "catalogues", "voices", "negatives", "output", "export", "supervision", "licence",
}  # fmt: skip


def load_recipe(
    path: str | Path,
    *,
    set_values: Iterable[str] = (),
    seed: int | None = None,
    clips: int | None = None,
    data: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    cache_dir: str | Path | None = None,
    keep_going: bool = False,
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
    keep_going
        Leave out recordings and utterances that cannot be used, as ``on_bad: skip`` does; the catalogues' `problems` list them.

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
    loader = Loader(source)
    tree, moved = normalise(source.tree)
    source = loader.source = source.with_moved(moved)
    loader.fail_all(((k,), f"a recipe has no '{k}'{did_you_mean(k, KEYS)}") for k in tree if k not in KEYS)
    settings = {**settings_of(loader, tree, Path(path).stem), "withdrawn": read_withdrawn(source.folder)}
    split_spec = split_spec_of(loader, tree)
    specs = catalogue_specs(loader, tree, keep_going=keep_going)
    each, counts = clip_counts(loader, tree, split_spec, clips)
    tables = tables_of(loader, tree, taken=specs, seed=settings["seed"])
    names = catalogue_names(tree) | {*tables}
    compiled = _compile(loader, tree, names, each, tables, tuple(counts), settings["sr"])
    output, packing = output_of(loader, tree, settings)
    exports, supervision = exports_of(loader, tree, packing), supervision_of(loader, tree, counts)
    declared, licence = data_roots(loader, tree), licence_of(loader, tree)
    loader.stop()
    scene, lets, warnings, sounds = compiled
    roots = _roots(loader, declared, specs, data or {}, environ)
    scanned = _scanned(loader, specs, licence, settings["withdrawn"], roots, cache_dir)
    found = _recordings(loader, scanned, specs, split_spec, [*counts])
    members = {**found, **members_of(tables, tree, split_spec, list(counts), loader)}
    loader.fail_all(without_sounds(sounds, members, counts))
    counts = counts if each is None else _count_each(loader, each, members, list(counts), clips)
    warnings += before_corpora(loader, scanned, specs, each=each, exports=exports, split=split_spec is not None)
    loader.stop()
    return Recipe(
        clips=counts, scene=scene, lets=lets, output=output, packing=packing, tree=source.tree, catalogues=scanned, members=members,
        exports=exports, supervision=supervision, each=each, roots=roots, text=source.text, warnings=warnings, licence=licence, **settings,
    )  # fmt: skip


def _compile(
    loader: Loader,
    tree: Mapping[str, Any],
    names: frozenset[str],
    each: Each | None,
    tables: Mapping[str, Sequence[Entry]],
    splits: tuple[str, ...],
    sr: int,
) -> tuple[MapNode, Mapping[str, Node], tuple[str, ...], list[Sounds]]:
    """Return the scene's nodes, those of the clip's names, what is worth a warning, and which classes need sounds."""
    found: list[tuple[RecipePath, str]] = []
    given: dict[str, Node | None] = {"split": SplitName(splits)}
    if each is not None:
        given[each.name] = Given()
    compiler = Compiler(RESERVED, names, found, given, folder=loader.source.folder, tables=tables)
    inner, lets = compiler.lets(tree["let"], ("let",)) if "let" in tree else (compiler, {})
    if "duration" in tree:
        inner = replace(inner, length=inner.at("duration").compile(tree["duration"], ("duration",)))
    items = {k: inner.at(k).compile(v, (k,)) for k, v in tree.items() if k in SCENE_KEYS - {"let", "duration"}}
    items |= {} if inner.length is None else {"duration": inner.length}
    scene = MapNode(items)
    if each is not None and isinstance(tree.get("let"), Mapping) and each.name in tree["let"]:
        loader.fail(
            ("let", each.name), f"'{each.name}' is the name of each clip's recording (clips.each.as); take another"
        )
    if "duration" not in tree:
        loader.fail(("duration",), f"a recipe needs a `duration` in seconds (0 to {MAX_DURATION:g}), or {{of: name}}")
    else:
        found.extend(Checker(inner.origins).items({**items, "let": Const({})}, Scene, (), owner="recipe"))
        found.extend(() if found else scene_problems(items, inner.origins, sr))
    loader.fail_all(found)
    count = drawn_at_most(MapNode({**items, **{f"let {name}": node for name, node in lets.items()}}))
    if count > MAX_DRAWN:
        loader.fail(
            (), f"one clip could hold {count:.2g} values (repeats of repeats, names of names); at most {MAX_DRAWN:,}"
        )
    warnings = (*_cycles(loader, [*lets.values(), scene], inner.origins), *_beyond(loader, scene, inner.origins))
    return scene, lets, warnings, sounds_of(items, inner.origins)


def _cycles(loader: Loader, roots: Iterable[Node], origins: Mapping[int, RecipePath]) -> Iterator[str]:
    """Yield a warning where several draws of a clip each count on their own: their combinations are not balanced."""
    found: list[RecipePath] = []
    todo, seen = list(roots), set()
    while todo:
        node = todo.pop(0)
        if id(node) in seen or isinstance(node, Repeat):
            continue
        seen.add(id(node))
        if isinstance(node, Turn) and not node.once and len(node.items) > 1:
            found.append(origins.get(id(node), ()))
        todo += node.children()
    if len(found) > 1:
        places = " and ".join(
            f"{loader.source.where(path)} {path_text(loader.source.written(path))}".strip() for path in found
        )
        yield (
            f"{places}: cycles of their own do not balance their combinations; to use every combination equally often, "
            "write one {product: {a: […], b: […]}} under `let` and use $name.a and $name.b"
        )


def _beyond(loader: Loader, scene: MapNode, origins: Mapping[int, RecipePath]) -> Iterator[str]:
    """Yield a warning for each level that no file holds: most likely a minus is missing."""
    for path, message in beyond_full_scale(scene, origins):
        yield str(Problem(loader.source.where(path), path_text(loader.source.written(path)), message))


def _roots(
    loader: Loader, declared: Mapping[str, str], specs: Mapping[str, catalogues.CatalogueSpec],
    data: Mapping[str, str], environ: Mapping[str, str] | None,
) -> dict[str, Path]:  # fmt: skip
    """Return the folder of each data root that a catalogue is in."""
    from audiosynth.material.roots import resolve_roots

    used = sorted({spec.data for spec in specs.values()})
    return resolve_roots({name: declared.get(name, "") for name in used}, data, loader.source.folder, environ)


def _scanned(
    loader: Loader, specs: Mapping[str, catalogues.CatalogueSpec], licence: Declared | None, withdrawn: Withdrawn,
    roots: Mapping[str, Path], cache_dir: str | Path | None,
) -> dict[str, catalogues.Catalogue]:  # fmt: skip
    """Return the catalogues, each with what may be used of it."""
    found = {
        name: catalogues.scan(spec, name=name, root=roots[spec.data], cache_dir=cache_dir)
        for name, spec in specs.items()
    }
    used = {name: withhold(allowed(loader, licence, item), withdrawn) for name, item in found.items()}
    loader.stop()
    return used


def _recordings(
    loader: Loader, scanned: Mapping[str, catalogues.Catalogue], specs: Mapping[str, catalogues.CatalogueSpec],
    split_spec: splits.SplitSpec | None, split_names: Sequence[str],
) -> dict[tuple[str, str], tuple[Member, ...]]:  # fmt: skip
    """Return the recordings of each (catalogue, split)."""
    members: dict[tuple[str, str], tuple[Member, ...]] = {}
    for name, spec in specs.items():
        for split, recordings in _members(scanned[name], spec, split_spec, split_names, loader.source.folder).items():
            members[name, split] = recordings
    if split_spec is not None and specs:
        grouped = {name: spec for name, spec in specs.items() if spec.group is not None}
        splits.require_apart({key: found for key, found in members.items() if key[0] in grouped})
        if not any(scanned[name].line for name in grouped):  # of what was withdrawn, nobody knows the groups any more
            splits.require_known(
                split_spec.assign, {n: (scanned[n].recordings, s.group_fields()) for n, s in grouped.items()}
            )
    return members


def _members(
    found: catalogues.Catalogue, spec: catalogues.CatalogueSpec, split_spec: splits.SplitSpec | None,
    split_names: Sequence[str], folder: Path,
) -> dict[str, tuple[Member, ...]]:  # fmt: skip
    if split_spec is None or spec.group is None:
        return dict.fromkeys(split_names, found.drawn_from)
    fields = (spec.group,) if isinstance(spec.group, str) else tuple(spec.group)
    sent = splits.assign(
        found.recordings,
        group_fields=fields,
        shares=split_spec.shares,
        seed=split_spec.seed,
        frozen=split_spec.frozen(folder),
        name=found.name,
        empty_ok={split for member in found.line if isinstance(member, Withheld) for split in member.splits},
    )

    def of(member: Member, split: str) -> bool:
        return split in member.splits if isinstance(member, Withheld) else sent[member.path] == split

    members = {split: tuple(member for member in found.drawn_from if of(member, split)) for split in split_names}
    empty = [split for split, items in members.items() if not items]
    if empty:
        raise AssetError(
            f"catalogue '{found.name}': a split with too few groups: '{empty[0]}' gets none of them; "
            "send a group there with `splits: {shares: …, assign: {group: split}}`, or set `group: null` to share"
        )
    return members


def _count_each(
    loader: Loader,
    each: Each,
    members: Mapping[tuple[str, str], Sequence[Member]],
    names: Sequence[str],
    override: int | None,
) -> dict[str, int]:
    counts = {split: len(members.get((each.catalogue, split), ())) * each.replicas for split in names}
    if not any(counts.values()):
        loader.fail(("clips", "each"), f"catalogue '{each.catalogue}' has no recordings")
    return counts if override is None else {split: min(count, override) for split, count in counts.items()}
