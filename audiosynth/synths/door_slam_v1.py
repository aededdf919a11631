"""DoorSlam as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import modal, shaped
from audiosynth.clip import Array, RenderContext
from audiosynth.synths.door_slam import N_PANEL, DoorSlam


class DoorSlamV1(DoorSlam):
    """Version 1: blows began with aliases."""

    version: ClassVar[int] = 1

    def render(self, ctx: RenderContext) -> Array:
        """Return the slam, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "door_slam")
        start = min(0.06, 0.2 * self.duration)
        y = np.zeros(n)
        modal.place(y, self._blow(chances, n, sr, "slam"), start, sr)
        n_more = int(self.rattle * 5.99)
        gaps = np.cumsum(chances.spread("gaps", 6, low=0.03, high=0.11))
        for i in range(n_more):
            level = self.rattle * 0.3 * chances.between(f"level{i}", 0.2, 1.0) / (1 + i)
            modal.place(y, level * self._blow(chances, n, sr, f"rattle{i}"), start + float(gaps[i]), sr)
        modal.place(y, self._latch(chances, sr), start + chances.between("when", -0.05, 0.05) * start / 0.06, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.002)

    def _blow(self, chances: shaped.Chances, n: int, sr: int, name: str) -> Array:
        low = self.f0 * np.array([1.0, 1.7, 2.6])
        thump = modal.ring(
            low, t60=self.t60 * np.array([1.0, 0.7, 0.5]), amplitudes=[1.0, 0.5, 0.3], n_samples=n, sr=sr
        )
        f = self.panel * np.cumsum(np.concatenate([[1.0], chances.spread("modes", N_PANEL - 1, low=0.15, high=0.7)]))
        a = chances.spread(name, N_PANEL, low=-1.0, high=1.0) * modal.contact(f, self.contact)
        panel = modal.ring(f, t60=0.6 * self.t60 * (f / f[0]) ** -0.4, amplitudes=a, n_samples=n, sr=sr)
        edge = 1.0 / self.contact
        air = chances.noise(
            f"{name}/air",
            [(20.0, -10.0), (60.0, 0.0), (edge, -12.0), (8.0 * edge, -45.0), (96_000.0, -80.0)],
            n_samples=n,
            sr=sr,
        )
        air *= shaped.decay(n, sr, t60=0.25 * self.t60, attack=0.001) * (
            0.4 / max(float(np.sqrt(np.mean(air**2))), 1e-12)
        )
        return np.asarray(thump + 10.0 ** (self.panel_db / 20.0) * panel + air)

    def _latch(self, chances: shaped.Chances, sr: int) -> Array:
        f = chances.spread("latch", 6, low=1200.0, high=5500.0)
        click = modal.ring(
            f, t60=0.02, amplitudes=chances.spread("click", 6, low=0.2, high=0.6), n_samples=int(0.05 * sr), sr=sr
        )
        return np.asarray(10.0 ** (self.latch_db / 20.0) * click)
