"""Pulses and bursts against theory: spectra, timing, levels, decays, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from audiosynth import registry
from audiosynth.clip import RenderContext
from audiosynth.errors import ParameterError


def _render(kind: str, sr: int = 16000, **parameters: Any) -> np.ndarray:
    synth: Any = registry.create("synths", {"type": kind, **parameters})
    return np.asarray(synth.render(RenderContext(sr=sr)))[0]


def test_noise_burst_level_and_band() -> None:
    """Before its envelope a burst has RMS 1/6.76; outside its band it is at least 20 dB down an octave away."""
    import scipy.signal

    y = _render("noise_burst", 44100, duration=20.0, fmin=1000.0, fmax=4000.0, seed=3)
    assert 20 * np.log10(np.sqrt(np.mean(y**2)) * 6.764) == pytest.approx(0.0, abs=0.15)
    f, density = scipy.signal.welch(y, 44100, nperseg=8192)
    level = 10 * np.log10(density)
    inside = level[(f > 1500) & (f < 3500)].mean()
    assert level[f < 500].max() < inside - 17
    assert level[f < 250].max() < inside - 32
    assert level[f > 4500].max() < inside - 60


def test_noise_burst_decay() -> None:
    """`decay_db` is reached at the end, along a straight line in dB."""
    y = _render("noise_burst", duration=8.0, decay_db=40.0, seed=1, attack=0.0, release=0.0)
    levels = [10 * np.log10(np.mean(part**2)) for part in np.split(y, 8)]
    np.testing.assert_allclose(np.diff(levels), -5.0, atol=0.4)


def test_noise_burst_is_turned_down_not_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the Gaussian passes full scale, the whole burst is scaled: same shape, peak at the amplitude."""
    from audiosynth.synths import noise_burst

    synth: Any = registry.create("synths", {"type": "noise_burst", "duration": 0.2, "seed": 1, "amplitude": 0.5})
    plain = synth.render(RenderContext(sr=8000))[0]
    monkeypatch.setattr(noise_burst, "LARGEST", 0.01)
    loud = synth.render(RenderContext(sr=8000))[0]
    assert np.abs(loud).max() == pytest.approx(0.5)
    np.testing.assert_allclose(loud / np.abs(loud).max(), plain / np.abs(plain).max(), atol=1e-12)


def test_click_spectra() -> None:
    """Biphasic pulses W long: no DC, a top at 1.09/W, a zero at 3/W; monophasic: -6 dB at 1/W, a zero at 2/W."""
    sr, width, n_fft = 192_000, 0.001, 1 << 20
    f = np.arange(n_fft // 2 + 1) * sr / n_fft * width
    pulses = [_render("click", sr, width=width, shape=shape) for shape in ("biphasic", "monophasic")]
    two, one = np.abs(np.fft.rfft(pulses, n_fft))
    assert two[0] < 1e-9 * two.max()
    assert f[np.argmax(two)] == pytest.approx(1.09, abs=0.01)
    assert two[np.searchsorted(f, 3.0)] < 1e-3 * two.max()
    assert 20 * np.log10(two[f > 3].max() / two.max()) == pytest.approx(-32.8, abs=0.3)
    assert np.argmax(one) == 0
    assert 20 * np.log10(one[np.searchsorted(f, 1.0)] / one[0]) == pytest.approx(-6.02, abs=0.05)
    assert one[np.searchsorted(f, 2.0)] < 1e-3 * one[0]
    assert 20 * np.log10(one[f > 2].max() / one[0]) == pytest.approx(-31.5, abs=0.3)


@pytest.mark.parametrize("sr", [8000, 44100])
def test_click_train_keeps_time(sr: int) -> None:
    """Pulses of a train are `interval` apart to a hundredth of a sample, though that is no whole number of samples."""
    y = _render("click", sr, width=0.002, n_clicks=9, interval=0.0123457, shape="monophasic")
    t = np.arange(len(y)) + 0.5
    centres = []
    for i in range(9):
        near = np.abs(t / sr - (i * 0.0123457 + 0.001)) < 0.003
        centres.append(np.sum(t[near] * y[near]) / np.sum(y[near]) / sr)
    np.testing.assert_allclose(np.diff(centres), 0.0123457, atol=1e-2 / sr)


@pytest.mark.parametrize(
    ("polarity", "signs"), [("positive", [1, 1, 1]), ("negative", [-1, -1, -1]), ("alternating", [1, -1, 1])]
)
def test_click_polarity(polarity: str, signs: list[int]) -> None:
    """The first lobe has the sign asked for."""
    y = _render("click", n_clicks=3, interval=0.01, polarity=polarity)
    assert [np.sign(y[160 * i + 5]) for i in range(3)] == signs


def test_click_limits() -> None:
    """Overlapping pulses, too long trains and pulses of fewer than six samples are refused."""
    with pytest.raises(ValidationError, match="overlap at interval"):
        registry.create("synths", {"type": "click", "n_clicks": 2, "interval": 0.001, "width": 0.002})
    with pytest.raises(ValidationError, match="expected at most 3600 s"):
        registry.create("synths", {"type": "click", "n_clicks": 100_000, "interval": 1.0})
    with pytest.raises(ParameterError, match=r"at least 6 samples \(0.000750 s at sr 8000\), got 0.0005 s"):
        _render("click", 8000, width=0.0005)


def test_seed_is_required() -> None:
    """A burst without a seed is refused: the plan fills it, never a default."""
    with pytest.raises(ValidationError, match="seed"):
        registry.create("synths", {"type": "noise_burst", "duration": 0.1})
