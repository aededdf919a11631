"""Clipping: what is too loud for its channel."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import resample
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number
from audiosynth.sound.dynamics import in_pieces
from audiosynth.synthesis.signals import expm1

SATURATED = 20.0
"""Where tanh is 1 to the last bit."""


def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent, the same bits on every machine.

    Examples
    --------
    >>> bool(np.allclose(tanh(np.array([-30.0, 1e-9, 0.5])), np.tanh([-30.0, 1e-9, 0.5]), rtol=1e-14))
    True
    """
    less_one = expm1(2.0 * np.clip(x, -SATURATED, SATURATED))
    return np.asarray(less_one / (less_one + 2.0))


def threshold_of(y: Array, share: float) -> float:
    """Return the size that `share` of the samples exceed; samples that are exactly 0 do not count.

    Examples
    --------
    >>> threshold_of(np.array([[0.0, 0.1, -0.4, 0.2, -0.3]]), 0.25)
    0.3
    """
    size = np.abs(y[y != 0.0])
    n_over = int(share * size.size + 0.5)
    if not size.size:
        return 0.0
    at = max(0, size.size - 1 - n_over)
    return float(np.partition(size, at)[at])


class Clipping(InPlace):
    """Clip at a level, or so that a share of the samples is clipped.

    Parameters
    ----------
    kind
        ``hard``: what is beyond the threshold T becomes ±T. ``soft``: T·tanh(y/T), which bends below T already.
    threshold_dbfs
        T in dB re full scale (of a sample, not of an RMS).
    share
        In place of `threshold_dbfs`: T such that this share of all samples that are not exactly 0 is beyond it. (A
        `percentile_threshold` of 20 elsewhere, 20 % at either end, is 0.4.)
    oversample
        Clip at so many times the rate: harmonics above half of it are filtered out instead of folding back, and
        samples can pass the threshold by what the filter rings. The filter has linear phase, its delay is taken out.
    """

    type_name: ClassVar[str] = "clipping"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"threshold_dbfs": -12.0},
        {"share": 0.05, "kind": "soft", "oversample": 4},
    )

    kind: Annotated[Literal["hard", "soft"], Field(description="corner or curve")] = "hard"
    threshold_dbfs: Annotated[float | None, number(-120, 20, "dBFS", "size of the samples that are clipped")] = None
    share: Annotated[float | None, number(0, 0.99, "", "of the samples beyond the threshold")] = None
    oversample: Annotated[
        Literal[1, 2, 4, 8], Field(description="factor on the rate while clipping", json_schema_extra={"unit": ""})
    ] = 1

    @model_validator(mode="after")
    def _one_of_two(self) -> Clipping:
        if (self.threshold_dbfs is None) == (self.share is None):
            raise ValueError("give threshold_dbfs or share, one of the two")
        return self

    def apply(self, y: Array, ctx: RenderContext) -> Array:  # noqa: ARG002 - the same at any rate
        """Return `y` clipped."""
        top = threshold_of(y, self.share) if self.threshold_dbfs is None else 10.0 ** (self.threshold_dbfs / 20.0)  # type: ignore[arg-type]
        if top <= 0.0:  # nothing but zeros
            return np.array(y)
        fine = resample(y, sr_in=1, sr_out=self.oversample)
        clipped = np.clip(fine, -top, top) if self.kind == "hard" else top * in_pieces(tanh, fine * (1.0 / top))
        return np.array(resample(clipped, sr_in=self.oversample, sr_out=1))
