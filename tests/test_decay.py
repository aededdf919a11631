"""Reverberation times and energy ratios against closed forms, noise, and rooms that others have measured."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audiosynth.acoustics.decay import decay_curve, measure
from audiosynth.acoustics.knees import Decay
from audiosynth.acoustics.octaves import bands_of, bandwidth, octave
from audiosynth.errors import ParameterError

SR = 16000
TIMES = ("t20", "t30", "edt")
ALL = (*TIMES, "drr_db", "c50_db", "c80_db", "d50")


def gaussian(seed: int, n: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).standard_normal(n)


def fall(rt60: float, seconds: float) -> np.ndarray:
    """Return the ideal decay, one sample after another, without any noise: shape (1, n)."""
    return (10.0 ** (-3.0 * np.arange(round(seconds * SR)) / SR / rt60))[np.newaxis]


def polack(seed: int, rt60: float, seconds: float, noise_db: float | None = None) -> np.ndarray:
    h = fall(rt60, seconds)
    h = h * gaussian(seed, h.shape[-1])
    return h if noise_db is None else h + 10 ** (noise_db / 20) * gaussian(seed + 1000, h.shape[-1])


def mean(name: str, responses: list[np.ndarray], **options) -> float:
    return float(np.mean([getattr(measure(h, SR, delay=0, **options), name) for h in responses]))


# ---- theory


@pytest.mark.parametrize("rt60", [0.1, 0.35, 0.8, 3.0])
@pytest.mark.parametrize("name", TIMES)
def test_the_times_of_an_ideal_decay_are_its_own(rt60, name):
    """Schroeder's curve of an exponential decay is the same exponential: T20 = T30 = EDT = T."""
    assert getattr(measure(fall(rt60, 2.5 * rt60), SR, delay=0), name) == pytest.approx(rt60, rel=1e-6)


@pytest.mark.parametrize("rt60", [0.3, 0.6, 1.5])
def test_the_ratios_of_an_ideal_decay_are_closed_forms(rt60):
    """C_t = 10 lg(10^(6t/T) - 1); D50 = 1 - 10^(-0.3/T); DRR is C at 2.5 ms (and one sample)."""
    found = measure(fall(rt60, 3 * rt60), SR, delay=0)
    for value, t in ((found.c50_db, 0.05), (found.c80_db, 0.08), (found.drr_db, 41 / SR)):
        assert value == pytest.approx(10 * math.log10(10 ** (6 * t / rt60) - 1), abs=1e-6)
    assert found.d50 == pytest.approx(1 - 10 ** (-6 * 0.05 / rt60), abs=1e-9)


@pytest.mark.parametrize("rt60", [0.3, 0.6, 1.2])
@pytest.mark.parametrize("name", TIMES)
def test_the_times_of_polacks_noise(rt60, name):
    """Exponential Gaussian noise has T20 = T30 = EDT = T within 2 %, mean of 20 seeds."""
    assert mean(name, [polack(seed, rt60, 1.5 * rt60) for seed in range(20)]) == pytest.approx(rt60, rel=0.02)


def test_two_slopes_are_told_apart():
    """Early decay of 0.3 s over a late one of 1.5 s at -30 dB: the EDT is the first, T30 lies between."""
    late = 10 ** (-30 / 20) * fall(1.5, 3.0)
    h = np.sqrt(fall(0.3, 3.0) ** 2 + late**2)
    found = measure(h, SR, delay=0)
    assert found.edt == pytest.approx(0.3, rel=0.1)
    assert 0.45 < found.t30 < 1.5
    assert found.t20 < found.t30


def test_a_known_ratio_of_direct_to_reverberant():
    """A pulse and noise that begins after its window have the DRR of their energies, wherever the pulse stands."""
    for delay in (0, 700):
        h = np.zeros((1, delay + 12000))
        h[0, delay] = 2.0
        h[0, delay + 100 :] = 0.1 * polack(3, 0.4, 1.0)[0][: 12000 - 100]
        expected = 10 * math.log10(4.0 / np.sum(h[0, delay + 100 :] ** 2))
        assert measure(h, SR, delay=delay).drr_db == pytest.approx(expected, abs=1e-6)


def test_a_pulse_between_two_samples_is_direct_on_both_sides():
    """Half of a band-limited pulse's energy lies before its rounded delay, and is direct sound all the same."""
    n = np.arange(12000)
    pulse = 2.0 * np.sinc(n - 600.5) * (np.abs(n - 600.5) < 40)
    tail = np.zeros(12000)
    tail[700:] = 0.1 * polack(3, 0.4, 1.0)[0][:11300]
    expected = 10 * math.log10(np.sum(pulse**2) / np.sum(tail**2))
    assert measure((pulse + tail)[np.newaxis], SR, delay=601).drr_db == pytest.approx(expected, abs=0.05)


# ---- noise


@pytest.mark.parametrize(("noise_db", "name"), [(-60.0, "t30"), (-50.0, "t30"), (-50.0, "t20"), (-40.0, "t20")])
def test_noise_does_not_lengthen_a_reverberation_time(noise_db, name):
    """With a second of noise behind the decay the time is still right within 2 %, mean of 20 seeds."""
    assert mean(name, [polack(seed, 0.5, 1.5, noise_db) for seed in range(20)]) == pytest.approx(0.5, rel=0.02)


