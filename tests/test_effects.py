"""Every effect's promises, and what each does to a sound against its formula."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.effects.fade import Fade, fade_lengths, ramp
from audiosynth.effects.filter import Filter
from audiosynth.effects.gain import Gain
from audiosynth.effects.gain_envelope import GainEnvelope
from audiosynth.effects.pitch_shift import PitchShift
from audiosynth.effects.speed import Speed
from audiosynth.effects.time_stretch import TimeStretch
from audiosynth.errors import ParameterError

SR = 16000
CTX = RenderContext(sr=SR)
EXAMPLES = [
    pytest.param(cls, parameters, id=f"{cls.type_name}-{i}")
    for cls in (Gain, GainEnvelope, Fade, Filter, Speed, PitchShift, TimeStretch)
    for i, parameters in enumerate(cls.examples)
]


def words(n: int, *, n_channels: int = 1) -> Array:
    """Return white noise in ±1, the same on any machine."""
    raw = np.random.Philox(key=5).random_raw(n * n_channels)
    return ((raw >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0).reshape(n_channels, n)


def tone(frequency: float, *, n: int = SR, sr: int = SR) -> Array:
    return np.asarray(0.5 * np.sin(2 * np.pi * frequency * np.arange(n) / sr))[None]


def frequency_of(y: Array, sr: int = SR) -> float:
    """Return the frequency of a sine by the slope of the unwrapped phase of its analytic signal."""
    analytic = scipy.signal.hilbert(y - y.mean())[len(y) // 4 : -len(y) // 4]
    return float(np.polyfit(np.arange(len(analytic)), np.unwrap(np.angle(analytic)), 1)[0] * sr / (2 * np.pi))


@pytest.mark.parametrize(("cls", "parameters"), EXAMPLES)
@pytest.mark.parametrize("n", [1, 2, 777, 5000])
def test_every_effect_keeps_its_promises(cls: Any, parameters: dict[str, Any], n: int) -> None:
    """Length as `extent` says, segments inside it, input unwritten, output its own, finite and the same twice."""
    effect = cls(**parameters)
    y = words(n, n_channels=2)
    kept = y.copy()
    y.flags.writeable = False
    out = effect.apply(y, CTX)
    assert out.shape == (2, effect.extent(n, SR))
    assert out.dtype == np.float64
    assert np.all(np.isfinite(out))
    assert not np.shares_memory(out, y)
    assert y.tobytes() == kept.tobytes()
    assert effect.apply(y, CTX).tobytes() == out.tobytes()
    assert effect.segments(n, SR) == [Segment(0, n, 0, out.shape[-1])]


@pytest.mark.parametrize(("cls", "parameters"), EXAMPLES)
def test_silence_stays_silent(cls: Any, parameters: dict[str, Any]) -> None:
    """No effect makes sound from none."""
    assert not cls(**parameters).apply(np.zeros((1, 3000)), CTX).any()


@pytest.mark.parametrize(("cls", "parameters"), [case for case in EXAMPLES if case.values[0].linear])
def test_linear_effects_are_linear(cls: Any, parameters: dict[str, Any]) -> None:
    """The effect of a sum is the sum of the effects, for those that say they are linear."""
    effect = cls(**parameters)
    a, b = words(2000), tone(440, n=2000)
    both = effect.apply(a + 0.5 * b, CTX)
    np.testing.assert_allclose(both, effect.apply(a, CTX) + 0.5 * effect.apply(b, CTX), atol=1e-11)


@pytest.mark.parametrize(
    "effect", [Gain(gain_db=0.0), Fade(), Speed(factor=1.0), TimeStretch(rate=1.0), PitchShift(semitones=0.0)]
)
def test_neutral_parameters_change_no_bit(effect: Any) -> None:
    """0 dB, no fade, factor 1, rate 1 and 0 semitones give the very same samples in another array."""
    y = words(3001, n_channels=2)
    out = effect.apply(y, CTX)
    assert out.tobytes() == y.tobytes()
    assert not np.shares_memory(out, y)


def test_gain_is_in_decibels_of_amplitude() -> None:
    """20 dB is a factor of ten, -6.0206 dB one half, and inverting changes the sign only."""
    y = words(100)
    np.testing.assert_allclose(Gain(gain_db=20.0).apply(y, CTX), 10 * y, rtol=1e-15)
    np.testing.assert_allclose(Gain(gain_db=-6.020599913279624).apply(y, CTX), 0.5 * y, rtol=1e-14)
    assert np.array_equal(Gain(gain_db=0.0, invert=True).apply(y, CTX), -y)


# --- fade ---------------------------------------------------------------------------------------------------------


def test_an_envelope_is_straight_in_decibels_between_its_points() -> None:
    """At its points the gain is the one given, halfway in time half the decibels, outside it stays."""
    y = GainEnvelope(points=((0.25, -6.0), (0.75, -46.0))).apply(np.ones((2, SR)), CTX)
    db = 20 * np.log10(y)
    assert db[:, [0, SR // 4, SR // 2, 3 * SR // 4, SR - 1]] == pytest.approx(np.tile([-6, -6, -26, -46, -46], (2, 1)))
    assert np.diff(db[0, SR // 4 : 3 * SR // 4]) == pytest.approx(np.full(SR // 2 - 1, -40.0 / (SR // 2)), rel=1e-6)


def test_an_envelope_in_fractions_fits_any_length() -> None:
    """The points of a sound twice as long lie twice as far in."""
    effect = GainEnvelope(points=((0.0, 0.0), (0.5, -20.0), (1.0, 0.0)), times="fraction")
    a, b = effect.apply(np.ones((1, 1000)), CTX), effect.apply(np.ones((1, 2000)), CTX)
    assert b[:, ::2] == pytest.approx(a)
    assert a[0, 500] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"points": [[1.0, 0.0], [1.0, -3.0]]}, "in order of time, each later than the one before; got 1, 1"),
        ({"points": []}, "at least 1"),
        ({"points": [[0.0, 0.0], [2.0, 0.0]], "times": "fraction"}, "from 0 to 1, got 2"),
        ({"points": [[0.0, 130.0]]}, "less than or equal to 120"),
    ],
)
def test_envelopes_that_cannot_be_are_refused(parameters: dict[str, Any], message: str) -> None:
    """Points stand in order of time, within bounds."""
    with pytest.raises(ValidationError, match=message):
        GainEnvelope(**parameters)


@pytest.mark.parametrize("shape", ["linear", "cosine", "sine", "exponential"])
def test_ramps_rise_from_zero_to_one(shape: str) -> None:
    """Every shape rises steadily from near 0 to near 1."""
    gain = ramp(10_000, shape=shape)
    assert np.all(np.diff(gain) > 0)
    assert gain[0] == pytest.approx(0, abs=1e-4)
    assert gain[-1] == pytest.approx(1, abs=1e-3)


def test_ramps_keep_what_they_are_named_for() -> None:
    """Crossed with its mirror, linear and cosine keep the amplitude and sine the power; exponential halves at 40 dB."""
    for shape in ("linear", "cosine"):
        np.testing.assert_allclose(ramp(101, shape=shape) + ramp(101, shape=shape)[::-1], 1.0)
    np.testing.assert_allclose(ramp(101, shape="sine") ** 2 + ramp(101, shape="sine")[::-1] ** 2, 1.0)
    slope_db = np.diff(20 * np.log10(ramp(1000, shape="exponential")[700:]))
    np.testing.assert_allclose(slope_db, 0.06, rtol=0.01)


def test_fades_touch_only_their_ends() -> None:
    """10 ms in and 20 ms out at 16 kHz change the first 160 and the last 320 samples, alike on all channels."""
    out = Fade(fade_in=0.01, fade_out=0.02, shape="linear").apply(np.ones((2, 1000)), CTX)
    np.testing.assert_allclose(out[0, :160], (np.arange(160) + 0.5) / 160)
    assert np.all(out[:, 160:680] == 1)
    np.testing.assert_allclose(out[1, 680:], (np.arange(320)[::-1] + 0.5) / 320)


@given(n=st.integers(1, 1000), fade_in=st.integers(0, 2000), fade_out=st.integers(0, 2000))
def test_short_sounds_have_their_fades_shortened_in_proportion(n: int, fade_in: int, fade_out: int) -> None:
    """Together they never exceed the sound, neither grows, and the proportion holds within one sample."""
    rise, fall = fade_lengths(n, fade_in=fade_in, fade_out=fade_out)
    assert rise + fall <= n
    assert rise <= fade_in
    assert fall <= fade_out
    if fade_in + fade_out > n:
        assert abs(rise - n * fade_in / (fade_in + fade_out)) < 1
        assert abs(fall - n * fade_out / (fade_in + fade_out)) < 1


# --- filter -------------------------------------------------------------------------------------------------------


def response_db(effect: Filter, frequencies: list[float]) -> Array:
    """Return the gain in dB at some frequencies, measured on the impulse response the effect gives."""
    impulse = np.zeros((1, 4 * SR))
    impulse[0, 0] = 1.0
    h = effect.apply(impulse, CTX)[0]
    basis = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(h.size)) / SR)
    return np.asarray(20 * np.log10(np.abs(basis @ h) + 1e-300))


@pytest.mark.parametrize("order", range(1, 9))
def test_butterworth_edges_are_at_minus_3_db_for_every_order(order: int) -> None:
    """Passes are at -3.01 dB on every edge and at 0 dB well inside, whatever the order."""
    cases = (
        ({"kind": "lowpass", "frequency": 1000.0}, [1000.0], 1.0),
        ({"kind": "highpass", "frequency": 1000.0}, [1000.0], 7999.0),
        ({"kind": "bandpass", "fmin": 500.0, "fmax": 2000.0}, [500.0, 2000.0], 1009.6),
        ({"kind": "bandstop", "fmin": 500.0, "fmax": 2000.0}, [500.0, 2000.0], 1.0),
    )
    for parameters, edges, inside in cases:
        measured = response_db(Filter(**parameters, order=order), [*edges, inside])
        np.testing.assert_allclose(measured[:-1], -3.0103, atol=1e-3)
        assert measured[-1] == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("order", [1, 4, 8])
def test_lowpass_follows_the_bilinear_butterworth_formula(order: int) -> None:
    """|H|² = 1/(1 + (tan(πf/sr)/tan(πfc/sr))^(2·order)) at any frequency."""
    frequencies = np.array([100.0, 900.0, 1500.0, 3000.0])
    ratio = np.tan(np.pi * frequencies / SR) / math.tan(np.pi * 1000 / SR)
    due = -10 * np.log10(1 + ratio ** (2 * order))
    measured = response_db(Filter(kind="lowpass", frequency=1000.0, order=order), list(frequencies))
    np.testing.assert_allclose(measured, due, atol=1e-3)


@pytest.mark.parametrize("gain_db", [-12.0, 6.0])
@pytest.mark.parametrize("shape", [{}, {"q": 0.5}, {"slope": 0.6}])
def test_shelves_have_their_gain_at_one_end_and_none_at_the_other(gain_db: float, shape: dict[str, float]) -> None:
    """Full gain at DC (low) or Nyquist (high), 0 dB at the other end, half of it in dB at the frequency."""
    low = response_db(Filter(kind="lowshelf", frequency=1000.0, gain_db=gain_db, **shape), [0.0, 1000.0, SR / 2])
    high = response_db(Filter(kind="highshelf", frequency=1000.0, gain_db=gain_db, **shape), [0.0, 1000.0, SR / 2])
    np.testing.assert_allclose(low, [gain_db, gain_db / 2, 0], atol=1e-6)
    np.testing.assert_allclose(high, [0, gain_db / 2, gain_db], atol=1e-6)


def test_a_shelf_of_slope_one_is_monotonic_and_a_steeper_q_is_not() -> None:
    """Slope 1 is the steepest without overshoot; Q above 0.7071 overshoots the gain."""
    frequencies = list(np.linspace(10, 7990, 40))
    smooth = response_db(Filter(kind="lowshelf", frequency=1000.0, gain_db=9.0, slope=1.0), frequencies)
    assert np.all(np.diff(smooth) < 1e-9)
    assert response_db(Filter(kind="lowshelf", frequency=1000.0, gain_db=9.0, q=2.0), frequencies).max() > 9.5


@pytest.mark.parametrize("q", [0.7, 2.0, 10.0])
@pytest.mark.parametrize("gain_db", [-9.0, 12.0])
def test_peaks_have_their_gain_and_bandwidth(q: float, gain_db: float) -> None:
    """Full gain at the centre, none at the ends, half of it in dB where tan(πf/sr) is off by the bandwidth of Q."""
    x = math.asinh(1 / (2 * q))  # the edges e^±x of the analogue prototype, where e^x - e^-x = 1/Q
    centre = math.tan(math.pi * 1000 / SR)
    edges = [SR / math.pi * math.atan(centre * math.exp(sign * x)) for sign in (-1, 1)]
    measured = response_db(Filter(kind="peaking", frequency=1000.0, gain_db=gain_db, q=q), [0, 1000.0, SR / 2, *edges])
    np.testing.assert_allclose(measured, [0, gain_db, 0, gain_db / 2, gain_db / 2], atol=1e-6)


def test_filter_equals_a_second_implementation_over_samples() -> None:
    """The samples are those of the difference equation of the same sections, run one by one."""
    effect = Filter(kind="bandpass", fmin=300.0, fmax=3400.0, order=3)
    y = words(400)
    due = y[0]
    for section in effect.sections(SR):
        due = scipy.signal.lfilter(section[:3], section[3:], due)
    np.testing.assert_allclose(effect.apply(y, CTX)[0], due, atol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kind": "lowpass"}, "a lowpass filter needs frequency; it takes frequency, order"),
        ({"kind": "bandpass", "frequency": 100.0}, "needs fmax, fmin and does not take frequency"),
        ({"kind": "lowpass", "frequency": 100.0, "gain_db": 3.0}, "does not take gain_db"),
        ({"kind": "peaking", "frequency": 100.0}, "needs gain_db"),
        ({"kind": "peaking", "frequency": 100.0, "gain_db": 1.0, "slope": 1.0}, "does not take slope"),
        ({"kind": "lowshelf", "frequency": 100.0, "gain_db": 1.0, "slope": 1.0, "q": 1.0}, "q or slope, not both"),
        ({"kind": "bandstop", "fmin": 200.0, "fmax": 100.0}, "fmin must be below fmax, got 200.0 and 100.0"),
        ({"kind": "lowpass", "frequency": 100.0, "order": 9}, "less than or equal to 8"),
    ],
)
def test_parameters_that_do_not_fit_the_kind_are_named(parameters: dict[str, Any], message: str) -> None:
    """A filter refuses what its kind does not take and names what it does."""
    with pytest.raises(ValidationError, match=message):
        Filter(**parameters)


def test_a_frequency_at_or_above_nyquist_is_refused_with_both_numbers() -> None:
    """The message names the frequency and half the sampling rate."""
    with pytest.raises(ParameterError, match=r"at 8000 Hz needs .* at 16000 Hz stay below 8000 Hz"):
        Filter(kind="lowpass", frequency=8000.0).apply(np.zeros((1, 10)), CTX)
    with pytest.raises(ParameterError, match=r"bandstop filter at 9000 Hz"):
        Filter(kind="bandstop", fmin=100.0, fmax=9000.0).apply(np.zeros((1, 10)), CTX)


# --- speed, stretch and pitch ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0001, 1.1, 2.0])
def test_speed_moves_frequency_and_length_together(factor: float) -> None:
    """440 Hz becomes 440·factor within 0.01 %, and the length n/factor to the sample."""
    out = Speed(factor=factor).apply(tone(440), CTX)
    assert out.shape[-1] == math.floor(SR / factor + 0.5)
    assert frequency_of(out[0]) == pytest.approx(440 * factor, rel=1e-4)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_speed_keeps_a_click_where_time_maps_it(factor: float) -> None:
    """A click at sample i comes out at i/factor: the resampler adds no delay."""
    y = np.zeros((1, 8000))
    y[0, 4000] = 1.0
    assert int(np.argmax(np.abs(Speed(factor=factor).apply(y, CTX)[0]))) == 4000 / factor


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.25, 2.0])
def test_stretch_keeps_the_frequency(rate: float) -> None:
    """440 Hz stays 440 Hz within 0.01 % at any rate, while the length becomes n/rate."""
    out = TimeStretch(rate=rate).apply(tone(440), CTX)
    assert out.shape[-1] == SR / rate
    assert frequency_of(out[0]) == pytest.approx(440, rel=1e-4)


@pytest.mark.parametrize("semitones", [-24.0, -7.0, -0.5, 0.01, 1.0, 4.0, 12.0, 24.0])
def test_pitch_shift_moves_the_frequency_and_keeps_the_length(semitones: float) -> None:
    """440 Hz becomes 440·2^(semitones/12) within 0.1 % (1.7 cents), and not a sample is gained or lost."""
    out = PitchShift(semitones=semitones).apply(tone(440, n=2 * SR), CTX)
    assert out.shape == (1, 2 * SR)
    assert frequency_of(out[0]) == pytest.approx(440 * 2 ** (semitones / 12), rel=1e-3)
    assert np.std(out[0, SR // 2 : -SR // 2]) == pytest.approx(np.std(tone(440)), rel=0.02)


@pytest.mark.parametrize("semitones", [-5.0, 5.0])
def test_pitch_shift_leaves_clicks_in_place(semitones: float) -> None:
    """Clicks keep their times within 1 ms (centre of energy within 40 ms around)."""
    y = np.zeros((1, SR))
    places = (3000, 8000, 12345)
    y[0, list(places)] = 1.0
    out = PitchShift(semitones=semitones).apply(y, CTX)[0] ** 2
    for place in places:
        part = out[place - 640 : place + 641]
        assert abs((np.arange(-640, 641) * part).sum() / part.sum()) < 0.001 * SR


@pytest.mark.parametrize("semitones", [-24.0, -2.5, 0.0, 3.0, 24.0])
@pytest.mark.parametrize("rate", [0.5, 0.85, 1.2, 2.0])
def test_pitch_and_tempo_in_one_pass(semitones: float, rate: float) -> None:
    """Pitch and length are those of both effects one after the other, and clicks are where the tempo maps them."""
    effect = PitchShift(semitones=semitones, rate=rate)
    out = effect.apply(tone(440, n=2 * SR), CTX)
    assert out.shape == (1, TimeStretch(rate=rate).extent(2 * SR, SR)) == (1, effect.extent(2 * SR, SR))
    assert frequency_of(out[0]) == pytest.approx(440 * 2 ** (semitones / 12), rel=1e-3)
    clicks = np.zeros((1, SR))
    clicks[0, [3000, 12345]] = 1.0
    heard = effect.apply(clicks, CTX)[0] ** 2
    for place in (3000 / rate, 12345 / rate):
        at = round(place)
        part = heard[at - 640 : at + 641]
        assert abs((np.arange(-640, 641) * part).sum() / part.sum()) < 0.003 * SR


@settings(max_examples=25)
@given(n=st.integers(1, 2500), factor=st.floats(0.1, 10))
def test_speed_has_the_length_it_says(n: int, factor: float) -> None:
    """The length is what `extent` says for any factor, and finite."""
    effect = Speed(factor=factor)
    out = effect.apply(words(n), CTX)
    assert out.shape == (1, effect.extent(n, SR))
    assert np.all(np.isfinite(out))
