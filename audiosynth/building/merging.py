"""Finished parts of a build become the whole: byte for byte the tree of a build that was never shared out."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from audiosynth.building.again import LOST, lost_by_unit
from audiosynth.building.crew import Task
from audiosynth.building.finish import CARD, read_assets
from audiosynth.building.folder import WORK
from audiosynth.building.orders import Job, Used, packing_of
from audiosynth.building.parts import Shard
from audiosynth.building.placing import place, put
from audiosynth.building.rows import filled, lines_of
from audiosynth.building.state import changes
from audiosynth.building.units import Unit, unit_name, units_of
from audiosynth.errors import BuildError, ManifestError, UsageError, few
from audiosynth.exports import read_head
from audiosynth.files.hashes import file_sha256
from audiosynth.files.paths import is_inside, safe_path
from audiosynth.manifest import open_manifest
from audiosynth.material.stems import stem_path
from audiosynth.records.output import Packing

MOST_NAMED: Final = 12
"""Missing shards told one by one."""


@dataclass(frozen=True)
class Part:
    """A finished part: its folder, its shard, its ``dataset.json``."""

    root: Path
    shard: Shard
    head: Mapping[str, Any]

    @property
    def state(self) -> dict[str, Any]:
        """Return what the whole build's state is."""
        return {key: value for key, value in self.head["build"].items() if key != "shard"}

    @property
    def stays_loose(self) -> bool:
        """Return whether the audio stays in files, which `verify` holds against the rows; of a tar it knows the tar's own hash."""
        return packing_of(self.head).audio != "tar"

    def held(self, name: str) -> Path:
        """Return a file beside the audio, which is what was written.

        Raises
        ------
        BuildError
            If it is another, or is not there.
        """
        path = self.root / name
        if not path.is_file() or file_sha256(path) != self.head["files"].get(name):
            raise self.damaged(path)
        return path

    def damaged(self, path: Path) -> BuildError:
        """Return what to tell the user about a file that is not what was written."""
        return BuildError(f"{path}: is not what was written; copy the part again, or build shard {self.shard} again")

    def texts(self) -> dict[str, str]:
        """Return the files beside the manifest that every part has alike."""
        own = ("manifest.", "assets.", CARD)
        names = [name for name in self.head["files"] if "/" not in name and not name.startswith(own)]
        return {name: (self.root / safe_path(name, place=str(self.root))).read_text("utf-8") for name in names}


@dataclass(frozen=True)
class MergedOrder:
    """The whole that finished parts make up; nothing is rendered for it."""

    parts: tuple[Part, ...]

    @property
    def _first(self) -> Mapping[str, Any]:
        return self.parts[0].head

    @property
    def name(self) -> str:
        """Return the dataset's name."""
        return str(self._first["name"])

    @property
    def clips(self) -> Mapping[str, int]:
        """Return the number of clips per split."""
        found: Mapping[str, int] = self._first["build"]["clips"]
        return found

    @property
    def roots(self) -> Mapping[str, Path]:
        """Return nothing: no recording is read."""
        return {}

    @property
    def made_from(self) -> Sequence[Path]:
        """Return a file of each part."""
        return [part.root / "dataset.json" for part in self.parts]

    @property
    def exports(self) -> Sequence[Mapping[str, Any]]:
        """Return the exporters of the whole."""
        found: Sequence[Mapping[str, Any]] = self._first["part"]["export"]
        return found

    @property
    def supervision(self) -> Mapping[str, str]:
        """Return which splits are weakly labeled or not at all."""
        found: Mapping[str, str] = self._first["supervision"]
        return found

    @property
    def packing(self) -> Packing:
        """Return how the files of the set are packed."""
        return packing_of(self._first)

    def job(self, split: str, number: int) -> Job:
        """Refuse to make a clip."""
        raise UsageError(f"clip {number} of {split}: a merge makes no clips")

    def state(self) -> dict[str, Any]:
        """Return the state of the build that was shared out."""
        return self.parts[0].state

    def head(self) -> dict[str, Any]:
        """Return what `dataset.json` says first."""
        return dict(self._first["part"]["head"])

    def texts(self) -> Mapping[str, str]:
        """Return the files beside the manifest."""
        return self.parts[0].texts()

    def assets(self, used: Collection[Used]) -> list[dict[str, Any]]:  # noqa: ARG002
        """Return the parts' asset rows as the whole build has them: each content once, at the first of its places."""
        rows = [row for part in self.parts for row in read_assets(part.held("assets.jsonl"))]
        found: dict[str, dict[str, Any]] = {}
        for row in sorted(rows, key=lambda row: (row["data"], row["path"].encode())):
            found.setdefault(row["sha256"], row)
        return [*found.values()]

    def crew(self, task: Task, units: Sequence[Unit]) -> Generator[int, None, None]:
        """Bring audio and rows of the units in from the parts (a `Crew`), one part after the other."""
        todo = {unit.name for unit in units}
        for part in self.parts:
            own = [unit.name for unit in part.shard.units(units_of(self.clips)) if unit.name in todo]
            if own:
                yield from _bring_part(part, own, task.root)


