"""Clicks: scratches, sparks, bad contacts."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number
from audiosynth.sound.dynamics import factors, smoothing
from audiosynth.synthesis import signals
from audiosynth.synthesis.shaped import Chances


class Clicks(InPlace):
    """Add clicks at random times, up or down at random, the same on all channels.

    Parameters
    ----------
    rate
        Mean number a second, of a Poisson process.
    peak_dbfs, spread_db
        Median and standard deviation of their peaks in dB re full scale, normally distributed.
    decay
        Time constant in which a click dies away; 0 for single samples.
    seed
        Of times, signs and peaks.
    """

    type_name: ClassVar[str] = "clicks"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"rate": 8.0, "peak_dbfs": -12.0, "seed": 1},
        {"rate": 50.0, "peak_dbfs": -30.0, "spread_db": 6.0, "decay": 0.0005, "seed": 2},
    )

    rate: Annotated[float, number(0, 5000, "1/s", "mean number a second")]
    peak_dbfs: Annotated[float, number(-120, 0, "dBFS", "median of the peaks")] = -20.0
    spread_db: Annotated[float, number(0, 20, "dB", "standard deviation of the peaks")] = 3.0
    decay: Annotated[float, number(0, 0.1, "s", "time constant of a click")] = 0.0
    seed: signals.Seed

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` and the clicks."""
        import scipy.signal

        n, chances = y.shape[-1], Chances(self.seed, "clicks")
        at = (chances.arrivals("times", self.rate, n / ctx.sr) * ctx.sr).astype(np.int64)
        peaks = factors(self.peak_dbfs + self.spread_db * chances.gaussian("peaks", at.size))
        strikes = np.zeros(n)
        signs = np.where(chances.uniform("signs", at.size) < 0.5, -1.0, 1.0)
        np.add.at(strikes, np.minimum(at, n - 1), peaks * signs)
        return np.asarray(y + scipy.signal.lfilter([1.0], [1.0, -smoothing(self.decay, ctx.sr)], strikes))
