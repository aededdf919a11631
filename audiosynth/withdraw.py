"""Take recordings out of a built set: the clips that used them are made again without, all others stay as they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from audiosynth.build import Built, carry_out
from audiosynth.building.again import AGAIN, drop_views
from audiosynth.building.chosen import chosen
from audiosynth.building.folder import WORK, locked
from audiosynth.building.orders import RecipeOrder
from audiosynth.building.placing import put
from audiosynth.building.rows import filled, raw_lines, rows_of
from audiosynth.building.state import changes, state_of
from audiosynth.building.units import KEPT, unit_name
from audiosynth.clip import Member, Recording, Withheld
from audiosynth.errors import BuildError, WithdrawnError
from audiosynth.exports import later_exports, read_head
from audiosynth.kept import Kept
from audiosynth.manifest import open_manifest
from audiosynth.material.stems import stem_path
from audiosynth.material.withdrawn import NAME, Gone, withhold
from audiosynth.plan import planned
from audiosynth.recipe import load_recipe
from audiosynth.records.loaded import MAX_POOLS, Recipe


@dataclass(frozen=True)
class Withdrawal:
    """What taking recordings out of a set would do.

    Attributes
    ----------
    root, recipe
        The set's folder; its recipe, without the recordings.
    gone, paths
        The recordings by catalogue; where their files are, below their data roots.
    refilled, removed
        Clips that are made again with another recording, and those for which there is none: they are left out.
    """

    root: Path
    recipe: Recipe
    gone: tuple[Gone, ...]
    paths: tuple[str, ...]
    refilled: tuple[str, ...]
    removed: tuple[str, ...]


def withdrawal(
    root: str | Path, *, assets: Iterable[str] = (), speakers: Iterable[str] = (), data: Mapping[str, str] | None = None
) -> Withdrawal:
    """Return what it would take to withdraw recordings from a set; nothing is changed.

    Parameters
    ----------
    root
        Folder of a finished build.
    assets
        SHA-256 of recordings, or their first digits (8 at least), or their paths as rows have them: below their data root, alone or
        after its name (``words:yes/ann.wav``).
    speakers
        What catalogues call people; every recording of theirs is withdrawn, whether a clip uses it or not. A file that holds
        several people goes as a whole.
    data
        Folders of data roots, as `audiosynth.load_recipe` takes them.

    Raises
    ------
    UsageError
        If no recording is of that hash, path or speaker, or several are of a hash or path.
    BuildError
        If the set was not built from a recipe, or its recipe, data or libraries have changed since.
    """
    root = Path(root)
    head = read_head(root)
    later_exports(root)  # a list that was edited is told of while nothing has changed
    if "shard" in head.get("build", {}):
        raise BuildError(
            f"{root}: is part {head['build']['shard']} of a build; put all parts together with `audiosynth merge` and withdraw from that set"
        )
    recipe = _recipe_of(root, data)
    recipe = replace(recipe, clips=dict(head.get("build", {}).get("clips", recipe.clips)))
    changed = changes(head.get("build", {}), state_of(recipe))
    if changed:
        raise BuildError(
            f"{root}: cannot be filled up again, as this changed since it was built: {changed}; bring that back, or build the set anew"
        )
    if recipe.packing.audio == "tar":
        raise BuildError(
            f"{root}: clips in tar files cannot be taken out one by one; build the set with `audio: files` to withdraw from it"
        )
    gone, paths = chosen(recipe, [*assets], [*speakers])
    after = without(recipe, gone)
    refilled: list[str] = []
    removed: list[str] = []
    for clip_id, there in _differing(open_manifest(root), after):
        (refilled if there else removed).append(clip_id)
    if len(removed) == sum(head["splits"].values()):
        raise BuildError(f"{root}: without these recordings nothing would be left of the set; delete it")
    return Withdrawal(root, after, gone, paths, tuple(refilled), tuple(removed))


def without(recipe: Recipe, gone: Iterable[Gone]) -> Recipe:
    """Return a recipe whose draws never give some recordings, and otherwise give what they gave."""
    withdrawn = recipe.withdrawn.with_more([*gone])
    held = {item.sha256: Withheld(item.sha256, item.fields, item.splits) for item in withdrawn.recordings}

    def now(member: Member) -> Member:
        return held.get(member.sha256, member) if isinstance(member, Recording) else member

    catalogues = {name: withhold(found, withdrawn) for name, found in recipe.catalogues.items()}
    members = {key: tuple(map(now, found)) for key, found in recipe.members.items()}
    return replace(recipe, catalogues=catalogues, members=members, withdrawn=withdrawn, _pools=Kept(MAX_POOLS))


def withdraw(found: Withdrawal, *, workers: int = 1, progress: Callable[[int, int], None] | None = None) -> Built:
    """Carry a withdrawal out.

    Parameters
    ----------
    found
        From `withdrawal`.
    workers, progress
        As `audiosynth.build` takes them.

    Returns
    -------
    built
        The set as it is now: the tree of a fresh build of its ``recipe.yaml`` beside its ``withdrawn.json``.

    Raises
    ------
    BuildError
        If the folder is in use or cannot be written; what was done stays, and `go_on` does the rest.
    """
    (found.root / WORK).mkdir(exist_ok=True)
    with locked(found.root):
        _stage(found)
    return _carry_on(found.root, found.recipe, workers, progress)


def begun(root: str | Path) -> bool:
    """Return whether a withdrawal was interrupted in a folder: before the set was whole, or before all of its labels were there.

    A build that tried clips of the set again may have been interrupted there too; what is left to do is the same.
    """
    return Path(root, AGAIN if _is_whole(root) else f"{WORK}/{NAME}").is_file()


def _is_whole(root: str | Path) -> bool:
    return Path(root, "dataset.json").is_file()


def go_on(
    root: str | Path, *, data: Mapping[str, str] | None = None, workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Built:  # fmt: skip
    """Finish a withdrawal that was interrupted; see `withdraw`."""
    root = Path(root)
    if not begun(root):
        raise BuildError(f"{root}: nothing was interrupted here")
    if _is_whole(root):
        state = read_head(root)["build"]
    else:
        _obey(root)
        state = json.loads((root / WORK / "state.json").read_text(encoding="utf-8"))
    recipe = _recipe_of(root, data)
    return _carry_on(root, replace(recipe, clips=state["clips"]), workers, progress)


def _recipe_of(root: Path, data: Mapping[str, str] | None) -> Recipe:
    if not (root / "recipe.yaml").is_file():
        raise BuildError(
            f"{root}: was not built from a recipe; withdraw from the set it was made from, and make this one again"
        )
    return load_recipe(root / "recipe.yaml", data=data, keep_going=(root / "failures.tsv").is_file())


def _differing(manifest: Path, after: Recipe) -> Iterator[tuple[str, bool]]:
    """Yield the clips that a recipe plans otherwise than their rows say, and whether it plans them at all."""
    for _, row in rows_of(manifest):
        spec = row["spec"]
        try:
            new, _ = planned(after, spec["split"], spec["ordinal"])
        except WithdrawnError:
            yield row["clip_id"], False
            continue
        if new.to_json() != spec:
            yield row["clip_id"], True


def _stage(found: Withdrawal) -> None:
    """Put the rows that stay aside; from where ``dataset.json`` is gone, the folder is an unfinished build of what is to be."""
    work = found.root / WORK
    for name in ("tmp", "units", KEPT, "failed"):
        shutil.rmtree(work / name, ignore_errors=True)
    for name in ("tmp", KEPT):
        (work / name).mkdir()
    affected = {*found.refilled, *found.removed}
    with raw_lines(open_manifest(found.root)) as lines:
        for unit, rows in groupby(_staying(lines, affected), key=itemgetter(0)):
            with (work / KEPT / unit).open("ab") as kept:
                kept.writelines(line for _, line in rows)
    put(work / "state.json", json.dumps(state_of(found.recipe), ensure_ascii=False).encode(), scratch=work / "tmp")
    put(work / NAME, found.recipe.withdrawn.text.encode(), scratch=work / "tmp")
    (found.root / "dataset.json").unlink()


def _staying(lines: Iterable[bytes], affected: Container[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the rows that stay, each with its unit, which planning has held against the recipe."""
    for line in filled(lines):
        row = json.loads(line)
        if row["clip_id"] not in affected:
            yield unit_name(row["spec"]["split"], row["spec"]["ordinal"]), line


def _obey(root: Path) -> None:
    """Put the list where loading the recipe finds it."""
    (root / WORK / "tmp").mkdir(
        exist_ok=True
    )  # a build that goes on clears it first, and may have been killed right then
    put(root / NAME, (root / WORK / NAME).read_bytes(), scratch=root / WORK / "tmp")


def _carry_on(root: Path, recipe: Recipe, workers: int, progress: Callable[[int, int], None] | None) -> Built:
    if not _is_whole(root):
        with locked(root):  # another process may be making what would be swept away
            _obey(root)
            _sweep(root)
    failed = (root / "failed.jsonl").is_file()
    return carry_out(RecipeOrder(recipe), root, workers=workers, keep_going=failed, progress=progress)


def _sweep(root: Path) -> None:
    """Delete the audio of clips whose rows do not stand, the report, and all labels."""
    named: set[str] = set()
    for folder in (KEPT, "units"):
        for path in sorted((root / WORK / folder).glob("*.jsonl")):
            for line in path.read_bytes().splitlines():
                row = json.loads(line)
                named.update((row["path"], *(stem_path(row["path"], stem) for stem in row.get("stems", ()))))
    for path in sorted((root / "audio").rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(root).as_posix() not in named:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    drop_views(root)
