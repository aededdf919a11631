"""Dice: a draw is what the formula says, whatever the process; numbers follow their distributions."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from audiosynth import dice
from audiosynth.dice import ClipDice, block_order, gaussian_at, permutation, philox_words, uniform_at
from audiosynth.errors import ParameterError
from audiosynth.language.distributions import NUMERIC, numeric
from audiosynth.sound import normals


def bits_by_hand(seed: int, split: str, ordinal: int, path: str, k: int) -> int:
    """Return the 53 bits of a draw, written from the formula alone: SHA-256 over the fields between unit separators."""
    text = "\x1f".join(("audiosynth-dice/1", str(seed), split, str(ordinal), path, str(k)))
    return int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) // 2**11


def test_a_draw_is_sha256_over_its_place():
    """A second writing of the formula gives the same bits for many places."""
    for seed, split, ordinal in ((0, "train", 0), (2**62, "test", 10**9), (7, "val", -1)):
        for path in ("events[0].onset", "events[<ping>].source.fmin", "naïve"):
            for k in (0, 5):
                assert ClipDice(seed, split, ordinal).bits(path, k) == bits_by_hand(seed, split, ordinal, path, k)


def test_draws_are_even_and_unrelated():
    """Uniform over [0, 1) by chi-square, and without correlation between neighbouring clips or paths."""
    u = np.array([ClipDice(3, "train", i).uniform("a") for i in range(20_000)])
    v = np.array([ClipDice(3, "train", i).uniform("b") for i in range(20_000)])
    assert stats.chisquare(np.histogram(u, bins=50, range=(0, 1))[0]).pvalue > 1e-3
    assert abs(np.corrcoef(u, v)[0, 1]) < 0.03
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.03


def test_the_surroundings_change_nothing(tmp_path):
    """Another hash seed, locale, time zone and folder give the same draws, permutations and noise."""
    code = (
        "from audiosynth.dice import *; print(ClipDice(1, 'train', 2).bits('x'), "
        "permutation(9, seed=1, split='a', path='p', turn=0), gaussian_at(5, start=3, n_samples=4).tolist())"
    )
    here = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env=here | other, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        for other in ({"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "99", "LC_ALL": "C", "TZ": "Asia/Tokyo"})
    }
    assert len(said) == 1


def test_permutations_hold_every_item_once_and_differ_by_pass():
    """Each pass is a permutation of its own; all six orders of three items come up."""
    passes = [permutation(3, seed=1, split="s", path="p", turn=t) for t in range(60)]
    assert all(sorted(p) == [0, 1, 2] for p in passes)
    assert len(set(passes)) == 6


def test_kept_permutations_take_bounded_memory(monkeypatch):
    """Orders of any length are the same kind of order; of long ones few are kept, 8 bytes an item."""
    monkeypatch.setattr(dice, "MAX_SHORT", 40)
    monkeypatch.setattr(dice, "MAX_MIDDLING", 50)
    drawn = ClipDice(1, "s", -1)
    for n in (40, 41, 51):
        orders = [permutation(n, seed=1, split="s", path="p", turn=t) for t in range(100)]
        assert list(orders[3]) == sorted(range(n), key=lambda item: drawn.bits("p#3", item))
    assert (dice._middling_order.cache_info().currsize, dice._long_order.cache_info().currsize) == (64, 8)
    assert orders[0].itemsize == 8


def test_blocks_hold_the_counts_and_spread_them():
    """Item i comes counts[i] times in a block, and in nearly its share of any tenth of it."""
    counts = (700, 250, 50)
    order = block_order(counts, seed=1, split="s", path="p", block=3)
    assert [order.count(i) for i in range(3)] == list(counts)
    tenth = order[:100]
    assert [abs(tenth.count(i) - c / 10) <= 2 for i, c in enumerate(counts)] == [True] * 3


def test_noise_is_gaussian_and_even():
    """Kolmogorov-Smirnov against the normal and the uniform law."""
    assert stats.kstest(gaussian_at(1, start=0, n_samples=50_000), "norm").pvalue > 1e-3
    assert stats.kstest(uniform_at(1, start=0, n_samples=50_000), "uniform").pvalue > 1e-3


LAWS = {
    "uniform": ([-2, 5], stats.uniform(-2, 7)),
    "log_uniform": ([20, 20_000], stats.loguniform(20, 20_000)),
    "normal": ([1, 2], stats.norm(1, 2)),
    "truncnorm": ([-45, 5, -60, -35], stats.truncnorm(-3, 2, -45, 5)),
    "integers": ([-3, 4], stats.randint(-3, 5)),
    "poisson": ([2.5, 60], stats.poisson(2.5)),
    "beta": ([2, 5, -1, 3], stats.beta(2, 5, -1, 4)),
    "histogram": ({"edges": [0, 1, 4], "weights": [3, 1]}, stats.rv_histogram(([3, 1], [0, 1, 4]), density=False)),
}


@pytest.mark.parametrize("name", NUMERIC)
def test_quantiles_are_those_of_the_law(name):
    """The inverse distribution function is SciPy's, to nine digits, within the support, and never falls."""
    args, law = LAWS[name]
    u = np.concatenate([np.linspace(0.0005, 0.9995, 999) + 1e-7, [1e-9, 1 - 2**-53]])
    mine = np.array([numeric(name, args).inverse(float(p)) for p in u])
    low, high = numeric(name, args).support()
    assert np.all((mine >= low) & (mine <= high))
    assert np.all(np.diff(mine[:999]) >= 0)
    theirs = law.ppf(u[:999])
    np.testing.assert_allclose(mine[:999], theirs, rtol=2e-8, atol=1e-8)
    if not isinstance(numeric(name, args).inverse(0.3), int):
        assert all(float(f"{x:.9g}") == x for x in mine)


