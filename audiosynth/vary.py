"""A set made again from its manifest with one thing changed: the same clips, and what was set is all that differs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiosynth.build import Built, carry_out
from audiosynth.building.finish import read_assets
from audiosynth.building.index import ManifestIndex
from audiosynth.building.orders import Job, Used, by_place, origin_of, packing_of
from audiosynth.building.row_files import index_of
from audiosynth.building.rows import is_packed, raw_lines
from audiosynth.building.vary_rows import Survey, still_true, varied
from audiosynth.building.vary_set import Found, Setting
from audiosynth.clip import Recording
from audiosynth.exports import read_head
from audiosynth.manifest import open_manifest, parse_row, read_rows
from audiosynth.material.assets import AssetStore
from audiosynth.material.roots import resolve_roots
from audiosynth.records.output import Packing
from audiosynth.spec import ENGINE, FORMAT, ClipSpec
from audiosynth.versions import libraries, version


@dataclass(frozen=True)
class Variation:
    """The clips of a manifest, with something set.

    Attributes
    ----------
    manifest, sha256
        The parent's rows, and the hash of that file.
    settings
        What is set.
    clips, offsets
        Number of clips per split; where in the file their rows begin.
    index
        What finds the rows of a packed manifest.
    changed
        Clips whose specs differ from their parents'.
    roots
        Folder of each data root.
    recordings
        What the rows name, by content.
    parent
        The parent's ``dataset.json``, empty where the manifest stands alone.
    """

    manifest: Path
    sha256: str
    settings: tuple[Setting, ...]
    clips: Mapping[str, int]
    offsets: Mapping[str, Sequence[int]]
    changed: int
    first: ClipSpec
    roots: Mapping[str, Path] = field(default_factory=dict)
    recordings: Mapping[str, Recording] = field(default_factory=dict)
    parent: Mapping[str, Any] = field(default_factory=dict)
    index: ManifestIndex | None = None

    @property
    def name(self) -> str:
        """Return the parent's name and what is set, as a name of a folder."""
        words = " ".join(setting.text for setting in self.settings)
        for sign, word in (("+", "plus "), ("*", "times "), ("-", "minus ")):
            words = re.sub(rf"=\s*\{sign}", f" {word}", words)
        slug = re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_")
        whole = "-".join(part for part in (str(self.parent.get("name", self.manifest.stem)), slug) if part)
        return re.sub(r"[^A-Za-z0-9_-]+", "_", whole).strip("_-")[:64] or "varied"

    @property
    def made_from(self) -> Sequence[Path]:
        """Return the parent's manifest and the folders of the data roots."""
        return [self.manifest, *self.roots.values()]

    @property
    def exports(self) -> Sequence[Mapping[str, Any]]:
        """Return the exporters of the parent's recipe."""
        found: Sequence[Mapping[str, Any]] = self.parent.get("export", [{"type": "jsonl"}])
        return found

    @property
    def packing(self) -> Packing:
        """Return how the files of the parent are packed."""
        return packing_of(self.parent)

    @property
    def supervision(self) -> Mapping[str, str]:
        """Return which splits are weakly labeled or not at all."""
        return dict(self.parent.get("supervision", {}))

    def job(self, split: str, number: int) -> Job:
        """Return a row's clip with its settings applied."""
        place = f"{self.manifest} clip {number} of {split}"
        row = parse_row(dict(json.loads(self._line(split, number))), place=place)
        spec = varied(row.spec, self.settings, [Found() for _ in self.settings])
        decisions, kept = still_true(row, spec)
        texts = [setting.text for setting in self.settings]
        parent = {"clip_id": row.clip_id, "pcm_sha256": row.pcm_sha256, "set": texts}
        return Job(spec, str(row.tree.get("recipe", "")), decisions, kept, {**origin_of(row.tree), "parent": parent})

    def _line(self, split: str, number: int) -> bytes:
        if self.index is not None:
            return self.index.line(self.index.splits[split].first + number)
        with self.manifest.open("rb") as file:
            file.seek(self.offsets[split][number])
            return file.readline()

    def state(self) -> dict[str, Any]:
        """Return everything that decides the bytes of the build."""
        told = json.dumps([self.name, self.exports, self.supervision], sort_keys=True, ensure_ascii=False)
        return {
            "parent_sha256": self.sha256,
            "set": [setting.text for setting in self.settings],
            "clips": dict(self.clips),
            "labels": hashlib.sha256(told.encode()).hexdigest(),
            "audiosynth": version(),
            "format": FORMAT,
            "engine": ENGINE,
            "libraries": libraries(),
        }

    def head(self) -> dict[str, Any]:
        """Return what `dataset.json` says first."""
        return {
            "name": self.name,
            "description": str(self.parent.get("description", "")),
            "sr": self.first.sr,
            "channels": self.first.channels,
            "output": {**self.first.output.model_dump(mode="json"), **self.packing.told()},
            **({"licence": self.parent["licence"]} if self.parent.get("licence") else {}),
            "parent": {
                "name": str(self.parent.get("name", "")),
                "manifest_sha256": self.sha256,
                "set": [setting.text for setting in self.settings],
                "changed": self.changed,
            },
        }

    def texts(self) -> Mapping[str, str]:
        """Return nothing: no recipe makes this set."""
        return {}

    def assets(self, used: Collection[Used]) -> list[dict[str, Any]]:
        """Return the parent's rows of the recordings used; without them, what the manifest itself knows."""
        beside = self.manifest.parent / "assets.jsonl"
        known = {row["sha256"]: row for row in read_assets(beside)} if beside.is_file() else {}
        hashes = dict.fromkeys(sha256 for _, _, sha256 in by_place(used))
        found = AssetStore(self.roots).rows(self.recordings[sha256] for sha256 in hashes if sha256 not in known)
        made = {row["sha256"]: row for row in found}
        return [known.get(sha256) or made[sha256] for sha256 in hashes]


