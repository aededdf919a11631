"""Peak limiting."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number
from audiosynth.sound.dynamics import ahead_minimum, followed, running_mean, smoothing


class Limiter(InPlace):
    """Keep every sample at or below a ceiling, by a gain that goes down before a peak comes and up after it.

    All channels get one gain. Nothing is delayed: the gain looks ahead.

    Parameters
    ----------
    ceiling_dbfs
        Largest sample afterwards, in dB re full scale.
    lookahead
        In so much time before a peak the gain goes down, in a straight line; 0 is clipping with a release.
    release
        Time constant of the gain going up again.

    Notes
    -----
    The gain that each sample needs is held `lookahead` s ahead (running minimum), let up with `release`, and averaged over
    the `lookahead` s before: all values in that average are at most what the sample needs, so is their mean.
    """

    type_name: ClassVar[str] = "limiter"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"ceiling_dbfs": -12.0},
        {"ceiling_dbfs": -20.0, "lookahead": 0.0, "release": 0.3},
    )

    ceiling_dbfs: Annotated[float, number(-100, 0, "dBFS", "largest sample afterwards")] = -1.0
    lookahead: Annotated[float, number(0, 0.1, "s", "time before a peak in which the gain goes down")] = 0.005
    release: Annotated[float, number(0, 5, "s", "time constant of the gain going up")] = 0.05

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` limited."""
        ceiling = 10.0 ** (self.ceiling_dbfs / 20.0)
        needed = ceiling / np.maximum(np.abs(y).max(axis=0), ceiling)
        n_ahead = seconds_to_samples(self.lookahead, ctx.sr)
        held = ahead_minimum(needed, n_ahead)
        gain = followed(held, rising=smoothing(self.release, ctx.sr), falling=0.0, start=1.0)
        # the clip takes away what the sums round up, 1e-12
        return np.clip(y * running_mean(gain, n_ahead + 1), -ceiling, ceiling)
