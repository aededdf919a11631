"""Swarms of short sounds: drops, crackles, pebbles. Each stands at its own time between samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth import signals

if TYPE_CHECKING:
    from audiosynth.clip import Array

CHUNK: Final = 256
"""Grains that are made at once."""


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
