"""Round trips through libsndfile's encoders and decoders: MP3, Opus, Vorbis, GSM 6.10, in memory.

Sound stays where it was. Encoders delay, and the files say by how much (the LAME tag of MP3, the pre-skip of Opus, the granule
positions of Vorbis); libsndfile takes that away again. At low bit rates a LAME tag does not fit its frame and is left out: that delay
is taken away here. Resampling has none. Tests hold a click against all of it.
"""

from __future__ import annotations

import io
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audiosynth.dsp import resample, seconds_to_samples
from audiosynth.errors import RenderError

if TYPE_CHECKING:
    from audiosynth.clip import Array

CHUNK: Final = 16_384
"""Samples written at once: the Vorbis encoder keeps a whole write on the stack."""
BLEND: Final = 0.02
"""Seconds over which one rate goes over into the next: a frame of Opus, about a granule of MP3 (576 samples) and a block of Vorbis."""
STEREO: Final = 2
"""Channels that are coded together; more are coded one by one."""


@dataclass(frozen=True, kw_only=True)
class Coder:
    """An encoder of libsndfile and its settings.

    Attributes
    ----------
    container, subtype
        libsndfile's names.
    rates
        Sampling rates it takes in Hz, rising.
    n_channels
        Most channels that it codes together.
    level, mode
        ``compression_level`` from 0 to 1 and ``bitrate_mode``, as `soundfile` has them; None for what is fixed.
    untold
        Delay in samples of a file that does not say how long its sound is, so that more comes back than went in.
    """

    container: str
    subtype: str
    rates: tuple[int, ...]
    n_channels: int = STEREO
    level: float | None = None
    mode: str | None = None
    untold: int = 0


def nearest_rate(sr: int, rates: tuple[int, ...]) -> int:
    """Return the rate a codec runs at: the lowest that holds all of the sound, else its highest.

    Examples
    --------
    >>> nearest_rate(22050, (8000, 16000, 24000, 48000)), nearest_rate(96000, (8000, 48000))
    (24000, 48000)
    """
    return next((rate for rate in rates if rate >= sr), rates[-1])


def fitted(y: Array, n_samples: int) -> Array:
    """Return `y` cut or followed by silence to `n_samples`.

    Examples
    --------
    >>> fitted(np.ones((1, 2)), 3)
    array([[1., 1., 0.]])
    """
    out = np.zeros((y.shape[0], n_samples))
    n = min(n_samples, y.shape[1])
    out[:, :n] = y[:, :n]
    return out


def round_trip(y: Array, *, sr: int, coder: Coder) -> Array:
    """Return `y` encoded and decoded, of the same shape and at the same place.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples); beyond full scale it is clipped.
    sr
        Its rate in Hz; a codec that does not take it runs at `nearest_rate`.
    coder
        What codes it.

    Raises
    ------
    RenderError
        If libsndfile lacks the codec.

    Examples
    --------
    >>> gsm = Coder(container="WAV", subtype="GSM610", rates=(8000,), n_channels=1)
    >>> round_trip(np.zeros((2, 1600)), sr=16000, coder=gsm).shape
    (2, 1600)
    """
    rate = nearest_rate(sr, coder.rates)
    inside = np.clip(resample(y, sr_in=sr, sr_out=rate), -1.0, 1.0)
    groups = [inside] if inside.shape[0] <= coder.n_channels else list(inside[:, None, :])
    heard = np.concatenate([_coded(group, rate, coder) for group in groups])
    return fitted(resample(heard, sr_in=rate, sr_out=sr), y.shape[1])


def switched(y: Array, *, sr: int, turns: Sequence[tuple[float, Coder]]) -> Array:
    """Return `y` encoded and decoded by one coder after another, of the same shape and at the same place.

    Parameters
    ----------
    y, sr
        As `round_trip` has them.
    turns
        From when on (seconds, rising, the first 0) which coder is heard.

    Raises
    ------
    RenderError
        As `round_trip` does.

    Notes
    -----
    Each coder runs over the whole sound, so that none starts in its midst, and all give it back at its place; from one to the next
    they are blended over `BLEND`, by sine and cosine squared, which are 1 together: the windows by which transform codecs overlap
    their own frames. Away from the blends the sound is just what `round_trip` gives.
    """
    n, half = y.shape[1], max(1, round(BLEND * sr / 2))
    made: dict[Coder, Array] = {}
    out = np.zeros(y.shape)
    for start, coder in turns:
        first = seconds_to_samples(start, sr)
        if first - half >= n:
            break
        if coder not in made:
            made[coder] = round_trip(y, sr=sr, coder=coder)
        heard, a, b = made[coder], max(0, first - half), min(n, first + half)
        if start > 0:
            share = np.sin(0.25 * np.pi * (np.arange(a, b) - (first - half) + 0.5) / half) ** 2
            out[:, a:b] += share * (heard[:, a:b] - out[:, a:b])
        out[:, b if start > 0 else 0 :] = heard[:, b if start > 0 else 0 :]
    return out


def _coded(y: Array, sr: int, coder: Coder) -> Array:
    import soundfile

    buffer = io.BytesIO()
    settings: dict[str, Any] = {} if coder.level is None else {"compression_level": coder.level}
    settings |= {} if coder.mode is None else {"bitrate_mode": coder.mode}
    try:
        with soundfile.SoundFile(
            buffer, "w", samplerate=sr, channels=y.shape[0], format=coder.container, subtype=coder.subtype, **settings
        ) as file:
            for start in range(0, y.shape[1], CHUNK):
                file.write(np.ascontiguousarray(y[:, start : start + CHUNK].T))
        buffer.seek(0)
        decoded, _ = soundfile.read(buffer, dtype="float64", always_2d=True)
    except (soundfile.SoundFileError, ValueError) as error:
        raise RenderError(
            f"libsndfile {soundfile.__libsndfile_version__} cannot code {coder.subtype} at {sr} Hz ({error}); use the "
            "`soundfile` wheel, which has the codec, or another one"
        ) from None
    late = coder.untold if len(decoded) > y.shape[1] else 0
    return fitted(decoded.T[:, late:], y.shape[1])


def needs() -> tuple[str, ...]:
    """Return what gives the same samples again: encoders and decoders compute in float32, in the manner of each processor."""
    import soundfile

    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    return f"libsndfile=={soundfile.__libsndfile_version__}", f"platform=={machine}"
