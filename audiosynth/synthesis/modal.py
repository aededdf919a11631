"""Things that ring: sums of decaying sines, one per mode of vibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.synthesis import onsets, signals
from audiosynth.synthesis.waves import taper

if TYPE_CHECKING:
    import numpy.typing as npt

    from audiosynth.clip import Array

LN_60_DB: Final = 3.0 * float(np.log(10.0))
"""Natural logarithm of 60 dB as an amplitude: e^(-6.908 t/T60) falls 60 dB in T60."""
BLOCK: Final = 256
"""Samples per block of the product form."""


def ring(
    frequencies: npt.ArrayLike,
    *,
    t60: npt.ArrayLike,
    amplitudes: npt.ArrayLike,
    n_samples: int,
    sr: int,
    phases: npt.ArrayLike = 0.0,
) -> Array:
    """Return Σ a_k·e^(-6.908 t/T60_k)·sin(2π f_k t + 2π phase_k), shape (n_samples,).

    Parameters
    ----------
    frequencies
        Hz, shape (n_modes,); modes above 0.40 of the rate fade out, those above 0.45 are left out.
    t60
        Seconds in which a mode falls by 60 dB, shape (n_modes,) or a number.
    amplitudes
        At t = 0, shape (n_modes,) or a number.
    n_samples, sr
        Length and rate.
    phases
        In cycles, shape (n_modes,) or a number.

    Notes
    -----
    With t = t_block + t_within, each mode is the real part of a product of two complex exponentials: a small matrix of
    blocks times one of samples within a block gives the whole.

    Examples
    --------
    >>> y = ring([1000.0, 2756.0], t60=[0.5, 0.2], amplitudes=[1.0, 0.4], n_samples=8000, sr=16000)
    >>> bool(abs(y).max() < 1.4)
    True
    """
    f = np.atleast_1d(np.asarray(frequencies, dtype=np.float64))
    rate = LN_60_DB / np.broadcast_to(np.asarray(t60, dtype=np.float64), f.shape)
    a = np.broadcast_to(np.asarray(amplitudes, dtype=np.float64), f.shape) * taper(f, sr)
    start = np.broadcast_to(np.asarray(phases, dtype=np.float64), f.shape)
    kept = a != 0.0
    f, rate, a, start = f[kept], rate[kept], a[kept], start[kept]
    if n_samples == 0 or len(f) == 0:
        return np.zeros(n_samples)
    n_blocks = -(-n_samples // BLOCK)
    t_block = np.arange(n_blocks) * (BLOCK / sr)
    t_within = np.arange(BLOCK) / sr
    outer = np.outer(t_block, f) + start
    inner = np.outer(f, t_within)
    fall = a * _exp(-np.outer(t_block, rate))
    within = _exp(-np.outer(rate, t_within))
    # sin(x + y) = sin x·cos y + cos x·sin y; einsum and not BLAS, whose threads may add in another order
    y = np.einsum("bk,kw->bw", fall * signals.sine(outer), within * signals.sine(inner + 0.25))
    y += np.einsum("bk,kw->bw", fall * signals.sine(outer + 0.25), within * signals.sine(inner))
    return np.asarray(y.ravel()[:n_samples])


def strike(
    y: Array, start: float, frequencies: npt.ArrayLike, *, t60: npt.ArrayLike, amplitudes: npt.ArrayLike, sr: int
) -> None:
    """Add modes to `y` that begin to ring at a time in seconds, between samples too, without aliases; as `ring` else.

    Examples
    --------
    >>> y = np.zeros(800)
    >>> strike(y, 0.05, [1000.0], t60=0.02, amplitudes=0.5, sr=8000)
    >>> bool(abs(y[:380]).max() < 1e-3 < 0.3 < abs(y).max())
    True
    """
    f = np.atleast_1d(np.asarray(frequencies, dtype=np.float64))
    fall = np.broadcast_to(np.asarray(t60, dtype=np.float64), f.shape)
    a = np.broadcast_to(np.asarray(amplitudes, dtype=np.float64), f.shape)
    first = int(np.ceil(start * sr))
    if not 0 <= first < len(y):
        return
    late = first / sr - start
    y[first:] += ring(
        f,
        t60=fall,
        amplitudes=a * _exp(-LN_60_DB * late / fall),
        phases=f * late,
        n_samples=len(y) - first,
        sr=sr,
    )
    onsets.add_corrections(y, np.full(len(f), start), frequencies=f, t60=fall, amplitudes=a, sr=sr)


def contact(frequencies: npt.ArrayLike, seconds: float) -> Array:
    """Return how strongly a blow of some length excites modes, 1 for slow ones, shape (n_modes,).

    The envelope of the spectrum of a half-sine push of `seconds`, 1/(1 + (2·f·seconds)²): soft or heavy hammers stay long
    and leave high modes alone (N. H. Fletcher, T. D. Rossing, "The Physics of Musical Instruments", 1998, on hammers).

    Examples
    --------
    >>> contact([0.0, 500.0], 0.001)
    array([1. , 0.5])
    """
    return np.asarray(1.0 / (1.0 + (2.0 * np.asarray(frequencies, dtype=np.float64) * seconds) ** 2))


def place(y: Array, sound: Array, start: float, sr: int) -> None:
    """Add a sound into `y` from a time in seconds on, as far as it fits."""
    first = int(start * sr + 0.5)
    if 0 <= first < len(y):
        y[first : first + len(sound)] += sound[: len(y) - first]


def _exp(x: Array) -> Array:
    return 1.0 + signals.expm1(np.maximum(x, -700.0))
