"""Formant shifting: another body, the same pitch."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.sound.envelope import shift_formants


class FormantShift(InPlace):
    """Move the formants along the frequency axis; pitch and time stay.

    A ratio of 1.15 makes of a man's vocal tract a woman's (15 % shorter); speech keeps its words from some 0.8 to 1.25.

    Parameters
    ----------
    ratio
        Factor on the formants' frequencies.
    """

    type_name: ClassVar[str] = "formant_shift"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"ratio": 1.1}, {"ratio": 0.88})

    ratio: Annotated[
        float, Field(ge=0.5, le=2.0, description="factor on the formants' frequencies", json_schema_extra={"unit": ""})
    ]

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` with other formants, of the same shape."""
        return shift_formants(y, sr=ctx.sr, ratio=self.ratio)
