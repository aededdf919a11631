"""JAMS files of scaper as something that can be built: one clip per file, in the order they are given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from audiosynth.building.orders import Job, Used, by_place
from audiosynth.clip import Recording
from audiosynth.errors import PlanError, UsageError
from audiosynth.files.paths import plain_name
from audiosynth.material.assets import AssetStore
from audiosynth.material.roots import resolve_roots
from audiosynth.records.output import Output, Packing
from audiosynth.scaper.importing import Sources, plan_scene, require_sources
from audiosynth.scaper.jams import read_scene
from audiosynth.scaper.spec import ScaperSpec
from audiosynth.spec import ENGINE, FORMAT, parts, recordings
from audiosynth.versions import libraries, version


@dataclass(frozen=True)
class ScaperOrder:
    """The clips of a list of JAMS files (an `audiosynth.building.orders.Order`)."""

    name: str
    split: str
    specs: tuple[ScaperSpec, ...]
    roots: Mapping[str, Path]
    exports: Sequence[Mapping[str, Any]] = ()
    supervision: Mapping[str, str] = field(default_factory=dict)
    packing: Packing = field(default_factory=Packing)

    @property
    def clips(self) -> Mapping[str, int]:
        """Return the number of clips of the one split."""
        return {self.split: len(self.specs)}

    @property
    def made_from(self) -> Sequence[Path]:
        """Return the folders of the recordings."""
        return [*self.roots.values()]

    @cached_property
    def sha256(self) -> str:
        """Return the hash of what was read."""
        digest = hashlib.sha256()
        for spec in self.specs:
            digest.update(json.dumps(spec.to_json(), sort_keys=True).encode() + b"\n")
        return digest.hexdigest()

    def job(self, split: str, number: int) -> Job:
        """Return clip `number`."""
        if split != self.split:
            raise UsageError(f"no split is called '{split}'; there is {self.split}")
        return Job(self.specs[number], self.sha256)

    def state(self) -> dict[str, Any]:
        """Return everything that decides the bytes of the build."""
        return {
            "jams_sha256": self.sha256,
            "clips": dict(self.clips),
            "labels": json.dumps([dict(tree) for tree in self.exports]),
            "audiosynth": version(),
            "format": FORMAT,
            "engine": ENGINE,
            "libraries": libraries(),
        }

    def head(self) -> dict[str, Any]:
        """Return what `dataset.json` says first."""
        first = self.specs[0]
        return {
            "name": self.name,
            "description": f"{len(self.specs)} soundscapes of scaper, rendered from their JAMS files by scaper's rules",
            "sr": first.sr,
            "channels": first.channels,
            "output": first.output.model_dump(mode="json"),
        }

    def texts(self) -> Mapping[str, str]:
        """Return no files: the specs stand in the manifest."""
        return {}

    def assets(self, used: Collection[Used]) -> list[dict[str, Any]]:
        """Return a row for every recording used."""
        known = {(r.data, r.path, r.sha256): r for spec in self.specs for r in recordings(parts(spec))}
        found: dict[str, Recording] = {}
        for key in by_place(used):
            found.setdefault(key[2], known[key])
        return AssetStore(self.roots).rows(found.values())


def order_of(
    files: Sequence[str | Path],
    *,
    data: Mapping[str, str],
    name: str = "scaper",
    split: str = "scaper",
    output: Output | None = None,
    exports: Sequence[Mapping[str, Any]] = (),
) -> ScaperOrder:
    """Read JAMS files and return what is to be built of them (`audiosynth.build.carry_out`).

    Parameters
    ----------
    files
        JAMS files, in the order of the clips.
    data
        Folder of each data root, below which the sources are found by the longest ending of their paths.
    name, split
        Of the dataset; of its one split.
    output
        What is written; 24-bit WAV by default.
    exports
        Label formats, as in a recipe.

    Raises
    ------
    ParameterError, AssetError, PlanError
        If a file is not scaper's, sources are not found, or a value cannot be had here.
    UsageError
        If there are no files.
    """
    if not files:
        raise UsageError("expected JAMS files, got none")
    if not plain_name(split):
        raise UsageError(f"split: expected a name of a-z, 0-9, _ and -, got {split!r}")
    scenes = [read_scene(Path(file)) for file in files]
    sources = Sources(resolve_roots(dict.fromkeys(data, ""), data, Path()))
    require_sources(scenes, sources)
    written = output or Output(subtype="PCM_24")
    specs = tuple(plan_scene(scene, sources, split=split, ordinal=i, output=written) for i, scene in enumerate(scenes))
    first = specs[0]
    for spec in specs:
        if (spec.sr, spec.channels) != (first.sr, first.channels):
            raise PlanError(
                f"{spec.rules.origin.jams} has {spec.channels} channels at {spec.sr} Hz and {first.rules.origin.jams} "
                f"{first.channels} at {first.sr} Hz; import them into folders of their own"
            )
    return ScaperOrder(name, split, specs, sources.roots, tuple(exports))
