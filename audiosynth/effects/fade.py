"""Fades at the start and the end of a sound."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.effects._in_place import InPlace


def fade_lengths(n_samples: int, *, fade_in: int, fade_out: int) -> tuple[int, int]:
    """Return both fades in samples, shortened in proportion where the sound is shorter than the two together.

    Examples
    --------
    >>> fade_lengths(90, fade_in=100, fade_out=50), fade_lengths(500, fade_in=100, fade_out=50)
    ((60, 30), (100, 50))
    """
    both = fade_in + fade_out
    if both <= n_samples:
        return fade_in, fade_out
    return n_samples * fade_in // both, n_samples * fade_out // both


def ramp(n_samples: int, *, shape: str) -> Array:
    """Return a rising gain of `n_samples`, taken at the middles of as many equal steps from 0 to 1.

    Examples
    --------
    >>> ramp(4, shape="linear")
    array([0.125, 0.375, 0.625, 0.875])
    """
    x = (np.arange(n_samples) + 0.5) / max(1, n_samples)
    if shape == "cosine":
        return np.asarray(0.5 - 0.5 * np.cos(np.pi * x))
    if shape == "sine":
        return np.asarray(np.sin(0.5 * np.pi * x))
    if shape == "exponential":
        # 60 dB: where a fall is no longer heard, as in the definition of reverberation time. Shifted to start at 0.
        return np.asarray((1000.0**x - 1.0) / 999.0)
    return np.asarray(x)


class Fade(InPlace):
    """Fade in and fade out.

    A sound shorter than both fades together has them shortened in proportion, so that they meet.

    Parameters
    ----------
    fade_in, fade_out
        Durations in seconds; 0 leaves that end as it is.
    shape
        Gain over x from 0 to 1: `linear` x, `cosine` (1 - cos πx)/2, `sine` sin(πx/2), which keeps the power of two
        unrelated sounds in a cross-fade, `exponential` (1000^x - 1)/999, nearly even in decibels.
    """

    type_name: ClassVar[str] = "fade"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"fade_in": 0.01, "fade_out": 0.02},
        {"fade_out": 5.0, "shape": "exponential"},
    )

    fade_in: Annotated[
        float, Field(ge=0, le=3600, description="duration of the rise", json_schema_extra={"unit": "s"})
    ] = 0.0
    fade_out: Annotated[
        float, Field(ge=0, le=3600, description="duration of the fall", json_schema_extra={"unit": "s"})
    ] = 0.0
    shape: Annotated[
        Literal["linear", "cosine", "sine", "exponential"], Field(description="how the gain goes from 0 to 1")
    ] = "cosine"

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` with its ends faded."""
        n = y.shape[-1]
        rise, fall = fade_lengths(
            n,
            fade_in=seconds_to_samples(self.fade_in, ctx.sr),
            fade_out=seconds_to_samples(self.fade_out, ctx.sr),
        )
        out = np.array(y, dtype=np.float64)
        out[:, :rise] *= ramp(rise, shape=self.shape)
        out[:, n - fall :] *= ramp(fall, shape=self.shape)[::-1]
        return out
