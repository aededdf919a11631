"""Linear convolution of sounds with impulse responses, twice as fast as with a library's transforms.

Two real signals are convolved as complex ones of half the length [1]_. A signal of 2M samples is a polynomial in t; modulo
t^2M + 1, which a product of fewer coefficients does not reach, t^M is a root of -1, so that the second half of the samples are
the imaginary parts of M complex numbers. Number j times exp(iπ j / 2M) makes of this a cyclic convolution of length M. Its
transform is one stage of radix 8 and then eight transforms side by side (`audiosynth.sound.fourier_kernel`).

The compiled loops (`convolve_kernel`) give the same bits as NumPy's passes (`convolve_passes`), ten times as fast; they are used
once `load_kernel` was asked for.

References
----------
.. [1] R. Crandall, B. Fagin, "Discrete weighted transforms and large-integer arithmetic", Mathematics of Computation 62, 1994.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from audiosynth.compiled import compiled, loaded
from audiosynth.errors import ParameterError
from audiosynth.kept import bounded
from audiosynth.sound import convolve_passes
from audiosynth.sound.fourier import LANES, Transform, transform_of

if TYPE_CHECKING:
    from audiosynth.clip import Array

_KERNEL: Final = "audiosynth.sound.convolve_kernel"
ODD: Final = (1, 3, 5, 7)
"""Odd factors of the lengths of transforms."""
LARGEST: Final = 2**21
"""Most samples of what is convolved like this, 47 s at 44.1 kHz: beyond, tables and scratch take more than they give."""
TABLE_BYTES: Final = 2**26
"""Most memory that tables of several lengths take."""


class Tables(NamedTuple):
    """What convolutions of up to 16·n samples need.

    Attributes
    ----------
    plan
        Of the transforms of n numbers.
    twists
        exp(iπ k / 16) of the eight parts of a signal, real and imaginary parts.
    spins
        Factors between the stage of radix 8 and the transforms, those of the first weighting in them: for eight numbers at a time
        the first lane's, and that by which each other's is the one before times: real and imaginary parts in turn.
    """

    plan: Transform
    twists: Any
    spins: Any


def kernel() -> Any:
    """Return the module of the compiled loops, or None where they have not been loaded."""
    return loaded(_KERNEL)


def load_kernel() -> bool:
    """Load the compiled loops, which takes most of a second; returns whether they are there.

    They are not where numba is missing.
    """
    if compiled(_KERNEL) is None:
        return False
    h = spectrum(np.ones((1, 2)), 4)
    convolve(np.ones((1, 2)), h, n_samples=3)  # loads what was compiled, or compiles it
    return True


@lru_cache(maxsize=1024)
def rows_of(n_samples: int) -> int:
    """Return the length of the transforms for a convolution that gives so many samples: a sixteenth of them, or a little more.

    Raises
    ------
    ParameterError
        If they are more than `LARGEST`.

    Examples
    --------
    >>> rows_of(3), rows_of(16_000), 16 * rows_of(23_999)
    (8, 1024, 24576)
    """
    if n_samples > LARGEST:
        raise ParameterError(f"{n_samples} samples are convolved in parts; at most {LARGEST} are at once")
    least = -(-n_samples // (2 * LANES))
    return min(odd * max(LANES, 1 << (-(-least // odd) - 1).bit_length()) for odd in ODD)


def _bytes_of(tables: Tables) -> int:
    plan = tables.plan
    return sum(int(table.nbytes) for table in (tables.twists, tables.spins, plan.twiddles, plan.circle, plan.rows))


@bounded(TABLE_BYTES, _bytes_of)
def tables_of(rows: int) -> Tables:
    """Return the tables for transforms of so many numbers."""
    angles = np.pi * np.arange(rows) / (2 * LANES * rows)
    spins = np.exp(1j * np.stack([angles, -4.0 * angles])).reshape(2, -1, LANES).swapaxes(0, 1)
    twists = np.exp(1j * np.pi * np.arange(LANES) / (2 * LANES))
    return Tables(
        transform_of(rows),
        np.column_stack([twists.real, twists.imag]),
        np.stack([spins.real, spins.imag], axis=2).ravel(),
    )


def spectrum(h: Array, n_samples: int) -> Array:
    """Return what `convolve` needs of a response.

    Parameters
    ----------
    h
        Shape (n_channels, n_taps).
    n_samples
        Of the convolution: those of the sound and `n_taps` - 1.

    Returns
    -------
    spectrum
        Shape (n_channels, 16 `rows_of(n_samples)`): for each frequency, in the order of `Transform.rows`, real and imaginary parts in eight
        lanes, conjugate and divided by the length.

    Raises
    ------
    ParameterError
        As `rows_of` does, or if the response alone is longer.
    """
    if h.shape[1] > n_samples:
        raise ParameterError(f"a response of {h.shape[1]} samples does not fit in {n_samples}")
    rows = rows_of(n_samples)
    tables, found = tables_of(rows), np.empty((h.shape[0], 2 * LANES * rows))
    scale = np.array([[1.0], [-1.0]]) / (LANES * rows)
    for channel, out in zip(h, found, strict=True):
        y = _padded(channel, rows)
        loops = kernel()
        if loops is None:
            out[:] = convolve_passes.forward(y, tables)
        else:
            loops.forward(y, tables, out, _scratch())
        parts = out.reshape(rows, 2, LANES)
        np.multiply(parts, scale, out=parts)
    return found


def convolve(y: Array, h_spectrum: Array, *, n_samples: int) -> Array:
    """Return the linear convolution of every channel of `y` with every channel of a response.

    Parameters
    ----------
    y
        Sound, shape (1 or n_channels, n).
    h_spectrum
        `spectrum(h, n_samples)`, of 1 or n_channels.
    n_samples
        Of the convolution: n and the samples of the response, less one.

    Returns
    -------
    image
        Shape (n_channels, n_samples).

    Raises
    ------
    ParameterError
        If channels or lengths do not fit.

    Examples
    --------
    >>> h = spectrum(np.array([[1.0, 0.5]]), 3)
    >>> convolve(np.array([[1.0, 2.0]]), h, n_samples=3).round(12)
    array([[1. , 2.5, 1. ]])
    """
    rows = rows_of(n_samples)
    if h_spectrum.shape[1] != 2 * LANES * rows or y.shape[1] > n_samples:
        raise ParameterError(
            f"a spectrum for {h_spectrum.shape[1]} samples and {y.shape[1]} of sound do not give {n_samples}"
        )
    if y.shape[0] != h_spectrum.shape[0] and 1 not in (y.shape[0], h_spectrum.shape[0]):
        raise ParameterError(f"{y.shape[0]} channels and a response of {h_spectrum.shape[0]}; one must be mono")
    tables, loops = tables_of(rows), kernel()
    n_channels = max(y.shape[0], h_spectrum.shape[0])
    pairs = [(y[min(c, len(y) - 1)], h_spectrum[min(c, len(h_spectrum) - 1)]) for c in range(n_channels)]
    if loops is None:
        return np.stack([convolve_passes.convolved(_padded(sound, rows), h, tables)[:n_samples] for sound, h in pairs])
    size = 2 * LANES * rows
    whole, work = np.empty(n_channels * size + LANES), np.empty(size + LANES)
    first = loops.line_of(whole)
    out = whole[first : first + n_channels * size].reshape(n_channels, size)
    for own, (sound, h) in zip(out, pairs, strict=True):
        own[: sound.size] = sound
        own[sound.size :] = 0.0
        loops.convolve(own, h, tables, work, _scratch(), own)
    return out[:, :n_samples]


def _scratch() -> Array:
    return np.empty(12 * LANES)


def _padded(channel: Array, rows: int) -> Array:
    y = np.zeros(2 * LANES * rows)
    y[: channel.size] = channel
    return y
