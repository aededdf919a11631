"""Where a moving source is: straight lines, arcs, lists of points; how fast, and when what is heard was emitted.

Times are seconds after the first sample that the source emits; before its first and after its last time it stands
still. Paths have no corners: Doppler's shift never jumps while the source is on its way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from audiosynth.acoustics.arrays import Direction, direction_of
from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

MAX_SPEED: Final = 50.0
"""Metres per second: a seventh of the speed of sound."""
NEAREST_M: Final = 0.01
"""A source comes no nearer to a wall or a microphone than this."""
ROUNDING: Final = 0.2
"""Seconds over which a corner is rounded; the path misses it by |change of velocity|·0.2/8: 3.5 cm at 1 m/s and 90°."""
CHECK_SECONDS: Final = 0.001
_STEPS: Final = 24
"""Each step of the emission time's iteration leaves MAX_SPEED/c of its error at most: 24 leave 1e-20."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Track:
    """A path in time, made by `line`, `arc` or `through`.

    Attributes
    ----------
    times
        Seconds after the first emitted sample, increasing, shape (k,).
    nodes
        Metres, shape (k, 3): x, y, z, or with a `centre` radius, azimuth in radians, z.
    centre
        x and y of the vertical axis that radius and azimuth refer to.
    rounding
        Seconds over which the corners of the polyline are rounded; 0 for a monotone cubic through the nodes.
    """

    times: Array
    nodes: Array
    centre: tuple[float, float] | None = None
    rounding: float = 0.0

    @property
    def points(self) -> Array:
        """The nodes in metres, shape (k, 3)."""
        return _cartesian(self.nodes, self.centre)

    @property
    def duration(self) -> float:
        """Seconds from the first emitted sample to the last node."""
        return float(self.times[-1])


def line(a: npt.ArrayLike, b: npt.ArrayLike, *, duration: float) -> Track:
    """Return the straight way from `a` to `b` in `duration` seconds at constant speed; a = b stands still.

    Examples
    --------
    >>> positions_at(line((1, 1, 1), (3, 1, 1), duration=2.0), [0.5, 9.0])
    array([[1.5, 1. , 1. ],
           [3. , 1. , 1. ]])
    """
    ends = np.concatenate([_point(a), _point(b)])
    return Track(times=np.array([0.0, _positive(duration, "a duration")]), nodes=ends)


def arc(centre: npt.ArrayLike, *, radius: float, azimuth: tuple[float, float], duration: float) -> Track:
    """Return an arc about the vertical axis through a centre, at constant speed and the centre's height.

    Parameters
    ----------
    centre
        Metres, shape (3,).
    radius
        Metres, above 0.
    azimuth
        Of start and end as seen from the centre, in degrees, 0 along the room's x axis; from 0 to 270 turns
        anticlockwise, from 0 to -90 clockwise, and 720 is two rounds.
    duration
        Seconds.

    Examples
    --------
    >>> track = arc((2, 2, 1), radius=1.0, azimuth=(0.0, 180.0), duration=2.0)
    >>> positions_at(track, [1.0]).round(12)
    array([[2., 3., 1.]])
    """
    middle = _point(centre)[0]
    r = _positive(radius, "a radius")
    turn = np.radians(np.asarray(azimuth, dtype=np.float64))
    if turn.shape != (2,) or not np.isfinite(turn).all():
        raise ParameterError(f"an arc has azimuths of start and end in degrees, not {azimuth}")
    nodes = np.array([[r, turn[0], middle[2]], [r, turn[1], middle[2]]])
    times = np.array([0.0, _positive(duration, "a duration")])
    return Track(times=times, nodes=nodes, centre=(float(middle[0]), float(middle[1])))


