"""Mains hum."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number
from audiosynth.sound.dynamics import in_pieces
from audiosynth.synthesis import signals
from audiosynth.synthesis.shaped import Chances

WANDER_RATE = 0.2
"""Ups and downs a second of the mains frequency: loads change it within seconds."""


class Hum(InPlace):
    """Add mains hum: a fundamental and harmonics, the same on all channels.

    Parameters
    ----------
    level_dbfs
        RMS of the hum, all harmonics together.
    frequency
        Of the mains.
    harmonics_db
        Of the partials 1, 2, 3, …, among each other; those from half the sampling rate on are left out.
    drift
        Standard deviation of the frequency, which wanders slowly (European grids stay within 0.2 Hz, EN 50160 asks for 0.5).
    seed
        Of the phases and the drift.
    """

    type_name: ClassVar[str] = "hum"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"level_dbfs": -40.0, "seed": 1},
        {"level_dbfs": -30.0, "frequency": 60.0, "harmonics_db": [0.0, -20.0, -3.0], "drift": 0.05, "seed": 2},
    )

    level_dbfs: Annotated[float, number(-160, 0, "dBFS", "RMS of the hum")]
    frequency: Annotated[float, number(10, 400, "Hz", "of the mains")] = 50.0
    harmonics_db: Annotated[
        tuple[Annotated[float, Field(ge=-160, le=40)], ...],
        Field(
            min_length=1, max_length=100, strict=False, description="of the partials 1, 2, 3, …, among each other",
            json_schema_extra={"unit": "dB"},
        ),
    ] = (0.0, -6.0, -10.0, -16.0, -14.0, -22.0, -20.0)  # fmt: skip
    drift: Annotated[float, number(0, 2, "Hz", "standard deviation of the frequency")] = 0.0
    seed: signals.Seed

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` and the hum."""
        n, chances = y.shape[-1], Chances(self.seed, "hum")
        cycles = self.frequency * signals.times(n, ctx.sr)
        if self.drift > 0.0:
            wander = chances.wander("drift", WANDER_RATE, n_samples=n, sr=ctx.sr)
            cycles = signals.accumulated(self.frequency + self.drift * wander, ctx.sr)
        count = min(len(self.harmonics_db), int(np.ceil(ctx.sr / 2 / self.frequency)) - 1)
        heights = 10.0 ** (np.array(self.harmonics_db[:count]) / 20.0)
        scale = 10.0 ** (self.level_dbfs / 20.0) / np.sqrt(np.sum(heights**2) / 2.0)
        phases = chances.uniform("phases", len(self.harmonics_db))[:count]
        across, along = scale * heights * signals.sine(phases + 0.25), scale * heights * signals.sine(phases)
        return np.asarray(y + in_pieces(lambda part: partials(part, across, along), cycles))


def partials(cycles: Array, sines: Array, cosines: Array) -> Array:
    """Return Σ sines[k-1]·sin(2πk·cycles) + cosines[k-1]·cos(2πk·cycles), shape (n_samples,).

    Notes
    -----
    By the recurrence sin((k + 1)φ) = 2·cos φ·sin kφ - sin((k - 1)φ) and the same of cosines, whose rounding error grows as
    k²: 1e-12 for a hundred partials.

    Examples
    --------
    >>> partials(np.array([0.25]), np.array([1.0, 0.0, 1.0]), np.array([0.0, 0.5, 0.0])).round(12)
    array([-0.5])
    """
    sine, cosine = signals.sine(cycles), signals.sine(cycles + 0.25)
    before, now, twice = (np.zeros_like(sine), np.ones_like(sine)), (sine, cosine), 2.0 * cosine
    out = sines[0] * sine + cosines[0] * cosine
    for a, b in zip(sines[1:].tolist(), cosines[1:].tolist(), strict=True):
        before, now = now, (twice * now[0] - before[0], twice * now[1] - before[1])
        out += a * now[0] + b * now[1]
    return np.asarray(out)