def _bring_part(part: Part, names: Sequence[str], root: Path) -> Generator[int, None, None]:
    """Bring a part's units in: their audio first, their rows last."""
    manifest = part.held(open_manifest(part.root).name)
    failed = _failed(part)
    work, todo = root / WORK, dict.fromkeys(names)
    with lines_of(manifest) as lines:
        rows = ((line, json.loads(line)) for line in filled(lines))
        for name, found in groupby(rows, key=lambda pair: unit_name(pair[1]["split"], pair[1]["spec"]["ordinal"])):
            if name in todo:
                del todo[name]
                yield _bring_unit(part, name, list(found), failed.get(name, ""), root)
    for name in todo:  # none of its clips could be made
        put(work / "failed" / name, failed.get(name, "").encode(), scratch=work / "tmp")
        put(work / "units" / name, b"", scratch=work / "tmp")
        yield 0


def _bring_unit(part: Part, name: str, rows: Sequence[tuple[str, Mapping[str, Any]]], failed: str, root: Path) -> int:
    scratch = root / WORK / "tmp"
    for _, row in rows:
        path = safe_path(row["path"], place=f"{part.root} {row['clip_id']}")
        _bring(part, path, row["file_sha256"], root)
        for stem, digest in row.get("stems", {}).items():
            _bring(part, safe_path(stem_path(path, stem), place=str(part.root)), digest, root)
    if failed:
        put(root / WORK / "failed" / name, failed.encode(), scratch=scratch)
    put(root / WORK / "units" / name, "".join(line for line, _ in rows).encode(), scratch=scratch)
    return len(rows)


def _bring(part: Part, name: str, digest: str, root: Path) -> None:
    """Link one file into the whole, or copy it where that cannot be; the part keeps it."""
    source = part.root / name
    if not is_inside(part.root, source):
        raise BuildError(
            f"{source}: leads outside the part through a link; copy the part again, its files and not links to them"
        )

    def make(name: str) -> str:
        temporary = Path(name)
        # Renaming a link to another of the same file leaves both (POSIX): what is copied to that one is written into the part.
        temporary.unlink(missing_ok=True)
        try:
            os.link(source, temporary)
            linked = True
        except FileNotFoundError:
            raise
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, temporary)
            linked = False
        if not (linked and part.stays_loose) and file_sha256(temporary) != digest:
            raise BuildError(f"{source}: is not what was written; copy the part again")
        return digest

    try:
        place(root / name, root / WORK / "tmp", make)
    except FileNotFoundError:
        if source.is_file():
            raise
        raise BuildError(
            f"{source}: is not there; copy the whole part again, or build shard {part.shard} again"
        ) from None


def _failed(part: Part) -> dict[str, str]:
    """Return the lines of clips that could not be made, by unit."""
    path = part.root / LOST
    found = lost_by_unit(path)
    if sum(text.count("\n") for text in found.values()) != part.head.get("failed", 0):
        raise part.damaged(path)
    return found


def read_part(folder: Path) -> Part:
    """Return a finished part.

    Raises
    ------
    BuildError
        If the folder holds none, or is not there.
    """
    if not folder.is_dir():
        kind = "a file; expected the folder of a part" if folder.exists() else "no such folder"
        raise BuildError(f"{folder}: {kind}; parts are made with `build --shard K/N`, below output/NAME.parts")
    if (folder / WORK).is_dir() and not (folder / "dataset.json").is_file():
        raise BuildError(f"{folder}: an unfinished part; run its `build --shard` again, it goes on where it stopped")
    try:
        head = read_head(folder)
        head["part"]["head"], head["part"]["export"]
        return Part(folder, Shard.parse(str(head["build"]["shard"])), head)
    except (ManifestError, UsageError, KeyError, TypeError):
        raise BuildError(f"{folder}: holds no part of a build; parts are made with `build --shard K/N`") from None


def require_whole(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return the parts of one build in their order.

    Raises
    ------
    BuildError
        If one is missing, there twice, or of another build.
    """
    first, by_number = parts[0], dict[int, Part]()
    for part in parts:
        told = changes(first.state, part.state)
        if part.shard.of != first.shard.of:
            told = f"it is shard {part.shard}, the other {first.shard}"
        if not told and part.texts() != first.texts():
            told = "the files beside the manifest"
        if told:
            raise BuildError(f"{part.root}: is a part of another build than {first.root}; different: {told}")
        twin = by_number.setdefault(part.shard.number, part)
        if twin is not part:
            raise BuildError(f"shard {part.shard} is there twice: {twin.root} and {part.root}; leave one of them out")
    missing = [str(Shard(n, first.shard.of)) for n in range(1, first.shard.of + 1) if n not in by_number]
    if missing:
        raise BuildError(f"missing: shard {few(missing, MOST_NAMED)}; build them, or name their folders too")
    return tuple(part for _, part in sorted(by_number.items()))
