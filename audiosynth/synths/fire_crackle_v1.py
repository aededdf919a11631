"""FireCrackle as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import grains, shaped, signals
from audiosynth.clip import Array
from audiosynth.synths.fire_crackle import LONGEST, MAX_CRACKLES, FireCrackle


class FireCrackleV1(FireCrackle):
    """Version 1: crackles that rang above 0.4 of the rate stood at it."""

    version: ClassVar[int] = 1

    def _crackling(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        leaders = chances.arrivals("clusters", self.crackles / 3.0, self.duration, most=MAX_CRACKLES // 3)
        size = 1 + (2.0 * chances.exponential("size", len(leaders))).astype(np.int64)
        starts = np.repeat(leaders, size) + 0.03 * chances.exponential("gap", int(size.sum()))
        starts = np.sort(starts[starts < self.duration - 1e-3])
        m = len(starts)
        loud = np.minimum((1.0 - chances.uniform("loud", m)) ** (-1.0 / self.exponent), 300.0)
        t60 = 0.0015 + 0.006 * chances.exponential("t60", m)
        ring = np.minimum(400.0 * np.power(20.0, chances.uniform("ring", m)), 0.4 * sr)
        table, grain = self._noise(sr), max(1, int(np.ceil(LONGEST * sr)))
        at = (chances.uniform("cut", m) * (len(table) - grain)).astype(np.int64)

        def crackle(t: Array, which: slice) -> Array:
            hiss = table[at[which, None] + np.arange(t.shape[1])[None, :]]
            fall = 1.0 + signals.expm1(np.maximum(-6.9 * t / np.minimum(t60[which, None], LONGEST), -700.0))
            tone = grains.damped(t, frequency=ring[which], t60=np.minimum(t60[which], LONGEST))
            return np.asarray(loud[which, None] * (fall * hiss + 0.6 * tone) * signals.rise(t * 5000.0))

        return grains.scatter(starts, crackle, length=LONGEST, n_samples=n, sr=sr)