def through(points: npt.ArrayLike, *, duration: float | None = None, times: Sequence[float] | None = None) -> Track:
    """Return a way along points, at constant speed or at given times.

    Parameters
    ----------
    points
        Metres, shape (k, 3), k of 2 or more.
    duration
        Seconds of the whole way, at constant speed on straight lines; corners are rounded over `ROUNDING` seconds, or
        as long as the shorter of their two lines takes, where the source slows down as far as a turn asks.
    times
        Instead: seconds at which it is at each point, increasing. Between them a monotone cubic (continuous velocity)
        stays inside the box that two neighbours span; equal neighbours stand still.

    Raises
    ------
    ParameterError
        Unless exactly one of the two is given and fits the points.

    References
    ----------
    F. N. Fritsch, J. Butland, SIAM J. Sci. Stat. Comput. 5(2), 1984 (the monotone cubic, as SciPy has it).

    Examples
    --------
    >>> track = through([(1, 1, 1), (3, 1, 1), (3, 2, 1)], duration=3.0)
    >>> track.times, positions_at(track, [1.0, 2.0]).round(3)
    (array([0., 2., 3.]), array([[2.   , 1.   , 1.   ],
           [2.975, 1.025, 1.   ]]))
    """
    places = _points(points)
    if (duration is None) == (times is None) or len(places) < 2:
        raise ParameterError(f"a way has 2 points or more and a duration or times, got {len(places)} points")
    if duration is not None:
        lengths = _lengths(places)
        if not (lengths > 0).all():
            raise ParameterError("two points in a row are the same; leave one out, or give times to stand still there")
        way = np.concatenate([[0.0], np.cumsum(lengths)])
        return Track(times=way * (_positive(duration, "a duration") / way[-1]), nodes=places, rounding=ROUNDING)
    moments = np.asarray(times, dtype=np.float64)
    rising = moments.shape == (len(places),) and np.isfinite(moments).all() and (np.diff(moments) > 0).all()
    if not rising or moments[-1] <= 0:
        raise ParameterError(f"{len(places)} points need as many increasing times that end above 0 s, not {times}")
    return Track(times=moments, nodes=places)


def positions_at(track: Track, t: npt.ArrayLike) -> Array:
    """Return where the source is at times `t` in seconds, shape (…, 3)."""
    moments = np.clip(np.asarray(t, dtype=np.float64), track.times[0], track.times[-1])
    if len(track.times) > 2 and track.rounding <= 0:
        from scipy.interpolate import PchipInterpolator

        nodes = np.asarray(PchipInterpolator(track.times, track.nodes)(moments))
    else:
        nodes = np.stack([np.interp(moments, track.times, column) for column in track.nodes.T], axis=-1)
        _round_corners(nodes, moments, track)
    return _cartesian(nodes, track.centre)


def _round_corners(nodes: Array, moments: Array, track: Track) -> None:
    """Add what a mean over ±w/2 makes of a corner: Δv·(w/2 - |t|)²/2w, in place."""
    velocity = np.diff(track.nodes, axis=0) / np.diff(track.times)[:, None]
    for k in range(1, len(track.times) - 1):
        w = min(track.rounding, *np.diff(track.times)[k - 1 : k + 1].tolist())
        near = np.maximum(0.5 * w - np.abs(moments - track.times[k]), 0.0)
        nodes += (near * near / (2.0 * w))[..., None] * (velocity[k] - velocity[k - 1])


def check_track(track: Track, *, size: npt.ArrayLike, mics: npt.ArrayLike) -> None:
    """Refuse a path that leaves the room, is too fast, or meets a microphone.

    Raises
    ------
    ParameterError
        With the time and the place.
    """
    n = max(2, math.ceil((track.duration - min(0.0, float(track.times[0]))) / CHECK_SECONDS) + 1)
    moments = np.linspace(min(0.0, float(track.times[0])), track.duration, n)
    places = positions_at(track, moments)
    limit = np.asarray(size, dtype=np.float64) - NEAREST_M
    outside = np.flatnonzero(((places < NEAREST_M - 1e-9) | (places > limit + 1e-9)).any(axis=1))
    if outside.size:
        where = f"{_text(places[outside[0]])} m at {moments[outside[0]]:.3f} s"
        raise ParameterError(f"the path is at {where}, outside the room or within {NEAREST_M} m of a wall; move it")
    speeds = _lengths(places) / np.diff(moments)
    fastest = int(np.argmax(speeds))
    if speeds[fastest] > MAX_SPEED * (1 + 1e-9):
        message = f"the source moves at {speeds[fastest]:.1f} m/s at {moments[fastest]:.3f} s"
        raise ParameterError(f"{message}, faster than {MAX_SPEED:g} m/s; give it a longer duration or a shorter way")
    for k, mic in enumerate(np.atleast_2d(np.asarray(mics, dtype=np.float64))):
        nearest = _distance_to_chords(mic, places)
        at = int(np.argmin(nearest))
        if nearest[at] < NEAREST_M:
            message = f"the path comes within {nearest[at]:.4f} m of microphone {k} at {moments[at]:.3f} s"
            raise ParameterError(f"{message}, nearer than {NEAREST_M} m; move one of them")


