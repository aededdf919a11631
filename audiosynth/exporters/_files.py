"""What exporters share that carry the audio itself: its bytes as they were written, and files that appear whole."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.files.audiofile import write_audio
from audiosynth.files.packed import stored_bytes
from audiosynth.files.paths import is_below, is_inside
from audiosynth.files.whole import appearing
from audiosynth.pcm import Pcm


@contextmanager
def atomic_binary(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for bytes; it appears under its name only when the block ends well."""
    with appearing(path) as part, part.open("wb") as file:
        yield file


@contextmanager
def atomic_gzip(path: Path) -> Iterator[gzip.GzipFile]:
    """Open `path` for bytes to be packed, without name or time in the file, as `atomic_binary` does."""
    with atomic_binary(path) as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        yield packed


def audio_bytes(dataset: DatasetView, row: Mapping[str, Any]) -> bytes:
    """Return the bytes of a clip's file.

    Raises
    ------
    BuildError
        If it is not there, lies outside the dataset, or is not what was written.
    """
    path = dataset.root / str(row["path"])
    if not is_below(str(row["path"])) or not is_inside(dataset.root, path):
        raise BuildError(f"clip {row['clip_id']}: {row['path']!r} leads outside the dataset")
    try:
        data = stored_bytes(dataset.root, str(row["path"]))
    except OSError as error:
        raise BuildError(
            f"clip {row['clip_id']}: {path} cannot be read ({error.strerror or error}); `audiosynth verify` tells what else is amiss"
        ) from None
    if hashlib.sha256(data).hexdigest() != row["file_sha256"]:
        raise BuildError(
            f"clip {row['clip_id']}: {path} is not what was written; `audiosynth verify` tells what else is amiss"
        )
    return data


def put_flac(path: Path, dataset: DatasetView, row: Mapping[str, Any]) -> None:
    """Write a clip as FLAC, whole or not at all: its file as it is, or the samples of a WAV of integers.

    Raises
    ------
    BuildError
        If the file is not what was written, or holds what FLAC cannot.
    """
    data = audio_bytes(dataset, row)
    if str(row["path"]).endswith(".flac"):
        with atomic_binary(path) as file:
            file.write(data)
        return
    pcm, subtype = _integers(data, row)
    with appearing(path) as part:
        write_audio(part, pcm, sr=row["sr"], container="flac", subtype=subtype)


def _integers(data: bytes, row: Mapping[str, Any]) -> tuple[Pcm, str]:
    import soundfile

    with soundfile.SoundFile(io.BytesIO(data)) as file:
        subtype = str(file.subtype)
        if file.format not in ("WAV", "WAVEX") or subtype not in ("PCM_16", "PCM_24"):
            raise BuildError(
                f"clip {row['clip_id']}: {row['path']} is {file.format} of {subtype}, which FLAC cannot hold without loss; say "
                "`output: {format: flac}`"
            )
        y = file.read(dtype="int16" if subtype == "PCM_16" else "int32", always_2d=True).T
    return (y if subtype == "PCM_16" else y >> 8), subtype  # libsndfile moves 24 bits to the top of 32


def flac_needs() -> tuple[str, ...]:
    """Return the library that decides the bytes of a FLAC file."""
    import soundfile

    return (f"libsndfile=={soundfile.__libsndfile_version__}",)
