"""White Gaussian noise by the inverse of its distribution: a quarter of the cost of Box and Muller's sines.

Half a keyed word gives one sample: a sign and 31 bits, which make a probability between 2^-33 and ½. Its exponent and the
five bits behind it choose one of 1,024 cells, in each of which a cubic stands for the inverse. Cells that narrow with the
probability follow the tails as closely as the middle: the error stays below 2e-9 everywhere.

The compiled loop gives the same bits as NumPy's passes, six times as fast; it is used once
`load_kernel` was asked for, as a build does that has enough to make.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from audiosynth.compiled import compiled, loaded
from audiosynth.dice import philox_words

if TYPE_CHECKING:
    import numpy.typing as npt

    from audiosynth.clip import Array

LARGEST: Final = 6.34
"""No sample is larger: the inverse at 2^-33 is 6.338."""
_CELL_BITS: Final = 5
SHIFT: Final = 52 - _CELL_BITS
"""What is left of a float64's bits after it: sign, exponent, cell."""
_OCTAVES: Final = 32
"""Probabilities 2^-33 to ½."""
FIRST: Final = (1023 - 1) << _CELL_BITS
"""Cell, counted from 0 to infinity, of the number ½: half a word counts from ½ up, its probability is 2^-32 of that."""
MAGNITUDE: Final = np.int64((1 << 63) - 1)
WITHIN: Final = np.int64((1 << SHIFT) - 1)
_KERNEL: Final = "audiosynth.sound.normal_kernel"
_PIECE: Final = 8_192
"""Samples that are worked on at once, for the sake of the processor's cache."""


class White(Hashable, Protocol):
    """What gives white Gaussian noise: `normals_at`, or `audiosynth.dice.gaussians_at`."""

    def __call__(self, seed: int, *, start: int, n_samples: int, streams: Sequence[str]) -> Array:
        """Return samples [start, start + n_samples) of several streams, shape (len(streams), n_samples)."""
        ...


class _Cubics(NamedTuple):
    """Coefficients of each cell's cubic, for the place in the cell as an integer below 2^47: by power, and by cell."""

    powers: tuple[Array, Array, Array, Array]
    cells: Array


def normal_at(seed: int, *, start: int, n_samples: int, stream: str = "") -> Array:
    """Return samples [start, start + n_samples) of endless white Gaussian noise of variance 1.

    Parameters
    ----------
    seed
        The component's recorded seed.
    start, n_samples
        Which stretch, both ≥ 0.
    stream
        Name that separates independent sequences of one seed (channels, say).

    Examples
    --------
    >>> y = normal_at(1, start=0, n_samples=100_000)
    >>> bool(abs(y.mean()) < 0.01), bool(abs(y.var() - 1.0) < 0.02)
    (True, True)
    >>> bool((normal_at(1, start=7, n_samples=5) == y[7:12]).all())
    True
    """
    return np.asarray(normals_at(seed, start=start, n_samples=n_samples, streams=(stream,))[0])


def normals_at(seed: int, *, start: int, n_samples: int, streams: Sequence[str]) -> Array:
    """Return `normal_at` of several streams, shape (len(streams), n_samples); one transform for all of them."""
    first, skip = divmod(start, 2)
    n_words = (skip + n_samples + 1) // 2
    words = np.concatenate([philox_words(seed, start=first, n_words=n_words, stream=stream) for stream in streams])
    halves = words.astype("<u8", copy=False).view("<i4")  # the lower half first, on any machine
    out = np.empty(len(halves))
    kernel = loaded(_KERNEL)
    if kernel is not None:
        kernel.inverse(halves, _cubics().cells, out)
    else:
        for at in range(0, len(halves), _PIECE):
            _inverse(halves[at : at + _PIECE], out=out[at : at + _PIECE])
    return out.reshape(len(streams), -1)[:, skip : skip + n_samples]


def _inverse(halves: npt.NDArray[np.int32], *, out: Array) -> None:
    """Write the Gaussian value of each half word."""
    c0, c1, c2, c3 = _cubics().powers
    signed = halves + 0.5  # as many negative as positive ones, and none is 0
    cell = signed.view(np.int64) & MAGNITUDE
    place = (cell & WITHIN).astype(np.float64)
    cell >>= SHIFT
    cell -= FIRST
    value = c3.take(cell)
    for c in (c2, c1, c0):
        value *= place
        value += c.take(cell)
    np.copysign(value, signed, out=out)


@lru_cache(maxsize=1)
def _cubics() -> _Cubics:
    """Return the cubics through four values of the inverse in each cell, both ends among them.

    The values are those of Wichura's algorithm AS 241 (Appl. Statist. 37, 1988), to 16 digits.
    """
    inverse = NormalDist().inv_cdf
    octaves = 2.0 ** np.arange(-_OCTAVES - 1, -1)[:, None, None]
    cells = 1.0 + np.arange(1 << _CELL_BITS)[None, :, None] / (1 << _CELL_BITS)
    thirds = np.arange(4)[None, None, :] / (3 << _CELL_BITS)
    at = (octaves * (cells + thirds)).reshape(-1, 4)
    y0, y1, y2, y3 = np.array([[-inverse(p) for p in row] for row in at.tolist()]).T
    scale = 2.0**-SHIFT
    powers = (
        np.ascontiguousarray(y0),
        (-11.0 * y0 + 18.0 * y1 - 9.0 * y2 + 2.0 * y3) / 2.0 * scale,
        (18.0 * y0 - 45.0 * y1 + 36.0 * y2 - 9.0 * y3) / 2.0 * scale**2,
        (-9.0 * y0 + 27.0 * y1 - 27.0 * y2 + 9.0 * y3) / 2.0 * scale**3,
    )
    return _Cubics(powers, np.stack(powers, axis=1))


def load_kernel() -> bool:
    """Load the compiled loop, which takes most of a second; returns whether it is there.

    It is not where numba is missing or finds no place for its cache.
    """
    if compiled(_KERNEL) is None:
        return False
    normal_at(0, start=0, n_samples=1)  # loads what was compiled, or compiles it
    return True
