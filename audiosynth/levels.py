"""Loudness on spans: RMS, A-weighted, LUFS and active speech level, in dB re full scale (RMS 1.0)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

import numpy as np

from audiosynth.dsp import BLOCK, block_energies, energy
from audiosynth.sound.loudness import LUFS_OFFSET, a_weight, gated_loudness, k_weight
from audiosynth.sound.speech_level import SHORTEST_SPEECH, active_speech_level

if TYPE_CHECKING:
    from audiosynth.clip import Array

Intervals = Sequence[tuple[int, int]]
Measure = Literal["rms", "a_weighted", "lufs", "active_speech"]
STRETCH: Final = 64 * BLOCK
"""Samples of a channel in stretches that are looked at at once."""
SHORT: Final = 4 * BLOCK
"""Samples of a channel that is not worth making in stretches: what a processor's nearer caches hold."""
_NOMINAL_LUFS: Final = -23.0
"""EBU R 128: programme level."""


class LevelReading(NamedTuple):
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
    if len(intervals) == 1:
        first, last = max(0, intervals[0][0]), min(n, intervals[0][1])
        return [(first, last)] if first < last else []
    merged: list[tuple[int, int]] = []
    for a, b in sorted((max(0, a), min(n, b)) for a, b in intervals):
        if b <= a:
            continue
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    return merged


@dataclass
class Energy:
    """Energy of one channel that comes in blocks: the sum that `energy` gives, and that of each of its blocks."""

    parts: list[Array] = field(default_factory=list)
    rest: float = 0.0

    def add(self, row: Array) -> None:
        """Take in the next samples, a multiple of `BLOCK` but for the last."""
        self.parts.append(block_energies(row))
        self.rest = energy(row[row.size - row.size % BLOCK :])

    @property
    def blocks(self) -> Array:
        """Return the energies of the whole blocks."""
        return np.concatenate(self.parts)

    def total(self) -> float:
        """Return the sum, in the order of `energy`."""
        sums: list[float] = self.blocks.tolist()
        return sum(sums, start=self.rest)


def power(y: Array | Stretches, intervals: Intervals) -> float:
    """Return the mean square over the union of `intervals` (mean over channels for two dimensions); 0 if it is empty."""
    spans = clean_intervals(intervals, y.shape[-1] if isinstance(y, np.ndarray) else y.size)
    count = sum(b - a for a, b in spans)
    if not count:
        return 0.0
    if not isinstance(y, np.ndarray):
        return sum(_energy_of(y, a, b) for a, b in spans) / float(count)
    rows = y[None] if y.ndim == 1 else y
    total = sum(energy(row[a:b]) for row in rows for a, b in spans)
    return total / float(count * rows.shape[0])


def _energy_of(y: Stretches, first: int, last: int) -> float:
    """Return what `energy` gives of samples [first, last), a stretch at a time."""
    found = Energy()
    for a in range(first, last, STRETCH):
        found.add(y[a : min(a + STRETCH, last)])
    return found.total()


def peak(y: Array) -> float:
    """Return the largest absolute value; NaN where there is one.

    Examples
    --------
    >>> peak(np.array([[0.25, -0.5]]))
    0.5
    """
    return float(max(y.max(), -y.min()))


def to_db(mean_square: float) -> float:
    """Return 10·log10, minus infinity for 0."""
    return 10.0 * math.log10(mean_square) if mean_square > 0 else -math.inf


def level_db(y: Array | Stretches, *, sr: int, intervals: Intervals, measure: Measure = "rms") -> LevelReading:
    """Return the level of one channel over the union of `intervals`.

    Weighting filters run over the whole of `y`; then the intervals are taken. A gain of g dB on `y` moves every reading by
    g dB. Active speech level (P.56) under one second is the RMS, and the reading says so.
    """
    if measure == "rms":
        return LevelReading(to_db(power(y, intervals)), measure)
    return Weighted.of(y[0 : y.size], sr, measure).reading(intervals)


