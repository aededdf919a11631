"""Footsteps as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import grains, modal, shaped
from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.synths.footsteps import PEBBLES, ROLL, STEP, SURFACES, Footsteps


class FootstepsV1(Footsteps):
    """Version 1: pebbles that rang above 0.4 of the rate stood at it."""

    version: ClassVar[int] = 1

    def render(self, ctx: RenderContext) -> Array:
        """Return the steps, shape (1, n_samples)."""
        sr, y = ctx.sr, np.zeros(self.extent(ctx.sr))
        chances = shaped.Chances(self.seed, "footsteps")
        late = chances.spread("late", self.n_steps, low=-0.02, high=0.02)
        loud = chances.spread("loud", self.n_steps, low=0.7, high=1.0)
        for i in range(self.n_steps):
            left = i % 2
            start = max(0.0, (i + (0.3 * self.limp * left + late[i] if i else 0.0)) / self.cadence)
            modal.place(y, loud[i] * (1.0 - 0.5 * self.limp * left) * self._step(i, sr), start, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.002)

    def _step(self, i: int, sr: int) -> Array:
        chances = shaped.Chances(self.seed, f"footsteps/{i}")
        n = seconds_to_samples(STEP, sr)
        y = np.zeros(n)
        modal.place(y, self._impact(chances, "heel", n, sr), 0.0, sr)
        toe = ROLL * 2.0 / self.cadence * chances.between("roll", 0.8, 1.2)
        modal.place(y, chances.between("toe", 0.3, 0.6) * self._impact(chances, "toe", n, sr), toe, sr)
        if self.surface in PEBBLES:
            y += self._pebbles(chances, n, sr)
        return y

    def _impact(self, chances: shaped.Chances, name: str, n: int, sr: int) -> Array:
        modes, t60, contact, noise_db, centre = SURFACES[self.surface]
        f = np.array(modes) / self.weight**0.5 * chances.spread(name, len(modes), low=0.9, high=1.1)
        body = modal.ring(
            f,
            t60=t60,
            amplitudes=modal.contact(f, contact) * chances.spread(f"{name}/a", len(modes), low=0.5, high=1.0),
            n_samples=n,
            sr=sr,
        )
        points = [(20.0, -20.0), (0.3 * centre, -6.0), (centre, 0.0), (4.0 * centre, -14.0), (64_000.0, -60.0)]
        scrape = chances.noise(f"{name}/noise", points, n_samples=n, sr=sr)
        scrape *= shaped.decay(n, sr, t60=0.5 * t60 + 0.02, attack=contact) / max(
            float(np.sqrt(np.mean(scrape**2))), 1e-12
        )
        return np.asarray(body + 10.0 ** (noise_db / 20.0) * 0.5 * scrape)

    def _pebbles(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        count = PEBBLES[self.surface]
        at = np.sort(0.22 * chances.uniform("at", count) ** 1.4)
        f = np.minimum(chances.spread("pitch", count, low=1200.0, high=6000.0), 0.4 * sr)
        loud = 0.25 * chances.uniform("pebbles", count) ** 2

        def pebble(t: Array, which: slice) -> Array:
            return np.asarray(
                loud[which, None] * grains.damped(t, frequency=f[which], t60=np.full(len(f[which]), 0.008))
            )

        return grains.scatter(at, pebble, length=0.012, n_samples=n, sr=sr)
