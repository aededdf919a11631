"""Synthesizers against theory: frequencies, sweeps, partials, vibrato, envelopes, aliases, peaks and ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from audiosynth import registry
from audiosynth.clip import RenderContext
from audiosynth.errors import ParameterError
from audiosynth.synthesis import signals


def _render(kind: str, sr: int = 16000, **parameters: Any) -> np.ndarray:
    synth: Any = registry.create("synths", {"type": kind, **parameters})
    return np.asarray(synth.render(RenderContext(sr=sr)))[0]


def _spectrum_db(y: np.ndarray, n_fft: int = 0) -> np.ndarray:
    """Return the level of each bin in dB re a sine of amplitude 1, through a window with side lobes below -120 dB."""
    w = np.kaiser(len(y), 18.0)
    return 20 * np.log10(np.abs(np.fft.rfft(y * w, n_fft or len(y))) * 2 / w.sum() + 1e-15)


def _peaks(y: np.ndarray, sr: int, near: np.ndarray, *, half_width: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (Hz, dB) of the largest peak around each frequency, by a parabola through three bins."""
    n_fft = 8 * len(y)
    level = _spectrum_db(y, n_fft)
    out = []
    for f in near:
        low, high = (int((f + d) * n_fft / sr) for d in (-half_width, half_width))
        k = low + int(np.argmax(level[low:high]))
        a, b, c = level[k - 1 : k + 2]
        shift = 0.5 * (a - c) / (a - 2 * b + c)
        out.append(((k + shift) * sr / n_fft, b - 0.25 * (a - c) * shift))
    return np.array(out).T


def _instantaneous(y: np.ndarray, sr: int) -> np.ndarray:
    """Return the derivative of the analytic signal's phase in Hz, at half-sample times."""
    import scipy.signal

    return np.diff(np.unwrap(np.angle(scipy.signal.hilbert(y)))) * sr / (2 * np.pi)


@pytest.mark.parametrize("sr", [8000, 44100])
@pytest.mark.parametrize("frequency", [37.0, 440.0, 3777.7])
def test_tone_frequency_and_amplitude(frequency: float, sr: int) -> None:
    """A tone stands at its frequency within 1 mHz and at its amplitude within 0.01 dB."""
    y = _render("tone", sr, frequency=frequency, duration=2.0, amplitude=0.5, fade=0.0)
    (found,), (level,) = _peaks(y, sr, np.array([frequency]), half_width=20.0)
    assert found == pytest.approx(frequency, abs=1e-3)
    assert level == pytest.approx(20 * np.log10(0.5), abs=0.01)


@pytest.mark.parametrize("phase", [0.0, 90.0, -45.0, 360.0])
def test_tone_phase(phase: float) -> None:
    """The first sample is amplitude·sin(phase)."""
    y = _render("tone", frequency=440.0, duration=0.1, phase=phase, fade=0.0)
    assert y[0] == pytest.approx(np.sin(np.deg2rad(phase)), abs=1e-12)


def test_tone_is_pure() -> None:
    """Nothing but the tone is in a tone: everything 100 Hz away from it is 110 dB down, ten minutes into it as well."""
    y = _render("tone", 8000, frequency=1234.5, duration=600.0)[-8000:-80]
    level = _spectrum_db(y)
    f = np.arange(len(level)) * 8000 / len(y)
    assert level[np.abs(f - 1234.5) > 100].max() < -110


def _swept(method: str, f0: float, f1: float, duration: float, t: np.ndarray) -> np.ndarray:
    if method == "linear":
        return f0 + (f1 - f0) * t / duration
    if method == "exponential":
        return f0 * (f1 / f0) ** (t / duration)
    return 1 / (1 / f0 + (1 / f1 - 1 / f0) * t / duration)


