"""KeysJingle as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import grains, shaped, signals
from audiosynth.clip import Array, RenderContext
from audiosynth.synths.keys_jingle import MAX_HITS, MODES, RING, KeysJingle


class KeysJingleV1(KeysJingle):
    """Version 1: rings began with aliases."""

    version: ClassVar[int] = 1

    def render(self, ctx: RenderContext) -> Array:
        """Return the jingling, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "keys_jingle")
        at = chances.arrivals("at", self.rate, self.duration, most=MAX_HITS)
        # one collision at least, whatever chance says
        at = at if len(at) else np.array([0.3 * self.duration])
        m = len(at)
        key = (chances.uniform("which", m) * self.n_keys).astype(np.int64)
        swell = 0.5 + 0.5 * signals.sine(self.shake * at + chances.between("phase", 0.0, 1.0))
        loud = (0.15 + swell) * chances.spread("loud", m, low=0.1, high=1.0) ** 2
        y = np.zeros(n)
        for k in range(MODES):
            step = 1.0 + 0.55 * k
            modes = self.pitch * step * chances.spread(f"mode{k}", self.n_keys, low=0.75, high=1.35)
            f = modes[key] * (1.0 + 0.002 * chances.gaussian(f"off{k}", m))
            t60 = np.full(m, self.t60 / step**0.5)
            a = np.where(f < 0.42 * sr, loud * chances.uniform(f"loud{k}", m), 0.0)
            f = np.where(f < 0.42 * sr, f, 1000.0)

            def ring(t: Array, which: slice, f: Array = f, t60: Array = t60, a: Array = a) -> Array:
                return np.asarray(a[which, None] * grains.damped(t, frequency=f[which], t60=t60[which]))

            y += grains.scatter(at, ring, length=RING, n_samples=n, sr=sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.002)
