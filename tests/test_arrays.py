"""Receivers and directions against angles worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audiosynth.acoustics.arrays import (
    PATTERNS,
    ambisonic,
    circular,
    direction_of,
    distances,
    foa_gains,
    linear,
    pattern_gain,
    positions,
    rotation,
    share,
    tetrahedral,
    unit,
)
from audiosynth.errors import ParameterError

ANGLES = [(0, 0), (90, 0), (-90, 0), (180, 0), (45, 35.264389682754654), (-135, -20), (10, 80)]


def sphere(n: int = 20000) -> np.ndarray:
    """Return n directions spread evenly over the sphere (Fibonacci's lattice)."""
    z = 1 - (2 * np.arange(n) + 1) / n
    around = np.pi * (1 + 5**0.5) * np.arange(n)
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(around), flat * np.sin(around), z], axis=1)


# ---- directions


@pytest.mark.parametrize(("point", "azimuth", "elevation", "distance"), [
    ((3, 2, 1), 0, 0, 2), ((1, 4, 1), 90, 0, 2), ((1, 1, 1), -90, 0, 1), ((0, 2, 1), 180, 0, 1),
    ((2, 3, 1), 45, 0, 2**0.5), ((1, 2, 4), 0, 90, 3), ((1, 2, 0), 0, -90, 1), ((2, 2, 2), 0, 45, 2**0.5),
])  # fmt: skip
def test_directions_by_hand(point, azimuth, elevation, distance):
    """Seen from (1, 2, 1): x is front, y left, z up, azimuth anticlockwise."""
    seen = direction_of(point, origin=(1, 2, 1))
    np.testing.assert_allclose([*map(float, seen)], [azimuth, elevation, distance], atol=1e-12)


@pytest.mark.parametrize(("azimuth", "elevation"), ANGLES)
@pytest.mark.parametrize("yaw", [0.0, 30.0, -170.0])
def test_yaw_turns_azimuths_back(azimuth, elevation, yaw):
    """A receiver turned left by yaw sees everything yaw further right; elevation and distance stay."""
    seen = direction_of(2.5 * unit(azimuth, elevation), origin=(0, 0, 0), yaw=yaw)
    expected = 180 - (180 - (azimuth - yaw)) % 360
    assert float(seen.azimuth) == pytest.approx(expected, abs=1e-9)
    assert float(seen.elevation) == pytest.approx(elevation, abs=1e-9)
    assert float(seen.distance) == pytest.approx(2.5)


def test_pitch_raises_the_front():
    """With the nose 30° up, what is 30° up in front is straight ahead, and the horizon in front lies below."""
    ahead = direction_of(unit(40.0, 30.0), origin=(0, 0, 0), yaw=40.0, pitch=30.0)
    assert [float(ahead.azimuth), float(ahead.elevation)] == pytest.approx([0, 0], abs=1e-9)
    horizon = direction_of(unit(0.0, 0.0), origin=(0, 0, 0), pitch=30.0)
    assert float(horizon.elevation) == pytest.approx(-30)
    left = direction_of(unit(90.0, 0.0), origin=(0, 0, 0), pitch=30.0)
    assert [float(left.azimuth), float(left.elevation)] == pytest.approx([90, 0], abs=1e-9)


def test_a_rotation_is_one():
    """Its columns are orthonormal and right-handed, the left stays level, and many points go at once."""
    turn = rotation(yaw=73.0, pitch=-21.0)
    np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=1e-15)
    assert np.linalg.det(turn) == pytest.approx(1.0)
    assert turn[2, 1] == 0.0
    points = np.arange(24.0).reshape(2, 4, 3)
    assert direction_of(points, origin=(0.5, 0, 0), yaw=10.0).azimuth.shape == (2, 4)


def test_the_back_is_plus_180():
    """Azimuths lie in (-180, 180]: a point exactly behind is +180 from either side."""
    for y in (0.0, -0.0):
        assert float(direction_of((-1.0, y, 0.0), origin=(0, 0, 0)).azimuth) == 180.0


# ---- patterns


@pytest.mark.parametrize(("name", "front", "side", "back"), [
    ("omni", 1, 1, 1), ("subcardioid", 1, 0.75, 0.5), ("cardioid", 1, 0.5, 0), ("supercardioid", 1, 0.366025, -0.267949),
    ("hypercardioid", 1, 0.25, -0.5), ("figure8", 1, 0, -1),
])  # fmt: skip
def test_patterns_by_hand(name, front, side, back):
    """P + (1 - p)·cos θ in front, at 90° and behind."""
    np.testing.assert_allclose(pattern_gain(name, [1.0, 0.0, -1.0]), [front, side, back], atol=1e-6)


def test_the_named_extremes_are_extremes():
    """Over the sphere: none hears less of a diffuse field than hypercardioid (1/4), nor more front over back than super."""
    u = sphere()
    p = np.linspace(0, 1, 201)[:, None]
    gains = (p + (1 - p) * u[:, 0]) ** 2
    assert p[np.argmin(gains.mean(axis=1)), 0] == pytest.approx(PATTERNS["hypercardioid"], abs=0.006)
    assert (pattern_gain("hypercardioid", u[:, 0]) ** 2).mean() == pytest.approx(0.25, abs=1e-3)
    front_back = gains[:, u[:, 0] > 0].sum(axis=1) / gains[:, u[:, 0] < 0].sum(axis=1)
    assert p[np.argmax(front_back), 0] == pytest.approx(PATTERNS["supercardioid"], abs=0.006)


