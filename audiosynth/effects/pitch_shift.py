"""Pitch shifting: pitch without tempo."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.dsp import resample
from audiosynth.registry import Component
from audiosynth.stretch import rational, time_stretch

LARGEST_TERM = 50_000
"""Denominators up to this give every ratio within 1e-5 of itself, 0.02 cents, at worst (next to 1)."""


def pitch_ratio(semitones: float) -> Fraction:
    """Return 2^(semitones/12), the ratio of equal temperament, as a fraction of whole numbers.

    Examples
    --------
    >>> pitch_ratio(12.0), pitch_ratio(-12.0)
    (Fraction(2, 1), Fraction(1, 2))
    """
    return rational(2.0 ** (semitones / 12.0)).limit_denominator(LARGEST_TERM)


class PitchShift(Component):
    """Shift the pitch at the same tempo and length; formants move along.

    Stretches by the ratio, then resamples back to the length it had.

    Parameters
    ----------
    semitones
        Up where positive; fractions are allowed (0.01 is a cent).
    """

    type_name: ClassVar[str] = "pitch_shift"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"semitones": 2.0}, {"semitones": -3.5})

    semitones: Annotated[
        float,
        Field(
            ge=-24, le=24, description="0 changes nothing, 12 is an octave up", json_schema_extra={"unit": "semitones"}
        ),
    ]

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` at another pitch, of the same shape."""
        ratio = pitch_ratio(self.semitones)
        longer = time_stretch(y, sr=ctx.sr, rate=1 / ratio)
        moved = resample(longer, sr_in=ratio.numerator, sr_out=ratio.denominator)
        out = np.zeros(y.shape)
        # The stretch rounds to whole samples, so the way back can be off by a few of them at the end.
        n = min(y.shape[-1], moved.shape[-1])
        out[:, :n] = moved[:, :n]
        return out

    def extent(self, n_samples: int, sr: int) -> int:  # noqa: ARG002 - the same at any rate
        """Return `n_samples`."""
        return n_samples

    def segments(self, n_samples: int, sr: int) -> list[Segment]:  # noqa: ARG002 - the same at any rate
        """Return one segment: nothing moves."""
        return [Segment(0, n_samples, 0, n_samples)]
