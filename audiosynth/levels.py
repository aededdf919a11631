"""Loudness on spans: RMS, A-weighted, LUFS and active speech level, in dB re full scale (RMS 1.0)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from audiosynth.clip import Array
from audiosynth.loudness import a_weight, gated_loudness, k_weight
from audiosynth.speech_level import SHORTEST_SPEECH, active_speech_level

Intervals = Sequence[tuple[int, int]]
Measure = Literal["rms", "a_weighted", "lufs", "active_speech"]
LUFS_OFFSET = -0.691
"""BS.1770: a 997 Hz sine of 0 dBFS peak reads -3.01 LUFS."""


@dataclass(frozen=True)
class LevelReading:
    """A level in dB, and the measure it was really taken with."""

    db: float
    measure_used: str


def clean_intervals(intervals: Intervals, n: int) -> list[tuple[int, int]]:
    """Return the union of half-open intervals inside [0, n), sorted.

    Examples
    --------
    >>> clean_intervals([(5, 9), (-3, 2), (1, 4)], 8)
    [(0, 4), (5, 8)]
    """
    merged: list[tuple[int, int]] = []
    for a, b in sorted((max(0, a), min(n, b)) for a, b in intervals):
        if b <= a:
            continue
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    return merged


def power(y: Array, intervals: Intervals) -> float:
    """Return the mean square over the union of `intervals` (mean over channels for two dimensions); 0 if it is empty."""
    spans = clean_intervals(intervals, y.shape[-1])
    count = sum(b - a for a, b in spans)
    if not count:
        return 0.0
    rows = y[None] if y.ndim == 1 else y
    total: float = sum(float(np.dot(row[a:b], row[a:b])) for row in rows for a, b in spans)
    return total / float(count * rows.shape[0])


def to_db(mean_square: float) -> float:
    """Return 10·log10, minus infinity for 0."""
    return 10.0 * math.log10(mean_square) if mean_square > 0 else -math.inf


def level_db(y: Array, *, sr: int, intervals: Intervals, measure: Measure = "rms") -> LevelReading:
    """Return the level of one channel over the union of `intervals`.

    Weighting filters run over the whole of `y`; then the intervals are taken. Active speech level (P.56) under one second is
    the RMS, and the reading says so.
    """
    if measure == "rms":
        return LevelReading(to_db(power(y, intervals)), measure)
    if measure == "a_weighted":
        return LevelReading(to_db(power(a_weight(y, sr), intervals)), measure)
    spans = clean_intervals(intervals, y.shape[-1])
    if measure == "lufs":
        weighted = np.concatenate([k_weight(y, sr)[a:b] for a, b in spans]) if spans else np.zeros(0)
        return LevelReading(gated_loudness(weighted[None], sr), measure)
    speech = np.concatenate([y[a:b] for a, b in spans]) if spans else np.zeros(0)
    if speech.size < SHORTEST_SPEECH * sr:
        return LevelReading(to_db(power(y, intervals)), "rms")
    return LevelReading(active_speech_level(speech, sr)[0], measure)
