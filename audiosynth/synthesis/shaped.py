"""Noise of any spectrum for sounds that end: Gaussian noise shaped as a whole, and its envelopes.

Spectra are power densities in dB at given frequencies, straight lines between them over the logarithm of frequency, so
that a sound has the same levels at any sampling rate; what lies above half the rate is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.dice import gaussian_at, uniform_at
from audiosynth.dsp import fft_size
from audiosynth.errors import ParameterError
from audiosynth.synthesis import signals, waves

if TYPE_CHECKING:
    import numpy.typing as npt

    from audiosynth.clip import Array

Points = Sequence[tuple[float, float]]
"""(frequency in Hz or time in s, value) pairs in rising order."""
SILENT: Final = 1e-9
"""Peaks below it are rounding errors of something above half the rate."""
UNSTEADY: Final = (250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)
"""Octaves that waver by themselves."""
SATURATED_DB: Final = 5.6
LOWEST_HZ: Final = 1.0
"""Below it a spectrum does not change any more."""


def density(frequency: npt.ArrayLike, points: Points) -> Array:
    """Return the power density in dB at some frequencies: straight lines over log frequency, flat beyond the ends.

    Examples
    --------
    >>> density([100.0, 200.0, 400.0, 9000.0], [(100.0, 0.0), (400.0, -12.0)])
    array([  0.,  -6., -12., -12.])
    """
    x = np.log2(np.maximum(np.asarray(frequency, dtype=np.float64), LOWEST_HZ))
    return np.asarray(np.interp(x, np.log2([f for f, _ in points]), [level for _, level in points]))


def noise(seed: int, points: Points, *, n_samples: int, sr: int, stream: str) -> Array:
    """Return Gaussian noise of a power density given in dB re 1/Hz, shape (n_samples,).

    Parameters
    ----------
    seed, stream
        Key of the noise.
    points
        (frequency in Hz, level in dB).
    n_samples, sr
        Length and rate.

    Examples
    --------
    >>> y = noise(1, [(20.0, -40.0)], n_samples=16000, sr=16000, stream="hiss")
    >>> round(float(np.mean(y**2)), 1)  # 8000 Hz times 1e-4/Hz
    0.8
    """
    y: Array = bands(seed, [points], n_samples=n_samples, sr=sr, stream=stream)[0]
    return y


def bands(seed: int, spectra: Sequence[Points], *, n_samples: int, sr: int, stream: str) -> Array:
    """Return one Gaussian noise through several spectra at once, shape (n_spectra, n_samples); see `noise`."""
    import scipy.fft

    n_fft = fft_size(max(n_samples, 2))
    white = scipy.fft.rfft(gaussian_at(seed, start=0, n_samples=n_fft, stream=stream))
    frequency = np.arange(len(white)) * (sr / n_fft)
    out = np.empty((len(spectra), n_samples))
    for i, points in enumerate(spectra):
        gain = np.power(10.0, density(frequency, points) / 20.0) * (sr / 2.0) ** 0.5
        gain[0] = 0.0
        out[i] = scipy.fft.irfft(white * gain, n_fft)[:n_samples]
    return out


def filtered(y: Array, points: Points, *, sr: int) -> Array:
    """Return a finite sound through a filter of no phase with the given gains in dB, same length.

    Examples
    --------
    >>> filtered(np.ones(8), [(20.0, -6.0206)], sr=8000).round(3)
    array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    """
    import scipy.fft

    n_fft = fft_size(len(y))
    gain = np.power(10.0, density(np.arange(n_fft // 2 + 1) * (sr / n_fft), points) / 20.0)
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(y, n_fft) * gain, n_fft)[: len(y)])


def curve(points: Points, *, n_samples: int, sr: int) -> Array:
    """Return a curve through (time, value) points, raised cosines between them, shape (n_samples,).

    Examples
    --------
    >>> curve([(0.0, 0.0), (1.0, 1.0), (2.0, 0.5)], n_samples=5, sr=2).round(3)
    array([0.  , 0.5 , 1.  , 0.75, 0.5 ])
    """
    t = signals.times(n_samples, sr)
    at = np.array([time for time, _ in points])
    values = np.array([value for _, value in points])
    i = np.clip(np.searchsorted(at, t, side="right") - 1, 0, max(0, len(at) - 2))
    if len(at) == 1:
        return np.full(n_samples, values[0])
    u = (t - at[i]) / np.maximum(at[i + 1] - at[i], 0.5 / sr)
    return np.asarray(values[i] + (values[i + 1] - values[i]) * signals.rise(u))


def decay(n_samples: int, sr: int, *, t60: float, attack: float = 0.0) -> Array:
    """Return an envelope that rises in `attack` seconds and falls by 60 dB every `t60` seconds, shape (n_samples,).

    Examples
    --------
    >>> decay(3, 1, t60=2.0).round(4)
    array([1.    , 0.0316, 0.001 ])
    """
    t = signals.times(n_samples, sr)
    fall = 1.0 + signals.expm1(np.maximum(-6.907755278982137 / t60 * t, -700.0))
    return fall * signals.rise((t + 0.5 / sr) / attack) if attack > 0 else fall


def unsteady(
    y: Array, chances: Chances, *, depth_db: float, rate: float, sr: int, growth: float = 0.5, name: str = "air"
) -> Array:
    """Return a sound whose octaves waver independently, the higher the more, as sound does that comes through moving air.

    Parameters
    ----------
    y
        Shape (n_samples,).
    chances
        Random numbers of the sound.
    depth_db
        Standard deviation at 4 kHz.
    rate
        Ups and downs a second at 1 kHz, about.
    sr
        Rate in Hz.
    growth
        Power of the frequency with which the depth grows: the root for air, 0 for a source that wavers by itself.
    name
        Stream of the random numbers.

    Notes
    -----
    Level fluctuations in turbulence are near log-normal, grow with frequency and distance, and saturate at 5.6 dB (G. A. Daigle,
    J. E. Piercy, T. F. W. Embleton, "Line-of-sight propagation through atmospheric turbulence near the ground", J. Acoust. Soc.
    Am. 74, 1983).
    """
    if depth_db <= 0:
        return y
    import scipy.fft

    n_fft = fft_size(len(y))
    spectrum = scipy.fft.rfft(y, n_fft)
    octave = np.log2(np.maximum(np.arange(len(spectrum)) * (sr / n_fft), LOWEST_HZ) / UNSTEADY[0])
    octave = np.clip(octave, 0.0, len(UNSTEADY) - 1.0)
    out = np.zeros(len(y))
    for i, centre in enumerate(UNSTEADY):
        part = scipy.fft.irfft(spectrum * signals.rise(1.0 - np.abs(octave - i)), n_fft)[: len(y)]
        depth = min(SATURATED_DB, depth_db * (centre / 4000.0) ** growth)
        curve = chances.wander(f"{name}{i}", rate * (centre / 1000.0) ** 0.25, n_samples=len(y), sr=sr)
        out += part * np.power(10.0, depth / 20.0 * curve)
    return out


class Chances:
    """Named random numbers of one seed: each name is a stream of its own, so that a new one moves no other.

    Examples
    --------
    >>> chances = Chances(7, "bell")
    >>> chances.between("f0", 400.0, 500.0) == Chances(7, "bell").between("f0", 400.0, 500.0)
    True
    """

    def __init__(self, seed: int, owner: str) -> None:
        self._seed, self._owner = seed, owner

    def uniform(self, name: str, n: int = 1) -> Array:
        """Return n numbers uniform in [0, 1)."""
        return uniform_at(self._seed, start=0, n_samples=n, stream=f"{self._owner}/{name}")

    def between(self, name: str, low: float, high: float) -> float:
        """Return a number uniform between two."""
        return low + (high - low) * float(self.uniform(name)[0])

    def spread(self, name: str, n: int, *, low: float, high: float) -> Array:
        """Return n numbers uniform between two."""
        return low + (high - low) * self.uniform(name, n)

    def gaussian(self, name: str, n: int = 1) -> Array:
        """Return n numbers of mean 0 and variance 1."""
        return gaussian_at(self._seed, start=0, n_samples=n, stream=f"{self._owner}/{name}")

    def exponential(self, name: str, n: int = 1) -> Array:
        """Return n numbers of mean 1, exponentially distributed: waiting times of a Poisson process."""
        return -signals.log1p(-self.uniform(name, n))

    def noise(self, name: str, points: Points, *, n_samples: int, sr: int) -> Array:
        """Return noise of a power density, shape (n_samples,); see `noise`."""
        return noise(self._seed, points, n_samples=n_samples, sr=sr, stream=f"{self._owner}/{name}")

    def bands(self, name: str, spectra: Sequence[Points], *, n_samples: int, sr: int) -> Array:
        """Return one noise through several spectra, shape (n_spectra, n_samples); see `bands`."""
        return bands(self._seed, spectra, n_samples=n_samples, sr=sr, stream=f"{self._owner}/{name}")

    def wander(self, name: str, rate: float, *, n_samples: int, sr: int) -> Array:
        """Return a smooth random curve of mean 0 and variance 1 with about `rate` ups and downs a second, (n_samples,).

        Independent Gaussian knots, `2·rate` a second, joined by raised cosines, whose variance is 0.75 on average
        (which is made up for).
        """
        at = signals.times(n_samples, sr) * (2.0 * rate)
        knots = self.gaussian(name, int(at[-1]) + 2 if n_samples else 2)
        i = at.astype(np.int64)
        u = signals.rise(at - i)
        return np.asarray((knots[i] + (knots[i + 1] - knots[i]) * u) * (1.0 / 0.75**0.5))

    def arrivals(self, name: str, rate: float, duration: float, *, most: int = 1_000_000) -> Array:
        """Return the times of a Poisson process of `rate` a second within `duration` seconds, in order."""
        if rate <= 0 or duration <= 0:
            return np.zeros(0)
        n = min(most, int(rate * duration + 6.0 * (rate * duration) ** 0.5) + 16)
        at = np.cumsum(self.exponential(name, n)) / rate
        return np.asarray(at[at < duration])


def finished(y: Array, *, sr: int, amplitude: float, fade: float = 0.003, release: float | None = None) -> Array:
    """Return a sound with raised-cosine ends, no mean, and a peak of `amplitude`, shape (1, n_samples).

    Parameters
    ----------
    y
        Shape (n_samples,).
    sr
        Rate in Hz.
    amplitude
        Peak of the result.
    fade
        Seconds of each end.
    release
        Seconds of the last end, if another: what still rings when its time is over is faded out.

    Raises
    ------
    ParameterError
        If nothing sounds, as when all of it lies above what the rate can carry.

    Examples
    --------
    >>> y = finished(np.arange(800.0), sr=8000, amplitude=0.5)
    >>> y.shape, round(float(np.max(np.abs(y))), 12), round(float(np.sum(y)), 9) + 0.0
    ((1, 800), 0.5, 0.0)
    """
    window = signals.edges(len(y), sr, fade=min(fade, 0.5 * len(y) / sr))
    if release is not None:
        window = window * signals.rise((len(y) / sr - signals.times(len(y), sr)) / min(release, 0.5 * len(y) / sr))
    y = y * window
    y = y - window * (float(np.sum(y)) / float(np.sum(window)))
    peak = float(np.max(np.abs(y)))
    if not peak > SILENT:
        raise ParameterError(
            f"nothing of this sound lies below {waves.GONE * sr:g} Hz, the highest at sr {sr}; raise sr or lower its pitch"
        )
    return np.asarray(y * (amplitude / peak))[None]
