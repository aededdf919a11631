"""From images to samples: moments of their fractional delays, then one short convolution per moment.

An image of amplitude a at delay τ = n₀ + x/2, x in [-1, 1], adds a·w(k - x/2) to sample n₀ + k for 81 taps k. As w's
dependence on x is a polynomial per tap, w(k - x/2) = Σ_p C[p, k]·x^p, the sum over images first gathers the moments
M[n₀, p] += a·x^p, a few numbers per image, and the response is Σ_p M[:, p] * C[p].
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.acoustics.image_tables import FIELD_BITS, mixed

if TYPE_CHECKING:
    import numpy.typing as npt

    from audiosynth.acoustics.image_tables import Axis, Rule
    from audiosynth.clip import Array

    Mask = npt.NDArray[np.bool_]

P: Final = 6
"""Moments: -74 dB of error against the exact window, and continuous where the nearest sample changes."""
HALF: Final = 40
"""Taps on each side of the nearest sample."""
REACH: Final = HALF + 0.5


def fractional_tap(t: Array) -> Array:
    """Return the windowed sinc at distance `t` in samples: sinc(t)·½(1 + cos(πt/40.5)), zero from 40.5 on.

    Notes
    -----
    The window moves with the fraction, so it ends smoothly at 40.5 for every fraction and no tap is cut off.
    """
    window = np.where(np.abs(t) < REACH, 0.5 + 0.5 * np.cos(np.pi * t / REACH), 0.0)
    return np.asarray(np.sinc(t) * window)


def moment_taps() -> Array:
    """Return C/4π, shape (P, 81): the taps' polynomials in x, through Chebyshev's extrema, with every image's 1/4π.

    Notes
    -----
    The nodes include x = ±1, where an image passes from one sample to the next: as the polynomials are exact there,
    both samples give the same response, and a rounding of τ that picks the other one changes nothing.
    """
    nodes = np.array([math.cos(math.pi * j / (P - 1)) for j in range(P)])
    taps = np.arange(-HALF, HALF + 1)
    values = fractional_tap(taps[None, :] - nodes[:, None] / 2)
    return np.asarray(np.linalg.solve(np.vander(nodes, P, increasing=True), values)) / (4.0 * math.pi)


@lru_cache(maxsize=64)
def _fft_size(n: int) -> int:
    """Return the smallest even length ≥ n of factors 2, 3 and 5."""
    best = 1 << max(1, (n - 1).bit_length())
    for fives in range(8):
        for threes in range(6):
            odd: int = 5**fives * 3**threes
            if 2 * odd < best:
                best = min(best, odd << max(1, (-(-n // odd) - 1).bit_length()))
    return best


@lru_cache(maxsize=4)
def _spectra(size: int) -> npt.NDArray[np.complex128]:
    spectra = np.fft.rfft(moment_taps(), size)
    spectra.flags.writeable = False
    return spectra


def response(moments: Array, n_samples: int) -> Array:
    """Return the response of `n_samples` that moments of shape (rows, P) stand for.

    Notes
    -----
    Taps before sample 0 are cut: a distance under 40 samples loses what falls there.
    """
    size = _fft_size(moments.shape[0] + 2 * HALF)
    spectrum = (np.fft.rfft(moments.T, size) * _spectra(size)).sum(axis=0)
    return np.asarray(np.fft.irfft(spectrum, size)[HALF : HALF + n_samples])


def rows_of(n_samples: int, rule: Rule) -> int:
    """Return how many samples images may fall on."""
    return n_samples + 2 + math.ceil(2 * rule.jitter * rule.scale)


def responses(
    axes: tuple[Axis, Axis, Axis], mic: Array, source: Array, rule: Rule, n_samples: int
) -> tuple[Array, int]:
    """Return the responses of all bands and channels, shape (n_bands, n_channels, n_samples), and the number of images.

    `axes` are the tables, the one with most images last; the rest is as for `accumulate`.
    """
    moments = np.zeros((axes[0].gain.shape[0], len(mic), rows_of(n_samples, rule), P))
    count = accumulate(moments, *axes, mic, source, rule)
    h = np.empty((*moments.shape[:2], n_samples))
    for place in np.ndindex(h.shape[:2]):
        h[place] = response(moments[place], n_samples)
    return h, count


def accumulate(acc: Array, x: Axis, y: Axis, z: Axis, mic: Array, source: Array, rule: Rule) -> int:
    """Add the moments of all images nearer than the rule's reach; return their number.

    Parameters
    ----------
    acc
        Shape (n_bands, n_channels, rows, P), added to in place.
    x, y, z
        Tables, the one with most images last.
    mic
        Patterns of the channels, shape (n_channels, 4): gain = w0 + w1·ux + w2·uy + w3·uz for arrival from direction u.
    source
        Pattern of the source, shape (4,), for the direction from the (mirrored) source to the microphone.
    rule
        Scale, bounds, displacement.

    Notes
    -----
    The same arithmetic as `audiosynth.acoustics.image_kernel`, whole planes of images at a time.
    """
    planes = np.zeros((*acc.shape[:2], P, acc.shape[2]))
    count = 0
    for i in range(x.offset.size):
        across = x.offset[i] * x.offset[i] + y.offset * y.offset
        squares = across[:, None] + z.offset * z.offset
        order = x.order[i] + y.order[:, None] + z.order
        near = squares < rule.reach
        if rule.max_order >= 0:
            near &= order <= rule.max_order
        found = int(np.count_nonzero(near))
        if found:
            distance = np.sqrt(squares[near])
            delay = distance * rule.scale
            if rule.jitter > 0:
                delay = np.where(order[near] >= 2, _displaced((x, y, z), i, near, rule.jitter) * rule.scale, delay)
            _add_plane(planes, (x, y, z), (i, near), (mic, source), distance, delay)
        count += found
    acc += planes.swapaxes(2, 3)
    return count


def _add_plane(
    planes: Array, axes: tuple[Axis, ...], at: tuple[int, Mask], patterns: tuple[Array, Array],
    distance: Array, delay: Array,
) -> None:  # fmt: skip
    """Add the images of one plane to every band and channel."""
    i, near = at
    mic, source = patterns
    inverse = base = 1.0 / distance
    if source[0] != 1.0:
        base = base * _pattern([a.flipped for a in axes], i, near, inverse, source)
    nearest = (delay + 0.5).astype(np.int64)
    x = 2.0 * (delay - nearest)
    for channel, weights in enumerate(mic):
        heard = base
        if weights[0] != 1.0:
            heard = base * _pattern([a.offset for a in axes], i, near, inverse, weights)
        for band in range(planes.shape[0]):
            gain = axes[0].gain[band, i] * axes[1].gain[band][:, None] * axes[2].gain[band]
            weight = gain[near] * heard
            for p in range(P):
                sums = np.bincount(nearest, weight)
                planes[band, channel, p, : sums.size] += sums
                weight *= x


def _pattern(offsets: list[Array], i: int, near: Mask, inverse: Array, weights: Array) -> Array:
    """Return the gains of a pattern of the cardioid family."""
    along = weights[1] * offsets[0][i] + weights[2] * offsets[1][:, None] + weights[3] * offsets[2]
    return np.asarray(weights[0] + along[near] * inverse)


def _displaced(axes: tuple[Axis, ...], i: int, near: Mask, jitter: float) -> Array:
    """Return distances after displacing every image by up to `jitter` along each axis."""
    x, y, z = axes
    word = mixed((x.key[i : i + 1, None] + y.key[:, None] + z.key)[near])
    mask, step = np.uint64(2**FIELD_BITS - 1), 2.0 ** (1 - FIELD_BITS)
    fields = [((word >> np.uint64(FIELD_BITS * a)) & mask).astype(np.float64) for a in range(3)]
    places = np.broadcast_arrays(x.offset[i], y.offset[:, None], z.offset)
    dx, dy, dz = (place[near] + jitter * (step * f - 1.0) for place, f in zip(places, fields, strict=True))
    return np.asarray(np.sqrt(dx * dx + dy * dy + dz * dz))
