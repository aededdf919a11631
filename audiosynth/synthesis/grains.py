"""Swarms of short sounds: drops, crackles, pebbles. Each stands at its own time between samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.synthesis import onsets, signals
from audiosynth.synthesis.waves import taper

if TYPE_CHECKING:
    from audiosynth.clip import Array

CHUNK: Final = 256
"""Grains that are made at once."""
ENDING: Final = 0.2
"""Share of a ring in which it fades out."""


def scatter(starts: Array, shape: Callable[[Array, slice], Array], *, length: float, n_samples: int, sr: int) -> Array:
    """Return the sum of many short sounds, shape (n_samples,).

    Parameters
    ----------
    starts
        When each begins, in seconds, shape (n_grains,).
    shape
        Called with times since the start, shape (n, n_grain_samples), and which grains they are: their samples.
    length
        Seconds of one sound.
    n_samples, sr
        Length and rate of the whole.

    Examples
    --------
    >>> click = lambda t, which: signals.sine(t * 1000.0)
    >>> scatter(np.array([0.0, 0.01]), click, length=0.001, n_samples=160, sr=16000).shape
    (160,)
    """
    size = max(1, int(np.ceil(length * sr)))
    out = np.zeros(n_samples + size)
    first = np.ceil(starts * sr).astype(np.int64)
    within = np.arange(size)
    for begin in range(0, len(starts), CHUNK):
        which = slice(begin, min(len(starts), begin + CHUNK))
        t = (first[which, None] + within[None, :]) / sr - starts[which, None]
        for at, row in zip(first[which].tolist(), shape(t, which), strict=True):
            if 0 <= at < n_samples:
                out[at : at + size] += row
    return out[:n_samples]


def damped(t: Array, *, frequency: Array, t60: Array) -> Array:
    """Return sines from zero that fall by 60 dB in `t60`, one a row; times in seconds, shape (n, n_samples)."""
    fall = 1.0 + signals.expm1(np.maximum(t * (-6.907755278982137 / t60[:, None]), -700.0))
    return np.asarray(fall * signals.sine(t * frequency[:, None]))


def rings(
    starts: Array, *, frequencies: Array, t60: Array, amplitudes: Array, length: float, n_samples: int, sr: int
) -> Array:
    """Return the sum of damped sines that begin at any time, without aliases, shape (n_samples,).

    Parameters
    ----------
    starts
        When each begins, in seconds, shape (n_rings,).
    frequencies, t60, amplitudes
        Hz, any; seconds in which each falls by 60 dB; at the start; all of shape (n_rings,).
    length
        Seconds after which a ring has faded out.
    n_samples, sr
        Length and rate of the whole.

    Examples
    --------
    >>> one = np.array([1.0])
    >>> y = rings(0.01 * one, frequencies=1000 * one, t60=0.01 * one, amplitudes=one, length=0.02, n_samples=400, sr=16000)
    >>> y.shape, bool(abs(y[:140]).max() < 0.01 < 0.5 < abs(y).max())
    ((400,), True)
    """
    loud = amplitudes * taper(frequencies, sr)
    kept = loud != 0.0
    f, fall, a = frequencies[kept], t60[kept], loud[kept]

    def shape(t: Array, which: slice) -> Array:
        end = signals.rise((length - t) * (1.0 / (ENDING * length)))
        return np.asarray(a[which, None] * damped(t, frequency=f[which], t60=fall[which]) * end)

    y = scatter(starts[kept], shape, length=length, n_samples=n_samples, sr=sr)
    onsets.add_corrections(y, starts, frequencies=frequencies, t60=t60, amplitudes=amplitudes, sr=sr)
    return y
