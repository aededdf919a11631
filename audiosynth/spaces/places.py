"""Where things stand: points in a room, places as a receiver sees them, and regions that a place is drawn from."""

from __future__ import annotations

from typing import Annotated, Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from audiosynth.acoustics.arrays import Direction, direction_of, rotation, unit
from audiosynth.dice import uniform_at
from audiosynth.errors import ParameterError

Metres = Annotated[float, Field(ge=-1000.0, le=1000.0)]
Point = Annotated[tuple[Metres, Metres, Metres], Field(strict=False)]
Span = Annotated[tuple[float, float], Field(strict=False)]

GRID_M: Final = 1e-3
"""Drawn places are whole millimetres, so that a row's numbers are the numbers that were simulated."""
ATTEMPTS: Final = 4096
"""Candidates looked at before a region counts as empty."""
OFF_CENTRE_M: Final = 0.05
"""Nearer to a box's middle planes its echoes come in step and sweep."""


class Placed(BaseModel):
    """Base of the records here: frozen, strict, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Region(Placed):
    """A part of a room that a place is drawn from.

    With a `distance`, that, the azimuth and the height are drawn evenly, and again until the place lies in the room;
    without, places are spread evenly over the floor and the height.
    """

    distance: Span | None = Field(None, description="[least, most] metres from the receiver")
    azimuth: Span = Field((-180.0, 180.0), description="[from, to] degrees, anticlockwise from the receiver's front")
    height: Span | None = Field(None, description="[least, most] metres above the floor; up to the margins if null")
    margin: float = Field(0.3, ge=0.02, le=100.0, description="least distance from every wall in metres")
    apart: float = Field(0.2, ge=0.02, le=100.0, description="least distance from the receiver in metres")
    seed: int = Field(ge=0, lt=2**53, description="of the draw; filled by the plan")

    @model_validator(mode="after")
    def _ordered(self) -> Region:
        for name in ("distance", "azimuth", "height"):
            span = getattr(self, name)
            if span is not None and not span[0] <= span[1]:
                raise ValueError(f"{name}: expected [low, high], got {list(span)}")
        if self.distance is not None and not self.distance[0] > 0:
            raise ValueError(f"distance: expected metres above 0, got {list(self.distance)}")
        if not -360 <= self.azimuth[0] <= self.azimuth[1] <= 360:
            raise ValueError(f"azimuth: expected degrees in -360..360, got {list(self.azimuth)}")
        return self


class Position(Placed):
    """One place: a point in the room, or a distance and direction from the receiver, or drawn within a region."""

    point: Point | None = Field(None, description="[x, y, z] in metres from the room's corner")
    distance: float | None = Field(None, gt=0, le=1000.0, description="metres from the receiver")
    azimuth: float = Field(0.0, ge=-360.0, le=360.0, description="degrees, anticlockwise from the receiver's front")
    elevation: float = Field(0.0, ge=-90.0, le=90.0, description="degrees above the receiver's horizon")
    within: Region | None = Field(None, description="a region to draw it from")

    @model_validator(mode="after")
    def _one(self) -> Position:
        given = [name for name in ("point", "distance", "within") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"expected exactly one of point, distance (with azimuth and elevation), within; got {', '.join(given) or 'none'}"
            )
        if self.distance is None and (self.azimuth != 0.0 or self.elevation != 0.0):
            raise ValueError("azimuth and elevation go with a distance")
        return self


class Motion(Placed):
    """How a source moves while it sounds, from its `position` on; the receiver stands still.

    Parameters
    ----------
    to
        Straight to a place, at constant speed.
    turn
        About the receiver by so many degrees, anticlockwise, at the same distance and height.
    via
        Through places, at constant speed, corners rounded; the last is where it ends.
    doppler
        With the running delays of a moving source; without, as responses faded into each other, which combs.
    """

    to: Position | None = Field(None, description="straight to this place")
    turn: float | None = Field(None, ge=-3600.0, le=3600.0, description="about the receiver, in degrees, anticlockwise")
    via: Annotated[tuple[Position, ...], Field(strict=False, min_length=1, max_length=1000)] | None = Field(
        None, description="through these places, the last of which is the end"
    )
    doppler: bool = Field(True, description="running delays; false fades responses into each other")

    @model_validator(mode="after")
    def _one_way(self) -> Motion:
        given = [name for name in ("to", "turn", "via") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected exactly one of to, turn, via; got {', '.join(given) or 'none'}")
        return self


class View(Placed):
    """Where a receiver stands and how it is turned.

    Attributes
    ----------
    origin
        Its centre in metres.
    yaw, pitch
        Degrees: anticlockwise seen from above, then front up.
    """

    origin: Point
    yaw: float = 0.0
    pitch: float = 0.0

    def sees(self, point: Any) -> Direction:
        """Return azimuth, elevation and distance of points, shape (…, 3)."""
        return direction_of(point, origin=self.origin, yaw=self.yaw, pitch=self.pitch)

    def point(self, *, distance: float, azimuth: float, elevation: float) -> tuple[float, float, float]:
        """Return the point in that direction, on the grid of millimetres."""
        front = rotation(yaw=self.yaw, pitch=self.pitch) @ (distance * unit(azimuth, elevation))
        return on_grid(np.asarray(self.origin) + front)


def on_grid(point: Any) -> tuple[float, float, float]:
    """Return a point in whole millimetres.

    Examples
    --------
    >>> on_grid((1.23456, 2.0, 3.0004))
    (1.235, 2.0, 3.0)
    """
    x, y, z = (round(float(value), 3) + 0.0 for value in point)
    return x, y, z


def settled(position: Position, *, size: tuple[float, float, float], view: View | None, what: str) -> Position:
    """Return the place as a point of the room: polar places turned into points, regions drawn.

    Parameters
    ----------
    position
        As the recipe has it.
    size
        Of the room in metres.
    view
        The receiver it is seen from; None for the receiver itself.
    what
        Whose place it is, for messages.

    Raises
    ------
    ParameterError
        If it is not in the room, or the region is empty.

    Examples
    --------
    >>> seen = View(origin=(3.0, 2.0, 1.2), yaw=90.0)
    >>> settled(Position(distance=1.5), size=(6.0, 5.0, 3.0), view=seen, what="source").point
    (3.0, 3.5, 1.2)
    """
    if position.within is not None:
        return Position(point=_drawn(position.within, size, view, what))
    point = position.point
    if point is None:
        if view is None or position.distance is None:
            raise ParameterError(f"the {what} stands at a point [x, y, z] or within a region, not at a distance")
        point = view.point(distance=position.distance, azimuth=position.azimuth, elevation=position.elevation)
    if not all(0 < p < length for p, length in zip(point, size, strict=True)):
        raise ParameterError(
            f"the {what} at {_text(point)} m is outside the room of {_text(size)} m; move it, or draw it `within` a region"
        )
    return Position(point=point)


def centred(point: Any, size: Any) -> list[str]:
    """Return the axes on whose middle plane a point stands (within 5 cm).

    Examples
    --------
    >>> centred((3.02, 1.0, 1.2), (6.0, 5.0, 3.0))
    ['length']
    """
    names = ("length", "width", "height")
    return [n for n, p, s in zip(names, point, size, strict=True) if abs(p - s / 2) < OFF_CENTRE_M]


def _drawn(
    region: Region, size: tuple[float, float, float], view: View | None, what: str
) -> tuple[float, float, float]:
    """Return the first of the region's candidates that lies in it."""
    if region.distance is not None and view is None:
        raise ParameterError(f"the {what} has no distance from itself; leave `distance` out of its region")
    u = uniform_at(region.seed, start=0, n_samples=3 * ATTEMPTS, stream="place").reshape(ATTEMPTS, 3)
    low, high = np.full(3, region.margin), np.asarray(size) - region.margin
    if region.height is not None:
        low[2], high[2] = max(low[2], region.height[0]), min(high[2], region.height[1])
    if not (low <= high).all():
        raise ParameterError(_empty(region, size, what))
    points = np.round((_polar if region.distance is not None else _even)(region, u, low, high, view), 3)
    fits = _fitting(region, points, np.asarray(size), low, high, view)
    if not fits.any():
        raise ParameterError(_empty(region, size, what))
    return on_grid(points[int(np.argmax(fits))])


