"""Utterances as a plain table: what any script reads."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TextIO

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._corpus import (
    OfUtterances,
    Spoken,
    seconds,
    spoken_rows,
)
from audiosynth.exporters._json import json_line
from audiosynth.exporters._text import atomic_texts, table_field

COLUMNS: Final = ("id", "path", "start", "end", "text", "speaker", "language", "augmented_from")
DELIMITERS: Final = {"csv": ",", "tsv": "\t"}


class Utterances(OfUtterances):
    """``utterances/<split>.csv`` (or ``.tsv``, ``.jsonl``): id, path, start, end, text, speaker, language, augmented_from.

    A line is an utterance; `path` is below the dataset's folder, times are seconds in the clip, and ``augmented_from`` is the id
    of its source. JSON lines have its words and phones too, ``[onset, offset, text]`` in seconds from its start, and what else
    its corpus said. What pandas would read as another text is refused in tables.
    """

    type_name: ClassVar[str] = "utterances"
    names_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"format": "jsonl", "suffix": ""})

    format: Annotated[Literal["csv", "tsv", "jsonl"], Field(description="which kind of table")] = "csv"

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``utterances/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If two utterances would have one id, or a text cannot stand in a table.
        """
        paths = {split: folder / "utterances" / f"{split}.{self.format}" for split in dataset.splits}
        ids = self.ids()
        with atomic_texts(paths) as files:
            if self.format != "jsonl":
                for file in files.values():
                    self._table(file).writerow(COLUMNS)
            for row, found in spoken_rows(dataset, ids):
                for one in found:
                    if self.format == "jsonl":
                        files[row["split"]].write(json_line(_record(one)))
                    else:
                        self._table(files[row["split"]]).writerow(
                            [_cell(one, _record(one).get(name)) for name in COLUMNS]
                        )
        return list(paths.values())

    def _table(self, file: TextIO) -> Any:
        return csv.writer(file, delimiter=DELIMITERS[self.format], lineterminator="\n")


def _record(one: Spoken) -> dict[str, Any]:
    sr = one.row["sr"]
    marks = {
        kind: [[seconds(a - one.first, sr), seconds(b - one.first, sr), text] for text, a, b in found]
        for kind, found in (("words", one.words), ("phones", one.phones))
        if found
    }
    told = {"text": one.text, "speaker": one.speaker, "augmented_from": one.source}
    return {
        "id": one.id, "path": str(one.row["path"]), "start": seconds(one.first, sr), "end": seconds(one.last, sr),
        **one.fields, **{key: value for key, value in told.items() if value is not None}, **marks,
    }  # fmt: skip


def _cell(one: Spoken, value: Any) -> Any:
    return table_field(one.row, value) if isinstance(value, str) else value
