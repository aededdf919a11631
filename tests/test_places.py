"""Places: points, directions from a receiver, and regions that places are drawn from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from audiosynth.errors import ParameterError
from audiosynth.spaces.places import OFF_CENTRE_M, Position, Region, View, settled

SIZE = (6.0, 5.0, 3.0)
SEEN = View(origin=(2.2, 1.9, 1.2), yaw=30.0)


def drawn(n: int = 400, *, view: View | None = SEEN, **rules) -> np.ndarray:
    """Return `n` places of a region, each from a seed of its own."""
    regions = (Region(seed=seed, **rules) for seed in range(n))
    return np.array([settled(Position(within=r), size=SIZE, view=view, what="source").point for r in regions])


def test_a_direction_is_seen_where_it_was_put():
    """A place given by distance, azimuth and elevation is seen there by the turned receiver, to a millimetre."""
    place = settled(Position(distance=1.3, azimuth=-40.0, elevation=12.0), size=SIZE, view=SEEN, what="source")
    seen = SEEN.sees(place.point)
    assert seen.distance == pytest.approx(1.3, abs=1e-3)
    assert (float(seen.azimuth), float(seen.elevation)) == pytest.approx((-40.0, 12.0), abs=0.1)


def test_azimuth_runs_anticlockwise_from_the_front():
    """With a yaw of 90° the front is +y, and an azimuth of 90° is -x."""
    view = View(origin=(3.0, 2.0, 1.0), yaw=90.0)
    assert view.point(distance=1.0, azimuth=0.0, elevation=0.0) == (3.0, 3.0, 1.0)
    assert view.point(distance=1.0, azimuth=90.0, elevation=0.0) == (2.0, 2.0, 1.0)


def test_regions_keep_their_rules():
    """Every drawn place has the distance, direction, height and margins that were asked for, off the middle planes."""
    points = drawn(distance=(0.5, 2.0), azimuth=(-60.0, 60.0), height=(1.0, 1.6), margin=0.4)
    seen = SEEN.sees(points)
    assert ((seen.distance >= 0.498) & (seen.distance <= 2.002)).all()
    assert (np.abs(seen.azimuth) <= 60.2).all()
    assert ((points[:, 2] >= 0.999) & (points[:, 2] <= 1.601)).all()
    assert (points >= 0.398).all()
    assert (points <= np.array(SIZE) - 0.398).all()
    assert (np.abs(points - np.array(SIZE) / 2)[:, :2] >= OFF_CENTRE_M - 1e-9).all()


def test_distances_are_even():
    """Where the walls cut nothing away, distances and azimuths fill their ranges evenly (Kolmogorov's D under 5 %)."""
    seen = SEEN.sees(drawn(1000, distance=(0.6, 1.2), height=(1.1, 1.3)))
    for values, low, high in ((seen.distance, 0.6, 1.2), (seen.azimuth, -180.0, 180.0)):
        ranks = np.sort((np.asarray(values) - low) / (high - low))
        assert np.abs(ranks - (np.arange(1000) + 0.5) / 1000).max() < 0.05


def test_a_floor_is_filled_evenly():
    """Without a distance, places are spread over the floor: a quarter in each quarter (within 4 standard deviations)."""
    points = drawn(1000, view=None, margin=0.5)
    quarters = [(np.sign(points[:, 0] - 3) == a) & (np.sign(points[:, 1] - 2.5) == b) for a in (-1, 1) for b in (-1, 1)]
    for quarter in quarters:
        assert abs(quarter.sum() - 250) < 4 * math.sqrt(1000 * 0.25 * 0.75)


def test_a_seed_is_a_place():
    """The same seed gives the same place, another one another."""
    a, b = drawn(2, height=(1.0, 1.5)), drawn(2, height=(1.0, 1.5))
    assert (a == b).all()
    assert (a[0] != a[1]).any()


@pytest.mark.parametrize(
    ("position", "view", "match"),
    [
        ({"point": [7.0, 1.0, 1.0]}, SEEN, r"source at \(7, 1, 1\) m is outside the room of \(6, 5, 3\) m"),
        ({"point": [6.0, 1.0, 1.0]}, SEEN, "outside the room"),
        ({"distance": 5.0, "azimuth": 180.0}, SEEN, "outside the room"),
        ({"distance": 1.0}, None, "not at a distance"),
        ({"within": {"distance": [8.0, 9.0], "seed": 1}}, SEEN, "no place for the source.*widen the region"),
        ({"within": {"height": [3.5, 4.0], "seed": 1}}, SEEN, "no place for the source"),
        ({"within": {"margin": 3.0, "seed": 1}}, SEEN, "no place for the source"),
        ({"within": {"distance": [1.0, 2.0], "seed": 1}}, None, "no distance from itself"),
    ],
)
def test_impossible_places(position, view, match):
    """A place that cannot be is refused with the room and the way out."""
    with pytest.raises(ParameterError, match=match):
        settled(Position.model_validate(position), size=SIZE, view=view, what="source")


@pytest.mark.parametrize(
    ("position", "match"),
    [
        ({}, "exactly one of point, distance .* got none"),
        ({"point": [1.0, 1.0, 1.0], "distance": 1.0}, "got point, distance"),
        ({"point": [1.0, 1.0]}, "point"),
        ({"point": [float("nan"), 1.0, 1.0]}, "finite"),
        ({"point": [1.0, 1.0, 1.0], "azimuth": 20.0}, "go with a distance"),
        ({"within": {"distance": [2.0, 1.0], "seed": 1}}, r"expected \[low, high\]"),
        ({"within": {"distance": [0.0, 1.0], "seed": 1}}, "above 0"),
        ({"within": {"azimuth": [-400.0, 0.0], "seed": 1}}, "-360..360"),
    ],
)
def test_positions_are_checked(position, match):
    """What is no position says what one is."""
    with pytest.raises(ValidationError, match=match):
        Position.model_validate(position)
