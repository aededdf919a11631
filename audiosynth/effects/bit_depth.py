"""Few bits."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dice import uniform_at
from audiosynth.effects._in_place import Pointwise
from audiosynth.pcm import GRID
from audiosynth.quantities import number
from audiosynth.synthesis import signals


class BitDepth(Pointwise):
    """Quantise to n bits: 2^n steps from -1 to 1 - 2^(1-n); what is beyond is clipped.

    Halves go to the even step. Samples are rounded to 2^-20 of a step before, as those of a clip are, so that the last bits
    of arithmetic decide nothing. The noise is flat (no noise shaping); without dither it is distortion on quiet sounds.

    Parameters
    ----------
    bits
        2 to 24.
    dither
        ``none``, or ``tpdf``: triangular within ±1 step, each channel its own; mean and variance of the error are then
        independent of the sound (Lipshitz, Wannamaker, Vanderkooy 1992).
    seed
        Of the dither.
    """

    type_name: ClassVar[str] = "bit_depth"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"bits": 8}, {"bits": 4, "dither": "tpdf", "seed": 3})

    bits: Annotated[int, number(2, 24, "bit", "of a sample")]
    dither: Annotated[Literal["none", "tpdf"], Field(description="noise before rounding")] = "none"
    seed: signals.Seed = 0

    def stretch(self, y: Array, ctx: RenderContext, *, start: int, whole: int) -> Array:  # noqa: ARG002 - the same at any rate
        """Return samples from `start` on of a sound of `whole` samples, in steps of 2^(1 - bits)."""
        top = 2.0 ** (self.bits - 1)
        steps = np.rint(y * (top * GRID)) * (1.0 / GRID)
        if self.dither == "tpdf":
            steps += np.stack([self._dither(c, start, y.shape[-1]) for c in range(len(y))])
        return np.asarray(np.clip(np.rint(steps), -top, top - 1.0) * (1.0 / top))

    def _dither(self, channel: int, start: int, n_samples: int) -> Array:
        streams = (f"bit_depth/{channel}/{name}" for name in "ab")
        first, second = (uniform_at(self.seed, start=start, n_samples=n_samples, stream=name) for name in streams)
        return (np.floor(first * GRID) - np.floor(second * GRID)) * (1.0 / GRID)
