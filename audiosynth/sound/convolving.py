"""Linear convolution of sounds with impulse responses, twice as fast as with a library's transforms.

Two real signals are convolved as complex ones of half the length [1]_. A signal of 2M samples is a polynomial in t; modulo
t^2M + 1, which a product of fewer coefficients does not reach, t^M is a root of -1, so that the second half of the samples are
the imaginary parts of M complex numbers. Number j times exp(iπ j / 2M) makes of this a cyclic convolution of length M. Its
transform is one stage of radix 8 and then eight transforms side by side (`audiosynth.sound.fourier_kernel`).

The compiled loops (`convolve_kernel`) give the same bits as NumPy's passes here, ten times as fast; they are used once
`load_kernel` was asked for.

References
----------
.. [1] R. Crandall, B. Fagin, "Discrete weighted transforms and large-integer arithmetic", Mathematics of Computation 62, 1994.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from audiosynth.compiled import compiled
from audiosynth.errors import ParameterError
from audiosynth.kept import bounded
from audiosynth.sound.fourier import Transform, transform_of

if TYPE_CHECKING:
    from audiosynth.clip import Array

_KERNEL: Final = "audiosynth.sound.convolve_kernel"
LANES: Final = 8
"""As in `lanes_kernel`, which needs numba."""
ODD: Final = (1, 3, 5, 7)
"""Odd factors of the lengths of transforms."""
LARGEST: Final = 2**21
"""Most samples of what is convolved like this, 47 s at 44.1 kHz: beyond, tables and scratch take more than they give."""
TABLE_BYTES: Final = 2**26
"""Most memory that tables of several lengths take."""
ROOT_HALF: Final = 0.5**0.5


class Tables(NamedTuple):
    """What convolutions of up to 16·n samples need.

    Attributes
    ----------
    plan
        Of the transforms of n numbers.
    twists
        exp(iπ k / 16) of the eight parts of a signal, in all lanes, real and imaginary parts in turn.
    turns
        Factors between the stage of radix 8 and the transforms, those of the first weighting in them: for eight numbers at a time
        those of each lane, real and imaginary parts in turn.
    """

    plan: Transform
    twists: Any
    turns: Any


def kernel() -> Any:
    """Return the module of the compiled loops, or None where they have not been loaded."""
    return sys.modules.get(_KERNEL)


def load_kernel() -> bool:
    """Load the compiled loops, which takes most of a second; returns whether they are there.

    They are not where numba is missing.
    """
    if compiled(_KERNEL) is None:
        return False
    h = spectrum(np.ones((1, 2)), 4)
    convolve(np.ones((1, 2)), h, n_samples=3)  # loads what was compiled, or compiles it
    return True


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
    return sum(int(table.nbytes) for table in (tables.twists, tables.turns, plan.twiddles, plan.circle, plan.rows))


@bounded(TABLE_BYTES, _bytes_of)
def tables_of(rows: int) -> Tables:
    """Return the tables for transforms of so many numbers."""
    i, k, m = np.arange(rows), np.arange(LANES)[:, None], LANES * rows
    turns = np.exp(1j * np.pi * (i - 4.0 * (i * k % m)) / (2 * m)).reshape(LANES, -1, LANES).swapaxes(0, 1)
    twists = np.repeat(np.exp(1j * np.pi * k / (2 * LANES)), LANES, axis=1)
    return Tables(transform_of(rows), *(np.stack([t.real, t.imag], axis=-2).ravel() for t in (twists, turns)))


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
        Shape (n_channels, 16 `rows_of(n_samples)`): for each frequency real and imaginary parts in eight lanes, conjugate and
        divided by the length.

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
            x = _forward(y, tables)
        else:
            x = np.empty(y.size)
            loops.forward(y, tables, x, _scratch())
        out[:] = (x.reshape(rows, 2, LANES)[tables.plan.rows] * scale).ravel()
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
        return np.stack([_convolved(_padded(sound, rows), h, tables)[:n_samples] for sound, h in pairs])
    out, work = np.empty((n_channels, 2 * LANES * rows)), np.empty((2, 2 * LANES * rows))
    for own, (sound, h) in zip(out, pairs, strict=True):
        own[: sound.size] = sound
        own[sound.size :] = 0.0
        loops.convolve(own, h, tables, work[0], work[1], _scratch(), own)
    return out[:, :n_samples]


def _scratch() -> Array:
    return np.empty(12 * LANES)


def _padded(channel: Array, rows: int) -> Array:
    y = np.zeros(2 * LANES * rows)
    y[: channel.size] = channel
    return y


def _convolved(y: Array, h: Array, tables: Tables) -> Array:
    """Do what `convolve_kernel.convolve` does, in passes over all rows."""
    rows = tables.plan.n
    x = _forward(y, tables).reshape(rows, 2, LANES)[tables.plan.rows]
    re, im = x[:, 0], x[:, 1]
    a, b = h.reshape(rows, 2, LANES).swapaxes(0, 1)
    found = _transformed(re * a + im * b, re * b - im * a, tables.plan).reshape(rows, 2, LANES)[tables.plan.rows]
    parts = _turned([(found[:, 0, k], found[:, 1, k]) for k in range(LANES)], _factors(tables.turns, rows))
    parts = _turned(eight(parts), _factors(tables.twists, LANES)[..., :1])
    return np.concatenate([*(re for re, _ in parts), *(0.0 - im for _, im in parts)])


def _forward(y: Array, tables: Tables) -> Array:
    """Do what `convolve_kernel.forward` does."""
    rows = tables.plan.n
    parts = _turned(list(zip(*y.reshape(2, LANES, rows), strict=True)), _factors(tables.twists, LANES)[..., :1])
    parts = _turned(eight(parts), _factors(tables.turns, rows))
    return _transformed(
        np.stack([re for re, _ in parts], axis=1), np.stack([im for _, im in parts], axis=1), tables.plan
    )


Parts = Sequence[tuple[Any, Any]]
"""Real and imaginary parts of the eight parts of a signal."""


def _factors(table: Array, rows: int) -> Array:
    """Return a table of factors as (parts, real and imaginary, rows)."""
    return table.reshape(-1, LANES, 2, LANES).transpose(1, 2, 0, 3).reshape(LANES, 2, rows)


def _turned(parts: Parts, factors: Array) -> Parts:
    return [(re * c - im * s, re * s + im * c) for (re, im), (c, s) in zip(parts, factors, strict=True)]


def eight(parts: Parts) -> Parts:
    """Return the Fourier transform of eight complex numbers, or of so many at once."""
    even = [(p[0] + q[0], p[1] + q[1]) for p, q in zip(parts[:4], parts[4:], strict=True)]
    (a, b), (c, d), (e, f), (g, h) = ((p[0] - q[0], p[1] - q[1]) for p, q in zip(parts[:4], parts[4:], strict=True))
    c, d = (c + d) * ROOT_HALF, (d - c) * ROOT_HALF
    e, f = f, 0.0 - e
    g, h = (h - g) * ROOT_HALF, 0.0 - (g + h) * ROOT_HALF
    found = zip(_four(even), _four([(a, b), (c, d), (e, f), (g, h)]), strict=True)
    return [one for pair in found for one in pair]


def _four(parts: Parts) -> Parts:
    (a, e), (b, f), (c, g), (d, h) = parts
    a, c, e, g = a + c, a - c, e + g, e - g
    b, d, f, h = b + d, b - d, f + h, f - h
    return [(a + b, e + f), (c + h, g - d), (a - b, e - f), (c - h, g + d)]


def _two(parts: Parts) -> Parts:
    (a, c), (b, d) = parts
    return [(a + b, c + d), (a - b, c - d)]


def _transformed(re: Array, im: Array, plan: Transform) -> Array:
    """Do what `fourier_kernel.transform` does to (rows, lanes), stage by stage over all rows; flat, as that leaves it."""
    span, at = plan.n, 0
    if plan.odd > 1:
        span //= plan.odd
        re, im = _odd(re.reshape(plan.odd, span, LANES), im.reshape(plan.odd, span, LANES), plan)
        at = 2 * (plan.odd - 1) * span
    while span > 1:
        factor = min(4, span)
        pieces = [part.reshape(-1, factor, span // factor, LANES) for part in (re, im)]
        stage: Parts = list(zip(*(piece.swapaxes(0, 1) for piece in pieces), strict=True))
        stage = _four(stage) if factor == 4 else _two(stage)
        span //= factor
        if span > 1:
            turns = plan.twiddles[at : at + 6 * span].reshape(span, 3, 2).transpose(1, 2, 0)[..., None]
            stage = [stage[0], *_turned(stage[1:], turns)]
            at += 6 * span
        re, im = (np.stack(part, axis=1) for part in zip(*stage, strict=True))
    return np.stack([re.reshape(-1, LANES), im.reshape(-1, LANES)], axis=1).ravel()


def _odd(re: Array, im: Array, plan: Transform) -> tuple[Array, Array]:
    """Do the first stage, of radix 3, 5 or 7, as `fourier_kernel` does it."""
    odd, half = plan.odd, plan.odd // 2
    sums = [(re[m] + re[odd - m], im[m] + im[odd - m]) for m in range(1, half + 1)]
    gaps = [(re[m] - re[odd - m], im[m] - im[odd - m]) for m in range(1, half + 1)]
    first = re[0], im[0]
    for a, b in sums:
        first = first[0] + a, first[1] + b
    found = [first] * odd
    turns = plan.twiddles[: 2 * (odd - 1) * re.shape[1]].reshape(-1, odd - 1, 2).transpose(1, 2, 0)[..., None]
    for k in range(1, half + 1):
        a, b, c, d = re[0], im[0], 0.0, 0.0
        for m, ((p, q), (r, s)) in enumerate(zip(sums, gaps, strict=True), start=1):
            cosine, sine = plan.circle[k * m % odd]
            a, b, c, d = a + cosine * p, b + cosine * q, c + sine * r, d + sine * s
        found[k], found[odd - k] = _turned([(a + d, b - c), (a - d, b + c)], turns[[k - 1, odd - k - 1]])
    return np.stack([a for a, _ in found]), np.stack([b for _, b in found])
