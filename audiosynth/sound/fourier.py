"""Tables of the Fourier transforms that compiled loops (`fourier_kernel`) and NumPy's passes (`convolving`) do alike."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np

LANES: Final = 8
"""Numbers that are worked on at a time; as in `lanes_kernel`, which needs numba."""


class Transform(NamedTuple):
    """Tables of the transforms of one length: a power of two, or that times 3, 5 or 7.

    Attributes
    ----------
    n
        Complex numbers of a frame.
    odd
        The odd factor of `n`, 1 without.
    twiddles
        Real and imaginary parts of the factors of every stage, one after the other.
    circle
        Cosine and sine of 2π m / `odd`.
    rows
        Where frequency k ends up.
    """

    n: int
    odd: int
    twiddles: Any
    circle: Any
    rows: Any


@lru_cache(maxsize=32)
def transform_of(n: int) -> Transform:
    """Return the tables for `n` complex numbers."""
    odd = n // (n & -n)
    factors, rest = [odd] * (odd > 1), n // odd
    while rest > 1:
        factors.append(min(4, rest))
        rest //= factors[-1]
    span, twiddles, rows, left = n, [np.empty(0)], np.zeros(n, dtype=np.int64), np.arange(n)
    for factor in factors:
        j, k = np.arange(span // factor)[:, None], np.arange(1, factor)
        turned = np.exp(-2j * np.pi * (j * k % span) / span)
        if factor < span or factor == odd > 1:  # the last stage has no factors, but for an odd one's, which are 1
            twiddles.append(turned.view(np.float64).ravel())
        span //= factor
        rows += left % factor * span
        left //= factor
    angles = 2 * np.pi * np.arange(odd) / odd
    return Transform(n, odd, np.concatenate(twiddles), np.column_stack((np.cos(angles), np.sin(angles))), rows)
