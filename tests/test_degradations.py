"""Every degradation against its theory, its standard, or the number it was asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyloudnorm
import pytest
import scipy.signal
from material import noise, tone, write_recipe, write_wav
from pydantic import ValidationError

from audiosynth import load_recipe, plan_clip, registry, render
from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.errors import ParameterError, RecipeError, RenderError
from audiosynth.material.assets import AssetStore
from audiosynth.sound.dynamics import ahead_minimum, decibels, factors, followed, reduction_db, running_mean, smoothing
from audiosynth.sound.loudness import integrated_loudness, k_sections
from audiosynth.sound.quick_loudness import matched_sections, quick_loudness

SR = 16000
CTX = RenderContext(sr=SR)
NEW = (
    "agc", "air_absorption", "bit_depth", "channels", "clicks", "clipping", "compressor", "dc_offset", "distance", "dropouts",
    "equalizer", "frequency_mask", "hum", "limiter", "loudness", "microphone", "normalise", "polarity", "proximity",
    "resample_round_trip", "seven_band_eq", "telephone_band", "time_mask",
)  # fmt: skip


def applied(y: Array, ctx: RenderContext = CTX, /, **tree: Any) -> Array:
    """Return `y` through an effect given as in a recipe."""
    effect: Any = registry.create("effects", tree)
    return effect.apply(y, ctx)


def rms_db(y: Array) -> float:
    return float(10 * np.log10(np.mean(np.square(y))))


def gain_at(frequency: float, sr: int = SR, /, **tree: Any) -> float:
    """Return the gain in dB for a steady sine, from the middle of two seconds (an effect's own edges are far)."""
    y = tone(frequency, 2.0, sr)
    middle = slice(sr // 2, 3 * sr // 2)
    return rms_db(applied(y, RenderContext(sr=sr), **tree)[:, middle]) - rms_db(y[:, middle])


def line_db(y: Array, frequency: float, sr: int = SR) -> float:
    """Return the level of a line: RMS in dB of the sine at exactly this frequency, by a Hann-weighted projection."""
    t = np.arange(y.shape[-1]) / sr
    window = np.hanning(y.shape[-1])
    z = 2 * np.sum(window * y[0] * np.exp(-2j * np.pi * frequency * t)) / np.sum(window)
    return float(20 * np.log10(abs(z) / math.sqrt(2) + 1e-300))


# --- all of them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("n", [1, 2, 777])
def test_short_sounds_come_back_whole(name: str, n: int) -> None:
    """One sample, two and a few: as many come out, finite, in an array of their own."""
    cls = registry.newest("effects")[name]
    y = noise(n / SR, SR, seed=1, channels=2)
    for example in cls.examples:
        if "recording" in example:
            continue
        out = applied(y, type=name, **example)
        assert out.shape == y.shape
        assert np.isfinite(out).all()
        assert not np.shares_memory(out, y)


@pytest.mark.parametrize("name", NEW)
def test_those_that_say_so_are_linear(name: str) -> None:
    """The effect of a sum is the sum of the effects where `linear` says so, and is not where it denies it."""
    a, b = noise(0.3, SR, seed=2), tone(440, 0.3, SR)
    for example in registry.newest("effects")[name].examples:
        if "recording" in example:
            continue
        effect: Any = registry.create("effects", {"type": name, **example})
        error = np.abs(effect.apply(a + 0.5 * b, CTX) - effect.apply(a, CTX) - 0.5 * effect.apply(b, CTX)).max()
        assert (error < 1e-11) == effect.linear, example


SILENCED = {"loudness": "above the gate", "normalise": "is silent"}
ADDING = {"clicks", "dc_offset", "hum"}


@pytest.mark.parametrize("name", NEW)
def test_silence_stays_silent_or_is_refused(name: str) -> None:
    """Only what adds sound makes some from none; a level cannot be given to silence."""
    y = np.zeros((1, 4000))
    for example in registry.newest("effects")[name].examples:
        if "recording" in example or "noise_dbfs" in example or "dither" in example:
            continue
        if name in SILENCED:
            with pytest.raises(RenderError, match=SILENCED[name]):
                applied(y, type=name, **example)
        else:
            assert applied(y, type=name, **example).any() == (name in ADDING)


@pytest.mark.parametrize("name", ["agc", "compressor", "limiter"])
def test_channels_share_one_gain(name: str) -> None:
    """The ratio of two channels is what it was: the image does not move."""
    y = noise(0.5, SR, seed=3) * np.array([[1.0], [0.25]])
    out = applied(y, type=name)
    np.testing.assert_allclose(out[1], 0.25 * out[0], atol=1e-12)


@pytest.mark.parametrize(
    "tree",
    [
        {"type": "telephone_band"},
        {"type": "telephone_band", "band": "wideband"},
        {"type": "frequency_mask", "fmin": 3000.0, "fmax": 4000.0},
        {"type": "air_absorption", "distance": 100.0},
        {"type": "clipping", "threshold_dbfs": -3.0, "oversample": 8},
        {"type": "limiter", "lookahead": 0.01},
        {"type": "resample_round_trip", "low_sr": 7000},
        {"type": "resample_round_trip", "low_sr": 7000, "aliasing": True},
        {"type": "microphone", "response": [[100.0, -6.0], [4000.0, 0.0]]},
    ],
    ids=lambda tree: "-".join(str(v) for v in tree.values()),
)
def test_nothing_is_delayed(tree: dict[str, Any]) -> None:
    """A short pulse of 1 kHz stays where it is, to the sample: what filters with linear phase takes its delay out."""
    at, t = 4000, (np.arange(8000) - 4000) / SR
    y = (0.4 * np.exp(-np.square(t / 0.001)) * np.cos(2 * np.pi * 1000 * t))[None]
    out = applied(y, **tree)
    assert int(np.argmax(scipy.signal.correlate(out[0], y[0], mode="same"))) == at


# --- levels -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sr", [16000, 48000])
@pytest.mark.parametrize("target", [-30.0, -16.0])
def test_loudness_is_what_pyloudnorm_measures(sr: int, target: float) -> None:
    """An independent BS.1770 meter reads the target within 0.1 LU, pauses and all."""
    y = noise(3.0, sr, seed=4, channels=2)
    y[:, sr : 2 * sr] *= 0.001
    out = applied(y, RenderContext(sr=sr, n_channels=2), type="loudness", target_lufs=target)
    assert pyloudnorm.Meter(sr).integrated_loudness(out.T) == pytest.approx(target, abs=0.1)


def test_loudness_of_both_versions() -> None:
    """The quick filter has the standard's response within 0.005 dB at every rate it runs at, and the gain follows."""
    for sr in (16_000, 22_050, 24_000, 32_000, 44_000):
        f = np.geomspace(5, 0.49999 * sr, 5000)
        want = scipy.signal.sosfreqz(k_sections(48_000), f, fs=48_000)[1]
        got = scipy.signal.sosfreqz(matched_sections(sr), f, fs=sr)[1]
        np.testing.assert_allclose(20 * np.log10(np.abs(got / want)), 0, atol=0.005)
    for sr in (8000, 11_025, 16_000, 22_050, 44_100, 48_000):
        for n in (sr // 5, sr // 2 - 7, 3 * sr + 11):
            y = noise(n / sr, sr, seed=n, channels=2) * np.linspace(0.001, 1, n)
            old, new = (
                applied(y, RenderContext(sr=sr, n_channels=2), type=f"loudness@{v}", target_lufs=-30.0) for v in (1, 2)
            )
            np.testing.assert_allclose(new, old, rtol=0.0005)  # 0.0043 dB
            assert quick_loudness(new, sr) == pytest.approx(-30, abs=2e-6)
            assert integrated_loudness(new, sr) == pytest.approx(-30, abs=0.005)


def test_loudness_of_the_standards_tone() -> None:
    """BS.1770: 997 Hz of peak 0 dBFS reads -3.01 LUFS, so that target is a gain of 0 dB for it."""
    y = np.sin(2 * np.pi * 997 * np.arange(96000) / 48000)[None]
    out = applied(y, RenderContext(sr=48000), type="loudness", target_lufs=-3.01)
    np.testing.assert_allclose(out, y, atol=0.001)


def test_normalise_reaches_its_peak_and_never_passes_it() -> None:
    """Within 1e-6 dB below, for any sound."""
    for seed in range(20):
        out = applied(noise(0.1, SR, seed=seed, channels=2), type="normalise", peak_dbfs=-1.0)
        peak = 20 * np.log10(np.abs(out).max())
        assert -1.000002 < peak <= -1.0 + 1e-12


def test_true_peaks_lie_between_the_samples() -> None:
    """BS.1770 annex 2: a sine at a quarter of the rate whose samples lie 45° off its crests is 3.01 dB louder than they."""
    y = 0.5 * np.sin(2 * np.pi * (np.arange(4000) / 4 + 0.125))[None]
    ends = np.hanning(400)
    y[:, :200] *= ends[:200]
    y[:, -200:] *= ends[200:]
    plain = applied(y, type="normalise", peak_dbfs=-6.0)
    true = applied(y, type="normalise", peak_dbfs=-6.0, true_peak=True)
    difference = 20 * np.log10(np.abs(plain).max() / np.abs(true).max())
    assert difference == pytest.approx(3.01, abs=0.05)


# --- clipping -----------------------------------------------------------------------------------------------------


def test_hard_clipping_cuts_at_its_threshold() -> None:
    """What is below -6 dBFS stays to the bit, the rest is ±0.501."""
    y = noise(0.5, SR, seed=5, level=0.5)
    top = 10 ** (-6 / 20)
    out = applied(y, type="clipping", threshold_dbfs=-6.0)
    inside = np.abs(y) <= top
    assert np.array_equal(out[inside], y[inside])
    np.testing.assert_allclose(np.abs(out[~inside]), top, rtol=1e-15)
    assert 0.05 < np.mean(~inside) < 0.5


def test_soft_clipping_is_a_tanh() -> None:
    """T·tanh(y/T), against NumPy's."""
    y = noise(0.5, SR, seed=5, level=0.5)
    out = applied(y, type="clipping", kind="soft", threshold_dbfs=-12.0)
    top = 10 ** (-12 / 20)
    np.testing.assert_allclose(out, top * np.tanh(y / top), rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5])
def test_so_many_samples_are_clipped(share: float) -> None:
    """The share asked for, to the sample; digital silence around the sound does not count."""
    y = np.pad(noise(1.0, SR, seed=6), ((0, 0), (5000, 7000)))
    out = applied(y, type="clipping", share=share)
    assert np.count_nonzero(out != y) == round(share * SR)


def test_oversampling_keeps_aliases_out() -> None:
    """3.1 kHz clipped hard at 16 kHz: harmonic 5 (15.5 kHz) folds back to 500 Hz, 30 dB less with 8 times the rate."""
    y = tone(3100.0, 1.0, SR, level=0.5)
    plain = applied(y, type="clipping", threshold_dbfs=-12.0)
    fine = applied(y, type="clipping", threshold_dbfs=-12.0, oversample=8)
    assert line_db(plain, 500.0) > -40
    assert line_db(fine, 500.0) < line_db(plain, 500.0) - 30
    assert line_db(fine, 3100.0) == pytest.approx(line_db(plain, 3100.0), abs=1.0)


def test_clipping_needs_one_of_its_two_thresholds() -> None:
    """Neither, and both, are refused."""
    for given in ({}, {"threshold_dbfs": -6.0, "share": 0.1}):
        with pytest.raises(ValidationError, match="threshold_dbfs or share, one of the two"):
            registry.create("effects", {"type": "clipping", **given})


# --- dynamics -----------------------------------------------------------------------------------------------------


def follow_by_hand(x: Array, rising: float, falling: float, start: float, held: Array) -> list[float]:
    """Return equation 16 of Giannoulis et al. in plain Python."""
    state, out = start, []
    for value, stay in zip(x.tolist(), held.tolist(), strict=True):
        if not stay:
            share = rising if value > state else falling
            state = share * state + (1.0 - share) * value
        out.append(state)
    return out


def test_compiled_and_plain_smoothing_give_the_same_bits() -> None:
    """No product and sum is fused, no order is changed."""
    x = noise(1.0, SR, seed=7, level=10.0)[0]
    held = np.asarray(noise(1.0, SR, seed=8)[0] > 0.1)
    found = followed(x, rising=0.9, falling=0.999, start=0.3, held=held)
    assert found.tolist() == follow_by_hand(x, 0.9, 0.999, 0.3, held)


def test_helpers_do_what_their_names_say() -> None:
    """Minimum ahead and running mean against loops; decibels and factors against NumPy's logarithms."""
    x = np.abs(noise(0.02, SR, seed=9)[0])
    for n in (0, 1, 2, 5, 8):
        padded = np.concatenate([np.ones(n), x, np.ones(n)])
        assert ahead_minimum(x, n).tolist() == [padded[i : i + n + 1].min() for i in range(x.size + n)]
        np.testing.assert_allclose(
            running_mean(x, n + 1), np.convolve(x, np.ones(n + 1) / (n + 1), "valid"), rtol=1e-11
        )
    np.testing.assert_allclose(decibels(x), 20 * np.log10(x), atol=1e-12)
    np.testing.assert_allclose(factors(decibels(x)), x, rtol=1e-11)
    assert smoothing(0.01, SR) == pytest.approx(math.exp(-1 / 160), rel=1e-14)


@pytest.mark.parametrize("knee", [0.0, 10.0])
def test_the_static_curve_has_its_threshold_ratio_and_knee(knee: float) -> None:
    """Steady tones from -50 to 0 dBFS: output level over input level, by the definition of a ratio of 4 above -20."""
    for level in np.arange(-50.0, 0.1, 5.0):
        y = tone(1000.0, 1.0, SR, level=10 ** (level / 20) / math.sqrt(2))
        # the gain follows peaks: attack at once, hardly any release
        out = applied(y, type="compressor", threshold_dbfs=-20.0, ratio=4.0, knee_db=knee, attack=0.0, release=5.0)
        got = 20 * np.log10(np.abs(out[:, SR // 2 :]).max())
        if 2 * abs(level + 20) < knee:
            wanted = level + (1 / 4 - 1) * (level + 20 + knee / 2) ** 2 / (2 * knee)
        else:
            wanted = level if level < -20 else -20 + (level + 20) / 4
        assert got == pytest.approx(wanted, abs=0.1)


def test_the_knee_joins_both_lines_smoothly() -> None:
    """Value and slope of the reduction agree at both ends of the knee."""
    for end, slope in ((-25.0, 0.0), (-15.0, 0.75)):
        levels = np.array([end - 1e-4, end, end + 1e-4])
        r = reduction_db(levels, threshold=-20.0, ratio=4.0, knee=10.0)
        np.testing.assert_allclose(np.diff(r) / 1e-4, slope, atol=1e-3)


@pytest.mark.parametrize(("attack", "release"), [(0.005, 0.1), (0.02, 0.05)])
def test_attack_and_release_take_their_time(attack: float, release: float) -> None:
    """A constant that jumps up by 20 dB and down again: after one time constant the gain has done 63 % of its way."""
    y = np.full((1, 3 * SR), 0.01)
    y[:, SR : 2 * SR] = 0.1
    gain = (
        -20
        * np.log10(
            applied(y, type="compressor", threshold_dbfs=-40.0, ratio=2.0, knee_db=0.0, attack=attack, release=release)
            / y
        )[0]
    )
    full = 10.0  # dB: half of 20
    assert gain[2 * SR - 1] == pytest.approx(full, abs=1e-3)
    # sample n has taken n + 1 steps
    assert gain[SR + round(attack * SR) - 1] == pytest.approx(full * (1 - 1 / math.e), abs=0.02)
    assert gain[2 * SR + round(release * SR) - 1] == pytest.approx(full / math.e, abs=0.02)


def test_below_the_threshold_only_the_makeup_is_heard() -> None:
    """3 dB more, to 1e-12."""
    y = noise(0.2, SR, seed=1, level=1e-4)
    out = applied(y, type="compressor", threshold_dbfs=-20.0, makeup_db=3.0)
    np.testing.assert_allclose(out, y * 10 ** (3 / 20), rtol=1e-12)


@pytest.mark.parametrize("lookahead", [0.0, 0.00007, 0.005, 0.1])
@pytest.mark.parametrize("release", [0.0, 0.05])
def test_the_limiter_is_never_above_its_ceiling(lookahead: float, release: float) -> None:
    """Not by one bit, for noise with spikes; the loudest sample comes near it."""
    y = noise(1.0, SR, seed=10, channels=2, level=0.2)
    y[0, 1000], y[1, 9000] = 5.0, -3.0
    out = applied(y, type="limiter", ceiling_dbfs=-6.0, lookahead=lookahead, release=release)
    assert np.abs(out).max() <= 10 ** (-6 / 20)
    assert np.abs(out).max() > 0.99 * 10 ** (-6 / 20)


def test_the_limiter_leaves_the_rest_alone() -> None:
    """Long before and long after a peak the gain is 1, and it goes down within the lookahead only."""
    y = np.full((1, SR), 0.1)
    y[0, 8000] = 2.0
    gain = (applied(y, type="limiter", ceiling_dbfs=0.0, lookahead=0.01, release=0.01) / y)[0]
    np.testing.assert_allclose(gain[: 8000 - 160], 1.0, rtol=1e-10)
    np.testing.assert_allclose(gain[8000], 0.5, rtol=1e-10)
    assert np.all(np.diff(gain[8000 - 160 : 8001]) < 0)
    np.testing.assert_allclose(gain[-3000:], 1.0, rtol=1e-6)
    # in a straight line: 161 samples share the half
    np.testing.assert_allclose(np.diff(gain[8000 - 160 : 8001]), -0.5 / 161, rtol=1e-6)


def test_agc_brings_any_level_to_its_target() -> None:
    """Noise of -50, -35 and -10 dBFS comes out at -23 after some time; a gain of at most 20 dB leaves -50 at -30."""
    for level in (-50.0, -35.0, -10.0):
        y = noise(6.0, SR, seed=11, level=10 ** (level / 20))
        out = applied(y, type="agc", target_dbfs=-23.0)
        assert rms_db(out[:, -2 * SR :]) == pytest.approx(-23.0, abs=0.3)
    out = applied(noise(6.0, SR, seed=11, level=10**-2.5), type="agc", max_gain_db=20.0)
    assert rms_db(out[:, -2 * SR :]) == pytest.approx(-30.0, abs=0.1)


def test_agc_holds_its_gain_in_pauses() -> None:
    """After two seconds below the gate the next word begins with the gain of the one before."""
    y = noise(6.0, SR, seed=12, level=0.02)
    y[:, 2 * SR : 4 * SR] *= 1e-4
    out = applied(y, type="agc", target_dbfs=-20.0, gate_dbfs=-70.0)
    gain = 20 * np.log10(np.abs(out / y))[0]
    assert gain[4 * SR - 1] == pytest.approx(gain[2 * SR], abs=1.0)
    open_gate = applied(y, type="agc", target_dbfs=-20.0, gate_dbfs=-120.0)
    assert 20 * np.log10(np.abs(open_gate / y))[0, 4 * SR - 1] > gain[2 * SR] + 10


# --- colour -------------------------------------------------------------------------------------------------------


def test_an_equalizer_is_its_bands_in_turn() -> None:
    """The same samples as `filter` three times, to the rounding."""
    bands: list[dict[str, Any]] = [
        {"kind": "lowshelf", "frequency": 200.0, "gain_db": -6.0},
        {"kind": "peaking", "frequency": 1000.0, "gain_db": 9.0, "q": 3.0},
        {"kind": "highshelf", "frequency": 4000.0, "gain_db": 3.0},
    ]
    y = noise(0.3, SR, seed=13, channels=2)
    one_by_one = y
    for band in bands:
        one_by_one = applied(one_by_one, **{"q": 0.7071, **band, "type": "filter"})
    np.testing.assert_allclose(applied(y, type="equalizer", bands=bands), one_by_one, atol=1e-12)
    assert gain_at(1000.0, type="equalizer", bands=bands[1:2]) == pytest.approx(9.0, abs=0.01)


def test_an_equalizer_names_the_band_that_does_not_fit() -> None:
    """The second one is above half the rate; a band with a misspelt key is named too."""
    bands = [{"frequency": 100.0, "gain_db": 1.0}, {"frequency": 9000.0, "gain_db": 1.0}]
    with pytest.raises(ParameterError, match=r"bands\[1\]: expected a frequency below half .* got 9000 Hz"):
        applied(np.ones((1, 10)), type="equalizer", bands=bands)
    with pytest.raises(ValidationError, match=r"bands.0.gain"):
        registry.create("effects", {"type": "equalizer", "bands": [{"frequency": 100.0, "gain": 1.0}]})


@pytest.mark.parametrize(("band", "centre"), list(enumerate([63.0, 136.0, 292.0, 630.0, 1357.0, 2924.0, 6300.0])))
def test_each_of_seven_bands_acts_at_its_centre(band: int, centre: float) -> None:
    """10 dB at a peak's centre, 5 at a shelf's midpoint, and little two bands away."""
    gains = [0.0] * 7
    gains[band] = 10.0
    sr = 48000
    assert gain_at(centre, sr, type="seven_band_eq", gains_db=gains) == pytest.approx(
        5.0 if band in (0, 6) else 10.0, abs=0.1
    )
    far = centre * 6 if band < 4 else centre / 6
    assert abs(gain_at(far, sr, type="seven_band_eq", gains_db=gains)) < 1.0


def test_seven_bands_are_drawn_where_a_recipe_gives_none(tmp_path) -> None:
    """Each clip gets seven gains of its own, within ±12 dB."""
    events = [
        {
            "label": "t",
            "source": {"type": "tone", "frequency": 700.0, "duration": 0.1},
            "effects": [{"type": "seven_band_eq"}],
        }
    ]
    recipe = recipe_of(tmp_path, events=events)
    drawn = [plan_clip(recipe, "train", i).events[0].effects[0].gains_db for i in range(3)]
    assert len({gain for gains in drawn for gain in gains}) == 21
    assert all(-12 <= gain <= 12 for gains in drawn for gain in gains)


# ITU-T G.712 (2001), 4-wire channel: least and largest gain relative to 1020 Hz in the band, and what is let out beyond it
NARROW = [
    (300, -1.0, 0.5),
    (400, -0.75, 0.5),
    (600, -0.5, 0.5),
    (2400, -0.5, 0.5),
    (3000, -0.9, 0.5),
    (3400, -1.8, 0.5),
]
NARROW_OUT = [(50, -24.0), (4600, -25.0), (6000, -25.0)]


@pytest.mark.parametrize("sr", [16000, 44100])
def test_the_telephone_band_is_inside_its_mask(sr: int) -> None:
    """300 to 3400 Hz stay, mains and what is above 4.6 kHz go."""
    at_1020 = gain_at(1020.0, sr, type="telephone_band")
    assert at_1020 == pytest.approx(0.0, abs=0.05)
    for frequency, least, most in NARROW:
        assert least <= gain_at(frequency, sr, type="telephone_band") - at_1020 <= most
    for frequency, most in NARROW_OUT:
        assert gain_at(frequency, sr, type="telephone_band") <= most


def test_wideband_telephones_carry_50_to_7000_hz() -> None:
    """-3 dB at 50 Hz, flat from 100 to 7000 Hz, nothing from 8 kHz on."""
    wide = {"type": "telephone_band", "band": "wideband"}
    assert gain_at(50.0, 48000, **wide) == pytest.approx(-3.0, abs=1.0)
    for frequency in (100.0, 200.0, 1000.0, 3400.0, 6000.0, 7000.0):
        assert gain_at(frequency, 48000, **wide) == pytest.approx(0.0, abs=0.5)
    assert gain_at(8000.0, 48000, **wide) < -35


# ISO 9613-1:1993, table 1: dB/km at exact midband frequencies, 101.325 kPa: (temperature, humidity): {nominal Hz: dB/km}
AIR = {
    (20.0, 70.0): {500: 2.80, 1000: 4.98, 2000: 9.02, 4000: 22.9},
    (10.0, 70.0): {500: 1.93, 1000: 3.66, 2000: 9.66, 4000: 32.8},
    (20.0, 50.0): {500: 2.73, 1000: 4.66, 2000: 9.86, 4000: 29.4},
}


@pytest.mark.parametrize(("air", "table"), list(AIR.items()))
def test_air_takes_what_iso_9613_says(air: tuple[float, float], table: dict[int, float]) -> None:
    """Over 500 m, within 1 % of the standard's table and 0.05 dB."""
    for nominal, per_km in table.items():
        exact = 1000.0 * 10.0 ** (0.1 * round(10 * math.log10(nominal / 1000)))
        taken = -gain_at(exact, type="air_absorption", distance=500.0, temperature=air[0], humidity=air[1])
        assert taken == pytest.approx(per_km / 2, rel=0.01, abs=0.05)


def test_twice_the_distance_is_half_the_sound() -> None:
    """6.02 dB per doubling; ten times nearer is 20 dB more; with air, what air takes comes on top."""
    for distance, gain_db in ((2.0, -6.0206), (8.0, -18.0618), (0.1, 20.0)):
        found = gain_at(1000.0, type="distance", distance=distance, air=False)
        assert found == pytest.approx(gain_db, abs=1e-4)
    both = gain_at(4000.0, type="distance", distance=101.0)
    air = gain_at(4000.0, type="air_absorption", distance=100.0)
    assert air < -2
    assert both == pytest.approx(air + 20 * math.log10(1 / 101), abs=1e-6)
    # nearer than the reference nothing is given back
    assert gain_at(4000.0, type="distance", distance=0.5) == pytest.approx(6.0206, abs=1e-4)


@pytest.mark.parametrize(("pattern", "share"), [("cardioid", 0.5), ("figure8", 0.0), ("omni", 1.0)])
@pytest.mark.parametrize("distance", [0.05, 0.3])
def test_proximity_is_the_gradient_of_a_spherical_wave(pattern: str, share: float, distance: float) -> None:
    """|p + (1 - p)(1 + c/(iωr))|, with the pressure gradient taken numerically from e^(-ikr)/r."""
    c = 331.3 * math.sqrt(1 + 20 / 273.15)
    for frequency in (100.0, 200.0, 1000.0, 3000.0):
        k, step = 2 * math.pi * frequency / c, 1e-5
        wave = [np.exp(-1j * k * r) / r for r in (distance - step, distance, distance + step)]
        gradient = -(wave[2] - wave[0]) / (2 * step) / (1j * k)  # 1 times the pressure for a plane wave
        wanted = 20 * np.log10(abs(share + (1 - share) * gradient / wave[1]))
        found = gain_at(frequency, 48000, type="proximity", distance=distance, pattern=pattern, fmin=1.0)
        assert found == pytest.approx(wanted, abs=0.1)


def test_proximity_lifts_lows_and_stops_at_fmin() -> None:
    """A cardioid at 5 cm gains over 12 dB at 100 Hz, at 10 m nothing; two octaves under fmin no more than at it."""
    assert gain_at(100.0, type="proximity", distance=0.05) > 12
    assert gain_at(100.0, type="proximity", distance=10.0) < 0.1
    deep, at = (gain_at(f, type="proximity", distance=0.05, fmin=200.0) for f in (25.0, 200.0))
    assert at < deep < at + 3.5


def test_proximity_hears_by_its_pattern() -> None:
    """Far away, 90° off the axis, a cardioid hears half; a supercardioid at 10 cm from behind is the other way round."""
    far = {"type": "proximity", "distance": 50.0, "angle": 90.0}
    assert gain_at(1000.0, **far) == pytest.approx(20 * math.log10(0.5), abs=0.05)
    behind = applied(tone(4000.0, 0.5, SR), type="proximity", distance=50.0, angle=180.0, pattern="figure8")
    np.testing.assert_allclose(behind[:, 4000:], -tone(4000.0, 0.5, SR)[:, 4000:], atol=0.01)


# --- microphones --------------------------------------------------------------------------------------------------


def test_a_microphones_response_is_the_one_given() -> None:
    """At its points, and straight in dB over log f between them; outside it stays."""
    points = [[100.0, -12.0], [400.0, 0.0], [2000.0, 0.0], [4000.0, 6.0]]
    for frequency, gain_db in (
        (100.0, -12.0),
        (200.0, -6.0),
        (900.0, 0.0),
        (2828.4, 3.0),
        (4000.0, 6.0),
        (7000.0, 6.0),
    ):
        assert gain_at(frequency, type="microphone", response=points) == pytest.approx(gain_db, abs=0.5)


def test_a_microphone_by_numbers() -> None:
    """-3 dB at both edges, 5 dB at the presence, which is no part of what is left out."""
    assert gain_at(100.0, type="microphone", low_cut=100.0) == pytest.approx(-3.01, abs=0.05)
    assert gain_at(50.0, type="microphone", low_cut=100.0, low_cut_order=3) == pytest.approx(-18.1, abs=0.3)
    assert gain_at(5000.0, type="microphone", roll_off=5000.0) == pytest.approx(-3.01, abs=0.05)
    assert gain_at(3000.0, type="microphone", presence=3000.0, presence_db=5.0) == pytest.approx(5.0, abs=0.05)
    y = noise(0.1, SR, seed=1)
    assert applied(y, type="microphone").tobytes() == y.tobytes()


def test_a_microphones_noise_has_its_level_and_its_seed() -> None:
    """-60 dBFS within 0.1 dB, white, independent between channels; another seed is another noise."""
    quiet = np.zeros((2, 4 * SR))
    a, b = (applied(quiet, type="microphone", noise_dbfs=-60.0, seed=seed) for seed in (1, 2))
    assert rms_db(a) == pytest.approx(-60.0, abs=0.1)
    assert abs(np.corrcoef(a)[0, 1]) < 0.02
    assert abs(np.corrcoef(a[0], b[0])[0, 1]) < 0.02
    _, density = scipy.signal.welch(a[0], SR, nperseg=256)
    assert np.ptp(10 * np.log10(density[2:-2])) < 3
    assert registry.create("effects", {"type": "microphone", "noise_dbfs": -60.0}).linear is False
    assert registry.create("effects", {"type": "microphone"}).linear is True


def test_what_cannot_be_of_a_microphone_is_refused() -> None:
    """Points out of order, two measurements, an edge beyond half the rate."""
    with pytest.raises(ValidationError, match="each above the one before; got 200, 100"):
        registry.create("effects", {"type": "microphone", "response": [[200.0, 0.0], [100.0, 0.0]]})
    with pytest.raises(ParameterError, match="roll_off below half the sampling rate"):
        applied(np.ones((1, 10)), type="microphone", roll_off=9000.0)


def test_a_recorded_microphone_keeps_time_and_level(tmp_path) -> None:
    """A low-pass response, recorded 57 samples late and 14 dB down: 1 kHz passes at its level, without delay."""
    h = np.zeros((1, 800))
    h[0, 57 - 10 : 57 + 11] = 0.2 * scipy.signal.firwin(21, 2500, fs=SR)
    write_wav(tmp_path / "mics" / "table" / "table_1_0.wav", h, SR)
    catalogue = {"mics": {"data": "mics", "layout": "folders", "group": None}}
    source = {"type": "tone", "frequency": 1000.0, "duration": 0.5, "fade": 0.05}
    heard = {"type": "microphone", "recording": {"pick": {"from": "mics"}}}
    clips = []
    for effects in ([], [heard]):
        recipe = recipe_of(
            tmp_path, data={"mics": str(tmp_path / "mics")}, catalogues=catalogue,
            events=[{"label": "t", "source": source, "effects": effects}],
        )  # fmt: skip
        clips.append(render(plan_clip(recipe, "train", 0), assets=AssetStore(recipe.roots)).y)
    assert np.abs(clips[1] - clips[0])[:, 1000:7000].max() < 0.01 * np.abs(clips[0]).max()


# --- converters ---------------------------------------------------------------------------------------------------


def test_a_round_trip_keeps_lows_and_loses_highs() -> None:
    """To 8 kHz: 1 kHz stays within 0.01 dB, 5 kHz is 80 dB down."""
    assert gain_at(1000.0, type="resample_round_trip", low_sr=8000) == pytest.approx(0.0, abs=0.01)
    assert gain_at(5000.0, type="resample_round_trip", low_sr=8000) < -80


@pytest.mark.parametrize(
    ("low_sr", "frequency", "folded"), [(8000, 5000.0, 3000.0), (6000, 5000.0, 1000.0), (7350, 5000.0, 2350.0)]
)
def test_aliases_are_where_theory_puts_them(low_sr: int, frequency: float, folded: float) -> None:
    """Without a filter a tone sounds at its distance from the low rate, at its full level; filtered it is gone."""
    y = tone(frequency, 1.0, SR, level=0.2)
    wild = applied(y, type="resample_round_trip", low_sr=low_sr, aliasing=True)
    tame = applied(y, type="resample_round_trip", low_sr=low_sr)
    assert line_db(wild, folded) == pytest.approx(20 * math.log10(0.2), abs=0.1)
    assert line_db(wild, frequency) < -90
    assert line_db(tame, folded) < -90


def test_a_tone_below_half_the_low_rate_survives_unfiltered_sampling() -> None:
    """1 kHz through 7350 Hz and back is the same samples within -70 dB."""
    y = tone(1000.0, 1.0, SR)
    out = applied(y, type="resample_round_trip", low_sr=7350, aliasing=True)
    assert np.abs(out - y)[:, 2000:-2000].max() < 3e-4


def test_held_samples_leave_images() -> None:
    """Zero-order hold at 4 kHz: 1 kHz has an image at 3 kHz, at the ratio of sinc(3/4) and sinc(1/4)."""
    y = tone(1000.0, 1.0, 48000)
    out = applied(y, RenderContext(sr=48000), type="resample_round_trip", low_sr=4000, interpolation="hold")
    ratio = line_db(out, 3000.0, 48000) - line_db(out, 1000.0, 48000)
    assert ratio == pytest.approx(20 * np.log10(np.sinc(0.75) / np.sinc(0.25)), abs=0.1)
    straight = applied(y, RenderContext(sr=48000), type="resample_round_trip", low_sr=4000, interpolation="linear")
    ratio = line_db(straight, 3000.0, 48000) - line_db(straight, 1000.0, 48000)
    assert ratio == pytest.approx(40 * np.log10(np.sinc(0.75) / np.sinc(0.25)), abs=0.2)


def test_a_rate_that_is_not_lower_changes_nothing() -> None:
    """To 16 kHz and above from 16 kHz: the same bits."""
    y = noise(0.1, SR, seed=1)
    for low_sr in (16000, 44100):
        assert applied(y, type="resample_round_trip", low_sr=low_sr).tobytes() == y.tobytes()


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_each_bit_is_worth_six_decibels(bits: int) -> None:
    """A full sine over its error: 6.02·n + 1.76 dB, for a tone of no simple ratio to the rate."""
    y = (1 - 2.0 ** (1 - bits)) * np.sin(2 * np.pi * 997.13 * np.arange(4 * SR) / SR)[None]
    out = applied(y, type="bit_depth", bits=bits)
    # the sine is 1 step short of full scale
    snr = rms_db(y) - rms_db(out - y) - 20 * math.log10(1 - 2.0 ** (1 - bits))
    assert snr == pytest.approx(6.0206 * bits + 1.76, abs=0.5 if bits == 4 else 0.1)
    assert np.unique(out).size <= 2**bits
    assert np.array_equal(out * 2 ** (bits - 1), np.rint(out * 2 ** (bits - 1)))


def test_dither_makes_the_error_independent_of_the_sound() -> None:
    """A tone of a third of a step is gone without dither; with it it is there, under noise of 3/12 step² (Lipshitz)."""
    step = 2.0**-7
    y = (step / 3) * np.sin(2 * np.pi * 1000 * np.arange(8 * SR) / SR)[None]
    assert not applied(y, type="bit_depth", bits=8).any()
    out = applied(y, type="bit_depth", bits=8, dither="tpdf", seed=5)
    assert line_db(out, 1000.0) == pytest.approx(line_db(y, 1000.0), abs=0.3)
    assert np.var(out - y) == pytest.approx(step**2 / 4, rel=0.03)


def test_beyond_full_scale_bits_end() -> None:
    """Two's complement: from -1 to one step below 1."""
    out = applied(np.array([[-3.0, -1.0, 0.99, 3.0]]), type="bit_depth", bits=4)
    assert out.tolist() == [[-1.0, -1.0, 0.875, 0.875]]


# --- faults -------------------------------------------------------------------------------------------------------


def test_an_offset_is_added() -> None:
    """The mean moves by it, nothing else."""
    y = noise(0.5, SR, seed=1)
    out = applied(y, type="dc_offset", offset=0.05)
    np.testing.assert_allclose(out - y, 0.05, atol=1e-15)


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_hum_has_its_lines_and_its_level(mains: float) -> None:
    """RMS as asked, the partials' levels among each other as given, nothing between them."""
    given = [0.0, -6.0, -20.0]
    tree: dict[str, Any] = {"type": "hum", "level_dbfs": -30.0, "frequency": mains, "harmonics_db": given, "seed": 4}
    out = applied(np.zeros((1, 4 * SR)), **tree)
    assert rms_db(out) == pytest.approx(-30.0, abs=0.01)
    lines = [line_db(out, mains * k) for k in (1, 2, 3)]
    np.testing.assert_allclose(np.array(lines) - lines[0], given, atol=0.05)
    assert line_db(out, mains * 1.5) < -90
    other = applied(np.zeros((1, 4 * SR)), **{**tree, "seed": 5})
    assert rms_db(other - out) > -40  # other phases


def test_hum_above_half_the_rate_is_left_out() -> None:
    """At 1 kHz of rate, partials of 400 Hz are one; its level is the whole."""
    out = applied(np.zeros((1, 4000)), RenderContext(sr=1000), type="hum", level_dbfs=-20.0, frequency=400.0, seed=1)
    assert rms_db(out) == pytest.approx(-20.0, abs=0.05)
    assert line_db(out, 400.0, 1000) == pytest.approx(-20.0, abs=0.05)


def test_hum_drifts_as_far_as_told() -> None:
    """The frequency's deviation over ten minutes is 0.1 Hz within a fifth, its mean the mains'."""
    sr = 1000
    out = applied(
        np.zeros((1, 600 * sr)),
        RenderContext(sr=sr),
        type="hum",
        level_dbfs=-20.0,
        harmonics_db=[0.0],
        drift=0.1,
        seed=6,
    )
    phase = np.unwrap(np.angle(scipy.signal.hilbert(out[0])))[sr:-sr]
    frequency = np.diff(phase[::sr]) / (2 * np.pi)
    assert frequency.mean() == pytest.approx(50.0, abs=0.02)
    assert frequency.std() == pytest.approx(0.1, rel=0.2)


def test_clicks_come_as_a_poisson_process() -> None:
    """20 a second over 100 s: their number within 4 standard deviations, gaps exponential, peaks as told, half upwards."""
    out = applied(np.zeros((2, 100 * SR)), type="clicks", rate=20.0, peak_dbfs=-20.0, spread_db=3.0, seed=7)
    assert np.array_equal(out[0], out[1])
    at = np.flatnonzero(out[0])
    assert at.size == pytest.approx(2000, abs=4 * math.sqrt(2000))
    gaps = np.diff(at) / SR
    assert np.mean(gaps > 0.05) == pytest.approx(math.exp(-1), abs=0.05)
    peaks = 20 * np.log10(np.abs(out[0, at]))
    assert np.median(peaks) == pytest.approx(-20.0, abs=0.4)
    assert peaks.std() == pytest.approx(3.0, rel=0.1)
    assert np.mean(out[0, at] > 0) == pytest.approx(0.5, abs=0.05)


def test_clicks_die_away() -> None:
    """To 1/e after their time constant."""
    y = applied(np.zeros((1, SR)), type="clicks", rate=1.0, spread_db=0.0, decay=0.002, peak_dbfs=0.0, seed=8)[0]
    first = int(np.flatnonzero(y)[0])
    assert abs(y[first]) == pytest.approx(1.0)
    assert y[first + 32] / y[first] == pytest.approx(math.exp(-1), rel=1e-9)


def test_a_longer_sound_begins_with_the_same_clicks() -> None:
    """What falls into the first second does not depend on the seconds after it; nor do dropouts."""
    for tree in ({"type": "clicks", "rate": 30.0, "seed": 9}, {"type": "dropouts", "rate": 30.0, "seed": 9}):
        short, long = (applied(np.ones((1, n * SR)), **tree) for n in (1, 3))
        assert np.array_equal(long[:, :SR], short)


def test_dropouts_are_as_many_and_as_long_as_told() -> None:
    """2 a second of 30 ms over 200 s take 6 % less overlaps; exponential ones have that mean."""
    ones = np.ones((1, 200 * SR))
    for law in ("fixed", "exponential"):
        out = applied(ones, type="dropouts", rate=2.0, duration=0.03, fade=0.0, law=law, seed=10)[0]
        assert set(np.unique(out)) == {0.0, 1.0}
        # the share that k Poisson intervals leave uncovered is exp(-rate·duration)
        assert out.mean() == pytest.approx(math.exp(-0.06), abs=0.012)
    few = applied(ones, type="dropouts", rate=0.2, duration=0.03, fade=0.0, seed=11)[0]
    lengths = np.diff(np.flatnonzero(np.diff(np.pad(few, 1, constant_values=1.0))))[::2]
    assert lengths.min() >= 0.03 * SR
    assert np.median(lengths) <= 0.03 * SR + 1  # all but those that lie over each other


def test_dropouts_hold_the_last_sample_or_fade() -> None:
    """On a ramp: flat while it is lost. With fades nothing jumps by more than the steepest part of a raised cosine."""
    y = np.linspace(0.1, 1.0, SR)[None]
    out = applied(y, type="dropouts", rate=3.0, duration=0.05, fade=0.0, fill="hold", seed=12)[0]
    lost = np.flatnonzero(np.abs(out - y[0]) > 1e-12)
    assert lost.size > 500
    runs = np.split(lost, np.flatnonzero(np.diff(lost) > 1) + 1)
    # a run begins at the second lost sample or the first, and holds what stood before it
    assert all(np.ptp(out[run]) < 1e-12 for run in runs)
    faded = applied(np.ones((1, SR)), type="dropouts", rate=3.0, duration=0.05, fade=0.01, seed=12)
    assert faded.min() < 1e-9
    assert np.abs(np.diff(faded)).max() <= math.pi / 2 / (0.01 * SR) + 1e-9


def test_time_masks_stand_where_they_were_put() -> None:
    """Zeros from 0.1 to 0.3 s, raised cosines inside both ends, the rest untouched to the bit."""
    y = noise(1.0, SR, seed=13)
    out = applied(y, type="time_mask", masks=[[0.1, 0.2], [0.95, 0.5]], fade=0.01)
    assert np.array_equal(out[:, :1600], y[:, :1600])
    assert np.array_equal(out[:, 4800:15200], y[:, 4800:15200])
    assert np.abs(out[:, 1760:4640]).max() < 1e-15
    expected = y[0, 1600:1760] * (0.5 + 0.5 * np.cos(np.pi * (np.arange(160) + 0.5) / 160))
    np.testing.assert_allclose(out[0, 1600:1760], expected, atol=1e-12)
    assert np.abs(out[:, 15400:]).max() < 1e-15  # past the end there is no rise
    part = applied(y, type="time_mask", masks=[[0.5, 0.25]], times="fraction", fade=0.0)
    assert np.flatnonzero(part[0] != y[0]).tolist() == list(range(8000, 12000))


def test_masks_in_fractions_end_at_one() -> None:
    """Seconds taken for fractions are refused."""
    with pytest.raises(ValidationError, match="a fraction of the sound's length is from 0 to 1, got 2"):
        registry.create("effects", {"type": "time_mask", "masks": [[2.0, 0.1]], "times": "fraction"})


def test_a_frequency_mask_takes_its_band() -> None:
    """60 dB less in it, -6 dB on its edges, 0 dB half a transition outside."""
    mask = {"type": "frequency_mask", "fmin": 1000.0, "fmax": 1800.0, "transition": 100.0}
    for frequency in (1050.0, 1400.0, 1750.0):
        assert gain_at(frequency, **mask) < -50
    assert gain_at(1400.0, **mask) < -60
    for frequency in (1000.0, 1800.0):
        assert gain_at(frequency, **mask) == pytest.approx(-6.02, abs=0.1)
    for frequency in (300.0, 950.0, 1850.0, 5000.0):
        assert gain_at(frequency, **mask) == pytest.approx(0.0, abs=0.05)


def test_frequency_masks_reach_both_ends() -> None:
    """From 0 Hz it is a high-pass, beyond half the rate a low-pass; a mask narrower than its edges is refused."""
    low = {"type": "frequency_mask", "fmin": 0.0, "fmax": 500.0}
    assert gain_at(20.0, **low) < -50
    assert gain_at(600.0, **low) == pytest.approx(0.0, abs=0.05)
    high = {"type": "frequency_mask", "fmin": 5000.0, "fmax": 20000.0}
    assert gain_at(7990.0, **high) < -50
    assert gain_at(4900.0, **high) == pytest.approx(0.0, abs=0.05)
    with pytest.raises(ValidationError, match="at least one transition"):
        registry.create("effects", {"type": "frequency_mask", "fmin": 500.0, "fmax": 550.0})


def test_polarity_and_channels_move_whole_numbers() -> None:
    """Inverted, exchanged, late by 16 samples, at half, gone: each sample is the one expected."""
    y = noise(0.1, SR, seed=14, channels=3)
    assert np.array_equal(applied(y, type="polarity"), -y)
    assert np.array_equal(applied(y, type="polarity", invert=False), y)
    assert np.array_equal(applied(y, type="channels", swap=[[0, 2]]), y[[2, 1, 0]])
    assert np.array_equal(applied(y, type="channels", drop=[1]), y * [[1.0], [0.0], [1.0]])
    late = applied(y, type="channels", delays=[0.0, 0.001])
    assert np.array_equal(late[1, 16:], y[1, :-16])
    assert not late[1, :16].any()
    assert np.array_equal(late[[0, 2]], y[[0, 2]])
    np.testing.assert_allclose(applied(y, type="channels", gains_db=[-20.0])[0], 0.1 * y[0], rtol=1e-14)


def test_labels_follow_the_first_channel() -> None:
    """A delay of the first channel moves what is labeled, one of the second does not."""
    first: Any = registry.create("effects", {"type": "channels", "delays": [0.01]})
    second: Any = registry.create("effects", {"type": "channels", "delays": [0.0, 0.01]})
    assert first.segments(1000, SR) == [Segment(0, 840, 160, 1000)]
    assert second.segments(1000, SR) == [Segment(0, 1000, 0, 1000)]


def test_channels_that_are_not_there_are_named() -> None:
    """A stereo swap on a mono event says so, and where it belongs."""
    with pytest.raises(ParameterError, match=r"channels.swap: there is no channel 1, this sound has 1 .*mix"):
        applied(np.ones((1, 10)), type="channels", swap=[[0, 1]])


# --- in clips -----------------------------------------------------------------------------------------------------


def recipe_of(folder: Any, **tree: Any) -> Any:
    """Return a loaded recipe of one-second clips."""
    full = {"sr": SR, "duration": 1.0, "clips": 3, **tree}
    return load_recipe(write_recipe(folder / "r.yaml", full), cache_dir=folder / "cache")


SEEDED = [
    {"type": "clicks", "rate": 20.0},
    {"type": "hum", "level_dbfs": -30.0},
    {"type": "dropouts", "rate": 5.0},
    {"type": "bit_depth", "bits": 8, "dither": "tpdf"},
    {"type": "microphone", "noise_dbfs": -60.0},
]
PLAIN = [
    {"type": name, **{k: list(v) if isinstance(v, tuple) else v for k, v in registry.newest("effects")[name].examples[0].items() if k != "seed"}}
    for name in NEW
]  # fmt: skip


@pytest.mark.parametrize("place", ["event", "mix"])
def test_effects_get_their_seed_from_the_plan(tmp_path, place: str) -> None:
    """Two of a kind in one clip, and two clips, have seeds of their own; the row holds them, and gives the clip again."""
    effects = SEEDED + SEEDED
    event: dict[str, Any] = {
        "label": "t",
        "source": {"type": "tone", "frequency": 700.0, "duration": 0.5},
        "level_dbfs": -20,
    }
    tree = (
        {"events": [{**event, "effects": effects}]}
        if place == "event"
        else {"events": [event], "mix": {"effects": effects}}
    )
    recipe = recipe_of(tmp_path, **tree)
    seeds = []
    for i in (0, 1):
        spec = plan_clip(recipe, "train", i)
        seeds += [e.seed for e in (spec.events[0].effects if place == "event" else spec.mix.effects)]
        again = type(spec).model_validate(spec.to_json())
        assert render(again).pcm16.tobytes() == render(spec).pcm16.tobytes()
    assert len(set(seeds)) == 2 * len(effects)


PLAIN[NEW.index("channels")] = {"type": "channels", "gains_db": [-6.0]}


@pytest.mark.parametrize("tree", PLAIN, ids=lambda tree: tree["type"])
def test_every_degradation_works_on_events_and_on_the_mix(tmp_path, tree: dict[str, Any]) -> None:
    """A clip of two channels: the effect changes it in both places, the clip's length stays, labels too."""
    event: dict[str, Any] = {
        "label": "t", "onset": 0.2, "level_dbfs": -20,
        "source": {"type": "noise_burst", "duration": 0.5, "seed": 1},
    }  # fmt: skip
    bed = {"type": "coloured", "colour": "pink", "level_dbfs": -50, "seed": 2, "spatial": "independent"}
    plain, on_mix = (
        render(plan_clip(recipe_of(tmp_path, channels=2, events=[event], noise=bed, **more), "train", 0))
        for more in ({}, {"mix": {"effects": [tree]}})
    )
    assert on_mix.y.shape == plain.y.shape
    assert on_mix.labels == plain.labels
    assert not np.array_equal(on_mix.y, plain.y)
    on_event = render(
        plan_clip(recipe_of(tmp_path, channels=2, events=[{**event, "effects": [tree]}], noise=bed), "train", 0)
    )
    assert on_event.labels == plain.labels
    assert on_event.y.shape == plain.y.shape


def test_a_bad_effect_is_named_with_its_line(tmp_path) -> None:
    """A misspelt parameter of the mix's third effect: file, line and the near name."""
    tree = {"mix": {"effects": [{"type": "polarity"}, {"type": "limiter"}, {"type": "compressor", "ratios": 4.0}]}}
    with pytest.raises(RecipeError, match=r"mix.effects\[2\].*'compressor' has no such parameter"):
        recipe_of(tmp_path, **tree)
