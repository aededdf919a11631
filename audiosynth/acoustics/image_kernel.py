"""The inner loops of the image source method, compiled by numba. Import only inside functions: it takes a second.

Four images at once where numba finds no vectors by itself. No fast maths and no parallel sums: every sum runs in one order, so the bits depend on neither threads nor load.
`audiosynth.acoustics.image_moments.accumulate` is the same in NumPy, and says what is computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from audiosynth.acoustics.image_moments import P
from audiosynth.acoustics.image_tables import FIELD_BITS, MIX, Axis, Rule
from audiosynth.acoustics.image_taps_kernel import response

if TYPE_CHECKING:
    from audiosynth.clip import Array

__all__ = ["accumulate", "response"]

_jit: Any = numba.njit(cache=True, fastmath=False, error_model="numpy")

_MULTIPLIER_1: Final = np.uint64(MIX[0])
_MULTIPLIER_2: Final = np.uint64(MIX[1])
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
_FIELD, _FIELD_2 = np.uint64(FIELD_BITS), np.uint64(2 * FIELD_BITS)
_MASK: Final = np.uint64(2**FIELD_BITS - 1)
_STEP: Final = 2.0 ** (1 - FIELD_BITS)
_AHEAD: Final = 12
_INT, _LONG = ir.IntType(32), ir.IntType(64)
_FOUR: Final = ir.VectorType(ir.DoubleType(), 4)
_FOUR_INTS: Final = ir.VectorType(_INT, 4)


def _pointer(builder: Any, array: Any, index: Any, kind: Any) -> Any:
    return builder.bitcast(builder.gep(array.data, [index]), kind.as_pointer())


def _load(builder: Any, array: Any, index: Any, kind: Any) -> Any:
    return builder.load(_pointer(builder, array, index, kind), align=8)


def _same(builder: Any, number: Any) -> Any:
    """Return a number in all of four places."""
    nothing = ir.Constant(_FOUR, ir.Undefined)
    return builder.shuffle_vector(builder.insert_element(nothing, number, _INT(0)), nothing, _places(0, 0, 0, 0))


def _places(*places: int) -> Any:
    return ir.Constant(ir.VectorType(_INT, len(places)), list(places))


def _by_image(builder: Any, values: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield of each of four images its first four moments and its last two: all `P` of them, from as many vectors of four."""
    mix, low, high = builder.shuffle_vector, _places(0, 4, 2, 6), _places(1, 5, 3, 7)
    pairs = [[mix(values[p], values[p + 1], half) for p in (0, 2, 4)] for half in (low, high)]
    for k in range(4):
        first, second, last = pairs[k % 2]
        a, b = (0, 1) if k < 2 else (2, 3)
        yield mix(first, second, _places(a, b, a + 4, b + 4)), mix(last, last, _places(a, b))


@intrinsic  # type: ignore[untyped-decorator]
def _place_four(_: Any, into: Any, offset: Any, gains: Any, line: Any, k: Any) -> Any:
    """Fill the arrays of `into` for the images k to k + 3 of a line: nearest samples, x = 2(delay - nearest), and weights.

    `line` is the square of the distance across, samples per metre, and the outer axes' gain. Nothing checks the bounds.
    """

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        arrays = [
            *zip(sig.args[0], cgutils.unpack_tuple(builder, args[0]), strict=True),
            *zip(sig.args[1:3], args[1:3], strict=True),
        ]
        nearest, x, weight, z, gain_z = (context.make_array(kind)(context, builder, array) for kind, array in arrays)
        across, scale, gain = (_same(builder, number) for number in cgutils.unpack_tuple(builder, args[3]))
        one, two, half = (ir.Constant(_FOUR, [number] * 4) for number in (1.0, 2.0, 0.5))
        at, multiply = args[4], builder.fmul
        root = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_FOUR, [_FOUR]), "llvm.sqrt.v4f64")
        away = _load(builder, z, at, _FOUR)
        distance = builder.call(root, [builder.fadd(across, multiply(away, away))])
        delay = multiply(distance, scale)
        whole = builder.fptosi(builder.fadd(delay, half), _FOUR_INTS)
        step = multiply(two, builder.fsub(delay, builder.sitofp(whole, _FOUR)))
        heard = multiply(multiply(gain, _load(builder, gain_z, at, _FOUR)), builder.fdiv(one, distance))
        builder.store(whole, _pointer(builder, nearest, at, _FOUR_INTS), align=4)
        builder.store(step, _pointer(builder, x, at, _FOUR), align=8)
        builder.store(heard, _pointer(builder, weight, at, _FOUR), align=8)
        return context.get_dummy_value()

    return types.void(into, offset, gains, line, k), made


