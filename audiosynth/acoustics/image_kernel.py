"""The inner loops of the image source method, compiled by numba. Import only inside functions: it takes a second.

No fast maths and no parallel sums: every sum runs in one order, so the bits depend on neither threads nor load. What is asked most,
every image in its place, is summed by `image_pass_kernel`, band by band and channel by channel; here is the rest: last orders and
displaced images. `audiosynth.acoustics.image_moments.accumulate` is the same in NumPy, and says what is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audiosynth.acoustics import knees_kernel  # noqa: F401  # who makes responses with loops measures them with loops
from audiosynth.acoustics.image_moments import HALF, P, rows_of
from audiosynth.acoustics.image_pass_kernel import add, add_four
from audiosynth.acoustics.image_tables import FIELD_BITS, MIX, Axis, Rule
from audiosynth.acoustics.image_taps_kernel import ROW, moments_of, response, samples_of
from audiosynth.compiled import loop

if TYPE_CHECKING:
    from audiosynth.clip import Array

__all__ = ["responses"]

_MULTIPLIER_1: Final = np.uint64(MIX[0])
_MULTIPLIER_2: Final = np.uint64(MIX[1])
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
_FIELD, _FIELD_2 = np.uint64(FIELD_BITS), np.uint64(2 * FIELD_BITS)
_MASK: Final = np.uint64(2**FIELD_BITS - 1)
_STEP: Final = 2.0 ** (1 - FIELD_BITS)


@loop
def _scatter(rows: Array, nearest: Any, x: Array, weight: Array, start: int, n: int) -> None:
    """Add weight·x^p to the nearest sample's moments, as many as image_moments.P, for the images from `start` on."""
    fours = n - (n - start) % 4
    for k in range(start, fours, 4):
        add_four(rows, nearest, x, weight, k)
    for k in range(fours, n):
        row = np.uintp(nearest[k])  # unsigned: no test for negative indices
        v = weight[k]
        for p in range(P):
            rows[row * ROW + p] += v
            v *= x[k]


@loop
def _displace(nearest: Any, step: Array, at: Any, z: Axis, n: int, rule: Rule) -> None:
    """Move images of two or more reflections; `at` holds offsets, order and key of the two outer axes."""
    x, y, order, key = at
    for k in range(n):
        if order + z.order[k] < 2:
            continue
        w = key + z.key[k]
        w = (w ^ (w >> _S30)) * _MULTIPLIER_1
        w = (w ^ (w >> _S27)) * _MULTIPLIER_2
        w = w ^ (w >> _S31)
        dx = x + rule.jitter * (_STEP * np.float64(w & _MASK) - 1.0)
        dy = y + rule.jitter * (_STEP * np.float64((w >> _FIELD) & _MASK) - 1.0)
        dz = z.offset[k] + rule.jitter * (_STEP * np.float64((w >> _FIELD_2) & _MASK) - 1.0)
        delay = np.sqrt(dx * dx + dy * dy + dz * dz) * rule.scale
        nearest[k] = np.int32(delay + 0.5)
        step[k] = 2.0 * (delay - np.float64(nearest[k]))


@loop
def _line(
    nearest: Any, x: Array, inverse: Array, z: Array, across: float, scale: float, n: int
) -> None:  # fmt: skip
    """Fill nearest samples, x = 2(delay - nearest) in [-1, 1], and 1/distance of one line of images."""
    for k in range(n):
        d = np.sqrt(across + z[k] * z[k])
        delay = d * scale
        whole = np.int32(delay + 0.5)
        nearest[k] = whole
        x[k] = 2.0 * (delay - np.float64(whole))
        inverse[k] = 1.0 / d


@loop
def _leave_out(into: Array, inverse: Array, order: Any, left: int, n: int) -> int:
    """Fill 1/distance, and 0 for images of more reflections than are left; return how many are heard."""
    heard = n
    for k in range(n):
        into[k] = inverse[k]
        if order[k] > left:
            into[k] = 0.0
            heard -= 1
    return heard


