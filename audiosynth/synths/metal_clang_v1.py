"""MetalClang as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import modal, shaped
from audiosynth.clip import Array, RenderContext
from audiosynth.synths.metal_clang import BOUNCE, RELEASE, MetalClang


class MetalClangV1(MetalClang):
    """Version 1: blows began with aliases."""

    version: ClassVar[int] = 1

    def render(self, ctx: RenderContext) -> Array:
        """Return the clang, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "metal_clang")
        f = self._modes(chances)
        t60 = self.t60 * (f / f[0]) ** -self.damping
        y, start, loud = np.zeros(n), 0.0, 1.0
        gap = chances.between("gap", 0.08, 0.25)
        for i in range(self.n_bounces + 1):
            a = chances.spread(f"loud{i}", len(f), low=0.2, high=1.0) * modal.contact(f, self.hammer)
            modal.place(
                y, loud * modal.ring(f, t60=t60, amplitudes=a, n_samples=max(0, n - int(start * sr)), sr=sr), start, sr
            )
            start, loud, gap = start + gap, loud * BOUNCE**0.5, gap * BOUNCE**0.5
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.001, release=RELEASE)
