"""Convolution in compiled loops. Import only by `convolving.load_kernel`: it takes a second.

What `convolve_passes` does in NumPy's passes, with the same bits: no fast maths, products and sums rounded one by one, in its order.
"""

from __future__ import annotations

from typing import Any, Final

from audiosynth.compiled import loop
from audiosynth.sound.convolve_passes import ROOT_HALF
from audiosynth.sound.convolving import Tables
from audiosynth.sound.fourier_kernel import back, begin, end, forth, piece_of, transform
from audiosynth.sound.lanes_kernel import LANES, crossed, line_of, load, splat, store

ROW: Final = 2 * LANES
"""Numbers of a row of a spectrum: real parts, imaginary parts."""


@loop
def forward(y: Any, tables: Tables, x: Any, scratch: Any) -> None:
    """Write the spectrum of `y` to `x`, its rows where the transform leaves them."""
    _first(y, tables, x)
    transform(x, tables.plan, scratch)


@loop
def _first(y: Any, tables: Tables, x: Any) -> None:
    """Write the eight transforms' numbers of `y` to `x`: the stage of radix 8."""
    m = tables.plan.n
    for i in range(0, m, LANES):
        re, im = _twisted(_taken(y, i, m), _taken(y, LANES * m + i, m), tables.twists)
        re, im = _eight(re, im)
        re, im = _spun(re, im, tables.spins, 4 * i)
        _put(x, ROW * i, ROW, crossed(re))
        _put(x, ROW * i + LANES, ROW, crossed(im))


@loop
def convolve(y: Any, h: Any, tables: Tables, work: Any, scratch: Any, out: Any) -> None:
    """Write the convolution of `y` with the response of which `h` is the spectrum (`convolving.spectrum`) to `out`.

    `work` holds as much as `y` does and a line more, `scratch` 12 · `LANES` numbers; `out` may be `y`.
    """
    x = work[line_of(work) :]
    _first(y, tables, x)
    plan, m = tables.plan, tables.plan.n
    begin(x, plan, scratch)
    piece = piece_of(plan)
    for low in range(0, m, piece):  # to its frequencies and back while it is at hand
        forth(x, low, piece, plan)
        for i in range(ROW * low, ROW * (low + piece), ROW):
            re, im, a, b = load(x, i), load(x, i + LANES), load(h, i), load(h, i + LANES)
            store(x, i, re * a + im * b)
            store(x, i + LANES, re * b - im * a)
        back(x, low, piece, plan)
    end(x, plan, scratch)
    for i in range(0, m, LANES):
        re, im = crossed(_taken(x, ROW * i, ROW)), crossed(_taken(x, ROW * i + LANES, ROW))
        re, im = _spun(re, im, tables.spins, 4 * i)
        re, im = _eight(re, im)
        re, im = _twisted(re, im, tables.twists)
        _put(out, i, m, re)
        _put_negative(out, LANES * m + i, m, im)


@loop
def _taken(x: Any, at: int, step: int) -> Any:
    """Return eight values that are so many numbers apart."""
    return _four(x, at, step) + _four(x, at + 4 * step, step)


@loop
def _four(x: Any, at: int, step: int) -> Any:
    return load(x, at), load(x, at + step), load(x, at + 2 * step), load(x, at + 3 * step)


@loop
def _put(x: Any, at: int, step: int, values: Any) -> None:
    """Write eight values so many numbers apart."""
    for k in range(LANES):
        store(x, at + k * step, values[k])


@loop
def _put_negative(x: Any, at: int, step: int, values: Any) -> None:
    """Write what is left of nothing after eight values."""
    for k in range(LANES):
        store(x, at + k * step, splat(0.0) - values[k])


