"""Bytes of audio files: our own WAV header, what each container holds, encoders that give the same bytes twice."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final
from zlib import crc32

import numpy.typing as npt

from audiosynth.errors import BuildError, ParameterError

BITS: Final = {"PCM_16": 16, "PCM_24": 24, "FLOAT": 32}
"""Bits of a sample by subtype."""
_MP3_RATES: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
# container -> libsndfile format and subtype, most channels, rates (None: any up to the last number)
_ENCODERS: Final[dict[str, tuple[str, str | None, int, tuple[int, ...] | None, int]]] = {
    "flac": ("FLAC", None, 8, None, 655_350),
    "ogg": ("OGG", "VORBIS", 255, None, 200_000),
    "opus": ("OGG", "OPUS", 255, (8000, 12000, 16000, 24000, 48000), 48_000),
    "mp3": ("MP3", "MPEG_LAYER_III", 2, _MP3_RATES, 48_000),
}
CHUNK_FRAMES: Final = 16_384
_BIT_REVERSED: Final = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def wav_bytes_header(n_samples: int, *, sr: int, n_channels: int, subtype: str, comment: str | None = None) -> bytes:
    """Return everything of a RIFF/WAVE file that stands before its samples.

    Parameters
    ----------
    n_samples
        Per channel.
    sr, n_channels
        Rate in Hz; channels.
    subtype
        ``PCM_16``, ``PCM_24`` or ``FLOAT`` (32 bits).
    comment
        Text of a LIST/INFO ICMT chunk, as UTF-8.

    Raises
    ------
    BuildError
        If the file would not fit the 32-bit sizes of RIFF.

    Notes
    -----
    WAVE_FORMAT_EXTENSIBLE for 24 bits or more than two channels, as Microsoft's multi-channel specification
    (2001) asks; beyond stereo no speakers are claimed (mask 0). No PEAK chunk: it would hold a time.
    """
    chunks = _format_chunk(sr, n_channels, subtype)
    n_data = n_samples * n_channels * BITS[subtype] // 8
    if n_data + 65_536 + len(comment or "") * 4 >= 2**32:
        raise BuildError(f"{n_data} bytes of samples do not fit a WAV file (4 GiB); use flac, or shorter clips")
    if subtype == "FLOAT":
        chunks += _chunk(b"fact", struct.pack("<I", n_samples))
    if comment:
        chunks += _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", comment.encode() + b"\0"))
    total = 4 + len(chunks) + 8 + n_data + n_data % 2
    return b"RIFF" + struct.pack("<I", total) + b"WAVE" + chunks + b"data" + struct.pack("<I", n_data)


@lru_cache(maxsize=64)  # the files of a set have one
def _format_chunk(sr: int, n_channels: int, subtype: str) -> bytes:
    """Return the chunk that says how samples are stored."""
    size, tag = BITS[subtype] // 8, 3 if subtype == "FLOAT" else 1
    fmt = struct.pack("<HIIHH", n_channels, sr, sr * n_channels * size, n_channels * size, 8 * size)
    if subtype == "PCM_24" or n_channels > 2:
        mask = {1: 0x4, 2: 0x3}.get(n_channels, 0)
        guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
        fmt = b"\xfe\xff" + fmt + struct.pack("<HHI", 22, 8 * size, mask) + guid
    else:
        fmt = struct.pack("<H", tag) + fmt + (b"\0\0" if tag == 3 else b"")
    return _chunk(b"fmt ", fmt)


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def check_format(*, container: str, subtype: str, sr: int, n_channels: int) -> None:
    """Raise `ParameterError` if a container cannot hold this; usable before anything is rendered.

    Examples
    --------
    >>> check_format(container="mp3", subtype="PCM_16", sr=44100, n_channels=6)
    Traceback (most recent call last):
    ...
    audiosynth.errors.ParameterError: mp3 holds 1 to 2 channels, not 6; use wav
    """
    if container != "wav" and container not in _ENCODERS:
        raise ParameterError(f"no container {container!r}; there are wav, {', '.join(_ENCODERS)}")
    if subtype not in BITS:
        raise ParameterError(f"no subtype {subtype!r}; there are {', '.join(BITS)}")
    if container == "wav":
        rates, most, highest = None, 1024, 1_000_000
    else:
        _, _, most, rates, highest = _ENCODERS[container]
    if container == "flac" and subtype == "FLOAT":
        raise ParameterError("flac holds integers; use subtype PCM_16 or PCM_24, or container wav")
    if not 1 <= n_channels <= most:
        raise ParameterError(f"{container} holds 1 to {most} channels, not {n_channels}; use wav")
    if rates is not None and sr not in rates:
        names = ", ".join(map(str, rates[:-1])) + f" or {rates[-1]}"
        raise ParameterError(f"{container} holds {names} Hz, not {sr}; change `sr` or use wav")
    if container == "flac" and sr > 0xFFFF and sr % 10:  # rates above 16 bits are stored in tens (RFC 9639, 9.1.7)
        raise ParameterError(f"flac holds rates above 65535 Hz in steps of 10, not {sr}; change `sr` or use wav")
    if not 1 <= sr <= highest:
        raise ParameterError(f"{container} holds rates up to {highest} Hz, not {sr}; use wav")


def encode(
    frames: npt.NDArray[Any], *, sr: int, container: str, subtype: str, comment: str | None = None, serial: int = 0
) -> bytes:
    """Return the file of a container other than wav.

    Parameters
    ----------
    frames
        Shape (n_samples, n_channels): int16 or left-justified int32 for flac, floats for the lossy ones.
    sr
        Rate in Hz.
    container, subtype
        As `check_format` allows; the lossy ones have a coding of their own whatever the subtype.
    comment
        Text for the comment tag.
    serial
        Number of an Ogg stream, 32 bits; libsndfile draws one at random, which would change the file every time.
    """
    encoder = Encoder(container, sr=sr, n_channels=frames.shape[1], subtype=subtype, comment=comment, serial=serial)
    encoder.write(frames)
    return encoder.close()


class Encoder:
    """Encodes a file of a container other than wav; parameters as for `encode`.

    The bytes are the same however the samples come, as long as every part but the last is a multiple of `CHUNK_FRAMES`.
    """

    def __init__(
        self, container: str, *, sr: int, n_channels: int, subtype: str, comment: str | None = None, serial: int = 0
    ) -> None:
        import soundfile

        kind, coding = _ENCODERS[container][:2]
        self._buffer, self._serial = io.BytesIO(), serial if kind == "OGG" else None
        options = {"samplerate": sr, "channels": n_channels, "format": kind, "subtype": coding or subtype}
        self._file = soundfile.SoundFile(self._buffer, "w", **options)
        if comment:
            self._file.comment = comment

    def write(self, frames: npt.NDArray[Any]) -> None:
        """Encode the next samples, shape (n, n_channels)."""
        for start in range(0, len(frames), CHUNK_FRAMES):  # the Vorbis encoder keeps a whole write on the stack
            self._file.write(frames[start : start + CHUNK_FRAMES])

    def close(self) -> bytes:
        """Return the file."""
        self._file.close()
        data = self._buffer.getvalue()
        return data if self._serial is None else with_ogg_serial(data, self._serial)


def with_ogg_serial(data: bytes, serial: int) -> bytes:
    """Return an Ogg file of one stream with its serial number changed and the checksums of its pages made anew.

    References
    ----------
    RFC 3533, section 6: the serial stands at byte 14 of a page, the CRC (polynomial 0x04C11DB7) at byte 22.
    """
    out = bytearray(data)
    for start, end in _ogg_pages(data):
        out[start + 14 : start + 18] = struct.pack("<I", serial)
        out[start + 22 : start + 26] = bytes(4)
        out[start + 22 : start + 26] = struct.pack("<I", _ogg_crc(bytes(out[start:end])))
    return bytes(out)


def _ogg_pages(data: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(data):
        if data[start : start + 4] != b"OggS":
            raise BuildError(
                f"expected an Ogg page at byte {start} of the encoder's output, got {data[start : start + 4]!r}"
            )
        n_lacing = data[start + 26]
        end = start + 27 + n_lacing + sum(data[start + 27 : start + 27 + n_lacing])
        yield start, end
        start = end


def _ogg_crc(page: bytes) -> int:
    """Return Ogg's CRC by way of zlib's, which is the same polynomial with all bits mirrored (and inverted twice)."""
    mirrored = crc32(page.translate(_BIT_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
