"""Comma-separated values: one line per event."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._json import classes_of
from audiosynth.exporters._text import (
    Inaudible,
    Tells,
    atomic_texts,
    decimal_seconds,
    fixed,
    labels_of,
    refuse,
    table_field,
    told_rows,
    withhold,
    within,
)
from audiosynth.registry import Component

PLACES: Final = 6
HEADERS: Final[Mapping[Tells, tuple[str, ...]]] = {
    "strong": ("file_name", "duration", "onset", "offset", "label", "audible", "snr_db"),
    "weak": ("file_name", "duration", "label"),
    "none": ("file_name", "duration"),
}
"""Columns by what a split tells: a column that is withheld is not there, so that blank means none."""


class Csv(Component):
    """``csv/<split>.csv``: file_name, duration, onset, offset, label, audible, snr_db; one line per event, after RFC 4180.

    `file_name` is the path below the dataset's folder, times are seconds with 6 decimals. A clip without events has a line
    of its own whose event is blank. Weak splits have a line per class and no times, unlabeled ones no label. Commas and
    quotes are quoted; what pandas reads as missing, and what spreadsheets take for a formula, is refused. Where all labels
    are numbers, pandas needs ``dtype=str``.

    References
    ----------
    RFC 4180, "Common format and MIME type for comma-separated values (CSV) files" (lines end with a line feed here).
    """

    type_name: ClassVar[str] = "csv"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"inaudible": "keep"})

    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``csv/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a label would be read as something else.
        """
        paths = {split: folder / "csv" / f"{split}.csv" for split in dataset.splits}
        with atomic_texts(paths) as files:
            tables = {split: csv.writer(file, lineterminator="\n") for split, file in files.items()}
            for split, table in tables.items():
                table.writerow(HEADERS[withhold(split, dataset=dataset)])
            for row, tells in told_rows(dataset):
                tables[row["split"]].writerows(self._lines(row, tells))
        return list(paths.values())

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose labels would be read as something else; asked when a clip is made, not when all are."""
        list(self._lines(row, "strong"))

    def _lines(self, row: Mapping[str, Any], tells: Tells) -> Iterator[list[Any]]:
        head = [row["path"], decimal_seconds(row["n_samples"], row["sr"], places=PLACES)]
        events = {"strong": self._events, "weak": _classes, "none": _nothing}[tells](row)
        yield from ([*head, *event] for event in events or [[""] * (len(HEADERS[tells]) - len(head))])

    def _events(self, row: Mapping[str, Any]) -> list[list[Any]]:
        return [
            [
                *(fixed(units, PLACES) for units in within(row, item, places=PLACES)),
                cell(row, item["label"]),
                str(item.get("audible", True)).lower(),
                item.get("snr_db"),
            ]
            for item in labels_of(row, self.inaudible)
        ]


def _classes(row: Mapping[str, Any]) -> list[list[Any]]:
    return [[cell(row, label)] for label in classes_of(row)]


def _nothing(row: Mapping[str, Any]) -> list[list[Any]]:  # noqa: ARG001
    return []


def cell(row: Mapping[str, Any], label: str) -> str:
    """Return a label that a spreadsheet shows as it is.

    Raises
    ------
    BuildError
        If it would be read as a formula, or as missing.
    """
    text = table_field(row, label)
    if text[0] in "=+-@":
        raise refuse(row, text, f"starts with {text[0]!r}, which spreadsheets take for a formula; rename it")
    return text
