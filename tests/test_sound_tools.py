"""The toolbox of the synthesizers against theory: Fourier series, aliases, decay rates, power densities."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from audiosynth.errors import ParameterError
from audiosynth.synthesis import engines, grains, modal, shaped, voice, waves


def spectrum_db(y: np.ndarray) -> np.ndarray:
    """Return the level of each bin of a windowed spectrum re the highest."""
    s = np.abs(np.fft.rfft(y * scipy.signal.windows.blackmanharris(len(y)))) + 1e-15
    return 20.0 * np.log10(s / s.max())


def outside(y: np.ndarray, sr: int, f0: float, *, width: int = 6) -> float:
    """Return the highest level beside the multiples of f0, re the highest of all."""
    level = spectrum_db(y)
    at = np.arange(len(level)) * sr / len(y)
    near = np.abs(at - f0 * np.rint(at / f0)) <= width * sr / len(y)
    return float(level[~near & (at > f0 / 2)].max())


@pytest.mark.parametrize("shape", waves.SHAPES)
@pytest.mark.parametrize(("f0", "sr"), [(997.0, 8000), (61.3, 16_000), (2503.7, 44_100), (23.0, 96_000)])
def test_waveforms_have_no_aliases(shape: str, f0: float, sr: int) -> None:
    """Nothing but multiples of the fundamental, 80 dB down."""
    y = waves.steady(shape, f0, sr, sr, duty=0.3)
    assert outside(y, sr, f0) < -80.0


@pytest.mark.parametrize(
    ("shape", "scipy_wave"),
    [("square", scipy.signal.square), ("sawtooth", lambda p: scipy.signal.sawtooth(p + np.pi)),
     ("triangle", lambda p: scipy.signal.sawtooth(p + np.pi / 2, 0.5)), ("pulse", lambda p: scipy.signal.square(p, 0.3))],
)  # fmt: skip
def test_partials_are_those_of_the_waveform(shape: str, scipy_wave) -> None:
    """The Fourier coefficients are those of the waveform itself, sampled finely."""
    n = 1 << 16
    exact = (
        np.fft.rfft(scipy_wave(2 * np.pi * (np.arange(n) + 0.5) / n))[1:30]
        / n
        * np.exp(-1j * np.pi * np.arange(1, 30) / n)
    )
    sines, cosines = waves.partials(shape, 29, duty=0.3)
    assert np.allclose(-2.0 * exact.imag, sines, atol=2e-4)
    assert np.allclose(2.0 * exact.real, cosines, atol=2e-4)


def test_moving_partials_are_sines() -> None:
    """A moving tone is the sum of its partials' sines, evaluated one by one."""
    sr, n = 16_000, 8000
    f0 = np.linspace(200.0, 300.0, n)
    y = waves.moving(f0, lambda f, t: 1.0 / (1.0 + f * 0.0 + t), sr=sr, n_partials=20)
    cycles = np.concatenate([[0.0], np.cumsum(f0[:-1] / sr)])
    knots = np.arange(0, n + 40, 40)
    gain = np.interp(np.arange(n), np.minimum(knots, n - 1), 1.0 / (1.0 + np.minimum(knots, n - 1) / sr))
    exact = sum(np.sin(2 * np.pi * k * cycles) for k in range(1, 21)) * gain
    assert np.max(np.abs(y - exact)[:-40]) < 1e-9


def test_gliding_partials_vanish_before_they_fold() -> None:
    """A tone that glides up to half the rate leaves nothing below where it is."""
    sr, n = 8000, 16_000
    f0 = np.linspace(500.0, 3900.0, n)
    y = waves.moving(f0, lambda f, _: np.ones_like(f), sr=sr, n_partials=10)
    _, t, z = scipy.signal.stft(y, sr, nperseg=512, noverlap=384, window="blackmanharris")
    level = 20 * np.log10(np.abs(z) + 1e-12) - 20 * np.log10(np.abs(z).max())
    f = np.arange(257) * sr / 512
    lowest = np.interp(t, np.arange(n) / sr, f0)
    below = [
        level[f < low - 200.0, i].max() for i, low in enumerate(lowest) if 600.0 < low < 3500.0 and 0.1 < t[i] < 1.9
    ]
    assert max(below) < -60.0


@pytest.mark.parametrize("sr", [8000, 44_100])
def test_modes_ring_at_their_frequency_and_decay(sr: int) -> None:
    """Each mode is its formula, sample by sample."""
    n = sr
    f, t60, a, phase = (
        np.array([200.0, 530.5, 1234.5]),
        np.array([1.0, 0.3, 0.05]),
        np.array([1.0, 0.5, 2.0]),
        np.array([0.0, 0.2, 0.7]),
    )
    y = modal.ring(f, t60=t60, amplitudes=a, phases=phase, n_samples=n, sr=sr)
    t = np.arange(n) / sr
    exact = np.sum(
        a[:, None] * 10 ** (-3 * t / t60[:, None]) * np.sin(2 * np.pi * (f[:, None] * t + phase[:, None])), axis=0
    )
    assert np.max(np.abs(y - exact)) < 1e-10


def test_modes_above_half_the_rate_are_left_out() -> None:
    """They would fold back."""
    assert not modal.ring([3700.0, 9000.0], t60=0.1, amplitudes=1.0, n_samples=100, sr=8000).any()


