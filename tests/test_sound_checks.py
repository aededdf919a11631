"""Fingerprints and faults of sound: held against transformations that leave a sound the same, and sounds that are not."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from audiosynth.errors import ParameterError
from audiosynth.sound import fingerprint as fp
from audiosynth.sound.mixdown import fingerprint_of_all
from audiosynth.sound.quality import EDGE, measure, outliers

SR = 16_000


def phrase(seed: int, seconds: float = 2.0, sr: int = SR) -> np.ndarray:
    """Return a sound that changes as speech does: gliding harmonics under slow, random envelopes, with pauses."""
    dice = np.random.default_rng(seed)
    t = np.arange(round(seconds * sr)) / sr
    knots = np.linspace(0, seconds, 12)
    f0 = np.interp(t, knots, dice.uniform(90, 260, 12))
    y = np.zeros_like(t)
    for k in range(1, 14):
        y += np.interp(t, knots, dice.uniform(0, 1, 12)) * np.sin(2 * np.pi * k * np.cumsum(f0) / sr)
    return 0.05 * y * (np.interp(t, knots, dice.uniform(-0.4, 1, 12)).clip(0))


SOUNDS = [phrase(seed) for seed in range(12)]
PRINTS = [fp.fingerprint(y, SR) for y in SOUNDS]
DICE = np.random.default_rng(99)


def halved(y: np.ndarray) -> np.ndarray:
    """Return every second sample, behind an ideal low-pass filter."""
    spectrum = np.fft.rfft(y)
    return np.fft.irfft(spectrum[: y.size // 4 + 1], y.size // 2) / 2


@pytest.mark.parametrize(
    ("change", "sr"),
    [
        (lambda y: 0.01 * y, SR),
        (lambda y: np.concatenate([np.zeros(1234), y]), SR),
        (lambda y: y + DICE.standard_normal(y.size) * 10 ** (-30 / 20) * np.sqrt(np.mean(y**2)), SR),
        (lambda y: y + 0.7 * np.concatenate([[0.0], y[:-1]]), SR),
        (lambda y: np.rint(y * 2000) / 2000, SR),
        (halved, SR // 2),
    ],
    ids=["level", "later", "noise at 30 dB", "filter", "12 bits", "half the rate"],
)
def test_the_same_sound_is_found(change, sr):
    """Each changed sound goes with its own and with no other."""
    found = fp.same_sound(PRINTS, [fp.fingerprint(change(y), sr) for y in SOUNDS])
    assert [(m.one, m.other) for m in found] == [(i, i) for i in range(len(SOUNDS))]
    assert all(m.bit_errors <= fp.SAME for m in found)


def test_other_sounds_are_told_apart():
    """Nothing in common among different phrases; unrelated bits differ half of the time."""
    assert fp.same_sound(PRINTS) == []
    telling = (PRINTS[0] != 0) & (PRINTS[1] != 0)
    bits = np.unpackbits((PRINTS[0][telling] ^ PRINTS[1][telling]).view(np.uint8))
    assert bits.mean() == pytest.approx(0.5, abs=0.1)


def test_a_stretch_of_a_recording_is_found_where_it_is():
    """A second of one phrase inside another sound: found with a window, at its place, and not as a copy of the whole."""
    y = phrase(50, 4.0)
    y[SR : 2 * SR] = SOUNDS[3][SR // 2 : SR // 2 + SR]
    held = [fp.fingerprint(y, SR)]
    assert fp.same_sound(PRINTS, held) == []
    (match,) = fp.same_sound(PRINTS, held, window=45)
    assert (match.one, match.other, match.frames) == (3, 0, 45)
    assert match.offset * fp.HOP == pytest.approx(0.5, abs=fp.HOP)


def test_silence_says_nothing():
    """Two silent clips, or two of the same steady bed of noise at rest, are no copies of each other."""
    silent = fp.fingerprint(np.zeros(SR), SR)
    assert not silent.any()
    assert fp.same_sound([silent, silent, np.empty(0, np.uint32)]) == []
    assert fp.same_sound([]) == []
    with pytest.raises(ParameterError, match=r"one channel, shape \(n_samples,\), got \(1, 5\)"):
        fp.fingerprint(np.zeros((1, 5)), SR)


def test_real_recordings_are_told_apart(shared_data):
    """Digits of four speakers: takes of one word by one speaker are not the same sound."""
    paths = sorted((shared_data / "speech" / "fsdd").rglob("*.wav"))[::6]
    found = fp.same_sound([fp.fingerprint(*soundfile.read(path)) for path in paths])
    assert len(paths) > 100
    assert found == []


PAIRS = {
    "turned": lambda y: np.stack([y, -y]),
    "nearly": lambda y: np.rint(np.stack([y, -0.99 * y]) * 3000) / 3000,
    "one silent": lambda y: np.stack([0 * y, y, -y]),
    "halfway": lambda y: np.stack([y, np.where(np.arange(y.size) < y.size // 2, 1, -1) * y]),
    "two pairs": lambda y: np.stack([y, 0.5 * np.roll(y, 3), -0.5 * np.roll(y, 3), -y]),
}
"""Channels that cancel each other."""


@pytest.mark.parametrize("channels", PAIRS.values(), ids=PAIRS)
def test_channels_that_cancel_are_heard(channels):
    """The mean of such channels is (nearly) silent, all of the time or some; the sound goes with its own and with no other."""
    found = fp.same_sound(PRINTS, [fingerprint_of_all(channels(y), SR) for y in SOUNDS])
    assert [(m.one, m.other) for m in found] == [(i, i) for i in range(len(SOUNDS))]
    assert all(m.bit_errors <= 0.1 for m in found)


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.3])
def test_short_sounds_whose_channels_cancel_are_heard(seconds):
    """Some frames, fewer than a window has: the bits of one channel."""
    y = SOUNDS[0][SR // 2 : SR // 2 + round(seconds * SR)]
    assert (fingerprint_of_all(np.stack([y, -y]), SR) == fp.fingerprint(y, SR)).all()


def test_channels_that_do_not_cancel_are_heard_as_their_mean():
    """Bit for bit: one channel, others in common, nothing in common, some against each other, silence, none, no numbers."""
    y, other = SOUNDS[0], SOUNDS[1]
    steady = np.random.default_rng(5).standard_normal((64, SR))
    weak = np.stack([y, -0.8 * y])
    infinite = np.stack([y, np.where(np.arange(y.size) == 99, np.inf, y)])
    for sound in (
        y[None],
        np.stack([y, 0.3 * y]),
        np.stack([y, other]),
        steady,
        weak,
        np.zeros((2, SR)),
        np.zeros((2, 0)),
        infinite,
    ):
        with np.errstate(invalid="ignore"):
            mean = fp.fingerprint(sound.mean(axis=0), SR)
            assert (fingerprint_of_all(sound, SR) == mean).all()


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.2, 61.0])
@pytest.mark.parametrize("sr", [8000, 11_025, 44_100])
def test_any_length_has_a_fingerprint(seconds, sr):
    """One number every 16 ms from the first sample on, whatever the rate."""
    y = np.random.default_rng(1).standard_normal(round(seconds * sr))
    assert fp.fingerprint(y, sr).shape == (1 + int(seconds / fp.HOP),)


T = np.arange(SR) / SR
TONE = 0.5 * np.sin(2 * np.pi * 440 * T)
NOISE = 0.01 * np.random.default_rng(5).standard_normal(SR)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (TONE, []),
        (NOISE, []),
        (np.zeros(SR), ["silent"]),
        (TONE * 1e-5, ["silent"]),
        (np.where(T == 0.5, np.nan, TONE), ["not_finite"]),
        (np.clip(4 * TONE, -1, 1), ["clipping"]),
        (2 * TONE, []),
        (0.2 * TONE + 0.1, ["dc"]),
        (NOISE + TONE * (T > 0.6), ["cut_tail"]),
        (NOISE + TONE * (T > 0.6) * (T < 0.95), []),
    ],
    ids=["tone", "noise", "zeros", "faint", "nan", "clipped", "touches full scale", "offset", "cut", "ends in time"],
)
def test_faults(y, expected):
    """Each fault is found alone, in one block or in many."""
    assert measure([y[None]], SR).faults() == expected
    blocks = [y[None, i : i + 3000] for i in range(0, y.size, 3000)]
    assert measure(blocks, SR).faults() == expected


def test_levels_are_those_of_the_samples():
    """Peak, RMS and constant part over two channels."""
    found = measure([np.stack([TONE, np.full(SR, 0.25)])], SR)
    assert found.peak_dbfs == pytest.approx(20 * np.log10(0.5), abs=0.01)
    assert found.level_dbfs == pytest.approx(10 * np.log10((0.125 + 0.0625) / 2), abs=0.01)
    assert found.dc_dbfs == pytest.approx(20 * np.log10(0.25), abs=0.01)
    assert found.n_samples == SR


def test_saturated_samples_are_counted():
    """Runs of three and more, in both directions; a lone peak is none."""
    y = np.zeros((1, 100))
    y[0, [5, 6, 10, 11, 12, 30, 31, 32, 33]] = [1, 1, 1, 1, 1, -1, -1, -1, -1]
    assert measure([y], 8000).saturated == 7


def test_the_shortest_sounds_are_measured():
    """One sample, and less than one edge."""
    for n in (1, round(EDGE * SR) - 1):
        assert measure([np.full((1, n), 0.1)], SR).n_samples == n


def test_outliers_need_a_distance():
    """Where nearly all levels are one, a small step is none; the ones that stand apart are told."""
    assert outliers(np.array([-20.0] * 9 + [-21.0])).tolist() == []
    assert outliers(np.array([-20.0] * 9 + [-30.0])).tolist() == [9]
    assert outliers(np.array([])).tolist() == []