class Stretches(Protocol):
    """One channel of which stretches can be had, not all at once."""

    @property
    def size(self) -> int:
        """Return its number of samples."""
        ...

    def __getitem__(self, stretch: slice) -> Array:
        """Return the samples of a slice with both ends."""
        ...


@dataclass(frozen=True)
class Channel:
    """One channel of which stretches are made when they are asked for, by `make(start, n_samples)`; a short one is made once."""

    size: int
    make: Callable[[int, int], Array]

    @cached_property
    def _whole(self) -> Array:
        return self.make(0, self.size)

    def __getitem__(self, stretch: slice) -> Array:
        if self.size <= SHORT:
            return self._whole[stretch]
        a, b = stretch.start, stretch.stop
        return self.make(a, b - a) if b > a else np.zeros(0)


class Energies:
    """Energy of one channel in blocks, so that many spans of it cost little more than one.

    Examples
    --------
    >>> Energies(np.ones(20_000)).of([(10, 15_000), (16_000, 30_000)])
    18990.0
    """

    def __init__(self, y: Array | Stretches, blocks: Array | None = None) -> None:
        self._y = y
        self._blocks = block_energies(y[0 : y.size]) if blocks is None else blocks

    def of(self, intervals: Intervals) -> float:
        """Return the sum of squares over `intervals` that have no sample in common."""
        return sum(self._span(max(0, a), min(self._y.size, b)) for a, b in intervals)

    def _span(self, a: int, b: int) -> float:
        first, last = -(-a // BLOCK), b // BLOCK
        if first >= last:
            return energy(self._y[a:b]) if b > a else 0.0
        edges = energy(self._y[a : first * BLOCK]) if a < first * BLOCK else 0.0
        edges += energy(self._y[last * BLOCK : b]) if last * BLOCK < b else 0.0
        return edges + float(self._blocks[first] if last - first == 1 else self._blocks[first:last].sum())


class Weighted(NamedTuple):
    """One channel under the filter of a measure, which runs once however many spans are asked for."""

    y: Array | Stretches
    sr: int
    measure: Measure
    energies: Energies

    @classmethod
    def of(cls, y: Array, sr: int, measure: Measure) -> Weighted:
        """Run the filter, if the measure has one."""
        if measure == "a_weighted":
            y = a_weight(y, sr)
        elif measure == "lufs":
            y = k_weight(y, sr)
        return cls(y, sr, measure, Energies(y))

    def reading(self, intervals: Intervals) -> LevelReading:
        """Return the level over the union of `intervals`, as `level_db` does."""
        spans = clean_intervals(intervals, self.y.size)
        if self.measure == "lufs":
            return LevelReading(_lufs(_cut(self.y, spans), self.sr), self.measure)
        if self.measure == "active_speech":
            speech = _cut(self.y, spans)
            if speech.size >= SHORTEST_SPEECH * self.sr:
                return LevelReading(active_speech_level(speech, self.sr)[0], self.measure)
        count = sum(b - a for a, b in spans)
        db = to_db(self.energies.of(spans) / count) if count else -math.inf
        return LevelReading(db, "rms" if self.measure == "active_speech" else self.measure)


class Weighings:
    """One channel under each measure's filter, which runs when a level in that measure is first asked for."""

    def __init__(self, y: Array | Stretches, sr: int, made: Mapping[Measure, Weighted] | None = None) -> None:
        self._y, self._sr, self._made = y, sr, dict(made or {})

    @classmethod
    def of_blocks(cls, y: Stretches, sr: int, blocks: Array) -> Weighings:
        """Return those of a channel whose blocks have these energies already (`dsp.block_energies`)."""
        return cls(y, sr, {"rms": Weighted(y, sr, "rms", Energies(y, blocks))})

    def __getitem__(self, measure: Measure) -> Weighted:
        """Return the channel under the filter of a measure."""
        if measure not in self._made:
            self._made[measure] = Weighted.of(self._y[0 : self._y.size], self._sr, measure)
        return self._made[measure]


def _cut(y: Array | Stretches, spans: Intervals) -> Array:
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