@pytest.mark.parametrize("sr", [8000, 48_000])
def test_noise_has_its_density_at_any_rate(sr: int) -> None:
    """Welch's estimate of the density is what was asked for, in dB re 1/Hz, whatever the rate."""
    points = [(100.0, -20.0), (400.0, -40.0), (3500.0, -30.0)]
    y = shaped.noise(3, points, n_samples=20 * sr, sr=sr, stream="x")
    f, p = scipy.signal.welch(y, sr, nperseg=sr // 10)
    for at in (100.0, 200.0, 400.0, 1200.0, 3000.0):
        i = int(np.argmin(np.abs(f - at)))
        mean = 10 * np.log10(p[i - 1 : i + 2].mean())
        assert abs(mean - float(shaped.density([at], points)[0])) < 0.8, at


def test_arrivals_are_poisson() -> None:
    """Counts have the rate as their mean and variance; gaps are exponential."""
    counts = [len(shaped.Chances(seed, "x").arrivals("a", 20.0, 2.0)) for seed in range(400)]
    assert np.mean(counts) == pytest.approx(40.0, rel=0.03)
    assert np.var(counts) == pytest.approx(40.0, rel=0.25)
    gaps = np.diff(shaped.Chances(1, "x").arrivals("a", 100.0, 200.0))
    assert np.std(gaps) / np.mean(gaps) == pytest.approx(1.0, abs=0.05)


def test_grains_stand_between_samples() -> None:
    """A grain that begins between two samples is its formula at those samples."""
    y = grains.scatter(
        np.array([0.010_03]), lambda t, _: np.sin(2 * np.pi * 500 * t), length=0.01, n_samples=400, sr=8000
    )
    first = int(np.ceil(0.010_03 * 8000))
    t = np.arange(first, first + 80) / 8000 - 0.010_03
    assert np.allclose(y[first : first + 80], np.sin(2 * np.pi * 500 * t), atol=1e-12)
    assert not y[:first].any()


def test_a_throat_shows_its_formants() -> None:
    """The long-term spectrum of a voice peaks at its resonances."""
    sr = 16_000
    f0 = 100.0 + 15.0 * np.sin(2 * np.pi * 3 * np.arange(2 * sr) / sr)
    y = voice.voiced(
        f0, lambda _: [(700.0, 100.0), (2400.0, 150.0)], sr=sr, tilt_db=-6.0, chances=shaped.Chances(1, "v")
    )
    f, p = scipy.signal.welch(y, sr, nperseg=1024)
    flat = 10 * np.log10(p) + 6.0 * np.log2(np.maximum(f, 50) / 500)
    smooth = np.convolve(flat, np.ones(15) / 15, "same")
    peaks = f[scipy.signal.argrelmax(np.where((f > 300) & (f < 5000), smooth, -200), order=25)[0]]
    assert any(abs(p - 700) < 80 for p in peaks)
    assert any(abs(p - 2400) < 120 for p in peaks)


@pytest.mark.parametrize(("n_cylinders", "strokes"), [(4, 4), (1, 2), (6, 4)])
def test_an_engine_fires_as_often_as_its_cylinders(n_cylinders: int, strokes: int) -> None:
    """The strongest partial of an even engine is a multiple of cylinders times cycles a second."""
    sr, revs = 8000, np.full(16_000, 30.0)
    y = engines.combustion(
        revs, n_cylinders=n_cylinders, strokes=strokes, resonances=[(90.0, 200.0)], tilt_db=-9.0, uneven_db=-20.0, sr=sr,
        chances=shaped.Chances(1, "e"),
    )  # fmt: skip
    firing = 30.0 * 2 / strokes * n_cylinders
    strongest = np.argmax(spectrum_db(y)) * sr / len(y)
    assert strongest / firing == pytest.approx(round(strongest / firing), abs=0.01)
    assert outside(y, sr, 30.0 * 2 / strokes) < -60.0


def test_nothing_left_is_an_error() -> None:
    """A sound that the rate cannot carry says so, and what to do."""
    with pytest.raises(ParameterError, match=r"below 3600 Hz.*raise sr or lower its pitch"):
        shaped.finished(np.zeros(100), sr=8000, amplitude=1.0)


def test_formants_move_and_pitch_stays():
    """A vowel's resonances go by the ratio; its fundamental, its length and its level do not."""
    import librosa
    import scipy.signal

    from audiosynth.sound.envelope import shift_formants

    sr, f0 = 16_000, 120.0
    n = sr
    source = scipy.signal.lfilter([1.0], [1.0, -0.95], np.diff(np.floor(np.arange(n + 1) * f0 / sr)))
    for f, bw in ((700.0, 90.0), (1220.0, 110.0), (2600.0, 160.0)):
        r = np.exp(-np.pi * bw / sr)
        source = scipy.signal.lfilter([1.0 - r], [1.0, -2.0 * r * np.cos(2 * np.pi * f / sr), r * r], source)
    y = 0.1 * source[None, :] / np.sqrt(np.mean(source**2))
    assert np.allclose(shift_formants(y, sr=sr, ratio=1.0), y, atol=1e-9)
    for ratio in (0.85, 1.15):
        moved = shift_formants(y, sr=sr, ratio=ratio)
        assert moved.shape == y.shape
        lpc = librosa.lpc(np.append(0.0, np.diff(moved[0, 4000:12_000])) * np.hanning(8000), order=10)
        roots = [z for z in np.roots(lpc) if z.imag > 0 and abs(z) > 0.9]
        found = sorted(float(np.angle(z)) * sr / (2 * np.pi) for z in roots)
        for f in (700.0, 1220.0, 2600.0):
            assert min(abs(x - f * ratio) / (f * ratio) for x in found) < 0.07, (ratio, f, found)
        assert np.median(librosa.yin(moved[0], fmin=60, fmax=300, sr=sr)) == pytest.approx(f0, rel=0.01)
        assert 10 * np.log10(np.mean(moved**2) / np.mean(y**2)) == pytest.approx(0.0, abs=3.0)
    assert not np.any(shift_formants(np.zeros((1, 1000)), sr=8000, ratio=1.2))
