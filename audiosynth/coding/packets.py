"""Packets that do not arrive, and what is heard in their place.

Losses follow the chain of two states of E. N. Gilbert, Capacity of a burst-noise channel, Bell System Technical Journal 39, 1960, and
E. O. Elliott, Estimates of error rates for codes on burst-noise channels, 42, 1963: what it is in now decides how likely each packet
is lost, and it changes between packets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audiosynth.dice import uniform_at
from audiosynth.synthesis.signals import rise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiosynth.clip import Array

REPEATED: Final = 0.5
"""Gain of each repetition over the one before: 6 dB, inaudible after some 200 ms as ETSI EN 300 963 (GSM 06.11) asks."""
SHORTEST, LONGEST = 0.005, 0.015
"""Bounds of a pitch period in seconds: 66 to 200 Hz (this and what follows: ITU-T G.711, appendix I)."""
TEMPLATE: Final = 0.020
"""Seconds of sound that are looked for again one period earlier."""
STEADY, FADED = 0.010, 0.060
"""Seconds of a gap up to which it is as loud as what was before, and from which on it is silent."""
JOINT: Final = 0.4
"""Seconds of cross-fade for every second of gap, beside a quarter of a period."""
LONGEST_JOINT: Final = 0.010
MOST_PERIODS: Final = 3
GRID: Final = 2.0**20
"""Steps of a correlation from 0 to 1: those nearer than that are equal, and the shortest period of them is taken, so that the last bits
of a sum, in which machines differ, do not choose."""


class Gap(NamedTuple):
    """Samples [first, last) that were lost."""

    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Gilbert and Elliott's channel: probabilities for each packet.

    Attributes
    ----------
    good_to_bad, bad_to_good
        Of changing the state before the next packet.
    loss_good, loss_bad
        Of losing a packet in each state.
    """

    good_to_bad: float
    bad_to_good: float
    loss_good: float
    loss_bad: float

    def bad(self) -> float:
        """Return the share of time in the bad state: p / (p + r)."""
        moves = self.good_to_bad + self.bad_to_good
        return self.good_to_bad / moves if moves else 0.0

    def mean_loss(self) -> float:
        """Return the share of packets lost in the long run.

        Examples
        --------
        >>> round(Channel(good_to_bad=0.02, bad_to_good=0.38, loss_good=0.0, loss_bad=1.0).mean_loss(), 12)
        0.05
        """
        return (1.0 - self.bad()) * self.loss_good + self.bad() * self.loss_bad

    def lost(self, n_packets: int, seed: int) -> npt.NDArray[np.bool_]:
        """Return which of `n_packets` are lost; the state of the first is drawn as it is in the long run."""
        moves = uniform_at(seed, start=0, n_samples=n_packets, stream="packet-state").tolist()
        bad = np.zeros(n_packets, np.bool_)
        state = bool(moves) and moves[0] < self.bad()
        for i, move in enumerate(moves):
            if i:
                state = move >= self.bad_to_good if state else move < self.good_to_bad
            bad[i] = state
        chance = np.where(bad, self.loss_bad, self.loss_good)
        return np.asarray(uniform_at(seed, start=0, n_samples=n_packets, stream="packet-loss") < chance)


def gaps_of(lost: npt.NDArray[np.bool_], bounds: Sequence[int]) -> list[Gap]:
    """Return the runs of lost packets as samples; packet i is [bounds[i], bounds[i + 1]).

    Examples
    --------
    >>> gaps_of(np.array([False, True, True, False, True]), [0, 10, 20, 30, 40, 45])
    [Gap(first=10, last=30), Gap(first=40, last=45)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]).astype(np.int8)))
    return [Gap(bounds[a], bounds[b]) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]


def silenced(y: Array, gaps: Sequence[Gap]) -> Array:
    """Return `y` with silence in the gaps."""
    out = np.array(y, dtype=np.float64)
    for gap in gaps:
        out[:, gap.first : gap.last] = 0.0
    return out


def repeated(y: Array, gaps: Sequence[Gap], *, n_packet: int) -> Array:
    """Return `y` with the last packet before each gap in it, over and over, each time 6 dB weaker.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples).
    gaps
        In order.
    n_packet
        Samples of a packet.
    """
    out = silenced(y, gaps)
    for first, last in gaps:
        n = min(n_packet, first)
        for k, at in enumerate(range(first, last, n) if n else ()):
            m = min(n, last - at)
            out[:, at : at + m] = out[:, first - n : first - n + m] * REPEATED ** (k + 1)
    return out


def interpolated(y: Array, gaps: Sequence[Gap], *, sr: int) -> Array:
    """Return `y` with the last periods of its waveform going on in the gaps, fading, and joined to what comes after.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples).
    gaps
        In order.
    sr
        Rate in Hz.

    Notes
    -----
    After ITU-T G.711, appendix I (1999), at any rate and in our own words: the period is the lag at which the last 20 ms are most like
    what was before them; one period is repeated in gaps up to 10 ms, two up to 20 ms, three in longer ones; a quarter of a period is
    cross-faded at the start of the gap (into the sound before it, which a decoder of 3.75 ms delay still holds) and wherever the
    periods begin anew; from 10 ms on the sound fades, to silence at 60 ms.
    """
    out = silenced(y, gaps)
    ends = [*(gap.first for gap in gaps), y.shape[1]][1:]
    for gap, end in zip(gaps, ends, strict=True):
        period = _period(out[:, : gap.first], sr)
        if period:
            _go_on(out, gap, end, period, sr)
    return out


def _period(past: Array, sr: int) -> int:
    """Return the lag at which the end of `past` is most like what was before; 0 where too little is known."""
    n, low, high = (round(seconds * sr) for seconds in (TEMPLATE, SHORTEST, LONGEST))
    if past.shape[1] < n + high + high // 4 or low < 2:
        return 0
    recent = past[:, -(n + high) :].mean(axis=0)
    template = recent[high:]
    windows = np.lib.stride_tricks.sliding_window_view(recent, n)[high - low :: -1][: high - low + 1]
    energy = np.einsum("ij,ij->i", windows, windows) * float(template @ template)
    likeness = np.where(energy > 0.0, windows @ template / np.sqrt(np.where(energy > 0.0, energy, 1.0)), 0.0)
    return low + int(np.argmax(np.rint(likeness * GRID)))


def _go_on(out: Array, gap: Gap, end: int, period: int, sr: int) -> None:
    """Fill one gap and join it to what comes after, which is known up to `end`."""
    first, last = gap
    quarter = max(1, period // 4)
    span = period * min(MOST_PERIODS, 1 + (last - first - 1) // max(1, round(STEADY * sr)))
    span = period if span + quarter > first else span
    ramp = rise((np.arange(quarter) + 0.5) / quarter)
    before = out[:, first - span - quarter : first - span]
    out[:, first - quarter : first] = (1.0 - ramp) * out[:, first - quarter : first] + ramp * before
    joint = min(quarter + round(JOINT * (last - first)), round(LONGEST_JOINT * sr), end - last)
    n = last - first + joint
    ongoing = np.tile(out[:, first - span : first], -(-n // span))[:, :n]
    seconds = np.arange(n) / sr
    ongoing = ongoing * np.clip((FADED - seconds) / (FADED - STEADY), 0.0, 1.0)
    out[:, first:last] = ongoing[:, : last - first]
    if joint > 0:
        back = rise((np.arange(joint) + 0.5) / joint)
        out[:, last : last + joint] = back * out[:, last : last + joint] + (1.0 - back) * ongoing[:, last - first :]
