"""Short pulses, alone or in trains."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import ParameterError
from audiosynth.registry import Component
from audiosynth.synthesis import signals

MIN_SAMPLES: Final = 6
"""Fewest samples of one pulse: the first zero of its spectrum then lies at or below half the sampling rate."""
BIPHASIC_PEAK: Final = 8.0 / 27.0**0.5
"""1 / max of sin(2πu)·sin²(πu), which is 3√3/8 at u = 1/3."""


class Click(Component):
    """A short pulse or a train of pulses, band-limited by its own shape and free of DC where biphasic.

    Every pulse is `width` = W seconds long and is sampled from its formula at its exact time, so trains keep their
    interval between samples too. With u = t/W in [0, 1]:

    * `biphasic`: sin(2πu)·sin²(πu)·8/(3√3), peaks ±1, mean 0. |X(f)| rises from 0 at DC by 6 dB per octave, is
      largest at 1.1/W, has its first zero at 3/W, and is then at most -32 dB, falling by 24 dB per octave;
    * `monophasic`: the raised cosine sin²(πu). |X(f)| is largest at DC, -6 dB at 1/W, zero at 2/W, and then at most
      -31 dB, falling by 18 dB per octave (the spectrum of the Hann window [1]_).

    A pulse needs at least 6 samples (so that its first zero is at or below half the sampling rate); a shorter `width`
    is an error when the clip is rendered.

    References
    ----------
    .. [1] F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform",
       Proc. IEEE 66, 1978.

    Examples
    --------
    >>> Click(width=0.002, n_clicks=3, interval=0.1).render(RenderContext(sr=8000)).shape
    (1, 1616)
    """

    type_name: ClassVar[str] = "click"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"width": 0.002, "shape": "monophasic", "polarity": "negative"},
        {"n_clicks": 5, "interval": 0.0123, "polarity": "alternating", "amplitude": 0.5},
    )

    width: Annotated[
        float, Field(ge=0.00002, le=0.1, description="Length of one pulse", json_schema_extra={"unit": "s"})
    ] = 0.001
    n_clicks: Annotated[
        int, Field(ge=1, le=100_000, description="Number of pulses", json_schema_extra={"unit": ""})
    ] = 1
    interval: Annotated[
        float,
        Field(ge=0.0001, le=60, description="From one pulse's start to the next", json_schema_extra={"unit": "s"}),
    ] = 0.1
    shape: Annotated[Literal["biphasic", "monophasic"], Field(description="Waveform of one pulse")] = "biphasic"
    polarity: Annotated[Literal["positive", "negative", "alternating"], Field(description="Sign of the first lobe")] = (
        "positive"
    )
    amplitude: signals.Amplitude = 1.0

    @model_validator(mode="after")
    def _fits(self) -> Click:
        if self.n_clicks > 1 and self.interval < self.width:
            raise ValueError(
                f"pulses of {self.width:g} s overlap at interval {self.interval:g} s; lengthen the interval"
            )
        if self._seconds() > signals.MAX_SECONDS:
            raise ValueError(f"the train is {self._seconds():g} s long; expected at most {signals.MAX_SECONDS:g} s")
        return self

    def _seconds(self) -> float:
        return (self.n_clicks - 1) * self.interval + self.width

    def extent(self, sr: int) -> int:
        """Return the length in samples: from the first pulse's start to the last one's end."""
        return seconds_to_samples(self._seconds(), sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the pulses, shape (1, n_samples)."""
        width = self.width * ctx.sr
        if round(width, 6) < MIN_SAMPLES:
            least = MIN_SAMPLES / ctx.sr
            raise ParameterError(
                f"expected width of at least {MIN_SAMPLES} samples ({least:.6f} s at sr {ctx.sr}), "
                f"got {self.width:g} s; lengthen the pulse or raise sr"
            )
        out = np.zeros(self.extent(ctx.sr))
        for i in range(self.n_clicks):
            start = i * self.interval * ctx.sr
            first, last = int(start), min(len(out), int(start + width) + 1)
            u = (np.arange(first, last, dtype=np.float64) + 0.5 - start) / width
            out[first:last] += self._sign(i) * self._pulse(np.asarray(u))
        return (self.amplitude * out)[None]

    def _sign(self, i: int) -> float:
        return -1.0 if self.polarity == "negative" or (self.polarity == "alternating" and i % 2) else 1.0

    def _pulse(self, u: Array) -> Array:
        # The formula is 0 at both ends with its slope, so that clipping u decides nothing.
        window = signals.sine(0.5 * np.clip(u, 0.0, 1.0)) ** 2
        return window if self.shape == "monophasic" else BIPHASIC_PEAK * window * signals.sine(u)
