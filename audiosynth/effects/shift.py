"""Shifting: the same stretch of time, its sound earlier or later."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.dsp import seconds_to_samples
from audiosynth.registry import Component
from audiosynth.synthesis.signals import rise


class Shift(Component):
    """Move sound in time within its length; what leaves at one end comes in at the other, or is lost.

    Parameters
    ----------
    time
        Later where positive. A shift by more than the length leaves silence, or goes round more than once.
    rollover
        Whether what leaves at one end comes in at the other; silence comes in otherwise.
    fade
        Raised-cosine edges on both sides of the joint, or towards the silence, so that no click is heard.
    """

    type_name: ClassVar[str] = "shift"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"time": 0.1},
        {"time": -0.05, "rollover": True, "fade": 0.005},
    )

    time: Annotated[
        float, Field(ge=-3600, le=3600, description="later where positive", json_schema_extra={"unit": "s"})
    ]
    rollover: Annotated[bool, Field(description="what leaves at one end comes in at the other")] = False
    fade: Annotated[
        float, Field(ge=0, le=10, description="edges at the joint; 0 for none", json_schema_extra={"unit": "s"})
    ] = 0.0

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` moved, of the same shape."""
        out = np.zeros(y.shape)
        n_fade = seconds_to_samples(self.fade, ctx.sr)
        for piece in self.segments(y.shape[-1], ctx.sr):
            part = np.array(y[:, piece.in0 : piece.in1], dtype=np.float64)
            n = part.shape[-1]
            # an end of the piece that was in the midst of the sound, or is now: those at both ends of time were edges already
            ramp = rise((np.arange(min(n_fade, n)) + 0.5) / n_fade) if n_fade else np.ones(0)
            if piece.in0 > 0 or piece.out0 > 0:
                part[:, : ramp.size] *= ramp
            if piece.in1 < y.shape[-1] or piece.out1 < y.shape[-1]:
                part[:, n - ramp.size :] *= ramp[::-1]
            out[:, piece.out0 : piece.out1] = part
        return out

    def extent(self, n_samples: int, sr: int) -> int:  # noqa: ARG002 - the same at any rate
        """Return `n_samples`."""
        return n_samples

    def segments(self, n_samples: int, sr: int) -> list[Segment]:
        """Return what stays in view, and with `rollover` what comes in at the other end."""
        later = seconds_to_samples(self.time, sr)
        if self.rollover:
            later %= n_samples
            kept = [Segment(0, n_samples - later, later, n_samples)]
            return [*kept, Segment(n_samples - later, n_samples, 0, later)] if later else kept
        first, last = max(0, -later), min(n_samples, n_samples - later)
        return [Segment(first, last, first + later, last + later)] if last > first else []
