"""A constant that should not be there."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import Pointwise
from audiosynth.quantities import number


class DcOffset(Pointwise):
    """Add a constant to every sample of every channel, as cheap converters do.

    Parameters
    ----------
    offset
        What is added; 1 is full scale.
    """

    type_name: ClassVar[str] = "dc_offset"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"offset": 0.02}, {"offset": -0.1})

    offset: Annotated[float, number(-1, 1, "", "what is added; 1 is full scale")]

    def stretch(self, y: Array, ctx: RenderContext, *, start: int, whole: int) -> Array:  # noqa: ARG002 - the same anywhere
        """Return samples from `start` on of a sound of `whole` samples, beside their zero line."""
        return np.asarray(y + self.offset)
