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
    x = forward(y, tables).reshape(-1, 2, LANES)
    re, im = x[:, 0], x[:, 1]
    a, b = h.reshape(-1, 2, LANES).swapaxes(0, 1)
    re, im = _transformed_back(re * a + im * b, re * b - im * a, tables.plan)
    parts = _spun(list(zip(re.T, im.T, strict=True)), tables)
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
    for factor, span, turns in _stages(plan):
        stage = _split(re, im, factor, span)
        stage = _butterfly(stage, plan)
        re, im = _joined([stage[0], *_turned(stage[1:], turns)] if turns is not None else stage)
    return np.stack([re, im], axis=1).ravel()


def _transformed_back(re: Array, im: Array, plan: Transform) -> tuple[Array, Array]:
    """Do what `fourier_kernel.back` and `end` do."""
    for factor, span, turns in reversed(_stages(plan)):
        stage = _split(re, im, factor, span)
        re, im = _joined(_butterfly([stage[0], *_turned(stage[1:], turns)] if turns is not None else stage, plan))
    return re, im


def _stages(plan: Transform) -> list[tuple[int, int, Any]]:
    """Return factor, length and factors of the parts of each stage; none of the last."""
    stages, span, at = [], plan.n, 0
    while span > 1:
        factor = plan.odd if plan.odd > 1 and span == plan.n else min(4, span)
        size, turns = span // factor, None
        if size > 1:
            flat = plan.twiddles[at : at + 2 * (factor - 1) * size]
            turns = flat.reshape(size, factor - 1, 2).transpose(1, 2, 0)[..., None]
            at += flat.size
        stages.append((factor, span, turns))
        span = size
    return stages


def _split(re: Array, im: Array, factor: int, span: int) -> Parts:
    """Return the parts of every piece of so many rows."""
    pieces = [part.reshape(-1, factor, span // factor, LANES).swapaxes(0, 1) for part in (re, im)]
    return list(zip(*pieces, strict=True))


def _joined(parts: Parts) -> tuple[Array, Array]:
    re, im = (np.stack(part, axis=1).reshape(-1, LANES) for part in zip(*parts, strict=True))
    return re, im


def _butterfly(parts: Parts, plan: Transform) -> Parts:
    if len(parts) == 4:
        return _four(parts)
    return _two(parts) if len(parts) == 2 else _odd(parts, plan)


def _odd(parts: Parts, plan: Transform) -> Parts:
    """Return the Fourier transform of 3, 5 or 7 numbers, as `fourier_kernel` sums them."""
    odd, half = plan.odd, plan.odd // 2
    pairs = [(parts[m], parts[odd - m]) for m in range(1, half + 1)]
    sums = [(p[0] + q[0], p[1] + q[1]) for p, q in pairs]
    gaps = [(p[0] - q[0], p[1] - q[1]) for p, q in pairs]
    first = parts[0]
    for a, b in sums:
        first = first[0] + a, first[1] + b
    found = [first] * odd
    for k in range(1, half + 1):
        a, b, c, d = *parts[0], 0.0, 0.0
        for m, ((p, q), (r, s)) in enumerate(zip(sums, gaps, strict=True), start=1):
            cosine, sine = plan.circle[k * m % odd]
            a, b, c, d = a + cosine * p, b + cosine * q, c + sine * r, d + sine * s
        found[k], found[odd - k] = (a + d, b - c), (a - d, b + c)
    return found
