"""Receivers: where the microphones of an array sit, where they look, and how a direction is seen from there.

x front, y left, z up; azimuth anticlockwise and elevation upwards, in degrees; a receiver's own axes are turned by yaw
(anticlockwise seen from above), then by pitch (front up).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audiosynth.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from audiosynth.clip import Array

PATTERNS: Final[Mapping[str, float]] = {
    "omni": 1.0,
    "subcardioid": 0.75,
    "cardioid": 0.5,
    "supercardioid": (math.sqrt(3.0) - 1.0) / 2.0,
    "hypercardioid": 0.25,
    "figure8": 0.0,
}
"""Share p of pressure in the gain p + (1 - p)·cos θ: the supercardioid hears most from the front half over the back
half (0.366), the hypercardioid least of a diffuse field (0.25). G. W. Elko, "Superdirectional microphone arrays" (2000);
J. Eargle, The Microphone Book (2004), chapter 5."""
TETRAHEDRON: Final = ((1.0, 1.0, 1.0), (1.0, -1.0, -1.0), (-1.0, 1.0, -1.0), (-1.0, -1.0, 1.0))
"""Left front up, right front down, left back down, right back up: azimuths 45, -45, 135, -135°, elevations ±35.26°."""
FOA_WEIGHTS: Final = ((1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 0.0))
"""W, Y, Z, X (ACN order) with SN3D gains 1, uy, uz, ux."""


@dataclass(frozen=True, eq=False)
class Receiver:
    """Microphones around a point.

    Attributes
    ----------
    offsets
        Positions in metres from the receiver's centre, shape (n, 3).
    weights
        Per microphone p and (1 - p)·axis, shape (n, 4): it hears a direction u with the gain p + (1 - p)·axis·u.
    """

    offsets: Array
    weights: Array

    def __len__(self) -> int:
        return len(self.offsets)

    def turned(self, *, yaw: float = 0.0, pitch: float = 0.0) -> Receiver:
        """Return it turned about its centre, in degrees."""
        turn = rotation(yaw=yaw, pitch=pitch)
        directed = np.concatenate([self.weights[:, :1], _product(self.weights[:, 1:], turn)], axis=1)
        return Receiver(_product(self.offsets, turn), directed)

    def at(self, position: npt.ArrayLike) -> Array:
        """Return the microphones' positions when the centre is at `position`, shape (n, 3)."""
        return np.asarray(self.offsets + np.asarray(position, dtype=np.float64))

    def gains(self, directions: npt.ArrayLike) -> Array:
        """Return each microphone's gain for unit vectors of shape (…, 3); shape (…, n)."""
        u = np.asarray(directions, dtype=np.float64)[..., None, :]
        return np.asarray(self.weights[:, 0] + np.sum(u * self.weights[:, 1:], axis=-1))


class Direction(NamedTuple):
    """Azimuth in (-180, 180] and elevation in [-90, 90] degrees, distance in metres; numbers or arrays alike."""

    azimuth: Array
    elevation: Array
    distance: Array


def share(pattern: str | float) -> float:
    """Return p of a pattern given by name or by p itself.

    Raises
    ------
    ParameterError
        If there is no such name, or p is not in 0 … 1.

    Examples
    --------
    >>> share("cardioid"), share(0.7)
    (0.5, 0.7)
    """
    if isinstance(pattern, str):
        if pattern not in PATTERNS:
            hint = did_you_mean(pattern, PATTERNS)
            raise ParameterError(f"no pattern {pattern!r}{hint}; there are {', '.join(PATTERNS)}, or a number 0..1")
        return PATTERNS[pattern]
    if not 0.0 <= pattern <= 1.0:
        raise ParameterError(f"a pattern is p + (1 - p)·cos θ with p in 0..1, got {pattern}")
    return float(pattern)


def pattern_gain(pattern: str | float, cosine: npt.ArrayLike) -> Array:
    """Return p + (1 - p)·cos θ.

    Examples
    --------
    >>> pattern_gain("cardioid", [1.0, 0.0, -1.0])
    array([1. , 0.5, 0. ])
    """
    p = share(pattern)
    return np.asarray(p + (1.0 - p) * np.asarray(cosine, dtype=np.float64))


