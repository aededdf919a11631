"""A band taken out, without delay."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number
from audiosynth.sound.firs import centred, symmetric_taps
from audiosynth.synthesis.signals import rise

BETA = 6.0
"""Of Kaiser's window: at least 60 dB in the middle of the band."""
REACH_CYCLES = 4.0
"""Half the filter's length in periods of the transition's width."""


@lru_cache(maxsize=64)
def _taps(fmin: float, fmax: float, transition: float, sr: int) -> Array:
    def gain(f: Array) -> Array:
        down = 1.0 - rise((f - fmin) / transition + 0.5) if fmin > 0 else np.zeros(f.shape)
        return np.asarray(down + rise((f - fmax) / transition + 0.5))

    return symmetric_taps(gain, sr=sr, reach=REACH_CYCLES / transition, beta=BETA)


class FrequencyMask(InPlace):
    """Take a band out, as SpecAugment does to spectrograms: linear phase, its delay taken out.

    Parameters
    ----------
    fmin, fmax
        Edges of the band, -6 dB there; from 0 on, or up to half the sampling rate and beyond, it takes all on that side.
    transition
        Width of each edge: untouched half of it outside, at least 50 dB down half of it inside. Its inverse, times 4,
        is how long the filter rings on either side.

    References
    ----------
    D. S. Park et al., "SpecAugment", Interspeech 2019, for masks over frequency.
    """

    type_name: ClassVar[str] = "frequency_mask"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"fmin": 1000.0, "fmax": 1800.0},
        {"fmin": 0.0, "fmax": 400.0, "transition": 50.0},
    )

    fmin: Annotated[float, number(0, 500_000, "Hz", "lower edge")]
    fmax: Annotated[float, number(1, 500_000, "Hz", "upper edge")]
    transition: Annotated[float, number(20, 5000, "Hz", "width of each edge")] = 100.0

    @model_validator(mode="after")
    def _in_order(self) -> FrequencyMask:
        if self.fmax - self.fmin < self.transition:
            raise ValueError(
                f"expected fmax at least one transition ({self.transition:g} Hz) above fmin, got {self.fmin:g} and {self.fmax:g}"
            )
        return self

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` without the band."""
        return centred(y, _taps(self.fmin, self.fmax, self.transition, ctx.sr))
