"""SpeechBrain's data files, CSV and JSON."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any, ClassVar, Final

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._corpus import (
    OfUtterances,
    Spoken,
    seconds,
    spoken_rows,
)
from audiosynth.exporters._text import atomic_texts, breaks_lines

COLUMNS: Final = ("ID", "duration", "wav", "start", "stop", "spk_id", "wrd", "language", "augmented_from")
_VARIABLE: Final = re.compile(r"\$[\w.]")
"""What the reader of CSV takes for something to put in, in any column."""


class Speechbrain(OfUtterances):
    """``speechbrain/<split>.csv`` and ``<split>.json``, for ``DynamicItemDataset.from_csv`` and ``from_json``.

    An entry is an utterance: ID, duration (s), wav, start and stop (samples, for ``read_audio`` with a map), spk_id, wrd,
    language, augmented_from (the id of its source). Paths begin with ``$data_root`` in CSV and ``{data_root}`` in JSON, which
    is the dataset's folder: ``replacements={"data_root": …}``. In JSON ``wav`` is ``{file, start, stop}``; braces in texts are
    doubled there, as the reader makes one of two, and what it would put something in for is refused in CSV. Clips in which
    nobody speaks are not listed.

    References
    ----------
    SpeechBrain 1.1: ``speechbrain.dataio.dataio``, ``load_data_csv``, ``load_data_json``, ``read_audio``.
    """

    type_name: ClassVar[str] = "speechbrain"
    names_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"suffix": "_rep", "replicas": [1, 2]})

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``speechbrain/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If two utterances would have one id, or a text would be read as something else.
        """
        base = folder / "speechbrain"
        paths = {(split, kind): base / f"{split}.{kind}" for split in dataset.splits for kind in ("csv", "json")}
        ids = self.ids()
        with atomic_texts(paths) as files:
            tables = {split: csv.writer(files[split, "csv"], lineterminator="\n") for split in dataset.splits}
            begun = dict.fromkeys(dataset.splits, "{")
            for table in tables.values():
                table.writerow(COLUMNS)
            for row, found in spoken_rows(dataset, ids):
                split = row["split"]
                for one in found:
                    tables[split].writerow(_cells(one))
                    files[split, "json"].write(
                        f"{begun[split]}\n {json.dumps(one.id)}: {json.dumps(_entry(one), ensure_ascii=False)}"
                    )
                    begun[split] = ","
            for split in dataset.splits:
                files[split, "json"].write("\n}\n" if begun[split] == "," else "{}\n")
        return list(paths.values())


def _cells(one: Spoken) -> list[Any]:
    cells = [one.speaker or "", one.text or "", one.fields.get("language", ""), one.source or ""]
    for cell in (one.id, *cells):
        if _VARIABLE.search(str(cell)) or (cell and breaks_lines(str(cell))):
            raise BuildError(
                f"clip {one.row['clip_id']}: {cell!r} would be read as something else by SpeechBrain ($ before a word, a tab, a line "
                "end or an outer blank); correct it in the corpus"
            )
    place = [f"$data_root/{one.row['path']}", one.first, one.last]
    return [one.id, seconds(one.last - one.first, one.row["sr"]), *place, *cells]


def _entry(one: Spoken) -> dict[str, Any]:
    entry = {
        "wav": {"file": "{data_root}/" + _doubled(one.row["path"]), "start": one.first, "stop": one.last},
        "duration": seconds(one.last - one.first, one.row["sr"]),
    }
    told = {
        "spk_id": one.speaker,
        "wrd": one.text,
        "language": one.fields.get("language"),
        "augmented_from": one.source,
    }
    return {**entry, **{key: _doubled(value) for key, value in told.items() if isinstance(value, str)}}


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
