"""Adding a sound to a clip under a gain.

The compiled loops (`mix_kernel`) give the same bits as NumPy's passes, two to four times as fast; they are used once `load_kernel`
was asked for, as a build does that has enough to make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audiosynth.compiled import compiled, loaded

if TYPE_CHECKING:
    from audiosynth.clip import Array

_KERNEL: Final = "audiosynth.sound.mix_kernel"


def kernel() -> Any:
    """Return the module of the compiled loops, or None where they have not been loaded."""
    return loaded(_KERNEL)


def load_kernel() -> bool:
    """Load the compiled loops, which takes most of a second; returns whether they are there.

    They are not where numba is missing or finds no place for its cache.
    """
    loops = compiled(_KERNEL)
    if loops is None:
        return False
    y, fixed, out = np.zeros(1), np.zeros(1), np.zeros(1, np.int16)
    fixed.flags.writeable = False  # recordings are
    for part in (y, fixed):
        loops.add(y, part, 0.0, y, y, True)  # loads what was compiled, or compiles it
    loops.rounded(y, 1.0, out)
    return True


def add_scaled(under: Array | None, y: Array, factor: float, *, scaled: Array, total: Array) -> float:
    """Write y·factor to `scaled` and the sum of `under` and that to `total`; return the sum's largest magnitude, NaN where one is.

    Zeros of the sum are positive, as those of a sum that begins with 0 are.

    Parameters
    ----------
    under
        What is there already, shape (n_samples,), `total` itself or another array; None for nothing.
    y, scaled, total
        Shape (n_samples,).
    factor
        The gain.

    Examples
    --------
    >>> total, scaled = np.empty(2), np.empty(2)
    >>> add_scaled(np.array([1.0, 0.0]), np.array([2.0, -4.0]), 0.5, scaled=scaled, total=total)
    2.0
    >>> total.tolist(), scaled.tolist()
    ([2.0, -2.0], [1.0, -2.0])
    """
    compiled = kernel()
    if compiled is not None:
        return float(compiled.add(total if under is None else under, y, factor, scaled, total, under is None))
    np.multiply(y, factor, out=scaled)
    np.add(0.0 if under is None else under, 0.0, out=total)
    total += scaled
    return float(max(total.max(), -total.min()))
