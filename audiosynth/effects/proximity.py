"""The proximity effect of directional microphones."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from audiosynth.acoustics.absorption import speed_of_sound
from audiosynth.acoustics.arrays import share
from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number


class Proximity(InPlace):
    """The proximity effect: a directional microphone close to its source lifts lows.

    A microphone of pattern p + (1 - p)·cos θ answers a spherical wave of distance r, as a ratio to its answer to pressure,

        H(f) = p + (1 - p)·cos θ·(1 + c/(i·2πf·r)),

    with the gain 1 for a plane wave from the front. Below `fmin` the lift stays as it is there (real microphones cut lows
    mechanically).

    Parameters
    ----------
    distance
        Of the source.
    pattern
        By name, or p from 0 (figure of eight) to 1 (pressure, which has no such effect).
    angle
        Of the source off the axis.
    fmin
        Below it the lift grows no further.
    temperature
        Of the air, for the speed of sound.

    References
    ----------
    The gradient of p(r) = e^(-ikr)/r (L. Beranek, "Acoustics", 1954, chapter 6; J. Eargle, The Microphone Book, 2004,
    chapter 4); bilinear transform.
    """

    type_name: ClassVar[str] = "proximity"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"distance": 0.05},
        {"distance": 0.1, "pattern": "figure8", "angle": 30.0},
        {"distance": 0.03, "pattern": 0.7},
    )

    distance: Annotated[float, number(0.005, 100, "m", "of the source")]
    pattern: Annotated[
        Literal["omni", "subcardioid", "cardioid", "supercardioid", "hypercardioid", "figure8"]
        | Annotated[float, Field(ge=0, le=1)],
        Field(description="name, or share of pressure", json_schema_extra={"unit": ""}),
    ] = "cardioid"
    angle: Annotated[float, number(-180, 180, "°", "of the source off the axis")] = 0.0
    fmin: Annotated[float, number(1, 400, "Hz", "below it the lift grows no further")] = 20.0
    temperature: Annotated[float, number(-20, 50, "°C", "of the air")] = 20.0

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the microphone hears it, from rest."""
        import scipy.signal

        pressure = share(self.pattern)
        gradient = (1.0 - pressure) * math.cos(math.radians(self.angle))
        # the 1/s of the formula is 1/(s + 2π·fmin): ((p + g)·(s + 2π·fmin) + g·c/r) / (s + 2π·fmin), s = 2·sr·(1 - 1/z)/(1 + 1/z)
        twice, low = 2.0 * ctx.sr, 2.0 * math.pi * self.fmin
        far, near = (pressure + gradient) * twice, gradient * speed_of_sound(self.temperature) / self.distance
        flat = (pressure + gradient) * low
        b = np.array([far + near + flat, near + flat - far]) / (twice + low)
        a = np.array([1.0, (low - twice) / (twice + low)])
        return np.asarray(scipy.signal.lfilter(b, a, y, axis=-1))
