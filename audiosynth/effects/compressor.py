"""Dynamic range compression."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number
from audiosynth.sound.dynamics import decibels, factors, followed, reduction_db, smoothing


class Compressor(InPlace):
    """Compress the dynamic range: above the threshold, `ratio` dB more going in are 1 dB more coming out.

    All channels get one gain, from the largest sample of all channels. A sine's level is that of its peak.

    Parameters
    ----------
    threshold_dbfs
        Level above which the gain goes down, in dB re full scale, of single samples.
    ratio
        dB in per dB out above the threshold.
    knee_db
        Width of the soft transition around the threshold; 0 for a corner.
    attack, release
        Time constants: after so long 63 % of a step down (up) of the gain are done.
    makeup_db
        Gain on everything afterwards.

    References
    ----------
    D. Giannoulis, M. Massberg, J. D. Reiss, "Digital dynamic range compressor design: a tutorial and analysis", Journal
    of the Audio Engineering Society 60(6), 2012: feed-forward, gain computer and smooth branching peak detector in the
    log domain, equations 4 and 16.
    """

    type_name: ClassVar[str] = "compressor"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"threshold_dbfs": -30.0, "ratio": 4.0},
        {"threshold_dbfs": -24.0, "ratio": 10.0, "knee_db": 0.0, "attack": 0.001, "release": 0.2, "makeup_db": 9.0},
    )

    threshold_dbfs: Annotated[float, number(-100, 0, "dBFS", "level above which the gain goes down")] = -20.0
    ratio: Annotated[float, number(1, 100, "", "dB in per dB out above the threshold")] = 4.0
    knee_db: Annotated[float, number(0, 40, "dB", "width of the soft transition")] = 6.0
    attack: Annotated[float, number(0, 1, "s", "time constant of the gain going down")] = 0.005
    release: Annotated[float, number(0, 5, "s", "time constant of the gain going up")] = 0.1
    makeup_db: Annotated[float, number(-40, 60, "dB", "gain on everything afterwards")] = 0.0

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` compressed."""
        size = np.abs(y).max(axis=0)
        begins = 10.0 ** ((self.threshold_dbfs - self.knee_db / 2.0) / 20.0)
        loud = np.flatnonzero(size > begins)  # below it nothing is taken, and logarithms cost most
        wanted = np.zeros(size.shape)
        wanted[loud] = reduction_db(
            decibels(size[loud]), threshold=self.threshold_dbfs, ratio=self.ratio, knee=self.knee_db
        )
        attack, release = (smoothing(t, ctx.sr) for t in (self.attack, self.release))
        taken = followed(wanted, rising=attack, falling=release)
        return np.asarray(y * factors(self.makeup_db - taken))
