"""Polarity: which way is up."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import Pointwise


class Polarity(Pointwise):
    """Invert the polarity of all channels.

    Parameters
    ----------
    invert
        False leaves the sound as it is, so that a recipe can draw it.
    """

    type_name: ClassVar[str] = "polarity"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"invert": False})

    invert: Annotated[bool, Field(description="positive pressure becomes negative")] = True

    def stretch(self, y: Array, ctx: RenderContext, *, start: int, whole: int) -> Array:  # noqa: ARG002 - the same anywhere
        """Return samples from `start` on of a sound of `whole` samples, or these inverted."""
        return -y if self.invert else np.array(y)
