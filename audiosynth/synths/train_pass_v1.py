"""TrainPass as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import shaped, signals
from audiosynth.clip import Array
from audiosynth.synths.train_pass import TrainPass


class TrainPassV1(TrainPass):
    """Version 1: a squeal above 0.4 of the rate stood at it."""

    version: ClassVar[int] = 1

    def _squeal(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        f = np.minimum(
            chances.between("squeal", 1200.0, 4500.0) * (1.0 + 0.01 * chances.wander("bend", 2.0, n_samples=n, sr=sr)),
            0.4 * sr,
        )
        return signals.sine(signals.accumulated(f, sr)) * signals.rise(
            0.5 + chances.wander("grip", 1.5, n_samples=n, sr=sr)
        )
