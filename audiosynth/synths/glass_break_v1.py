"""GlassBreak as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import grains, shaped
from audiosynth.clip import Array
from audiosynth.synths.glass_break import MODES, RATIOS, RING, GlassBreak


class GlassBreakV1(GlassBreak):
    """Version 1: fragments began with aliases."""

    version: ClassVar[int] = 1

    def _fragments(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        count = max(1, int(self.n_fragments))
        at = np.sort(0.012 + self.fall * chances.exponential("at", count))
        size = (1.0 - 0.97 * chances.uniform("size", count)) ** 0.6
        loud = size * chances.spread("loud", count, low=0.1, high=1.0)
        total = np.zeros(n)
        for k in range(MODES):
            f = self.pitch / size**0.7 * RATIOS[k] ** 0.6 * chances.spread(f"mode{k}", count, low=0.8, high=1.2)
            quiet = f > 0.42 * sr
            t60 = np.maximum(self.t60 * size * RATIOS[k] ** -0.5, 0.002)
            a = np.where(quiet, 0.0, loud * chances.spread(f"loud{k}", count, low=0.2, high=1.0))
            f = np.where(quiet, 1000.0, f)

            def ring(t: Array, which: slice, f: Array = f, t60: Array = t60, a: Array = a) -> Array:
                return np.asarray(a[which, None] * grains.damped(t, frequency=f[which], t60=t60[which]))

            total += grains.scatter(at, ring, length=RING, n_samples=n, sr=sr)
        return total
