"""What stands beside the page: for every 25 clips a script with their rows and outlines, and a picture of each clip that was read."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from audiosynth.errors import ManifestError
from audiosynth.files.packed import packed_place, stored_bytes
from audiosynth.files.paths import is_inside, safe_path
from audiosynth.leakage import used_by
from audiosynth.material.stems import stem_path, stems_of_row
from audiosynth.report.embed import script_json
from audiosynth.report.preview import mel_ticks
from audiosynth.report.reading import Look, look, outline, save_picture
from audiosynth.sound.fingerprint import Print

SHARD: Final = 25
"""Clips in one script: a click loads one of them."""


@dataclass(frozen=True)
class Shard:
    """Rows whose details go into one file.

    Attributes
    ----------
    number
        Of the file.
    rows
        As in the manifest.
    heard
        Of each row, whether its audio is read.
    """

    number: int
    rows: Sequence[Mapping[str, Any]]
    heard: Sequence[bool]


@dataclass(frozen=True)
class Found:
    """What was found of one clip's audio.

    Attributes
    ----------
    faults
        Names of what is wrong: those of `audiosynth.sound.quality`, and ``missing``, ``unreadable``, ``wrong_length``.
    level_dbfs
        RMS; None if it was not read.
    print
        Fingerprint; None if it was not read.
    """

    faults: tuple[str, ...] = ()
    level_dbfs: float | None = None
    print: Print | None = None


@dataclass(frozen=True)
class Sidecars:
    """The job of a worker: details of a shard of clips.

    Attributes
    ----------
    root
        Folder of the dataset.
    folder
        Where the sidecars go; has ``clips`` and ``pictures``.
    """

    root: Path
    folder: Path

    def __call__(self, shard: Shard) -> list[Found]:
        """Read the audio of a shard, write its files, and return what was found, clip by clip."""
        details, found = [], []
        for row, heard in zip(shard.rows, shard.heard, strict=True):
            seen, faults = self._read(row, heard=heard)
            details.append(self._details(row, seen))
            found.append(_found(seen, faults, row))
        text = f"audiosynthClips({shard.number},{script_json(details)});\n"
        (self.folder / "clips" / f"{shard.number:05d}.js").write_text(text, encoding="utf-8")
        return found

    def _read(self, row: Mapping[str, Any], *, heard: bool) -> tuple[Look | None, tuple[str, ...]]:
        import soundfile

        path = self.root / safe_path(row["path"], place=str(row["clip_id"]))
        if not is_inside(self.root, path):
            raise ManifestError(f"{self.root}: {row['path']} leads outside the dataset through a link")
        packed = self.root / packed_place(row["path"])[0]
        if not path.is_file() and not packed.is_file():
            return None, ("missing",)
        if not heard:
            return None, ()
        try:
            return look(path if path.is_file() else io.BytesIO(stored_bytes(self.root, row["path"]))), ()
        except (OSError, ValueError, soundfile.LibsndfileError):
            return None, ("unreadable",)

    def _details(self, row: Mapping[str, Any], seen: Look | None) -> dict[str, Any]:
        """Return what the page shows of a clip."""
        stems = [
            {"name": stem.file(part), "role": stem.role, "path": stem_path(row["path"], stem.file(part))}
            for stem, parts in stems_of_row(row)
            for part in parts
        ]
        used = used_by(row["spec"]) if row["made_of"]["recordings"] else ()
        data = sorted({what.partition(":")[0] for kind, what in used if kind == "recording"})
        plain = {key: value for key, value in row.items() if key != "stems"}
        details: dict[str, Any] = {"row": plain, "stems": stems, "data": data}
        if seen is not None:
            name = f"{row['clip_id']}.png"
            save_picture(seen.mel, self.folder / "pictures" / name)
            steps, peak = outline(seen)
            details |= {
                "picture": name, "outline": base64.b64encode(steps).decode(), "peak": round(peak, 6),
                "reach": [round(edge, 6) for edge in seen.reach], "marks": mel_marks(int(row["sr"])), "measured": _measured(seen),
            }  # fmt: skip
        return details


@lru_cache(maxsize=8)
def mel_marks(sr: int) -> list[tuple[str, float]]:
    """Return the round frequencies of a picture in kHz, and how far from its top they are, 0 to 1."""
    return [(f"{f / 1000:g}", round(1.0 - high, 4)) for f, high in mel_ticks(sr)]


def _measured(seen: Look) -> dict[str, float | int | None]:
    """Return what was measured of the file, as JSON has it."""
    q = seen.quality
    levels = {"peak_dbfs": q.peak_dbfs, "level_dbfs": q.level_dbfs, "dc_dbfs": q.dc_dbfs}
    return {
        **{key: round(value, 2) if math.isfinite(value) else None for key, value in levels.items()},
        "saturated": q.saturated, "not_finite": q.not_finite,
    }  # fmt: skip


def _found(seen: Look | None, faults: tuple[str, ...], row: Mapping[str, Any]) -> Found:
    if seen is None:
        return Found(faults)
    # Lossy files may be longer by what their codec pads with, never shorter.
    lossless = str(row["path"]).endswith((".wav", ".flac"))
    n = int(row["n_samples"])
    wrong = seen.quality.n_samples != n if lossless else seen.quality.n_samples < n
    more = ("wrong_length",) if wrong else ()
    return Found((*faults, *more, *seen.quality.faults()), seen.quality.level_dbfs, seen.print)
