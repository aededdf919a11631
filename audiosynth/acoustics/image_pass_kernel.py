"""All images of one band of one channel in one pass, compiled by numba. Import only inside functions: it takes a second.

Four images at a time go through three steps, in blocks that take turns: distances and gains of one block are worked out while those of
the block before it become samples and weights, and the block before that is added. No step waits for what another has just begun, so
that square roots and divisions (14 cycles for four images) and sums (as many) go on side by side.

The operations are those of `image_kernel`, and every sum is in the same order: the bits are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from audiosynth.acoustics.image_moments import P
from audiosynth.acoustics.image_tables import Axis, Rule
from audiosynth.acoustics.image_taps_kernel import ROW, aligned
from audiosynth.compiled import loop

if TYPE_CHECKING:
    from audiosynth.clip import Array

_BLOCK: Final = 128
"""Images of a block."""
_KIND: Final = _BLOCK + 8
"""Numbers from one kind to the next in a block: distances (then steps), gains (then weights), rows, and what patterns hear."""
_INT, _LONG = ir.IntType(32), ir.IntType(64)
_FOUR: Final = ir.VectorType(ir.DoubleType(), 4)
_FOUR_INTS: Final = ir.VectorType(_INT, 4)


def pointer_to(builder: Any, array: Any, index: Any, kind: Any, off: int = 0) -> Any:
    """Return the address of something in an array, `off` numbers behind an index."""
    at = builder.add(index, ir.Constant(index.type, off)) if off else index
    return builder.bitcast(builder.gep(array.data, [at]), kind.as_pointer())


def load(builder: Any, array: Any, index: Any, off: int = 0) -> Any:
    """Return four numbers of an array."""
    return builder.load(pointer_to(builder, array, index, _FOUR, off), align=8)


def _store(builder: Any, value: Any, array: Any, index: Any, off: int = 0) -> None:
    builder.store(value, pointer_to(builder, array, index, value.type, off), align=8)


def _same(builder: Any, number: Any) -> Any:
    """Return a number in all of four places."""
    nothing = ir.Constant(_FOUR, ir.Undefined)
    return builder.shuffle_vector(builder.insert_element(nothing, number, _INT(0)), nothing, _places(0, 0, 0, 0))


def _places(*places: int) -> Any:
    return ir.Constant(ir.VectorType(_INT, len(places)), list(places))


def array_of(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return an array as LLVM has it."""
    return context.make_array(kind)(context, builder, value)


def _arrays(context: Any, builder: Any, kinds: Any, value: Any) -> list[Any]:
    """Return the arrays of a tuple."""
    parts = cgutils.unpack_tuple(builder, value)
    return [array_of(context, builder, kind, part) for kind, part in zip(kinds, parts, strict=True)]


def _patterns(context: Any, builder: Any, kinds: Any, value: Any) -> list[list[Any]]:
    """Return weights and the three axes' offsets of every pattern."""
    parts = cgutils.unpack_tuple(builder, value)
    return [_arrays(context, builder, kind, part) for kind, part in zip(kinds, parts, strict=True)]


def _number(builder: Any, array: Any, index: Any) -> Any:
    return builder.load(builder.gep(array.data, [index]))


@intrinsic  # type: ignore[untyped-decorator]
def _flat(_: Any, patterns: Any, i: Any, j: Any) -> Any:
    """Return of every pattern what the outer axes add to its gain times the distance."""

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        found = []
        for weights, x, y, _ in _patterns(context, builder, sig.args[0], args[0]):
            of_x, of_y = (_number(builder, weights, _LONG(k)) for k in (1, 2))
            along_x, along_y = _number(builder, x, args[1]), _number(builder, y, args[2])
            found.append(builder.fadd(builder.fmul(of_x, along_x), builder.fmul(of_y, along_y)))
        return context.make_tuple(builder, sig.return_type, found)

    return types.UniTuple(types.float64, len(patterns))(patterns, i, j), made


@intrinsic  # type: ignore[untyped-decorator]
def _begin(_: Any, work: Any, at: Any, axis: Any, k: Any, line: Any, patterns: Any) -> Any:
    """Put to a place of a block distances and gains of the images k to k + 3 of a line, and what patterns make of them.

    `axis` holds offsets and gains along the line, `line` the square of the distance across, the outer axes' gain, and theirs of
    patterns (`_flat`).
    """

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        into, at, k = array_of(context, builder, sig.args[0], args[0]), args[1], args[3]
        offset, gain_z = _arrays(context, builder, sig.args[2], args[2])
        across, gain, flat = cgutils.unpack_tuple(builder, args[4])
        root = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_FOUR, [_FOUR]), "llvm.sqrt.v4f64")
        away = load(builder, offset, k)
        square = builder.fadd(_same(builder, across), builder.fmul(away, away))
        _store(builder, builder.call(root, [square]), into, at)
        _store(builder, builder.fmul(_same(builder, gain), load(builder, gain_z, k)), into, at, _KIND)
        found = _patterns(context, builder, sig.args[5], args[5])
        for place, (weights, _, _, z) in enumerate(found):
            slope = _same(builder, _number(builder, weights, _LONG(3)))
            outer = _same(builder, builder.extract_value(flat, place))
            along = builder.fadd(outer, builder.fmul(slope, load(builder, z, k)))
            _store(builder, along, into, at, (3 + place) * _KIND)
        return context.get_dummy_value()

    return types.void(work, at, axis, k, line, patterns), made


