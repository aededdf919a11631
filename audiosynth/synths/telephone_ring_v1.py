"""TelephoneRing as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import cadences, modal, shaped
from audiosynth.clip import Array
from audiosynth.synths.telephone_ring import CADENCES, CURRENT, GONGS, PARTIALS, TelephoneRing, _through


class TelephoneRingV1(TelephoneRing):
    """Version 1: strokes began with aliases."""

    version: ClassVar[int] = 1

    def _gongs(self, n: int, sr: int) -> Array:
        chances = shaped.Chances(self.seed, "telephone_ring")
        rate = 2.0 * CURRENT[self.country]
        strokes = np.arange(int(self.duration * rate) + 1) / rate
        on = cadences.gate(CADENCES[self.country], n_samples=n, sr=sr, edge=1e-6)
        at = np.minimum((strokes * sr).astype(np.int64), n - 1)
        force = np.where(on[at] > 0.5, chances.spread("force", len(at), low=0.7, high=1.0), 0.0)
        y, length = np.zeros(n), int(min(self.duration, 2.0 * self.t60) * sr)
        for gong, ratio in enumerate(GONGS):
            f = (
                self.f0
                * ratio
                * np.array(PARTIALS)
                * (1.0 + chances.spread(f"gong{gong}", len(PARTIALS), low=-0.02, high=0.02))
            )
            ring = modal.ring(
                f, t60=self.t60 * np.array(PARTIALS) ** -0.5, amplitudes=[1.0, 0.7, 0.4, 0.2], n_samples=length, sr=sr
            )
            train = np.zeros(n)
            train[at[gong::2]] = force[gong::2]
            y += _through(train, ring)
        return y
