"""From the bytes of an audio file to float64 samples, whatever libsndfile reads; damage is refused, never padded."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from audiosynth.errors import AssetError

if TYPE_CHECKING:
    from audiosynth.clip import Array

LOSSY_SUFFIXES: Final = frozenset({".mp3", ".oga", ".ogg", ".opus"})
"""Files whose decoders give other last bits on other machines and versions."""
LOSSY_SUBTYPES: Final = frozenset({"VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"})
AUDIO_SUFFIXES: Final = frozenset(
    {".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".rf64", ".snd", ".voc", ".w64", ".wav"} | LOSSY_SUFFIXES
)
UNREADABLE_SUFFIXES: Final = frozenset(
    {".3gp", ".aac", ".ac3", ".amr", ".m4a", ".mka", ".mp4", ".sph", ".webm", ".wma"}
)
"""Audio that libsndfile cannot read: a scan says so instead of passing over it."""
MAX_VALUES: Final = 2**29
"""Most samples × channels of one file (4 GiB as float64): a few bytes of header can claim any length."""
_SLACK_FRAMES: Final = 4096
"""What a header may promise too much: the last block of ADPCM and MP3 is padded, and some writers count it."""
_SLACK_BYTES: Final = 1024
_PLAIN_FMT: Final = struct.Struct("<HHIIHH")
"""Of a WAV file's format chunk without extensions: tag, channels, rate, bytes a second, bytes of all channels, bits."""
_PASSED_OVER: Final = frozenset({b"LIST", b"INFO", b"JUNK", b"bext", b"fact", b"PAD "})
"""Chunks that say nothing of how samples are stored."""
_UNKNOWN_SIZE: Final = 0x7FFF0000
"""RIFF sizes from here on are placeholders of streaming writers."""


class Decoded(NamedTuple):
    """Samples of a file, shape (n_channels, n_samples), its rate in Hz, and libsndfile's name of its encoding."""

    y: Array
    sr: int
    subtype: str


def decode(data: bytes, name: str) -> tuple[Array, int]:
    """Return the samples of an audio file, shape (n_channels, n_samples), float64, and its rate in Hz.

    Parameters
    ----------
    data
        The file's bytes.
    name
        What messages call it.

    Raises
    ------
    AssetError
        If it is empty, not readable audio, cut off, or holds NaN or infinity.
    """
    return decode_fully(data, name)[:2]


def decode_fully(data: bytes, name: str) -> Decoded:
    """Return what `decode` does, with the encoding."""
    if not data:
        raise AssetError(f"{name}: the file is empty (0 bytes); fetch it again or leave it out")
    plain = _plain_wav(data)
    if plain is not None:
        return plain
    y, sr, subtype, promised = _read(data, name)
    if y.shape[1] == 0:
        raise AssetError(f"{name}: holds no samples; fetch it again or leave it out")
    if promised - y.shape[1] > _SLACK_FRAMES:
        raise AssetError(
            f"{name}: cut off: its header promises {promised} samples, {y.shape[1]} are there; fetch it again"
        )
    bad = np.flatnonzero(~np.isfinite(y).all(axis=0))
    if bad.size:
        raise AssetError(
            f"{name}: {bad.size} samples are NaN or infinite (the first is sample {bad[0]}); repair the file or leave it out"
        )
    return Decoded(y, sr, subtype)


def _plain_wav(data: bytes) -> Decoded | None:
    """Return a whole WAV file of 16-bit integers as libsndfile reads it, in a tenth of its time; None for all other files."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    at, head = 12, None
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"data":
            return None if head is None else _of_plain_wav(data, at, size, *head)
        if name == b"fmt ":
            if size != _PLAIN_FMT.size or head is not None or at + size > len(data):
                return None
            tag, channels, sr, rate, frame, bits = _PLAIN_FMT.unpack_from(data, at)
            if (tag, bits, frame, rate) != (1, 16, 2 * channels, 2 * channels * sr):
                return None
            head = channels, sr
        elif name not in _PASSED_OVER:
            return None
        at += size + size % 2
    return None


def _of_plain_wav(data: bytes, at: int, size: int, channels: int, sr: int) -> Decoded | None:
    """Return the samples of so many bytes from a place on, None where they are not there or not whole."""
    short = len(data) - at < size
    if short or size == 0 or channels == 0 or sr == 0 or size % (2 * channels) or size > 2 * MAX_VALUES:
        return None
    samples = np.frombuffer(data, dtype="<i2", count=size // 2, offset=at)
    y = np.ascontiguousarray(samples.reshape(-1, channels).T, dtype=np.float64)
    y *= 2.0**-15
    return Decoded(y, sr, "PCM_16")


def _read(data: bytes, name: str) -> tuple[Array, int, str, int]:
    import soundfile

    _require_whole_riff(data, name)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            promised = file.frames
            if promised * file.channels > MAX_VALUES:
                raise AssetError(
                    f"{name}: says it holds {promised} samples of {file.channels} channels; at most {MAX_VALUES} values are "
                    "read at once; split the file"
                )
            y = file.read(dtype="float64", always_2d=True)
            return np.ascontiguousarray(y.T), int(file.samplerate), str(file.subtype), promised
    except (soundfile.SoundFileError, ValueError, RuntimeError, TypeError) as error:
        raise AssetError(f"{name}: {_why(data, error)}") from None


def _require_whole_riff(data: bytes, name: str) -> None:
    """Refuse half a WAV: libsndfile reads what is there and calls it whole."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        size = int.from_bytes(data[4:8], "little") + 8
        if len(data) + _SLACK_BYTES < size < _UNKNOWN_SIZE:
            raise AssetError(
                f"{name}: cut off: its header promises {size} bytes, {len(data)} are there; fetch it again"
            )


def _why(data: bytes, error: Exception) -> str:
    if data[4:8] == b"ftyp" or _is_adts(data):
        return "MPEG-4 or AAC audio, which libsndfile cannot read; convert it to FLAC or WAV"
    detail = str(getattr(error, "error_string", "") or "").strip().rstrip(".") or "damaged or cut off"
    return f"not audio that libsndfile can read ({detail}); convert it to FLAC or WAV, fetch it again, or leave it out"


def _is_adts(data: bytes) -> bool:
    """Return whether the bytes begin like an ADTS stream of AAC (sync word FFF, layer 00)."""
    return len(data) > 1 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0
