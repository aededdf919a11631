"""To a low sampling rate and back."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import resample
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number

HALF: Final = 32
"""Samples on either side of a place between samples from which its value is computed."""
BETA: Final = 8.0
"""Of Kaiser's window on the sinc: flat to 0.46 of the rate, errors at -80 dB."""


@lru_cache(maxsize=32)
def _between(n_phases: int) -> Array:
    """Return the weights of 2·HALF samples for places 0, 1/n, … after a sample, shape (n_phases, 2·HALF)."""
    x = np.arange(1 - HALF, HALF + 1)[None, :] - np.arange(n_phases)[:, None] / n_phases
    window = np.i0(BETA * np.sqrt(np.maximum(0.0, 1.0 - np.square(x / HALF)))) / np.i0(BETA)
    weights = np.sinc(x) * window
    weights.flags.writeable = False
    return np.asarray(weights)


def sampled(y: Array, step: Fraction) -> Array:
    """Return the band-limited sound at every `step` samples from the first on, unfiltered.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples).
    step
        Samples from one place to the next, 1 or more.

    Returns
    -------
    picked
        Shape (n_channels, ceil(n_samples / step)).

    Examples
    --------
    >>> sampled(np.arange(6.0)[None], Fraction(2))
    array([[0., 2., 4.]])
    """
    n = y.shape[-1]
    count = -(-n * step.denominator // step.numerator)
    if step.denominator == 1:
        return np.array(y[:, :: step.numerator])
    at = np.arange(count, dtype=np.int64) * step.numerator
    first, phase = at // step.denominator, at % step.denominator
    padded = np.pad(y, ((0, 0), (HALF - 1, HALF)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * HALF, axis=-1)
    weights = _between(step.denominator)
    return np.stack([np.einsum("ij,ij->i", row[first], weights[phase]) for row in windows])


class ResampleRoundTrip(InPlace):
    """Resample to a low rate and back: highs are lost, or fold back where nothing filters them out.

    Parameters
    ----------
    low_sr
        The low rate; at or above the sound's own nothing is done.
    aliasing
        Take samples without filtering: a tone at f above low_sr / 2 sounds at the distance from f to the nearest multiple
        of low_sr.
    interpolation
        Back to the old rate: ``sinc`` (filtered, nothing above low_sr / 2), ``linear`` or ``hold``, which leave images of
        the lows around multiples of low_sr.

    Notes
    -----
    Filters have linear phase, their delay is taken out (soxr VHQ; unfiltered samples by a sinc of 64 samples under Kaiser's
    window).
    """

    type_name: ClassVar[str] = "resample_round_trip"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"low_sr": 6000},
        {"low_sr": 4000, "aliasing": True},
        {"low_sr": 7350, "aliasing": True, "interpolation": "hold"},
        {"low_sr": 5000, "interpolation": "linear"},
    )

    low_sr: Annotated[int, number(500, 384_000, "Hz", "the low rate")]
    aliasing: Annotated[bool, Field(description="take samples without filtering")] = False
    interpolation: Annotated[Literal["sinc", "linear", "hold"], Field(description="back to the old rate")] = "sinc"

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` after its way there and back."""
        if self.low_sr >= ctx.sr:
            return np.array(y)
        step = Fraction(ctx.sr, self.low_sr)
        low = sampled(y, step) if self.aliasing else resample(y, sr_in=ctx.sr, sr_out=self.low_sr)
        n = y.shape[-1]
        if self.interpolation == "sinc":
            out = np.zeros(y.shape)
            back = resample(low, sr_in=self.low_sr, sr_out=ctx.sr)[:, :n]
            out[:, : back.shape[-1]] = back
            return out
        if self.interpolation == "hold":
            at = np.arange(n, dtype=np.int64) * step.denominator // step.numerator
            return low[:, np.minimum(at, low.shape[-1] - 1)]
        places = np.arange(n) / float(step)
        return np.stack([np.interp(places, np.arange(low.shape[-1]), row) for row in low])
