"""From moments to samples, compiled by numba. Import only inside functions: it takes a second.

As `audiosynth.acoustics.image_moments.response`, tap by tap; no fast maths, one order of sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numba
import numpy as np

from audiosynth.acoustics.image_moments import moment_taps

if TYPE_CHECKING:
    from audiosynth.clip import Array

_jit: Any = numba.njit(cache=True, fastmath=False, error_model="numpy")

_BLOCK: Final = 1024
_TAPS: Final = moment_taps()


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
