"""Impulses of a noise profile: bursts at random times, counted slot by slot of absolute time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.dice import uniform_at
from audiosynth.profiles import design as profile_design
from audiosynth.profiles.design import LN10, irfft, rfft
from audiosynth.profiles.profile import Impulses, Profile
from audiosynth.sound.normals import White
from audiosynth.synthesis import signals

if TYPE_CHECKING:
    from audiosynth.clip import Array

SLOT_MOST: Final = 12
SLOT: Final = 0.05
"""Seconds in which impulses are counted together."""
BURSTS: Final = 16
"""Different waveforms of impulses."""
BURST: Final = 0.4
RINGING: Final = 0.05
"""Seconds before and after a burst for its filter, which is as long in both directions."""


def impulses(profile: Profile, seed: int, start: int, n_samples: int, sr: int, white: White) -> Array:
    """Return the impulses: counted slot by slot, each at a sample of its own."""
    made, out = profile.impulses, np.zeros(n_samples)
    if made is None or n_samples == 0:
        return out
    size = _size(made, sr)
    first = max(0, int((start - size) / sr / SLOT) - 1)
    count = int((start + n_samples) / sr / SLOT) + 1 - first
    dice = uniform_at(seed, start=first * (3 * SLOT_MOST + 1), n_samples=count * (3 * SLOT_MOST + 1), stream="impulses")
    dice = dice.reshape(count, -1)
    heights = _heights(made)
    for i, number_of in enumerate(_poisson(dice[:, 0], made.rate * SLOT)):
        for k in range(number_of):
            when, loud, which = dice[i, 1 + 3 * k : 4 + 3 * k]
            at = int(((first + i) + float(when)) * SLOT * sr) - start
            a, b = max(0, at), min(n_samples, at + size)
            if a < b:
                height = float(heights.amplitude(float(loud)))
                out[a:b] += height * _burst(made, seed, sr, int(which * BURSTS), white)[a - at : b - at]
    return out


@dataclass(frozen=True)
class Heights:
    """Amplitudes between 1 and `top` whose count over a falls as a^-exponent, scaled."""

    top: float
    exponent: float
    scale: float

    def amplitude(self, u: float) -> float:
        """Return the amplitude that a fraction 1 - u of bursts surpass."""
        rest = 1.0 - u * (1.0 - self.top**-self.exponent)
        return float(self.scale * rest ** (-1.0 / self.exponent))


@lru_cache(maxsize=64)
def _heights(made: Impulses) -> Heights:
    """Return the law that gives the bursts, each of energy 1, the power asked for."""
    top, p = 10.0 ** (made.range_db / 20.0), made.exponent
    plain = Heights(top, p, 1.0)
    square = float(np.mean([plain.amplitude((i + 0.5) / 4096) ** 2 for i in range(4096)]))
    return Heights(top, p, (10.0 ** (made.level_db / 10.0) / (made.rate * square)) ** 0.5)


def _poisson(u: Array, mean: float) -> list[int]:
    """Return counts by inversion, at most `SLOT_MOST`."""
    edges, term, total = [], float(np.exp(-mean)), 0.0
    for k in range(SLOT_MOST):
        total += term
        edges.append(total)
        term *= mean / (k + 1)
    return [int(c) for c in np.searchsorted(edges, u, side="right")]


def _length(made: Impulses, sr: int) -> int:
    """Return the samples in which a burst falls."""
    return max(8, int(min(BURST, 1.2 * made.t60) * sr))


def _size(made: Impulses, sr: int) -> int:
    """Return the length of a burst's waveform."""
    return _length(made, sr) + (0 if made.bands is None else 2 * int(RINGING * sr))


@lru_cache(maxsize=1024)
def _burst(made: Impulses, seed: int, sr: int, k: int, white: White) -> Array:
    """Return waveform number k of impulses, of energy 1 per second·Hz: Σ y² / sr = 1."""
    n = _length(made, sr)
    fall = _fall(made, sr)
    if made.bands is not None:
        y = _shaped(made.bands, fall, seed, sr, k, white)
    else:
        noise = white(seed, start=0, n_samples=2 * n, streams=[f"burst/{k}"])[0]
        y = irfft(rfft(noise, 2 * n) * _gain(made, sr), 2 * n)[:n] * fall
    y = y * (sr / float(np.sum(y * y))) ** 0.5
    y.flags.writeable = False
    return np.asarray(y)


@lru_cache(maxsize=32)
def _fall(made: Impulses, sr: int) -> Array:
    """Return how a burst rises and falls."""
    n = _length(made, sr)
    t = signals.times(n, sr)
    fall = (1.0 + signals.expm1(-6.907755 / made.t60 * t)) * signals.rise(t / min(0.001, 0.2 * made.t60))
    return np.asarray(fall * signals.rise((n / sr - t) / (0.2 * n / sr)))


@lru_cache(maxsize=32)
def _gain(made: Impulses, sr: int) -> Array:
    """Return the amplitude over frequency of bursts between `fmin` and `fmax`."""
    frequency = np.fft.rfftfreq(2 * _length(made, sr), 1.0 / sr)
    low, high = min(made.fmin, 0.2 * sr), min(max(made.fmax, 1.2 * made.fmin), 0.45 * sr)
    x = np.maximum(frequency, 1.0)
    gain = 1.0 / np.sqrt(1.0 + (low / x) ** 4) / np.sqrt(1.0 + (x / high) ** 4)
    gain[0] = 0.0
    return np.asarray(gain)


def _shaped(bands: tuple[tuple[float, float], ...], fall: Array, seed: int, sr: int, k: int, white: White) -> Array:
    """Return a burst with the spectrum of bands, which comes last: a decay after it would spread steep edges."""
    before = int(RINGING * sr)
    n = before + len(fall) + before
    n_fft = 1 << (2 * n - 1).bit_length()
    burst = np.zeros(n_fft)
    noise = white(seed, start=0, n_samples=len(fall), streams=[f"burst/{k}"])[0]
    burst[before : before + len(fall)] = fall * noise
    window = signals.edges(n, sr, fade=0.5 * RINGING)
    return np.asarray(irfft(rfft(burst, n_fft) * _shape(bands, n_fft, sr), n_fft)[:n] * window)


@lru_cache(maxsize=32)
def _shape(bands: tuple[tuple[float, float], ...], n_fft: int, sr: int) -> Array:
    """Return the amplitude over frequency of bands, straight in dB over the logarithm of frequency."""
    centres, levels = np.array(bands).T
    at, x = np.log2(centres), np.log2(np.maximum(np.arange(n_fft // 2 + 1) * (sr / n_fft), 1.0))
    level = np.interp(x, at, levels - 10.0 * np.log10(centres))
    level = level - profile_design.SKIRT_DB * (np.maximum(at[0] - x, 0.0) + np.maximum(x - at[-1], 0.0))
    gain = 1.0 + signals.expm1(LN10 / 20.0 * level)
    gain[0] = 0.0
    return np.asarray(gain)
