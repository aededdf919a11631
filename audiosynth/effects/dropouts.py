"""Dropouts: short losses of the signal."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.effects._masks import masked
from audiosynth.quantities import number
from audiosynth.synthesis import signals
from audiosynth.synthesis.shaped import Chances


class Dropouts(InPlace):
    """Lose the signal at random times, on all channels at once.

    Parameters
    ----------
    rate
        Mean number a second, of a Poisson process.
    duration
        Of each, or their mean.
    law
        ``fixed``, or ``exponential``: durations are exponentially distributed.
    fade
        Raised cosine at both ends, inside; at most half a dropout.
    fill
        ``zero``, or ``hold`` the last sample before.
    seed
        Of times and durations.
    """

    type_name: ClassVar[str] = "dropouts"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"rate": 4.0, "duration": 0.02, "seed": 1},
        {"rate": 10.0, "duration": 0.01, "law": "exponential", "fade": 0.0, "fill": "hold", "seed": 2},
    )

    rate: Annotated[float, number(0, 1000, "1/s", "mean number a second")]
    duration: Annotated[float, number(0.0001, 10, "s", "of each, or their mean")] = 0.02
    law: Annotated[Literal["fixed", "exponential"], Field(description="how durations are distributed")] = "fixed"
    fade: Annotated[float, number(0, 1, "s", "raised cosine at both ends")] = 0.001
    fill: Annotated[Literal["zero", "hold"], Field(description="what is heard instead")] = "zero"
    seed: signals.Seed

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` with its dropouts."""
        chances = Chances(self.seed, "dropouts")
        first = chances.arrivals("times", self.rate, y.shape[-1] / ctx.sr)
        lasts = chances.exponential("durations", first.size) if self.law == "exponential" else np.ones(first.size)
        ends = first + self.duration * lasts
        spans = zip((first * ctx.sr).astype(int).tolist(), np.ceil(ends * ctx.sr).astype(int).tolist(), strict=True)
        return masked(y, spans, sr=ctx.sr, fade=self.fade, fill=self.fill)
