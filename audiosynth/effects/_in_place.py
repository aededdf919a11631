"""What effects share that move nothing: as many samples out as in, each at its place."""

from __future__ import annotations

from audiosynth.clip import Segment
from audiosynth.registry import Component


class InPlace(Component):
    """An effect that gives as many samples as it takes and moves none."""

    def extent(self, n_samples: int, sr: int) -> int:  # noqa: ARG002 - the same at any rate
        """Return `n_samples`."""
        return n_samples

    def segments(self, n_samples: int, sr: int) -> list[Segment]:  # noqa: ARG002 - the same at any rate
        """Return one segment: nothing moves."""
        return [Segment(0, n_samples, 0, n_samples)]
