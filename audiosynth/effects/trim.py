"""Trimming: a sound without its beginning or its end."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.dsp import samples_to_seconds, seconds_to_samples
from audiosynth.errors import ParameterError
from audiosynth.registry import Component

Cut = Annotated[float, Field(ge=0, le=86_400, json_schema_extra={"unit": "s"})]


class Trim(Component):
    """Cut off the beginning of a sound, its end, or both; labels keep what is left of them.

    Silence is not looked for: what a spec says must be known before any sound is. Leading and trailing silence of recordings
    is in the catalogue, and `file` leaves it out (``trim: true``).

    Parameters
    ----------
    start, end
        How much is cut off at the start and at the end.
    """

    type_name: ClassVar[str] = "trim"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"start": 0.1}, {"start": 0.05, "end": 0.12})

    start: Cut = Field(0.0, description="how much is cut off at the start")
    end: Cut = Field(0.0, description="how much is cut off at the end")

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return what is left of `y`."""
        first, last = self._kept(y.shape[-1], ctx.sr)
        return np.array(y[:, first:last], dtype=np.float64)

    def extent(self, n_samples: int, sr: int) -> int:
        """Return how many samples are left.

        Raises
        ------
        ParameterError
            If none are.
        """
        first, last = self._kept(n_samples, sr)
        return last - first

    def segments(self, n_samples: int, sr: int) -> list[Segment]:
        """Return one segment: what is left, earlier by what is cut off before it."""
        first, last = self._kept(n_samples, sr)
        return [Segment(first, last, 0, last - first)]

    def _kept(self, n_samples: int, sr: int) -> tuple[int, int]:
        first, last = seconds_to_samples(self.start, sr), n_samples - seconds_to_samples(self.end, sr)
        if last <= first:
            raise ParameterError(
                f"trim: start {self.start:g} s and end {self.end:g} s leave nothing of a sound of "
                f"{samples_to_seconds(n_samples, sr):g} s; cut less"
            )
        return first, last
