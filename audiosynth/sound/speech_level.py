"""Active speech level after ITU-T P.56, method B."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.dsp import energy

if TYPE_CHECKING:
    from audiosynth.clip import Array

SHORTEST_SPEECH: Final = 1.0
"""Seconds under which the method has too little to go by and the RMS is used."""
TIME_CONSTANT: Final = 0.03
"""P.56: seconds of each of the two smoothing stages of the envelope."""
HANGOVER: Final = 0.2
"""P.56: seconds that activity goes on after the envelope falls under a threshold."""
MARGIN_DB: Final = 15.9
"""P.56: how far the active level lies over the threshold that decides activity."""
_NOMINAL_DB: Final = -26.0
_THRESHOLDS: Final = 2.0 ** -np.arange(15.0, 0.0, -1.0)
"""P.56: thresholds 6 dB apart."""


def active_speech_level(y: Array, sr: int) -> tuple[float, float]:
    """Return (active level in dB re full scale, activity factor) of one channel.

    Parameters
    ----------
    y
        Shape (n_samples,).
    sr
        Rate in Hz.

    Notes
    -----
    The thresholds are fixed in dB re full scale, so the signal is brought to -26 dB RMS first and the gain taken off
    again: the reading then does not depend on how loud the recording is.

    References
    ----------
    ITU-T P.56 (12/2011), clause 7.
    """
    from scipy.signal import lfilter

    mean_square = energy(y) / max(1, y.size)
    if mean_square <= 0:
        return -math.inf, 0.0
    gain = 10 ** (_NOMINAL_DB / 20) / math.sqrt(mean_square)
    g = math.exp(-1.0 / (sr * TIME_CONSTANT))
    envelope = np.abs(y) * gain
    for _ in range(2):
        envelope = lfilter([1 - g], [1, -g], envelope)
    counts = [_held(envelope >= c, math.ceil(HANGOVER * sr)) for c in _THRESHOLDS]
    total = mean_square * gain * gain * y.size
    level = _cross(counts, total)
    return level - 20 * math.log10(gain), min(1.0, total / y.size / 10 ** (level / 10))


def _held(above: np.ndarray, hold: int) -> int:
    """Return how many samples are above, or within `hold` samples after one that was."""
    last = np.maximum.accumulate(np.where(above, np.arange(above.size), -hold - 1))
    return int(np.count_nonzero(np.arange(above.size) - last <= hold))


def _cross(counts: list[int], total: float) -> float:
    """Return the level at which active level and threshold are 15.9 dB apart, interpolated in dB."""
    before: tuple[float, float] | None = None
    level = -math.inf
    for count, c in zip(counts, _THRESHOLDS, strict=True):
        if not count:
            break
        level = 10 * math.log10(total / count)
        over = level - 20 * math.log10(c) - MARGIN_DB
        if over <= 0:
            if before is None or before[1] == over:
                return level
            share = before[1] / (before[1] - over)
            return before[0] + share * (level - before[0])
        before = (level, over)
    return level