@intrinsic  # type: ignore[untyped-decorator]
def _go_on(_: Any, work: Any, at: Any, scale: Any, patterns: Any) -> Any:
    """Make of four distances and gains x = 2(delay - nearest), weights, and rows."""

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        into, at = array_of(context, builder, sig.args[0], args[0]), args[1]
        one, two, half = (ir.Constant(_FOUR, [number] * 4) for number in (1.0, 2.0, 0.5))
        distance = load(builder, into, at)
        delay = builder.fmul(distance, _same(builder, args[2]))
        whole = builder.fptosi(builder.fadd(delay, half), _FOUR_INTS)
        step = builder.fmul(two, builder.fsub(delay, builder.sitofp(whole, _FOUR)))
        inverse = heard = builder.fdiv(one, distance)
        for place, (weights, *_) in enumerate(_patterns(context, builder, sig.args[3], args[3])):
            along = builder.fmul(load(builder, into, at, (3 + place) * _KIND), inverse)
            heard = builder.fmul(heard, builder.fadd(_same(builder, _number(builder, weights, _LONG(0))), along))
        _store(builder, step, into, at)
        _store(builder, builder.fmul(load(builder, into, at, _KIND), heard), into, at, _KIND)
        _store(builder, whole, into, at, 2 * _KIND)
        return context.get_dummy_value()

    return types.void(work, at, scale, patterns), made


