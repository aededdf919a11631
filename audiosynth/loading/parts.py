"""The sections of a recipe outside the scene, each checked where it stands; problems are collected, never raised."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from audiosynth import registry
from audiosynth.errors import AudiosynthError, ParameterError, Problem, RecipeError, did_you_mean
from audiosynth.files.containers import check_format
from audiosynth.files.paths import plain_name, reserved_name
from audiosynth.language.compiler import path_text
from audiosynth.language.distributions import shown
from audiosynth.loading.hints import follows, meant
from audiosynth.loading.source import Source
from audiosynth.material import catalogue as catalogues
from audiosynth.material import splits
from audiosynth.material.licences import Declared
from audiosynth.records.loaded import Each
from audiosynth.records.output import Output, Packing, SetOutput

RecipePath = tuple[str | int, ...]
MAX_CLIPS: Final = 100_000_000
_FOLDER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SETTINGS: Final[Mapping[str, tuple[Any, Any]]] = {
    "seed": (0, (0, 2**63 - 1)),
    "sr": (16000, (1000, 384_000)),
    "channels": (1, (1, 64)),
    "reference_channel": (0, (0, 63)),
}


@dataclass
class Loader:
    """Collects problems while a recipe is taken apart."""

    source: Source
    problems: list[Problem] = field(default_factory=list)

    def fail(self, path: RecipePath, message: str) -> None:
        """Note a problem; a second one of the same place and words is dropped."""
        problem = Problem(self.source.where(path), path_text(self.source.written(path)), message)
        if problem not in self.problems:
            self.problems.append(problem)

    def fail_all(self, found: Iterable[tuple[RecipePath, str]]) -> None:
        """Note problems that were found elsewhere."""
        for path, message in found:
            self.fail(path, message)

    def stop(self) -> None:
        """Raise all problems noted so far, but for those that only say that something which is wrong is not there."""
        if self.problems:
            raise RecipeError([problem for problem in self.problems if not follows(problem, self.problems)])


def name_of(loader: Loader, tree: Mapping[str, Any], stem: str) -> str:
    """Return the dataset's name: as the recipe says, or from its file's name."""
    name = tree.get("name", re.sub(r"[^a-z0-9_-]+", "_", stem.lower()).strip("_-")[:64] or "dataset")
    if not isinstance(name, str) or not _FOLDER.fullmatch(name) or reserved_name(name):
        loader.fail(("name",), f"expected a name of letters, digits, _ and - (it names a folder), got {shown(name)}")
        return "dataset"
    return name


def text_of(loader: Loader, tree: Mapping[str, Any], key: str) -> str:
    """Return a text of the recipe, empty if it has none."""
    value = tree.get(key, "")
    if not isinstance(value, str):
        loader.fail((key,), f"expected a text, got {shown(value)}")
        return ""
    return value


def calibration(loader: Loader, tree: Mapping[str, Any]) -> float | None:
    """Return the dB SPL of 0 dBFS, if the recipe gives it."""
    value = tree.get("calibration_db")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -200 <= value <= 300:
        loader.fail(("calibration_db",), f"expected dB SPL from -200 to 300, got {shown(value)}")
        return None
    return float(value)


def settings_of(loader: Loader, tree: Mapping[str, Any], stem: str) -> dict[str, Any]:
    """Return the settings that are one plain value each, as keyword arguments of `Recipe`."""
    numbers = {key: setting(loader, tree, key) for key in SETTINGS}
    if numbers["reference_channel"] >= numbers["channels"]:
        have = f"there are {numbers['channels']} channels, numbered from 0"
        loader.fail(("reference_channel",), f"{have}, so there is no channel {numbers['reference_channel']}")
    return {
        "name": name_of(loader, tree, stem),
        "description": text_of(loader, tree, "description"),
        "calibration_db": calibration(loader, tree),
        **numbers,
    }


def data_roots(loader: Loader, tree: Mapping[str, Any]) -> dict[str, str]:
    """Return the folders the recipe declares, by name."""
    raw = tree.get("data", {})
    if not isinstance(raw, Mapping):
        loader.fail(("data",), f"expected {{name: folder}}, got {shown(raw)}")
        return {}
    for name, folder in raw.items():
        if folder is not None and not isinstance(folder, str):
            loader.fail(("data", name), f"expected a folder, got {shown(folder)}")
    return {name: folder for name, folder in raw.items() if isinstance(folder, str)}


def setting(loader: Loader, tree: Mapping[str, Any], key: str) -> Any:
    """Return a whole-number setting within its range."""
    default, (low, high) = SETTINGS[key]
    value = tree.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        loader.fail((key,), f"expected a whole number from {low} to {high}, got {shown(value)}{meant(value)}")
        return default
    return value


def record(loader: Loader, tree: Mapping[str, Any], key: str, model: Any) -> Any:
    """Return a section that is one record."""
    try:
        return model.model_validate(tree.get(key, {}))
    except ValidationError as error:
        for loc, message in registry.explain(error, key):
            loader.fail((key, *loc), message)
        return model()


def split_spec_of(loader: Loader, tree: Mapping[str, Any]) -> splits.SplitSpec | None:
    """Return the splits, if the recipe has them."""
    if "splits" not in tree:
        return None
    try:
        return splits.SplitSpec.model_validate(tree["splits"])
    except ValidationError as error:
        for loc, message in registry.explain(error, "splits"):
            loader.fail(("splits", *loc), message)
        return None


def catalogue_specs(
    loader: Loader, tree: Mapping[str, Any], *, keep_going: bool = False
) -> dict[str, catalogues.CatalogueSpec]:
    """Return the catalogues' specifications by name; all with ``on_bad: skip`` if `keep_going`."""
    raw = tree.get("catalogues", {})
    specs: dict[str, catalogues.CatalogueSpec] = {}
    if not isinstance(raw, Mapping):
        loader.fail(("catalogues",), f"expected a map of catalogues by name, got {shown(raw)}")
        return specs
    for name, entry in raw.items():
        try:
            spec = catalogues.CatalogueSpec.model_validate(entry)
            specs[name] = spec.model_copy(update={"on_bad": "skip"}) if keep_going else spec
        except ValidationError as error:
            for loc, message in registry.explain(error, f"catalogue '{name}'"):
                loader.fail(("catalogues", name, *loc), message)
    return specs


