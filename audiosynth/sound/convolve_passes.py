"""Convolution in NumPy's passes over all of a signal: what `convolve_kernel` does in compiled loops, with the same bits.

Products and sums in the order of the loops; real and imaginary parts apart, since NumPy's complex products may be fused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audiosynth.sound.fourier import LANES, Transform

if TYPE_CHECKING:
    from audiosynth.clip import Array
    from audiosynth.sound.convolving import Tables

ROOT_HALF: Final = 0.5**0.5
Parts = Sequence[tuple[Any, Any]]
"""Real and imaginary parts of the eight parts of a signal."""


def convolved(y: Array, h: Array, tables: Tables) -> Array:
    """Do what `convolve_kernel.convolve` does, in passes over all rows."""
    rows = tables.plan.n
    x = forward(y, tables).reshape(rows, 2, LANES)[tables.plan.rows]
    re, im = x[:, 0], x[:, 1]
    a, b = h.reshape(rows, 2, LANES).swapaxes(0, 1)
    found = _transformed(re * a + im * b, re * b - im * a, tables.plan).reshape(rows, 2, LANES)[tables.plan.rows]
    parts = _spun([(found[:, 0, k], found[:, 1, k]) for k in range(LANES)], tables)
    parts = _turned(eight(parts), tables.twists)
    return np.concatenate([*(re for re, _ in parts), *(0.0 - im for _, im in parts)])


def forward(y: Array, tables: Tables) -> Array:
    """Do what `convolve_kernel.forward` does."""
    rows = tables.plan.n
    parts = _turned(list(zip(*y.reshape(2, LANES, rows), strict=True)), tables.twists)
    parts = _spun(eight(parts), tables)
    return _transformed(
        np.stack([re for re, _ in parts], axis=1), np.stack([im for _, im in parts], axis=1), tables.plan
    )


def _spun(parts: Parts, tables: Tables) -> Parts:
    """Return the products of eight parts with the powers of a factor, from a first one on."""
    by_row = tables.spins.reshape(-1, 2, 2, LANES).transpose(1, 2, 0, 3).reshape(2, 2, -1)
    (a, b), (c, d) = by_row
    found = []
    for re, im in parts:
        found.append((re * a - im * b, re * b + im * a))
        a, b = a * c - b * d, a * d + b * c
    return found


def _turned(parts: Parts, factors: Any) -> Parts:
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
