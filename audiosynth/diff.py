"""What differs between two sets, clip by clip: which are there, their parameters, their samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from audiosynth.building.index import ManifestIndex
from audiosynth.building.row_files import index_of
from audiosynth.building.rows import rows_of
from audiosynth.building.stored import samples_at
from audiosynth.errors import ManifestError
from audiosynth.files.paths import safe_path
from audiosynth.language.compiler import path_text
from audiosynth.manifest import open_manifest

_ABSENT: Final = object()


@dataclass(frozen=True)
class Change:
    """One value that differs: its path in the clip's spec, and what stands there; a side that has nothing there is left out."""

    path: str
    values: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data: path, and first, second or both."""
        return {"path": self.path, **self.values}


@dataclass(frozen=True)
class ClipDifference:
    """A clip that is not the same in two sets.

    Attributes
    ----------
    clip_id
        Its name.
    where
        ``both``, or ``first`` or ``second`` for a clip that only one of them has; nothing else is told of those.
    parameters
        What differs in its spec.
    samples, labels, decisions, files
        Whether its 16-bit samples (by their hash), its labels, what was decided from its sound, the bytes of its files differ.
    max_abs
        Largest difference of two samples as their files have them, full scale 1.0; None unless that was asked for, the samples differ, and
        both have as many at the same rate.
    """

    clip_id: str
    where: str = "both"
    parameters: tuple[Change, ...] = ()
    samples: bool = False
    labels: bool = False
    decisions: bool = False
    files: bool = False
    max_abs: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        if self.where != "both":
            return {"clip_id": self.clip_id, "where": self.where}
        return {**vars(self), "parameters": [change.as_dict() for change in self.parameters]}


@dataclass
class Compared:
    """Two manifests and how many rows each has; `differences` goes through them once."""

    first: Path
    second: Path
    audio: bool = False
    rows: tuple[int, int] = (0, 0)
    _indexes: tuple[ManifestIndex, ...] = field(default=(), repr=False)

    def differences(self) -> Iterator[ClipDifference]:
        """Yield the clips that differ, in the order of the first set; then those that only the second has.

        Raises
        ------
        ManifestError
            If a row is none, or (with `audio`) a file cannot be read.
        """
        first, second = self._indexes
        for place, row in rows_of(self.first):
            clip = _named(row, place)
            twin = next(second.find([clip]), None)
            if twin is None:
                yield ClipDifference(clip, "first")
                continue
            found = self._compare(clip, row, twin[1], place)
            if found is not None:
                yield found
        for place, row in rows_of(self.second):
            if first.number(_named(row, place)) is None:
                yield ClipDifference(str(row["clip_id"]), "second")

    def _compare(self, clip: str, one: Mapping[str, Any], two: Mapping[str, Any], place: str) -> ClipDifference | None:
        files = [key for key in ("file_sha256", "path", "stems") if one.get(key) != two.get(key)]
        samples = _sound(one) != _sound(two)
        found = ClipDifference(
            clip, "both", tuple(_changes(one.get("spec"), two.get("spec"), ())), samples, one.get("labels") != two.get("labels"),
            one.get("decisions") != two.get("decisions"), bool(files), self._apart(one, two, place) if self.audio and samples else None,
        )  # fmt: skip
        same = not (found.parameters or samples or found.labels or found.decisions or files)
        return None if same else found

    def _apart(self, one: Mapping[str, Any], two: Mapping[str, Any], place: str) -> float | None:
        import numpy as np

        sides = zip((self.first, self.second), (one, two), strict=True)
        (y, sr), (z, other) = (
            samples_at(path.parent, safe_path(row.get("path"), place=place), dtype="float64") for path, row in sides
        )
        if y.shape != z.shape or sr != other:
            return None
        return float(np.max(np.abs(y - z), initial=0.0))


def _sound(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the hashes of a row's samples: as 16 bits, and as they were written."""
    return row.get("pcm_sha256"), row.get("written_sha256")


def _named(row: Mapping[str, Any], place: str) -> str:
    clip = row.get("clip_id")
    if not isinstance(clip, str):
        raise ManifestError(f"{place}: not a row that a build writes (no clip_id); was the file edited?")
    return clip


def _changes(one: Any, two: Any, path: tuple[Any, ...]) -> Iterator[Change]:
    """Yield what differs between two trees of plain data."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        for key in dict.fromkeys((*one, *two)):
            yield from _changes(one.get(key, _ABSENT), two.get(key, _ABSENT), (*path, key))
    elif isinstance(one, list) and isinstance(two, list):
        for i in range(max(len(one), len(two))):
            mine, yours = (items[i] if i < len(items) else _ABSENT for items in (one, two))
            yield from _changes(mine, yours, (*path, i))
    elif one != two:
        values = {"first": one, "second": two}
        yield Change(path_text(path), {side: value for side, value in values.items() if value is not _ABSENT})


def diff(first: str | Path, second: str | Path, *, audio: bool = False) -> Compared:
    """Compare two sets clip by clip, by their names; memory does not grow with them.

    Parameters
    ----------
    first, second
        Datasets' folders or manifest files.
    audio
        Read the files of clips whose samples differ, and tell by how much at most.

    Raises
    ------
    ManifestError
        If there is no manifest, or its rows are not in the order of a build.

    Examples
    --------
    >>> import tempfile
    >>> from audiosynth import build, diff, load_recipe, shipped_recipe
    >>> sets = [
    ...     build(load_recipe(shipped_recipe("quickstart"), clips=1, set_values=[f"noise.level_dbfs={level}"]), tempfile.mkdtemp()).root
    ...     for level in (-40, -46)
    ... ]
    >>> found = next(diff(*sets).differences())
    >>> found.samples, [change.as_dict() for change in found.parameters]
    (True, [{'path': 'noise.level_dbfs', 'first': -40.0, 'second': -46.0}])
    """
    paths = [open_manifest(Path(path)) for path in (first, second)]
    indexes = tuple(index_of(path) for path in paths)
    return Compared(paths[0], paths[1], audio, (indexes[0].rows, indexes[1].rows), indexes)
