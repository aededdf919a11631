"""Pure array maths on audio: time grids, resampling, convolution. Nothing here draws, reads or keeps state."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

MICRO: Final = 1_000_000
"""Times are decimals of 1 µs (DESIGN section 3)."""

BLOCK: Final = 8192
"""Samples that are squared and summed at once."""


def seconds_to_samples(t: float, sr: int) -> int:
    """Return floor(t·sr + ½) for `t` on the 1 µs grid, in exact integers.

    Parameters
    ----------
    t
        Time in seconds.
    sr
        Sampling rate in Hz.

    Examples
    --------
    >>> seconds_to_samples(0.1, 44100), seconds_to_samples(-0.25, 8)
    (4410, -2)
    """
    micros = round(t * MICRO)
    return (2 * micros * sr + MICRO) // (2 * MICRO)


def samples_to_seconds(n: int, sr: int) -> float:
    """Return `n` / `sr` rounded to 1 µs.

    Examples
    --------
    >>> samples_to_seconds(1, 44100)
    2.3e-05
    """
    return round(n / sr, 6)


def energy(y: Array) -> float:
    """Return the sum of squares of one channel.

    In pieces that BLAS does not hand to threads: the sum is the same on any number of cores, and workers that share them
    do not wait for each other.

    Examples
    --------
    >>> energy(np.array([3.0, 4.0]))
    25.0
    """
    if y.size < BLOCK:
        return float(y.dot(y))
    if y.size < 2 * BLOCK and y.flags.c_contiguous:  # the same two sums without an array of them
        first, rest = y[:BLOCK], y[BLOCK:]
        return float(rest.dot(rest)) + float(first.dot(first))
    rest = y[y.size - y.size % BLOCK :]
    sums: list[float] = block_energies(y).tolist()
    return sum(sums, start=float(rest.dot(rest)))


def block_energies(y: Array) -> Array:
    """Return the sum of squares of each whole block of one channel, `BLOCK` samples long."""
    if BLOCK <= y.size < 2 * BLOCK and y.flags.c_contiguous:  # the one product of the product of matrices below
        first = y[:BLOCK]
        return np.array([first.dot(first)])
    rows = y[: y.size - y.size % BLOCK].reshape(-1, 1, BLOCK)
    return np.asarray((rows @ rows.transpose(0, 2, 1)).ravel())


def resampled_length(n_samples: int, *, sr_in: int, sr_out: int) -> int:
    """Return the exact length after resampling: floor(n·sr_out/sr_in + ½), at least 1.

    Examples
    --------
    >>> resampled_length(44100, sr_in=44100, sr_out=16000)
    16000
    """
    return max(1, (2 * n_samples * sr_out + sr_in) // (2 * sr_in))


def resample(y: Array, *, sr_in: int, sr_out: int) -> Array:
    """Resample in float64 with soxr's VHQ filter to exactly `resampled_length` samples.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples).
    sr_in, sr_out
        Rates in Hz.

    Notes
    -----
    VHQ is soxr's quality that computes in float64 throughout; HQ runs float32 SIMD, whose samples differ between
    machines.

    Examples
    --------
    >>> resample(np.zeros((2, 441)), sr_in=44100, sr_out=16000).shape
    (2, 160)
    """
    if sr_in == sr_out:
        return y
    import soxr

    n = resampled_length(y.shape[-1], sr_in=sr_in, sr_out=sr_out)
    out = np.zeros((y.shape[0], n))
    moved = np.asarray(soxr.resample(np.ascontiguousarray(y.T, dtype=np.float64), sr_in, sr_out, quality="VHQ")).T
    m = min(n, moved.shape[-1])
    out[:, :m] = moved[:, :m]
    return out


@lru_cache(maxsize=256)
def fft_size(n: int) -> int:
    """Return the length of the real FFT used for a linear convolution of `n` output samples."""
    import scipy.fft

    return int(scipy.fft.next_fast_len(n, real=True))


def spectrum(h: Array, n_fft: int) -> np.ndarray:
    """Return the one-sided spectrum of `h` zero-padded to `n_fft`."""
    import scipy.fft

    return np.asarray(scipy.fft.rfft(h, n_fft))


def convolve(y: Array, h: Array, *, h_spectrum: np.ndarray | None = None) -> Array:
    """Return the full linear convolution of every channel of `y` with every channel of `h`.

    Parameters
    ----------
    y
        Source, shape (1 or n_channels, n_samples).
    h
        Impulse response, shape (1 or n_channels, n_taps).
    h_spectrum
        `spectrum(h, fft_size(n_samples + n_taps - 1))` if it is at hand.

    Returns
    -------
    image
        Shape (n_channels, n_samples + n_taps - 1); never circular, never cut.

    Examples
    --------
    >>> convolve(np.array([[1.0, 2.0]]), np.array([[1.0, 0.5]])).round(12)
    array([[1. , 2.5, 1. ]])
    """
    if y.shape[0] != h.shape[0] and 1 not in (y.shape[0], h.shape[0]):
        raise ParameterError(f"cannot convolve {y.shape[0]} channels with a response of {h.shape[0]}; one must be mono")
    import scipy.fft

    n = y.shape[-1] + h.shape[-1] - 1
    n_fft = fft_size(n)
    if h_spectrum is None:
        h_spectrum = spectrum(h, n_fft)
    heard = scipy.fft.rfft(y, n_fft)
    if heard.shape[0] < h_spectrum.shape[0]:
        heard = heard * h_spectrum
    else:
        heard *= h_spectrum
    return np.asarray(scipy.fft.irfft(heard, n_fft, overwrite_x=True)[:, :n])
