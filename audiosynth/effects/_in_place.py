"""What effects share that move nothing: as many samples out as in, each at its place."""

from __future__ import annotations

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.registry import Component


class InPlace(Component):
    """An effect that gives as many samples as it takes and moves none."""

    def extent(self, n_samples: int, sr: int) -> int:  # noqa: ARG002 - the same at any rate
        """Return `n_samples`."""
        return n_samples

    def segments(self, n_samples: int, sr: int) -> list[Segment]:  # noqa: ARG002 - the same at any rate
        """Return one segment: nothing moves."""
        return [Segment(0, n_samples, 0, n_samples)]


class Pointwise(InPlace):
    """An effect in place that knows of a sample no more than itself and where it is: long sounds pass it in stretches."""

    def stretch(self, y: Array, ctx: RenderContext, *, start: int, whole: int) -> Array:
        """Return samples from `start` on of a sound of `whole` samples, after the effect."""
        raise NotImplementedError

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return all of a sound after the effect."""
        return self.stretch(y, ctx, start=0, whole=y.shape[-1])
