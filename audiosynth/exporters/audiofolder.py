"""Hugging Face's AudioFolder: the audio, and a line of metadata beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._corpus import OfUtterances
from audiosynth.exporters._files import atomic_binary, audio_bytes
from audiosynth.exporters._hub import columns_of, put_card, require_split_names, with_utterances
from audiosynth.exporters._json import json_line
from audiosynth.exporters._text import Inaudible, Tells, atomic_texts, below_split, told_rows


class Audiofolder(OfUtterances):
    """``audiofolder/<split>/metadata.jsonl`` and a copy of every clip beside it, ready for ``load_dataset("audiofolder", …)``.

    A line has file_name, clip_id, duration, events (``[{label, onset, offset, audible, snr_db}]``) and labels (classes), these
    two as JSON texts for ``json.loads``: the library infers types from the lines, and refuses a set where one split has lists
    of nothing. Weak splits have ``null`` for events, unlabeled ones for both. ``audiofolder/README.md`` names the splits,
    which it would guess at from the folders' names. The ``parquet`` exporter has the lists as they are.

    With ``speech: true`` lines have id, transcription, speaker and language of the one utterance that a clip is, and
    ``augmented_from``, the id of its source; null where that is not known.

    References
    ----------
    Hugging Face, datasets, "Create an audio dataset: AudioFolder".
    """

    type_name: ClassVar[str] = "audiofolder"
    reads_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"inaudible": "keep"})

    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    speech: Annotated[bool, Field(description="tell the one utterance of every clip")] = False

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``audiofolder/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If an audio file is not what was written, or a split has a name that the library does not take.
        """
        require_split_names(dataset)
        base = folder / "audiofolder"
        tables = {split: base / split / "metadata.jsonl" for split in dataset.splits}
        paths = []
        with atomic_texts(tables) as files:
            for row, tells, said in self._rows(dataset):
                name = below_split(row)
                paths.append(base / str(row["split"]) / name)
                with atomic_binary(paths[-1]) as file:
                    file.write(audio_bytes(dataset, row))
                columns = columns_of(row, tells, self.inaudible)
                lists = {key: json.dumps(columns[key], ensure_ascii=False) for key in ("events", "labels")}
                files[row["split"]].write(json_line({"file_name": name.as_posix(), **columns, **lists, **said}))
        card = put_card(base / "README.md", {split: f"{split}/**" for split in dataset.splits}, dataset.name)
        return [*paths, *tables.values(), card]

    def _rows(self, dataset: DatasetView) -> Iterator[tuple[dict[str, Any], Tells, dict[str, Any]]]:
        """Yield every row with what its split may tell, and the columns of its utterance."""
        if not self.speech:
            yield from ((row, tells, {}) for row, tells in told_rows(dataset))
            return
        yield from with_utterances(dataset, self.ids(), "a line of AudioFolder")
