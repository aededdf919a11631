"""Rain as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import grains, shaped
from audiosynth.clip import Array
from audiosynth.synths.rain import GRAIN, MAX_DROPS, Rain


class RainV1(Rain):
    """Version 1: near drops that rang above 0.4 of the rate stood at it."""

    version: ClassVar[int] = 1

    def _drops(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        starts = chances.arrivals("at", self.drops, self.duration, most=MAX_DROPS)
        m = len(starts)
        frequency = np.minimum(1000.0 * np.power(10.0, chances.uniform("pitch", m)), 0.4 * sr)
        t60 = chances.spread("t60", m, low=0.003, high=GRAIN)
        # drops fall anywhere on the ground: distances as the root of a uniform number, amplitude as 1/distance
        loud = 1.0 / np.sqrt(0.01 + chances.uniform("area", m))
        bubble = chances.uniform("bubble", m) ** 2

        def drop(t: Array, which: slice) -> Array:
            tone = grains.damped(t, frequency=frequency[which], t60=t60[which]) * bubble[which, None]
            click = grains.damped(t, frequency=np.minimum(2.3 * frequency[which], 0.4 * sr), t60=0.15 * t60[which])
            return np.asarray(loud[which, None] * (tone + click))

        return grains.scatter(starts, drop, length=GRAIN, n_samples=n, sr=sr)
