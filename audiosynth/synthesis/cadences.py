"""Patterns of on and off, as alarms and telephones have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from audiosynth.synthesis import signals

if TYPE_CHECKING:
    from audiosynth.clip import Array


def gate(pattern: Sequence[float], *, n_samples: int, sr: int, edge: float = 0.003, start: float = 0.0) -> Array:
    """Return an envelope that is on and off in turn for the seconds of a pattern, over and over, shape (n_samples,).

    Parameters
    ----------
    pattern
        Seconds on, off, on, off, …; an even number of them. Onsets stand at their exact times.
    n_samples, sr
        Length and rate.
    edge
        Raised-cosine rise and fall in seconds, both inside the time on; half of a short one at most.
    start
        Seconds into the pattern at the first sample.

    Examples
    --------
    >>> gate([0.5, 0.5], n_samples=8, sr=4, edge=0.001)
    array([1., 1., 0., 0., 1., 1., 0., 0.])
    """
    steps = np.cumsum([0.0, *pattern])
    t = signals.times(n_samples, sr) + 0.5 / sr + start
    t = t - np.floor(t / steps[-1]) * steps[-1]
    i = np.clip(np.searchsorted(steps, t, side="right") - 1, 0, len(pattern) - 1)
    length = np.asarray(pattern)[i]
    rise = np.minimum(edge, 0.5 * length)
    within = t - steps[i]
    on = signals.rise(within / np.maximum(rise, 1e-9)) * signals.rise((length - within) / np.maximum(rise, 1e-9))
    return np.where(i % 2 == 0, on, 0.0)


def repeated(pulse: float, gap: float, count: int, pause: float) -> list[float]:
    """Return the pattern of a group of equal pulses and a pause.

    Examples
    --------
    >>> repeated(0.5, 0.5, 3, 1.5)
    [0.5, 0.5, 0.5, 0.5, 0.5, 1.5]
    """
    return [x for i in range(count) for x in (pulse, gap if i < count - 1 else pause)]
