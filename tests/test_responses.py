"""Direct sound, noise, early part and tail of impulse responses whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from audiosynth.acoustics.knees import first_of, sounding
from audiosynth.acoustics.responses import (
    MAD_TO_SIGMA,
    direct_part,
    early_part,
    find_direct,
    find_onsets,
    noise_floor,
    tail_offset,
)
from audiosynth.errors import ParameterError

SR = 16000


def gaussian(seed: int, n: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).standard_normal(n)


def hall(*, onset: int, rt60: float, noise_db: float | None = None, seconds: float = 1.5, seed: int = 1) -> np.ndarray:
    """Make Polack's response: a direct pulse of 1, then 0.25 · Gaussian noise · 10^(-3t/T); noise re the pulse."""
    n = round(seconds * SR)
    h = np.zeros(n)
    t = np.arange(n - onset) / SR
    h[onset:] = 0.25 * gaussian(seed, n - onset) * 10 ** (-3 * t / rt60)
    h[onset] = 1.0
    if noise_db is not None:
        h += 10 ** (noise_db / 20) * gaussian(seed + 1, n)
    return h[np.newaxis]


# ---- the direct sound


@pytest.mark.parametrize("onset", [0, 1, 80, 1216, 12000])
@pytest.mark.parametrize("noise_db", [None, -60.0, -50.0, -40.0])
def test_a_known_onset_is_found_to_the_sample(onset, noise_db):
    """The direct pulse is found wherever it stands, also in noise 40 dB below it."""
    for seed in range(5):
        assert find_direct(hall(onset=onset, rt60=0.4, noise_db=noise_db, seed=10 * seed), SR) == onset


def test_the_onset_is_minus_twenty_decibel_not_the_maximum():
    """A direct sound 19.9 dB below a later reflection rules; one at -20.1 dB does not (ISO 3382-1, A.3.4)."""
    h = np.zeros((1, 4000))
    h[0, 900] = 1.0
    for level_db, expected in ((-19.9, 500), (-20.1, 900)):
        h[0, 500] = -(10 ** (level_db / 20))
        assert find_direct(h, SR) == expected


def test_noise_does_not_count_as_direct_sound():
    """With noise 24 dB below the peak, samples of noise pass -20 dB, and the noise floor alone keeps them out."""
    wrong = 0
    for seed in range(20):
        h = hall(onset=6000, rt60=0.2, noise_db=-24.0, seed=100 + 2 * seed)
        wrong += int(np.argmax(np.abs(h[0]) >= 0.1 * np.abs(h[0]).max())) < 6000
        assert find_direct(h, SR) == 6000
    assert wrong == 20


@pytest.mark.parametrize("n", [1, 2, 3, 400, 401])
def test_short_cuts_give_what_numpy_gives(n):
    """The floor's medians, the end of the sound and the first sample of a kind are NumPy's, for even and odd lengths."""
    h = np.random.default_rng(n).standard_normal((2, 10 * n))
    for size in (h, np.round(h)):
        ends = [np.median(np.abs(part), axis=-1) for part in (size[:, :n], size[:, -n:])]
        assert np.array_equal(noise_floor(size, 100), MAD_TO_SIGMA * np.minimum(*ends))
        for k in range(n + 1):
            row = size[0, :n].copy()
            row[k:] = 0.0
            sounds = np.flatnonzero(row)
            assert sounding(row) == (sounds[-1] + 1 if sounds.size else 0)
            assert first_of(row != 0.0) == (sounds[0] if sounds.size else n)
    assert sounding(np.zeros(0)) == first_of(np.zeros(0, dtype=bool)) == 0


@pytest.mark.parametrize("reverse", [False, True])
def test_the_noise_is_measured_where_there_is_only_noise(reverse):
    """The floor is the standard deviation of the noise (±10 %), whichever end holds the sound."""
    h = np.vstack([hall(onset=20, rt60=0.3, noise_db=db, seed=9) for db in (-40.0, -60.0)])
    floor = noise_floor(h[:, ::-1] if reverse else h, SR)
    np.testing.assert_allclose(floor, [1e-2, 1e-3], rtol=0.1)


def test_ringing_before_the_direct_sound_moves_it_by_less_than_half_a_millisecond():
    """A band-limited pulse between two samples rings before its peak; the -20 dB point is at most 6 samples early."""
    n = np.arange(2000)
    for fraction in (0.0, 0.25, 0.5):
        h = np.sinc(n - 700 - fraction)[np.newaxis] + 0.5 * np.sinc(n - 900.3)
        assert 694 <= find_direct(h, SR) <= 700


