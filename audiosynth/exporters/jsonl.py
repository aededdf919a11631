"""JSON lines: one object per clip, one file per split."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._text import atomic_text, clean, labels_of, withhold
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
        tells = {split: withhold(split, dataset=dataset) for split in dataset.splits}
        with ExitStack() as stack:
            files = {split: stack.enter_context(atomic_text(path)) for split, path in paths.items()}
            for row in dataset.rows():
                if row["split"] not in files:
                    raise BuildError(f"clip {row['clip_id']}: the dataset has no split {row['split']!r}")
                files[row["split"]].write(json_line(self._record(row, tells[row["split"]])))
        return list(paths.values())

    def _record(self, row: Mapping[str, Any], tells: str) -> dict[str, Any]:
        record = {"file_name": row["path"], "duration": row["duration"], "sr": row["sr"]}
        if tells == "strong":
            return {**record, "events": [dict(item) for item in labels_of(row, self.inaudible)]}
        if tells == "weak":
            heard = labels_of(row, "drop")  # a class nobody can hear is not a label of the clip
            return {**record, "labels": sorted({clean(item["label"]) for item in heard})}
        return record


def json_line(record: Mapping[str, Any]) -> str:
    r"""Return one line of JSON in NFC; characters that some readers take for line ends are escaped.

    Examples
    --------
    >>> json_line({"label": "ne\u0301\u2028"})
    '{"label": "né\\u2028"}\n'
    """
    text = clean(json.dumps(record, ensure_ascii=False, allow_nan=False))
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
