"""Reversal: a sound played backwards."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.registry import Component


class Reverse(Component):
    """Play backwards: the last sample comes first.

    Labels, words and phones stand where their sound is, in the reverse of their order.
    """

    type_name: ClassVar[str] = "reverse"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    def apply(self, y: Array, ctx: RenderContext) -> Array:  # noqa: ARG002 - the same at any rate
        """Return `y` backwards."""
        return np.ascontiguousarray(y[:, ::-1], dtype=np.float64)

    def extent(self, n_samples: int, sr: int) -> int:  # noqa: ARG002 - the same at any rate
        """Return `n_samples`."""
        return n_samples

    def segments(self, n_samples: int, sr: int) -> list[Segment]:  # noqa: ARG002 - the same at any rate
        """Return one segment, reversed."""
        return [Segment(0, n_samples, n_samples, 0)]