def positions(offsets: npt.ArrayLike, *, pattern: str | float = "omni", axes: npt.ArrayLike | None = None) -> Receiver:
    """Return microphones at any positions.

    Parameters
    ----------
    offsets
        Metres from the centre, shape (n, 3), n ≥ 1.
    pattern
        Of all of them.
    axes
        Where they look, shape (3,) or (n, 3), of any length but zero; to the front if not given.

    Raises
    ------
    ParameterError
        If shapes differ, numbers are not finite, or an axis is zero.
    """
    places = np.asarray(offsets, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 3 or not len(places) or not np.isfinite(places).all():
        raise ParameterError(f"expected finite positions of shape (n, 3) with n of 1 or more, got {places.shape}")
    looks = np.asarray((1.0, 0.0, 0.0) if axes is None else axes, dtype=np.float64)
    if looks.shape not in ((3,), places.shape):
        raise ParameterError(f"expected one axis or {len(places)}, of three numbers each, got shape {looks.shape}")
    length = np.sqrt(np.sum(looks**2, axis=-1, keepdims=True))
    if not (np.isfinite(looks).all() and (length > 0).all()):
        raise ParameterError("a microphone looks along a finite axis other than (0, 0, 0)")
    p = share(pattern)
    directed = np.broadcast_to((1.0 - p) * looks / length, places.shape)
    return Receiver(places, np.concatenate([np.full((len(places), 1), p), directed], axis=1))


def linear(n: int, *, spacing: float, pattern: str | float = "omni") -> Receiver:
    """Return `n` microphones in a row from left to right, `spacing` metres apart, looking to the front.

    Examples
    --------
    >>> linear(2, spacing=0.1).offsets[:, 1]
    array([ 0.05, -0.05])
    """
    _check_size(n, spacing, "spacing")
    y = (0.5 * (n - 1) - np.arange(n)) * spacing
    return positions(np.stack([np.zeros(n), y, np.zeros(n)], axis=1), pattern=pattern)


def circular(n: int, *, radius: float, pattern: str | float = "omni") -> Receiver:
    """Return `n` microphones on a horizontal circle, the first in front, anticlockwise, looking outwards."""
    _check_size(n, radius, "radius")
    out = unit(np.arange(n) * (360.0 / n), np.zeros(n))
    return positions(radius * out, pattern=pattern, axes=out)


def tetrahedral(*, radius: float, pattern: str | float = "omni") -> Receiver:
    """Return the four corners of a tetrahedron, looking outwards: an open array, nothing solid in its middle.

    The order is that of DCASE's MIC format (`TETRAHEDRON`), whose capsules sit on a rigid sphere, which is another
    thing: from some 1.3 kHz on (ka = 1 at 4.2 cm) the sphere rules the differences by its shadow.
    """
    _check_size(1, radius, "radius")
    out = np.asarray(TETRAHEDRON) / math.sqrt(3.0)
    return positions(radius * out, pattern=pattern, axes=out)


def ambisonic() -> Receiver:
    """Return first-order ambisonics as four coincident microphones: W, Y, Z, X with SN3D gains."""
    return Receiver(np.zeros((4, 3)), np.asarray(FOA_WEIGHTS))


def rotation(*, yaw: float = 0.0, pitch: float = 0.0) -> Array:
    """Return the matrix whose columns are the turned receiver's front, left and up in the axes of the room.

    Examples
    --------
    >>> rotation(yaw=90.0).round(12) + 0.0
    array([[ 0., -1.,  0.],
           [ 1.,  0.,  0.],
           [ 0.,  0.,  1.]])
    """
    cy, sy = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    cp, sp = math.cos(math.radians(pitch)), math.sin(math.radians(pitch))
    return np.array([[cp * cy, -sy, -sp * cy], [cp * sy, cy, -sp * sy], [sp, 0.0, cp]])


def unit(azimuth: npt.ArrayLike, elevation: npt.ArrayLike) -> Array:
    """Return unit vectors of directions in degrees, shape (…, 3).

    Examples
    --------
    >>> unit(90.0, 0.0).round(12) + 0.0
    array([0., 1., 0.])
    """
    a, e = np.radians(np.asarray(azimuth, float)), np.radians(np.asarray(elevation, float))
    return np.stack([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e) * np.ones_like(a)], axis=-1)


def direction_of(points: npt.ArrayLike, *, origin: npt.ArrayLike, yaw: float = 0.0, pitch: float = 0.0) -> Direction:
    """Return where points lie as a receiver sees them.

    Parameters
    ----------
    points
        Positions in metres, shape (…, 3).
    origin
        The receiver's centre, shape (3,).
    yaw, pitch
        How the receiver is turned, in degrees.

    Returns
    -------
    direction
        Each of shape (…); a point at the centre itself, and one straight above, has azimuth 0.

    Examples
    --------
    >>> seen = direction_of((1.0, 3.0, 1.0), origin=(1.0, 1.0, 1.0), yaw=30.0)
    >>> float(seen.azimuth.round(9)), float(seen.elevation), float(seen.distance)
    (60.0, 0.0, 2.0)
    """
    turn = rotation(yaw=yaw, pitch=pitch)
    away = np.asarray(points, dtype=np.float64) - np.asarray(origin, dtype=np.float64)
    return spherical(_product(away, turn.T))


def spherical(vectors: Array) -> Direction:
    """Return azimuth, elevation and length of vectors of shape (…, 3)."""
    distance = np.sqrt(np.sum(vectors**2, axis=-1))
    flat = np.hypot(vectors[..., 0], vectors[..., 1])
    azimuth = np.where(flat > 1e-9 * distance, np.degrees(np.arctan2(vectors[..., 1], vectors[..., 0])), 0.0)
    azimuth = np.where(azimuth <= -180.0, 180.0, azimuth)
    return Direction(azimuth, np.degrees(np.arctan2(vectors[..., 2], flat)), distance)


def foa_gains(directions: npt.ArrayLike) -> Array:
    """Return gains of W, Y, Z, X (ACN, SN3D) for unit vectors in the receiver's axes: shape (…, 3) to (…, 4).

    References
    ----------
    J. Daniel, "Représentation de champs acoustiques" (2000); C. Nachbar et al., "ambiX", Ambisonics Symposium 2011.

    Examples
    --------
    >>> foa_gains(unit(90.0, 0.0)).round(12) + 0.0
    array([1., 1., 0., 0.])
    """
    return ambisonic().gains(directions)


def _product(vectors: Array, matrix: Array) -> Array:
    """Multiply each vector by `matrix`, term by term: no library's order of summation enters."""
    return np.asarray(
        vectors[..., 0:1] * matrix[:, 0] + vectors[..., 1:2] * matrix[:, 1] + vectors[..., 2:3] * matrix[:, 2]
    )


def _check_size(n: int, metres: float, what: str) -> None:
    if n < 1 or not (math.isfinite(metres) and metres > 0):
        raise ParameterError(f"an array has 1 or more microphones and a {what} above 0 m, got {n} and {metres}")


def distances(offsets: Sequence[Sequence[float]] | Array) -> Array:
    """Return the distances between microphones in metres, shape (n, n)."""
    places = np.asarray(offsets, dtype=np.float64)
    return np.asarray(np.sqrt(np.sum((places[:, None, :] - places[None, :, :]) ** 2, axis=-1)))
