"""What effects share that let sound travel through air."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Final

from audiosynth.acoustics.absorption import air_attenuation
from audiosynth.clip import Array
from audiosynth.quantities import number
from audiosynth.sound.dynamics import factors
from audiosynth.sound.firs import centred, symmetric_taps

REACH: Final = 0.02
"""Seconds of the filter on either side: attenuation is smooth over 100 Hz."""
BETA: Final = 10.0
"""Of Kaiser's window: what is left of lows in the highs stays 100 dB below them."""
FARTHEST: Final = 2000.0
"""Metres; 1 dB of error in ISO 9613-1's coefficient (10 %) is 200 dB at 10 kHz there."""

Temperature = Annotated[float, number(-20, 50, "°C", "of the air")]
Humidity = Annotated[float, number(10, 100, "%", "relative humidity")]
Pressure = Annotated[float, number(60, 110, "kPa", "of the air; 101.325 at sea level")]


@lru_cache(maxsize=64)
def _taps(distance: float, temperature: float, humidity: float, pressure: float, sr: int) -> Array:
    def gain(frequency: Array) -> Array:
        db = air_attenuation(frequency, temperature=temperature, humidity=humidity, pressure=pressure)
        return factors(-distance * db)

    return symmetric_taps(gain, sr=sr, reach=REACH, beta=BETA)


def through_air(y: Array, distance: float, *, temperature: float, humidity: float, pressure: float, sr: int) -> Array:
    """Return `y` after `distance` metres of air: its absorption alone, without delay.

    References
    ----------
    ISO 9613-1:1993, equations 3 to 5; see `audiosynth.acoustics.absorption.air_attenuation`.

    Examples
    --------
    >>> import numpy as np
    >>> through_air(np.ones((1, 99)), 10.0, temperature=20.0, humidity=50.0, pressure=101.325, sr=16000).shape
    (1, 99)
    """
    return centred(y, _taps(distance, temperature, humidity, pressure, sr))