@pytest.mark.parametrize("sr", [16000, 48000])
@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("method", ["linear", "exponential", "hyperbolic"])
def test_chirp_instantaneous_frequency(method: str, direction: str, sr: int) -> None:
    """The analytic signal's frequency follows the formula within 0.2 % in the middle 80 % of the sweep."""
    y = _render("chirp", sr, fmin=500.0, fmax=4000.0, duration=1.0, direction=direction, method=method, fade=0.02)
    f0, f1 = (500.0, 4000.0) if direction == "up" else (4000.0, 500.0)
    t = (np.arange(sr - 1) + 0.5) / sr
    middle = slice(sr // 10, -sr // 10)
    expected = _swept(method, f0, f1, 1.0, t)[middle]
    assert np.abs(_instantaneous(y, sr)[middle] / expected - 1).max() < 2e-3


@pytest.mark.parametrize("method", ["linear", "exponential", "hyperbolic"])
def test_chirp_against_scipy(method: str) -> None:
    """A second implementation (scipy.signal.chirp, cosine phase) gives the same samples."""
    import scipy.signal

    y = _render("chirp", fmin=100.0, fmax=7000.0, duration=0.5, method=method, fade=0.0)
    names = {"exponential": "logarithmic"}
    other = scipy.signal.chirp(np.arange(8000) / 16000, 100.0, 0.5, 7000.0, method=names.get(method, method), phi=-90)
    np.testing.assert_allclose(y, other, atol=1e-8)


def test_chirp_almost_without_a_sweep() -> None:
    """Formulas that divide by ln(fmax/fmin) or fmax - fmin stay exact where the two almost meet."""
    tone = _render("tone", frequency=1000.0, duration=0.2)
    for method in ("linear", "exponential", "hyperbolic"):
        y = _render("chirp", fmin=1000.0, fmax=1000.0000001, duration=0.2, method=method)
        np.testing.assert_allclose(y, tone, atol=1e-6)


def test_frequencies_above_nyquist() -> None:
    """A frequency at or above half the rate is an error that names itself and the rate."""
    with pytest.raises(ParameterError, match=r"fmax below half the sampling rate \(4000 Hz at sr 8000\), got 5000 Hz"):
        _render("chirp", 8000, fmin=100.0, fmax=5000.0, duration=0.1)
    with pytest.raises(ParameterError, match=r"frequency below half the sampling rate .* got 4000 Hz"):
        _render("tone", 8000, frequency=4000.0, duration=0.1)
    with pytest.raises(ParameterError, match="f0 below 3600 Hz at sr 8000, got 3700 Hz"):
        _render("harmonic", 8000, f0=3700.0, duration=0.1)


@pytest.mark.parametrize("inharmonicity", [0.0, 1e-3])
def test_partials(inharmonicity: float) -> None:
    """Partial n stands at n·f0·sqrt(1 + B·n²) within 0.1 Hz and falls by the slope per octave within 0.1 dB."""
    y = _render("harmonic", 44100, f0=200.0, duration=2.0, n_partials=12, slope_db=-9.0, inharmonicity=inharmonicity)
    n = np.arange(1, 13)
    expected = n * 200.0 * np.sqrt(1 + inharmonicity * n**2)
    found, level = _peaks(y, 44100, expected, half_width=60.0)
    np.testing.assert_allclose(found, expected, atol=0.1)
    np.testing.assert_allclose(level - level[0], -9.0 * np.log2(n), atol=0.1)


def test_partials_by_list() -> None:
    """`partials_db` sets each level, and there are no other partials."""
    y = _render("harmonic", f0=500.0, duration=1.0, partials_db=[-10.0, 0.0, -30.0], attack=0.0, release=0.0)
    _, level = _peaks(y, 16000, np.array([500.0, 1000.0, 1500.0]), half_width=50.0)
    np.testing.assert_allclose(level - level[1], [-10, 0, -30], atol=0.02)
    assert _spectrum_db(y)[1800:].max() < -100


def test_vibrato() -> None:
    """Frequency swings by the depth in cents, at the rate, around f0."""
    sr = 16000
    y = _render("harmonic", sr, f0=1000.0, duration=4.0, n_partials=1, vibrato_rate=5.5, vibrato_depth=80.0)
    middle = slice(sr // 5, -sr // 5)
    cents = 1200 * np.log2(_instantaneous(y, sr)[middle] / 1000.0)
    t = (np.arange(4 * sr - 1)[middle] + 0.5) / sr
    np.testing.assert_allclose(cents, 80 * np.sin(2 * np.pi * 5.5 * t), atol=1.0)


def test_vibrato_moves_all_partials_alike() -> None:
    """With vibrato the waveform is still that of one period: partial n has exactly n times the phase."""
    sr = 48000
    both = _render("harmonic", sr, f0=300.0, duration=0.5, partials_db=[0.0, 0.0], vibrato_depth=100.0)
    one = _render("harmonic", sr, f0=300.0, duration=0.5, partials_db=[0.0], vibrato_depth=100.0)
    two = _render("harmonic", sr, f0=600.0, duration=0.5, partials_db=[0.0], vibrato_depth=100.0)
    np.testing.assert_allclose(both, (one + two) / 2, atol=1e-9)


@pytest.mark.parametrize("sr", [8000, 16000])
def test_no_aliases(sr: int) -> None:
    """A tone with far more partials than fit has nothing between its partials above -60 dB re its loudest one."""
    f0 = 437.3
    y = _render("harmonic", sr, f0=f0, duration=2.0, n_partials=200, slope_db=0.0)
    level = _spectrum_db(y)
    f = np.arange(len(level)) * sr / len(y)
    off = np.abs(f / f0 - np.round(f / f0)) * f0 > 40
    assert level[off].max() < level.max() - 60
    assert level[f > 0.46 * sr].max() < level.max() - 60


def test_same_partials_at_any_rate() -> None:
    """What a low rate keeps is what a high rate has there: dropping partials does not change the others' level."""
    low = _render("harmonic", 8000, f0=500.0, duration=0.5, n_partials=30, vibrato_depth=30.0)
    high = _render("harmonic", 32000, f0=500.0, duration=0.5, n_partials=30, vibrato_depth=30.0)
    _, a = _peaks(low[500:-500], 8000, np.arange(500.0, 3001, 500), half_width=100.0)
    _, b = _peaks(high[2000:-2000], 32000, np.arange(500.0, 3001, 500), half_width=100.0)
    np.testing.assert_allclose(a, b, atol=0.05)


def test_vibrato_counts_against_the_limit() -> None:
    """A partial that only vibrato would lift above 0.45·sr is left out."""
    still, moved = ({"f0": 1500.0, "duration": 0.2, "n_partials": 2, "vibrato_depth": d} for d in (0.0, 400.0))
    synths: list[Any] = [registry.create("synths", {"type": "harmonic", **p}) for p in (still, moved)]
    assert [len(s.partials(8000)) for s in synths] == [2, 1]


def test_adsr() -> None:
    """The envelope passes 0, 1, sustain and 0 at the ends of attack, decay and release, without corners."""
    sr = 10_000
    e = signals.adsr(sr, sr, attack=0.1, decay=0.2, sustain=0.25, release=0.3)
    found = e[[0, 500, 1000, 2000, 3000, 6900, 8500, 9999]]
    np.testing.assert_allclose(found, [0, 0.5, 1, 0.625, 0.25, 0.25, 0.125, 0], atol=5e-3)
    assert np.abs(np.diff(e)).max() < 1.02 * np.pi / 2 / (0.1 * sr)
    assert np.abs(np.diff(e, 2)).max() < 1.02 * (np.pi / (0.1 * sr)) ** 2 / 2


def test_edges_are_raised_cosines() -> None:
    """A fade lasts its time on each side, is half at its middle, mirrors itself and leaves the rest alone."""
    w = signals.edges(1000, 1000, fade=0.1)
    np.testing.assert_allclose(w, w[::-1])
    np.testing.assert_allclose((w[49] + w[50]) / 2, 0.5, atol=1e-12)
    assert (w[100:900] == 1).all()
    assert (np.diff(w[:100]) > 0).all()


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("tone", {"frequency": 100.0, "duration": 0.009}),
        ("chirp", {"fmin": 100.0, "fmax": 200.0, "duration": 0.1, "fade": 0.06}),
        ("harmonic", {"f0": 100.0, "duration": 0.1, "attack": 0.05, "decay": 0.04}),
        ("noise_burst", {"duration": 0.1, "attack": 0.1, "seed": 1}),
    ],
)
def test_envelopes_must_fit(kind: str, wrong: dict[str, Any]) -> None:
    """Edges longer than the sound are refused in plain words."""
    with pytest.raises(ValidationError, match="do not fit into duration"):
        registry.create("synths", {"type": kind, **wrong})