@pytest.mark.parametrize(
    ("name", "args", "match"),
    [
        ("uniform", [2, 1], "low <= high"),
        ("uniform", [1], "high missing"),
        ("uniform", {"low": 1, "hihg": 2}, "did you mean 'high'"),
        ("uniform", ["a", 2], "all of them numbers"),
        ("uniform", [True, 2], "all of them numbers"),
        ("uniform", [0, float("inf")], "1e300"),
        ("uniform", 3, r"takes \[low, high\]"),
        ("uniform", [1, 2, 3], r"takes \[low, high\]"),
        ("log_uniform", [0, 1], "low > 0"),
        ("normal", [0, 0], "std > 0"),
        ("truncnorm", [0, 1, 50, 60], "nothing is left|so far"),
        ("integers", [0.5, 2], "whole numbers"),
        ("poisson", [-1, 3], "mean"),
        ("poisson", [1, 10**6], "max"),
        ("beta", [0, 1], "a and b"),
        ("histogram", {"edges": [0, 1], "weights": [1, 2]}, "one edge more"),
        ("histogram", {"edges": [1, 0], "weights": [1]}, "rising"),
        ("histogram", {"edges": [0, 1], "weights": [0]}, "positive"),
        ("histogram", {"edges": 3, "weights": [1]}, "two lists"),
    ],
)
def test_arguments_that_cannot_be(name, args, match):
    """Each is refused with what the distribution takes."""
    with pytest.raises(ParameterError, match=match):
        numeric(name, args)


HALVES = np.concatenate([2.0 ** np.linspace(0.0, 31.0, 4001) - 1.0, [0.0, 2.0**31 - 1.0]]).astype(np.int64)


def test_normals_are_the_inverse_of_the_distribution():
    """Each half word's value is the normal quantile of its probability, tails and all, and as often below 0 as above."""
    halves = np.concatenate([HALVES, -HALVES - 1]).astype(np.int32)
    y = np.empty(len(halves))
    normals._inverse(halves, out=y)
    probability = np.abs(halves + 0.5) * 2.0**-32
    np.testing.assert_allclose(np.abs(y), -special.ndtri(probability), rtol=0, atol=2e-9)
    assert (np.sign(y) == np.sign(halves + 0.5)).all()
    assert np.abs(y).max() < normals.LARGEST


def test_normals_are_gaussian_white_and_of_any_cut():
    """Moments and distribution of a normal, no correlation between neighbours, and sample n whatever is asked for."""
    y = normals.normal_at(1, start=0, n_samples=200_000)
    assert stats.kstest(y, "norm").pvalue > 1e-3
    assert stats.kurtosis(y) == pytest.approx(0.0, abs=0.05)
    for lag in (1, 2, 3, 64):
        assert abs(np.mean(y[lag:] * y[:-lag])) < 4.0 / np.sqrt(len(y))
    for start, n in ((0, 1), (1, 2), (8191, 5), (16_383, 9000)):
        assert np.array_equal(normals.normal_at(1, start=start, n_samples=n), y[start : start + n])
    both = normals.normals_at(1, start=3, n_samples=50, streams=["", "b"])
    assert np.array_equal(both[0], y[3:53])
    assert np.array_equal(both[1], normals.normal_at(1, start=3, n_samples=50, stream="b"))


def test_compiled_normals_have_the_same_bits():
    """Whether numba is there changes no sample."""
    halves = np.concatenate([HALVES, -HALVES - 1]).astype(np.int32)
    plain, compiled = np.empty(len(halves)), np.empty(len(halves))
    normals._inverse(halves, out=plain)
    if not normals.load_kernel():
        pytest.skip("numba cannot be loaded here")
    sys.modules[normals._KERNEL].inverse(halves, normals._cubics().cells, compiled)
    assert plain.tobytes() == compiled.tobytes()


def test_words_of_a_thread_are_its_own():
    """Threads that ask at once get the words that they would get alone."""
    alone = [philox_words(seed, start=seed, n_words=20_000).tobytes() for seed in range(16)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda seed: philox_words(seed, start=seed, n_words=20_000).tobytes(), range(16)))
    assert together == alone


def test_words_are_philox():
    """The words are those of NumPy's generator under the same key and counter."""
    head = b"\x1f".join((b"audiosynth-noise/1", b"7", b"x"))
    key = int.from_bytes(hashlib.sha256(head).digest()[:16], "big")
    for start in (0, 4, 4 * 2**40):
        want = np.random.Philox(key=key, counter=start // 4).random_raw(9)
        assert philox_words(7, start=start, n_words=9, stream="x").tolist() == want.tolist()
