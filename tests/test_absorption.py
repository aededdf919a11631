"""Absorption against published tables, and the decay of boxes against simulated responses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audiosynth.acoustics.absorption import (
    ALPHA_LIMITS,
    COHERENCE,
    MATERIALS,
    air_attenuation,
    air_exponents,
    alpha_for_rt60,
    beta_from_alpha,
    decay,
    eyring,
    material,
    rt60_range,
    sabine,
    speed_of_sound,
    walls_alpha,
)
from audiosynth.acoustics.image_source import Options, simulate
from audiosynth.errors import ParameterError

C = 343.0
ROOM = (6.0, 5.0, 3.0)


def schroeder(h):
    """Return the backward integral of h² in dB."""
    energy = np.cumsum(h[::-1] ** 2)[::-1]
    return 10 * np.log10(energy / energy[0] + 1e-30)


def measured_t30(h, sr):
    """Return the time for 60 dB from a line between -5 and -35 dB (ISO 3382-1)."""
    level = schroeder(h)
    first, last = np.argmax(level <= -5), np.argmax(level <= -35)
    return -60 / np.polyfit(np.arange(first, last) / sr, level[first:last], 1)[0]


def random_rooms(n, seed=1):
    """Yield sizes, rt60s, sources and microphones of rooms people live in."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        size, rt60 = rng.uniform([3, 3, 2.4], [10, 8, 4]), rng.uniform(0.2, 1.0)
        source, mic = rng.uniform(0.5, size - 0.5), rng.uniform(0.5, size - 0.5)
        while np.linalg.norm(source - mic) < 0.5:
            mic = rng.uniform(0.5, size - 0.5)
        yield size, rt60, source, mic


@pytest.mark.parametrize(
    ("temperature", "humidity", "frequency", "db_per_km"),
    [
        (-20, 10, 50, 0.589),
        (20, 15, 6300, 175.0),
        (20, 80, 50, 0.0501),
        (20, 80, 1000, 5.15),
        (20, 80, 10000, 105.0),
    ],
)
def test_air_is_the_standards_table(temperature: int, humidity: int, frequency: int, db_per_km: float) -> None:
    """Table 1 of ISO 9613-1, computed there at exact midband frequencies, to its three digits."""
    exact = 1000 * 10 ** (round(10 * math.log10(frequency / 1000)) / 10)
    found = 1000 * air_attenuation(exact, temperature=temperature, humidity=humidity)
    assert found == pytest.approx(db_per_km, rel=0.005)


@pytest.mark.parametrize(
    ("temperature", "humidity", "db_per_km"),
    [
        (10, 70, (0.1, 0.4, 1.0, 1.9, 3.7, 9.7, 32.8, 117)),
        (20, 70, (0.1, 0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6)),
        (30, 70, (0.1, 0.3, 1.0, 3.1, 7.4, 12.7, 23.1, 59.3)),
        (15, 20, (0.3, 0.6, 1.2, 2.7, 8.2, 28.2, 88.8, 202)),
        (15, 50, (0.1, 0.5, 1.2, 2.2, 4.2, 10.8, 36.2, 129)),
        (15, 80, (0.1, 0.3, 1.1, 2.4, 4.1, 8.3, 23.7, 82.8)),
    ],
)
def test_air_is_the_octave_table(temperature: int, humidity: int, db_per_km: tuple[float, ...]) -> None:
    """Table 2 of ISO 9613-2: octaves 63 Hz … 8 kHz, within its rounding."""
    centres = 1000 * 10 ** (0.3 * np.arange(-4, 4))
    found = 1000 * air_attenuation(centres, temperature=temperature, humidity=humidity)
    assert found == pytest.approx(db_per_km, rel=0.006, abs=0.06)


def test_exponents_are_of_energy() -> None:
    """exp(-m·d) is the attenuation in dB over d, at 125 Hz … 8 kHz."""
    m = air_exponents(temperature=20, humidity=50)
    assert m.shape == (7,)
    over_100 = 10 * np.log10(np.exp(-m * 100))
    assert over_100 == pytest.approx(-100 * air_attenuation(1000 * 10 ** (0.3 * np.arange(-3, 4)), humidity=50))


def test_air_elsewhere_is_refused() -> None:
    """The formula's ranges are its ranges."""
    with pytest.raises(ParameterError, match=r"0..100 % humidity .* not 20, 150"):
        air_attenuation(1000, temperature=20, humidity=150)


