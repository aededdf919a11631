"""Voices of animals and people: a harmonic source through resonances of a throat, with breath and roughness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.synthesis import shaped, signals, waves

if TYPE_CHECKING:
    from audiosynth.clip import Array

Formants = Sequence[tuple["Array | float", "Array | float"]]
"""(centre, bandwidth) in Hz of each resonance, each a number or one value per time."""
REFERENCE_HZ: Final = 500.0
"""Where a tilted spectrum has the gain 1."""
MAX_PARTIALS: Final = 300
SOFT_DB: Final = 8.0
"""dB per octave that the softest voice loses against the loudest (G. Fant, "Acoustic theory of speech production", 1960: the
glottal source falls by 12 dB per octave, more when soft, less when loud)."""
JITTER_HZ: Final = 45.0
"""How quickly the pitch of a rough voice wanders."""
JITTER: Final = 0.025
"""By how much, at full roughness."""
SUBHARMONIC: Final = 0.55
"""Depth to which every second period is weaker, at full roughness."""
SHIMMER: Final = 0.35


def tract(frequency: Array, formants: Formants, *, tilt_db: float = 0.0) -> Array:
    """Return the gain of a throat: a peak of height centre/bandwidth at each resonance, over a straight slope.

    Parameters
    ----------
    frequency
        Hz, any shape that the formants broadcast with.
    formants
        (centre, bandwidth) in Hz.
    tilt_db
        Slope in dB per octave; 0 dB at 500 Hz.

    Notes
    -----
    Peaks multiply, and each is the magnitude of one resonance (Lorentz) plus 1, so that distant ones do not matter: the
    slope of the whole is the source's. A cascade of two-pole filters would need the poles above the highest formant too
    (G. Fant, "Acoustic theory of speech production", 1960, on the correction for higher poles).

    Examples
    --------
    >>> tract(np.array([500.0, 2000.0]), [(500.0, 50.0)], tilt_db=-6.0).round(2)
    array([10.  ,  0.29])
    """
    gain = np.power(np.maximum(frequency, 1.0) / REFERENCE_HZ, tilt_db / (20.0 * np.log10(2.0)))
    for centre, width in formants:
        away = (frequency - centre) / (0.5 * np.asarray(width))
        gain = gain * (1.0 + (np.asarray(centre) / width - 1.0) / np.sqrt(1.0 + away * away))
    return np.asarray(gain)


def voiced(
    f0: Array, formants: Callable[[Array], Formants], *, sr: int, tilt_db: float = -9.0, roughness: float = 0.0,
    chances: shaped.Chances, effort: Array | None = None,
) -> Array:  # fmt: skip
    """Return the voiced part of a call, shape (n_samples,).

    Parameters
    ----------
    f0
        Fundamental in Hz at each sample, shape (n_samples,).
    formants
        Called with times in seconds, shape (n_knots,): the resonances then.
    sr
        Rate in Hz.
    tilt_db
        Slope of the source and the radiation together, in dB per octave.
    roughness
        0 for a clear voice; 1 adds 2.5 % jitter at random, periods that alternate, and unsteady loudness.
    chances
        Random numbers of the sound.
    effort
        0 to 1 at each sample, shape (n_samples,), or None for 1: a soft voice is dull, 8 dB per octave more at 0.

    Examples
    --------
    >>> f0 = np.linspace(300.0, 200.0, 1600)
    >>> call = voiced(f0, lambda t: [(800.0, 100.0)], sr=16000, chances=shaped.Chances(1, "call"))
    >>> call.shape
    (1600,)
    """
    n = len(f0)
    if roughness > 0:
        f0 = f0 * (1.0 + roughness * JITTER * chances.wander("jitter", JITTER_HZ, n_samples=n, sr=sr))
    y = waves.moving(
        f0,
        lambda f, t: tract(f, formants(t), tilt_db=tilt_db) * _dull(f, t, effort, sr),
        sr=sr,
        n_partials=min(MAX_PARTIALS, int(waves.GONE * sr / max(20.0, float(f0.min()))) + 1),
    )
    if roughness > 0:
        alternate = 0.5 + 0.5 * signals.sine(0.5 * signals.accumulated(f0, sr) + 0.25)
        shimmer = chances.wander("shimmer", JITTER_HZ, n_samples=n, sr=sr)
        y = y * (1.0 - roughness * SUBHARMONIC * alternate) * (1.0 + roughness * SHIMMER * shimmer)
    return y


def _dull(frequency: Array, t: Array, effort: Array | None, sr: int) -> Array:
    """Return what a voice of less than full effort lacks, 1 at and below 500 Hz."""
    if effort is None:
        return np.ones_like(frequency)
    at = np.minimum((t * sr + 0.5).astype(np.int64), len(effort) - 1)
    octaves = np.log2(np.maximum(frequency / REFERENCE_HZ, 1.0))
    return np.asarray(np.power(10.0, -SOFT_DB / 20.0 * octaves * (1.0 - effort[at])[None, :]))


def breath(
    formants: Formants, *, n_samples: int, sr: int, tilt_db: float = -3.0, chances: shaped.Chances, name: str = "breath"
) -> Array:
    """Return noise through a throat that stands still, of RMS 1, shape (n_samples,)."""
    frequency = np.geomspace(40.0, 48_000.0, 96)
    gain = 20.0 * np.log10(tract(frequency, formants, tilt_db=tilt_db))
    points = [(40.0 / 4.0, float(gain[0]) - 40.0), *zip(frequency.tolist(), gain.tolist(), strict=True)]
    y = chances.noise(name, points, n_samples=n_samples, sr=sr)
    return y / max(float(np.sqrt(np.mean(y * y))), 1e-12)


def track(points: shaped.Points, *, n_samples: int, sr: int) -> Array:
    """Return a pitch contour in Hz through (time, Hz) points, smooth over the logarithm, shape (n_samples,).

    Examples
    --------
    >>> track([(0.0, 200.0), (1.0, 400.0)], n_samples=3, sr=2).round(1)
    array([200. , 282.8, 400. ])
    """
    logs = [(t, float(np.log(f))) for t, f in points]
    return np.asarray(1.0 + signals.expm1(shaped.curve(logs, n_samples=n_samples, sr=sr)))
