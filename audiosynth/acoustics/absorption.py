"""What walls and air take away: materials, and how a box's sound decays.

The decay of a box follows from its lattice of images in closed form [1]_. Images at distance ct in direction u have met
ct·|u_i|/L_i walls of axis i, so with the exponents e = -ln(1 - α) of the walls the energy density at time t is

    P(t) = c/(4πV) · ⟨exp(-c t (Σ_i |u_i| ē_i/L_i + m))⟩ over all directions, ē_i the mean of the axis' two walls,

per second, where an image has amplitude 1/(4πd). It is no exponential (each direction has its own rate), which is why
Sabine's and Eyring's formulas miss the reverberation time of a box by up to a half. A box whose walls' exponents are
scaled by k decays k times as fast: the absorption for a wanted reverberation time follows without a search.

References
----------
.. [1] E. A. Lehmann, A. M. Johansson, "Prediction of energy decay in room impulse responses simulated with an
   image-source model", Journal of the Acoustical Society of America 124(1), 2008.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audiosynth.acoustics.air import air_attenuation, air_exponents
from audiosynth.acoustics.materials import MATERIALS, OCTAVES, Material, material, walls_alpha
from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

__all__ = [
    "ALPHA_LIMITS", "MATERIALS", "OCTAVES", "Decay", "Material", "air_attenuation", "air_exponents", "alpha_for_rt60",
    "beta_from_alpha", "decay", "eyring", "material", "rt60_range", "sabine", "speed_of_sound", "walls_alpha",
]  # fmt: skip


def beta_from_alpha(alpha: npt.ArrayLike) -> Array:
    """Return pressure reflection coefficients: sqrt(1 - α).

    Raises
    ------
    ParameterError
        For α outside 0..1.
    """
    values = np.asarray(alpha, dtype=np.float64)
    if not all(0.0 <= alpha <= 1.0 for alpha in values.ravel().tolist()):  # also false for NaN
        raise ParameterError(f"absorption coefficients lie in 0..1, not {values.ravel().tolist()}")
    return np.sqrt(1.0 - values)


def speed_of_sound(temperature: float = 20.0) -> float:
    """Return 331.3·sqrt(1 + T/273.15) in m/s for T in degrees Celsius.

    Examples
    --------
    >>> round(speed_of_sound(20.0), 2)
    343.21
    """
    return 331.3 * math.sqrt(1.0 + temperature / 273.15)


@lru_cache(maxsize=2)
def _directions(n: int = 16) -> tuple[Array, Array]:
    """Return |u|, shape (n², 3), and weights that sum to 1: Gauss's rule in cos θ and φ over one octant."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    up, turn = (nodes + 1) / 2, (nodes + 1) * math.pi / 4
    flat = np.sqrt(1 - up**2)
    u = np.stack([np.outer(flat, np.cos(turn)), np.outer(flat, np.sin(turn)), np.outer(up, np.ones(n))], axis=-1)
    return u.reshape(-1, 3), np.outer(weights, weights).ravel() / 4


UNSURE: Final = 1e-13
"""Share of an energy within which its rounding (some 4e-15, 3e-14 if all sums erred one way) could decide a comparison."""
MOST_STEPS: Final = 12
"""Newton's steps before bisection goes without them: four or five do, but for rooms that are dead in one direction alone."""


class Decay(NamedTuple):
    """The decay of a box: energy density P(t) = scale·Σ weights·exp(-rates·t) per second, t from emission.

    Attributes
    ----------
    rates, weights
        One per direction of the quadrature; 1/s, and a share of 1.
    scale
        c/(4πV) in 1/s: energy is Σ h² (times sr where counted in samples), for images of amplitude 1/(4πd).
    """

    rates: Array
    weights: Array
    scale: float

    def density(self, t: npt.ArrayLike) -> Array:
        """Return P(t) per second; divide by sr for the expected h² of one sample."""
        times = np.asarray(t, dtype=np.float64)
        return np.asarray(self.scale * (np.exp(-times[..., None] * self.rates) @ self.weights))

    def remaining(self, t: npt.ArrayLike) -> Array:
        """Return the energy after t, ∫ P: Schroeder's backward integral."""
        times = np.asarray(t, dtype=np.float64)
        return np.asarray(self.scale * (np.exp(-times[..., None] * self.rates) @ (self.weights / self.rates)))

    def time_at(self, level_db: float) -> float:
        """Return when `remaining` lies `level_db` (negative) from its value at t = 0."""
        share = 10 ** (level_db / 10)
        weights = self.weights / self.rates
        wanted = share * float(weights.sum())
        low, high = 0.0, -math.log(share) / float(self.rates.min())
        below, above = self._about(weights, wanted, -math.log(share))
        for _ in range(60):
            middle = (low + high) / 2
            if not low < middle < high:  # nothing lies between: more steps move neither
                break
            if middle < below or (middle <= above and float(np.exp(-middle * self.rates) @ weights) > wanted):
                low = middle
            else:
                high = middle
        return high

    def _about(self, weights: Array, wanted: float, fall: float) -> tuple[float, float]:
        """Return two times: before the first exp(-t·rates) @ weights is above `wanted`, after the second below, whatever is rounded.

        Newton's steps on its logarithm, which falls by `fall` from t = 0; it is convex, so they come from below.
        """
        t, slope = 0.0, float(self.weights.sum()) / float(weights.sum())
        for _ in range(MOST_STEPS):
            t += fall / slope
            left = np.exp(-t * self.rates)
            energy = float(left @ weights)
            slope, fall = float(left @ self.weights) / energy, math.log(energy / wanted)
            if abs(fall) < 0.1 * UNSURE:
                return t - UNSURE / slope, t + UNSURE / slope
        return 0.0, math.inf

    def reverberation_time(self, *, first_db: float = -5.0, last_db: float = -35.0) -> float:
        """Return the time for 60 dB from a line through the decay between two levels: T30; T20 to -25, EDT 0..-10."""
        t = np.linspace(self.time_at(first_db), self.time_at(last_db), 64)
        level = 10 * np.log10(self.remaining(t))
        centred = t - t.mean()
        return float(-60.0 * (centred @ centred) / (centred @ level))


