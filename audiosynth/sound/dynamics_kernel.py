"""The inner loop of compressors, limiters and gain controls, compiled by numba. Import only inside functions: it takes a second.

No fast maths: every product and sum is rounded by itself, as in plain Python.
"""

from __future__ import annotations

from typing import Any

from audiosynth.compiled import loop


@loop
def follow(x: Any, held: Any, rising: float, falling: float, start: float, out: Any) -> None:
    """Fill `out` with what follows `x`; told in `audiosynth.sound.dynamics.followed`."""
    state = start
    for i in range(x.size):
        if not held[i]:
            share = rising if x[i] > state else falling
            state = share * state + (1.0 - share) * x[i]
        out[i] = state
