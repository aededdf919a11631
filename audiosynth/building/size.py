"""How much a recipe's set will take: hours of audio and bytes of files, from the first of its clips, before any is rendered."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audiosynth.building.folder import WORK
from audiosynth.building.parts import Shard
from audiosynth.building.units import units_of
from audiosynth.errors import AudiosynthError
from audiosynth.files.containers import BITS
from audiosynth.files.paths import nearest_folder
from audiosynth.material.stems import Source, stems_of
from audiosynth.plan import plan_clip
from audiosynth.records.loaded import Recipe
from audiosynth.spec import ClipSpec

MOST_PLANNED: Final = 8
"""Clips that are planned for it; a set whose clips are alike is known by these, and a plan may take long."""


@dataclass(frozen=True)
class Size:
    """What so many clips take: seconds of audio, bytes of audio files with their stems (those of packed formats at most)."""

    seconds: float
    n_bytes: float


def size_of(recipe: Recipe, clips: Mapping[str, int] | None = None) -> Size | None:
    """Return what the recipe's clips take, or so many of each split; None if the first of them cannot be planned."""
    wanted = {split: n for split, n in (recipe.clips if clips is None else clips).items() if n and recipe.clips[split]}
    seconds = n_bytes = 0.0
    for split, count in wanted.items():
        n = max(1, min(MOST_PLANNED // len(wanted), recipe.clips[split]))
        try:
            specs = [plan_clip(recipe, split, ordinal) for ordinal in range(n)]
        except AudiosynthError:  # the build itself says why, or leaves it out
            return None
        seconds += count / n * sum(spec.n_samples / spec.sr for spec in specs)
        n_bytes += count / n * sum(map(_bytes_of, specs))
    return Size(seconds, n_bytes)


def _bytes_of(spec: ClipSpec) -> int:
    out, values = spec.output, spec.n_samples * spec.channels
    stems = 0
    if out.stems:
        asked = out.wanted
        sources = [Source(event.label, event.name, event.role) for event in spec.events]
        n_layers = 0 if spec.noise is None else len(spec.noise.layers)
        made = stems_of(sources, n_layers, by=asked.by, layers=asked.layers)
        stems = sum(len(asked.parts) if stem.events else 1 for stem in made) * BITS[asked.subtype]
    return values * (BITS[out.subtype] + stems) // 8


def without_room(recipe: Recipe, root: Path, shard: Shard | None = None) -> str:
    """Return a warning if the clips that a build in `root` has still to make are more than its disk takes; empty if not."""
    if (root / "dataset.json").is_file():
        return ""
    made = {path.name for path in (root / WORK / "units").glob("*.jsonl")}
    clips = dict(recipe.clips)
    if made or shard is not None:
        clips = dict.fromkeys(clips, 0)
        units = units_of(recipe.clips)
        for unit in units if shard is None else shard.units(units):
            clips[unit.split] += 0 if unit.name in made else len(unit)
    try:
        free = shutil.disk_usage(nearest_folder(root)).free
    except OSError:  # a file system that cannot tell
        return ""
    size = size_of(recipe, clips)
    if size is None or size.n_bytes <= free or not free:
        return ""
    about = "about" if recipe.output.format == "wav" else "at most about"
    return (
        f"{root}: the audio still to be made needs {about} {told(size.n_bytes)}, and {told(free)} are free there; free some space, choose "
        "another disk with -o, or give -o URL with --free-local. A build that finds the disk full stops, and goes on when run again"
    )


def told(n_bytes: float) -> str:
    """Return a number of bytes as people say it.

    Examples
    --------
    >>> told(3_210_000_000), told(320e9), told(999), told(4.2e6)
    ('3.2 GB', '320 GB', '1 kB', '4.2 MB')
    """
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.{1 if n_bytes < 10 * factor else 0}f} {unit}"
    return f"{n_bytes / 1e3:.0f} kB"