def decay(*, size: npt.ArrayLike, alpha: npt.ArrayLike, c: float, air: float = 0.0) -> Decay:
    """Return how a box's sound decays.

    Parameters
    ----------
    size
        Metres, shape (3,).
    alpha
        Absorption of all walls, or of x0, x1, y0, y1, z0, z1; 1 counts as 1 - 1e-12.
    c
        Speed of sound in m/s.
    air
        m of `air_exponents` in 1/m.

    Examples
    --------
    >>> room = decay(size=(6, 5, 3), alpha=0.2129, c=343.0)
    >>> round(room.reverberation_time(), 2)
    0.6
    """
    lengths = _lengths(size)
    beta = np.empty(6)
    beta[:] = beta_from_alpha(alpha)
    walls = -np.log(np.maximum(beta * beta, 1e-12))
    exponents = (walls[0::2] + walls[1::2]) / 2
    u, weights = _directions()
    rates = c * (u @ (exponents / lengths) + air)
    if not rates.min() > 0:
        raise ParameterError("a room without any absorption never decays; give some wall an absorption above 0")
    return Decay(rates, weights, c / (4 * math.pi * math.prod(lengths.tolist())))


ALPHA_LIMITS: Final = (0.005, 0.9)
"""Mean absorption within which `alpha_for_rt60` answers: below, no real room is; above, too few reflections are left
for a reverberation time to mean anything."""
COHERENCE: Final = 1.02
"""Broadband T30 of a response over that of its decay in energy: at low frequencies images of one sign add up in
amplitude. Median of 200 rooms 1.038, and 0.999 above 300 Hz; kept at half of that for the rooms with less of it."""


def rt60_range(size: npt.ArrayLike, *, c: float) -> tuple[float, float]:
    """Return the shortest and the longest reverberation time that evenly absorbing walls give this room.

    Examples
    --------
    >>> [round(t, 2) for t in rt60_range((6, 5, 3), c=343.0)]
    [0.06, 29.22]
    """
    whole = _unit_time(_lengths(size), c)
    return whole / -math.log1p(-ALPHA_LIMITS[1]), whole / -math.log1p(-ALPHA_LIMITS[0])


def alpha_for_rt60(size: npt.ArrayLike, rt60: float, *, c: float) -> float:
    """Return the absorption coefficient of all walls for which the box's T30 is `rt60`.

    Parameters
    ----------
    size
        Metres, shape (3,).
    rt60
        Seconds: T30 of the broadband response, without air absorption.
    c
        Speed of sound in m/s.

    Raises
    ------
    ParameterError
        Where no absorption gives it; the message has the range this room allows.

    Examples
    --------
    >>> round(alpha_for_rt60((6, 5, 3), 0.6, c=343.0), 2)
    0.22
    """
    shortest, longest = rt60_range(size, c=c)
    if not shortest <= rt60 <= longest:  # also for NaN
        room = "x".join(f"{length:g}" for length in _lengths(size))
        message = f"a room of {room} m cannot have an rt60 of {rt60} s: its walls allow {shortest:.3f}..{longest:.2f} s"
        raise ParameterError(f"{message}; change rt60 or the size")
    return -math.expm1(-_unit_time(_lengths(size), c) / rt60)


def _unit_time(lengths: Array, c: float) -> float:
    """Return the broadband T30 of walls with -ln(1 - α) = 1; others scale it."""
    return _unit_time_of(tuple(lengths.tolist()), c)


@lru_cache(maxsize=1024)
def _unit_time_of(lengths: tuple[float, ...], c: float) -> float:
    return COHERENCE * decay(size=lengths, alpha=-math.expm1(-1.0), c=c).reverberation_time()


def _lengths(size: npt.ArrayLike) -> Array:
    lengths = np.asarray(size, dtype=np.float64)
    if lengths.shape != (3,) or not all(0.0 < length < math.inf for length in lengths.tolist()):
        raise ParameterError(f"a room has three finite sizes above 0 m, not {lengths.ravel().tolist()}")
    return lengths


def _volume_and_areas(size: npt.ArrayLike) -> tuple[float, Array]:
    x, y, z = _lengths(size)
    return float(x * y * z), np.array([y * z, y * z, x * z, x * z, x * y, x * y])


def sabine(*, size: npt.ArrayLike, alpha: npt.ArrayLike, c: float) -> float:
    """Return Sabine's reverberation time 24 ln 10 · V/(c Σ S α), for reference: boxes do not follow it."""
    volume, areas = _volume_and_areas(size)
    return 24 * math.log(10) * volume / (c * float(areas @ np.broadcast_to(np.asarray(alpha, dtype=np.float64), 6)))


def eyring(*, size: npt.ArrayLike, alpha: npt.ArrayLike, c: float) -> float:
    """Return Eyring's reverberation time 24 ln 10 · V/(-c S ln(1 - Σ S α/S)), for reference."""
    volume, areas = _volume_and_areas(size)
    mean = float(areas @ np.broadcast_to(np.asarray(alpha, dtype=np.float64), 6)) / float(areas.sum())
    return 24 * math.log(10) * volume / (-c * float(areas.sum()) * math.log1p(-mean))
