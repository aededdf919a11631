"""WaterDrip as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import grains, shaped, signals
from audiosynth.clip import Array, RenderContext
from audiosynth.synths.water_drip import BUBBLE, MAX_DROPS, MINNAERT, WaterDrip


class WaterDripV1(WaterDrip):
    """Version 1: splashes above 0.4 of the rate stood at it, and drops began with aliases."""

    version: ClassVar[int] = 1

    def render(self, ctx: RenderContext) -> Array:
        """Return the drops, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "water_drip")
        m = min(MAX_DROPS, max(1, int(self.duration * self.rate)))
        even = (np.arange(m) + 0.3 * chances.between("first", 0.0, 1.0)) / self.rate
        free = np.sort(chances.uniform("at", m)) * self.duration
        at = np.minimum(self.regularity * even + (1.0 - self.regularity) * free, 0.97 * self.duration)
        r = self.radius * np.power(2.0, (1.1 - 0.8 * self.regularity) * (2.0 * chances.uniform("radius", m) - 1.0))
        f, rate = MINNAERT / r, 0.13 / r + 0.0072 * r**-1.5
        loud = np.where(f < 0.4 * sr, chances.spread("loud", m, low=0.3, high=1.0), 0.0)
        f = np.minimum(f, 0.4 * sr)
        splash = np.minimum(chances.spread("splash", m, low=3000.0, high=7000.0), 0.4 * sr)
        wet = 10.0 ** (self.splash_db / 20.0) * loud

        def bubble(t: Array, which: slice) -> Array:
            late = np.maximum(t - 0.012, 0.0)
            fall = 1.0 + signals.expm1(np.maximum(-rate[which, None] * late, -700.0))
            # a pitch that rises for ever would pass half the rate: it stops where the bubble has died away
            risen = np.minimum(late, 5.0 / rate[which, None])
            cycles = f[which, None] * (late + 0.5 * self.rise * rate[which, None] * risen * risen)
            tone = np.where(
                f[which, None] * (1.0 + 5.0 * self.rise) < 0.45 * sr,
                signals.sine(cycles),
                signals.sine(f[which, None] * late),
            )
            hiss = grains.damped(t, frequency=splash[which], t60=np.full(len(splash[which]), 0.006))
            return np.asarray(loud[which, None] * fall * tone + wet[which, None] * hiss)

        return shaped.finished(
            grains.scatter(at, bubble, length=BUBBLE, n_samples=n, sr=sr), sr=sr, amplitude=self.amplitude, fade=0.003
        )
