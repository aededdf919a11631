"""How much of a sound is folded back from above half the rate: rendered once more at four times the rate, and compared.

At the finer rate the same partials and the same noise are made, those that the coarse rate has room for, so that what differs
is what the sampling did. Noise is not aliased by being noise; tables of it are left out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.fft
import scipy.ndimage
import scipy.signal

from audiosynth.clip import RenderContext
from audiosynth.dice import gaussian_at
from audiosynth.dsp import fft_size
from audiosynth.synthesis import modal, shaped, waves
from audiosynth.synths import clap, fire_crackle, gunshot

FINER = 4
TOP = 0.44
"""Of the rate: above it everything is on its way out, and modulated noise reaches over the edge."""
WINDOW = 512


@contextlib.contextmanager
def finer() -> Iterator[None]:
    """Make the partials and the noise of a rate at four times that rate."""
    kept = waves.FULL, waves.GONE, shaped.bands, modal.place
    waves.FULL, waves.GONE = kept[0] / FINER, kept[1] / FINER
    shaped.bands, modal.place = _bands, _place
    try:
        yield
    finally:
        waves.FULL, waves.GONE, shaped.bands, modal.place = kept


def _bands(seed: int, spectra: Any, *, n_samples: int, sr: int, stream: str) -> np.ndarray:
    """Return what `shaped.bands` returns at the coarse rate, with points between."""
    coarse, n_fft = sr // FINER, fft_size(max(-(-n_samples // FINER), 2))
    white = scipy.fft.rfft(gaussian_at(seed, start=0, n_samples=n_fft, stream=stream))
    white[-1] *= 0.5 if n_fft % 2 == 0 else 1.0
    frequency = np.arange(len(white)) * (coarse / n_fft)
    out = []
    for points in spectra:
        gain = np.power(10.0, shaped.density(frequency, points) / 20.0) * (coarse / 2.0) ** 0.5
        gain[0] = 0.0
        out.append(FINER * scipy.fft.irfft(white * gain, n_fft * FINER)[:n_samples])
    return np.array(out)


def _place(y: np.ndarray, sound: np.ndarray, start: float, sr: int) -> None:
    """Add a sound where `modal.place` adds it at the coarse rate."""
    first = FINER * int(start * (sr // FINER) + 0.5)
    if 0 <= first < len(y):
        y[first : first + len(sound)] += sound[: len(y) - first]


def _decimated(y: np.ndarray, n_samples: int) -> np.ndarray:
    n_fft = FINER * fft_size(-(-len(y) // FINER) + 256)
    kept = np.fft.rfft(y, n_fft)[: n_fft // FINER // 2 + 1]
    return np.asarray(np.fft.irfft(kept, n_fft // FINER)[:n_samples] / FINER)


def _power(y: np.ndarray, sr: int) -> np.ndarray:
    window = scipy.signal.windows.blackmanharris(WINDOW)
    f, _, z = scipy.signal.stft(
        np.pad(y, WINDOW), sr, window=window, nperseg=WINDOW, noverlap=3 * WINDOW // 4, boundary=None
    )
    return np.asarray(np.abs(z[f < TOP * sr]) ** 2)


def alias_db(synth: Any, sr: int, monkeypatch: Any) -> float:
    """Return the power in dB re the whole of what stands in the sound's spectrogram where the finer one has nothing.

    Twice the highest power of neighbouring cells is allowed, for what half a sample of time changes.
    """
    monkeypatch.setattr(clap.Clap, "_table", lambda self, sr: np.zeros(clap.TABLE + int(2 * clap.CLAP * sr)))
    monkeypatch.setattr(
        fire_crackle.FireCrackle,
        "_noise",
        lambda self, sr: np.zeros(fire_crackle.TEMPLATES + int(2 * fire_crackle.LONGEST * sr)),
    )
    monkeypatch.setattr(gunshot, "RISE", max(gunshot.RISE, 3.0 / sr))
    y = synth.render(RenderContext(sr=sr))[0]
    with finer():
        z = _decimated(synth.render(RenderContext(sr=FINER * sr))[0], len(y))
    found, true = _power(y, sr) / np.mean(y * y), _power(z, sr) / np.mean(z * z)
    extra = np.maximum(found - 2.0 * scipy.ndimage.maximum_filter(true, size=(5, 3)), 0.0)
    return float(10.0 * np.log10(extra.sum() / found.sum() + 1e-15))
