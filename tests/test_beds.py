"""Noise beds in space: the same in all channels, a new one in each, from everywhere, from a point."""

from __future__ import annotations

import numpy as np
import pytest
from material import noise, write_recipe, write_wav

from audiosynth import load_recipe, plan_clip, render
from audiosynth.errors import AudiosynthError
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace

SR = 16_000
PAIR = {"type": "linear", "n": 2, "spacing": 0.05, "position": [2.2, 1.9, 1.2]}


def bed(tmp_path, *, receiver=None, channels=2, duration=4.0, seconds=60, room=True, **parameters) -> np.ndarray:
    """Return the bed of a clip, made of pink noise or, with `recorded`, of a recording."""
    source = {"type": "coloured", "colour": "white"}
    tree = {"sr": SR, "duration": duration, "clips": 1, "channels": channels}
    if parameters.pop("recorded", False):
        write_wav(tmp_path / "beds" / "a.wav", noise(seconds, SR, seed=3), SR)
        source = {"type": "file", "recordings": [{"pick": {"from": "beds"}}]}
        tree.update(data={"beds": "beds"}, catalogues={"beds": {"data": "beds", "layout": "flat", "group": None}})
    if room:
        tree["room"] = {"type": "shoebox", "size": [5, 4, 3], "rt60": 0.3, "receiver": receiver or PAIR}
    tree["noise"] = {**source, "level_dbfs": -20, **parameters}
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree), cache_dir=tmp_path / "cache")
    return render(plan_clip(recipe, "train", 0), assets=Workspace(AssetStore(recipe.roots))).y


def coherence(y: np.ndarray, hz: float) -> float:
    """Return the real coherence of two channels around a frequency, averaged over 250 Hz and segments of 32 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(y, 512, axis=1)[:, ::256] * np.hanning(512)
    a, b = np.fft.rfft(frames)
    near = np.abs(np.fft.rfftfreq(512, 1 / SR) - hz) <= 125
    cross = (a * b.conj())[:, near].sum().real
    return float(cross / np.sqrt((np.abs(a[:, near]) ** 2).sum() * (np.abs(b[:, near]) ** 2).sum()))


@pytest.mark.parametrize("recorded", [False, True])
def test_diffuse_noise_is_coherent_as_theory_says(tmp_path, recorded):
    """Two microphones 5 cm apart: sin(kd)/kd at 500 Hz to 5 kHz (Cook et al. 1955), from noise and from a long recording."""
    y = bed(tmp_path, spatial="diffuse", recorded=recorded, duration=8.0)
    for hz in (500.0, 1000.0, 2000.0, 3400.0, 5000.0):
        assert coherence(y, hz) == pytest.approx(np.sinc(2 * hz * 0.05 / 343.2), abs=0.1)


def test_a_short_recording_is_spread(tmp_path):
    """A recording too short for stretches far apart is decorrelated instead: alike at 200 Hz, apart from 3.4 kHz on."""
    y = bed(tmp_path, spatial="diffuse", recorded=True, seconds=6, duration=4.0)
    assert coherence(y, 250.0) > 0.9
    assert abs(coherence(y, 3400.0)) < 0.35
    assert 10 * np.log10((y**2).mean(axis=1)) == pytest.approx([-20.0, -20.0], abs=0.5)


def test_diffuse_ambisonics_have_their_powers(tmp_path):
    """W, Y, Z, X of a diffuse field: powers 1, 1/3, 1/3, 1/3 (SN3D), and nothing in common."""
    y = bed(tmp_path, spatial="diffuse", channels=4, receiver={"type": "ambisonic", "position": [2.2, 1.9, 1.2]})
    power = (y**2).mean(axis=1)
    assert power / power[0] == pytest.approx([1.0, 1 / 3, 1 / 3, 1 / 3], rel=0.05)
    assert np.abs(np.corrcoef(y) - np.eye(4)).max() < 0.03


def test_duplicate_is_the_same_everywhere(tmp_path):
    """All channels of a duplicated noise are equal."""
    y = bed(tmp_path, spatial="duplicate", room=False)
    assert y[0].tobytes() == y[1].tobytes()


@pytest.mark.parametrize("recorded", [False, True])
def test_independent_has_nothing_in_common(tmp_path, recorded):
    """Independent channels are uncorrelated, from noise and from a recording."""
    y = bed(tmp_path, spatial="independent", room=False, recorded=recorded)
    assert abs(np.corrcoef(y)[0, 1]) < 0.02


def test_a_point_is_heard_from_its_side(tmp_path):
    """Between black walls a noise to the left reaches the left microphone first, by spacing over c."""
    pair = {**PAIR, "spacing": 0.2}
    path = bed(tmp_path, receiver=pair, spatial="point", position={"distance": 1.2, "azimuth": 90.0})
    lags = np.arange(-30, 31)
    a, b = path[0, 40:-40], path[1]
    best = lags[int(np.argmax([a @ b[40 + k : b.size - 40 + k] for k in lags]))]
    assert best == round(0.2 * SR / 343.2)


def test_a_point_sounds_from_the_first_sample_on(tmp_path):
    """The room is full of the noise already when the clip begins: the first 50 ms are as loud as the rest within 2 dB."""
    y = bed(tmp_path, spatial="point", position={"distance": 1.2, "azimuth": 30.0})
    first, whole = (y[:, :800] ** 2).mean(), (y**2).mean()
    assert abs(10 * np.log10(first / whole)) < 2.0


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"recorded": True, "spatial": None}, "needs `spatial`"),
        ({"spatial": "diffuse", "room": False}, "needs a `room` of the clip with a receiver"),
        ({"spatial": "point"}, "belong together"),
        ({"spatial": "duplicate", "position": [1.0, 1.0, 1.0]}, "belong together"),
        ({"spatial": "point", "position": {"distance": 1.0}, "room": False}, "no places in no room"),
        ({"spatial": "point", "position": [9.0, 1.0, 1.0]}, "outside the room"),
        ({"spatial": "diffuse", "channels": 3}, "has 2 channels and the clip 3"),
        (
            {"spatial": "independent", "recorded": True, "seconds": 5},
            "2 independent stretches of 4.00 s need a recording of 8.0 s",
        ),
        ({"spatial": "everywhere"}, "spatial"),
    ],
)
def test_beds_that_cannot_be(tmp_path, parameters, match):
    """A noise that cannot fill the channels as asked says why, and what would."""
    parameters = {key: value for key, value in parameters.items() if value is not None}
    with pytest.raises(AudiosynthError, match=match):
        bed(tmp_path, **parameters)
