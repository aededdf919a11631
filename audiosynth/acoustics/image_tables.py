"""Image sources of a box, axis by axis: offsets, gains, and the numbers a kernel needs to run over them.

Along one axis of length L the images of a source at s lie at 2nL + s (n reflections at each wall) and 2nL - s. A
response is a sum over triples of them, so three short tables stand for millions of images. Gains are powers of the
walls' reflection coefficients by repeated multiplication: the same bits wherever IEEE arithmetic is kept.

References
----------
J. B. Allen, D. A. Berkley, "Image method for efficiently simulating small-room acoustics", Journal of the Acoustical
Society of America 65(4), 1979.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audiosynth.dice import philox_words

if TYPE_CHECKING:
    from audiosynth.clip import Array

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

MIX: Final = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
"""Multipliers of splitmix64's output function (G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014)."""
FIELD_BITS: Final = 21
"""Bits of a mixed word for each of three coordinates."""


class Axis(NamedTuple):
    """The images along one axis, sorted by distance from the microphone (ties: lower index first).

    Attributes
    ----------
    offset
        Image minus microphone in metres, shape (n,).
    flipped
        `offset` with its sign turned for images that mirror the source's axis.
    gain
        Product of the reflection coefficients on the way, shape (n_bands, n).
    order
        Reflections on the way.
    key
        Word of the image's index, for displacements.
    """

    offset: Array
    flipped: Array
    gain: Array
    order: Ints
    key: Words


class Rule(NamedTuple):
    """What bounds and moves the images.

    Attributes
    ----------
    scale
        Samples per metre.
    reach
        Square of the distance in metres from which on images are left out.
    max_order
        Most reflections of an image; negative for no limit.
    jitter
        Largest displacement in metres along each axis of images of two or more reflections.
    """

    scale: float
    reach: float
    max_order: int
    jitter: float


def axis_tables(
    *, size: Sequence[float], source: Sequence[float], mic: Sequence[float], beta: Array, reach: float,
    seed: int | None = None,
) -> list[Axis]:  # fmt: skip
    """Return the images along the three axes that are nearer than `reach`, without those no band hears.

    Parameters
    ----------
    size, source, mic
        The room and positions in metres, three numbers each.
    beta
        Reflection coefficients of the walls x0, x1, y0, y1, z0, z1, shape (n_bands, 6).
    reach
        Distance in metres.
    seed
        Of the words for displacements; None for zeros.

    Examples
    --------
    >>> x, y, z = axis_tables(size=(4.0, 9.0, 9.0), source=(1.0, 1.0, 1.0), mic=(3.0, 1.0, 1.0), beta=np.ones((1, 6)),
    ...                       reach=5.0)
    >>> x.offset.tolist(), y.offset.tolist()
    ([-2.0, -4.0, 4.0], [0.0, -2.0])
    """
    # All three at once: what these few numbers cost is the calls.
    most = math.ceil(reach / min(size) + 2)
    q, n, sign, met = _lattice(most)
    columns = np.array([size, source, mic], dtype=np.float64)[:, :, None]
    offset = 2.0 * columns[0] * n + (sign * columns[1] - columns[2])
    powers = _powers(beta, most + 1)
    gain = powers[:, 0::2, met[0]] * powers[:, 1::2, met[1]]
    away = np.abs(offset)
    away[gain.max(axis=0) <= 0] = math.inf
    order = np.argsort(away, axis=1, kind="stable")
    n_kept = np.count_nonzero(away < reach, axis=1).tolist()
    tables = []
    for a in range(3):
        kept = order[a, : n_kept[a]]
        near, met_walls = offset[a, kept], q[kept]
        words = np.zeros(kept.size, np.uint64) if seed is None else _words(met_walls, seed, a)
        tables.append(Axis(near, sign[kept] * near, np.ascontiguousarray(gain[:, a, kept]), np.abs(met_walls), words))
    return tables


@lru_cache(maxsize=256)
def _lattice(most: int) -> tuple[Ints, Array, Array, tuple[Ints, Ints]]:
    """Return the indices q of images with up to `most` reflections, n, the source's sign, how often each wall is met.

    q = 2n stands for 2nL + s and q = 2n - 1 for 2nL - s, so that |q| walls are met.
    """
    q = np.arange(-most, most + 1)
    n, odd = (q + 1) // 2, q % 2
    return q, n.astype(np.float64), 1.0 - 2.0 * odd.astype(np.float64), (np.abs(n - odd), np.abs(n))


def _powers(beta: Array, n: int) -> Array:
    """Return beta^0 … beta^n along a last axis, each from the one before it."""
    steps = np.empty((*beta.shape, n + 1))
    steps[...] = beta[:, :, None]
    steps[:, :, 0] = 1.0
    return np.asarray(np.multiply.accumulate(steps, axis=2))


def _words(q: Ints, seed: int, axis: int) -> Words:
    """Return a word for each index, whatever table it stands in."""
    place = np.where(q >= 0, 2 * q, -2 * q - 1)
    return philox_words(seed, start=0, n_words=int(place.max(initial=0)) + 1, stream=f"image-jitter/{axis}")[place]


def mixed(words: Words) -> Words:
    """Return splitmix64's output function of each word.

    Examples
    --------
    >>> hex(int(mixed(np.array([0x9E3779B97F4A7C15], np.uint64))[0]))
    '0xe220a8397b1dcdaf'
    """
    z = (words ^ (words >> np.uint64(30))) * np.uint64(MIX[0])
    z = (z ^ (z >> np.uint64(27))) * np.uint64(MIX[1])
    return np.asarray(z ^ (z >> np.uint64(31)))


def count_images(size: Array, beta: Array, *, reach: float, max_order: int = -1) -> float:
    """Return about how many images lie within `reach`: a sphere's volume over the room's, at most what walls leave.

    Parameters
    ----------
    size
        Room in metres, shape (3,).
    beta
        Shape (n_bands, 6).
    reach
        Metres.
    max_order
        Most reflections; negative for no limit.
    """
    lengths = [float(length) for length in size]
    sphere = 4.0 / 3.0 * math.pi * reach**3 / math.prod(lengths)
    walls = [max(column) > 0 for column in beta.T.tolist()]
    lines = [(1.0, 2.0, 2 * reach / lengths[a] + 3)[walls[2 * a] + walls[2 * a + 1]] for a in range(3)]
    counts = [sphere + 1, math.prod(lines)]
    if max_order >= 0:
        counts.append((2 * max_order + 1) * (2 * max_order**2 + 2 * max_order + 3) / 3)
    return min(counts)
