"""No noise at all."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.registry import Component


class Silence(Component):
    """Digital silence: zeros.

    Examples
    --------
    >>> Silence().render(RenderContext(sr=8000), start=0, n_samples=3)
    array([[0., 0., 0.]])
    """

    type_name: ClassVar[str] = "silence"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    def render(self, ctx: RenderContext, *, start: int, n_samples: int) -> Array:  # noqa: ARG002 - silence is the same everywhere
        """Return zeros, shape (n_channels, n_samples)."""
        return np.zeros((ctx.n_channels, n_samples))