@loop
def _shape(into: Array, base: Array, inverse: Array, z: Array, flat: float, pattern: Array, n: int) -> None:
    """Multiply by a pattern of the cardioid family: pattern[0] + (flat + pattern[3]·z)/distance."""
    whole, slope = pattern[0], pattern[3]
    for k in range(n):
        into[k] = base[k] * (whole + (flat + slope * z[k]) * inverse[k])


@loop
def _weigh(into: Array, base: Array, gain_z: Array, band: int, gain: float, n: int) -> None:
    """Multiply by the walls' gains."""
    b = np.uintp(band)
    for k in range(n):
        into[k] = gain * gain_z[b, k] * base[k]


@loop
def _within(z: Array, across: float, reach: float, n: int) -> int:
    """Return how many images of a line are within reach, at most `n`: the lines after it have no more."""
    while n > 0 and across + z[n - 1] * z[n - 1] >= reach:
        n -= 1
    return n


@loop
def _accumulate(acc: Array, x: Axis, y: Axis, z: Axis, mic: Array, source: Array, rule: Rule) -> int:
    """Run over all images nearer than the reach, nearest lines first; return their number."""
    inverse, near, shaped = np.empty(z.offset.size), np.empty(z.offset.size), np.empty(z.offset.size)
    nearest, step, weight = np.empty(z.offset.size, np.int32), np.empty(z.offset.size), np.empty(z.offset.size)
    count = 0
    for i in range(x.offset.size):
        n = z.offset.size
        for j in range(y.offset.size):
            across = x.offset[i] * x.offset[i] + y.offset[j] * y.offset[j]
            n = _within(z.offset, across, rule.reach, n)
            if n == 0:
                break
            _line(nearest, step, inverse, z.offset, across, rule.scale, n)
            order, base = x.order[i] + y.order[j], inverse
            if rule.max_order < 0:
                count += n
            else:
                base = near
                count += _leave_out(base, inverse, z.order, rule.max_order - order, n)
            if rule.jitter > 0.0:
                _displace(nearest, step, (x.offset[i], y.offset[j], order, x.key[i] + y.key[j]), z, n, rule)
            if source[0] != 1.0:
                flat = source[1] * x.flipped[i] + source[2] * y.flipped[j]
                _shape(near, base, inverse, z.flipped, flat, source, n)
                base = near
            for channel in range(acc.shape[1]):
                heard = base
                if mic[channel, 0] != 1.0:
                    flat = mic[channel, 1] * x.offset[i] + mic[channel, 2] * y.offset[j]
                    _shape(shaped, base, inverse, z.offset, flat, mic[channel], n)
                    heard = shaped
                for band in range(acc.shape[0]):
                    _weigh(weight, heard, z.gain, band, x.gain[band, i] * y.gain[band, j], n)
                    _scatter(acc[band, channel], nearest, step, weight, 0, n)
    return count


def accumulate(acc: Array, axes: tuple[Axis, Axis, Axis], mic: Array, source: Array, rule: Rule) -> int:
    """As `audiosynth.acoustics.image_moments.accumulate`; `acc` holds `ROW` numbers for every sample, shape (n_bands, n_channels, …)."""
    return int(_accumulate(acc, *axes, mic, source, rule))


def responses(
    axes: tuple[Axis, Axis, Axis], mic: Array, source: Array, rule: Rule, n_samples: int
) -> tuple[Array, int]:
    """As `audiosynth.acoustics.image_moments.responses`."""
    places, first = (axes[0].gain.shape[0], len(mic)), HALF * ROW
    h = np.empty((*places, samples_of(n_samples)))
    if rule.max_order < 0 and rule.jitter == 0.0:
        moments, count = moments_of(n_samples, rows_of(n_samples, rule)), 0
        for band, channel in np.ndindex(places):
            if (band, channel) > (0, 0):
                moments.fill(0.0)
            count = add(moments[first:], axes, band, mic[channel], source, rule)
            response(moments, n_samples, h[band, channel])
        return h[..., :n_samples], count
    acc = moments_of(n_samples, rows_of(n_samples, rule), places)
    count = accumulate(acc[..., first:], axes, mic, source, rule)
    for place in np.ndindex(places):
        response(acc[place], n_samples, h[place])
    return h[..., :n_samples], count
