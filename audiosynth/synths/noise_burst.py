"""A short stretch of coloured, band-limited noise."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.dice import gaussian_at
from audiosynth.dsp import seconds_to_samples
from audiosynth.registry import Component
from audiosynth.sound import colour
from audiosynth.synthesis import signals

LARGEST: Final = (66.0 * float(np.log(2.0))) ** 0.5
"""Largest value `gaussian_at` can give: sqrt(-2 ln 2^-33) = 6.76."""


class NoiseBurst(Component):
    """Gaussian noise with a slope, a band and an attack-decay envelope.

    Between `fmin` (about -5 dB, -20 dB one octave below) and `fmax` (-6 dB, -80 dB from 1.1·fmax; none: up to half
    the sampling rate) the power spectrum has `slope_db` per octave. Before the envelope the noise has RMS
    amplitude/6.76, -16.6 dBFS, by design: 6.76 is the largest value of the Gaussian source, and filtered noise passes
    it about once in 1e11 samples. A burst that does is turned down as a whole, never clipped: peak ≤ amplitude ≤ 1.
    The envelope rises over `attack` and, with `decay_db`, falls exponentially by that many dB from the end of the
    attack to the end of the sound; `release` ends it.

    Examples
    --------
    >>> NoiseBurst(duration=0.25, seed=1).render(RenderContext(sr=8000)).shape
    (1, 2000)
    """

    type_name: ClassVar[str] = "noise_burst"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.25, "seed": 1},
        {"duration": 0.1, "seed": 2, "slope_db": -3.0, "fmin": 300.0, "fmax": 3000.0, "decay_db": 60.0},
    )

    duration: signals.Duration
    slope_db: Annotated[
        float, Field(ge=-12, le=12, description="Slope of the power spectrum", json_schema_extra={"unit": "dB/octave"})
    ] = 0.0
    fmin: Annotated[
        float, Field(ge=5, le=20_000, description="Lower end of the band", json_schema_extra={"unit": "Hz"})
    ] = 20.0
    fmax: Annotated[
        float | None, Field(ge=20, le=192_000, description="Upper end of the band", json_schema_extra={"unit": "Hz"})
    ] = None
    attack: Annotated[float, Field(ge=0, le=60, description="Raised-cosine rise", json_schema_extra={"unit": "s"})] = (
        0.005
    )
    decay_db: Annotated[
        float, Field(ge=0, le=120, description="Exponential fall over the sound", json_schema_extra={"unit": "dB"})
    ] = 0.0
    release: Annotated[float, Field(ge=0, le=60, description="Raised-cosine end", json_schema_extra={"unit": "s"})] = (
        0.005
    )
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    @model_validator(mode="after")
    def _fits(self) -> NoiseBurst:
        if self.fmax is not None and self.fmax <= self.fmin:
            raise ValueError(f"expected fmin below fmax, got {self.fmin:g} and {self.fmax:g} Hz")
        signals.require_fit(self.duration, attack=self.attack, release=self.release)
        return self

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the burst, shape (1, n_samples)."""
        n = self.extent(ctx.sr)
        design = colour.shaper(self.slope_db, sr=ctx.sr, fmin=self.fmin, fmax=self.fmax, cut=True)
        noise = colour.stretch(design, self._white, start=0, n_samples=n) / LARGEST
        past_attack = (signals.times(n, ctx.sr) - self.attack) / max(self.duration - self.attack, 1e-6)
        fall_db = -self.decay_db * np.clip(past_attack, 0.0, 1.0)
        envelope = signals.adsr(n, ctx.sr, attack=self.attack, release=self.release)
        burst = noise * envelope * np.power(10.0, fall_db / 20.0)
        # continuous in the peak, so that no last bit decides anything
        return np.asarray(self.amplitude / max(1.0, float(np.max(np.abs(burst)))) * burst)[None]

    def _white(self, start: int, n_samples: int) -> Array:
        return gaussian_at(self.seed, start=start, n_samples=n_samples, stream="noise_burst")
