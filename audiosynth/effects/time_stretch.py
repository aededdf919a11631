"""Time stretching: tempo without pitch."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.registry import Component
from audiosynth.sound.stretch import rational, stretched_length, time_stretch


class TimeStretch(Component):
    """Play faster or slower at the same pitch, by a phase vocoder that keeps strikes sharp.

    Parameters
    ----------
    rate
        2 is twice as fast and half as long; rounded to 1e-6.

    References
    ----------
    See `audiosynth.sound.stretch`.
    """

    type_name: ClassVar[str] = "time_stretch"
    version: ClassVar[int] = 2
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"rate": 0.8}, {"rate": 1.25})

    rate: Annotated[
        float, Field(ge=0.25, le=4, description="1 changes nothing, 2 is twice as fast", json_schema_extra={"unit": ""})
    ]

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` stretched."""
        return time_stretch(y, sr=ctx.sr, rate=rational(self.rate))

    def extent(self, n_samples: int, sr: int) -> int:  # noqa: ARG002 - the same at any rate
        """Return floor(n / rate + ½)."""
        return stretched_length(n_samples, rate=rational(self.rate))

    def segments(self, n_samples: int, sr: int) -> list[Segment]:
        """Return one segment: time runs evenly."""
        return [Segment(0, n_samples, 0, self.extent(n_samples, sr))]
