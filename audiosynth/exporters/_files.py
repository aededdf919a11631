"""What exporters share that carry the audio itself: its bytes as they were written, and files that appear whole."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.files.packed import stored_bytes
from audiosynth.files.paths import is_below


@contextmanager
def atomic_binary(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for bytes; it appears under its name only when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


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
    if not is_below(str(row["path"])) or not path.resolve().is_relative_to(dataset.root.resolve()):
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
