"""What changes a level while sound goes on: levels in decibels, what follows them in time, and static curves."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audiosynth.synthesis.signals import expm1, log1p

if TYPE_CHECKING:
    from audiosynth.clip import Array

DB: Final = 20.0 / math.log(10.0)
"""Decibels in a natural logarithm of an amplitude."""
LOWEST: Final = 1e-10
"""Amplitude under logarithms: -200 dBFS, far below the last of 24 bits."""
PIECE: Final = 16_384
"""Samples at once: the series' intermediate values stay in the cache, which makes them two or three times as fast."""


def in_pieces(function: Callable[[Array], Array], x: Array) -> Array:
    """Return a function of single samples, `PIECE` of them at a time, same shape.

    Examples
    --------
    >>> in_pieces(np.square, np.array([[1.0, 2.0]]))
    array([[1., 4.]])
    """
    flat = np.ascontiguousarray(x).reshape(-1)
    out = np.empty(flat.size)
    for start in range(0, flat.size, PIECE):
        out[start : start + PIECE] = function(flat[start : start + PIECE])
    return out.reshape(x.shape)


def factors(gain_db: Array) -> Array:
    """Return 10^(gain/20), the same bits on every machine.

    Examples
    --------
    >>> factors(np.array([0.0, -20.0])).round(12)
    array([1. , 0.1])
    """
    return in_pieces(lambda db: 1.0 + expm1(db * (1.0 / DB)), gain_db)


def decibels(size: Array) -> Array:
    """Return 20·lg of amplitudes, -200 where there are none, the same bits on every machine.

    Examples
    --------
    >>> decibels(np.array([10.0, 0.1, 0.0])).round(9)
    array([  20.,  -20., -200.])
    """
    # relative to the lowest, so that log1p keeps its digits far below full scale
    return in_pieces(lambda x: DB * log1p(np.maximum(x, LOWEST) * (1.0 / LOWEST) - 1.0) - 200.0, size)


def smoothing(time: float, sr: float) -> float:
    """Return the share that one step of a one-pole filter keeps: e^(-1/(time·sr)); 0 for no time at all.

    After `time` seconds a step has been followed by 1 - 1/e, 63 %.

    Examples
    --------
    >>> round(smoothing(0.001, 1000), 6), smoothing(0.0, 1000)
    (0.367879, 0.0)
    """
    return 0.0 if time <= 0 else float(1.0 + expm1(np.array([-1.0 / (time * sr)]))[0])


def followed(x: Array, *, rising: float, falling: float, start: float = 0.0, held: np.ndarray | None = None) -> Array:
    """Return what follows `x` with one time constant upwards and another downwards.

    Parameters
    ----------
    x
        Shape (n,).
    rising, falling
        Shares kept at each step, see `smoothing`.
    start
        State before the first sample.
    held
        Where the state stays as it is, shape (n,), bool.

    Returns
    -------
    state
        Shape (n,): s[i] = a·s[i-1] + (1 - a)·x[i], with a = `rising` where x[i] > s[i-1], else `falling`.

    Notes
    -----
    The smooth branching peak detector of D. Giannoulis, M. Massberg, J. D. Reiss, "Digital dynamic range compressor
    design: a tutorial and analysis", J. Audio Eng. Soc. 60(6), 2012, equation 16.

    Examples
    --------
    >>> followed(np.array([1.0, 1.0, 0.0, 0.0]), rising=0.5, falling=0.75)
    array([0.5     , 0.75    , 0.5625  , 0.421875])
    """
    kernel: Any = importlib.import_module("audiosynth.sound.dynamics_kernel")
    out = np.empty(x.size)
    free = np.zeros(x.size, dtype=bool) if held is None else held
    kernel.follow(np.ascontiguousarray(x), free, rising, falling, start, out)
    return out


def reduction_db(level_db: Array, *, threshold: float, ratio: float, knee: float) -> Array:
    """Return what a compressor takes from levels, in dB, 0 or more.

    Parameters
    ----------
    level_db
        Any shape.
    threshold
        dB; above it `ratio` dB more going in are 1 dB more coming out.
    ratio
        1 or more.
    knee
        Width in dB around the threshold in which a parabola goes over from one slope to the other.

    References
    ----------
    Giannoulis et al. 2012, equation 4.

    Examples
    --------
    >>> reduction_db(np.array([-30.0, -20.0, 0.0]), threshold=-20.0, ratio=4.0, knee=0.0)
    array([ 0.,  0., 15.])
    """
    over = level_db - threshold
    slope = 1.0 - 1.0 / ratio
    straight = slope * np.maximum(over, 0.0)
    if knee <= 0:
        return np.asarray(straight)
    bent = slope / (2.0 * knee) * np.square(over + knee / 2.0)
    return np.asarray(np.where(2.0 * np.abs(over) <= knee, bent, straight))


def ahead_minimum(x: Array, n_ahead: int) -> Array:
    """Return the least of each sample and the `n_ahead` after it, from `n_ahead` samples before the first on.

    Parameters
    ----------
    x
        Factors up to 1, shape (n,).
    n_ahead
        Samples looked ahead.

    Returns
    -------
    least
        Shape (n + n_ahead,).

    Examples
    --------
    >>> ahead_minimum(np.array([1.0, 1.0, 0.5, 1.0]), 1)
    array([1. , 1. , 0.5, 0.5, 1. ])
    """
    from scipy.ndimage import minimum_filter1d

    if n_ahead == 0:
        return np.array(x)
    padded = np.concatenate([np.ones(n_ahead), x, np.ones(n_ahead)])
    size = n_ahead + 1  # the window stands with its middle on the sample unless its origin is moved
    return np.asarray(minimum_filter1d(padded, size, origin=-(size // 2)))[: x.size + n_ahead]


def running_mean(x: Array, n: int) -> Array:
    """Return the means of n samples in a row, shape (len(x) - n + 1,).

    Examples
    --------
    >>> running_mean(np.array([1.0, 3.0, 5.0]), 2)
    array([2., 4.])
    """
    sums = np.cumsum(np.concatenate([np.zeros(1), x]))
    return np.asarray((sums[n:] - sums[:-n]) * (1.0 / n))
