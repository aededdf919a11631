"""The inner loops of the image source method, compiled by numba. Import only inside functions: it takes a second.

No fast maths and no parallel sums: every sum runs in one order, so the bits depend on neither threads nor load.
`audiosynth.acoustics.image_moments.accumulate` is the same in NumPy, and says what is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numba
import numpy as np

from audiosynth.acoustics.image_moments import moment_taps
from audiosynth.acoustics.image_tables import FIELD_BITS, MIX, Axis, Rule

if TYPE_CHECKING:
    from audiosynth.clip import Array

_jit: Any = numba.njit(cache=True, fastmath=False, error_model="numpy")

_MULTIPLIER_1: Final = np.uint64(MIX[0])
_MULTIPLIER_2: Final = np.uint64(MIX[1])
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
_FIELD, _FIELD_2 = np.uint64(FIELD_BITS), np.uint64(2 * FIELD_BITS)
_MASK: Final = np.uint64(2**FIELD_BITS - 1)
_STEP: Final = 2.0 ** (1 - FIELD_BITS)
_BLOCK: Final = 1024
_TAPS: Final = moment_taps()


def _scatter_py(acc: Array, band: int, channel: int, nearest: Any, x: Array, weight: Array, n: int) -> None:
    """Add weight·x^p to the nearest sample's moments, as many as image_moments.P."""
    b, c = np.uintp(band), np.uintp(channel)
    for k in range(n):
        row = np.uintp(nearest[k])  # unsigned: no test for negative indices
        step = x[k]
        v = weight[k]
        acc[b, c, row, 0] += v
        v *= step
        acc[b, c, row, 1] += v
        v *= step
        acc[b, c, row, 2] += v
        v *= step
        acc[b, c, row, 3] += v
        v *= step
        acc[b, c, row, 4] += v
        v *= step
        acc[b, c, row, 5] += v


_scatter: Any = _jit(_scatter_py)


def _displace_py(nearest: Any, step: Array, at: Any, z: Axis, n: int, rule: Rule) -> None:
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


_displace: Any = _jit(_displace_py)


