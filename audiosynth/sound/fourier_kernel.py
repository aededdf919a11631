"""Fourier transforms of eight sounds at once, compiled by numba. Import only inside functions: it takes a second.

A library's transform of short frames is bound by the two numbers that it takes at a time; here a value holds one number of each
of eight frames (`audiosynth.sound.lanes_kernel`), a third of the time. No fast maths: the same bits on every machine.

A buffer of n complex numbers of `LANES` frames is flat: number j has its real parts at 2·j·LANES, its imaginary ones LANES later.
The transform is the in-place decimation in frequency [1]_, so frequency k ends in row `rows[k]`.

References
----------
.. [1] W. M. Gentleman, G. Sande, "Fast Fourier transforms: for fun and profit", AFIPS Fall Joint Computer Conference, 1966.
"""

from __future__ import annotations

from typing import Any, Final

from audiosynth.compiled import loop
from audiosynth.sound.fourier import Transform
from audiosynth.sound.lanes_kernel import LANES, load, splat, store

NEAR: Final = 128
"""Most rows of a piece: 16 kB, half of what a processor has nearest to it."""


@loop
def transform(x: Any, plan: Transform, scratch: Any) -> None:
    """Transform the frames of a buffer in place; `scratch` has room for 12 · `LANES` numbers."""
    begin(x, plan, scratch)
    piece = piece_of(plan)
    for low in range(0, plan.n, piece):
        forth(x, low, piece, plan)


@loop
def begin(x: Any, plan: Transform, scratch: Any) -> None:
    """Do the stage of an odd factor, where there is one: the first; the others are `forth`."""
    if plan.odd > 1:
        _odd(x, plan, scratch)


@loop
def piece_of(plan: Transform) -> int:
    """Return the rows of the pieces that go through their stages one after the other: as many as stay in the nearest cache."""
    rows = plan.n // plan.odd
    while rows > NEAR:
        rows //= 4
    return rows


@loop
def forth(x: Any, low: int, piece: int, plan: Transform) -> None:
    """Do the other stages of the piece from row `low` on, and those of all that is larger and begins with it."""
    span = plan.n // plan.odd
    at = 2 * (plan.odd - 1) * span
    while span > 4:
        if low % span == 0:
            _fours(x, low, low + max(span, piece), span, plan.twiddles, at)
        span //= 4
        at += 6 * span
    if span == 4:
        _last_fours(x, low, low + piece)
    elif span == 2:
        _last_twos(x, low, low + piece)


