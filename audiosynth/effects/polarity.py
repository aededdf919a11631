"""Polarity: which way is up."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace


class Polarity(InPlace):
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

    def apply(self, y: Array, ctx: RenderContext) -> Array:  # noqa: ARG002 - the same at any rate
        """Return `y`, or -`y`."""
        return -y if self.invert else np.array(y)
