"""Effects that move sound in time: where a click goes, and where the labels say it went."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audiosynth import registry
from audiosynth.clip import RenderContext
from audiosynth.errors import ParameterError

RATES = (8000, 16000, 44100)
MOVERS: dict[str, dict[str, Any]] = {
    "reverse": {"type": "reverse"},
    "pad": {"type": "pad", "before": 0.12, "after": 0.3},
    "trim": {"type": "trim", "start": 0.06, "end": 0.1},
    "later": {"type": "shift", "time": 0.2},
    "earlier": {"type": "shift", "time": -0.2},
    "around": {"type": "shift", "time": -0.2, "rollover": True},
    "round and round": {"type": "shift", "time": 2.7, "rollover": True},
    "insert": {"type": "repeat", "start": 0.2, "duration": 0.15, "n": 2},
    "replace": {"type": "repeat", "start": 0.2, "duration": 0.15, "n": 2, "mode": "replace"},
    "fast clock": {"type": "clock_drift", "ppm": 9000.0},
    "slow clock": {"type": "clock_drift", "ppm": -9000.0, "keep_length": True},
    "wandering clock": {"type": "clock_drift", "ppm": 500.0, "wander_ppm": 8000.0, "period": 0.7, "phase": 0.1},
}


def applied(tree: dict[str, Any], y: np.ndarray, sr: int) -> np.ndarray:
    """Return what an effect makes of `y`."""
    effect: Any = registry.create("effects", tree)
    return effect.apply(y, RenderContext(sr=sr, n_channels=y.shape[0]))


def mapped(tree: dict[str, Any], sample: int, n: int, sr: int) -> list[float]:
    """Return where the effect's segments say that a sample went."""
    effect: Any = registry.create("effects", tree)
    out = []
    for in0, in1, out0, out1 in effect.segments(n, sr):
        if in0 <= sample < in1:
            at = out0 + (sample - in0) * (out1 - out0) / (in1 - in0)
            out.append(at - 1 if out1 < out0 else at)
    return sorted(out)


def clicks(y: np.ndarray) -> list[int]:
    """Return where one channel has its clicks: samples within 6 dB of the largest, no two in a row."""
    near = np.flatnonzero(np.abs(y) > 0.5 * np.abs(y).max()) if np.abs(y).max() > 0.1 else np.zeros(0, int)
    runs = np.split(near, np.flatnonzero(np.diff(near) > 3) + 1)
    return [int(run[np.argmax(np.abs(y[run]))]) for run in runs if run.size]


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("name", MOVERS)
def test_labels_follow_a_click(name: str, sr: int) -> None:
    """A click is heard where the segments say, to a sample, as often as they say, wherever it was, in every channel."""
    n = sr + 3
    for t in (0.003, 0.08, 0.27, 0.45, 0.74, 0.985):
        at = round(t * sr)
        y = np.zeros((2, n))
        y[:, at] = (1.0, -0.7)
        out = applied(MOVERS[name], y, sr)
        expected = mapped(MOVERS[name], at, n, sr)
        for channel in out:
            found = clicks(channel)
            assert len(found) == len(expected), (t, found, expected)
            assert all(abs(a - b) <= 1.0 for a, b in zip(found, expected, strict=True)), (t, found, expected)


def test_reverse_twice_is_nothing() -> None:
    """Backwards of backwards is the sound itself."""
    y = np.random.default_rng(1).standard_normal((2, 1001))
    assert np.array_equal(applied({"type": "reverse"}, applied({"type": "reverse"}, y, 8000), 8000), y)


def test_trim_undoes_pad() -> None:
    """What was padded can be trimmed away again."""
    y = np.random.default_rng(2).standard_normal((1, 800))
    padded = applied({"type": "pad", "before": 0.013, "after": 0.2}, y, 8000)
    assert padded.shape == (1, 800 + 104 + 1600)
    assert np.array_equal(applied({"type": "trim", "start": 0.013, "end": 0.2}, padded, 8000), y)


def test_shift_keeps_samples() -> None:
    """A shift with rollover is numpy's roll; without, zeros come in; a longer one than the sound leaves silence."""
    y = np.random.default_rng(3).standard_normal((1, 800))
    rolled = applied({"type": "shift", "time": 0.03, "rollover": True}, y, 8000)
    assert np.array_equal(rolled, np.roll(y, 240, axis=1))
    later = applied({"type": "shift", "time": 0.03}, y, 8000)
    assert np.array_equal(later[:, 240:], y[:, :560])
    assert not later[:, :240].any()
    assert not applied({"type": "shift", "time": -5.0}, y, 8000).any()
    assert mapped({"type": "shift", "time": -5.0}, 3, 800, 8000) == []