@intrinsic  # type: ignore[untyped-decorator]
def _add_four(_: Any, rows: Any, nearest: Any, x: Any, weight: Any, k: Any) -> Any:
    """Add weight·x^p to the nearest samples' moments, one image after the other, for the images k to k + 3."""

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        moments, row_of, steps, weights = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(sig.args[:4], args[:4], strict=True)
        )
        step, powers = _load(builder, steps, args[4], _FOUR), [_load(builder, weights, args[4], _FOUR)]
        while len(powers) < P:
            powers.append(builder.fmul(powers[-1], step))
        for image, parts in enumerate(_by_image(builder, powers)):
            place = builder.gep(row_of.data, [builder.add(args[4], ir.Constant(args[4].type, image))])
            first = builder.mul(builder.zext(builder.load(place), _LONG), _LONG(P))
            for at, part in zip((first, builder.add(first, _LONG(4))), parts, strict=True):
                pointer = _pointer(builder, moments, at, part.type)
                builder.store(builder.fadd(builder.load(pointer, align=8), part), pointer, align=8)
        return context.get_dummy_value()

    return types.void(rows, nearest, x, weight, k), made


def _scatter_py(rows: Array, nearest: Any, x: Array, weight: Array, start: int, n: int) -> None:
    """Add weight·x^p to the nearest sample's moments, as many as image_moments.P, for the images from `start` on."""
    fours = n - (n - start) % 4
    for k in range(start, fours, 4):
        _add_four(rows, nearest, x, weight, k)
    for k in range(fours, n):
        row = np.uintp(nearest[k])  # unsigned: no test for negative indices
        v = weight[k]
        for p in range(P):
            rows[row, p] += v
            v *= x[k]


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
    """As `_accumulate_py` for what is asked most, in fewer passes: one omnidirectional channel, one band, every image.

    Square roots and divisions are slow, but nothing else waits for their part of the machine: those of the images `_AHEAD`
    are under way while images are added.
    """
    size = z.offset.size
    nearest, step, weight = np.empty(size + 3, np.int32), np.empty(size + 3), np.empty(size + 3)
    offset, gain = np.ones(size + 3), np.zeros(size + 3)  # the last four may reach beyond the axis
    offset[:size], gain[:size] = z.offset, z.gain[0]
    rows, into, count = acc[0, 0], (nearest, step, weight), 0
    for i in range(x.offset.size):
        n = size
        for j in range(y.offset.size):
            across = x.offset[i] * x.offset[i] + y.offset[j] * y.offset[j]
            n = _within(z.offset, across, rule.reach, n)
            if n == 0:
                break
            line = (across, rule.scale, x.gain[0, i] * y.gain[0, j])
            for k in range(0, min(n, _AHEAD), 4):
                _place_four(into, offset, gain, line, k)
            added = 0
            for k in range(_AHEAD, n, 4):
                _place_four(into, offset, gain, line, k)
                _add_four(rows, nearest, step, weight, added)
                added += 4
            _scatter(rows, nearest, step, weight, added, n)
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
                    _scatter(acc[band, channel], nearest, step, weight, 0, n)
    return count


_accumulate: Any = _jit(_accumulate_py)


def accumulate(acc: Array, x: Axis, y: Axis, z: Axis, mic: Array, source: Array, rule: Rule) -> int:
    """As `audiosynth.acoustics.image_moments.accumulate`."""
    plain = acc.shape[:2] == (1, 1) and mic[0, 0] == source[0] == 1.0 and rule.max_order < 0 and rule.jitter == 0.0
    return int(_accumulate_plain(acc, x, y, z, rule) if plain else _accumulate(acc, x, y, z, mic, source, rule))
