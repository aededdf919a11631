"""WebDataset: tar shards with a clip's audio and its labels side by side."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from itertools import islice, repeat
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._files import atomic_binary, audio_bytes
from audiosynth.exporters._json import json_line, record_of
from audiosynth.exporters._text import Inaudible, told_rows
from audiosynth.registry import Component


class Webdataset(Component):
    """``webdataset/<split>-<000000>.tar``: of every clip ``<clip id>.<wav or flac …>`` and ``<clip id>.json``, in order.

    The JSON is what ``jsonl`` writes of the clip; audio is the file itself. Shards are ustar without times or owners, the
    same bytes each time. Clip ids have no dot, so that keys are whole.

    References
    ----------
    webdataset 1.0.2: consecutive members whose names agree up to the first dot are one sample.
    """

    type_name: ClassVar[str] = "webdataset"
    reads_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"clips_per_shard": 100, "inaudible": "drop"}, {"shards": 8})

    clips_per_shard: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        1000, description="clips in a tar file", json_schema_extra={"unit": ""}
    )
    shards: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="so many tar files a split, in place of `clips_per_shard`", json_schema_extra={"unit": ""}
    )
    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "keep"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``webdataset/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If an audio file is not there, or is not what was written.
        """
        paths: list[Path] = []
        for split in dataset.splits:
            rows = (found for found in told_rows(dataset) if found[0]["split"] == split)
            sizes = self._sizes(dataset.splits[split])
            for number, first in enumerate(rows):
                path = folder / "webdataset" / f"{split}-{number:06d}.tar"
                with (
                    atomic_binary(path) as file,
                    tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,
                ):
                    for row, tells in _chained(first, islice(rows, next(sizes) - 1)):
                        record = json_line({"clip_id": row["clip_id"], **record_of(row, tells, self.inaudible)})
                        _add(tar, f"{row['clip_id']}.{row['path'].rpartition('.')[2]}", audio_bytes(dataset, row))
                        _add(tar, f"{row['clip_id']}.json", record.encode())
                paths.append(path)
        return paths

    def _sizes(self, n_clips: int) -> Iterator[int]:
        """Yield how many clips each tar file of a split gets: of so many files, none has two more than another."""
        if self.shards is None:
            return repeat(self.clips_per_shard)
        n = min(self.shards, n_clips)
        return (n_clips * (k + 1) // n - n_clips * k // n for k in range(n))


def _chained(first: Any, others: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from others


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file of which nothing but its name and its bytes is told."""
    if name.count(".") != 1:
        raise BuildError(f"webdataset: {name!r} needs exactly one dot, where its key ends")
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    tar.addfile(info, io.BytesIO(data))
