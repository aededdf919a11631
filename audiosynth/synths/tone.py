"""A steady sine."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.registry import Component
from audiosynth.synthesis import signals


class Tone(Component):
    """A steady sine with raised-cosine edges.

    y(t) = amplitude · sin(2π·frequency·t + phase), so peak ≤ amplitude ≤ 1. A frequency at or above half the
    sampling rate is an error when the clip is rendered.

    Examples
    --------
    >>> Tone(frequency=1000, duration=0.5).render(RenderContext(sr=8000)).shape
    (1, 4000)
    """

    type_name: ClassVar[str] = "tone"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"frequency": 1000.0, "duration": 0.25},
        {"frequency": 440.0, "duration": 0.1, "phase": 90.0, "amplitude": 0.5, "fade": 0.0},
    )

    frequency: Annotated[float, Field(ge=1, le=96_000, description="Frequency", json_schema_extra={"unit": "Hz"})]
    duration: signals.Duration
    phase: Annotated[
        float, Field(ge=-360, le=360, description="Phase at the first sample", json_schema_extra={"unit": "degrees"})
    ] = 0.0
    amplitude: signals.Amplitude = 1.0
    fade: signals.Fade = 0.005

    @model_validator(mode="after")
    def _fits(self) -> Tone:
        signals.require_fit(self.duration, fade_in=self.fade, fade_out=self.fade)
        return self

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the tone, shape (1, n_samples)."""
        signals.require_below_nyquist(ctx.sr, frequency=self.frequency)
        n = self.extent(ctx.sr)
        wave = signals.sine(self.frequency * signals.times(n, ctx.sr) + self.phase / 360.0)
        return (self.amplitude * wave * signals.edges(n, ctx.sr, fade=self.fade))[None]
