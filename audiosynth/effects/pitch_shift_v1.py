"""Pitch shifting: pitch without tempo; version 1, as rows of old manifests have it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.dsp import resample
from audiosynth.effects._pitch import LARGEST_TERM, pitch_ratio
from audiosynth.registry import Component
from audiosynth.sound.stretch import rational, stretched_length
from audiosynth.sound.stretch_v1 import time_stretch


class PitchShift(Component):
    """Shift the pitch at the same tempo and length, or at another; formants move along.

    Stretches by the ratio, then resamples back to the length it had (or to that of the new tempo: one pass for both, where
    `time_stretch` after it would take a second).

    Parameters
    ----------
    semitones
        Up where positive; fractions are allowed (0.01 is a cent).
    rate
        Of the tempo, as in `time_stretch`: 2 is twice as fast and half as long; rounded to 1e-6.
    """

    type_name: ClassVar[str] = "pitch_shift"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"semitones": 2.0},
        {"semitones": -3.5},
        {"semitones": 1.5, "rate": 0.9},
    )

    semitones: Annotated[
        float,
        Field(
            ge=-24, le=24, description="0 changes nothing, 12 is an octave up", json_schema_extra={"unit": "semitones"}
        ),
    ]
    rate: Annotated[
        float, Field(ge=0.5, le=2, description="of the tempo; 1 leaves it as it is", json_schema_extra={"unit": ""})
    ] = 1.0

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` at another pitch, of the same length or that of its new tempo."""
        ratio = pitch_ratio(self.semitones)
        rate = (rational(self.rate) / ratio).limit_denominator(LARGEST_TERM)
        longer = time_stretch(y, sr=ctx.sr, rate=rate)
        moved = resample(longer, sr_in=ratio.numerator, sr_out=ratio.denominator)
        out = np.zeros((y.shape[0], self.extent(y.shape[-1], ctx.sr)))
        # The stretch rounds to whole samples, so the way back can be off by a few of them at the end.
        n = min(out.shape[-1], moved.shape[-1])
        out[:, :n] = moved[:, :n]
        return out

    def extent(self, n_samples: int, sr: int) -> int:  # noqa: ARG002 - the same at any rate
        """Return floor(n / rate + ½)."""
        return stretched_length(n_samples, rate=rational(self.rate))

    def segments(self, n_samples: int, sr: int) -> list[Segment]:
        """Return one segment: time runs evenly."""
        return [Segment(0, n_samples, 0, self.extent(n_samples, sr))]