def _line_py(
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


_line: Any = _jit(_line_py)


def _plain_line_py(
    nearest: Any, x: Array, weight: Array, z: Axis, across: float, scale: float, gain: float, n: int
) -> None:
    """As `_line_py` and `_weigh_py` at once, for one band."""
    for k in range(n):
        d = np.sqrt(across + z.offset[k] * z.offset[k])
        delay = d * scale
        whole = np.int32(delay + 0.5)
        nearest[k] = whole
        x[k] = 2.0 * (delay - np.float64(whole))
        weight[k] = gain * z.gain[0, k] * (1.0 / d)


_plain_line: Any = _jit(_plain_line_py)


def _leave_out_py(into: Array, inverse: Array, order: Any, left: int, n: int) -> int:
    """Fill 1/distance, and 0 for images of more reflections than are left; return how many are heard."""
    heard = n
    for k in range(n):
        into[k] = inverse[k]
        if order[k] > left:
            into[k] = 0.0
            heard -= 1
    return heard


_leave_out: Any = _jit(_leave_out_py)


def _shape_py(into: Array, base: Array, inverse: Array, z: Array, flat: float, pattern: Array, n: int) -> None:
    """Multiply by a pattern of the cardioid family: pattern[0] + (flat + pattern[3]·z)/distance."""
    whole, slope = pattern[0], pattern[3]
    for k in range(n):
        into[k] = base[k] * (whole + (flat + slope * z[k]) * inverse[k])


_shape: Any = _jit(_shape_py)


def _weigh_py(into: Array, base: Array, gain_z: Array, band: int, gain: float, n: int) -> None:
    """Multiply by the walls' gains."""
    b = np.uintp(band)
    for k in range(n):
        into[k] = gain * gain_z[b, k] * base[k]


_weigh: Any = _jit(_weigh_py)


def _within_py(z: Array, across: float, reach: float, n: int) -> int:
    """Return how many images of a line are within reach, at most `n`: the lines after it have no more."""
    while n > 0 and across + z[n - 1] * z[n - 1] >= reach:
        n -= 1
    return n


_within: Any = _jit(_within_py)


def _accumulate_plain_py(acc: Array, x: Axis, y: Axis, z: Axis, rule: Rule) -> int:
    """As `_accumulate_py` for what is asked most, in fewer passes: one omnidirectional channel, one band, every image."""
    nearest, step, weight = np.empty(z.offset.size, np.int32), np.empty(z.offset.size), np.empty(z.offset.size)
    count = 0
    for i in range(x.offset.size):
        n = z.offset.size
        for j in range(y.offset.size):
            across = x.offset[i] * x.offset[i] + y.offset[j] * y.offset[j]
            n = _within(z.offset, across, rule.reach, n)
            if n == 0:
                break
            _plain_line(nearest, step, weight, z, across, rule.scale, x.gain[0, i] * y.gain[0, j], n)
            _scatter(acc, 0, 0, nearest, step, weight, n)
            count += n
    return count


_accumulate_plain: Any = _jit(_accumulate_plain_py)


def _accumulate_py(acc: Array, x: Axis, y: Axis, z: Axis, mic: Array, source: Array, rule: Rule) -> int:
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
                    _scatter(acc, band, channel, nearest, step, weight, n)
    return count


_accumulate: Any = _jit(_accumulate_py)


def accumulate(acc: Array, x: Axis, y: Axis, z: Axis, mic: Array, source: Array, rule: Rule) -> int:
    """As `audiosynth.acoustics.image_moments.accumulate`."""
    plain = acc.shape[:2] == (1, 1) and mic[0, 0] == source[0] == 1.0 and rule.max_order < 0 and rule.jitter == 0.0
    return int(_accumulate_plain(acc, x, y, z, rule) if plain else _accumulate(acc, x, y, z, mic, source, rule))


def _add_even_py(out: Array, x: Array, t: Array) -> None:
    """Add five mirrored pairs of equal taps: the outermost of window `x` and those next to them, t from the outside in."""
    t0, t1, t2, t3, t4 = t[0], t[1], t[2], t[3], t[4]
    y = x[x.size - out.size - 4 :]
    for k in range(out.size):
        outer = t0 * (x[k] + y[k + 4]) + t1 * (x[k + 1] + y[k + 3])
        out[k] += outer + t2 * (x[k + 2] + y[k + 2]) + (t3 * (x[k + 3] + y[k + 1]) + t4 * (x[k + 4] + y[k]))


_add_even: Any = _jit(_add_even_py)


def _add_odd_py(out: Array, x: Array, t: Array) -> None:
    """As `_add_even_py` for pairs of opposite taps."""
    t0, t1, t2, t3, t4 = t[0], t[1], t[2], t[3], t[4]
    y = x[x.size - out.size - 4 :]
    for k in range(out.size):
        outer = t0 * (x[k] - y[k + 4]) + t1 * (x[k + 1] - y[k + 3])
        out[k] += outer + t2 * (x[k + 2] - y[k + 2]) + (t3 * (x[k + 3] - y[k + 1]) + t4 * (x[k + 4] - y[k]))


_add_odd: Any = _jit(_add_odd_py)


def _add_middle_py(out: Array, x: Array, t: float) -> None:
    """Add the tap in the middle."""
    for k in range(out.size):
        out[k] += t * x[k]


_add_middle: Any = _jit(_add_middle_py)


def _copy_py(into: Array, values: Array) -> None:
    for k in range(into.size):
        into[k] = values[k]


_copy: Any = _jit(_copy_py)


def _respond_py(moments: Array, taps: Array, n_samples: int) -> Array:
    """Convolve every moment with its taps, mirrored pairs at once; block by block, to stay in the nearest cache."""
    rows, order = moments.shape
    n_taps = taps.shape[1]
    half = n_taps // 2
    out = np.zeros(n_samples)
    near = np.empty((order, _BLOCK + n_taps - 1))
    for start in range(0, n_samples, _BLOCK):
        size = min(_BLOCK, n_samples - start)
        behind = start - half  # the row in near[:, 0]
        first, last = max(0, -behind), max(0, min(size + n_taps - 1, rows - behind))
        for p in range(order):
            near[p, :first] = 0.0
            near[p, last:] = 0.0
            _copy(near[p, first:last], moments[behind + first : behind + last, p])
        for p in range(order):
            block = out[start : start + size]
            _add_middle(block, near[p, half : half + size], taps[p, half])
            for k in range(0, half, 5):
                # What comes first in the window meets the last taps.
                window, pairs = near[p, k : size + n_taps - 1 - k], taps[p, n_taps - k - 5 : n_taps - k][::-1]
                if p % 2 == 0:
                    _add_even(block, window, pairs)
                else:
                    _add_odd(block, window, pairs)
    return out


_respond: Any = _jit(_respond_py)


def response(moments: Array, n_samples: int) -> Array:
    """As `audiosynth.acoustics.image_moments.response`, tap by tap."""
    out: Array = _respond(moments, _TAPS, n_samples)
    return out