def test_exact_fit() -> None:
    """Parts that fill the sound exactly in decimal are accepted, whatever binary makes of them."""
    y = _render("harmonic", f0=100.0, duration=0.3, attack=0.1, decay=0.0, release=0.2)
    assert len(y) == 4800


@pytest.mark.parametrize("kind", ["tone", "chirp", "harmonic", "noise_burst"])
def test_ends_and_dc(kind: str) -> None:
    """By default a sound begins and ends near zero, and its mean is 50 dB under its RMS."""
    extra = {"tone": {"frequency": 500.0}, "chirp": {"fmin": 300.0, "fmax": 3000.0}, "harmonic": {"f0": 200.0}}
    y = _render(kind, duration=1.0, **extra.get(kind, {"seed": 4, "fmin": 100.0}))
    assert np.abs(y[[0, -1]]).max() < 1e-3
    assert abs(y.mean()) < 3e-3 * np.sqrt(np.mean(y**2))


@pytest.mark.parametrize("seed", range(20))
def test_peak_at_most_one(seed: int) -> None:
    """Peaks stay within the amplitude over a spread of parameters."""
    p = np.random.Generator(np.random.Philox(seed)).uniform(size=6)
    for y in (
        _render("tone", frequency=1 + 7998 * p[0], duration=0.05, phase=720 * p[1] - 360, amplitude=1.0),
        _render("chirp", fmin=1 + 3000 * p[0], fmax=3001 + 4998 * p[1], duration=0.05, method="hyperbolic"),
        _render("harmonic", f0=20 + 5000 * p[0], duration=0.1, n_partials=1 + int(100 * p[2]), slope_db=72 * p[3] - 60),
        _render("click", width=0.0004 + 0.05 * p[0], n_clicks=5, interval=0.06, polarity="alternating"),
        _render("noise_burst", duration=0.5, slope_db=-12 + 24 * p[4], fmin=10 + 500 * p[5], seed=seed),
    ):
        assert 0 < np.abs(y).max() <= 1.0


