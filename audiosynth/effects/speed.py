"""Speed: tempo and pitch together, as a tape played faster."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.dsp import resample, resampled_length
from audiosynth.registry import Component

STEPS = 10_000
"""The factor is rounded to this many parts of 1, so that the resampling ratio is one of whole numbers."""


class Speed(Component):
    """Play faster or slower: tempo and pitch change together.

    Parameters
    ----------
    factor
        1.1 is 10 % faster, 1/1.1 as long and 1.65 semitones up; rounded to 1e-4. What would pass half the sampling
        rate is filtered out.
    """

    type_name: ClassVar[str] = "speed"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"factor": 1.1}, {"factor": 0.9})

    factor: Annotated[
        float, Field(ge=0.1, le=10, description="1 changes nothing, 2 is twice as fast", json_schema_extra={"unit": ""})
    ]

    def _rates(self) -> tuple[int, int]:
        return round(self.factor * STEPS), STEPS

    def apply(self, y: Array, ctx: RenderContext) -> Array:  # noqa: ARG002 - the same at any rate
        """Return `y` resampled."""
        sr_in, sr_out = self._rates()
        return np.array(resample(y, sr_in=sr_in, sr_out=sr_out), dtype=np.float64)

    def extent(self, n_samples: int, sr: int) -> int:  # noqa: ARG002 - the same at any rate
        """Return floor(n / factor + ½)."""
        sr_in, sr_out = self._rates()
        return resampled_length(n_samples, sr_in=sr_in, sr_out=sr_out)

    def segments(self, n_samples: int, sr: int) -> list[Segment]:
        """Return one segment: time runs evenly."""
        return [Segment(0, n_samples, 0, self.extent(n_samples, sr))]
