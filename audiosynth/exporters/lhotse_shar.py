"""Lhotse Shar: shards of cuts, and of their audio in the same order, for reading one after the other."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._corpus import OfUtterances, spoken_rows
from audiosynth.exporters._files import atomic_binary, atomic_gzip, audio_bytes
from audiosynth.exporters._json import json_line
from audiosynth.exporters._lhotse import cut, name_of, recording, supervision
from audiosynth.files.tars import add_file


class LhotseShar(OfUtterances):
    """``lhotse_shar/<split>/cuts.NNNNNN.jsonl.gz`` and ``recording.NNNNNN.tar``, for ``CutSet.from_shar(in_dir=…)``.

    The cuts are those of the ``lhotse`` exporter; the archive holds ``<id>.wav`` (or what the clips are) and ``<id>.json`` of each,
    in the same order, without times or owners: the same bytes each time.

    References
    ----------
    lhotse 1.33: ``lhotse.shar``.
    """

    type_name: ClassVar[str] = "lhotse_shar"
    reads_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"clips_per_shard": 100, "speaker_first": True})

    clips_per_shard: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        1000, description="clips in a shard", json_schema_extra={"unit": ""}
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``lhotse_shar/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If two utterances would have one id, or an audio file is not what was written.
        """
        ids = self.ids()
        paths: list[Path] = []
        for split in dataset.splits:
            rows = (found for found in spoken_rows(dataset, ids) if found[0]["split"] == split)
            base = folder / "lhotse_shar" / split
            for number, shard in enumerate(iter(lambda: list(islice(rows, self.clips_per_shard)), [])):  # noqa: B023
                paths += [base / f"cuts.{number:06d}.jsonl.gz", base / f"recording.{number:06d}.tar"]
                _write(dataset, shard, *paths[-2:])
        return paths


def _write(dataset: DatasetView, shard: list[tuple[dict[str, Any], list[Any]]], cuts: Path, audio: Path) -> None:
    with (
        atomic_gzip(cuts) as lines,
        atomic_binary(audio) as file,
        tarfile.open(fileobj=file, mode="w") as tar,
    ):
        for row, found in shard:
            name = name_of(row, found)
            heard = recording(row, name, {"type": "shar", "source": ""})
            lines.write(json_line(cut(row, name, heard, [supervision(one, row, name) for one in found])).encode())
            for member, data in _members(dataset, row, name, heard):
                add_file(tar, member, io.BytesIO(data), len(data))


def _members(
    dataset: DatasetView, row: dict[str, Any], name: str, heard: dict[str, Any]
) -> Iterator[tuple[str, bytes]]:
    yield f"{name}.{row['path'].rpartition('.')[2]}", audio_bytes(dataset, row)
    yield f"{name}.json", json_line(heard).encode()
