"""What every measure must do, whatever the sound: gains, polarity, intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiosynth.dsp import BLOCK, block_energies, energy
from audiosynth.levels import clean_intervals, level_db, power

SR = 8000
N = 3 * SR
MEASURES = ("rms", "a_weighted", "lufs", "active_speech")
intervals = st.lists(
    st.tuples(st.integers(-500, N), st.integers(1, N)).map(lambda p: (p[0], p[0] + p[1])), min_size=1, max_size=5
)


def sound(seed: int) -> np.ndarray:
    """Return noise with a slow beat and near-silent pauses."""
    rng = np.random.default_rng(seed)
    t = np.arange(N) / SR
    return 0.1 * rng.standard_normal(N) * (np.abs(np.sin(2 * np.pi * 0.8 * t)) ** 3 + 1e-3)


def read(y: np.ndarray, spans: list[tuple[int, int]], measure: str) -> float:
    """Return the level in dB."""
    return level_db(y, sr=SR, intervals=spans, measure=measure).db


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=30)
@given(seed=st.integers(0, 20), gain_db=st.floats(-120, 80), spans=intervals)
def test_a_gain_moves_every_measure_by_itself(measure, seed, gain_db, spans):
    """A gain of g dB moves the reading by g dB, on any intervals."""
    y = sound(seed)
    before, after = read(y, spans, measure), read(y * 10 ** (gain_db / 20), spans, measure)
    assert (before == after == -math.inf) or after - before == pytest.approx(gain_db, abs=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=15)
@given(seed=st.integers(0, 20), spans=intervals)
def test_polarity_does_not_matter(measure, seed, spans):
    """A sound and its negative have one level."""
    y = sound(seed)
    assert read(-y, spans, measure) == read(y, spans, measure)


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=15)
@given(spans=intervals, data=st.data())
def test_order_and_overlap_of_intervals_do_not_matter(measure, spans, data):
    """Intervals are a set of samples: their order, repeats and cuts change nothing."""
    y = sound(3)
    shuffled = data.draw(st.permutations(spans + spans[:1]))
    cut = [piece for a, b in shuffled for piece in ((a, (a + b) // 2), ((a + b) // 2, b))]
    assert read(y, cut, measure) == read(y, spans, measure)


@settings(max_examples=60)
@given(spans=intervals)
def test_intervals_are_the_samples_they_hold(spans):
    """The union agrees with a mask, and so does the mean square over it."""
    mask = np.zeros(N, bool)
    for a, b in spans:
        mask[max(0, a) : max(0, b)] = True
    mine = np.zeros(N, bool)
    for a, b in clean_intervals(spans, N):
        assert not mine[a:b].any()
        mine[a:b] = True
    assert np.array_equal(mine, mask)
    y = sound(4)
    expected = np.mean(np.square(y[mask])) if mask.any() else 0.0
    assert power(y, spans) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_what_is_outside_the_intervals_does_not_count(measure):
    """A loud sound half a second away leaves a level alone, but for what rings of it in a weighting filter."""
    y = sound(5)
    loud = y.copy()
    loud[: SR // 2] += 0.2 * np.random.default_rng(6).standard_normal(SR // 2)
    spans = [(SR, 3 * SR)]
    assert read(loud, spans, measure) == pytest.approx(read(y, spans, measure), abs=1e-3)


@pytest.mark.parametrize("measure", MEASURES)
def test_nothing_has_no_level(measure):
    """Silence, and an empty span, read minus infinity."""
    assert read(np.zeros(N), [(0, N)], measure) == -math.inf
    assert read(sound(1), [(N, N + 100)], measure) == -math.inf


@settings(max_examples=60)
@given(n=st.integers(1, 3 * BLOCK), step=st.sampled_from([-1, 1, 2]))
def test_an_energy_is_the_sum_of_its_blocks(n, step):
    """To the bit, whatever the way it is added up, and wherever in memory the samples lie; a block's is the same among others."""
    y = np.resize(sound(7), 2 * n)[::step][:n]
    rest = y[n - n % BLOCK :]
    assert energy(y) == sum(block_energies(y).tolist(), start=float(rest.dot(rest)))
    longer = np.resize(sound(7), 6 * BLOCK)[::step][: 3 * BLOCK]
    assert block_energies(longer[: n - n % BLOCK]).tolist() == block_energies(longer).tolist()[: n // BLOCK]
