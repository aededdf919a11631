"""From the bytes of an audio file to float64 samples, whatever libsndfile reads; damage is refused, never padded."""

from __future__ import annotations

import io
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
