"""Frames of time stretching to spectra and back, eight at a time, compiled by numba. Import only inside functions.

The spectra of eight frames hold bin k of all of them side by side: real parts at 2·k·LANES, imaginary ones LANES later.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np

from audiosynth.compiled import loop
from audiosynth.sound.fourier import Transform, transform_of
from audiosynth.sound.lanes_kernel import LANES, bits_of, crossed, load, of_bits, splat, store

LN2: Final = float(np.log(2.0))
LN2_HIGH: Final = float.fromhex("0x1.62e42feep-1")
"""ln 2 to 32 bits, so that its multiples by exponents are exact; `LN2_LOW` is the rest."""
LN2_LOW: Final = float.fromhex("0x1.a39ef35793c76p-33")
ROOT_HALF: Final = int(np.float64(np.sqrt(0.5)).view(np.int64))
ONE: Final = int(np.float64(1.0).view(np.int64))
WHOLE: Final = 1.5 * 2.0**52
"""A double added to this is rounded to a whole number, which stands in the low bits of the sum."""
FACTORIALS: Final = tuple(1.0 / float(np.prod(np.arange(1.0, k + 1.0))) for k in range(11))
"""Of e^r for |r| up to ln 2 / 2: to 3e-13."""
ODD: Final = tuple(1.0 / (2 * k + 1) for k in range(8))
"""Of the area tangent up to 0.172: to 1e-14."""


class Frames(NamedTuple):
    """How frames are taken, parted and put back.

    Attributes
    ----------
    size
        Samples of a frame.
    read, write
        Windows of reading and writing, with zeros up to a multiple of `LANES`.
    halves
        e^(-2πi k / size) for k to size / 2, as pairs.
    places
        Where sample k of a frame is after the transform back.
    plan
        Of the transforms of half a frame of complex numbers.
    """

    size: int
    read: Any
    write: Any
    halves: Any
    places: Any
    plan: Transform


class Mask(NamedTuple):
    """What parts lasting from striking, and new peaks from old ones.

    Attributes
    ----------
    floor
        Energy under the logarithm.
    lasts, spreads
        Frames and bins, odd, that the means along time and frequency span.
    above, steepness
        Nepers by which what strikes must exceed what lasts where the mask is one half, and how steep that is.
    new_peak
        Least share of its energy that a peak had before if it is not new.
    """

    floor: float
    lasts: int
    spreads: int
    above: float
    steepness: float
    new_peak: float


@lru_cache(maxsize=32)
def frames_of(size: int) -> Frames:
    """Return `Frames` under a Hann window.

    The halves that part a spectrum in two, and the 1 / size of the way back, stand in the windows.
    """
    window = np.zeros(-(-size // LANES) * LANES)
    window[:size] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    halves = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    plan = transform_of(size // 2)
    places = np.zeros(window.size, dtype=np.int64)
    places[:size:2] = (
        2 * plan.rows + 1
    ) * LANES  # real and imaginary parts have changed places: that makes it the way back
    places[1:size:2] = 2 * plan.rows * LANES
    return Frames(size, 0.5 * window, window / size, halves.view(np.float64).reshape(-1, 2), places, plan)


@loop
def logarithms(x: Any, floor: float, out: Any) -> None:
    """Fill in ln(x + floor), by the series of the area tangent of the mantissa in [√½, √2)."""
    for k in range(x.size):
        bits = bits_of(x[k] + floor)
        exponent = (bits - ROOT_HALF) >> 52
        mantissa = of_bits(bits - (exponent << 52))
        s = (mantissa - 1.0) / (mantissa + 1.0)
        z = s * s
        p = ODD[7]
        for i in range(6, 0, -1):
            p = p * z + ODD[i]
        out[k] = exponent * LN2 + 2.0 * (s + s * (z * p))


@loop
def lasting_share(x: Any, above: float, steepness: float) -> None:
    """Turn nepers by which what lasts exceeds what strikes into the share of a bin that lasts, 1 / (1 + e^(-steepness·…))."""
    for k in range(x.size):
        t = min(max((x[k] + above) * -steepness, -700.0), 700.0)
        whole = t * (1.0 / LN2) + WHOLE
        n = whole - WHOLE
        r = (t - n * LN2_HIGH) - n * LN2_LOW
        p = FACTORIALS[10]
        for i in range(9, -1, -1):
            p = p * r + FACTORIALS[i]
        x[k] = 1.0 / (1.0 + p * of_bits((bits_of(whole) << 52) + ONE))


@loop
def gather(samples: Any, starts: Any, first: int, window: Any, out: Any) -> None:
    """Fill a buffer with windowed frames from `first` on; past the last frame, with that one again."""
    last = starts.size - 1
    a, b, c, d = (
        starts[min(first, last)],
        starts[min(first + 1, last)],
        starts[min(first + 2, last)],
        starts[min(first + 3, last)],
    )
    e, f, g, h = (
        starts[min(first + 4, last)], starts[min(first + 5, last)], starts[min(first + 6, last)], starts[min(first + 7, last)],
    )  # fmt: skip
    for j in range(0, window.size, LANES):
        w = load(window, j)
        rows = crossed(
            (
                load(samples, a + j) * w, load(samples, b + j) * w, load(samples, c + j) * w, load(samples, d + j) * w,
                load(samples, e + j) * w, load(samples, f + j) * w, load(samples, g + j) * w, load(samples, h + j) * w,
            )
        )  # fmt: skip
        at = j * LANES
        for row in rows:
            store(out, at, row)
            at += LANES


@loop
def unpack(z: Any, frames: Frames, out: Any) -> None:
    """Fill in the spectra, bins 0 to size / 2, of real frames that were transformed as half as many complex numbers."""
    n, rows, halves = frames.plan.n, frames.plan.rows, frames.halves
    re, im = load(z, 0), load(z, LANES)
    store(out, 0, (re + re) + (im + im))
    store(out, LANES, splat(0.0))
    store(out, 2 * n * LANES, (re + re) - (im + im))
    store(out, (2 * n + 1) * LANES, splat(0.0))
    for k in range(1, n // 2 + 1):
        p, q, low, high = 2 * rows[k] * LANES, 2 * rows[n - k] * LANES, 2 * k * LANES, 2 * (n - k) * LANES
        a, b, c, d = load(z, p), load(z, p + LANES), load(z, q), load(z, q + LANES)
        cosine, sine = splat(halves[k, 0]), splat(halves[k, 1])
        e, f = b + d, a - c
        re, im = cosine * e + sine * f, sine * e - cosine * f
        e, f = a + c, b - d
        store(out, high, e - re)
        store(out, high + LANES, im - f)
        store(out, low, e + re)
        store(out, low + LANES, f + im)


@loop
def bin_of(z: Any, frames: Frames, k: int, lane: int) -> tuple[float, float]:
    """Return one bin of one frame of a buffer that `unpack` would take."""
    n = frames.plan.n
    p, q = 2 * frames.plan.rows[k % n] * LANES + lane, 2 * frames.plan.rows[(n - k) % n] * LANES + lane
    a, b, c, d = z[p], z[p + LANES], z[q], z[q + LANES]
    cosine, sine = frames.halves[k, 0], frames.halves[k, 1]
    e, f = b + d, a - c
    return a + c + (cosine * e + sine * f), b - d + (sine * e - cosine * f)


@loop
def pack(spectra: Any, share: Any, turn: Any, frames: Frames, out: Any) -> None:
    """Fill a buffer with what the transform makes frames of: spectra, the share of each bin kept, times a turn of each bin.

    `turn` is empty where nothing turns. Bins 0 and size / 2 give their real parts.
    """
    n, halves, turned = frames.plan.n, frames.halves, turn.size > 0
    for k in range(n // 2 + 1):
        low, high = 2 * k * LANES, 2 * (n - k) * LANES
        kept, other = load(share, low // 2), load(share, high // 2)
        a, b = load(spectra, low) * kept, load(spectra, low + LANES) * kept
        c, d = load(spectra, high) * other, load(spectra, high + LANES) * other
        if turned:
            x, y, u, v = load(turn, low), load(turn, low + LANES), load(turn, high), load(turn, high + LANES)
            a, b, c, d = a * x - b * y, a * y + b * x, c * u - d * v, c * v + d * u
        if k == 0:
            store(out, LANES, a + c)
            store(out, 0, a - c)
            continue
        cosine, sine = splat(halves[k, 0]), splat(halves[k, 1])
        e, f = a - c, b + d
        re, im = e * cosine + f * sine, f * cosine - e * sine
        e, f = a + c, b - d
        store(out, high + LANES, e + im)
        store(out, high, re - f)
        store(out, low + LANES, e - im)
        store(out, low, f + re)


@loop
def add(samples: Any, starts: Any, first: int, frames: Frames, x: Any) -> None:
    """Add windowed frames from `first` on to `samples` where they begin."""
    places = frames.places
    for j in range(0, frames.write.size, LANES):
        w = load(frames.write, j)
        rows = crossed(
            (
                load(x, places[j]), load(x, places[j + 1]), load(x, places[j + 2]), load(x, places[j + 3]),
                load(x, places[j + 4]), load(x, places[j + 5]), load(x, places[j + 6]), load(x, places[j + 7]),
            )
        )  # fmt: skip
        at = first
        for row in rows:
            if at < starts.size:
                place = starts[at] + j
                store(samples, place, load(samples, place) + row * w)
            at += 1
