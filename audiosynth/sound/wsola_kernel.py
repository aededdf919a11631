"""Finding joints and splicing in compiled loops. Import only inside functions: it takes a second.

What `wsola` does in NumPy's passes, with the same bits. Correlations come from transforms (`convolve_kernel`), which are off by a
rounding: they say which offsets may be nearest, and of those, mostly one, whole numbers decide, whose sums are exact in any order.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from audiosynth.compiled import loop
from audiosynth.sound.convolve_kernel import convolve, forward
from audiosynth.sound.convolving import Tables
from audiosynth.sound.lanes_kernel import LANES, load, splat, store

DOUBT: Final = 1e-10
"""Part of the energy by which sums of transforms are off at most; roundings add up to some 1e-14 of it."""


@loop
def whole(y: Any, factor: float, lean: float, out: Any, squares: Any) -> None:
    """Write y·factor as whole numbers to `out`, and to `squares` the sums of the squares before each sample, of all channels.

    These wrap around in long sounds; their differences are right.
    """
    squares[:] = 0
    for c in range(y.shape[0]):
        own, to = y[c], out[c]
        for k in range(own.size):
            to[k] = np.floor(own[k] * factor + lean)
        for k in range(own.size):
            value = np.int64(to[k])
            squares[k + 1] += value * value
    total = np.int64(0)
    for k in range(squares.size):
        total += squares[k]
        squares[k] = total


@loop
def find(y: Any, squares: Any, due: Any, lengths: tuple[int, int, int], tables: Tables, starts: Any) -> None:
    """Fill in where each piece of whole numbers begins; `lengths` are hop, search and overlap."""
    hop, search, overlap = lengths
    work, costs = room(tables), np.empty(search)
    starts[0] = due[0]
    for k in range(1, due.size):
        follows, first = starts[k - 1] + hop, due[k] - search // 2
        wanted = squares[follows + overlap] - squares[follows]
        energy = np.float64(squares[first + search - 1 + overlap] - squares[first] + wanted)
        for i in range(search):
            costs[i] = np.float64(squares[first + i + overlap] - squares[first + i])
        for c in range(y.shape[0]):
            correlate(y[c, follows : follows + overlap], y[c, first : first + search - 1 + overlap], tables, work)
            for i in range(search):
                costs[i] -= 2.0 * work[2, i]
        limits = (np.min(costs) + DOUBT * energy, -np.float64(wanted))
        starts[k] = first + _nearest(y, squares, (follows, first, overlap), costs, limits, work[3])


@loop
def room(tables: Tables) -> Any:
    """Return room for `correlate` to work in: two spectra, what comes out, and scratch, each with the line that `convolve` may need."""
    return np.empty((4, 2 * LANES * tables.plan.n + LANES))


@loop
def correlate(target: Any, window: Any, tables: Tables, work: Any) -> None:
    """Write the sums of products of a target with a window from each of its samples on to `work[2]`; `work` is from `room`.

    Those of which the window has all samples are right.
    """
    size, scratch = 2 * LANES * tables.plan.n, work[3]
    h, out = work[0, :size], work[2, :size]
    out[: target.size] = target
    out[target.size :] = 0.0
    forward(out, tables, h, scratch)
    for k in range(h.size):  # not conjugate, as a convolution would have it
        h[k] *= 1.0 / (LANES * tables.plan.n)
    out[: window.size] = window
    out[window.size :] = 0.0
    convolve(out, h, tables, work[1], scratch, out)


@loop
def _nearest(
    y: Any, squares: Any, places: tuple[int, int, int], costs: Any, limits: tuple[float, float], scratch: Any
) -> int:
    """Return the offset of the least cost, the first of equals, among those whose estimate is no more than `limits[0]`.

    None costs less than `limits[1]`, which waveforms that are the same do.
    """
    follows, first, overlap = places
    best, least = 0, np.inf
    for i in range(costs.size):
        if costs[i] <= limits[0]:
            cost = np.float64(squares[first + i + overlap] - squares[first + i])
            for c in range(y.shape[0]):
                cost -= 2.0 * _product(y[c], follows, first + i, overlap, scratch)
            if cost < least:
                best, least = i, cost
            if cost == limits[1]:
                break
    return best


@loop
def _product(y: Any, a: int, b: int, n: int, scratch: Any) -> float:
    """Return the sum of products of two stretches of `n` samples, in whole numbers."""
    total, sums, rest = splat(0.0), scratch[:LANES], n % LANES
    for k in range(0, n - rest, LANES):
        total = total + load(y, a + k) * load(y, b + k)
    store(sums, 0, total)
    product: float = np.sum(sums)
    for k in range(n - rest, n):
        product += y[a + k] * y[b + k]
    return product


@loop
def join(y: Any, starts: Any, hop: int, share: Any, out: Any) -> None:
    """Write the pieces of `y` in a row, each faded over into the next by `share`, which rises along their overlap."""
    for c in range(out.shape[0]):
        for k in range(starts.size):
            piece, to = y[c, starts[k] : starts[k] + hop], out[c, k * hop : (k + 1) * hop]
            faded = 0
            if k > 0:
                faded = share.size
                before = y[c, starts[k - 1] + hop : starts[k - 1] + hop + faded]
                for i in range(faded):
                    to[i] = before[i] + (piece[i] - before[i]) * share[i]
            for i in range(faded, hop):
                to[i] = piece[i]


READY: Final = True
"""The last line: see `audiosynth.compiled.loaded`."""
