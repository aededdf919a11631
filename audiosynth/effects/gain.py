"""Gain: every sample times one number."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import Pointwise


class Gain(Pointwise):
    """Gain in decibels, with the polarity kept or inverted.

    Parameters
    ----------
    gain_db
        20 times the logarithm to base 10 of the factor.
    invert
        Whether positive pressure becomes negative.
    """

    type_name: ClassVar[str] = "gain"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"gain_db": -6.0}, {"gain_db": 3.0, "invert": True})

    gain_db: Annotated[
        float, Field(ge=-120, le=120, description="gain; 0 changes nothing", json_schema_extra={"unit": "dB"})
    ]
    invert: Annotated[bool, Field(description="invert the polarity")] = False

    def stretch(self, y: Array, ctx: RenderContext, *, start: int, whole: int) -> Array:  # noqa: ARG002 - the same anywhere
        """Return samples from `start` on of a sound of `whole` samples, scaled."""
        factor = float(10.0 ** (self.gain_db / 20.0))
        return np.asarray(y * (-factor if self.invert else factor))
