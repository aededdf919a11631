"""Adding up and rounding a clip in one compiled loop each. Import only by `mixing.load_kernel`: it takes most of a second.

No fast maths: products and sums are rounded one by one, as NumPy's are. Largest values are found by their bits, which are in the
order of the values where these are positive (with NaN above all), and which compilers compare many at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba
import numpy as np

Loop = TypeVar("Loop", bound=Callable[..., Any])
_jit: Callable[[Loop], Loop] = numba.njit(cache=True, fastmath=False, error_model="numpy", nogil=True)
_MAGNITUDE: Final = 0x7FFF_FFFF_FFFF_FFFF
"""All bits of a float64 but its sign."""


@_jit
def add(under: Any, y: Any, factor: float, scaled: Any, total: Any, fresh: bool) -> float:
    """Write y·factor to `scaled`, and it and `under` (zeros where it is fresh) to `total`; return the sum's largest magnitude."""
    largest = np.int64(0)
    for k in range(total.size):
        part = y[k] * factor
        scaled[k] = part
        value = (0.0 if fresh else under[k] + 0.0) + part
        total[k] = value
        largest = max(largest, np.float64(value).view(np.int64) & _MAGNITUDE)
    return np.int64(largest).view(np.float64)


@_jit
def rounded(y: Any, top: float, out: Any) -> tuple[float, float]:
    """Write y·top to `out` as integers; return how far a sample was from its integer at most, and the largest magnitude."""
    furthest = np.int64(0)
    largest = np.int64(0)
    for k in range(y.size):
        value = y[k] * top
        whole = np.rint(value)
        furthest = max(furthest, np.float64(value - whole).view(np.int64) & _MAGNITUDE)
        largest = max(largest, np.float64(whole).view(np.int64) & _MAGNITUDE)
        out[k] = np.int32(whole)
    return np.int64(furthest).view(np.float64), np.int64(largest).view(np.float64)


READY: Final = True
"""The last line: see `audiosynth.compiled.loaded`."""