def test_without_the_cut_noise_would_lengthen_it():
    """The plain integral at -40 dB of noise is over 25 % off where the cut and completed one is within 3 %."""
    h = polack(4, 0.5, 1.5, -40.0)
    plain = 10 * np.log10(np.cumsum(h[0, ::-1] ** 2)[::-1] / np.sum(h**2))
    assert (np.argmax(plain < -25) - np.argmax(plain < -5)) / SR * 3 > 0.5 * 1.25
    assert measure(h, SR, delay=0).t20 == pytest.approx(0.5, rel=0.03)


def test_the_range_is_the_distance_of_the_noise():
    """An exponential decay with noise x dB under its start can be followed x dB down (±0.5 dB)."""
    for noise_db in (-60.0, -45.0, -30.0):
        found = np.mean([measure(polack(s, 0.5, 2.0, noise_db), SR, delay=0).dynamic_db for s in range(10)])
        assert found == pytest.approx(-noise_db, abs=0.5)


def test_what_noise_hides_is_none_with_a_reason():
    """T30 needs 45 dB, T20 35, EDT and the ratios 20: less gives None and says how much there is."""
    forty = measure(polack(1, 0.5, 2.0, -40.0), SR, delay=0)
    assert forty.t30 is None
    assert "needs 45 dB" in forty.reasons["t30"]
    assert "has 4" in forty.reasons["t30"] or "has 3" in forty.reasons["t30"]
    assert forty.t20 is not None
    assert set(forty.reasons) == {"t30"}
    thirty = measure(polack(1, 0.5, 2.0, -29.0), SR, delay=0)
    assert (thirty.t20, thirty.t30) == (None, None)
    assert thirty.edt == pytest.approx(0.5, rel=0.1)
    nothing = measure(gaussian(3, 16000)[np.newaxis], SR, delay=0)
    assert all(getattr(nothing, name) is None for name in ALL)
    assert set(nothing.reasons) == set(ALL)


def test_a_response_cut_too_early_gives_no_reverberation_time():
    """Cut at half its T30, a decay shows 30 dB: no T20 or T30; cut at its T, both."""
    short = measure(polack(1, 1.0, 0.5), SR, delay=0)
    assert short.t30 is None
    assert short.t20 is None
    assert "the end" in short.reasons["t20"]
    whole = measure(polack(1, 1.0, 1.0), SR, delay=0)
    assert whole.t30 == pytest.approx(1.0, rel=0.05)


def test_an_impulse_has_no_reverberation():
    """Direct sound alone: nothing follows, so no ratio, and nothing decays."""
    h = np.zeros((1, 4000))
    h[0, 100] = 1.0
    found = measure(h, SR)
    assert all(getattr(found, name) is None for name in ALL)
    assert found.reasons["c50_db"] == "nothing follows"


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_a_reversed_response_is_named(seconds):
    """A sound that grows gives no number at all but a question."""
    h = polack(5, 0.5, seconds)[:, ::-1]
    found = measure(h, SR)
    assert all(getattr(found, name) is None for name in ALL)
    assert all("reversed?" in reason for reason in found.reasons.values())
    assert measure(h[:, ::-1], SR, delay=0).edt is not None


def test_the_curve_never_shows_what_was_subtracted_away():
    """Cut and compensated, every value of the curve is a number above 0 and the first is at most the whole."""
    for noise_db in (None, -50.0, -25.0):
        curve = decay_curve(polack(2, 0.4, 1.5, noise_db)[0], SR, delay=0)
        assert (curve.left > 0).all()
        assert curve.level_db[0] == 0.0


# ---- octaves


def test_octaves_share_out_the_energy():
    """Between the middles of the outer bands the powers of all octaves sum to 1; the middle of each belongs to it alone."""
    pulse = np.ones((1, 1))
    total = 0.0
    for centre in bands_of(48000):
        band, _ = octave(pulse, centre, sr=48000)
        power = np.abs(np.fft.rfft(band[0], 48000 * 2)) ** 2
        assert power[round(2 * centre)] == pytest.approx(1.0, abs=5e-3)
        assert power[round(2 * centre / 2)] + power[round(2 * centre * 2)] < 1e-4
        total = total + power
    np.testing.assert_allclose(total[250:16000], 1.0, atol=0.02)


def test_an_octave_of_white_noise_has_its_share_of_the_energy():
    """The band at fc holds the share fc / (√2 · sr/2) of white noise (within 1.5 %: the steps are even in octaves)."""
    for centre in bands_of(SR):
        pulse = np.ones((1, 1))
        band, lead = octave(pulse, centre, sr=SR)
        assert np.sum(band**2) == pytest.approx(bandwidth(centre) / (SR / 2), rel=0.015)
        assert int(np.argmax(np.abs(band))) == lead


