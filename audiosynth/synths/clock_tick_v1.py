"""ClockTick as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import modal, shaped
from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.synths.clock_tick import BLOWS, N_MODES, TICK, ClockTick


class ClockTickV1(ClockTick):
    """Version 1: wheels above 0.3 of the rate stood at it, and blows began with aliases."""

    version: ClassVar[int] = 1

    def render(self, ctx: RenderContext) -> Array:
        """Return the ticking, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "clock_tick")
        beats = (self._beat("tick", sr), self._beat("tock", sr))
        count = int(self.duration * self.rate) + 2
        loud = chances.spread("loud", count, low=0.85, high=1.0)
        late = chances.spread("late", count, low=-0.003, high=0.003)
        # a pendulum hangs a little crooked: tock comes not quite in the middle
        crooked = 0.08 * self.tock * chances.between("crooked", -1.0, 1.0)
        first = chances.between("first", 0.0, min(1.0 / self.rate, max(0.0, self.duration - TICK)))
        y = np.zeros(n)
        for i in range(count):
            start = first + (i + (crooked if i % 2 else 0.0) + (late[i] if i else 0.0)) / self.rate
            modal.place(y, loud[i] * beats[i % 2], start, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.001)

    def _beat(self, which: str, sr: int) -> Array:
        own, shared = shaped.Chances(self.seed, f"clock_tick/{which}"), shaped.Chances(self.seed, "clock_tick/both")
        n = seconds_to_samples(TICK, sr)
        steps = np.concatenate([[1.0], shared.spread("modes", N_MODES - 1, low=0.08, high=0.6)])
        wheels = np.minimum(self.f0, 0.3 * sr) * np.cumsum(steps)
        bodies = self.case * np.array([1.0, 1.9, 2.7, 4.1])
        mixed = (1.0 - self.tock) * shared.spread("loud", N_MODES, low=0.1, high=1.0) + self.tock * own.spread(
            "loud", N_MODES, low=0.1, high=1.0
        )
        hollow = (
            10.0 ** (self.case_db / 20.0)
            * (1.0 - 0.6 * self.tock * own.between("hollow", 0.0, 1.0))
            * np.array([1.0, 0.7, 0.5, 0.3])
        )
        blow = modal.ring(wheels, t60=self.t60 * (wheels / wheels[0]) ** -0.5, amplitudes=mixed, n_samples=n, sr=sr)
        blow += modal.ring(bodies, t60=2.5 * self.t60 + 0.01, amplitudes=hollow, n_samples=n, sr=sr)
        y = np.zeros(n)
        for i, (at, level) in enumerate(BLOWS):
            modal.place(
                y,
                level * own.between(f"blow{i}", 0.4, 1.0) * blow,
                at * self.spread * own.between(f"at{i}", 0.7, 1.3),
                sr,
            )
        return y * (1.0 - 0.4 * self.tock * (which == "tock"))
