"""The inverse normal distribution of half words in one compiled loop. Import only by `normals.load_kernel`: it takes most of a second.

No fast maths: products and sums are rounded one by one, as NumPy's are. What is computed is told in `audiosynth.sound.normals`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba
import numpy as np

from audiosynth.sound.normals import FIRST, MAGNITUDE, SHIFT, WITHIN

Loop = TypeVar("Loop", bound=Callable[..., Any])
_jit: Callable[[Loop], Loop] = numba.njit(cache=True, fastmath=False, error_model="numpy", nogil=True)
_FIRST: Final = int(FIRST)
_MAGNITUDE: Final = int(MAGNITUDE)
_SHIFT: Final = int(SHIFT)
_WITHIN: Final = int(WITHIN)


@_jit
def inverse(halves: Any, cells: Any, out: Any) -> None:
    """Write the Gaussian value of each half word, from the cubics of the cells, shape (n_cells, 4)."""
    for k in range(halves.size):
        bits = np.float64(halves[k] + 0.5).view(np.int64) & _MAGNITUDE
        place = np.float64(bits & _WITHIN)
        i = (bits >> _SHIFT) - _FIRST
        value = ((cells[i, 3] * place + cells[i, 2]) * place + cells[i, 1]) * place + cells[i, 0]
        out[k] = -value if halves[k] < 0 else value


READY: Final = True
"""The last line: see `audiosynth.compiled.loaded`."""