def test_materials_are_coefficients() -> None:
    """Seven octaves each, 0..1, known by name; an unknown one gets a hint."""
    for name, (alpha, description) in MATERIALS.items():
        assert len(alpha) == 7, name
        assert all(0 < a <= 1 for a in alpha), name
        assert description
    walls = walls_alpha(["plaster"] * 4 + ["carpet", "acoustic_tile"], n_bands=6)
    assert walls.shape == (6, 6)
    assert walls[3].tolist() == [0.03] * 4 + [0.6, 0.75]
    with pytest.raises(ParameterError, match="no material 'carpt'; did you mean 'carpet'"):
        material("carpt")
    with pytest.raises(ParameterError, match="there are acoustic_plaster, acoustic_tile"):
        material("xyz")
    with pytest.raises(ParameterError, match="6 walls"):
        walls_alpha(["plaster"])


def test_pressure_is_the_root_of_energy() -> None:
    """beta² = 1 - alpha, and only for alpha in 0..1."""
    assert beta_from_alpha([0.0, 0.19, 1.0]) == pytest.approx([1.0, 0.9, 0.0])
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(ParameterError, match=r"coefficients lie in 0..1"):
            beta_from_alpha(bad)


def test_named_formulas() -> None:
    """Sabine and Eyring of 6x5x3 m give back the coefficients known for 0.3, 0.6 and 1.0 s."""
    for rt60, by_sabine, by_eyring in ((0.3, 0.3836, 0.3186), (0.6, 0.1918, 0.1745), (1.0, 0.1151, 0.1087)):
        assert sabine(size=ROOM, alpha=by_sabine, c=C) == pytest.approx(rt60, rel=1e-3)
        assert eyring(size=ROOM, alpha=by_eyring, c=C) == pytest.approx(rt60, rel=1e-3)
    uneven = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    area = 15 * 0.3 + 18 * 0.7 + 30 * 1.1
    assert sabine(size=ROOM, alpha=uneven, c=C) == pytest.approx(24 * math.log(10) * 90 / (C * area))
    assert speed_of_sound(0.0) == 331.3


@pytest.mark.parametrize(("rt60", "alpha"), [(0.3, 0.3804), (0.6, 0.2129), (1.0, 0.1338)])
def test_the_decay_has_the_reverberation_time_known_for_it(rt60: float, alpha: float) -> None:
    """T30 of the decay in energy: published coefficients for 6x5x3 m."""
    assert decay(size=ROOM, alpha=alpha, c=C).reverberation_time() == pytest.approx(rt60, rel=2e-3)


def test_the_quadrature_is_fine_enough() -> None:
    """Against 360,000 directions on a plain grid, from the start to 60 dB down, for uneven walls."""
    alpha = np.array([0.05, 0.1, 0.5, 0.6, 0.2, 0.9])
    found = decay(size=ROOM, alpha=alpha, c=C, air=0.001)
    middle = (np.arange(600) + 0.5) / 600
    up, turn = (a.ravel() for a in np.meshgrid(middle, middle * np.pi / 2))
    flat = np.sqrt(1 - up**2)
    u = np.stack([flat * np.cos(turn), flat * np.sin(turn), up], axis=1)
    e = -np.log(1 - alpha).reshape(3, 2).mean(axis=1)
    rates = C * (u @ (e / ROOM) + 0.001)
    for t in (0.0, 0.05, 0.2, 0.5):
        assert found.density(t) == pytest.approx(C / (4 * np.pi * 90) * np.exp(-rates * t).mean(), rel=1e-3)
        assert found.remaining(t) == pytest.approx(C / (4 * np.pi * 90) * (np.exp(-rates * t) / rates).mean(), rel=1e-3)


def test_levels_and_times_are_of_one_curve() -> None:
    """`remaining` is the integral of `density`, and `time_at` finds its levels."""
    room = decay(size=ROOM, alpha=0.2, c=C)
    t, step = np.linspace(0.1, 3.0, 10_001, retstep=True)
    density = room.density(t)
    integral = step * (density.sum() - density[0] / 2)
    assert room.remaining(0.1) == pytest.approx(integral, rel=1e-5)
    for level in (-5.0, -35.0, -60.0):
        share = room.remaining(room.time_at(level)) / room.remaining(0.0)
        assert 10 * np.log10(share) == pytest.approx(level, abs=1e-9)


def test_times_are_those_of_bisection() -> None:
    """Steps that no rounding can turn are not computed: the bits of sixty halvings, for any walls, air and level."""
    rng = np.random.default_rng(0)
    walls = (
        rng.uniform(0, 1, 6), np.full(6, 0.2), np.ones(6), np.zeros(6), np.array([0, 0, 0, 0, 1e-9, 1e-9]),
        np.array([0.0, 0.0, 0.001, 0.0, 1.0, 1.0]),
    )  # fmt: skip
    for alpha in walls:
        for air, level in [(0.001, -60.0), (0.02, -35.0), (1e-6, -5.0), (0.001, -1e-3), (0.01, -150.0)]:
            room = decay(size=rng.uniform(1, 20, 3), alpha=alpha, c=C, air=air)
            weights = room.weights / room.rates
            wanted = 10 ** (level / 10) * float(weights.sum())
            low, high = 0.0, -math.log(10 ** (level / 10)) / float(room.rates.min())
            for _ in range(60):
                middle = (low + high) / 2
                if float(np.exp(-middle * room.rates) @ weights) > wanted:
                    low = middle
                else:
                    high = middle
            assert room.time_at(level) == high


