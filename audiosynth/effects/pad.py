"""Padding: silence before and after a sound."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.dsp import seconds_to_samples
from audiosynth.registry import Component

Silence = Annotated[float, Field(ge=0, le=3600, json_schema_extra={"unit": "s"})]


class Pad(Component):
    """Put silence before a sound, after it, or both; it becomes longer, and its labels stay with what is heard.

    Parameters
    ----------
    before, after
        Length of the silence.
    """

    type_name: ClassVar[str] = "pad"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"before": 0.25}, {"before": 0.1, "after": 0.5})

    before: Silence = Field(0.0, description="silence before the sound")
    after: Silence = Field(0.0, description="silence after the sound")

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` with silence around it."""
        before, after = self._samples(ctx.sr)
        return np.pad(np.asarray(y, dtype=np.float64), ((0, 0), (before, after)))

    def extent(self, n_samples: int, sr: int) -> int:
        """Return `n_samples` and the silence."""
        return n_samples + sum(self._samples(sr))

    def segments(self, n_samples: int, sr: int) -> list[Segment]:
        """Return one segment, later by the silence before it."""
        before, _ = self._samples(sr)
        return [Segment(0, n_samples, before, before + n_samples)]

    def _samples(self, sr: int) -> tuple[int, int]:
        return seconds_to_samples(self.before, sr), seconds_to_samples(self.after, sr)
