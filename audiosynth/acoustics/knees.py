"""Where a decay sinks into its background noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from audiosynth.compiled import loaded
from audiosynth.dsp import seconds_to_samples

if TYPE_CHECKING:
    from audiosynth.clip import Array

KERNEL: Final = "audiosynth.acoustics.knees_kernel"
"""Used where it has been loaded, as it is with the loops that make responses."""
NOISE_SHARE: Final = 0.1
"""The last tenth estimates the noise: Lundeby et al. (1995), step 2."""
BLOCK_SECONDS: Final = (0.01, 0.0025)
"""Averaging of the decay before a line is fitted: Lundeby et al. take 10 to 50 ms; the shorter for dead rooms."""


@dataclass(frozen=True)
class Decay:
    """Where a decay sinks into its noise, and how it would go on.

    Attributes
    ----------
    knee
        Samples from the start until the fitted decay meets the noise.
    tau
        Samples in which the fitted energy falls to 1/e; 0 where there is no noise to sink into.
    noise
        Energy of the noise per sample.
    """

    knee: int
    tau: float = 0.0
    noise: float = 0.0

    @property
    def rest(self) -> float:
        """Energy behind the knee, had the decay gone on as it came: the constant C of ISO 3382-1:2009, 5.3.3."""
        return self.noise * self.tau

    def remaining(self, energy: Array) -> Array:
        """Return Schroeder's integral up to the knee: what each sample and all after it hold, without the noise."""
        sounding, loops = energy[: self.knee], loaded(KERNEL)
        if loops is None or sounding.dtype != np.float64:
            return np.asarray(np.cumsum(sounding[::-1] - self.noise)[::-1] + self.rest)
        left = np.empty(sounding.size)
        loops.remaining(np.ascontiguousarray(sounding), float(self.noise), float(self.rest), left)
        return left


def sounding(energy: Array) -> int:
    """Return one past the last sample that has any energy; 0 where none has."""
    if energy.size and energy[-1] != 0.0:  # as nearly always: no need to look through all of them
        return energy.size
    found = np.flatnonzero(energy)
    return int(found[-1]) + 1 if found.size else 0


def first_of(found: npt.NDArray[np.bool_]) -> int:
    """Return the place of the first True; the length where there is none."""
    place = int(found.argmax()) if found.size else 0
    return place if found.size and found[place] else found.size


def find_knee(energy: Array, sr: int) -> Decay:
    """Find where a decay meets its background noise.

    A line is fitted to the level (10 ms blocks; 2.5 ms for decays too short for them) from 30 to 10 dB above the noise
    of the last tenth; where it meets the noise is the knee. The noise is taken again from 10 dB of decay behind it on,
    until the knee stays. Without ten blocks or a falling line, or in the last tenth (decay then, not noise), none is.

    Parameters
    ----------
    energy
        Squared response from the direct sound on, summed over channels, shape (n_samples,).
    sr
        Rate in Hz.

    References
    ----------
    A. Lundeby et al., Acustica 81 (1995) 344-355; ISO 3382-1:2009, 5.3.3.
    """
    for seconds in BLOCK_SECONDS:
        block = max(1, seconds_to_samples(seconds, sr))
        n_blocks = energy.size // block
        levels = energy[: n_blocks * block].reshape(n_blocks, block).mean(axis=1)
        found = _knee_of_blocks(levels) if n_blocks >= 10 else None
        if found:
            seen = found[0] <= (1.0 - NOISE_SHARE) * n_blocks
            return Decay(max(1, round(found[0] * block)), found[1] * block, found[2]) if seen else Decay(energy.size)
    return Decay(energy.size)


def _knee_of_blocks(levels: Array) -> tuple[float, float, float] | None:
    """Return knee and tau in blocks, and the noise's energy per sample; None where no line falls into the noise."""
    n_noise = levels.size // 10
    found = None
    for _ in range(5):
        noise = float(levels[-n_noise:].mean())
        if noise <= 0.0 or (line := _fit_line(levels, noise)) is None:
            return found
        slope, level = line
        knee = (10.0 * math.log10(noise) - level) / slope
        found = (knee, -10.0 / (math.log(10.0) * slope), noise)
        n_noise, last = max(levels.size // 10, levels.size - max(0, math.ceil(knee - 10.0 / slope))), n_noise
        if n_noise == last:
            break
    return found


def _fit_line(levels: Array, noise: float) -> tuple[float, float] | None:
    """Return slope (dB per block) and level (dB) at sample 0 of the decay between 30 and 10 dB above `noise`."""
    first = int(np.argmax(levels))
    stop = first + first_of(levels[first:] < 10.0 * noise)
    above = np.flatnonzero(levels[first:stop] > 1000.0 * noise)
    start = first + (int(above[-1]) if above.size else 0)
    if stop - start < 3:
        return None
    x = np.arange(start, stop) + 0.5
    y = 10.0 * np.log10(levels[start:stop])
    middle, level = x.sum() / x.size, y.sum() / y.size  # what `mean` gives, at a third of its cost for so few
    dx = x - middle
    slope = float((dx * (y - level)).sum() / (dx * dx).sum())
    return (slope, float(level - slope * middle)) if slope < 0.0 else None
