"""Noises against theory: slope, level, whiteness, independence, and what the filter's design promises."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from audiosynth import registry
from audiosynth.clip import RenderContext
from audiosynth.errors import ParameterError
from audiosynth.sound import colour

SLOPES = {"white": 0.0, "pink": -3.0103, "brown": -6.0206, "blue": 3.0103, "violet": 6.0206}


def _noise(**parameters: Any) -> Any:
    return registry.create("noises", {"type": "coloured", "seed": 5, **parameters})


def _response(design: colour.Shaper, sr: int, frequencies: np.ndarray) -> np.ndarray:
    """Return the filter's gain in dB, summed straight from the definition of the Fourier transform."""
    n = np.arange(len(design.taps))
    gains = [np.abs(np.sum(design.taps * np.exp(-2j * np.pi * f / sr * n))) for f in frequencies]
    return 20 * np.log10(gains)


def _third_octaves(y: np.ndarray, sr: int, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return log2 of the centre frequencies and the mean density in dB of third-octave bands (Welch)."""
    import scipy.signal

    f, density = scipy.signal.welch(y, sr, nperseg=8192 * max(1, sr // 16000))
    ends = low * 2.0 ** (np.arange(int(3 * np.log2(high / low)) + 1) / 3)
    points = [(f >= a) & (f < b) for a, b in pairwise(ends)]
    points = [p for p in points if p.sum() >= 6]
    x = np.array([np.mean(np.log2(f[p])) for p in points])
    return x, np.array([10 * np.log10(np.mean(density[p])) for p in points])


@pytest.mark.parametrize("sr", [8000, 44100, 192_000])
@pytest.mark.parametrize("name", SLOPES)
def test_design_follows_the_slope(name: str, sr: int) -> None:
    """Between 2·fmin and 0.4·sr the filter lies within 0.1 dB of a straight line of the named slope."""
    design = colour.shaper(SLOPES[name], sr=sr, fmin=20.0)
    f = np.geomspace(40.0, 0.4 * sr, 60)
    error = _response(design, sr, f) - SLOPES[name] * np.log2(f / 40.0)
    assert np.ptp(error) < 0.1
    assert abs(np.polyfit(np.log2(f), error, 1)[0]) < 0.02


@pytest.mark.parametrize("slope_db", [-12.0, -4.5, 2.0, 12.0])
@pytest.mark.parametrize("fmin", [5.0, 100.0, 900.0])
def test_design_for_any_slope_and_fmin(slope_db: float, fmin: float) -> None:
    """Slopes between the colours hold too, within 0.1 dB per octave, wherever they begin."""
    design = colour.shaper(slope_db, sr=16000, fmin=fmin)
    f = np.geomspace(2 * fmin, 6400, 50)
    assert np.polyfit(np.log2(f), _response(design, 16000, f), 1)[0] == pytest.approx(slope_db, abs=0.1)


def test_flat_below_fmin() -> None:
    """Below fmin the spectrum is flat: DC and half of fmin differ by under 0.3 dB from the corner's asymptote."""
    design = colour.shaper(-3.0103, sr=16000, fmin=50.0)
    low = _response(design, 16000, np.array([0.1, 12.0, 25.0, 100.0]))
    assert np.ptp(low[:3]) < 0.3
    assert low[3] - low[0] == pytest.approx(-3.0103, abs=0.3)


def test_cut_below_fmin() -> None:
    """`below: cut` is some 5 dB down at fmin, 20 one octave below, 35 two, and leaves what lies above 2·fmin."""
    flat = colour.shaper(-3.0103, sr=16000, fmin=100.0)
    cut = colour.shaper(-3.0103, sr=16000, fmin=100.0, cut=True)
    f = np.array([0.5, 25.0, 50.0, 100.0, 200.0, 1000.0])
    difference = _response(cut, 16000, f) - _response(flat, 16000, f)
    difference -= difference[-1]
    assert (difference[:3] < [-55, -34, -19]).all()
    assert difference[3] == pytest.approx(-5.0, abs=2.0)
    assert difference[4] == pytest.approx(0.0, abs=0.15)


def test_fmax_ends_the_spectrum() -> None:
    """`fmax` is -6 dB at fmax, untouched below 0.9·fmax, and 75 dB down from 1.1·fmax."""
    open_, ended = (colour.shaper(-3.0103, sr=44100, fmin=20.0, fmax=fmax) for fmax in (None, 8000.0))
    f = np.array([1000.0, 7200.0, 8000.0, 8800.0, 12_000.0, 20_000.0])
    difference = _response(ended, 44100, f) - _response(open_, 44100, f)
    difference -= difference[0]
    assert abs(difference[1]) < 0.01
    assert difference[2] == pytest.approx(-6.02, abs=0.1)
    assert (difference[3:] < -75).all()


@pytest.mark.parametrize("slope_db", [-12.0, 0.0, 7.0])
@pytest.mark.parametrize("fmax", [None, 3000.0])
def test_unit_power_by_design(slope_db: float, fmax: float | None) -> None:
    """The taps' squares sum to 1, so white noise of variance 1 comes out at RMS 1."""
    design = colour.shaper(slope_db, sr=16000, fmin=20.0, fmax=fmax)
    assert np.sum(design.taps**2) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("name", SLOPES)
def test_measured_slope(name: str) -> None:
    """The averaged spectrum of two minutes of noise has the colour's slope in third octaves."""
    sr = 16000
    y = _noise(colour=name).render(RenderContext(sr=sr), start=0, n_samples=120 * sr)[0]
    x, level = _third_octaves(y, sr, 40.0, 0.4 * sr)
    assert np.polyfit(x[6:], level[6:], 1)[0] == pytest.approx(SLOPES[name], abs=0.1)


@pytest.mark.parametrize(("name", "sr"), [("white", 8000), ("pink", 16000), ("blue", 44100), ("violet", 192_000)])
def test_measured_level(name: str, sr: int) -> None:
    """RMS over a long stretch is 0 dBFS within 0.1 dB."""
    y = _noise(colour=name, below="cut").render(RenderContext(sr=sr), start=0, n_samples=4_000_000)
    assert 10 * np.log10(np.mean(y**2)) == pytest.approx(0.0, abs=0.1)


def test_measured_level_brown() -> None:
    """Brown noise, whose power lies in a few hertz, is at 0 dBFS over its much longer averaging time."""
    y = _noise(colour="brown", fmin=200.0).render(RenderContext(sr=8000), start=0, n_samples=4_000_000)
    assert 10 * np.log10(np.mean(y**2)) == pytest.approx(0.0, abs=0.1)


def test_block_processing_is_the_convolution() -> None:
    """Overlap-save over several blocks equals the plain sum Σ h[k]·x[n + K - 1 - k]."""
    design = colour.shaper(-3.0103, sr=8000, fmin=100.0, fmax=3000.0)
    x = np.sin(0.37 * np.arange(30_000) ** 1.1)
    start, n = 3000, 5000
    y = colour.stretch(design, lambda a, m: x[a : a + m], start=start, n_samples=n)
    direct = np.convolve(x[start : start + n + len(design.taps) - 1], design.taps, mode="valid")
    assert design.n_block < n
    np.testing.assert_allclose(y, direct, atol=1e-12)


def test_channels_and_seeds_are_independent() -> None:
    """Two channels, and two seeds, are uncorrelated; and a channel does not depend on how many there are."""
    ctx = RenderContext(sr=16000, n_channels=2)
    a, b = _noise(colour="white").render(ctx, start=0, n_samples=200_000)
    c = _noise(colour="white", seed=6).render(RenderContext(sr=16000), start=0, n_samples=200_000)[0]
    assert abs(np.corrcoef([a, b, c])[np.triu_indices(3, 1)]).max() < 5 / 200_000**0.5
    mono = _noise(colour="white").render(RenderContext(sr=16000), start=0, n_samples=200_000)[0]
    assert mono.tobytes() == a.tobytes()


def test_gaussian() -> None:
    """Coloured noise has the kurtosis of a Gaussian."""
    y = _noise(colour="blue").render(RenderContext(sr=16000), start=0, n_samples=500_000)[0]
    assert np.mean(y**4) / np.mean(y**2) ** 2 == pytest.approx(3.0, abs=0.05)


def test_every_rate() -> None:
    """Any rate from 8 to 192 kHz renders, at stretches far from the beginning too."""
    for sr in (8000, 11_025, 22_050, 96_000, 192_000):
        y = _noise(colour="pink").render(RenderContext(sr=sr), start=10**9, n_samples=100)
        assert np.isfinite(y).all()


def test_colour_or_slope() -> None:
    """Exactly one of colour and slope_db must be given."""
    for wrong in ({}, {"colour": "pink", "slope_db": -3.0}):
        with pytest.raises(ValidationError, match="either colour or slope_db"):
            _noise(**wrong)


def test_band_must_exist() -> None:
    """The lower edge must be below fmax, and below half the rate when rendered."""
    with pytest.raises(ValidationError, match="fmin below fmax"):
        _noise(colour="pink", fmin=500.0, fmax=400.0)
    with pytest.raises(ParameterError, match=r"fmin below half the sampling rate \(4000 Hz at sr 8000\), got 5000 Hz"):
        _noise(colour="pink", fmin=5000.0).render(RenderContext(sr=8000), start=0, n_samples=10)


def test_seed_is_required() -> None:
    """A noise without a seed is refused: the plan fills it, never a default."""
    with pytest.raises(ValidationError, match="seed"):
        registry.create("noises", {"type": "coloured", "colour": "pink"})


def test_filter_cache_cannot_be_spoilt() -> None:
    """The shared arrays of a cached design are read-only."""
    with pytest.raises(ValueError, match="read-only"):
        colour.shaper(-3.0, sr=16000, fmin=20.0).taps[0] = 1.0


def test_silence() -> None:
    """Silence is zeros of the asked shape."""
    silence: Any = registry.create("noises", {"type": "silence"})
    y = silence.render(RenderContext(sr=8000, n_channels=3), start=7, n_samples=5)
    assert y.shape == (3, 5)
    assert not y.any()