@pytest.mark.parametrize(
    "tree",
    [
        {"type": "shift", "time": 0.031, "rollover": True},
        {"type": "repeat", "start": 0.04, "duration": 0.033, "n": 3},
    ],
)
def test_soft_joints(tree: dict[str, Any]) -> None:
    """With a fade no two neighbouring samples are further apart than in the sound itself; without one they are."""
    sr, soft = 16000, "fade" if tree["type"] == "shift" else "crossfade"
    y = np.sin(2 * np.pi * 311 * np.arange(sr // 5) / sr)[None, :]
    steepest = np.abs(np.diff(y)).max()
    assert np.abs(np.diff(applied(tree, y, sr))).max() > 3 * steepest
    assert np.abs(np.diff(applied({**tree, soft: 0.01}, y, sr))).max() < 1.3 * steepest
    assert applied({**tree, soft: 0.01}, y, sr).shape == applied(tree, y, sr).shape


def test_repeat_says_it_again() -> None:
    """Insertion puts the rest later, replacement keeps the length and what comes after the repetitions."""
    y = np.arange(10.0)[None, :]
    part = {"type": "repeat", "start": 0.002, "duration": 0.002, "n": 2}
    assert applied(part, y, 1000)[0].tolist() == [0, 1, 2, 3, 2, 3, 2, 3, 4, 5, 6, 7, 8, 9]
    assert applied({**part, "mode": "replace"}, y, 1000)[0].tolist() == [0, 1, 2, 3, 2, 3, 2, 3, 8, 9]
    assert applied({**part, "mode": "replace", "n": 4}, y, 1000)[0].tolist() == [0, 1, 2, 3, 2, 3, 2, 3, 2, 3]


@pytest.mark.parametrize(
    ("tree", "match"),
    [
        ({"type": "trim", "start": 0.7, "end": 0.3}, r"leave nothing of a sound of 1 s; cut less"),
        ({"type": "repeat", "start": 1.0, "duration": 0.1}, r"start 1 s is past the end of a sound of 1 s"),
    ],
)
def test_impossible(tree: dict[str, Any], match: str) -> None:
    """What leaves nothing, or begins after the end, is refused where lengths are planned, with the way out."""
    effect: Any = registry.create("effects", tree)
    for ask in (effect.extent, effect.segments):
        with pytest.raises(ParameterError, match=match):
            ask(8000, 8000)


def tone_frequency(y: np.ndarray, sr: int) -> float:
    """Return the frequency of a tone, from the phase of its analytic signal over its middle half."""
    from scipy.signal import hilbert

    middle = slice(y.size // 4, 3 * y.size // 4)
    phase = np.unwrap(np.angle(hilbert(y)))[middle]
    return float(np.polyfit(np.arange(phase.size) / sr, phase, 1)[0] / (2 * np.pi))


@pytest.mark.parametrize("ppm", [100.0, -100.0, 3000.0])
def test_drift_shifts_a_tone(ppm: float) -> None:
    """Taken at sr·(1 + ppm·1e-6) and played at sr, a tone is lower by as much, and as much longer."""
    sr, f = 16000, 1000.0
    y = np.sin(2 * np.pi * f * np.arange(4 * sr) / sr)[None, :]
    out = applied({"type": "clock_drift", "ppm": ppm}, y, sr)
    assert out.shape[1] == round(4 * sr * (1 + ppm * 1e-6))
    assert tone_frequency(out[0], sr) / f == pytest.approx(1 / (1 + ppm * 1e-6), abs=2e-8)


@pytest.mark.parametrize("f", [300.0, 3000.0, 7000.0])
def test_drift_adds_nothing(f: float) -> None:
    """Against the tone at the moments the recorder takes it, the interpolator is wrong by less than -85 dB up to 0.875 of half the rate."""
    sr, ppm = 16000, 250.0
    out = applied({"type": "clock_drift", "ppm": ppm}, np.sin(2 * np.pi * f * np.arange(sr) / sr)[None, :], sr)[0]
    taken = np.sin(2 * np.pi * f * np.arange(out.size) / (1 + ppm * 1e-6) / sr)
    error = (out - taken)[100:-100]
    assert 10 * np.log10(np.mean(error**2) / np.mean(taken**2)) < -85


def test_wander_is_a_sine() -> None:
    """The momentary frequency of a tone follows the wander's sine."""
    from scipy.signal import hilbert

    sr, f = 16000, 2000.0
    tree = {"type": "clock_drift", "ppm": 1000.0, "wander_ppm": 4000.0, "period": 2.0, "phase": 0.0}
    out = applied(tree, np.sin(2 * np.pi * f * np.arange(4 * sr) / sr)[None, :], sr)[0]
    rate = np.diff(np.unwrap(np.angle(hilbert(out)))) * sr / (2 * np.pi * f)
    expected, moment = np.empty(rate.size), 0.0
    for i in range(rate.size):  # step by step: how far the sound goes on from one sample of the recorder to the next
        expected[i] = 1 / (1 + 1e-3 + 4e-3 * np.sin(np.pi * moment))
        moment += expected[i] / sr
    assert np.abs(rate - expected)[800:-800].max() < 2e-6


def test_still_clock() -> None:
    """A clock that is right changes nothing."""
    y = np.random.default_rng(5).standard_normal((2, 3000))
    assert np.allclose(applied({"type": "clock_drift", "ppm": 0.0}, y, 16000), y, atol=1e-12)
