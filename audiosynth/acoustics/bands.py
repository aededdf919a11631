"""Octave bands that add up to the whole, exactly: complementary zero-phase filters.

Band k is the difference of two lowpasses, the first and last have one, and so the sum of all bands is the unit pulse.
A response whose bands differ in nothing comes back bit for bit, and so does a direct sound, which no wall has touched.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from audiosynth.errors import ParameterError
from audiosynth.kept import bounded

if TYPE_CHECKING:
    from audiosynth.clip import Array

CENTRES: Final = tuple(1000.0 * 10 ** (0.3 * k) for k in range(-3, 4))
"""Exact midbands of the octaves 125 Hz … 8 kHz (IEC 61260-1, base ten)."""
SPECTRA_BYTES: Final = 2**24
"""Most memory that spectra of lowpasses take."""
PERIODS: Final = 2
"""Periods of an edge's frequency on each side of its lowpass: falls 6 dB at the edge, 40 dB an octave above."""


def band_edges(sr: int) -> tuple[float, ...]:
    """Return the edges in Hz between the octave bands of a rate: those below 0.45·sr.

    Examples
    --------
    >>> [round(edge) for edge in band_edges(16000)]
    [178, 355, 708, 1413, 2818, 5623]
    """
    between = (math.sqrt(low * high) for low, high in pairwise(CENTRES))
    return tuple(edge for edge in between if edge < 0.45 * sr)


def n_bands(sr: int) -> int:
    """Return how many octave bands a rate has: 7 from 12.5 kHz on; the last reaches to half the rate.

    Examples
    --------
    >>> n_bands(16000), n_bands(8000)
    (7, 6)
    """
    return len(band_edges(sr)) + 1


@lru_cache(maxsize=64)
def _lowpass(edge: float, sr: int) -> Array:
    """Return a Hann-windowed sinc of unit gain at 0 Hz, odd length, symmetric."""
    half = math.ceil(PERIODS * sr / edge)
    t = np.arange(-half, half + 1)
    taps = np.sinc(2 * edge / sr * t) * (0.5 + 0.5 * np.cos(np.pi * t / (half + 1)))
    taps /= taps.sum()
    taps.flags.writeable = False
    return np.asarray(taps)


def _bytes_of(spectrum: npt.NDArray[np.complex128]) -> int:
    return int(spectrum.nbytes)


@bounded(SPECTRA_BYTES, _bytes_of)
def _spectrum(asked: tuple[float, int, int]) -> npt.NDArray[np.complex128]:
    """Return the spectrum of a lowpass: its edge, the rate, and the length of the transform."""
    from scipy.fft import rfftn

    edge, sr, size = asked
    return np.asarray(rfftn(_lowpass(edge, sr), [size], axes=[-1]))


def _filtered(y: Array, edge: float, sr: int) -> Array:
    """Return what a lowpass leaves of a sound, in place and of its length.

    The transforms, and so (from two samples on) the bits, of `scipy.signal.fftconvolve`, but those of the lowpass are done once.
    """
    from scipy.fft import irfftn, next_fast_len, rfftn

    taps = _lowpass(edge, sr).size
    size = next_fast_len(y.shape[-1] + taps - 1, real=True)
    whole = irfftn(rfftn(y, [size], axes=[-1]) * _spectrum((edge, sr, size)), [size], axes=[-1])
    return np.asarray(whole[..., taps // 2 : taps // 2 + y.shape[-1]])


def split(y: Array, *, sr: int) -> Array:
    """Return the octave bands of `y` (…, n), shape (n_bands, …, n); their sum is `y` to rounding.

    Notes
    -----
    Zero phase: a band rings before an onset as long as after it, up to 11 ms (2 periods of 178 Hz).
    """
    lows = [_filtered(y, edge, sr) for edge in band_edges(sr)]
    return np.stack([high - low for low, high in zip([np.zeros_like(y), *lows], [*lows, y], strict=True)])


def combine(h: Array, *, sr: int) -> Array:
    """Add responses that each hold for one band.

    Parameters
    ----------
    h
        Shape (n_bands, …, n): the whole response as each band's walls make it.
    sr
        Rate in Hz; `n_bands(sr)` bands.

    Returns
    -------
    Array
        Shape (…, n), Σ_k band_k * h[k], summed as h[-1] + Σ_k lowpass_k * (h[k] - h[k+1]): where neighbours are equal,
        nothing is added.
    """
    _check(len(h), sr)
    out = np.array(h[-1])
    for k, edge in enumerate(band_edges(sr)):
        out += _filtered(h[k] - h[k + 1], edge, sr)
    return out


def with_air(h: Array, *, sr: int, c: float, exponents: npt.ArrayLike) -> Array:
    """Add the bands of responses under air absorption.

    Parameters
    ----------
    h
        Shape (n_bands, …, n), or (1, …, n) where all bands share a response.
    sr, c
        Rate in Hz, speed of sound in m/s.
    exponents
        m per band in 1/m, as `audiosynth.acoustics.absorption.air_exponents` gives.

    Returns
    -------
    Array
        Shape (…, n). What arrives at t has come ct, whichever image it is, so band k of the sum is multiplied by
        exp(-m_k·c·t/2). The direct sound loses its share too.
    """
    m = np.asarray(exponents, dtype=np.float64)
    _check(m.size, sr)
    if len(h) not in (1, m.size) or not (m >= 0).all():
        raise ParameterError(f"{m.size} bands of air (m ≥ 0) fit 1 or {m.size} responses, not {len(h)}")
    edges = band_edges(sr)
    travelled = np.arange(h.shape[-1]) * (c / sr)
    out, below = np.zeros(h.shape[1:]), None
    for k, exponent in enumerate(m):
        own = h[k if len(h) > 1 else 0]
        band = whole = own if k == len(edges) else _filtered(own, edges[k], sr)
        if k > 0:
            if below is None or len(h) > 1:  # a response that all bands share has been through that lowpass
                below = _filtered(own, edges[k - 1], sr)
            band = whole - below
        out += band * np.exp(-0.5 * exponent * travelled)
        below = whole
    return out


def _check(count: int, sr: int) -> None:
    if count != n_bands(sr):
        raise ParameterError(f"{sr} Hz has {n_bands(sr)} octave bands, not {count}")