def test_a_time_takes_few_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty halvings take a third as many sums."""
    room, sums = decay(size=ROOM, alpha=0.2, c=C), 0

    def counted(x: np.ndarray, exp=np.exp) -> np.ndarray:
        nonlocal sums
        sums += 1
        return exp(x)

    monkeypatch.setattr(np, "exp", counted)
    room.time_at(-60.0)
    assert sums <= 20


def test_the_decay_is_that_of_the_images() -> None:
    """Energy of simulated responses, six uneven walls, mean over positions: within 0.5 dB above 300 Hz."""
    from scipy.signal import butter, sosfilt

    alpha, sr, rng = np.array([0.1, 0.3, 0.2, 0.4, 0.5, 0.25]), 16000, np.random.default_rng(0)
    room, high = decay(size=ROOM, alpha=alpha, c=C), butter(4, 300, "highpass", fs=sr, output="sos")
    energy = np.zeros(4000)
    for _ in range(40):
        source, mic = rng.uniform(0.6, np.array(ROOM) - 0.6, size=(2, 3))
        args = {"source": source, "mics": mic, "sr": sr, "duration": 0.25, "c": C, "options": Options(fade=0)}
        energy += sosfilt(high, simulate(size=ROOM, beta=beta_from_alpha(alpha), **args).h[0]) ** 2 / 40
    for first, last in ((800, 1600), (1600, 2400), (2400, 3200)):
        expected = room.density(np.arange(first, last) / sr).sum() / sr * (1 - 300 / 8000)
        assert abs(10 * np.log10(energy[first:last].sum() / expected)) < 0.5


def test_the_reverberation_time_is_the_one_asked_for() -> None:
    """T30 of full-order responses over the request in random rooms: median within 3 %, most within -5/+12 %."""
    ratios = []
    for size, rt60, source, mic in random_rooms(40):
        beta = beta_from_alpha(alpha_for_rt60(size, rt60, c=C))
        room = simulate(size=size, source=source, mics=mic, beta=beta, sr=16000, duration=1.3 * rt60, c=C)
        ratios.append(measured_t30(room.h[0], 16000) / rt60)
    low, median, high = np.percentile(ratios, [5, 50, 95])
    assert abs(median - 1) < 0.03
    assert low > 0.93
    assert high < 1.14


def test_the_request_is_met_by_the_decay() -> None:
    """The inversion's own prediction comes back: T30 in energy times the excess of low frequencies."""
    for size, rt60, _, _ in random_rooms(5):
        alpha = alpha_for_rt60(size, rt60, c=C)
        assert COHERENCE * decay(size=size, alpha=alpha, c=C).reverberation_time() == pytest.approx(rt60, rel=1e-9)


def test_an_impossible_reverberation_time_says_what_is_possible() -> None:
    """The message has the room and its range, and the range's ends are possible."""
    shortest, longest = rt60_range(ROOM, c=C)
    assert alpha_for_rt60(ROOM, longest, c=C) == pytest.approx(ALPHA_LIMITS[0])
    assert alpha_for_rt60(ROOM, shortest, c=C) == pytest.approx(ALPHA_LIMITS[1])
    message = r"a room of 6x5x3 m cannot have an rt60 of 0.01 s: its walls allow 0.064..29.22 s"
    with pytest.raises(ParameterError, match=message):
        alpha_for_rt60(ROOM, 0.01, c=C)
    for bad in (float("nan"), 100.0, -1.0):
        with pytest.raises(ParameterError, match="change rt60 or the size"):
            alpha_for_rt60(ROOM, bad, c=C)
    with pytest.raises(ParameterError, match="three finite sizes above 0"):
        alpha_for_rt60((6, 0, 3), 0.5, c=C)


def test_a_rigid_room_never_decays() -> None:
    """No absorption, no rate; with air there is one; walls that swallow everything are no error."""
    with pytest.raises(ParameterError, match="never decays"):
        decay(size=ROOM, alpha=0.0, c=C)
    assert decay(size=ROOM, alpha=0.0, c=C, air=0.01).reverberation_time() == pytest.approx(
        60 / (4.343 * C * 0.01), rel=1e-3
    )
    assert np.isfinite(decay(size=ROOM, alpha=1.0, c=C).reverberation_time())
