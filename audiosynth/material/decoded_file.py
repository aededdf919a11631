"""Files of decoded samples: a head that says what they are, the samples, and a table of checksums.

Written a block at a time, in the narrowest code that holds every bit.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.files.stored import CHECKED, Stored, packed

HEAD: Final = 4096
"""Bytes before the samples."""
CODES: Final = {"PCM_16": "<i2"}
"""What an encoding's samples are kept in, if not float32; float64 where bits would be lost."""
_BLOCK: Final = 32 * CHECKED
"""Frames that are decoded at once."""


class GivenUpError(Exception):
    """There is no room, or the file is not what its header says."""


class OtherCodeError(Exception):
    """A code would change the samples."""


def read_head(path: Path, key: Mapping[str, Any]) -> Stored:
    """Return what a file holds.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is damaged or holds something else.
    """
    with path.open("rb") as file:
        head = json.loads(file.read(HEAD))
        made = Stored(path, HEAD, head["code"], key["sr"], head["n_channels"], head["n_samples"])
        n_checks = -(-made.n_samples // CHECKED)
        end = HEAD + made.n_samples * made.frame
        file.seek(end)
        table = file.read()
    if head["key"] != key or len(table) != 4 * n_checks or zlib.crc32(table) != head["table"]:
        raise ValueError(f"{path}: damaged")
    return replace(made, checks=np.frombuffer(table, "<u4"))


def write(part: Path, made: Stored, key: Mapping[str, Any], data: bytes) -> None:
    """Write a file.

    Raises
    ------
    OtherCodeError
        If its code cannot hold the samples.
    GivenUpError
        If they are fewer than the file says, or not finite.
    """
    checks = []
    with part.open("r+b") as file:
        file.seek(HEAD)
        for y in _in_blocks(_resampled(_decoded(data), made, key["sr_in"]), made.n_samples):
            numbers = packed(y, made.code)
            if numbers is None:
                raise OtherCodeError
            raw = numbers.tobytes()
            checks.append(zlib.crc32(raw))
            file.write(raw)
        table = np.array(checks, "<u4").tobytes()
        file.write(table)
        head = {
            "key": key,
            "code": made.code,
            "n_channels": made.n_channels,
            "n_samples": made.n_samples,
            "table": zlib.crc32(table),
        }
        file.seek(0)
        file.write(json.dumps(head).encode().ljust(HEAD))


def _decoded(data: bytes) -> Iterator[npt.NDArray[Any]]:
    """Yield a recording's samples one stretch after the other, shape (n, n_channels)."""
    import soundfile

    with soundfile.SoundFile(BytesIO(data)) as file:
        left = file.frames
        while left:
            y = file.read(min(left, _BLOCK), dtype="float64", always_2d=True)
            if not len(y) or not np.isfinite(y).all():
                raise GivenUpError
            left -= len(y)
            yield y


def _resampled(blocks: Iterable[npt.NDArray[Any]], made: Stored, sr_in: int) -> Iterator[npt.NDArray[Any]]:
    """Yield them at another rate: soxr gives the same samples however a signal is cut (`audiosynth.dsp.resample`)."""
    if made.sr == sr_in:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(sr_in, made.sr, made.n_channels, dtype="float64", quality="VHQ")
    for y in blocks:
        yield stream.resample_chunk(y)
    yield stream.resample_chunk(np.zeros((0, made.n_channels)), last=True)


def _in_blocks(pieces: Iterable[npt.NDArray[Any]], n: int) -> Iterator[npt.NDArray[Any]]:
    """Yield pieces again as blocks of `CHECKED` frames, `n` in all: what is more is left out, what is less is zeros."""
    done, rest = 0, np.zeros((0, 0))
    for y in pieces:
        rest = np.concatenate([rest, y]) if len(rest) else y
        whole = min(len(rest), n - done) // CHECKED * CHECKED
        for at in range(0, whole, CHECKED):
            yield rest[at : at + CHECKED]
        done, rest = done + whole, rest[whole:]
    last = np.zeros((n - done, rest.shape[1]))
    last[: len(rest)] = rest[: n - done]
    for at in range(0, n - done, CHECKED):
        yield last[at : at + CHECKED]
