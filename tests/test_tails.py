"""Tails and statistical rooms: energy, decay, coherence and ratios as asked."""

from __future__ import annotations

import numpy as np
import pytest

from audiosynth.acoustics.arrays import ambisonic, linear, tetrahedral
from audiosynth.acoustics.bands import n_bands
from audiosynth.acoustics.decay import measure
from audiosynth.acoustics.diffuse import diffuse_mixer
from audiosynth.acoustics.isotropic import cross_powers, powers
from audiosynth.acoustics.tails import crossfade, diffuse_tail, statistical_response
from audiosynth.errors import ParameterError

SR, C = 16000, 343.0
ARRAYS = {
    "pair 5 cm": linear(2, spacing=0.05),
    "cardioids": tetrahedral(radius=0.042, pattern="cardioid").turned(yaw=30.0, pitch=10.0),
    "ambisonics": ambisonic(),
}


def normalised(gamma: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.real(np.einsum("fmm,fnn->fmn", gamma, gamma)))
    return gamma / size


def welch(y: np.ndarray, n_fft: int = 512) -> tuple[np.ndarray, np.ndarray]:
    """Return cross spectra (n_frequencies, n, n), Hann windows half overlapping, as E[X_m X_n*]."""
    window = np.hanning(n_fft + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(y, n_fft, axis=-1)[:, :: n_fft // 2] * window
    spectra = np.fft.rfft(frames, axis=-1)
    return np.fft.rfftfreq(n_fft, 1 / SR), np.einsum("mtf,ntf->fmn", spectra, spectra.conj()) / frames.shape[1]


def octaves_of(times: tuple[float, ...], seconds: float, start: int) -> np.ndarray:
    n = np.arange(round(seconds * SR))
    return np.stack([10.0 ** (-6.0 * np.maximum(n - start, 0) / SR / t) * 1e-4 for t in times])


def test_a_crossfade_keeps_the_energy():
    """Squares of the two gains sum to 1; half of each at the centre."""
    out, into = crossfade(400, centre=200, width=80)
    np.testing.assert_allclose(out**2 + into**2, 1.0)
    assert into[200] ** 2 == pytest.approx(0.5)
    assert not into[:160].any()
    assert not out[240:].any()


@pytest.mark.parametrize("name", ["pair 5 cm", "cardioids", "ambisonics"])
def test_a_tail_has_the_energy_of_its_curve(name):
    """Mean over channels (each re its power): exactly the curve's energy from the mixing time on; nothing before it."""
    array = ARRAYS[name]
    curve = octaves_of((0.5,), 0.7, 0)[0]
    mixer = diffuse_mixer(array, sr=SR, c=C)
    tail = diffuse_tail(curve, sr=SR, seed=1, mixer=mixer, start=800, width=320)
    assert tail.shape == (len(array), len(curve))
    assert not tail[:, :640].any()
    into = crossfade(len(curve), centre=800, width=320)[1]
    mean = np.mean(np.sum(tail**2, axis=1) / powers(array))
    assert mean == pytest.approx(np.sum(curve * into**2), rel=1e-9)


def test_each_octave_of_a_tail_has_its_own_decay_and_level():
    """T20 of each octave within 6 % of its curve's, its energy within 0.5 dB of its share, mean of 8 tails."""
    times = tuple(np.linspace(0.9, 0.4, n_bands(SR)))
    curves = octaves_of(times, 1.2, 0)
    mixer = diffuse_mixer(linear(1, spacing=0.1), sr=SR, c=C)
    tails = [diffuse_tail(curves, sr=SR, seed=s, mixer=mixer, start=0) for s in range(8)]
    f = np.fft.rfftfreq(2 * len(curves[0]), 1 / SR)
    for k, centre in enumerate((125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)):
        found = [measure(tail, SR, delay=0, centre=centre).t20 for tail in tails]
        assert np.mean(found) == pytest.approx(times[k], rel=0.06), centre
        inside = (f > centre / 2**0.25) & (f < centre * 2**0.25)
        energy = [np.sum(np.abs(np.fft.rfft(tail[0], 2 * len(curves[0])))[inside] ** 2) for tail in tails]
        share = np.sum(curves[k]) * np.count_nonzero(inside)
        assert 10 * np.log10(np.mean(energy) / share) == pytest.approx(0.0, abs=1.0 if centre < 200 else 0.5), centre


def test_a_tail_is_coherent_as_a_diffuse_field():
    """The coherence of 40 tails 5 cm apart is that of theory within 0.1 (rms 0.05) below 6 kHz."""
    array = ARRAYS["pair 5 cm"]
    curve = octaves_of((2.0,), 1.0, 0)
    mixer = diffuse_mixer(array, sr=SR, c=C)
    cross = sum(
        welch(diffuse_tail(curve, sr=SR, seed=s, mixer=mixer, start=0) / np.sqrt(curve + 1e-12), 256)[1]
        for s in range(40)
    )
    f = np.fft.rfftfreq(256, 1 / SR)
    error = np.abs(normalised(cross) - normalised(cross_powers(array, f, c=C)))[2 : np.argmax(f > 6000)]
    assert error.max() < 0.1
    assert np.sqrt(np.mean(error**2)) < 0.05


def test_equal_octaves_are_one_broadband_tail():
    """Octaves with equal curves give the tail of the one curve: the bands rebuild the noise (matching: within 0.2 dB)."""
    one = octaves_of((0.6,), 0.8, 0)
    mixer = diffuse_mixer(linear(1, spacing=0.1), sr=SR, c=C)
    single = diffuse_tail(one, sr=SR, seed=3, mixer=mixer, start=400)
    every = diffuse_tail(np.repeat(one, n_bands(SR), axis=0), sr=SR, seed=3, mixer=mixer, start=400)
    assert np.corrcoef(single[0], every[0])[0, 1] > 0.999
    assert 10 * np.log10(np.sum(every**2) / np.sum(single**2)) == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize(
    ("curve", "start", "message"),
    [
        (np.ones((3, 100)), 0, "1 or 7 curves"),
        (np.full(100, np.nan), 0, "finite"),
        (np.full(100, -1.0), 0, "not below 0"),
        (np.ones(100), -1, "sample 0 or later"),
        (np.ones((1, 0)), 0, "shape"),
    ],
)
def test_impossible_curves_are_refused(curve, start, message):
    """A wrong number of octaves, NaN, negative energy, a start before 0."""
    with pytest.raises(ParameterError, match=message):
        diffuse_tail(curve, sr=SR, seed=1, mixer=diffuse_mixer(linear(1, spacing=1), sr=SR, c=C), start=start)


# ---- Polack's rooms


def pulses(n_channels: int, delay: int) -> np.ndarray:
    direct = np.zeros((n_channels, delay + 1))
    direct[:, delay] = 0.5
    return direct


@pytest.mark.parametrize("rt60", [0.2, 0.6, 1.5])
@pytest.mark.parametrize("drr_db", [-10.0, 0.0, 8.0])
def test_a_statistical_room_has_what_was_asked(rt60, drr_db):
    """DRR exact at the reference channel; T30 within 2 % on average over 12 seeds; the direct sound untouched."""
    mixer = diffuse_mixer(linear(2, spacing=0.1), sr=SR, c=C)
    found = []
    for seed in range(12):
        h = statistical_response(pulses(2, 300), sr=SR, delay=300, rt60=rt60, drr_db=drr_db, seed=seed, mixer=mixer)
        assert 10 * np.log10(0.25 / np.sum(h[0, 301:] ** 2)) == pytest.approx(drr_db, abs=1e-9)
        assert h[0, 300] == 0.5
        assert not h[:, :300].any()
        assert not h[:, 301:341].any()
        found.append(measure(h[:, 300:], SR, delay=0))
    if drr_db < 5:
        assert np.mean([m.t30 for m in found]) == pytest.approx(rt60, rel=0.02)
    assert np.mean([m.drr_db for m in found]) == pytest.approx(drr_db, abs=0.01)


def test_a_statistical_room_has_a_time_for_each_octave():
    """T20 of the octaves from 250 Hz on within 8 % of theirs, mean of 10 seeds."""
    times = tuple(np.linspace(1.0, 0.4, n_bands(SR)))
    mixer = diffuse_mixer(linear(1, spacing=0.1), sr=SR, c=C)
    rooms = [
        statistical_response(pulses(1, 100), sr=SR, delay=100, rt60=times, drr_db=-12.0, seed=s, mixer=mixer)
        for s in range(10)
    ]
    for k, centre in enumerate((250.0, 500.0, 1000.0, 2000.0, 4000.0), start=1):
        found = [measure(h, SR, delay=100, centre=centre).t20 for h in rooms]
        assert np.mean(found) == pytest.approx(times[k], rel=0.08), centre


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rt60": 0.0}, "rt60 in 0.02"),
        ({"rt60": [0.5, 0.5]}, "1 or 7 curves"),
        ({"drr_db": float("inf")}, "finite drr_db"),
        ({"delay": 500}, "direct sound around sample 500"),
        ({"direct": np.zeros((1, 200))}, "silence"),
    ],
)
def test_impossible_statistics_are_refused(options, message):
    """Times, ratios and direct sounds that cannot be meant."""
    given = {"direct": pulses(1, 100), "delay": 100, "rt60": 0.5, "drr_db": 0.0, **options}
    mixer = diffuse_mixer(linear(1, spacing=1), sr=SR, c=C)
    with pytest.raises(ParameterError, match=message):
        statistical_response(given.pop("direct"), sr=SR, seed=1, mixer=mixer, **given)
