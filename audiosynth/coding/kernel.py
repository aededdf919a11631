"""The inner loops of codecs and clocks, compiled by numba. Import only inside functions: it takes a second.

No fast maths and no parallel sums: every sum runs in one order and is rounded step by step, so the bits are those of any machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba
import numpy as np

from audiosynth.coding import tables as t

Loop = TypeVar("Loop", bound=Callable[..., Any])
_jit: Callable[[Loop], Loop] = numba.njit(cache=True, fastmath=False, error_model="numpy")
_LOW_LIMIT: Final = 18_432
"""Largest log of the lower band's step (G.722, block LOGSCL); its smallest is 0."""
_HIGH_LIMIT: Final = 22_528
"""Largest log of the higher band's step (block LOGSCH)."""
_STATE: Final = 22
"""Integers of one band's state: s, sz, det, nb; r[1..2], p[1..2], a[1..2] from 4; d[1..6] from 10; b[1..6] from 16."""


@_jit
def read(y: Any, positions: Any, table: Any, out: Any) -> None:
    """Fill `out`, shape (n_channels, n), with `y` at fractional positions; `table` is that of `coding.clock.kernel_table`."""
    phases, taps = table.shape[0] - 1, table.shape[1]
    half = taps // 2
    for i in range(positions.size):
        whole = np.floor(positions[i])
        place = (positions[i] - whole) * phases
        row = int(place)
        rest = place - row
        first = int(whole) - half + 1
        for c in range(y.shape[0]):
            total = 0.0
            for k in range(max(0, -first), min(taps, y.shape[1] - first)):
                weight = table[row, k] + rest * (table[row + 1, k] - table[row, k])
                total += y[c, first + k] * weight
            out[c, i] = total


@_jit
def ima_step(code: int, predicted: int, index: int) -> tuple[int, int]:
    """Return the sample that a code stands for, and the index of the next step."""
    step = t.IMA_STEPS[index]
    change = step >> 3
    if code & 4:
        change += step
    if code & 2:
        change += step >> 1
    if code & 1:
        change += step >> 2
    predicted += -change if code & 8 else change
    return min(max(predicted, -32_768), 32_767), min(max(index + t.IMA_INDEX[code & 7], 0), t.IMA_STEPS.size - 1)


@_jit
def ima_encode(samples: Any, codes: Any) -> None:
    """Fill `codes` with the 4-bit codes of 16-bit samples, from a predictor of 0 and the smallest step."""
    predicted, index = 0, 0
    for i in range(samples.size):
        step, difference, code = t.IMA_STEPS[index], int(samples[i]) - predicted, 0
        if difference < 0:
            code, difference = 8, -difference
        for bit in (4, 2, 1):
            if difference >= step:
                code |= bit
                difference -= step
            step >>= 1
        codes[i] = code
        predicted, index = ima_step(code, predicted, index)


@_jit
def ima_decode(codes: Any, predicted: int, index: int, samples: Any) -> None:
    """Fill `samples` with what the codes stand for, from a state."""
    for i in range(codes.size):
        predicted, index = ima_step(int(codes[i]), predicted, index)
        samples[i] = predicted


@_jit
def _saturated(x: int) -> int:
    return min(max(x, -32_768), 32_767)


@_jit
def _adapt(band: Any, difference: int) -> None:
    """Take one quantised difference into a band's predictor (G.722, block 4: two poles, six zeros, by signs of gradients)."""
    r0, p0 = _saturated(band[0] + difference), _saturated(band[1] + difference)
    p1, p2, a1, a2 = band[6], band[7], band[8], band[9]
    same1, same2 = (p0 < 0) == (p1 < 0), (p0 < 0) == (p2 < 0)
    pull = _saturated(a1 << 2)
    pull = min(-pull, 32_767) if same1 else pull
    second = min(max((128 if same2 else -128) + (pull >> 7) + ((a2 * 32_512) >> 15), -12_288), 12_288)
    limit = _saturated(15_360 - second)
    first = _saturated((192 if same1 else -192) + ((a1 * 32_640) >> 15))
    first = min(max(first, -limit), limit)
    push = 0 if difference == 0 else 128
    for i in range(6):
        same = (band[10 + i] < 0) == (difference < 0)
        band[16 + i] = _saturated((push if same else -push) + ((band[16 + i] * 32_640) >> 15))
    for i in range(5, 0, -1):
        band[10 + i] = band[9 + i]
    band[10] = difference
    band[5], band[4] = band[4], r0
    band[7], band[6] = band[6], p0
    band[8], band[9] = first, second
    poles = ((first * _saturated(2 * r0)) >> 15) + ((second * _saturated(2 * band[5])) >> 15)
    zeros = 0
    for i in range(5, -1, -1):
        zeros += (band[16 + i] * _saturated(2 * band[10 + i])) >> 15
    band[1] = _saturated(zeros)
    band[0] = _saturated(_saturated(poles) + band[1])


