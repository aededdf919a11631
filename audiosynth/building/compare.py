"""Reproduce many rows in several processes and keep the verdicts, not the sound."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from audiosynth.building.pool import in_order
from audiosynth.manifest import clip_path
from audiosynth.reproduce import Bench, chosen_rows, environment

BATCH: Final = 8
"""Rows handed to a process at a time."""


@dataclass(frozen=True)
class Comparison:
    """One clip made again, without its sound (see `audiosynth.reproduce.Reproduced`).

    Attributes
    ----------
    clip_id, same, expected, got, notes
        As there.
    path
        Of the clip, below the folder it was written to if there was one.
    """

    clip_id: str
    same: bool
    expected: str
    got: str
    notes: tuple[str, ...]
    path: str


def compare(
    manifest: str | Path | Iterable[str],
    *,
    clips: Collection[str] | None = None,
    data: Mapping[str, str] | None = None,
    out: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    workers: int = 1,
) -> Iterator[Comparison]:
    """Do what `audiosynth.reproduce` does in any number of processes, and keep no sound.

    Parameters
    ----------
    manifest, clips, data, out, environ
        As in `audiosynth.reproduce`.
    workers
        Processes that render; 1 renders in this one.

    Yields
    ------
    comparison
        In the order of the manifest.

    Raises
    ------
    ManifestError, AssetError
        As `audiosynth.reproduce`; with several workers, the last few rows before the bad one may not have been given.

    Examples
    --------
    >>> import tempfile
    >>> from audiosynth import build, load_recipe, shipped_recipe
    >>> built = build(load_recipe(shipped_recipe("quickstart"), clips=1), tempfile.mkdtemp())
    >>> [(row.clip_id, row.same) for row in compare(built.root)]
    [('train-000000000', True), ('test-000000000', True)]
    """
    environ = None if environ is None else dict(environ)
    bench = Bench(environment(manifest), data or {}, None if out is None else Path(out), environ)
    rows = _batches(chosen_rows(manifest, clips), 1 if workers == 1 else BATCH)
    job = _Job(bench)
    if workers == 1 or (clips is not None and len(clips) <= BATCH):
        for batch in rows:
            yield from job(batch)
        return
    for found in in_order(job, rows, workers=workers):
        yield from found


@dataclass(frozen=True)
class _Job:
    """What a process is handed once; its bench keeps recordings between batches."""

    bench: Bench

    def __call__(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Comparison]:
        found = []
        for place, tree in rows:
            made = self.bench.again(place, tree)
            path = clip_path(made.clip.spec)
            found.append(Comparison(made.clip_id, made.same, made.expected, made.got, made.notes, path))
        return found


def _batches(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(islice(rows, size)):
        yield batch
