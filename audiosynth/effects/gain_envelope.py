"""Gain that changes while a sound goes on."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import Pointwise
from audiosynth.synthesis import signals


class GainEnvelope(Pointwise):
    """Gain over time: straight lines in decibels between points.

    Before the first point and after the last one the gain stays. A sound that swells, somebody who turns away, one
    recording that gives way to the next (with the mirror image of its envelope on the other).

    Parameters
    ----------
    points
        ``[[time, gain in dB], …]``, in order of time, from the start of the sound.
    times
        Of the points: seconds, or fractions of the sound's length.
    """

    type_name: ClassVar[str] = "gain_envelope"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"points": [[0.0, -20.0], [0.05, 0.0]]},
        {"points": [[0.0, 0.0], [0.5, -12.0], [1.0, 0.0]], "times": "fraction"},
    )

    points: signals.GainPoints
    times: Annotated[Literal["seconds", "fraction"], Field(description="what the times of the points are of")] = (
        "seconds"
    )

    @model_validator(mode="after")
    def _inside(self) -> GainEnvelope:
        if self.times == "fraction" and self.points[-1][0] > 1:
            raise ValueError(f"points: a fraction of the sound's length is from 0 to 1, got {self.points[-1][0]:g}")
        return self

    def stretch(self, y: Array, ctx: RenderContext, *, start: int, whole: int) -> Array:
        """Return samples from `start` on of a sound of `whole` samples, under the envelope."""
        rate = ctx.sr if self.times == "seconds" else whole
        return np.asarray(y * signals.gain_curve(self.points, rate=rate, start=start, n_samples=y.shape[-1]))
