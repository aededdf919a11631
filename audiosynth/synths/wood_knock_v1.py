"""WoodKnock as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import modal, shaped
from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.synths.wood_knock import KNOCK, RATIOS, WoodKnock


class WoodKnockV1(WoodKnock):
    """Version 1: knocks began with aliases."""

    version: ClassVar[int] = 1

    def render(self, ctx: RenderContext) -> Array:
        """Return the knocks, shape (1, n_samples)."""
        sr, y = ctx.sr, np.zeros(self.extent(ctx.sr))
        chances = shaped.Chances(self.seed, "wood_knock")
        m, k = len(RATIOS), self.n_knocks
        f = self.f0 * np.array(RATIOS) * (1.0 + chances.spread("modes", m, low=-0.12, high=0.12))
        t60 = self.t60 * (f / f[0]) ** -0.5
        late = chances.spread("late", k, low=-0.06, high=0.06) * self.interval
        loud = chances.spread("loud", k, low=0.5, high=1.0)
        for i in range(k):
            a = chances.spread(f"where{i}", m, low=0.3, high=1.0) * modal.contact(f, self.contact)
            knock = modal.ring(f, t60=t60, amplitudes=a, n_samples=seconds_to_samples(KNOCK, sr), sr=sr)
            thud = shaped.decay(len(knock), sr, t60=0.03, attack=0.0005)
            dull = [
                (20.0, -20.0),
                (80.0, 0.0),
                (0.4 / self.contact, -3.0),
                (4.0 / self.contact, -40.0),
                (64_000.0, -70.0),
            ]
            hit = chances.noise(f"hit{i}", dull, n_samples=len(knock), sr=sr)
            hit *= thud * (0.25 * float(np.sum(a)) / max(float(np.sqrt(np.mean(hit**2))), 1e-12))
            modal.place(y, loud[i] * (knock + hit), max(0.0, i * self.interval + (late[i] if i else 0.0)), sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.0015)