def catalogue_names(tree: Mapping[str, Any]) -> frozenset[str]:
    """Return what a recipe's catalogues are called, those that are wrong too: a draw from one is no second mistake."""
    raw = tree.get("catalogues", {})
    return frozenset(map(str, raw)) if isinstance(raw, Mapping) else frozenset()


def clip_counts(
    loader: Loader,
    tree: Mapping[str, Any],
    split_spec: splits.SplitSpec | None,
    override: int | None,
) -> tuple[Each | None, dict[str, int]]:
    """Return what each clip goes through (`each`), or None, and the number of clips per split."""
    names = list(split_spec.shares) if split_spec is not None else ["train"]
    raw = tree.get("clips", 10)
    if isinstance(raw, Mapping) and "each" in raw:
        return _each(loader, raw, catalogue_names(tree)), dict.fromkeys(names, 0)
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
        if not plain_name(name):
            loader.fail(("clips", name), f"expected a split name of a-z, 0-9, _ and - (not con, nul, …), got '{name}'")
    if override is not None:
        _count(loader, ("clips",), override)
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


def _count(loader: Loader, path: RecipePath, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_CLIPS:
        loader.fail(path, f"expected a number of clips from 0 to {MAX_CLIPS:,}, got {shown(value)}")
        return 0
    return value


def _each(loader: Loader, raw: Mapping[str, Any], names: Collection[str]) -> Each:
    each = raw["each"] if isinstance(raw["each"], Mapping) else {}
    name, source, replicas = each.get("as", "item"), each.get("from"), raw.get("replicas", 1)
    for key in [k for k in raw if k not in ("each", "replicas")] + [k for k in each if k not in ("from", "as")]:
        loader.fail(("clips", key), f"'each' takes {{from: catalogue, as: name}} and replicas, not '{key}'")
    if not isinstance(source, str) or source not in names:
        hint = did_you_mean(source, names) if isinstance(source, str) else ""
        loader.fail(("clips", "each", "from"), f"no catalogue is called {source!r}{hint}")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*", name):
        loader.fail(("clips", "each", "as"), f"expected a name of letters, digits and _, got {name!r}")
    if isinstance(replicas, bool) or not isinstance(replicas, int) or not 1 <= replicas <= 10_000:
        loader.fail(("clips", "replicas"), f"expected a whole number from 1 to 10000, got {replicas!r}")
        replicas = 1
    return Each(str(source), str(name), replicas)


def output_of(loader: Loader, tree: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[Output, Packing]:
    """Return how audio is written, and how the set is packed; a container that cannot hold it is a problem now, not at the first clip."""
    written: SetOutput = record(loader, tree, "output", SetOutput)
    output, packing = written.parted()
    try:
        check_format(
            container=output.format, subtype=output.subtype, sr=settings["sr"], n_channels=settings["channels"]
        )
    except ParameterError as error:
        loader.fail(("output", "format"), str(error))
    return output, packing


def licence_of(loader: Loader, tree: Mapping[str, Any]) -> Declared | None:
    """Return what the recipe declares of the set's licence and use, if it does."""
    if "licence" not in tree:
        return None
    try:
        return Declared.model_validate(tree["licence"])
    except ValidationError as error:
        for loc, message in registry.explain(error, "licence"):
            loader.fail(("licence", *loc), message)
        return None


def exports_of(loader: Loader, tree: Mapping[str, Any], packing: Packing) -> tuple[Mapping[str, Any], ...]:
    """Return the exporters' trees, validated; one that names files which `packing` does away with is a problem."""
    raw = tree.get("export", ["jsonl"])
    if not isinstance(raw, list):
        loader.fail(("export",), f"expected a list of exporters, got {shown(raw)}")
        return ()
    out = []
    for i, entry in enumerate(raw):
        item = {"type": entry} if isinstance(entry, str) else entry
        try:
            exporter = registry.create("exporters", item)
            out.append(registry.dump(exporter))
            if why := packing.refusal(exporter):
                loader.fail(("export", i), f"{item['type']}: {why}")
        except ValidationError as error:
            for loc, message in registry.explain(error, str(item.get("type"))):
                loader.fail(("export", i, *loc), message)
        except (AudiosynthError, AttributeError) as error:
            loader.fail(("export", i), str(error))
    return tuple(out)


def supervision_of(loader: Loader, tree: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, str]:
    """Return which splits are weakly labeled or not at all."""
    raw = tree.get("supervision", {})
    kinds = ("strong", "weak", "none")
    for name, kind in raw.items() if isinstance(raw, Mapping) else [("", raw)]:
        if name not in counts or kind not in kinds:
            loader.fail(
                ("supervision", name),
                f"expected a split ({', '.join(counts)}) and one of {', '.join(kinds)}; got {name}: {kind!r}",
            )
    return dict(raw) if isinstance(raw, Mapping) else {}
