"""Clocks that run at another rate than they should: which moments a recorder takes, and the sound at them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import pi
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.synthesis.signals import sine

if TYPE_CHECKING:
    from audiosynth.clip import Array

PPM: Final = 1e-6
HALF: Final = 32
"""Taps of the interpolator on each side."""
BETA: Final = 9.0
"""Of its Kaiser window: images 90 dB down from 0.91 of half the rate on (J. F. Kaiser, Nonrecursive digital filter design, 1974)."""
PHASES: Final = 2048
"""Fractions of a sample that taps are tabled for; straight lines between them are within (π/2048)²/8, -131 dB."""
_TERMS: Final = 40
"""Of the series of the Bessel function: what follows is below 1e-16 of I0(9)."""
_TURNS: Final = 8
"""Steps of Newton's method; each squares an error that begins below 1e-3 of a period."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A recorder's clock: its rate is off by ppm + wander_ppm · sin(2π(t/period + phase)) at time t.

    Attributes
    ----------
    ppm, wander_ppm
        Parts per million; above 0 it takes too many samples a second.
    period
        Of the wander in samples.
    phase
        Of the wander in cycles.
    """

    ppm: float
    wander_ppm: float
    period: float
    phase: float

    def swing(self) -> float:
        """Return how many samples the wander gains or loses around its mean."""
        return abs(self.wander_ppm) * PPM * self.period / (2.0 * pi)

    def taken(self, position: Array) -> Array:
        """Return how many samples the recorder has taken (fractions too) when the sound has come to `position`.

        The integral of its rate: u(1 + ppm) + wander·P/2π·(cos 2πφ - cos 2π(u/P + φ)).
        """
        swing = self.swing() if self.wander_ppm >= 0 else -self.swing()
        start = sine(np.array(self.phase + 0.25))
        return np.asarray(
            position * (1.0 + self.ppm * PPM) + swing * (start - sine(position / self.period + (self.phase + 0.25)))
        )

    def position(self, taken: Array) -> Array:
        """Return where in the sound the recorder's samples were taken: the inverse of `taken`."""
        u = taken / (1.0 + self.ppm * PPM)
        for _ in range(_TURNS if self.wander_ppm else 0):
            rate = 1.0 + PPM * (self.ppm + self.wander_ppm * sine(u / self.period + self.phase))
            u = u - (self.taken(u) - taken) / rate
        return u


@cache
def kernel_table() -> Array:
    """Return the taps of the interpolator by fraction of a sample, shape (PHASES + 1, 2·HALF): a sinc under a Kaiser window."""
    fraction = np.arange(PHASES + 1)[:, None] / PHASES
    away = np.arange(1 - HALF, HALF + 1)[None, :] - fraction
    zero = away == 0.0
    turned = pi * np.where(zero, 1.0, away)
    sinc = np.where(zero, 1.0, sine(np.where(zero, 0.25, 0.5 * away)) / turned)
    inside = np.maximum(0.0, 1.0 - (away / HALF) ** 2)
    table = sinc * _bessel(BETA * BETA / 4.0 * inside) / _bessel(np.array(BETA * BETA / 4.0))
    table.flags.writeable = False
    return np.asarray(table)


def _bessel(x: Array) -> Array:
    """Return the modified Bessel function I0 of 2√x, by its power series: sums and products only."""
    total = np.ones_like(x)
    for k in range(_TERMS, 0, -1):
        total = 1.0 + total * x / (k * k)
    return total


def read_at(y: Array, positions: Array) -> Array:
    """Return `y`, shape (n_channels, n), at fractional positions: band-limited, silence around it.

    Examples
    --------
    >>> wave = sine(np.arange(400) / 16.0)[None, :]
    >>> bool(abs(read_at(wave, np.array([200.3]))[0, 0] - sine(np.array(200.3 / 16.0))) < 1e-4)
    True
    """
    from audiosynth.coding import kernel

    out = np.zeros((y.shape[0], positions.size))
    kernel.read(np.ascontiguousarray(y, dtype=np.float64), positions, kernel_table(), out)
    return out
