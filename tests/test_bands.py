"""Octave bands that add up to the whole."""

from __future__ import annotations

import numpy as np
import pytest

from audiosynth.acoustics.absorption import air_exponents, beta_from_alpha, walls_alpha
from audiosynth.acoustics.bands import band_edges, combine, n_bands, split, with_air
from audiosynth.acoustics.image_source import Options, simulate
from audiosynth.errors import ParameterError

RATES = (8000, 16000, 22050, 44100, 48000)
ROOM = {"size": (6, 5, 3), "source": (2.1, 1.7, 1.5), "mics": (4.3, 3.4, 1.3), "c": 343.0}


def noise(*shape):
    return np.random.default_rng(3).normal(size=shape)


@pytest.mark.parametrize("sr", RATES)
def test_bands_sum_to_the_whole(sr: int) -> None:
    """The sum of all bands is the input, to rounding, at every rate."""
    y = noise(2, 5000)
    bands = split(y, sr=sr)
    assert bands.shape == (n_bands(sr), 2, 5000)
    assert np.max(np.abs(bands.sum(axis=0) - y)) < 1e-13


@pytest.mark.parametrize("sr", RATES)
def test_equal_bands_come_back_bit_for_bit(sr: int) -> None:
    """Where no band differs, nothing is filtered."""
    h = noise(1, 3000)
    assert np.array_equal(combine(np.stack([h] * n_bands(sr)), sr=sr), h)


def test_combining_is_filtering() -> None:
    """What `combine` adds is band k of response k."""
    h = noise(7, 1, 4000)
    wanted = sum(split(h[k], sr=16000)[k] for k in range(7))
    assert np.max(np.abs(combine(h, sr=16000) - wanted)) < 1e-12


def test_bands_have_zero_phase() -> None:
    """A pulse's bands are symmetric about it and short: 2 periods of the lowest edge on each side."""
    y = np.zeros((1, 2001))
    y[0, 1000] = 1.0
    for band in split(y, sr=16000):
        assert np.max(np.abs(band[0] - band[0, ::-1])) < 1e-15
        assert np.max(np.abs(band[0, : 1000 - 182])) < 1e-15


def test_a_band_passes_its_octave() -> None:
    """At midband within 1 dB, half at the edges, two octaves away 30 dB down."""
    y = np.zeros((1, 1 << 14))
    y[0, 4000] = 1.0
    gain = np.abs(np.fft.rfft(split(y, sr=16000)[:, 0]))
    f = np.fft.rfftfreq(1 << 14, 1 / 16000)
    for k, edge in enumerate(band_edges(16000)):
        at = np.argmin(np.abs(f - edge))
        assert gain[k, at] == pytest.approx(0.5, abs=0.02)
        assert gain[k + 1, at] == pytest.approx(0.5, abs=0.02)
    for k in range(1, 6):
        centre = 1000 * 10 ** (0.3 * (k - 3))
        assert abs(20 * np.log10(gain[k, np.argmin(np.abs(f - centre))])) < 1.0
        assert 20 * np.log10(gain[k, np.argmin(np.abs(f - centre / 4))]) < -30


def test_the_direct_sound_passes_whole() -> None:
    """Materials that differ per octave leave the direct sound as it is: the response without walls, bit for bit."""
    alpha = walls_alpha(["plaster", "glass", "curtain", "wood_panel", "carpet", "acoustic_tile"])
    options = Options(highpass_hz=0, fade=0, max_order=0)
    args = {**ROOM, "sr": 16000, "duration": 0.1, "options": options}
    bands = simulate(**args, beta=beta_from_alpha(alpha)).h
    assert np.array_equal(combine(bands, sr=16000), simulate(**args, beta=0.0).h)


def test_each_octave_decays_by_its_own_walls() -> None:
    """Curtains and carpet take the highs: T20 by octave falls as their absorption rises."""
    alpha = walls_alpha(["curtain"] * 4 + ["carpet", "plasterboard"])
    h = combine(simulate(**ROOM, sr=16000, duration=0.5, beta=beta_from_alpha(alpha)).h, sr=16000)
    energy = [np.cumsum(b[0, ::-1] ** 2)[::-1] for b in split(h, sr=16000)]
    t20 = [np.argmax(e < e[0] / 10**2.5) - np.argmax(e < e[0] / 10**0.5) for e in energy]
    assert t20[1] > 2 * t20[3]


def test_air_takes_by_distance_travelled() -> None:
    """An echo at distance d loses exp(-m·d/2) of its pressure at each octave's middle, whichever image it is."""
    m = air_exponents(temperature=20, humidity=30)
    h = np.zeros((1, 1, 1 << 14))
    h[0, 0, 8000] = 1.0
    out = with_air(h, sr=16000, c=343.0, exponents=m)[0]
    d = 8000 / 16000 * 343.0
    gain = np.abs(np.fft.rfft(out[6000:10000], 1 << 14))
    for k in range(3, 6):
        at = round(1000 * 10 ** (0.3 * (k - 3)) / 16000 * (1 << 14))
        assert 20 * np.log10(gain[at]) == pytest.approx(-8.686 * m[k] * d / 2, abs=0.1 + 0.1 * 8.686 * m[k] * d / 2)


def test_still_air_takes_nothing() -> None:
    """With m = 0 the responses come back to rounding, shared or per band."""
    h = noise(7, 2, 3000)
    zero = np.zeros(7)
    assert np.max(np.abs(with_air(h, sr=16000, c=343.0, exponents=zero) - combine(h, sr=16000))) < 1e-12
    assert np.max(np.abs(with_air(h[:1], sr=16000, c=343.0, exponents=zero) - h[0])) < 1e-12


def test_a_wrong_number_of_bands_is_refused() -> None:
    """A rate has its octaves."""
    with pytest.raises(ParameterError, match="8000 Hz has 6 octave bands, not 7"):
        combine(noise(7, 1, 100), sr=8000)
    with pytest.raises(ParameterError, match="fit 1 or 7 responses, not 3"):
        with_air(noise(3, 1, 100), sr=16000, c=343.0, exponents=np.zeros(7))