def vary(
    manifest: str | Path,
    root: str | Path,
    *,
    set_values: Iterable[str] = (),
    data: Mapping[str, str] | None = None,
    workers: int = 1,
    fresh: bool = False,
    keep_going: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Built:
    """Make the set of a manifest again into another folder, with something changed in every clip that has it.

    Parameters
    ----------
    manifest
        A dataset's folder, or a manifest file; beside it, ``dataset.json`` says which labels to write and ``assets.jsonl``
        whom to credit.
    root
        Folder of the new dataset, resumed like a build.
    set_values
        ``path=value`` in the words of recipe and spec: ``noise.snr_db=6``, ``events[label=dog].snr_db=+3``,
        ``events[*].source.amplitude=*0.5``. A number after ``+`` is added (``+-3`` takes away), one after ``*`` multiplied.
    data
        Folders of data roots, as `audiosynth.reproduce` takes them.
    workers, fresh, keep_going, progress
        As `audiosynth.build` takes them.

    Raises
    ------
    UsageError
        If a path is in none of the clips, or nothing would change.
    PlanError
        If a value is not allowed where it stands, or does not fit the rest of a clip; the message names the clip.
    ManifestError
        If a row is malformed, or rows are not in the order of a build.

    Notes
    -----
    Dice are never thrown: seeds, places and parameters are the parent's wherever they are not set or follow from what is.
    Of the decisions of a row, those stay that are still true: all of them where only labels and output differ, the delays and
    gains of rooms and layers where levels do; everything else is measured anew. ``parent`` in every row names the clip it was
    made from, that clip's hash, and what was set.

    Examples
    --------
    >>> import tempfile
    >>> from audiosynth import build, load_recipe, shipped_recipe, vary
    >>> built = build(load_recipe(shipped_recipe("quickstart"), clips=2), tempfile.mkdtemp())
    >>> vary(built.root, tempfile.mkdtemp(), set_values=["noise.level_dbfs=+3"]).clips
    4
    """
    order = variation(manifest, set_values, data=data)
    return carry_out(order, Path(root), workers=workers, fresh=fresh, keep_going=keep_going, progress=progress)


def variation(
    manifest: str | Path,
    set_values: Iterable[str] = (),
    *,
    data: Mapping[str, str] | None = None,
) -> Variation:
    """Read every row of a manifest and check what is set against it; see `vary`."""
    path = open_manifest(Path(manifest))
    settings = tuple(Setting.parse(text) for text in set_values)
    parent = read_head(path.parent) if (path.parent / "dataset.json").is_file() else {}
    survey = Survey(settings, dict.fromkeys(parent.get("splits", ()), 0))
    with raw_lines(path) as file:
        for place, tree in read_rows(survey.lines(file), name=str(path)):
            survey.add(place, tree)
    survey.require_changes(path)
    names = {recording.data for recording in survey.recordings.values()} | set(data or {})
    roots = resolve_roots(dict.fromkeys(sorted(names), ""), data or {}, Path(), missing_ok=True)
    first = next(iter(survey.first))
    return Variation(
        path, survey.digest.hexdigest(), settings, survey.clips, survey.offsets, survey.changed, first, roots,
        survey.recordings, parent, index_of(path) if is_packed(path) else None,
    )  # fmt: skip
