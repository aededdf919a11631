"""No room: the sound as it is."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from audiosynth.clip import RenderContext, Response
from audiosynth.registry import Component


class NoRoom(Component):
    """No room at all: the image is the dry sound, sample for sample.

    A unit impulse without delay; takes no parameters.
    """

    type_name: ClassVar[str] = "none"
    version: ClassVar[int] = 1
    portability: ClassVar[str] = "portable"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    def response(self, ctx: RenderContext) -> Response:  # noqa: ARG002
        """Return the unit impulse.

        Examples
        --------
        >>> NoRoom().response(RenderContext(sr=16000)).h
        array([[1.]])
        """
        return Response(h=np.ones((1, 1)), delay=0, gain_db=0.0, key=("none",))

    def delay(self, sr: int, position: object = None) -> int:  # noqa: ARG002
        """Return 0: the sound is there at once."""
        return 0
