"""Labels of a finished build in more formats: whole or not at all, and nothing else is touched."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from audiosynth import registry
from audiosynth.building.aside import OLD, alone, aside
from audiosynth.building.finish import view
from audiosynth.building.orders import packing_of
from audiosynth.building.rows import rows_of
from audiosynth.errors import BuildError, ManifestError, UsageError
from audiosynth.files.paths import plain_name
from audiosynth.manifest import open_manifest, parse_row
from audiosynth.records.output import Packing

LATER: Final = "labels/export.json"
"""What was exported after the build, with all options: what `verify` needs to write it again."""


def export_labels(
    root: str | Path, exporters: Iterable[str | Mapping[str, Any]], *, out: str | Path | None = None
) -> dict[str, list[Path]]:
    """Write the labels of a finished build in more formats, below its ``labels/`` or in a folder of your own.

    Parameters
    ----------
    root
        Folder of the build; its audio and manifest are read only.
    exporters
        Names (``"jams"``), or maps with options (``{"type": "desed", "merge": False}``), as a recipe's `export` has them.
    out
        Folder in place of ``labels/``; what is there already is never replaced.

    Returns
    -------
    dict
        The files of each exporter, by its pinned name. All of them appear, or none; below ``labels/``, the folder of an
        earlier export of the same name is replaced.

    Raises
    ------
    UsageError
        If there is no such exporter or option, or `out` cannot take it.
    ManifestError
        If there is no finished build, or a row is not what a build writes.
    BuildError
        If a format cannot hold what a row has.

    Examples
    --------
    >>> import tempfile
    >>> from audiosynth import build, export_labels, load_recipe, shipped_recipe
    >>> root = build(load_recipe(shipped_recipe("quickstart"), clips=1), tempfile.mkdtemp()).root
    >>> [path.name for path in export_labels(root, ["csv"])["csv@1"]]
    ['train.csv', 'test.csv']
    """
    root = Path(root)
    trees = _trees(exporters)
    head = read_head(root)
    _hold_packing(trees, packing_of(head))
    _hold_rows(root)
    folder = _own(root) if out is None else _other(root, Path(out), trees)
    folder.mkdir(parents=True, exist_ok=True)
    dataset = view(root, head)
    if out is not None:
        dataset = replace(dataset, home=Path(os.path.relpath(root, folder / "name")).as_posix())
    written = {}
    with aside(folder) as scratch:
        new = scratch / "new"
        for tree in trees:
            exporter: Any = registry.create("exporters", tree)
            try:
                written[str(tree["type"])] = [folder / path.relative_to(new) for path in exporter.write(dataset, new)]
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                raise ManifestError(
                    f"{root}: a row has not what {tree['type']} needs ({error!r}); was it edited?"
                ) from None
        with alone(folder):  # an export at the same time adds to the list too
            if out is None:
                later = [*(tree for tree in later_exports(root) if _plain(tree) not in map(_plain, trees)), *trees]
                text = json.dumps(sorted(later, key=_plain), ensure_ascii=False, indent=1) + "\n"
                (new / Path(LATER).name).write_text(text, "utf-8")
            _swap(new, folder, scratch / OLD, replacing=out is None)
    return written


def all_exports(root: Path, head: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the exporters' trees of a dataset: the recipe's, and in their place or after them those of later exports."""
    later = later_exports(root)
    return [*(tree for tree in head["export"] if _plain(tree) not in map(_plain, later)), *later]


def read_head(root: Path) -> dict[str, Any]:
    """Return a dataset.json, held to its form: its names become files.

    Raises
    ------
    ManifestError
        If there is no finished build, or the file was edited.
    """
    path = root / "dataset.json"
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(f"{root}: no finished build here (dataset.json is missing); run `build` again") from None
    except (OSError, ValueError, RecursionError):
        tree = None
    if not _sound(tree):
        raise ManifestError(f"{path}: is not what a build writes; was it edited?")
    return dict(tree)


def _sound(tree: Any) -> bool:
    """Return whether a dataset.json has what is needed of it."""
    if not isinstance(tree, dict):
        return False
    tree.setdefault("splits", tree.get("clips"))
    kinds = {"files": dict, "export": list, "splits": dict, "supervision": dict, "name": str}
    return (
        all(isinstance(tree.get(key), kind) for key, kind in kinds.items())
        and all(plain_name(name) and type(n) is int and n >= 0 for name, n in tree["splits"].items())
        and all(isinstance(item, dict) for item in tree["export"])
    )