def _even(region: Region, u: Any, low: Any, high: Any, view: View | None) -> Any:  # noqa: ARG001
    return low + u * (high - low)


def _polar(region: Region, u: Any, low: Any, high: Any, view: View | None) -> Any:
    """Return candidates with even distances, azimuths and heights; those that cannot be are NaN."""
    if view is None or region.distance is None:
        raise ParameterError("a distance needs a receiver")
    near, far = region.distance
    first, last = region.azimuth
    distance = near + u[:, 0] * (far - near)
    turn = np.radians(view.yaw + first + u[:, 1] * (last - first))
    up = low[2] + u[:, 2] * (high[2] - low[2]) - view.origin[2]
    flat = np.sqrt(np.where(np.abs(up) <= distance, distance**2 - up**2, np.nan))
    return np.asarray(view.origin) + np.stack([flat * np.cos(turn), flat * np.sin(turn), up], axis=1)


def _fitting(region: Region, points: Any, size: Any, low: Any, high: Any, view: View | None) -> Any:
    slack = GRID_M  # of rounding to the grid
    fits = ((points >= low - slack) & (points <= high + slack)).all(axis=1)
    # heights are often given (a table, a mouth): their middle plane is left to a warning
    fits &= (np.abs(points - size / 2)[:, :2] >= OFF_CENTRE_M).all(axis=1)
    if view is not None:
        away = points - np.asarray(view.origin)
        fits &= np.sqrt(np.sum(away**2, axis=1)) >= region.apart
        if region.distance is None:
            seen = np.degrees(np.arctan2(away[:, 1], away[:, 0])) - view.yaw
            first, last = region.azimuth
            fits &= np.mod(seen - first, 360.0) <= last - first
    return fits


def _empty(region: Region, size: tuple[float, float, float], what: str) -> str:
    asked = ", ".join(f"{k}: {v}" for k, v in region.model_dump(exclude={"seed"}, exclude_none=True).items())
    return (
        f"no place for the {what} in a room of {_text(size)} m fits {asked} (and stands 5 cm off the middle planes); "
        "widen the region, or take a larger room"
    )


def _text(values: Any) -> str:
    return "(" + ", ".join(f"{v:g}" for v in values) + ")"
