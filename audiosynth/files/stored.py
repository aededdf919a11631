"""Samples as they lie in a file, and reading a stretch of them without the rest.

Stretches are read, not mapped: processes share what the system holds of the file all the same, at the same speed
(tests/bench/large_recordings.py), and a file that is cut off meanwhile gives an error where a mapped page would end the process.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audiosynth.files.archives import names_in, place_in

if TYPE_CHECKING:
    from audiosynth.clip import Array

CHECKED: Final = 2**15
"""Frames that one checksum is of."""
_SCALES: Final = {"<i2": 2.0**-15, "<i3": 2.0**-31, "<i4": 2.0**-31, "<f4": 1.0, "<f8": 1.0}
"""By what each code's numbers are multiplied, as libsndfile does; 24 bits are read as the upper ones of 32."""
_CODES: Final = {(1, 16): "<i2", (1, 24): "<i3", (1, 32): "<i4", (3, 32): "<f4", (3, 64): "<f8"}
"""By tag and bits of a WAV file."""
_FMT: Final = struct.Struct("<HHIIHH")
_EXTENSIBLE: Final = 0xFFFE
_SUBFORMAT: Final = bytes.fromhex("000000001000800000aa00389b71")
"""What follows the tag in the GUID of an extensible format (Microsoft's KSDATAFORMAT_SUBTYPE_PCM and _IEEE_FLOAT)."""
_SILENT_CHUNKS: Final = frozenset(
    {
        b"LIST",
        b"INFO",
        b"JUNK",
        b"bext",
        b"fact",
        b"PAD ",
        b"PEAK",
        b"cue ",
        b"iXML",
        b"smpl",
        b"inst",
        b"id3 ",
        b"ID3 ",
    }
)
"""Chunks that say nothing of how samples are stored."""
_IN_DS64: Final = 0xFFFFFFFF


class Identity(NamedTuple):
    """By what a file is known to be the one that was hashed: any write changes one of these."""

    device: int
    number: int
    size: int
    written: int
    changed: int


class Span(NamedTuple):
    """Some bytes of a file: a file of its own, or a member of a tar."""

    file: Path
    first: int
    size: int


class DamagedError(Exception):
    """What was to be read is not there, or is not what was written."""