def _plain(tree: Mapping[str, Any]) -> str:
    return str(tree.get("type")).partition("@")[0]


def later_exports(root: Path, *, name: str = LATER) -> list[dict[str, Any]]:
    """Return the trees of what was exported after the build, as the file `name` below it lists them."""
    path = root / name
    if not path.is_file():
        return []
    try:
        trees = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        trees = None
    if not isinstance(trees, list) or not all(isinstance(tree, dict) for tree in trees):
        raise ManifestError(f"{path}: is not what `export` writes; was it edited? Delete it, and export again")
    return trees


def _trees(exporters: Iterable[str | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the exporters with pinned types and all options written out."""
    trees: list[dict[str, Any]] = []
    for item in exporters:
        tree = {"type": item} if isinstance(item, str) else item
        try:
            trees.append(registry.dump(registry.create("exporters", tree)))
        except ValidationError as error:
            said = [".".join(map(str, loc)) + f": {text}" for loc, text in registry.explain(error, str(tree["type"]))]
            raise UsageError(f"exporter {tree['type']}: {'; '.join(said)}") from None
    names = [_plain(tree) for tree in trees]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"exporter {twice}: is asked for twice; both would write the same files")
    return trees


def reads_audio(tree: Mapping[str, Any]) -> bool:
    """Return whether labels in a format are made from the audio too; one of another package may be, unless it says it is not.

    Examples
    --------
    >>> reads_audio({"type": "jsonl"}), reads_audio({"type": "webdataset"})
    (False, True)
    """
    foreign = ":" in str(tree["type"])
    return bool(getattr(registry.create("exporters", tree), "reads_audio", foreign))


def _hold_packing(trees: Iterable[Mapping[str, Any]], packing: Packing) -> None:
    """Check that every format is of use beside the audio as it is packed."""
    for tree in trees:
        if why := packing.refusal(registry.create("exporters", tree)):
            raise BuildError(f"{_plain(tree)}: {why}")


def _hold_rows(root: Path) -> None:
    """Check every row before anything is written: names in them become files, audio may be read."""
    for place, tree in rows_of(open_manifest(root)):
        parse_row(tree, place=place)


def _own(root: Path) -> Path:
    folder = root / "labels"
    if not folder.resolve().is_relative_to(root.resolve()):
        raise ManifestError(f"{folder}: is a link that leads outside the dataset; give a folder with -o")
    return folder


def _other(root: Path, out: Path, trees: Sequence[Mapping[str, Any]]) -> Path:
    """Return a folder of the user's, in which nothing stands where the exporters write."""
    kept = [root / name for name in ("audio", "labels")]
    if out.is_file():
        raise UsageError(f"{out}: is a file; give a folder with -o")
    if any(out.resolve().is_relative_to(folder.resolve()) for folder in kept):
        raise UsageError(f"{out}: is the dataset's own; give another folder with -o, or none for its labels/")
    for tree in trees:
        if (out / _plain(tree)).exists():
            raise UsageError(f"{out / _plain(tree)}: is there already; choose another folder with -o, or remove it")
    return out


def _swap(new: Path, folder: Path, old: Path, *, replacing: bool) -> None:
    """Put everything in `new` into `folder` by renames, what stood there into `old`; back again if one fails.

    The list of formats is last, and takes the place of the one before in one step: after a kill it names nothing that is yet to come,
    and none of what was listed is forgotten.
    """
    listed = Path(LATER).name
    names = sorted((path.name for path in new.iterdir()), key=lambda name: (name == listed, name))
    taken = [name for name in names if (folder / name).exists()]
    if taken and not replacing:
        raise UsageError(f"{folder / taken[0]}: is there already; choose another folder with -o, or remove it")
    old.mkdir()
    try:
        for name in names:
            if name in taken and name == listed:
                shutil.copyfile(folder / name, old / name)
                (new / name).replace(folder / name)
                continue
            if name in taken:
                (folder / name).rename(old / name)
            (new / name).rename(folder / name)
    except BaseException as error:  # a signal too must not leave half of it
        for name in names:
            if not (new / name).exists():
                (folder / name).rename(new / name)
            if (old / name).exists():
                (old / name).replace(folder / name)
        if not isinstance(error, OSError):
            raise
        raise BuildError(f"{folder}: cannot be written ({error.strerror or error}); nothing was changed") from None
