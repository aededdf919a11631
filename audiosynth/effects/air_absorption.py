"""What air takes from sound on its way."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._air import FARTHEST, Humidity, Pressure, Temperature, through_air
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number


class AirAbsorption(InPlace):
    """Absorption of air over a distance: highs go first. No delay and no 1/r, which are the room's or `distance`'s.

    Parameters
    ----------
    distance
        Way through the air.
    temperature, humidity, pressure
        Of the air.

    References
    ----------
    ISO 9613-1:1993; see `audiosynth.acoustics.absorption.air_attenuation`.
    """

    type_name: ClassVar[str] = "air_absorption"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"distance": 50.0},
        {"distance": 300.0, "temperature": 10.0, "humidity": 70.0},
    )

    distance: Annotated[float, number(0, FARTHEST, "m", "way through the air")]
    temperature: Temperature = 20.0
    humidity: Humidity = 50.0
    pressure: Pressure = 101.325

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` after its way."""
        air = {"temperature": self.temperature, "humidity": self.humidity, "pressure": self.pressure}
        return through_air(y, self.distance, sr=ctx.sr, **air)
