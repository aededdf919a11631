"""What tests measure on a sound: loud stretches, pitch, band levels, modulation."""

from __future__ import annotations

import numpy as np
import scipy.ndimage
import scipy.signal


def sound(synth, sr: int = 16_000) -> np.ndarray:
    """Return the first channel of a synthesizer's sound."""
    from audiosynth.clip import RenderContext

    return synth.render(RenderContext(sr=sr))[0]


def envelope(y: np.ndarray, sr: int, *, window: float = 0.01) -> np.ndarray:
    """Return the RMS over a sliding window of seconds, same length."""
    return np.sqrt(np.maximum(scipy.ndimage.uniform_filter1d(y * y, max(1, int(window * sr))), 0.0))


def bursts(
    y: np.ndarray, sr: int, *, below_db: float = 20.0, window: float = 0.01, gap: float = 0.02
) -> list[tuple[float, float]]:
    """Return (start, end) in seconds of stretches within `below_db` of the loudest, pauses shorter than `gap` bridged."""
    e = envelope(y, sr, window=window)
    on = e > e.max() * 10 ** (-below_db / 20)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]])))
    found: list[tuple[float, float]] = []
    for a, b in edges.reshape(-1, 2) / sr:
        if found and a - found[-1][1] < gap:
            found[-1] = (found[-1][0], b)
        else:
            found.append((a, b))
    return found


def pitch(y: np.ndarray, sr: int, *, fmin: float, fmax: float) -> float:
    """Return the fundamental in Hz by the highest peak of the autocorrelation between two periods."""
    y = y - y.mean()
    n = 1 << (2 * len(y) - 1).bit_length()
    r = np.fft.irfft(np.abs(np.fft.rfft(y, n)) ** 2, n)[: len(y)] / np.arange(len(y), 0, -1)
    a, b = int(sr / fmax), int(sr / fmin) + 1
    i = a + int(np.argmax(r[a:b]))
    left, mid, right = r[i - 1 : i + 2]
    return sr / (i + 0.5 * (left - right) / (left - 2 * mid + right))


def band_db(y: np.ndarray, sr: int, low: float, high: float) -> float:
    """Return the power between two frequencies in dB."""
    p = np.abs(np.fft.rfft(y)) ** 2
    f = np.fft.rfftfreq(len(y), 1 / sr)
    return float(10 * np.log10(p[(f >= low) & (f < high)].sum() + 1e-30))


def centroid(y: np.ndarray, sr: int) -> float:
    """Return the centre of gravity of the power spectrum in Hz."""
    p = np.abs(np.fft.rfft(y)) ** 2
    return float(np.sum(np.fft.rfftfreq(len(y), 1 / sr) * p) / p.sum())


def strongest(y: np.ndarray, sr: int, *, fmin: float = 20.0, fmax: float | None = None) -> float:
    """Return the frequency of the strongest spectral line between two."""
    s = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    f = np.fft.rfftfreq(len(y), 1 / sr)
    s[(f < fmin) | (f > (fmax or sr))] = 0.0
    return float(f[np.argmax(s)])


def modulation(y: np.ndarray, sr: int, *, fmin: float, fmax: float) -> float:
    """Return the strongest frequency of the envelope between two."""
    e = envelope(y, sr, window=0.25 / fmax) ** 2
    return strongest(e - e.mean(), sr, fmin=fmin, fmax=fmax)


def crest_db(y: np.ndarray) -> float:
    """Return peak over RMS in dB."""
    return float(20 * np.log10(np.max(np.abs(y)) / np.sqrt(np.mean(y * y))))


def slope_db(y: np.ndarray, sr: int, *, fmin: float, fmax: float) -> float:
    """Return the slope of the power density between two frequencies in dB per octave."""
    f, p = scipy.signal.welch(y, sr, nperseg=2048)
    kept = (f >= fmin) & (f <= fmax)
    return float(np.polyfit(np.log2(f[kept]), 10 * np.log10(p[kept]), 1)[0])
