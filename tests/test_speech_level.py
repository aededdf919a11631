"""Active speech level against a second implementation written from the text of ITU-T P.56, and against signals whose level is known."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from audiosynth.levels import level_db
from audiosynth.sound.speech_level import active_speech_level

T, H, M = 0.03, 0.2, 15.9
"""ITU-T P.56 (12/2011), clause 7.2: smoothing time constant, hangover, margin."""


def p56(y: np.ndarray, sr: int) -> tuple[float, float]:
    """Return active level and activity by P.56's own algorithm, sample by sample, in its own symbols."""
    g, hangover = math.exp(-1 / (sr * T)), math.ceil(H * sr)
    thresholds = [2.0**-k for k in range(15, 0, -1)]
    counts, hanging = [0] * 15, [hangover] * 15
    squares = p = q = 0.0
    for x in map(float, y):
        squares += x * x
        p = g * p + (1 - g) * abs(x)
        q = g * q + (1 - g) * p
        for j, c in enumerate(thresholds):
            if q >= c:
                counts[j] += 1
                hanging[j] = 0
            elif hanging[j] < hangover:
                counts[j] += 1
                hanging[j] += 1
    levels = [(10 * math.log10(squares / a), 20 * math.log10(c)) for a, c in zip(counts, thresholds, strict=True) if a]
    for (a0, c0), (a1, c1) in pairwise(levels):
        if a0 - c0 >= M > a1 - c1:
            share = (a0 - c0 - M) / ((a0 - c0) - (a1 - c1))
            level = a0 + share * (a1 - a0)
            return level, 10 ** ((10 * math.log10(squares / len(y)) - level) / 10)
    raise AssertionError("no threshold lies 15.9 dB under the level")


def speechlike(seconds: float, sr: int, *, seed: int, duty: float = 0.6) -> np.ndarray:
    """Return noise in syllables of 4 Hz with pauses between phrases over a floor 50 dB down, at -26 dB RMS."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * sr)) / sr
    syllables = np.square(np.sin(2 * np.pi * 2 * t)) * 10 ** (rng.uniform(-6, 0, 200)[(t * 4).astype(int) % 200] / 20)
    y = rng.standard_normal(t.size) * (syllables * (t % 1.5 < 1.5 * duty) + 3e-3)
    return y * 10 ** (-26 / 20) / np.sqrt(np.mean(y * y))


@pytest.mark.parametrize("sr", [8000, 16_000])
@pytest.mark.parametrize("duty", [0.25, 0.6, 1.0])
def test_second_implementation_agrees(sr, duty):
    """At the nominal -26 dB both give the same level and activity."""
    y = speechlike(6.0, sr, seed=int(100 * duty), duty=duty)
    level, activity = active_speech_level(y, sr)
    expected, share = p56(y, sr)
    assert level == pytest.approx(expected, abs=1e-6)
    assert activity == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("gain_db", [-20.0, -7.0, 10.0])
def test_second_implementation_agrees_at_other_levels(gain_db):
    """Away from -26 dB P.56's fixed thresholds fall elsewhere: what interpolating between them costs is under 0.2 dB."""
    y = speechlike(6.0, 8000, seed=1) * 10 ** (gain_db / 20)
    assert active_speech_level(y, 8000)[0] == pytest.approx(p56(y, 8000)[0], abs=0.2)


@pytest.mark.parametrize("on", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("off", [1.0, 3.0])
def test_duty_cycle(on, off):
    """Bursts of constant size with silence between read the level that P.56's time constants give on paper.

    |x| = A for `on` seconds, then 0: the envelope rises as A(1 - (1 + t/T)e^(-t/T)) and falls as A(1 + t/T)e^(-t/T). Above a
    threshold c it stays from t1 after the start to t2 after the end; the hangover adds 0.2 s. So the active level is
    10 log(A² on / (on - t1 + t2 + 0.2)), and c lies 15.9 dB under it.
    """
    sr, periods, size = 8000, 6, 0.1
    burst = size * np.where(np.arange(round(on * sr)) % 8 < 4, 1.0, -1.0)
    y = np.tile(np.concatenate([burst, np.zeros(round(off * sr))]), periods)
    t = np.linspace(0, 1, 100_001)
    fall = size * (1 + t / T) * np.exp(-t / T)

    def reading(c: float) -> float:
        t1, t2 = t[np.argmax(size - fall >= c)], t[np.argmax(fall < c)]
        return 10 * math.log10(size**2 * on / (on - t1 + t2 + H))

    low, high = size * 1e-3, size * 0.99
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if reading(middle) - 20 * math.log10(middle) >= M else (low, middle)
    assert active_speech_level(y, sr)[0] == pytest.approx(reading(low), abs=0.1)


def test_a_sound_without_pauses_reads_its_rms():
    """Where nothing pauses the active level is the RMS, and activity is 1."""
    y = 0.05 * np.random.default_rng(1).standard_normal(80_000)
    level, activity = active_speech_level(y, 8000)
    assert level == pytest.approx(10 * np.log10(np.mean(y * y)), abs=0.05)
    assert activity == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("seconds", "used"), [(0.999, "rms"), (1.0, "active_speech")])
def test_under_one_second_it_is_the_rms(seconds, used):
    """Less than a second of speech is too little for P.56: the RMS is taken and the reading says so."""
    sr = 8000
    y = speechlike(3.0, sr, seed=2)
    span = [(100, 100 + round(seconds * sr))]
    reading = level_db(y, sr=sr, intervals=span, measure="active_speech")
    assert reading.measure_used == used
    rms = 10 * np.log10(np.mean(np.square(y[span[0][0] : span[0][1]])))
    assert (reading.db == pytest.approx(rms, abs=1e-9)) == (used == "rms")


def test_silence_has_no_level():
    """Digital silence reads minus infinity, not an error or NaN."""
    assert active_speech_level(np.zeros(8000), 8000) == (-math.inf, 0.0)