def _by_image(builder: Any, values: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield of each of four images its first four moments and its last two: all `P` of them, from as many vectors of four."""
    mix, low, high = builder.shuffle_vector, _places(0, 4, 2, 6), _places(1, 5, 3, 7)
    pairs = [[mix(values[p], values[p + 1], half) for p in (0, 2, 4)] for half in (low, high)]
    for k in range(4):
        first, second, last = pairs[k % 2]
        a, b = (0, 1) if k < 2 else (2, 3)
        yield mix(first, second, _places(a, b, a + 4, b + 4)), mix(last, last, _places(a, b))


def add_images(builder: Any, moments: Any, row_of: Any, powers: list[Any]) -> None:
    """Add weight·x^p of four images to their rows' moments, one image after the other; `powers` are weights and x."""
    *powers, step = powers
    while len(powers) < P:
        powers.append(builder.fmul(powers[-1], step))
    for image, parts in enumerate(_by_image(builder, powers)):
        place = builder.zext(builder.load(builder.gep(row_of, [_LONG(image)]), align=4), _LONG)
        row = builder.mul(place, _LONG(ROW))
        for part, off in zip(parts, (0, 4), strict=True):
            pointer = pointer_to(builder, moments, row, part.type, off)
            builder.store(builder.fadd(builder.load(pointer, align=8), part), pointer, align=8)


@intrinsic  # type: ignore[untyped-decorator]
def _add(_: Any, moments: Any, work: Any, at: Any) -> Any:
    """Add four images of a block."""

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        rows, done = (array_of(context, builder, sig.args[k], args[k]) for k in (0, 1))
        row_of = pointer_to(builder, done, args[2], _INT, 2 * _KIND)
        add_images(builder, rows, row_of, [load(builder, done, args[2], _KIND), load(builder, done, args[2])])
        return context.get_dummy_value()

    return types.void(moments, work, at), made


@intrinsic  # type: ignore[untyped-decorator]
def add_four(_: Any, moments: Any, nearest: Any, x: Any, weight: Any, k: Any) -> Any:
    """Add weight·x^p to the nearest samples' moments, one image after the other, for the images k to k + 3."""

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        rows, row_of, step, heard = (array_of(context, builder, sig.args[n], args[n]) for n in range(4))
        powers = [load(builder, heard, args[4]), load(builder, step, args[4])]
        add_images(builder, rows, pointer_to(builder, row_of, args[4], _INT), powers)
        return context.get_dummy_value()

    return types.void(moments, nearest, x, weight, k), made


@intrinsic  # type: ignore[untyped-decorator]
def _beyond(_: Any, squares: Any, at: Any, across: Any, reach: Any) -> Any:
    """Return how many of four images are beyond reach."""

    def made(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        along = array_of(context, builder, sig.args[0], args[0])
        far = builder.fadd(_same(builder, args[2]), load(builder, along, args[1]))
        found = builder.fcmp_ordered(">=", far, _same(builder, args[3]))
        return builder.zext(builder.ctpop(builder.bitcast(found, ir.IntType(4))), _LONG)

    return types.intp(squares, at, across, reach), made


@loop
def _within(squares: Any, across: float, reach: float, n: int) -> int:
    """Return how many images of a line are within reach, at most `n`: the lines after it have no more.

    `squares` ascend and begin with four that are never beyond.
    """
    found = _beyond(squares, n, across, reach)
    n -= found
    while found == 4:
        found = _beyond(squares, n, across, reach)
        n -= found
    return n


@loop
def _finish(moments: Any, work: Any, blocks: Any, done: int, rule: Rule, patterns: Any) -> None:
    """Do what is left of two blocks, and fill the last four of the fresh one with images of no gain."""
    fresh, placed, second, n_second, last, n_last = blocks
    for k in range(placed, (placed + 3) // 4 * 4):
        work[fresh + k], work[fresh + _KIND + k] = work[fresh], 0.0
    for k in range(done, n_second, 4):
        _go_on(work, second + k, rule.scale, patterns)
    for k in range(done, n_last, 4):
        _add(moments, work, last + k)


@loop
def _run(moments: Any, outer: Any, line: Any, work: Any, patterns: Any, rule: Rule) -> int:
    """Add all images; `outer` holds offsets and gains of the two axes, `line` those along it and its squares (`_within`)."""
    (xs, gain_x), (ys, gain_y), (axis, squares), size = outer[0], outer[1], line, work.size // 3
    fresh, second, last, n_second, n_last, placed, done, ready, count = 0, size, 2 * size, 0, 0, 0, 0, 0, 0
    for i in range(xs.size):
        n = squares.size - 4
        for j in range(ys.size):
            across = xs[i] * xs[i] + ys[j] * ys[j]
            n = _within(squares, across, rule.reach, n)
            if n == 0:
                break
            here, k = (across, gain_x[i] * gain_y[j], _flat(patterns, i, j)), 0
            while k < n:
                stop = min(n, k + _BLOCK - placed)
                both = min(stop, k + ready - done)
                while k < both:
                    _begin(work, fresh + placed, axis, k, here, patterns)
                    _go_on(work, second + done, rule.scale, patterns)
                    _add(moments, work, last + done)
                    k, placed, done = k + 4, placed + 4, done + 4
                while k < stop:
                    _begin(work, fresh + placed, axis, k, here, patterns)
                    k, placed = k + 4, placed + 4
                placed -= max(0, k - n)
                if placed >= _BLOCK:
                    blocks = (fresh, placed, second, n_second, last, n_last)
                    _finish(moments, work, blocks, done, rule, patterns)
                    fresh, second, last, n_second, n_last = last, fresh, second, placed, n_second
                    ready, placed, done = min(n_second, n_last), 0, 0
            count += n
    for _ in range(3):
        _finish(moments, work, (fresh, placed, second, n_second, last, n_last), done, rule, patterns)
        fresh, second, last, n_second, n_last = last, fresh, second, placed, n_second
        placed, done = 0, 0
    return count


def add(moments: Array, axes: tuple[Axis, Axis, Axis], band: int, mic: Array, source: Array, rule: Rule) -> int:
    """Add all images of a band, as a microphone's pattern hears them, to moments in the order of `image_taps_kernel.moments_of`.

    From the first sample's on, flat; returns the number of images. The rule has neither `max_order` nor displacement.
    """
    x, y, z = axes
    size, step = z.offset.size, -(-(z.offset.size + 4) // ROW) * ROW
    offset, gain, flipped, squares = aligned(np.zeros(4 * step + ROW)).reshape(4, step)
    offset[:size], offset[size:], gain[:size], flipped[:size] = z.offset, 1.0, z.gain[band], z.flipped
    squares = squares[: size + 4]
    squares[:4], squares[4:] = -np.inf, z.offset * z.offset
    heard = ((source, x.flipped, y.flipped, flipped), (mic, x.offset, y.offset, offset))
    patterns = tuple(pattern for pattern in heard if pattern[0][0] != 1.0)
    work = aligned(np.zeros(3 * (3 + len(patterns)) * _KIND + ROW))
    outer = ((x.offset, x.gain[band]), (y.offset, y.gain[band]))
    return int(_run(moments, outer, ((offset, gain), squares), work, patterns, rule))
