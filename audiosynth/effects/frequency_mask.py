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
"""Of Kaiser's window (1974): 63 dB, for which a step needs 1.92 / transition seconds on either side."""
REACH_CYCLES = 2.4
"""Half the filter's length in periods of the transition's width."""
SLOPE = 0.2
"""Share of the transition in which the design itself goes over, so that edges lie between points of its grid too."""


@lru_cache(maxsize=64)
def _taps(fmin: float, fmax: float, transition: float, sr: int) -> Array:
    def above(edge: float, f: Array) -> Array:
        return rise((f - edge) / (SLOPE * transition) + 0.5)

    def gain(f: Array) -> Array:
        return above(fmax, f) + (1.0 - above(fmin, f) if fmin > 0 else np.zeros(f.shape))

    return symmetric_taps(gain, sr=sr, reach=REACH_CYCLES / transition, beta=BETA)


class FrequencyMask(InPlace):
    """Take a band out, as SpecAugment does to spectrograms: linear phase, its delay taken out.

    Parameters
    ----------
    fmin, fmax
        Edges of the band, -6 dB there; from 0 on, or up to half the sampling rate and beyond, it takes all on that side.
    transition
        Width of each edge: untouched half of it outside, at least 50 dB down half of it inside. The filter rings for
        2.4 / transition seconds on either side.

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
