"""Stretching in time against what the stretched sound should be: lengths, places, frequencies, phases, bits."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._pitch import pitch_ratio
from audiosynth.effects.pitch_shift import PitchShift
from audiosynth.errors import ParameterError
from audiosynth.sound.stretch import rational, stretched_length, time_stretch
from audiosynth.sound.stretch_v1 import time_stretch as stretch_v1

RATES = (0.5, 0.7, 0.9, 1.1, 1.5, 2.0)


def words(n: int, *, key: int = 1) -> Array:
    """Return white noise in ±1 of absolute words, the same on any machine."""
    raw = np.random.Philox(key=key).random_raw(n)
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


def tone(frequency: float, *, sr: int, n: int) -> Array:
    return np.asarray(0.5 * np.sin(2 * np.pi * frequency * np.arange(n) / sr))


def fit(y: Array, frequency: float, sr: int) -> tuple[float, float]:
    """Return amplitude of the best sine at `frequency` and SNR in dB of it over the rest."""
    phase = 2 * np.pi * frequency * np.arange(len(y)) / sr
    basis = np.stack((np.cos(phase), np.sin(phase)), axis=1)
    weights, *_ = np.linalg.lstsq(basis, y, rcond=None)
    rest = y - basis @ weights
    return float(np.hypot(*weights)), float(10 * np.log10(np.var(basis @ weights) / np.var(rest)))


@settings(max_examples=40)
@given(
    n=st.integers(1, 3000),
    rate=st.floats(0.125, 8).map(rational),
    sr=st.sampled_from((8000, 16000, 44100, 96000)),
    n_channels=st.integers(1, 3),
)
def test_length_is_exact_and_values_are_finite(n: int, rate: Fraction, sr: int, n_channels: int) -> None:
    """Any sound from one sample comes out floor(n/rate + ½) long, at least 1, finite and not blown up."""
    y = words(n * n_channels).reshape(n_channels, n)
    out = time_stretch(y, sr=sr, rate=rate)
    assert out.shape == (n_channels, max(1, int(n / rate + Fraction(1, 2))))
    assert np.all(np.isfinite(out))
    assert np.max(np.abs(out)) < 8


@pytest.mark.parametrize("rate", RATES)
def test_a_click_is_found_where_time_maps_it(rate: float) -> None:
    """Clicks, alone and over a tone, come out within 2.4 ms · abs(1 - 1/rate) of onset / rate, all within 5 ms."""
    sr, n = 44100, 66150
    onsets = np.array([9000, 21037, 37001, 52900])
    clicks = np.zeros(n)
    clicks[onsets] = 0.9
    for bed in (0.0, 0.2):
        out = time_stretch((clicks + bed * tone(440, sr=sr, n=n))[None], sr=sr, rate=rational(rate))[0]
        heard = np.abs(np.diff(out, 2, prepend=[0, 0])) ** 2  # takes 48 dB from a tone at 440 Hz
        for onset in onsets:
            due = int(onset / rate)
            part = heard[due - 2205 : due + 2206]
            place = (np.arange(-2205, 2206) * part).sum() / part.sum()
            assert abs(place) < (0.0024 * abs(1 - 1 / rate) + 0.0002) * sr
            assert part[2205 - 220 : 2205 + 221].sum() > 0.9 * part.sum()


@pytest.mark.parametrize("rate", RATES)
def test_every_click_comes_out_once_at_its_level(rate: float) -> None:
    """Of 40 clicks none is lost or doubled: each sums to its height within 10 % and keeps 40 to 110 % of its energy."""
    sr, n = 16000, 64000
    onsets = np.arange(40) * 1511 + 1200
    y = np.zeros(n)
    y[onsets] = 0.9
    out = time_stretch(y[None], sr=sr, rate=rational(rate))[0]
    for onset in onsets:
        part = out[int(onset / rate) - 160 : int(onset / rate) + 161]
        assert part.sum() == pytest.approx(0.9, rel=0.1)
        assert 0.4 < (part**2).sum() / 0.81 < 1.1


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sr", [8000, 44100])
def test_a_sine_stays_a_pure_sine_of_its_frequency(rate: float, sr: int) -> None:
    """A stretched sine is the best-fitting sine of the same frequency to 70 dB, of the same amplitude to 1 %."""
    out = time_stretch(tone(997.0, sr=sr, n=sr)[None], sr=sr, rate=rational(rate))[0]
    amplitude, snr_db = fit(out[len(out) // 5 : -len(out) // 5], 997.0, sr)
    assert amplitude == pytest.approx(0.5, rel=0.01)
    assert snr_db > 70


def test_loudness_over_time_follows_the_map() -> None:
    """A tone that swells and fades does so at the stretched times: envelopes correlate above 0.999."""
    sr, n, rate = 16000, 32000, 0.8
    envelope = 0.5 - 0.5 * np.cos(2 * np.pi * 2.0 * np.arange(n) / sr)
    out = time_stretch((envelope * tone(700, sr=sr, n=n))[None], sr=sr, rate=rational(rate))[0]
    level = np.sqrt(np.mean(out[: len(out) // 160 * 160].reshape(-1, 160) ** 2, axis=1))
    due = np.interp((np.arange(len(level)) + 0.5) * 160 * rate, np.arange(n), envelope)
    assert np.corrcoef(level, due)[0, 1] > 0.999


@pytest.mark.parametrize("rate", [0.6, 1.3])
def test_phase_and_level_between_channels_stay(rate: float) -> None:
    """The second channel, inverted and halved, stays exactly so; a tone 90° ahead stays 90° ahead within 1°."""
    sr = 16000
    y = tone(500, sr=sr, n=sr) + 0.2 * words(sr)
    out = time_stretch(np.stack((y, -0.5 * y)), sr=sr, rate=rational(rate))
    np.testing.assert_allclose(out[1], -0.5 * out[0], atol=1e-12)
    t = 2 * np.pi * 500 * np.arange(sr) / sr
    pair = time_stretch(np.stack((np.sin(t), np.cos(t))), sr=sr, rate=rational(rate))
    turning = np.exp(-1j * t[: pair.shape[-1]])[2000:-2000][:6400]
    sine, cosine = (channel[2000:-2000][:6400] @ turning for channel in pair)
    assert np.degrees(np.angle(cosine / sine)) == pytest.approx(90.0, abs=1.0)


def test_a_delay_between_channels_stays() -> None:
    """Noise that comes 7 samples later on the second channel still does after the stretch."""
    sr = 16000
    noise = words(sr + 7)
    out = time_stretch(np.stack((noise[7:], noise[:-7])), sr=sr, rate=rational(0.75))
    spectrum = np.fft.rfft(out, 2 * out.shape[-1])
    lags = np.fft.irfft(spectrum[1] * np.conj(spectrum[0]))
    assert int(np.argmax(lags)) == 7


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_silence_stays_silent(rate: float) -> None:
    """Digital silence comes out as zeros, and silence between sounds stays 80 dB below them."""
    assert not time_stretch(np.zeros((1, 5000)), sr=8000, rate=rational(rate)).any()
    y = np.zeros((1, 32000))
    y[0, :8000] = tone(440, sr=16000, n=8000)
    y[0, 24000:] = tone(440, sr=16000, n=8000)
    out = time_stretch(y, sr=16000, rate=rational(rate))[0]
    assert np.abs(out[int(10500 / rate) : int(21500 / rate)]).max() < 0.5e-4


def test_rate_one_is_an_exact_copy_and_input_is_left_alone() -> None:
    """Rate 1 gives the same bits in another array; no rate writes to its argument."""
    y = words(3000)[None].copy()
    kept = y.copy()
    y.flags.writeable = False
    same = time_stretch(y, sr=8000, rate=Fraction(1))
    assert same.tobytes() == kept.tobytes()
    assert not np.shares_memory(same, y)
    time_stretch(y, sr=8000, rate=Fraction(3, 2))
    assert y.tobytes() == kept.tobytes()


def test_level_scales_with_the_input() -> None:
    """Half the input gives half the output, bit for bit: no threshold is absolute."""
    y = words(8000)[None]
    full, half = (time_stretch(g * y, sr=8000, rate=Fraction(4, 5)) for g in (1.0, 0.5))
    np.testing.assert_allclose(half, 0.5 * full, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rate", [0.4, 0.8, 1.25, 3.0])
def test_the_first_version_gives_the_same_sound(rate: float) -> None:
    """Transforms of another library, a NumPy mask and sums in other orders: what it gives is the same to 1e-12 of full level."""
    sr, n = 16000, 21001
    clicks = np.zeros(n)
    clicks[700::4000] = 0.7
    y = np.stack(
        (
            0.3 * words(n),
            clicks + tone(997.0, sr=sr, n=n),
            np.where(np.arange(n) // 5000 % 2, 0.2 * words(n, key=2), 0.0),
        )
    )
    for sound in (y, y[1:2], y[2:]):
        np.testing.assert_allclose(
            time_stretch(sound, sr=sr, rate=rational(rate)),
            stretch_v1(sound, sr=sr, rate=rational(rate)),
            rtol=0,
            atol=1e-12,
        )


@pytest.mark.parametrize("size", [16, 20, 24, 28, 64, 448, 640, 896, 2560])
def test_frames_are_transformed_as_numpy_does(size: int) -> None:
    """Spectra of five frames and their way back agree with NumPy's, for every odd factor and stage of the transform."""
    from audiosynth.sound.fourier_kernel import transform
    from audiosynth.sound.frames_kernel import add, bin_of, frames_of, gather, pack, unpack
    from audiosynth.sound.lanes_kernel import LANES

    frames, y, starts = frames_of(size), words(4 * size + 200), np.arange(5) * 37
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    ideal = np.fft.rfft(np.stack([y[start : start + size] * hann for start in starts]))
    buffer, scratch = np.zeros(frames.read.size * LANES), np.empty(12 * LANES)
    gather(y, starts, 0, frames.read, buffer)
    transform(buffer, frames.plan, scratch)
    spectra = np.zeros((size // 2 + 1) * 2 * LANES)
    unpack(buffer, frames, spectra)
    got = spectra.reshape(-1, 2, LANES)
    np.testing.assert_allclose((got[:, 0] + 1j * got[:, 1]).T[:5], ideal, rtol=0, atol=1e-12)
    for k in (0, 1, size // 4, size // 2):
        assert complex(*bin_of(buffer, frames, k, 3)) == pytest.approx(ideal[3, k], abs=1e-12)
    share = np.tile(np.linspace(0.0, 1.0, size // 2 + 1)[:, None], LANES)
    angles = 7.0 * share
    turns = np.stack((np.cos(angles), np.sin(angles)), axis=1).ravel()
    for turn, factor in ((turns[:0], 1.0), (turns, np.exp(1j * angles[:, 0]))):
        pack(spectra, share.ravel(), turn, frames, buffer)
        transform(buffer, frames.plan, scratch)
        out, due = np.zeros(y.size), np.zeros(y.size)
        add(out, starts, 0, frames, buffer)
        for start, back in zip(starts, np.fft.irfft(ideal * share[:, 0] * factor, size) * hann, strict=True):
            due[start : start + size] += back
        np.testing.assert_allclose(out, due, rtol=0, atol=1e-13)


def test_logarithms_and_shares_are_those_of_numpy() -> None:
    """The logarithm of any energy is right to 2e-14 nepers; the logistic share to 1e-12 of itself, and 0 or 1 far out."""
    from audiosynth.sound.frames_kernel import lasting_share, logarithms

    energy = np.exp(300.0 * words(4000))
    got = np.empty_like(energy)
    logarithms(energy, 0.0, got)
    np.testing.assert_allclose(got, np.log(energy), rtol=4e-16, atol=2e-14)
    nepers = np.concatenate((40.0 * words(4000), [-1e9, 1e9, -4.0]))
    shares = nepers.copy()
    lasting_share(shares, 4.0, 2.0)
    np.testing.assert_allclose(shares[:-3], 1.0 / (1.0 + np.exp(-2.0 * (nepers[:-3] + 4.0))), rtol=1e-12)
    np.testing.assert_allclose(shares[-3:], [0.0, 1.0, 0.5], rtol=0, atol=1e-300)


def test_a_sound_near_nothing_stays_finite() -> None:
    """Levels whose energy no float holds come out finite and no louder."""
    out = time_stretch(1e-200 * words(4000)[None], sr=8000, rate=rational(1.3))
    assert np.all(np.isfinite(out))
    assert np.abs(out).max() < 2e-200


def test_bad_arguments_are_named() -> None:
    """A rate out of range and a wrong shape are refused, with the value in the message."""
    with pytest.raises(ParameterError, match=r"between 0.125 and 8.0, got 9.0"):
        time_stretch(np.zeros((1, 10)), sr=8000, rate=Fraction(9))
    with pytest.raises(ParameterError, match=r"got \(10,\)"):
        time_stretch(np.zeros(10), sr=8000, rate=Fraction(2))


@given(n=st.integers(1, 10**9), rate=st.floats(0.125, 8).map(rational))
def test_length_rounds_half_up_exactly(n: int, rate: Fraction) -> None:
    """The length is the whole number m with m - ½ <= n/rate < m + ½, however long the sound (at least 1)."""
    m = stretched_length(n, rate=rate)
    exact = n / rate
    assert m == 1 or m - Fraction(1, 2) <= exact < m + Fraction(1, 2)


@settings(max_examples=200)
@given(semitones=st.floats(-24, 24))
def test_pitch_ratios_are_within_a_fiftieth_of_a_cent(semitones: float) -> None:
    """The fraction for a number of semitones is off by less than 0.02 cents."""
    ratio = pitch_ratio(semitones)
    assert abs(1200 * math.log2(ratio) - 100 * semitones) < 0.02


@settings(max_examples=25)
@given(n=st.integers(1, 2500), semitones=st.floats(-24, 24), n_channels=st.integers(1, 2))
def test_pitch_shift_keeps_any_length(n: int, semitones: float, n_channels: int) -> None:
    """Sounds of any length and any shift keep their shape and stay finite."""
    out = PitchShift(semitones=semitones).apply(words(n * n_channels).reshape(n_channels, n), RenderContext(sr=16000))
    assert out.shape == (n_channels, n)
    assert np.all(np.isfinite(out))


CHILD = """
import hashlib, os, sys
import numpy as np
from numpy._core._multiarray_umath import __cpu_features__ as on
off = os.environ.get("NPY_DISABLE_CPU_FEATURES", "").split()
assert not any(on[name] for name in off), [name for name in off if on[name]]
sys.path.insert(0, sys.argv[1])
from test_stretch import digest_of_stretches
print(digest_of_stretches())
"""


def digest_of_stretches() -> str:
    """Return a hash over 16-bit samples of stretches of clicks, sines between bins, noise and a mixture."""
    sr, n = 16000, 24000
    clicks = np.zeros(n)
    clicks[::4000] = 0.5
    sounds = (clicks, tone(1000, sr=sr, n=n), tone(15625 / 16, sr=sr, n=n), 0.3 * words(n), clicks + 0.1 * words(n))
    digest = hashlib.sha256()
    for y in sounds:
        for rate in (0.75, 1.5):
            out = time_stretch(np.stack((y, y[::-1])), sr=sr, rate=rational(rate))
            grid = np.rint(out * 32767 * 2**20) / 2**20
            digest.update(np.rint(grid).astype("<i2").tobytes())
    return digest.hexdigest()


def test_samples_do_not_depend_on_simd() -> None:
    """The 16-bit samples are the same with every vector instruction set switched off that NumPy and numba can do without."""
    core = pytest.importorskip("numpy._core._multiarray_umath")
    names = [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]
    if not names:
        pytest.skip("NumPy dispatches nothing on this machine")
    here = Path(__file__).resolve().parent
    environment = {
        **os.environ,
        "NPY_DISABLE_CPU_FEATURES": " ".join(names),
        "NUMBA_CPU_NAME": "generic",
        "PYTHONPATH": os.pathsep.join([str(here.parent), os.environ.get("PYTHONPATH", "")]),
    }
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(here)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert child.returncode == 0, child.stderr
    assert child.stdout.strip() == digest_of_stretches()
