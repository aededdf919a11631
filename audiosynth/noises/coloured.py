"""Noise with a sloped spectrum: white, pink, brown, blue, violet and everything between."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.registry import Component
from audiosynth.sound import colour
from audiosynth.sound.normals import normal_at
from audiosynth.synthesis import signals


class Coloured(Component):
    """Stationary Gaussian noise whose power spectrum has a constant slope above `fmin`.

    The slope comes from `colour` (white 0, pink -3.01, brown -6.02, blue +3.01, violet +6.02 dB per octave) or from
    `slope_db`. Below `fmin` the spectrum is flat (`below: flat`) or cut away (`below: cut`, -20 dB one octave below):
    half of the power of flat brown noise lies below 20 Hz, where nobody hears it, yet it counts for an SNR. RMS is
    1 (0 dBFS) by design, channels are independent, and sample n depends on `seed`, channel and n alone. `fmax` cuts
    above (-6 dB at fmax, -80 dB from 1.1·fmax); from half the sampling rate on it does nothing.

    Examples
    --------
    >>> Coloured(colour="pink", seed=1).render(RenderContext(sr=8000, n_channels=2), start=100, n_samples=5).shape
    (2, 5)
    """

    type_name: ClassVar[str] = "coloured"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"colour": "white", "seed": 1},
        {"colour": "pink", "seed": 2},
        {"slope_db": -4.5, "fmin": 50.0, "fmax": 3000.0, "below": "cut", "seed": 3},
    )

    colour: Annotated[
        Literal["white", "pink", "brown", "blue", "violet"] | None, Field(description="Slope by name")
    ] = None
    slope_db: Annotated[
        float | None,
        Field(ge=-12, le=12, description="Slope of the power spectrum", json_schema_extra={"unit": "dB/octave"}),
    ] = None
    fmin: Annotated[
        float, Field(ge=5, le=20_000, description="Where the slope begins", json_schema_extra={"unit": "Hz"})
    ] = 20.0
    fmax: Annotated[
        float | None, Field(ge=20, le=192_000, description="Where the spectrum ends", json_schema_extra={"unit": "Hz"})
    ] = None
    below: Annotated[Literal["flat", "cut"], Field(description="What the spectrum does below fmin")] = "flat"
    seed: signals.Seed

    @model_validator(mode="after")
    def _meant(self) -> Coloured:
        if (self.colour is None) == (self.slope_db is None):
            raise ValueError(f"expected either colour or slope_db, got {self.colour!r} and {self.slope_db!r}")
        if self.fmax is not None and self.fmax <= self.fmin:
            raise ValueError(f"expected fmin below fmax, got {self.fmin:g} and {self.fmax:g} Hz")
        return self

    def slope(self) -> float:
        """Return the slope in dB per octave."""
        if self.slope_db is not None:
            return self.slope_db
        return colour.COLOURS[self.colour or "white"] * colour.DB_PER_EXPONENT

    def render(self, ctx: RenderContext, *, start: int, n_samples: int) -> Array:
        """Return samples [start, start + n_samples), shape (n_channels, n_samples)."""
        design = colour.shaper(self.slope(), sr=ctx.sr, fmin=self.fmin, fmax=self.fmax, cut=self.below == "cut")
        out = np.empty((ctx.n_channels, n_samples))
        for i in range(ctx.n_channels):
            white = partial(_white, self.seed, f"coloured/{i}")
            out[i] = colour.stretch(design, white, start=start, n_samples=n_samples)
        return out


def _white(seed: int, stream: str, start: int, n_samples: int) -> Array:
    return normal_at(seed, start=start, n_samples=n_samples, stream=stream)
