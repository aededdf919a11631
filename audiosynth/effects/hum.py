"""Mains hum."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number
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
        phases = chances.uniform("phases", len(self.harmonics_db))
        hum = np.zeros(n)
        for k in range(count):
            hum += heights[k] * scale * signals.sine((k + 1) * cycles + phases[k])
        return np.asarray(y + hum)
