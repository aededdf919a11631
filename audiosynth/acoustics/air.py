"""What the air takes away: ISO 9613-1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from audiosynth.acoustics.materials import OCTAVES
from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array


def air_attenuation(
    frequency: npt.ArrayLike, *, temperature: float = 20.0, humidity: float = 50.0, pressure: float = 101.325
) -> Array:
    """Return what air takes from a pure tone, in dB per metre.

    Parameters
    ----------
    frequency
        Hz, any shape.
    temperature
        Degrees Celsius, -20..50.
    humidity
        Relative, percent, 0..100; the standard's tables begin at 10.
    pressure
        kPa, 10..200.

    References
    ----------
    ISO 9613-1:1993, equations 3 to 5, and B.2 and B.3 for the saturation pressure.

    Examples
    --------
    >>> round(float(1000 * air_attenuation(1000.0, temperature=20, humidity=80)), 2)
    5.15
    """
    if not (-20 <= temperature <= 50 and 0 <= humidity <= 100 and 10 <= pressure <= 200):
        message = "air has -20..50 degrees Celsius, 0..100 % humidity and 10..200 kPa"
        raise ParameterError(f"{message}, not {temperature}, {humidity} and {pressure}")
    f2 = np.square(np.asarray(frequency, dtype=np.float64))
    kelvin = temperature + 273.15
    t, p = kelvin / 293.15, pressure / 101.325
    saturation = 10 ** (-6.8346 * (273.16 / kelvin) ** 1.261 + 4.6151)
    h = humidity * saturation / p
    oxygen = p * (24.0 + 4.04e4 * h * (0.02 + h) / (0.391 + h))
    nitrogen = p / math.sqrt(t) * (9.0 + 280.0 * h * math.exp(-4.170 * (t ** (-1 / 3) - 1.0)))
    relaxing = 0.01275 * math.exp(-2239.1 / kelvin) / (oxygen + f2 / oxygen)
    relaxing = relaxing + 0.1068 * math.exp(-3352.0 / kelvin) / (nitrogen + f2 / nitrogen)
    return np.asarray(8.686 * f2 * (1.84e-11 * math.sqrt(t) / p + t**-2.5 * relaxing))


def air_exponents(
    n_bands: int = len(OCTAVES), *, temperature: float = 20.0, humidity: float = 50.0, pressure: float = 101.325
) -> Array:
    """Return m per octave in 1/m: energy falls as exp(-m·distance), pressure as exp(-m·distance/2).

    Notes
    -----
    The pure tone's coefficient at the exact midband frequency (10^(3k/10)·1 kHz) stands for the octave, as
    ISO 9613-1 section 8 allows for such short paths.
    """
    centres = 1000.0 * 10.0 ** (0.3 * np.arange(-3, n_bands - 3))
    decibels = air_attenuation(centres, temperature=temperature, humidity=humidity, pressure=pressure)
    return np.asarray(decibels * (math.log(10) / 10))