@pytest.mark.parametrize(
    ("pattern", "message"), [("cardoid", "did you mean 'cardioid'"), (1.2, "0..1"), (-0.1, "0..1")]
)
def test_no_such_pattern(pattern, message):
    """An unknown name gets a suggestion, a number outside 0..1 the formula."""
    with pytest.raises(ParameterError, match=message):
        share(pattern)


# ---- arrays


def test_a_line_runs_from_left_to_right():
    """Centred, evenly spaced along y, the first on the left."""
    four = linear(4, spacing=0.04)
    np.testing.assert_allclose(four.offsets[:, 1], [0.06, 0.02, -0.02, -0.06])
    assert not four.offsets[:, [0, 2]].any()
    np.testing.assert_allclose(np.diag(distances(four.offsets), 1), 0.04)


def test_a_circle_runs_anticlockwise_from_the_front():
    """Microphone k sits at azimuth 360·k/n and looks there."""
    six = circular(6, radius=0.1, pattern="cardioid")
    seen = direction_of(six.offsets, origin=(0, 0, 0))
    np.testing.assert_allclose(seen.azimuth, [0, 60, 120, 180, -120, -60], atol=1e-9)
    np.testing.assert_allclose(seen.distance, 0.1)
    np.testing.assert_allclose(np.diag(six.gains(six.offsets / 0.1)), 1.0)
    np.testing.assert_allclose(np.diag(six.gains(-six.offsets / 0.1)), 0.0, atol=1e-15)


def test_a_tetrahedron_is_regular_and_in_the_order_of_the_field():
    """Azimuths 45, -45, 135, -135 and elevations ±35.26° (DCASE's MIC order); six equal edges."""
    four = tetrahedral(radius=0.042)
    seen = direction_of(four.offsets, origin=(0, 0, 0))
    np.testing.assert_allclose(seen.azimuth, [45, -45, 135, -135], atol=1e-9)
    np.testing.assert_allclose(seen.elevation, [35.26439, -35.26439, -35.26439, 35.26439], atol=1e-5)
    edges = distances(four.offsets)[np.triu_indices(4, 1)]
    np.testing.assert_allclose(edges, 0.042 * (8 / 3) ** 0.5)


def test_a_turned_array_hears_turned_sound_alike():
    """Turning array and sound together changes no gain; positions turn with it."""
    array = tetrahedral(radius=0.05, pattern="supercardioid")
    turned = array.turned(yaw=50.0, pitch=20.0)
    u = unit(*np.array(ANGLES).T)
    np.testing.assert_allclose(turned.gains(u @ rotation(yaw=50.0, pitch=20.0).T), array.gains(u), atol=1e-12)
    np.testing.assert_allclose(turned.offsets, array.offsets @ rotation(yaw=50.0, pitch=20.0).T, atol=1e-15)
    np.testing.assert_allclose(turned.at((1, 2, 3)) - turned.offsets, [[1, 2, 3]] * 4)
    front = linear(1, spacing=1.0, pattern="cardioid").turned(yaw=90.0)
    assert front.gains((0, 1, 0))[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: linear(0, spacing=0.1), "1 or more"),
        (lambda: circular(3, radius=0.0), "above 0 m"),
        (lambda: tetrahedral(radius=float("nan")), "above 0 m"),
        (lambda: positions([[0, 0]]), r"\(n, 3\)"),
        (lambda: positions([[0, 0, np.nan]]), "finite"),
        (lambda: positions(np.zeros((0, 3))), "1 or more"),
        (lambda: positions([[0, 0, 0]], axes=(0, 0, 0)), "other than"),
        (lambda: positions([[0, 0, 0]], axes=[[1, 0, 0]] * 2), "one axis or 1"),
    ],
)
def test_impossible_arrays_are_refused(make, message):
    """No microphones, no size, NaN, wrong shapes and axes without direction are errors."""
    with pytest.raises(ParameterError, match=message):
        make()


# ---- ambisonics


@pytest.mark.parametrize(("azimuth", "elevation"), ANGLES)
def test_the_direction_can_be_read_from_the_four_channels(azimuth, elevation):
    """W is 1; Y, Z, X are the direction's cosines (ACN, SN3D): their ratios give the angles back."""
    w, y, z, x = foa_gains(unit(azimuth, elevation))
    assert w == 1.0
    assert x * x + y * y + z * z == pytest.approx(1.0)
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(azimuth, abs=1e-9)
    assert np.degrees(np.arcsin(z)) == pytest.approx(elevation, abs=1e-9)


def test_ambisonics_turned_sees_the_source_from_its_own_front():
    """A source on the left of a receiver that was turned to the left is in front of it: X is 1, Y is 0."""
    gains = ambisonic().turned(yaw=90.0).gains(unit(90.0, 0.0))
    np.testing.assert_allclose(gains, [1, 0, 0, 1], atol=1e-15)


def test_ambisonics_of_a_diffuse_field():
    """Over the sphere the channels are uncorrelated, of powers 1, 1/3, 1/3, 1/3 (SN3D)."""
    gains = foa_gains(sphere())
    np.testing.assert_allclose(gains.T @ gains / len(gains), np.diag([1, 1 / 3, 1 / 3, 1 / 3]), atol=1e-3)