def emission_times(track: Track, arrival: npt.ArrayLike, *, place: npt.ArrayLike, c: float) -> Array:
    """Return when the direct sound that arrives at `place` at given times was emitted: t with t + d(t)/c = arrival."""
    moments = np.asarray(arrival, dtype=np.float64)
    emitted = moments
    for _ in range(_STEPS):
        away = positions_at(track, emitted) - np.asarray(place, dtype=np.float64)
        emitted = moments - np.sqrt(np.sum(away**2, axis=-1)) / c
    return emitted


def directions(
    track: Track, *, centre: npt.ArrayLike, c: float, times: npt.ArrayLike | None = None, tick: float = 0.1,
    yaw: float = 0.0, pitch: float = 0.0, aligned: bool = True,
) -> Direction:  # fmt: skip
    """Return where a receiver hears the source, for labels.

    Parameters
    ----------
    track
        The path.
    centre, yaw, pitch
        The receiver's place in metres, shape (3,), and how it is turned in degrees.
    c
        Speed of sound in m/s.
    times
        Seconds after the event's onset in the clip, shape (n,); 0, tick, 2·tick, … to the end of the path if None.
    tick
        Seconds.
    aligned
        Whether the clip has the image shifted earlier by the direct delay of the first sample (``align: direct``), so
        that what is heard at time t arrived at t + d(0)/c; else it arrived at t (``causal``).

    Returns
    -------
    direction
        Azimuth, elevation and distance at the moment of emission of what is then heard: sound comes from where the
        source was.

    Examples
    --------
    >>> track = line((3.0, 1.0, 1.5), (3.0, 3.0, 1.5), duration=0.2)
    >>> directions(track, centre=(2.0, 2.0, 1.5), c=343.0).azimuth.round(1)
    array([-45. ,   0.7,  45. ])
    """
    if times is None:
        times = np.arange(math.floor(track.duration / _positive(tick, "a tick") + 1e-6) + 1) * tick
    arrival = np.asarray(times, dtype=np.float64)
    if aligned:
        away = positions_at(track, 0.0) - np.asarray(centre, dtype=np.float64)
        arrival = arrival + math.sqrt(float(np.sum(away**2))) / c
    heard = positions_at(track, emission_times(track, arrival, place=centre, c=c))
    return direction_of(heard, origin=centre, yaw=yaw, pitch=pitch)


def _cartesian(nodes: Array, centre: tuple[float, float] | None) -> Array:
    if centre is None:
        return nodes
    radius, angle = nodes[..., 0], nodes[..., 1]
    return np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle), nodes[..., 2]], axis=-1)


def _lengths(places: Array) -> Array:
    steps = np.diff(places, axis=0)
    return np.asarray(np.sqrt(np.sum(steps**2, axis=1)))


def _distance_to_chords(mic: Array, places: Array) -> Array:
    """Return the distance of a point from each of the lines between neighbours."""
    steps, away = np.diff(places, axis=0), mic - places[:-1]
    squares = np.sum(steps**2, axis=1)
    along = np.clip(np.sum(steps * away, axis=1) / np.where(squares > 0, squares, 1.0), 0.0, 1.0)
    return np.asarray(np.sqrt(np.sum((away - along[:, None] * steps) ** 2, axis=1)))


def _points(points: npt.ArrayLike) -> Array:
    places = np.asarray(points, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 3 or not np.isfinite(places).all():
        raise ParameterError(f"points are finite numbers of shape (k, 3) in metres, not of shape {places.shape}")
    return places


def _point(place: npt.ArrayLike) -> Array:
    return _points(np.asarray(place, dtype=np.float64)[None])


def _positive(value: float, what: str) -> float:
    if not (math.isfinite(value) and value > 0):
        raise ParameterError(f"{what} lies above 0, not {value}")
    return float(value)


def _text(values: Array) -> str:
    return "(" + ", ".join(f"{v:g}" for v in values.tolist()) + ")"