def test_a_weak_echo_ahead_of_the_sound_is_not_the_sound():
    """A pre-echo of a measurement at -26 dB is passed over."""
    h = hall(onset=800, rt60=0.4)
    h[0, 300] = 0.05
    assert find_direct(h, SR) == 800


def test_the_earliest_channel_rules():
    """Each channel is held against its own peak; silent channels have no onset and do not rule."""
    h = np.vstack(
        [np.roll(hall(onset=100, rt60=0.2, seed=k), k * 7) * 10.0**-k for k in (3, 1, 2)] + [np.zeros((1, 24000))]
    )
    assert find_onsets(h, SR) == [121, 107, 114, None]
    assert find_direct(h, SR) == 107


@pytest.mark.parametrize(
    ("h", "message"),
    [
        (np.zeros((2, 100)), "silent"),
        (np.array([[0.0, np.nan, 1.0]]), "NaN"),
        (np.array([[0.0, np.inf, 1.0]]), "infinity"),
        (np.zeros((0, 4)), "shape"),
        (np.zeros(4), "shape"),
        (gaussian(3, 32000)[np.newaxis], "no direct sound"),
    ],
)
def test_what_is_no_response_is_refused(h, message):
    """Silence, NaN, wrong shapes and plain noise have no direct sound."""
    with pytest.raises(ParameterError, match=message):
        find_direct(h, SR)


# ---- direct, early, tail


def test_the_direct_part_is_five_milliseconds():
    """±2.5 ms around the direct sound stay as they are, in their place; the rest is gone."""
    h = hall(onset=500, rt60=0.4, noise_db=-60.0)
    part = direct_part(h, SR, 500)
    assert part.shape == (1, 541)
    np.testing.assert_array_equal(part[:, 460:], h[:, 460:541])
    assert not part[:, :460].any()


def test_the_early_part_ends_with_a_fade_after_fifty_milliseconds():
    """From -2.5 ms to +50 ms nothing changes; then it falls monotonically to nothing in 2.5 ms."""
    part = early_part(np.ones((2, SR)), SR, 500)
    assert part.shape == (2, 500 + 800 + 40 + 1)
    assert not part[:, :460].any()
    np.testing.assert_array_equal(part[:, 460:1301], 1.0)
    assert (np.diff(part[0, 1300:]) < 0).all()
    assert 0 < part[0, -1] < 0.01


@pytest.mark.parametrize("cut", [direct_part, early_part])
def test_parts_of_a_short_response_are_the_response(cut):
    """A response that is over before the window closes comes back whole, as a copy."""
    h = np.array([[0.0, 1.0, 0.5]])
    part = cut(h, SR, 1)
    np.testing.assert_array_equal(part, h)
    assert not np.shares_memory(part, h)


@pytest.mark.parametrize("rt60", [0.3, 0.6, 1.2])
@pytest.mark.parametrize("tail_db", [-20.0, -30.0, -40.0])
def test_the_tail_of_an_exponential_decay(rt60, tail_db):
    """Schroeder's integral of a decay of T seconds has fallen by x dB after T·x/60 seconds (±3 % of T, mean of 8)."""
    n = round(2 * rt60 * SR)
    found = [
        tail_offset(
            (gaussian(seed, n) * 10 ** (-3 * np.arange(n) / SR / rt60))[np.newaxis], SR, tail_db=tail_db, delay=0
        )
        for seed in range(8)
    ]
    assert np.mean(found) / SR == pytest.approx(-tail_db / 60 * rt60, abs=0.03 * rt60)


@pytest.mark.parametrize("noise_db", [-50.0, -45.0])
def test_background_noise_does_not_lengthen_the_tail(noise_db):
    """With noise under the decay the tail is as long as without it, where the plain integral would be far off."""
    clean = hall(onset=200, rt60=0.5, seconds=4.0)
    noisy = hall(onset=200, rt60=0.5, seconds=4.0, noise_db=noise_db)
    for tail_db in (-20.0, -30.0):
        truth = tail_offset(clean, SR, tail_db=tail_db)
        assert tail_offset(noisy, SR, tail_db=tail_db) == pytest.approx(truth, abs=0.01 * SR)
    plain = np.cumsum(np.square(noisy[0, ::-1]))[::-1]
    assert np.count_nonzero(plain[200:] >= 1e-3 * plain[200]) > truth + 0.5 * SR


