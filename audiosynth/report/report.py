"""`audiosynth report`: one page to look at and listen to a set, and what stands beside it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from audiosynth.building.pool import in_order
from audiosynth.errors import BuildError, ManifestError
from audiosynth.report.figures import Figures
from audiosynth.report.findings import Findings
from audiosynth.report.page import page
from audiosynth.report.sidecars import SHARD, Found, Shard, Sidecars
from audiosynth.report.source import MAX_ROWS, Source, open_source, taken
from audiosynth.report.table import Table

PAGE: Final = "report.html"
FOLDER: Final = "report_files"
"""What stands beside the page."""
LISTED: Final = 20_000
"""Clips in the page's table; of a larger set so many, evenly spread."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes
    ----------
    page
        The file to open.
    clips, listed, read
        Clips of the set, in the table, and those whose audio was read.
    planned
        Clips that an unfinished build is to have; None for a finished one.
    found
        What was found → ids of the clips.
    duplicates
        Pairs of ids that sound the same.
    shared
        Kind of material → how much of it is in more than one split.
    """

    page: Path
    clips: int
    listed: int
    read: int
    planned: int | None
    found: Mapping[str, tuple[str, ...]]
    duplicates: tuple[tuple[str, str], ...]
    shared: Mapping[str, int]


def report(root: str | Path, *, clips: int = 2000, workers: int = 1, progress: Progress | None = None) -> Report:
    """Write ``report.html`` and ``report_files`` into a dataset's folder; an earlier report is replaced.

    Parameters
    ----------
    root
        Folder of a build, finished or not.
    clips
        How many clips' audio is read at most, evenly spread over the set: for pictures and for what is measured.
    workers
        Processes that read it; the page is the same for any number.
    progress
        Told (clips done, clips to list).

    Raises
    ------
    UsageError
        If there is no such folder.
    ManifestError
        If it holds no dataset, or a row is not what a build writes.
    BuildError
        If the folder cannot be written.

    Examples
    --------
    >>> from audiosynth import build, load_recipe, shipped_recipe
    >>> folder = build(load_recipe(shipped_recipe("quickstart"), clips=2), tempfile.mkdtemp()).root
    >>> made = report(folder)
    >>> made.page.name, made.clips, made.read
    ('report.html', 4, 4)
    """
    source = open_source(Path(root))
    try:
        with tempfile.TemporaryDirectory(dir=source.root, prefix=".report-") as scratch:
            folder = Path(scratch) / FOLDER
            for name in ("clips", "pictures"):
                (folder / name).mkdir(parents=True)
            made, text = _make(source, folder, clips=clips, workers=workers, progress=progress)
            (Path(scratch) / PAGE).write_text(text, encoding="utf-8")
            shutil.rmtree(source.root / FOLDER, ignore_errors=True)
            folder.rename(source.root / FOLDER)
            (Path(scratch) / PAGE).replace(source.root / PAGE)
    except OSError as error:
        raise BuildError(f"{source.root}: the report cannot be written ({error.strerror or error})") from None
    return made


def _make(source: Source, folder: Path, *, clips: int, workers: int, progress: Progress | None) -> tuple[Report, str]:
    """Fill the folder beside the page; returns what was made, and the page."""
    figures, table, findings = Figures(), Table(), Findings()
    n_listed = min(source.n_rows, LISTED)
    sent: list[Shard] = []
    items = _shards(source, figures, clips=clips, sent=sent)
    job = Sidecars(source.root, folder)
    results = in_order(job, items, workers=workers) if workers > 1 and n_listed > SHARD else map(job, items)
    for number, found in enumerate(results):
        shard, sent[number] = sent[number], Shard(number, (), ())  # rows are not kept
        _enter(shard, found, table, findings)
        if progress is not None:
            progress(min((number + 1) * SHARD, n_listed), n_listed)
    findings.compare()
    table.mark(findings)
    read = findings.n_read
    shared = {kind: len(figures.leakage.shared(kind)) for kind in figures.leakage.seen}
    made = Report(
        source.root / PAGE, source.n_rows, table.n, read, source.planned,
        {name: tuple(ids) for name, ids in findings.faults.items()}, tuple(findings.duplicates), shared,
    )  # fmt: skip
    return made, page(source, figures, table, findings)


def _enter(shard: Shard, found: list[Found], table: Table, findings: Findings) -> None:
    for row, heard, seen in zip(shard.rows, shard.heard, found, strict=True):
        table.add(row, heard=heard and seen.level_dbfs is not None)
        findings.add(row, seen)


def _shards(source: Source, figures: Figures, *, clips: int, sent: list[Shard]) -> Iterator[Shard]:
    """Count every row that is read, and yield those that are listed in shards, which `sent` keeps until they are back."""
    listed = _listed(source, figures)
    n_listed = min(source.n_rows, LISTED)
    heard = partial(taken, n=n_listed, most=clips)
    for number in range(-(-n_listed // SHARD)):
        rows = tuple(islice(listed, SHARD))
        shard = Shard(number, rows, tuple(heard(number * SHARD + i) for i in range(len(rows))))
        sent.append(shard)
        yield shard
    for _ in listed:
        pass


def _listed(source: Source, figures: Figures) -> Iterator[dict[str, Any]]:
    """Count every row that is read, and yield those for the table."""
    for number, row in enumerate(source.rows()):
        try:
            figures.add(row)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError) as error:
            raise ManifestError(
                f"{source.root}: row {number + 1} ({row['clip_id']}) is not one that a build writes "
                f"({type(error).__name__}: {error}); was the manifest edited or cut?"
            ) from None
        if taken(number, min(source.n_rows, MAX_ROWS), LISTED):
            yield row
