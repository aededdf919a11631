"""A sweep between two frequencies."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.registry import Component
from audiosynth.synthesis import signals


class Chirp(Component):
    """A sweep from one frequency to another: linear, exponential or hyperbolic in time.

    With start f0, end f1 (fmin and fmax, or the other way round for `direction: down`) and length T, the
    instantaneous frequency is

    * linear: f(t) = f0 + (f1 - f0)·t/T;
    * exponential: f(t) = f0·(f1/f0)^(t/T), equal octaves in equal times [1]_;
    * hyperbolic: f(t) = f0·f1·T / (f1·T - (f1 - f0)·t), a linear period, tolerant of Doppler shifts [2]_;

    and the phase is its exact integral. Peak ≤ amplitude ≤ 1. An `fmax` at or above half the sampling rate is an
    error when the clip is rendered.

    References
    ----------
    .. [1] A. Farina, "Simultaneous measurement of impulse response and distortion with a swept-sine technique",
       108th AES Convention, 2000, eq. for the logarithmic sweep.
    .. [2] R. A. Altes and E. L. Titlebaum, "Bat signals as optimally Doppler tolerant waveforms", J. Acoust. Soc.
       Am. 48, 1970.

    Examples
    --------
    >>> Chirp(fmin=100, fmax=2000, duration=1).render(RenderContext(sr=8000)).shape
    (1, 8000)
    """

    type_name: ClassVar[str] = "chirp"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"fmin": 200.0, "fmax": 3000.0, "duration": 0.25},
        {"fmin": 200.0, "fmax": 3000.0, "duration": 0.2, "direction": "down", "method": "exponential"},
        {"fmin": 500.0, "fmax": 3500.0, "duration": 0.1, "method": "hyperbolic", "amplitude": 0.5, "fade": 0.01},
    )

    fmin: Annotated[float, Field(ge=1, le=96_000, description="Lowest frequency", json_schema_extra={"unit": "Hz"})]
    fmax: Annotated[float, Field(ge=1, le=96_000, description="Highest frequency", json_schema_extra={"unit": "Hz"})]
    duration: signals.Duration
    direction: Annotated[Literal["up", "down"], Field(description="From fmin to fmax, or back")] = "up"
    method: Annotated[
        Literal["linear", "exponential", "hyperbolic"], Field(description="How frequency moves in time")
    ] = "linear"
    amplitude: signals.Amplitude = 1.0
    fade: signals.Fade = 0.005

    @model_validator(mode="after")
    def _fits(self) -> Chirp:
        if self.fmin >= self.fmax:
            raise ValueError(f"expected fmin below fmax, got {self.fmin:g} and {self.fmax:g} Hz; use direction: down")
        signals.require_fit(self.duration, fade_in=self.fade, fade_out=self.fade)
        return self

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the sweep, shape (1, n_samples)."""
        signals.require_below_nyquist(ctx.sr, fmax=self.fmax)
        n = self.extent(ctx.sr)
        ends = (self.fmin, self.fmax) if self.direction == "up" else (self.fmax, self.fmin)
        cycles = _cycles(signals.times(n, ctx.sr) / self.duration, *ends, self.method) * self.duration
        return (self.amplitude * signals.sine(cycles) * signals.edges(n, ctx.sr, fade=self.fade))[None]


def _cycles(x: Array, f0: float, f1: float, method: str) -> Array:
    """Return the integral of frequency over x = t/T from 0 (multiply by T for cycles)."""
    if method == "linear":
        return f0 * x + 0.5 * (f1 - f0) * x * x
    if method == "exponential":
        log_ratio = signals.log1p(np.asarray((f1 - f0) / f0))
        return f0 * signals.expm1(x * log_ratio) / log_ratio
    return -f0 * f1 / (f1 - f0) * signals.log1p(-(f1 - f0) / f1 * x)
