"""Distance: quieter and duller."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._air import FARTHEST, Humidity, Pressure, Temperature, through_air
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number


class Distance(InPlace):
    """Move a sound away in the free field: amplitude goes as 1/distance, air takes the highs.

    No delay, and no room: a room with positions does all of that by itself. On an event its `level` or `snr_db` sets the level
    anew afterwards; leave them out to keep 1/r.

    Parameters
    ----------
    distance
        Of the source afterwards.
    reference
        Of the source before: where the gain is 1.
    air
        Whether air absorbs, on the difference of both.
    temperature, humidity, pressure
        Of the air.

    References
    ----------
    Spherical spreading, 6.02 dB per doubling; ISO 9613-1:1993, see `audiosynth.acoustics.absorption.air_attenuation`.
    """

    type_name: ClassVar[str] = "distance"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"distance": 10.0},
        {"distance": 4.0, "reference": 0.5, "air": False},
    )

    distance: Annotated[float, number(0.01, FARTHEST, "m", "of the source afterwards")]
    reference: Annotated[float, number(0.01, 100, "m", "of the source before")] = 1.0
    air: Annotated[bool, Field(description="air absorbs")] = True
    temperature: Temperature = 20.0
    humidity: Humidity = 50.0
    pressure: Pressure = 101.325

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` from farther (or nearer)."""
        factor = self.reference / self.distance
        way = self.distance - self.reference
        if not self.air or way <= 0.0:  # nearer: what the air took at the reference is not given back
            return np.asarray(y * factor)
        air = {"temperature": self.temperature, "humidity": self.humidity, "pressure": self.pressure}
        return through_air(y * factor, way, sr=ctx.sr, **air)