@_jit
def _scale(band: Any, change: int, limit: int, shift: int) -> None:
    """Set a band's step from its logarithm (blocks LOGSCL and SCALEL, LOGSCH and SCALEH)."""
    band[3] = min(max(((band[3] * 127) >> 7) + change, 0), limit)
    mantissa, down = t.G722_ILB[(band[3] >> 6) & 31], shift - (band[3] >> 11)
    band[2] = ((mantissa << -down) if down < 0 else (mantissa >> down)) << 2


@_jit
def _low(low: Any, code: int) -> Any:
    """Take a 6-bit code into the lower band; returns what is heard of it."""
    heard = low[0] + ((low[2] * t.G722_QM6[code]) >> 15)
    coarse = code >> 2
    difference = (low[2] * t.G722_QM4[coarse]) >> 15
    _scale(low, t.G722_WL[t.G722_RL42[coarse]], _LOW_LIMIT, 8)
    _adapt(low, difference)
    return min(max(heard, -16_384), 16_383)


@_jit
def _high(high: Any, code: int) -> Any:
    """Take a 2-bit code into the higher band; returns what is heard of it."""
    difference = (high[2] * t.G722_QM2[code]) >> 15
    heard = high[0] + difference
    _scale(high, t.G722_WH[t.G722_RH2[code]], _HIGH_LIMIT, 10)
    _adapt(high, difference)
    return min(max(heard, -16_384), 16_383)


@_jit
def _level(error: int, decisions: Any, step: int) -> int:
    """Return the number of the interval that the size of an error lies in."""
    size = error if error >= 0 else -(error + 1)
    n = 0
    while n < decisions.size and size >= (decisions[n] * step) >> 12:
        n += 1
    return n


@_jit
def _bands() -> tuple[Any, Any]:
    low, high = np.zeros(_STATE, np.int64), np.zeros(_STATE, np.int64)
    low[2], high[2] = 32, 8
    return low, high


@_jit
def g722_encode(samples: Any, codes: Any) -> None:
    """Fill `codes` with one byte (two bits of the higher band, six of the lower) for each pair of 16-bit samples."""
    low, high = _bands()
    line = np.zeros(24, np.int64)
    for i in range(codes.size):
        line[:22] = line[2:].copy()
        line[22], line[23] = samples[2 * i], samples[2 * i + 1]
        odd = even = 0
        for k in range(12):
            odd += line[2 * k] * t.G722_QMF[k]
            even += line[2 * k + 1] * t.G722_QMF[11 - k]
        error = _saturated(((even + odd) >> 14) - low[0])
        level = _level(error, t.G722_Q6, low[2])
        lower = t.G722_NEGATIVE[level] if error < 0 else t.G722_POSITIVE[level]
        error = _saturated(((even - odd) >> 14) - high[0])
        level = _level(error, t.G722_Q2, high[2])
        higher = (1 - level) if error < 0 else (3 - level)
        codes[i] = higher << 6 | lower
        _low(low, lower)
        _high(high, higher)


@_jit
def g722_decode(codes: Any, samples: Any) -> None:
    """Fill `samples` with the pairs of 16-bit samples that the bytes stand for."""
    low, high = _bands()
    line = np.zeros(24, np.int64)
    for i in range(codes.size):
        lower, higher = _low(low, int(codes[i]) & 63), _high(high, int(codes[i]) >> 6)
        line[:22] = line[2:].copy()
        line[22], line[23] = lower + higher, lower - higher
        first = second = 0
        for k in range(12):
            second += line[2 * k] * t.G722_QMF[k]
            first += line[2 * k + 1] * t.G722_QMF[11 - k]
        samples[2 * i], samples[2 * i + 1] = _saturated(first >> 11), _saturated(second >> 11)
