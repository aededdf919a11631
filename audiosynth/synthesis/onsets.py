"""What a ring lacks that begins between two samples: a sine that starts at once reaches above half the rate, and folds.

A damped sine is sampled as it stands; these are the few hundred samples around its start by which that differs from the same
sound through a filter that ends at 0.45 of the rate. Both spectra are known in closed form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.synthesis.waves import taper

if TYPE_CHECKING:
    from audiosynth.clip import Array

LN_60_DB: Final = 3.0 * float(np.log(10.0))
SIZE: Final = 512
LEAD: Final = 192
"""Samples before the start, into which a filter without phase rings."""
SKIRT: Final = 20.0
"""Frequency times T60 below which a ring above the rate is a click, whose lower half is heard; others are left out."""
CHUNK: Final = 512
"""Rings that are worked on at once."""


def corrections(frequencies: Array, t60: Array, late: Array, sr: int) -> Array:
    """Return what to add to sampled damped sines, shape (n_rings, 512), from 192 samples before their first whole sample on.

    Parameters
    ----------
    frequencies
        Hz, shape (n_rings,), any; sines above 0.45 of the rate are not sampled at all, what is added is their skirt.
    t60
        Seconds in which each falls by 60 dB, shape (n_rings,).
    late
        How long each has been sounding at its first sample, in samples, 0 ≤ late < 1, shape (n_rings,).
    sr
        Rate in Hz.

    Notes
    -----
    e^(-σt)·sin(ωt) from t = 0 on has the Fourier transform ω/((σ + iΩ)² + ω²); its samples, with p = e^((iω-σ)/sr), that of
    p^late/(1 - p·z⁻¹) less the same of the conjugate, over 2i (A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal
    Processing", 1999, on impulse invariance, which describes the folding). The difference has no pole: it is short.

    Examples
    --------
    >>> c = corrections(np.array([1000.0]), np.array([0.1]), np.array([0.0]), 8000)
    >>> c.shape, bool(abs(c[:, :32]).max() < 1e-3 * abs(c).max())
    ((1, 512), True)
    """
    import scipy.fft

    turn = np.arange(SIZE // 2 + 1) / SIZE
    w = 2.0 * np.pi * frequencies[:, None] / sr
    decay = (LN_60_DB / sr) / np.asarray(t60)[:, None]
    s = 2j * np.pi * turn[None, :]
    ideal = w / ((decay + s) ** 2 + w * w) * np.exp(s * late[:, None]) * taper(turn * sr, sr)
    heights = taper(frequencies, sr)[:, None]
    pole = np.exp(1j * w - decay)
    other = np.conj(pole)
    sampled = (np.exp((1j * w - decay) * late[:, None]) / (1.0 - pole * np.exp(-s))) - (
        np.exp((-1j * w - decay) * late[:, None]) / (1.0 - other * np.exp(-s))
    )
    spectrum = (ideal - heights * sampled / 2j) * np.exp(-s * LEAD)
    return np.asarray(scipy.fft.irfft(spectrum, SIZE, axis=1))


def add_corrections(y: Array, starts: Array, *, frequencies: Array, t60: Array, amplitudes: Array, sr: int) -> None:
    """Add to y what damped sines lack that begin at some times, in seconds; all of shape (n_rings,)."""
    kept = (taper(frequencies, sr) > 0.0) | (frequencies * t60 < SKIRT)
    starts, frequencies, t60, amplitudes = starts[kept], frequencies[kept], t60[kept], amplitudes[kept]
    first = np.ceil(starts * sr).astype(np.int64)
    late = first - starts * sr
    for i in range(0, len(starts), CHUNK):
        part = slice(i, i + CHUNK)
        rows = amplitudes[part, None] * corrections(frequencies[part], t60[part], late[part], sr)
        for at, row in zip((first[part] - LEAD).tolist(), rows, strict=True):
            a, b = max(at, 0), min(at + SIZE, len(y))
            if a < b:
                y[a:b] += row[a - at : b - at]
