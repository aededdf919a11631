"""What makes engines, rotors, fans and trains what they are, measured on the sound."""

from __future__ import annotations

import measure
import numpy as np
import pytest

from audiosynth.synths.chainsaw import Chainsaw
from audiosynth.synths.engine import Engine
from audiosynth.synths.fan import Fan
from audiosynth.synths.helicopter import Helicopter
from audiosynth.synths.train_pass import TrainPass
from audiosynth.synths.vacuum import Vacuum


@pytest.mark.parametrize(("n_cylinders", "strokes"), [(4, 4), (6, 4), (1, 2)])
@pytest.mark.parametrize("sr", [8000, 44_100])
def test_an_engine_fires(n_cylinders, strokes, sr):
    """Cylinders times revolutions over half the strokes: the envelope and the lines say so."""
    y = measure.sound(
        Engine(
            duration=3.0,
            rpm=(1800.0,),
            n_cylinders=n_cylinders,
            strokes=strokes,
            uneven_db=-30.0,
            noise_db=-40.0,
            seed=1,
        ),
        sr,
    )
    firing = 30.0 * 2.0 / strokes * n_cylinders
    line = measure.strongest(y, sr)
    assert line / firing == pytest.approx(round(line / firing), abs=0.03)
    assert measure.pitch(y[: sr // 2], sr, fmin=0.75 * firing, fmax=1.5 * firing) == pytest.approx(firing, rel=0.02)


def test_speed_follows_its_points():
    """From 1200 to 4800 rpm the pitch goes up by two octaves, louder all the way."""
    sr = 16_000
    y = measure.sound(Engine(duration=4.0, rpm=(1200.0, 4800.0), uneven_db=-40.0, noise_db=-40.0, seed=2), sr)
    ends = [
        measure.pitch(part, sr, fmin=low, fmax=high)
        for part, low, high in ((y[1000:5000], 30, 60), (y[-4000:-1500], 120, 220))
    ]
    assert ends[0] == pytest.approx(40.0, rel=0.1)
    assert ends[1] == pytest.approx(160.0, rel=0.1)
    assert np.std(y[-8000:]) > 1.5 * np.std(y[:8000])


def test_a_chainsaw_fires_every_revolution():
    """9,000 rpm of a single two-stroke cylinder are 150 Hz."""
    y = measure.sound(Chainsaw(duration=2.0, rpm=(9000.0,), cutting=0.0, noise_db=-30.0, seed=1))
    assert measure.pitch(y[:16_000], 16_000, fmin=100, fmax=200) == pytest.approx(150.0, rel=0.02)


@pytest.mark.parametrize("rate", [11.0, 22.0])
def test_blades_beat(rate):
    """The loudness of a helicopter beats at its blades' rate."""
    y = measure.sound(Helicopter(duration=6.0, blade_rate=rate, beat=0.8, slap_db=0.0, seed=1))
    assert measure.modulation(y, 16_000, fmin=6, fmax=32) == pytest.approx(rate, rel=0.03)
    assert measure.strongest(y, 16_000, fmin=rate * 0.6, fmax=rate * 1.4) == pytest.approx(rate, rel=0.03)


def test_distance_takes_treble():
    """600 m of air take more from 8 kHz than from 1 kHz: 0.095 dB/m between them (ISO 9613-1, 20 degrees, 50 %)."""
    near, far = (
        measure.sound(Helicopter(duration=3.0, distance=d, swish_db=0.0, seed=1), 22_050) for d in (10.0, 210.0)
    )
    loss = [measure.band_db(y, 22_050, 7500, 8500) - measure.band_db(y, 22_050, 900, 1100) for y in (near, far)]
    assert loss[0] - loss[1] == pytest.approx(0.095 * 200.0, rel=0.1)


@pytest.mark.parametrize("sr", [16_000, 48_000])
def test_blades_of_fans_sound(sr):
    """The strongest tone of a vacuum cleaner and of a fan is blades times revolutions."""
    vacuum = measure.sound(Vacuum(duration=2.0, speed=400.0, n_blades=7, tone_db=10.0, strokes_db=0.0, seed=1), sr)
    assert measure.strongest(vacuum, sr, fmin=2000, fmax=4000) == pytest.approx(2800.0, rel=0.03)
    fan = measure.sound(Fan(duration=4.0, speed=20.0, n_blades=5, tone_db=10.0, hum_db=-60.0, seed=1), sr)
    assert (
        measure.strongest(fan, sr) % 100.0 == pytest.approx(0.0, abs=3.0) or measure.strongest(fan, sr) % 100.0 > 97.0
    )


def test_a_motor_runs_up():
    """It starts and ends quiet, and its pitch climbs."""
    y = measure.sound(Vacuum(duration=4.0, run_up=True, tone_db=10.0, strokes_db=0.0, seed=1))
    e = measure.envelope(y, 16_000, window=0.1)
    assert e[800] < 0.1 * e[32_000] > e[-800]


def test_axles_knock_at_the_joint():
    """Axles 2.5 m apart at 10 m/s knock every quarter of a second, cars every 2 s."""
    y = measure.sound(TrainPass(duration=10.0, speed=10.0, n_cars=3, joints_db=30.0, distance=20.0, seed=1))
    starts = np.array([a for a, _ in measure.bursts(y, 16_000, window=0.01, gap=0.05, below_db=14)])
    assert len(starts) == 12
    gaps = np.diff(starts)
    assert np.sum(np.abs(gaps - 0.25) < 0.03) == 6
    assert starts[4] - starts[0] == pytest.approx(2.0, abs=0.05)


def test_a_train_passes():
    """Loudest in the middle, as a line source of its length passes; 20 dB per decade of power for one short car far away."""
    y = measure.sound(TrainPass(duration=12.0, speed=20.0, n_cars=2, joints_db=-60.0, distance=10.0, seed=1))
    e = measure.envelope(y, 16_000, window=0.5) ** 2
    x = 20.0 * (np.arange(len(y)) / 16_000 - 6.0)
    line = np.arctan((x + 20.0) / 10.0) - np.arctan((x - 20.0) / 10.0)
    inside = slice(16_000, -16_000)
    ratio = 10 * np.log10(e[inside] / line[inside])
    assert np.std(ratio) < 1.5