@loop
def _spun(re: Any, im: Any, table: Any, at: int) -> Any:
    """Return the products of eight complex values with the powers of a factor, from a first one on."""
    a, b, c, d = load(table, at), load(table, at + LANES), load(table, at + ROW), load(table, at + ROW + LANES)
    r0, i0 = _product(re[0], im[0], a, b)
    a, b = _product(a, b, c, d)
    r1, i1 = _product(re[1], im[1], a, b)
    a, b = _product(a, b, c, d)
    r2, i2 = _product(re[2], im[2], a, b)
    a, b = _product(a, b, c, d)
    r3, i3 = _product(re[3], im[3], a, b)
    a, b = _product(a, b, c, d)
    r4, i4 = _product(re[4], im[4], a, b)
    a, b = _product(a, b, c, d)
    r5, i5 = _product(re[5], im[5], a, b)
    a, b = _product(a, b, c, d)
    r6, i6 = _product(re[6], im[6], a, b)
    a, b = _product(a, b, c, d)
    r7, i7 = _product(re[7], im[7], a, b)
    return (r0, r1, r2, r3, r4, r5, r6, r7), (i0, i1, i2, i3, i4, i5, i6, i7)


@loop
def _twisted(re: Any, im: Any, twists: Any) -> Any:
    """Return the products of eight complex values with one factor each."""
    r0, i0 = _product(re[0], im[0], splat(twists[0, 0]), splat(twists[0, 1]))
    r1, i1 = _product(re[1], im[1], splat(twists[1, 0]), splat(twists[1, 1]))
    r2, i2 = _product(re[2], im[2], splat(twists[2, 0]), splat(twists[2, 1]))
    r3, i3 = _product(re[3], im[3], splat(twists[3, 0]), splat(twists[3, 1]))
    r4, i4 = _product(re[4], im[4], splat(twists[4, 0]), splat(twists[4, 1]))
    r5, i5 = _product(re[5], im[5], splat(twists[5, 0]), splat(twists[5, 1]))
    r6, i6 = _product(re[6], im[6], splat(twists[6, 0]), splat(twists[6, 1]))
    r7, i7 = _product(re[7], im[7], splat(twists[7, 0]), splat(twists[7, 1]))
    return (r0, r1, r2, r3, r4, r5, r6, r7), (i0, i1, i2, i3, i4, i5, i6, i7)


@loop
def _product(re: Any, im: Any, cosine: Any, sine: Any) -> Any:
    return re * cosine - im * sine, re * sine + im * cosine


@loop
def _eight(re: Any, im: Any) -> Any:
    """Return the Fourier transform of eight complex values; `convolve_passes.eight` in lanes."""
    root, zero = splat(ROOT_HALF), splat(0.0)
    a0, a1, a2, a3 = re[0] + re[4], re[1] + re[5], re[2] + re[6], re[3] + re[7]
    b0, b1, b2, b3 = im[0] + im[4], im[1] + im[5], im[2] + im[6], im[3] + im[7]
    c0, c1, c2, c3 = re[0] - re[4], re[1] - re[5], re[2] - re[6], re[3] - re[7]
    d0, d1, d2, d3 = im[0] - im[4], im[1] - im[5], im[2] - im[6], im[3] - im[7]
    c1, d1 = (c1 + d1) * root, (d1 - c1) * root
    c2, d2 = d2, zero - c2
    c3, d3 = (d3 - c3) * root, zero - (c3 + d3) * root
    e0, e1, f0, f1 = a0 + a2, a1 + a3, b0 + b2, b1 + b3
    g0, g1, h0, h1 = a0 - a2, a1 - a3, b0 - b2, b1 - b3
    i0, i1, j0, j1 = c0 + c2, c1 + c3, d0 + d2, d1 + d3
    k0, k1, l0, l1 = c0 - c2, c1 - c3, d0 - d2, d1 - d3
    return (
        (e0 + e1, i0 + i1, g0 + h1, k0 + l1, e0 - e1, i0 - i1, g0 - h1, k0 - l1),
        (f0 + f1, j0 + j1, h0 - g1, l0 - k1, f0 - f1, j0 - j1, h0 + g1, l0 + k1),
    )


READY: Final = True
"""The last line: see `audiosynth.compiled.loaded`."""