def test_accumulated_phase() -> None:
    """The midpoint sum of a linear sweep is its integral exactly."""
    sr = 1000
    middle = (np.arange(sr) + 0.5) / sr
    np.testing.assert_allclose(signals.accumulated(100 * middle, sr), 50 * (np.arange(sr) / sr) ** 2, atol=1e-11)


def test_own_functions_against_the_library() -> None:
    """The machine-independent sine, exponential and logarithm agree with the library's to 1e-15 (relative for the last two)."""
    x = np.linspace(-3.0, 3.0, 100_001)
    np.testing.assert_allclose(signals.sine(x), np.sin(2 * np.pi * (x - np.rint(x))), rtol=0, atol=1e-15)
    assert np.abs(signals.sine(x)).max() <= 1.0
    y = np.concatenate([np.geomspace(1e-12, 12.0, 5000), -np.geomspace(1e-12, 12.0, 5000)])
    np.testing.assert_allclose(signals.expm1(y), np.expm1(y), rtol=2e-15)
    z = np.concatenate([np.geomspace(1e-12, 1e5, 5000), -np.geomspace(1e-12, 0.99999, 5000)])
    np.testing.assert_allclose(signals.log1p(z), np.log1p(z), rtol=2e-15)


@pytest.mark.parametrize("kind", ["exponential", "hyperbolic", "vibrato"])
def test_phase_does_not_lean_on_a_library(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose sin, exp and log are wrong in the last bits gives the same samples to the bit."""
    extra: dict[str, Any] = (
        {"f0": 300.0, "vibrato_depth": 50.0} if kind == "vibrato" else {"fmin": 50.0, "fmax": 7000.0}
    )
    component = "harmonic" if kind == "vibrato" else "chirp"
    if kind != "vibrato":
        extra["method"] = kind
    before = _render(component, duration=5.0, **extra)
    for name in ("sin", "cos", "exp", "expm1", "log", "log1p", "exp2"):
        function = getattr(np, name)
        monkeypatch.setattr(np, name, lambda x, f=function, **_: np.nextafter(f(x), np.inf))
    assert _render(component, duration=5.0, **extra).tobytes() == before.tobytes()