def test_what_the_noise_cuts_off_is_added_again():
    """2 dB above the knee the tail is right within 6 ms (mean of 8); 15 ms short without ISO 3382-1's constant C."""
    errors = []
    for seed in range(8):
        clean = hall(onset=200, rt60=0.5, seconds=2.0, seed=10 * seed)
        noisy = hall(onset=200, rt60=0.5, seconds=2.0, seed=10 * seed, noise_db=-50.0)
        errors.append(tail_offset(noisy, SR, tail_db=-36.0) - tail_offset(clean, SR, tail_db=-36.0))
    assert abs(np.mean(errors)) / SR < 0.006


def test_a_tail_under_the_noise_is_continued():
    """At -60 dB, 20 dB under the noise, the fitted decay goes on: within 10 % of the clean response's tail."""
    clean = hall(onset=200, rt60=0.5, seconds=4.0)
    noisy = hall(onset=200, rt60=0.5, seconds=4.0, noise_db=-50.0)
    truth = tail_offset(clean, SR, tail_db=-60.0)
    assert tail_offset(noisy, SR, tail_db=-60.0) == pytest.approx(truth, rel=0.1)


def test_a_decay_cut_before_its_noise_is_taken_as_it_is():
    """Where the end is decay and not noise, nothing is subtracted or added: Schroeder's integral over what is there."""
    n = SR // 2
    h = (gaussian(7, n) * 10 ** (-3 * np.arange(n) / n / 2))[np.newaxis]
    left = np.cumsum(np.square(h[0, ::-1]))[::-1]
    assert tail_offset(h, SR, tail_db=-20.0, delay=0) == np.count_nonzero(left >= 0.01 * left[0]) - 1


def test_an_impulse_has_no_tail_and_no_tail_passes_the_end():
    """The tail of an impulse is 0 samples; a response cut at -10 dB lasts until its last sample at most."""
    assert tail_offset(np.array([[1.0]]), SR, tail_db=-30.0) == 0
    assert tail_offset(np.array([[0.0, 0.0, 1.0, 0.0]]), SR, tail_db=-30.0) == 0
    n = SR // 2
    cut = (gaussian(5, n) * 10 ** (-3 * np.arange(n) / SR / 3.0))[np.newaxis]
    assert 0.9 * n < tail_offset(cut, SR, tail_db=-60.0, delay=0) <= n - 1
    with pytest.raises(ParameterError, match="below 0 dB"):
        tail_offset(cut, SR, tail_db=0.0)


# ---- real rooms


@pytest.mark.parametrize(
    ("name", "low_ms", "high_ms"),
    [
        ("surrey/UniS_RoomA_16k_az+000.wav", 3.5, 4.1),
        ("halls/binaural-s3_r4_bd.wav", 75.3, 75.7),
        ("halls/omni-35-10.wav", 4.9, 5.1),
        ("halls/cardiod-35-10-spread.wav", 4.9, 5.1),
        ("openair/ir_sportscentre_omni.wav", 27.1, 27.4),
    ],
)
def test_real_rooms_start_where_the_eye_sees_it(shared_data, name, low_ms, high_ms):
    """On measured rooms the direct sound is where their plots show it, though their maxima are up to 25 ms later."""
    import soundfile

    path = shared_data / "rirs" / name
    if not path.is_file():
        pytest.skip(f"{name} is not here")
    y, sr = soundfile.read(path, always_2d=True)
    assert low_ms <= find_direct(y.T, sr) / sr * 1000 <= high_ms


def test_the_ears_of_a_real_head_keep_their_delays(shared_data):
    """With the source at +90° and -90° the interaural delay is 0.55 to 0.9 ms, one way and the other."""
    import soundfile

    delays = []
    for side in ("+090", "-090"):
        path = shared_data / "rirs" / "surrey" / f"UniS_RoomA_16k_az{side}.wav"
        if not path.is_file():
            pytest.skip("the rooms of Surrey are not here")
        y, sr = soundfile.read(path, always_2d=True)
        left, right = find_onsets(y.T, sr)
        delays.append((left - right) / sr * 1000)
    assert 0.55 < delays[0] < 0.9
    assert -0.9 < delays[1] < -0.55
