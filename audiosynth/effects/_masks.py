"""What effects share that take stretches out of a sound."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

from audiosynth.clip import Array
from audiosynth.synthesis.signals import edges


def masked(
    y: Array, spans: Iterable[tuple[int, int]], *, sr: int, fade: float, fill: Literal["zero", "hold"] = "zero"
) -> Array:
    """Return `y` with spans of samples replaced.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples).
    spans
        (first, last) samples, last exclusive; they may lie over each other and past the end.
    sr
        Rate in Hz.
    fade
        Seconds of the raised cosine at both ends of a span, inside it; at most half of it.
    fill
        ``zero``, or ``hold`` the sample before the span (0 before the first).

    Examples
    --------
    >>> masked(np.array([[1.0, 2.0, 3.0, 4.0]]), [(1, 3)], sr=8000, fade=0.0, fill="hold")
    array([[1., 1., 1., 4.]])
    """
    out = np.array(y, dtype=np.float64)
    for first, end in spans:
        last = min(end, y.shape[-1])
        n = last - first
        if n <= 0:
            continue
        gone = edges(end - first, sr, fade=min(fade, (end - first) / (2 * sr)))[:n]
        held = out[:, first - 1 : first].copy() if fill == "hold" and first > 0 else 0.0
        out[:, first:last] = out[:, first:last] * (1.0 - gone) + held * gone
    return out
