"""Coloured noise of any length: white Gaussian noise through a fixed FIR filter, block by block on an absolute grid.

Sample n is a function of n alone: block b always covers samples [b·B, (b + 1)·B) and is always transformed at one
size, so neither the length nor the start of a request can change a bit of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    import numpy.typing as npt

    from audiosynth.clip import Array

DB_PER_EXPONENT: Final = 20.0 * float(np.log10(2.0))
"""dB per octave of an amplitude that goes with frequency to the power 1 (6.0206)."""
COLOURS: Final = {"white": 0.0, "pink": -0.5, "brown": -1.0, "blue": 0.5, "violet": 1.0}
"""Exponents of amplitude over frequency: power goes as 1, 1/f, 1/f², f, f²."""
_TAPS_PER_PERIOD: Final = 2.0
"""Length of the colour filter in periods of fmin: above 2·fmin it follows ±6 dB/octave within 0.1 dB."""
_KAISER: Final = (80.0, 0.1102 * (80.0 - 8.7))
"""Stop band in dB and the Kaiser window's beta for it (Kaiser 1974)."""


@dataclass(frozen=True)
class Shaper:
    """A designed filter and its block grid.

    Attributes
    ----------
    taps
        Impulse response, sum of squares 1: white noise of variance 1 stays at RMS 1.
    n_block, n_fft
        Samples a block gives, and the transform it takes; n_fft = n_block + len(taps) - 1.
    spectrum
        Of `taps` at `n_fft`.
    """

    taps: Array
    n_block: int
    n_fft: int
    spectrum: npt.NDArray[np.complex128]


@lru_cache(maxsize=64)
def shaper(slope_db: float, *, sr: int, fmin: float, fmax: float | None = None, cut: bool = False) -> Shaper:
    """Design the filter that gives white noise a slope between two frequencies.

    Parameters
    ----------
    slope_db
        dB per octave of the power spectrum.
    sr
        Rate in Hz.
    fmin
        Below it the spectrum is flat, or falls away if `cut`.
    fmax
        If given and below sr/2: -6 dB there, untouched below 0.9·fmax, at least 80 dB down above 1.1·fmax.
    cut
        Whether there is nothing below `fmin`: about -5 dB there, -20 dB one octave below, -35 dB two (a fourth-order
        Butterworth magnitude, blurred by the filter's length).

    Raises
    ------
    ParameterError
        If `fmin` is not below half the rate.

    Notes
    -----
    The slope is a minimum-phase filter (homomorphic method, Oppenheim and Schafer), windowed to two periods of
    `fmin` by half a Hann window; `fmax` is a windowed sinc with Kaiser's window.

    Examples
    --------
    >>> pink = shaper(-3.0103, sr=16000, fmin=20.0)
    >>> len(pink.taps), pink.n_fft, round(float(np.sum(pink.taps**2)), 12)
    (1601, 8192, 1.0)
    """
    if fmin >= sr / 2:
        raise ParameterError(
            f"expected fmin below half the sampling rate ({sr / 2:g} Hz at sr {sr}), got {fmin:g} Hz; lower fmin"
        )
    taps = np.ones(1) if slope_db == 0 and not cut else _slope_taps(slope_db, sr=sr, fmin=fmin, cut=cut)
    if fmax is not None and fmax < sr / 2:
        taps = _convolved(taps, _lowpass_taps(fmax / sr))
    taps /= np.sqrt(np.sum(taps**2))
    n_fft = 1 << max(10, (3 * len(taps) - 1).bit_length())
    spectrum = _rfft(taps, n_fft)
    for array in (taps, spectrum):
        array.flags.writeable = False  # the cache hands the same arrays to everybody
    return Shaper(taps, n_fft - len(taps) + 1, n_fft, spectrum)


def stretch(design: Shaper, white: Callable[[int, int], Array], *, start: int, n_samples: int) -> Array:
    """Return samples [start, start + n_samples) of the endless filtered sequence, shape (n_samples,).

    Parameters
    ----------
    design
        From `shaper`.
    white
        Called with (start, n): that stretch of an endless white sequence.
    start, n_samples
        Which stretch, both ≥ 0.

    Examples
    --------
    >>> ramp = lambda start, n: np.arange(start, start + n, dtype=np.float64)
    >>> stretch(shaper(0.0, sr=8000, fmin=20.0), ramp, start=3, n_samples=2)
    array([3., 4.])
    """
    n_taps, size = len(design.taps), design.n_block
    if n_taps == 1 or n_samples == 0:
        return white(start, n_samples)
    first, last = start // size, (start + n_samples - 1) // size + 1
    source = white(first * size, (last - first) * size + n_taps - 1)
    out = np.empty((last - first) * size)
    # One block a call: a batched transform may take another code path than a single one.
    for i in range(last - first):
        block = _irfft(_rfft(source[i * size : i * size + design.n_fft], design.n_fft) * design.spectrum, design.n_fft)
        out[i * size : (i + 1) * size] = block[n_taps - 1 :]
    offset = start - first * size
    return out[offset : offset + n_samples]


def _slope_taps(slope_db: float, *, sr: int, fmin: float, cut: bool) -> Array:
    n_taps = int(np.ceil(_TAPS_PER_PERIOD * sr / fmin)) | 1
    n_taps = max(n_taps, 129)
    n_fft = 1 << (8 * n_taps - 1).bit_length()
    x = np.arange(n_fft // 2 + 1) * (sr / n_fft / fmin)
    log_gain = slope_db / DB_PER_EXPONENT * np.log(np.maximum(x, 1.0))
    if cut:
        # |H|² = 1/(1 + x^-8), written so that x = 0 is a finite -160 dB
        log_gain -= 0.5 * np.log1p(np.maximum(x, 0.01) ** -8.0)
    cepstrum = _irfft(log_gain.astype(np.complex128), n_fft)
    cepstrum[1 : n_fft // 2] *= 2.0
    cepstrum[n_fft // 2 + 1 :] = 0.0
    taps = _irfft(np.exp(_rfft(cepstrum, n_fft)), n_fft)[:n_taps]
    return np.asarray(taps * (0.5 + 0.5 * np.cos(np.pi * np.arange(n_taps) / n_taps)))


def _lowpass_taps(cutoff: float) -> Array:
    """Return a windowed sinc of unit gain; `cutoff` and the transition band (a fifth of it) in cycles per sample."""
    stop_db, beta = _KAISER
    half = int(np.ceil((stop_db - 7.95) / (14.36 * 0.2 * cutoff) / 2.0))
    n = np.arange(-half, half + 1)
    taps = np.sinc(2.0 * cutoff * n) * np.kaiser(len(n), beta)
    return np.asarray(taps / np.sum(taps))


def _convolved(a: Array, b: Array) -> Array:
    n = len(a) + len(b) - 1
    n_fft = 1 << (n - 1).bit_length()
    return _irfft(_rfft(a, n_fft) * _rfft(b, n_fft), n_fft)[:n]


def _rfft(x: Array, n: int) -> npt.NDArray[np.complex128]:
    import scipy.fft

    return np.asarray(scipy.fft.rfft(x, n))


def _irfft(x: npt.NDArray[np.complex128], n: int) -> Array:
    import scipy.fft

    return np.asarray(scipy.fft.irfft(x, n))
