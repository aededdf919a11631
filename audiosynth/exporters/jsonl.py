"""JSON lines: one object per clip, one file per split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._json import json_line, record_of
from audiosynth.exporters._text import atomic_texts, told_rows
from audiosynth.registry import Component


class Jsonl(Component):
    """One JSON object per clip and line: ``{file_name, duration, sr, events: [...]}``.

    ``jsonl/<split>.jsonl``; `file_name` is the path below the dataset's folder, times are seconds (integers of
    samples beside them). Weak splits have `labels` (the classes) in place of `events`, unlabeled ones neither.
    Inaudible events are listed by default and say so themselves: ``"audible": false``.
    """

    type_name: ClassVar[str] = "jsonl"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"inaudible": "drop"})

    inaudible: Annotated[
        Literal["drop", "keep"], Field(description="whether events that cannot be heard in the mix are listed")
    ] = "keep"

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``jsonl/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a row names a split that the dataset does not have, or a label outside its clip.
        """
        paths = {split: folder / "jsonl" / f"{split}.jsonl" for split in dataset.splits}
        with atomic_texts(paths) as files:
            for row, tells in told_rows(dataset):
                files[row["split"]].write(json_line(record_of(row, tells, self.inaudible)))
        return list(paths.values())
