"""What the versions of `loudness` share: the gain from one loudness to another."""

from __future__ import annotations

import math

import numpy as np

from audiosynth.clip import Array
from audiosynth.errors import RenderError
from audiosynth.sound.loudness import ABSOLUTE_GATE


def at_loudness(y: Array, *, now: float, target: float) -> Array:
    """Return `y` at another loudness than it has `now`, both in LUFS; the gain is rounded to 1e-6 dB.

    Raises
    ------
    RenderError
        If the sound is silent.
    """
    if not math.isfinite(now):
        raise RenderError(
            f"loudness: nothing in this sound is above the gate of {ABSOLUTE_GATE:g} LUFS, so it cannot be given "
            f"{target:g} LUFS; raise it with `gain` before, or leave `loudness` out"
        )
    return np.asarray(y * 10.0 ** (round(target - now, 6) / 20.0))
