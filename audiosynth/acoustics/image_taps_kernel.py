"""From moments to samples, compiled by numba. Import only inside functions: it takes a second.

As `audiosynth.acoustics.image_moments.response`, tap by tap; no fast maths, one order of sums. Eight stretches of a response are worked
on side by side, a sample of each at a time, so that whatever tap is due, numbers are read from where a line of the cache begins.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audiosynth.acoustics.image_moments import HALF, P, moment_taps
from audiosynth.compiled import loop
from audiosynth.sound.lanes_kernel import LANES, crossed, line_of, load, splat, store

if TYPE_CHECKING:
    from audiosynth.clip import Array

ROW: Final = LANES
"""Numbers from one sample's moments to the next one's: `P` moments and nothing, so that each has a cache's line of its own."""
_STRETCH: Final = 256
"""Most samples of a stretch."""


def _outside_in() -> Array:
    """Return for each moment the tap in the middle, and those after it from the last one on, shape (P, 1 + HALF)."""
    taps = moment_taps()
    return np.concatenate([taps[:, HALF : HALF + 1], taps[:, :HALF:-1]], axis=1)


_TAPS: Final = _outside_in()


def _stretches(n_samples: int) -> tuple[int, int]:
    """Return of how many samples a stretch is, and how many times eight of them a response has."""
    turns = -(-n_samples // (LANES * _STRETCH))
    return -(-n_samples // (LANES * LANES * turns)) * LANES, turns


def samples_of(n_samples: int) -> int:
    """Return how many samples `response` writes: all of the last stretch."""
    stretch, turns = _stretches(n_samples)
    return LANES * stretch * turns


def moments_of(n_samples: int, n_rows: int, shape: tuple[int, ...] = ()) -> Array:
    """Return moments of nothing yet, as `response` takes them: `HALF` rows before the first sample, at least so many from there on."""
    rows = HALF + max(n_rows, samples_of(n_samples) + HALF)
    return aligned(np.zeros(math.prod(shape) * rows * ROW + LANES)).reshape(*shape, -1)


def aligned(room: Array) -> Array:
    """Return all but eight numbers of an array, so that they begin where a line of the cache does."""
    skip = line_of(room)
    return room[skip : skip + room.size - LANES]


@loop
def _even(x: Any, at: int, back: int, taps: Any, p: int, k: int) -> Any:
    """Return five mirrored pairs of equal taps, the outermost first: of numbers from `at` on, and from `back` on backwards."""
    a = splat(taps[p, k]) * (load(x, at) + load(x, back))
    b = splat(taps[p, k + 1]) * (load(x, at + LANES) + load(x, back - LANES))
    c = splat(taps[p, k + 2]) * (load(x, at + 2 * LANES) + load(x, back - 2 * LANES))
    d = splat(taps[p, k + 3]) * (load(x, at + 3 * LANES) + load(x, back - 3 * LANES))
    e = splat(taps[p, k + 4]) * (load(x, at + 4 * LANES) + load(x, back - 4 * LANES))
    return a + b + c + (d + e)


@loop
def _odd(x: Any, at: int, back: int, taps: Any, p: int, k: int) -> Any:
    """As `_even`, for pairs of opposite taps."""
    a = splat(taps[p, k]) * (load(x, at) - load(x, back))
    b = splat(taps[p, k + 1]) * (load(x, at + LANES) - load(x, back - LANES))
    c = splat(taps[p, k + 2]) * (load(x, at + 2 * LANES) - load(x, back - 2 * LANES))
    d = splat(taps[p, k + 3]) * (load(x, at + 3 * LANES) - load(x, back - 3 * LANES))
    e = splat(taps[p, k + 4]) * (load(x, at + 4 * LANES) - load(x, back - 4 * LANES))
    return a + b + c + (d + e)


@loop
def _sort(moments: Any, first: int, stretch: int, near: Any) -> None:
    """Write the moments of eight stretches from row `first` on, moment by moment, eight numbers of as many stretches at a time."""
    step, size = stretch * ROW, (stretch + 2 * HALF) * LANES
    for k in range(stretch + 2 * HALF):
        at = (first + k) * ROW
        a, b, c, d = (
            load(moments, at),
            load(moments, at + step),
            load(moments, at + 2 * step),
            load(moments, at + 3 * step),
        )
        at += 4 * step
        e, f, g, h = (
            load(moments, at),
            load(moments, at + step),
            load(moments, at + 2 * step),
            load(moments, at + 3 * step),
        )
        values = crossed((a, b, c, d, e, f, g, h))
        for p in range(P):
            store(near, p * size + k * LANES, values[p])


@loop
def _take_apart(work: Any, first: int, stretch: int, out: Any) -> None:
    """Write eight stretches one after the other, from sample `first` on."""
    for k in range(0, stretch, LANES):
        at = k * LANES
        a, b, c, d = load(work, at), load(work, at + LANES), load(work, at + 2 * LANES), load(work, at + 3 * LANES)
        at += 4 * LANES
        e, f, g, h = load(work, at), load(work, at + LANES), load(work, at + 2 * LANES), load(work, at + 3 * LANES)
        values = crossed((a, b, c, d, e, f, g, h))
        for lane in range(LANES):
            store(out, first + lane * stretch + k, values[lane])


@loop
def _respond(moments: Any, taps: Any, stretch: int, turns: int, near: Any, work: Any, out: Any) -> None:
    """Convolve every moment with its taps, mirrored pairs at once."""
    size = (stretch + 2 * HALF) * LANES
    for turn in range(turns):
        _sort(moments, turn * LANES * stretch, stretch, near)
        for p in range(P):
            for k in range(0, stretch * LANES, 4 * LANES):
                at, end = p * size + k, p * size + k + 2 * HALF * LANES
                middle, centre = splat(taps[p, 0]), at + HALF * LANES
                if p == 0:
                    a, b, c, d = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
                else:
                    a, b, c, d = (
                        load(work, k),
                        load(work, k + LANES),
                        load(work, k + 2 * LANES),
                        load(work, k + 3 * LANES),
                    )
                a, b = a + middle * load(near, centre), b + middle * load(near, centre + LANES)
                c, d = c + middle * load(near, centre + 2 * LANES), d + middle * load(near, centre + 3 * LANES)
                for t in range(0, HALF, 5):
                    left, right = at + t * LANES, end - t * LANES
                    if p % 2 == 0:
                        a = a + _even(near, left, right, taps, p, t + 1)
                        b = b + _even(near, left + LANES, right + LANES, taps, p, t + 1)
                        c = c + _even(near, left + 2 * LANES, right + 2 * LANES, taps, p, t + 1)
                        d = d + _even(near, left + 3 * LANES, right + 3 * LANES, taps, p, t + 1)
                    else:
                        a = a + _odd(near, left, right, taps, p, t + 1)
                        b = b + _odd(near, left + LANES, right + LANES, taps, p, t + 1)
                        c = c + _odd(near, left + 2 * LANES, right + 2 * LANES, taps, p, t + 1)
                        d = d + _odd(near, left + 3 * LANES, right + 3 * LANES, taps, p, t + 1)
                store(work, k, a)
                store(work, k + LANES, b)
                store(work, k + 2 * LANES, c)
                store(work, k + 3 * LANES, d)
        _take_apart(work, turn * LANES * stretch, stretch, out)


def response(moments: Array, n_samples: int, out: Array) -> None:
    """Write `samples_of` a response, the first `n_samples` as `audiosynth.acoustics.image_moments.response` gives them."""
    stretch, turns = _stretches(n_samples)
    near = aligned(np.empty(P * (stretch + 2 * HALF) * LANES + LANES))
    work = aligned(np.empty(stretch * LANES + LANES))
    _respond(moments, _TAPS, stretch, turns, near, work, out)