@loop
def _fours(x: Any, low: int, high: int, span: int, twiddles: Any, at: int) -> None:
    """Do one stage of radix 4 over the rows from `low` to `high`, in pieces of `span`."""
    step = span // 4 * 2 * LANES
    for start in range(low, high, span):
        for j in range(span // 4):
            i, t = (start + j) * 2 * LANES, at + 6 * j
            p, q, r = i + step, i + 2 * step, i + 3 * step
            a, b, c, d = load(x, i), load(x, p), load(x, q), load(x, r)
            e, f, g, h = load(x, i + LANES), load(x, p + LANES), load(x, q + LANES), load(x, r + LANES)
            a, c, e, g = a + c, a - c, e + g, e - g
            b, d, f, h = b + d, b - d, f + h, f - h
            store(x, i, a + b)
            store(x, i + LANES, e + f)
            re, im = splat(twiddles[t]), splat(twiddles[t + 1])
            store(x, p, (c + h) * re - (g - d) * im)
            store(x, p + LANES, (c + h) * im + (g - d) * re)
            re, im = splat(twiddles[t + 2]), splat(twiddles[t + 3])
            store(x, q, (a - b) * re - (e - f) * im)
            store(x, q + LANES, (a - b) * im + (e - f) * re)
            re, im = splat(twiddles[t + 4]), splat(twiddles[t + 5])
            store(x, r, (c - h) * re - (g + d) * im)
            store(x, r + LANES, (c - h) * im + (g + d) * re)


@loop
def back(x: Any, low: int, piece: int, plan: Transform) -> None:
    """Do the stages of `forth` backwards, from rows in which it leaves frequencies: those of all that is larger and ends with a piece.

    The matrix of a Fourier transform is symmetric, so the transposed stages do the same from the other end: factors first.
    """
    high, whole = low + piece, plan.n // plan.odd
    span, at = whole, 2 * (plan.odd - 1) * whole
    while span > 4:
        span //= 4
        at += 6 * span
    if span == 4:
        _last_fours(x, low, high)
    elif span == 2:
        _last_twos(x, low, high)
    while span < whole:
        at -= 6 * span
        span *= 4
        if high % span == 0:
            _fours_back(x, high - max(span, piece), high, span, plan.twiddles, at)


@loop
def end(x: Any, plan: Transform, scratch: Any) -> None:
    """Do the stage of an odd factor backwards: the last, after `back`."""
    if plan.odd > 1:
        _odd_back(x, plan, scratch)


@loop
def _fours_back(x: Any, low: int, high: int, span: int, twiddles: Any, at: int) -> None:
    """Do what `_fours` does, transposed."""
    step = span // 4 * 2 * LANES
    for start in range(low, high, span):
        for j in range(span // 4):
            i, t = (start + j) * 2 * LANES, at + 6 * j
            p, q, r = i + step, i + 2 * step, i + 3 * step
            a, e = load(x, i), load(x, i + LANES)
            b, f = _turned(load(x, p), load(x, p + LANES), twiddles, t)
            c, g = _turned(load(x, q), load(x, q + LANES), twiddles, t + 2)
            d, h = _turned(load(x, r), load(x, r + LANES), twiddles, t + 4)
            _put_four(x, (i, p, q, r), (a, b, c, d), (e, f, g, h))


@loop
def _put_four(x: Any, places: Any, re: Any, im: Any) -> None:
    """Write the Fourier transform of four complex values to their places."""
    a, c, e, g = re[0] + re[2], re[0] - re[2], im[0] + im[2], im[0] - im[2]
    b, d, f, h = re[1] + re[3], re[1] - re[3], im[1] + im[3], im[1] - im[3]
    store(x, places[0], a + b)
    store(x, places[0] + LANES, e + f)
    store(x, places[1], c + h)
    store(x, places[1] + LANES, g - d)
    store(x, places[2], a - b)
    store(x, places[2] + LANES, e - f)
    store(x, places[3], c - h)
    store(x, places[3] + LANES, g + d)


@loop
def _turned(re: Any, im: Any, twiddles: Any, at: int) -> Any:
    """Return the product of a complex value and the factor that stands at a place."""
    cosine, sine = splat(twiddles[at]), splat(twiddles[at + 1])
    return re * cosine - im * sine, re * sine + im * cosine


@loop
def _odd_back(x: Any, plan: Transform, scratch: Any) -> None:
    """Do what `_odd` does, transposed: the factors first, then the same sums with none after them."""
    if plan.odd == 3:
        _threes_back(x, plan)
        return
    odd, width = plan.odd, plan.n // plan.odd * 2 * LANES
    for j in range(plan.n // odd):
        i, t = j * 2 * LANES, 2 * (odd - 1) * j - 2
        first, second = load(x, i), load(x, i + LANES)
        re, im = first, second
        for m in range(1, odd // 2 + 1):
            p, q, at = i + m * width, i + (odd - m) * width, (m - 1) * 4 * LANES
            a, b = _turned(load(x, p), load(x, p + LANES), plan.twiddles, t + 2 * m)
            c, d = _turned(load(x, q), load(x, q + LANES), plan.twiddles, t + 2 * (odd - m))
            re, im = _paired(scratch, at, re, im, a, b, c, d)
        store(x, i, re)
        store(x, i + LANES, im)
        for k in range(1, odd // 2 + 1):
            a, b, c, d = _odd_sum(scratch, plan, k, first, second)
            low, high = i + k * width, i + (odd - k) * width
            store(x, low, a + d)
            store(x, low + LANES, b - c)
            store(x, high, a - d)
            store(x, high + LANES, b + c)


@loop
def _last_fours(x: Any, low: int, high: int) -> None:
    """Do the last stage, of radix 4: without factors."""
    for i in range(2 * LANES * low, 2 * LANES * high, 8 * LANES):
        p, q, r = i + 2 * LANES, i + 4 * LANES, i + 6 * LANES
        a, b, c, d = load(x, i), load(x, p), load(x, q), load(x, r)
        e, f, g, h = load(x, i + LANES), load(x, p + LANES), load(x, q + LANES), load(x, r + LANES)
        _put_four(x, (i, p, q, r), (a, b, c, d), (e, f, g, h))


@loop
def _last_twos(x: Any, low: int, high: int) -> None:
    """Do the last stage, of radix 2."""
    for i in range(2 * LANES * low, 2 * LANES * high, 4 * LANES):
        a, b, c, d = load(x, i), load(x, i + 2 * LANES), load(x, i + LANES), load(x, i + 3 * LANES)
        store(x, i, a + b)
        store(x, i + LANES, c + d)
        store(x, i + 2 * LANES, a - b)
        store(x, i + 3 * LANES, c - d)


@loop
def _threes(x: Any, plan: Transform) -> None:
    """Do what `_odd` does, for radix 3, without a detour through memory."""
    width = plan.n // 3 * 2 * LANES
    for j in range(plan.n // 3):
        i = j * 2 * LANES
        p, q = i + width, i + 2 * width
        a, b, c, d = load(x, p), load(x, p + LANES), load(x, q), load(x, q + LANES)
        re, im, low, high = _three(load(x, i), load(x, i + LANES), a, b, c, d, plan.circle)
        store(x, i, re)
        store(x, i + LANES, im)
        re, im = _turned(low[0], low[1], plan.twiddles, 4 * j)
        store(x, p, re)
        store(x, p + LANES, im)
        re, im = _turned(high[0], high[1], plan.twiddles, 4 * j + 2)
        store(x, q, re)
        store(x, q + LANES, im)


@loop
def _threes_back(x: Any, plan: Transform) -> None:
    """Do what `_odd_back` does, for radix 3."""
    width = plan.n // 3 * 2 * LANES
    for j in range(plan.n // 3):
        i = j * 2 * LANES
        p, q = i + width, i + 2 * width
        a, b = _turned(load(x, p), load(x, p + LANES), plan.twiddles, 4 * j)
        c, d = _turned(load(x, q), load(x, q + LANES), plan.twiddles, 4 * j + 2)
        re, im, low, high = _three(load(x, i), load(x, i + LANES), a, b, c, d, plan.circle)
        store(x, i, re)
        store(x, i + LANES, im)
        store(x, p, low[0])
        store(x, p + LANES, low[1])
        store(x, q, high[0])
        store(x, q + LANES, high[1])


@loop
def _three(re: Any, im: Any, a: Any, b: Any, c: Any, d: Any, circle: Any) -> Any:
    """Return the Fourier transform of three complex values, in the sums of `_odd`."""
    cosine, sine = splat(circle[1, 0]), splat(circle[1, 1])
    p, q, r, s = a + c, b + d, splat(0.0) + sine * (a - c), splat(0.0) + sine * (b - d)
    a, b = re + cosine * p, im + cosine * q
    return re + p, im + q, (a + s, b - r), (a - s, b + r)


@loop
def _odd(x: Any, plan: Transform, scratch: Any) -> None:
    """Do the first stage, of radix 3, 5 or 7: sums and differences of what lies alike on both sides, then one real sum each."""
    if plan.odd == 3:
        _threes(x, plan)
        return
    odd, width = plan.odd, plan.n // plan.odd * 2 * LANES
    for j in range(plan.n // odd):
        i, t = j * 2 * LANES, 2 * (odd - 1) * j - 2
        first, second = load(x, i), load(x, i + LANES)
        re, im = first, second
        for m in range(1, odd // 2 + 1):
            p, q, at = i + m * width, i + (odd - m) * width, (m - 1) * 4 * LANES
            a, b, c, d = load(x, p), load(x, p + LANES), load(x, q), load(x, q + LANES)
            re, im = _paired(scratch, at, re, im, a, b, c, d)
        store(x, i, re)
        store(x, i + LANES, im)
        for k in range(1, odd // 2 + 1):
            a, b, c, d = _odd_sum(scratch, plan, k, first, second)
            low, high = i + k * width, i + (odd - k) * width
            re, im = _turned(a + d, b - c, plan.twiddles, t + 2 * k)
            store(x, low, re)
            store(x, low + LANES, im)
            re, im = _turned(a - d, b + c, plan.twiddles, t + 2 * (odd - k))
            store(x, high, re)
            store(x, high + LANES, im)


@loop
def _paired(scratch: Any, at: int, re: Any, im: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Keep the sums and differences of two complex values; return one more plus their sum."""
    store(scratch, at, a + c)
    store(scratch, at + LANES, b + d)
    store(scratch, at + 2 * LANES, a - c)
    store(scratch, at + 3 * LANES, b - d)
    return re + (a + c), im + (b + d)


@loop
def _odd_sum(scratch: Any, plan: Transform, k: int, first: Any, second: Any) -> Any:
    """Return frequency `k` of an odd number of values as sums of cosines, real and imaginary ones, and of sines."""
    a, b, c, d = first, second, splat(0.0), splat(0.0)
    for m in range(1, plan.odd // 2 + 1):
        at, place = (m - 1) * 4 * LANES, k * m % plan.odd
        re, im = splat(plan.circle[place, 0]), splat(plan.circle[place, 1])
        a, b = a + re * load(scratch, at), b + re * load(scratch, at + LANES)
        c, d = c + im * load(scratch, at + 2 * LANES), d + im * load(scratch, at + 3 * LANES)
    return a, b, c, d
