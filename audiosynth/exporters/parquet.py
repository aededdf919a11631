"""Parquet with the schema of Hugging Face's `datasets`: the audio inside, one row per clip."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._arrow import put_table, pyarrow_of
from audiosynth.exporters._corpus import OfUtterances
from audiosynth.exporters._files import audio_bytes
from audiosynth.exporters._hub import (
    COLUMNS,
    EVENT,
    SAID,
    columns_of,
    features,
    put_card,
    require_split_names,
    with_utterances,
)
from audiosynth.exporters._text import Inaudible, Tells, told_rows


class Parquet(OfUtterances):
    """``parquet/<split>-00000-of-00001.parquet``: audio, file_name, clip_id, duration, events and labels of every clip.

    `audio` is what ``Audio`` of `datasets` reads (bytes and name); `events` a list of ``{label, onset, offset, audible,
    snr_db}``, null in weak and unlabeled splits; `labels` the classes, null in unlabeled ones. ``parquet/README.md`` names the
    splits. Needs pyarrow (``pip install audiosynth[parquet]``), whose version decides the files' bytes: under another one,
    `verify` calls them changed.

    With ``speech: true`` rows have id, transcription, speaker and language of the one utterance that a clip is, and
    ``augmented_from``, the id of its source; null where that is not known.

    References
    ----------
    Hugging Face, datasets, `Features.arrow_schema`: the schema's metadata under the key ``huggingface``.
    """

    type_name: ClassVar[str] = "parquet"
    portability: ClassVar[str] = "pinned"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"audio": False, "clips_per_file": 100})

    audio: Annotated[
        bool, Field(description="whether the audio itself is inside; else only its path below the dataset")
    ] = True
    clips_per_file: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        1000, description="clips in a file", json_schema_extra={"unit": ""}
    )
    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )
    speech: Annotated[bool, Field(description="tell the one utterance of every clip")] = False

    def needs(self) -> tuple[str, ...]:
        """Return the pyarrow that decides the bytes."""
        return (f"pyarrow=={pyarrow_of('parquet').__version__}",)

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``parquet/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If pyarrow is missing, an audio file is not what was written, or a split has a name that `datasets` does not take.
        """
        require_split_names(dataset)
        base = folder / "parquet"
        schema = self._schema(next((row["sr"] for row in dataset.rows()), None))
        paths = []
        for split, n_clips in dataset.splits.items():
            rows = (found for found in self._rows(dataset) if found[0]["split"] == split)
            records = ({**self._record(dataset, row, tells), **said} for row, tells, said in rows)
            n_files = max(1, -(-n_clips // self.clips_per_file))
            for i in range(n_files):
                paths.append(base / f"{split}-{i:05d}-of-{n_files:05d}.parquet")
                put_table(paths[-1], schema, islice(records, self.clips_per_file))
            if next(records, None) is not None:
                raise BuildError(
                    f"parquet: the split '{split}' has more rows than the {n_clips} that dataset.json counts"
                )
        card = put_card(base / "README.md", {split: f"{split}-*.parquet" for split in dataset.splits}, dataset.name)
        return [*paths, card]

    def check(self, row: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Miss pyarrow when a first clip is made, not when all are."""
        pyarrow_of("parquet")

    @property
    def reads_audio(self) -> bool:
        """Return whether the files hold the audio itself."""
        return self.audio

    def _rows(self, dataset: DatasetView) -> Iterator[tuple[dict[str, Any], Tells, dict[str, Any]]]:
        """Yield every row with what its split may tell, and the columns of its utterance."""
        if self.speech:
            yield from with_utterances(dataset, self.ids(), "a row of Parquet")
            return
        yield from ((row, tells, {}) for row, tells in told_rows(dataset))

    def _record(self, dataset: DatasetView, row: Mapping[str, Any], tells: Any) -> dict[str, Any]:
        record = {"file_name": row["path"], **columns_of(row, tells, self.inaudible)}
        if not self.audio:
            return record
        name = str(row["path"]).rpartition("/")[2]
        return {"audio": {"bytes": audio_bytes(dataset, row), "path": name}, **record}

    def _schema(self, sr: int | None) -> Any:
        """Return the columns, and under ``huggingface`` what `datasets` makes of them."""
        arrow = pyarrow_of("parquet")
        types = {"string": arrow.string(), "float64": arrow.float64(), "bool": arrow.bool_()}
        event = arrow.struct([(name, types[dtype]) for name, dtype in EVENT.items()])
        audio = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
        fields = [(name, types[dtype]) for name, dtype in COLUMNS.items()]
        fields += [("events", arrow.list_(event)), ("labels", arrow.list_(arrow.string()))]
        fields += [(name, arrow.string()) for name in SAID if self.speech]
        told = features(speech=self.speech)
        if self.audio:
            fields = [("audio", audio), *fields]
            told = {"audio": {"sampling_rate": sr, "_type": "Audio"}, **told}
        text = json.dumps({"info": {"features": told}})
        return arrow.schema(fields, metadata={"huggingface": text})