@dataclass(frozen=True)
class Stored:
    """Samples in a file, frame after frame.

    Attributes
    ----------
    path, first
        The file, and its byte at which they begin.
    code
        How each is written, as numpy writes types; ``<i3`` for 24 bits.
    sr, n_channels, n_samples
        Rate in Hz, channels, and frames.
    checks
        CRC-32 of every `CHECKED` frames; None: the file's hash is known.
    """

    path: Path
    first: int
    code: str
    sr: int
    n_channels: int
    n_samples: int
    checks: npt.NDArray[Any] | None = None

    @property
    def frame(self) -> int:
        """Return the bytes of a frame."""
        return self.n_channels * int(self.code[2:])

    def read(self, first: int, last: int) -> tuple[Array, Identity]:
        """Return samples [first, last), float64, shape (n_channels, last - first), and which file they were read from.

        Raises
        ------
        DamagedError
            If they are not there, or their checksum is another.
        OSError
            If the file cannot be read.
        """
        if self.checks is None:
            raw, seen = bytes_at(self.path, self.first + first * self.frame, (last - first) * self.frame)
            return self._floats(raw), seen
        begin, end = first // CHECKED * CHECKED, min(self.n_samples, -(-last // CHECKED) * CHECKED)
        raw, seen = bytes_at(self.path, self.first + begin * self.frame, (end - begin) * self.frame)
        step = CHECKED * self.frame
        for number, at in enumerate(range(0, raw.size, step), begin // CHECKED):
            if zlib.crc32(raw[at : at + step].data) != self.checks[number]:
                raise DamagedError
        return self._floats(raw[(first - begin) * self.frame : (last - begin) * self.frame]), seen

    def _floats(self, raw: npt.NDArray[np.uint8]) -> Array:
        if self.code == "<i3":
            wide = np.zeros((raw.size // 3, 4), np.uint8)
            wide[:, 1:] = raw.reshape(-1, 3)
            raw = wide.reshape(-1)
        numbers = raw.view("<i4" if self.code == "<i3" else self.code)
        y = np.array(numbers.reshape(-1, self.n_channels).T, dtype=np.float64, order="C")
        if _SCALES[self.code] != 1.0:
            y *= _SCALES[self.code]
        return y


def packed(y: npt.NDArray[Any], code: str) -> npt.NDArray[Any] | None:
    """Return float64 samples in a code, None if that would change a bit of them.

    Examples
    --------
    >>> packed(np.array([0.5, -1.0]), "<i2").tolist(), packed(np.array([0.1]), "<f4")
    ([16384, -32768], None)
    """
    scale = _SCALES[code]
    with np.errstate(invalid="ignore", over="ignore"):
        made = (y / scale).astype(code)
    again = made.astype(np.float64) * scale
    return made if np.array_equal(again.view(np.int64), np.ascontiguousarray(y).view(np.int64)) else None


def identity_of(stat: os.stat_result) -> Identity:
    """Return a file's identity from what the system says of it."""
    return Identity(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def span_of(path: Path) -> Span | None:
    """Return where the bytes of a file, or of a member of a tar, lie; None for what is packed in a Parquet file, or not there.

    Raises
    ------
    AssetError
        If a tar cannot be read.
    """
    if path.is_file():
        return Span(path, 0, path.stat().st_size)
    place = place_in(path)
    if place is None or place.archive.suffix.casefold() != ".tar":
        return None
    found = names_in(place.archive).get(place.name)
    return None if found is None else Span(place.archive, *found)


def bytes_at(path: Path, first: int, size: int) -> tuple[npt.NDArray[np.uint8], Identity]:
    """Return `size` bytes of a file from byte `first` on, and which file that was.

    The file is opened each time: it costs some microseconds, and neither a fork nor a pickle can come between.

    Raises
    ------
    DamagedError
        If the file ends before.
    """
    data = np.empty(size, np.uint8)
    view, done = data.data, 0
    with path.open("rb", buffering=0) as file:
        file.seek(first)
        while done < size:
            n = file.readinto(view[done:])
            if not n:
                raise DamagedError
            done += n
        return data, identity_of(os.fstat(file.fileno()))


def plain_wav(span: Span) -> Stored | None:
    """Return how the samples of a WAV or RF64 file of plain integers or floats lie in it; None for all other files.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with span.file.open("rb") as file:
        file.seek(span.first)
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
            return None
        return _chunks(file, span, large=head[:4] == b"RF64")


def _chunks(file: IO[bytes], span: Span, *, large: bool) -> Stored | None:
    """Go through the chunks up to the samples; one that could change their meaning makes the file another one."""
    sr = n_channels = 0
    code, in_ds64, at = "", -1, 12
    while at + 8 <= span.size:
        file.seek(span.first + at)
        name, size = struct.unpack("<4sI", file.read(8))
        at += 8
        if name == b"data":
            size = in_ds64 if large and size == _IN_DS64 else size
            frame = n_channels * int(code[2:] or 0)
            if not (code and sr and n_channels) or size <= 0 or size % frame or at + size > span.size:
                return None
            return Stored(span.file, span.first + at, code, sr, n_channels, size // frame)
        if name == b"fmt " and not code and size in (16, 18, 40):
            code, n_channels, sr = _format(file.read(size))
        elif name == b"ds64" and large and in_ds64 < 0 and size >= 28:
            in_ds64 = struct.unpack("<QQ", file.read(16))[1]
        elif name not in _SILENT_CHUNKS:
            return None
        at += size + size % 2
    return None


def _format(chunk: bytes) -> tuple[str, int, int]:
    """Return the code, channels and rate of a format chunk; an empty code for what is not plain."""
    tag, channels, sr, rate, frame, bits = _FMT.unpack_from(chunk)
    if tag == _EXTENSIBLE and len(chunk) == 40:
        valid, tag = struct.unpack_from("<H", chunk, 18)[0], struct.unpack_from("<H", chunk, 24)[0]
        if valid != bits or chunk[26:] != _SUBFORMAT:
            return "", 0, 0
    plain = (frame, rate) == (channels * bits // 8, channels * bits // 8 * sr)
    return (_CODES.get((tag, bits), ""), channels, sr) if plain else ("", 0, 0)
