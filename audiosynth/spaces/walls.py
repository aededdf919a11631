"""What a box is made of: absorption by reverberation time, by coefficient, or by named materials per octave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Final

import numpy as np
from pydantic import AfterValidator, Field

from audiosynth.acoustics import absorption, bands
from audiosynth.errors import ParameterError
from audiosynth.spaces.places import Placed

if TYPE_CHECKING:
    from audiosynth.clip import Array

Size = tuple[float, float, float]
Rows = tuple[tuple[float, ...], ...]
WALLS: Final = ("x0", "x1", "y0", "y1", "floor", "ceiling")
DEPTH_DB: Final = -60.0
"""How far down a response is followed: at 60 dB the part left out moves T30 by less than 1 %."""
KNOTS: Final = 257
SMALLEST: Final = 1e-300
SHORTEST_TAIL: Final = 0.02
"""Seconds of a response after its direct sound, at least."""


def _known(name: str) -> str:
    try:
        absorption.material(name)
    except ParameterError as error:
        raise ValueError(str(error)) from None
    return name


MaterialName = Annotated[str, AfterValidator(_known)]


class Surfaces(Placed):
    """The material of each surface; `walls` stands for those of the four that are not named."""

    walls: MaterialName = Field("plaster", description="of all walls that have no own entry")
    floor: MaterialName = Field("linoleum", description="of the floor")
    ceiling: MaterialName = Field("plaster", description="of the ceiling")
    x0: MaterialName | None = Field(None, description="of the wall at x = 0")
    x1: MaterialName | None = Field(None, description="of the wall across")
    y0: MaterialName | None = Field(None, description="of the wall at y = 0")
    y1: MaterialName | None = Field(None, description="of the wall across")

    def names(self) -> tuple[str, ...]:
        """Return the materials of x0, x1, y0, y1, floor, ceiling."""
        return tuple(getattr(self, wall) or self.walls for wall in WALLS)


@dataclass(frozen=True, eq=False)
class Absorption:
    """How a box takes sound away.

    Attributes
    ----------
    alpha
        Energy absorption, shape (n_bands, 6) with the walls x0, x1, y0, y1, floor, ceiling; one band where all are alike.
    air
        m of `absorption.air_exponents` in 1/m per octave, or None.
    """

    alpha: Array
    air: Array | None

    def curves(self, size: Size, *, c: float) -> list[absorption.Decay]:
        """Return the decay of each band."""
        return _curves(*self._bands(), size, c)

    def seconds(self, size: Size, *, c: float, distance: float) -> float:
        """Return how long a response is followed: until all its bands are 60 dB down."""
        return max(_longest(*self._bands(), size, c), distance / c + SHORTEST_TAIL)

    def _bands(self) -> tuple[Rows, tuple[float, ...]]:
        """Return the walls' absorption and the air's m of each band."""
        walls = tuple(map(tuple, self.alpha.tolist()))
        air = (0.0,) * len(walls) if self.air is None else tuple(self.air.tolist())
        return walls * (len(air) if len(walls) == 1 else 1), air * (len(walls) if len(air) == 1 else 1)

    def powers(self, size: Size, *, c: float, n_samples: int, sr: int) -> Array:
        """Return the expected h² of every sample, shape (n_bands, n_samples), for images of amplitude 1/(4πd)."""
        # A decay is nearly straight in dB: lines between so many knots are within 0.001 dB, and take a hundredth of the time.
        knots = np.linspace(0.0, n_samples / sr, KNOTS)
        t = np.arange(n_samples) / sr
        levels = (np.log(np.maximum(curve.density(knots) / sr, SMALLEST)) for curve in self.curves(size, c=c))
        return np.exp(np.stack([np.interp(t, knots, level) for level in levels]))


@lru_cache(maxsize=1024)
def _longest(walls: Rows, air: tuple[float, ...], size: Size, c: float) -> float:
    """Return when the last band is 60 dB down."""
    return max(curve.time_at(DEPTH_DB) for curve in _curves(walls, air, size, c))


def _curves(walls: Rows, air: tuple[float, ...], size: Size, c: float) -> list[absorption.Decay]:
    return [absorption.decay(size=size, alpha=row, c=c, air=m) for row, m in zip(walls, air, strict=True)]


def absorption_of(
    *, size: Size, sr: int, c: float, rt60: float | None, alpha: float | Sequence[float] | None,
    surfaces: Surfaces | None, air: Array | None,
) -> Absorption:  # fmt: skip
    """Return the absorption that exactly one of `rt60`, `alpha`, `surfaces` asks for.

    Raises
    ------
    ParameterError
        If the room cannot have that reverberation time.

    Examples
    --------
    >>> made = absorption_of(size=(6.0, 5.0, 3.0), sr=16000, c=343.0, rt60=0.6, alpha=None, surfaces=None, air=None)
    >>> made.alpha.shape, round(float(made.alpha[0, 0]), 2)
    ((1, 6), 0.22)
    """
    if surfaces is not None:
        return Absorption(absorption.walls_alpha(surfaces.names(), n_bands=bands.n_bands(sr)), air)
    if rt60 is not None:
        return Absorption(_for_rt60(size, rt60, c), air)
    return Absorption(np.array(np.broadcast_to(np.asarray(alpha, dtype=np.float64), (1, 6))), air)


@lru_cache(maxsize=1024)
def _for_rt60(size: Size, rt60: float, c: float) -> Array:
    """Return the even absorption for a reverberation time, which nobody may alter: a room asks for it several times."""
    alpha = np.full((1, 6), absorption.alpha_for_rt60(size, rt60, c=c))
    alpha.flags.writeable = False
    return alpha


def metre_gain_db() -> float:
    """Return the gain that makes an image's amplitude 1 at 1 m: 20·log10(4π).

    Examples
    --------
    >>> round(metre_gain_db(), 3)
    21.984
    """
    return 20.0 * math.log10(4.0 * math.pi)
