"""Late sound of rooms: keyed noise under the decay of each octave, coherent between microphones as a diffuse field is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from audiosynth.acoustics import bands
from audiosynth.acoustics.diffuse import Mixer, coherent_noise
from audiosynth.acoustics.responses import DIRECT_SECONDS
from audiosynth.dice import gaussians_at
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import ParameterError
from audiosynth.sound.normals import White, normals_at

if TYPE_CHECKING:
    from audiosynth.clip import Array

DECAY: Final = 6.0 * math.log(10.0)
"""60 dB as an exponent of energy: 13.8155."""
DEPTH: Final = 1.2
"""Length of a statistical response in reverberation times: it ends 72 dB down."""
RT60_RANGE: Final = (0.02, 30.0)


def crossfade(n_samples: int, *, centre: int, width: int) -> tuple[Array, Array]:
    """Return the gains of what ends and of what begins: squares that sum to 1, over `width` samples around `centre`.

    Examples
    --------
    >>> out, into = crossfade(5, centre=2, width=2)
    >>> into.round(3)
    array([0.   , 0.   , 0.707, 1.   , 1.   ])
    """
    out, into = np.ones(n_samples), np.ones(n_samples)
    first, last = (max(0, centre + side * (width + 1)) for side in (-1, 1))
    out[last:], into[:first] = 0.0, 0.0
    place = np.clip((np.arange(first, min(last, n_samples)) - centre) / max(width, 1) + 0.5, 0.0, 1.0)
    out[first:last] = np.sin(0.5 * np.pi * (1.0 - place))
    into[first:last] = np.sin(0.5 * np.pi * place)
    return out, into


def diffuse_tail(
    power: npt.ArrayLike,
    *,
    sr: int,
    seed: int,
    mixer: Mixer,
    start: int,
    width: int = 0,
    stream: str = "tail",
    white: White = gaussians_at,
) -> Array:
    """Return a tail of noise whose energy follows given curves.

    Parameters
    ----------
    power
        Mean square per sample at time n / sr, shape (n_samples,), or (n_bands, n_samples) with `bands.n_bands(sr)`
        bands: each row is what a room that were everywhere as in this octave would have (`absorption.decay` over sr,
        say), for an omnidirectional microphone. Finite, ≥ 0.
    sr
        Rate in Hz.
    seed
        The recorded seed.
    mixer
        From `diffuse.diffuse_mixer`: one channel per microphone, with its power in a diffuse field.
    start
        Sample at which the tail has half its power: the mixing time.
    width
        Samples over which it comes in, squared sine; the early part goes out with `crossfade(…)[0]`.
    stream
        Name that separates tails of one seed.
    white
        What the noise is made from.

    Returns
    -------
    tail
        Shape (n_channels, n_samples). Nothing before start - width / 2. The energy of each octave, mean over channels,
        is that of its curve, not that of the chance of one draw.

    Notes
    -----
    A stretch of noise of t seconds in a band of B Hz has some Bt degrees of freedom, so its energy varies by
    ±sqrt(1/Bt): 0.8 dB for 0.3 s at 125 Hz. Matching takes that away; fine structure and decay stay random.
    """
    curves = np.atleast_2d(np.asarray(power, dtype=np.float64))
    _check(curves, sr, start)
    n = curves.shape[-1]
    curves = curves * crossfade(n, centre=start, width=width)[1] ** 2
    noise = coherent_noise(seed, mixer, start=0, n_samples=n, stream=stream, white=white)
    matched = np.sqrt(curves * _matches(curves, noise, mixer, sr)[:, None])
    shaped = matched[:, None, :] * noise
    tail = shaped[0] if len(curves) == 1 else bands.combine(shaped, sr=sr)
    tail[:, : max(0, start - width // 2)] = 0.0
    return tail


def statistical_response(
    direct: Array,
    *,
    sr: int,
    delay: int,
    rt60: float | Sequence[float],
    drr_db: float,
    seed: int,
    mixer: Mixer,
    white: White = normals_at,
) -> Array:
    """Return a room after Polack: the direct sound, and noise that decays exponentially in each octave.

    Parameters
    ----------
    direct
        The direct sound alone, in its place, shape (n_channels, n): delays and gains per microphone included.
    sr
        Rate in Hz.
    delay
        Sample of the direct sound at the first channel; the tail begins where its 2.5 ms are over.
    rt60
        Reverberation time in seconds, 0.02 … 30, of all octaves or of each (`bands.n_bands(sr)`).
    drr_db
        Energy of the direct sound over that of the tail, at the first channel, exact.
    seed, mixer, white
        As for `diffuse_tail`.

    Returns
    -------
    h
        Shape (n_channels, n_samples): 1.2 times the longest reverberation time after the direct sound.

    References
    ----------
    J.-D. Polack, "La transmission de l'énergie sonore dans les salles", thèse, Université du Maine (1988).

    Examples
    --------
    >>> from audiosynth.acoustics.arrays import linear
    >>> from audiosynth.acoustics.diffuse import diffuse_mixer
    >>> pulse = np.zeros((2, 81))
    >>> pulse[:, 80] = 1.0
    >>> pair = diffuse_mixer(linear(2, spacing=0.1), sr=16000, c=343.0)
    >>> h = statistical_response(pulse, sr=16000, delay=80, rt60=0.5, drr_db=-6.0, seed=1, mixer=pair)
    >>> h.shape, round(float(np.sum(h[0, 81:] ** 2)), 6)
    ((2, 9721), 3.981072)
    """
    times = np.atleast_1d(np.asarray(rt60, dtype=np.float64))
    if not ((times >= RT60_RANGE[0]) & (times <= RT60_RANGE[1])).all() or not np.isfinite(drr_db):
        raise ParameterError(f"expected rt60 in 0.02..30 s and a finite drr_db, got {rt60} and {drr_db}")
    start = delay + seconds_to_samples(DIRECT_SECONDS, sr) + 1
    n = max(start + math.ceil(DEPTH * float(times.max()) * sr), direct.shape[-1])
    if not 0 <= delay < direct.shape[-1] or not direct[0].any():
        raise ParameterError(f"expected direct sound around sample {delay}, got silence or {direct.shape[-1]} samples")
    after = np.maximum(np.arange(n) - start, 0) / sr
    curves = np.where(np.arange(n) >= start, np.exp(-DECAY * after / times[:, None]), 0.0)
    tail = diffuse_tail(curves, sr=sr, seed=seed, mixer=mixer, start=start, white=white)
    ratio = float(np.sum(direct[0] ** 2)) / float(np.sum(tail[0] ** 2))
    tail *= math.sqrt(ratio * 10.0 ** (-drr_db / 10.0))
    tail[:, : direct.shape[-1]] += direct
    return tail


def _matches(curves: Array, white: Array, mixer: Mixer, sr: int) -> Array:
    """Return, per octave, the energy its curve asks for over what this noise would give, mean over channels."""
    expected = np.sum(mixer.taps**2, axis=(1, 2))[:, None]
    if len(curves) == 1:
        parts, shares = [white], [1.0]
    else:
        pulse = np.zeros(sr)
        pulse[sr // 2] = 1.0
        shares = [float(np.sum(row**2)) for row in bands.split(pulse, sr=sr)]
        parts = list(bands.split(white, sr=sr))
    found = [np.sum(part**2 / expected * curve) / len(white) for part, curve in zip(parts, curves, strict=True)]
    asked = [share * np.sum(curve) for share, curve in zip(shares, curves, strict=True)]
    return np.array([a / f if f > 0 else 1.0 for a, f in zip(asked, found, strict=True)])


def _check(curves: Array, sr: int, start: int) -> None:
    if curves.ndim != 2 or len(curves) not in (1, bands.n_bands(sr)) or not curves.shape[-1]:
        expected = f"1 or {bands.n_bands(sr)} curves (octaves of {sr} Hz)"
        raise ParameterError(f"expected {expected} of shape (n_bands, n_samples), got shape {curves.shape}")
    if not (np.isfinite(curves).all() and (curves >= 0).all()) or start < 0:
        raise ParameterError("energies per sample are finite and not below 0, and a tail starts at sample 0 or later")