def test_each_octave_shows_its_own_decay():
    """A sum of bands with T = 0.9, 0.6 and 0.3 s, each an octave wide and apart: T20 of each is right within 8 %."""
    n = round(1.5 * SR)
    f = np.fft.rfftfreq(n, 1 / SR)
    found: dict[float, list[float]] = {250.0: [], 1000.0: [], 4000.0: []}
    for seed in range(10):
        h = np.zeros(n)
        for k, (centre, rt60) in enumerate(((250.0, 0.9), (1000.0, 0.6), (4000.0, 0.3))):
            inside = (f > centre / 2) & (f < centre * 2)
            h += np.fft.irfft(np.fft.rfft(gaussian(10 * seed + k, n)) * inside, n) * fall(rt60, 1.5)[0]
        for centre, values in found.items():
            values.append(measure(h[np.newaxis], SR, delay=0, centre=centre).t20)
    for (centre, values), rt60 in zip(found.items(), (0.9, 0.6, 0.3), strict=True):
        assert np.mean(values) == pytest.approx(rt60, rel=0.08), centre


def test_the_ringing_of_a_filter_is_no_reverberation():
    """50 ms of decay at 125 Hz are less than 16 reciprocals of the octave's width: None, and why."""
    found = measure(polack(1, 0.05, 0.5), SR, delay=0, centre=125.0)
    assert found.t30 is None
    assert "ringing" in found.reasons["t30"]
    assert "filter is longer" in found.reasons["drr_db"]
    assert measure(polack(1, 0.05, 0.5), SR, delay=0, centre=4000.0).t30 == pytest.approx(0.05, rel=0.15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"centre": 8000.0}, "beyond half of 16000 Hz"),
        ({"channel": 1}, "channel 1 is not in a response of 1"),
        ({"delay": 20000}, "no sound from sample 20000 on"),
    ],
)
def test_what_cannot_be_measured_is_refused(options, message):
    """An octave, a channel or a delay that is not there is one clear error."""
    with pytest.raises(ParameterError, match=message):
        measure(polack(1, 0.3, 0.5), SR, **options)


# ---- real rooms


def read(path) -> tuple[np.ndarray, int]:
    import soundfile

    if not path.is_file():
        pytest.skip(f"{path.name} is not here")
    y, sr = soundfile.read(path, always_2d=True)
    return y.T, sr


def test_a_room_that_others_measured(shared_data):
    """Room A of Surrey: T60 0.32 s and DRR 6.09 dB in front (Hummersone et al., IEEE TASLP 18 (2010) 1867-1871)."""
    h, sr = read(shared_data / "rirs" / "surrey" / "UniS_RoomA_16k_az+000.wav")
    both = [measure(h, sr, channel=ear) for ear in (0, 1)]
    assert np.mean([found.t30 for found in both]) == pytest.approx(0.32, rel=0.1)
    assert np.mean([found.drr_db for found in both]) == pytest.approx(6.09, abs=0.3)


@pytest.mark.parametrize(
    ("name", "n_channels", "low", "high"),
    [
        ("halls/binaural-s3_r4_bd.wav", 2, 1.7, 2.2),  # onset at 75 ms
        ("halls/omni-35-10.wav", 2, 2.3, 2.8),
        ("halls/kitchen-true-stereo.wav", 4, 0.4, 0.5),
        ("openair/ir_sportscentre_omni.wav", 1, 5.0, 6.5),  # noise 47 dB down
    ],
)
def test_channels_of_a_real_room_agree(shared_data, name, n_channels, low, high):
    """A late onset, a noise floor, four channels: every channel gives T30 in the room's range, within 6 % of T20."""
    h, sr = read(shared_data / "rirs" / name)
    assert h.shape[0] == n_channels
    for channel in range(n_channels):
        found = measure(h, sr, channel=channel)
        assert low < found.t30 < high
        assert found.t20 == pytest.approx(found.t30, rel=0.06)
        assert found.dynamic_db > 45
        assert not found.reasons


def test_the_reversed_response_is_named(shared_data):
    """The one reversed recording of the halls gives no numbers, and its reversal a decay."""
    h, sr = read(shared_data / "rirs" / "halls" / "matrix6-backwards.wav")
    found = measure(h, sr)
    assert found.t30 is None
    assert "reversed?" in found.reasons["t30"]
    assert measure(h[:, ::-1], sr).t20 is not None


@pytest.mark.parametrize(("noise", "tau"), [(0.0, 0.0), (1e-5, 200.0)])
def test_compiled_sums_have_the_bits_of_numpys(noise: float, tau: float) -> None:
    """What is left of a decay is the same whether its loop is loaded or not."""
    pytest.importorskip("numba")
    from audiosynth.acoustics.knees_kernel import remaining

    energy = np.random.default_rng(1).standard_normal(5000) ** 2 * np.exp(-np.arange(5000) / 500)
    found, rest = np.empty(4000), noise * tau
    remaining(energy[:4000], noise, rest, found)
    assert np.array_equal(found, np.cumsum(energy[:4000][::-1] - noise)[::-1] + rest)
    assert np.array_equal(found, Decay(4000, tau, noise).remaining(energy))
