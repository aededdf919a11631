"""Loudness on spans: RMS, A-weighted, LUFS and active speech level, in dB re full scale (RMS 1.0)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from audiosynth.dsp import energy
from audiosynth.loudness import LUFS_OFFSET, a_weight, gated_loudness, k_weight
from audiosynth.speech_level import SHORTEST_SPEECH, active_speech_level

if TYPE_CHECKING:
    from audiosynth.clip import Array

Intervals = Sequence[tuple[int, int]]
Measure = Literal["rms", "a_weighted", "lufs", "active_speech"]
_NOMINAL_LUFS: Final = -23.0
"""EBU R 128: programme level."""


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
    total = sum(energy(row[a:b]) for row in rows for a, b in spans)
    return total / float(count * rows.shape[0])


def to_db(mean_square: float) -> float:
    """Return 10·log10, minus infinity for 0."""
    return 10.0 * math.log10(mean_square) if mean_square > 0 else -math.inf


def weighted(y: Array, sr: int, measure: Measure) -> Array:
    """Return a channel through the filter of a measure; itself where that has none."""
    return {"a_weighted": a_weight, "lufs": k_weight}[measure](y, sr) if measure in ("a_weighted", "lufs") else y


def level_db(
    y: Array, *, sr: int, intervals: Intervals, measure: Measure = "rms", heard: Array | None = None
) -> LevelReading:
    """Return the level of one channel over the union of `intervals`.

    Weighting filters run over the whole of `y` (`heard`, if that has been done); then the intervals are taken. A gain of g dB
    on `y` moves every reading by g dB. Active speech level (P.56) under one second is the RMS, and the reading says so.
    """
    spans = clean_intervals(intervals, y.shape[-1])
    heard = weighted(y, sr, measure) if heard is None else heard
    if measure in ("rms", "a_weighted"):
        return LevelReading(to_db(power(heard, spans)), measure)
    if measure == "lufs":
        return LevelReading(_lufs(_cut(heard, spans), sr), measure)
    speech = _cut(y, spans)
    if speech.size < SHORTEST_SPEECH * sr:
        return LevelReading(to_db(power(y, spans)), "rms")
    return LevelReading(active_speech_level(speech, sr)[0], measure)


def _cut(y: Array, spans: Intervals) -> Array:
    return np.concatenate([y[a:b] for a, b in spans]) if spans else np.zeros(0)


def _lufs(weighted: Array, sr: int) -> float:
    """Return the gated loudness of a K-weighted channel that may not have its final gain yet.

    BS.1770's absolute gate speaks of levels as they are played; it is applied as if the whole were at -23 LUFS, so that it
    takes the same blocks before and after a gain, and a quiet recording is not taken for silence.
    """
    now = to_db(power(weighted, [(0, weighted.size)])) + LUFS_OFFSET
    if not math.isfinite(now):
        return -math.inf
    return gated_loudness(weighted[None] * 10 ** ((_NOMINAL_LUFS - now) / 20), sr) + now - _NOMINAL_LUFS
