"""Metal struck: a bar, a plate, a can."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import modal, shaped, signals

BAR: Final = (1.0, 2.756, 5.404, 8.933, 13.345, 18.638)
"""Modes of a bar with free ends: (2n + 1)² over 3.011² but for the first (Fletcher and Rossing 1998, chapter 2)."""
N_PLATE: Final = 60
N_CAN: Final = 24
BOUNCE: Final = 0.45
"""Height of a bounce over that before it: loudness and time go with its root."""

RELEASE: Final = 0.15
"""Seconds in which what still rings at the end dies away."""


class MetalClang(Component):
    """A blow on metal, and how it bounces.

    `bar`: the modes of a free bar, 1 : 2.756 : 5.404 : 8.933 …; `plate`: a plate's modes lie evenly over frequency, so that
    high ones crowd the ear; `can`: a thin shell, fewer and lower damped. Modes above the first die as f^-`damping`.

    Examples
    --------
    >>> MetalClang(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "metal_clang"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.6, "seed": 1},
        {"duration": 0.5, "kind": "plate", "f0": 180.0, "n_bounces": 4, "seed": 2},
        {"duration": 0.4, "kind": "can", "f0": 700.0, "t60": 0.2, "seed": 3},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.8, 3]},
        "kind": {"choice": ["bar", "plate", "can"]},
        "f0": {"log_uniform": [150, 1500]},
        "t60": {"log_uniform": [0.2, 4]},
        "damping": {"uniform": [0.3, 1.0]},
        "hammer": {"log_uniform": [0.0001, 0.001]},
        "n_bounces": {"integers": [0, 4]},
    }

    duration: EventDuration = 1.5
    kind: Annotated[Literal["bar", "plate", "can"], Field(description="What is struck")] = "bar"
    f0: Annotated[float, number(40, 6000, "Hz", "Lowest mode")] = 500.0
    t60: Annotated[float, number(0.02, 30, "s", "Reverberation time of the lowest mode")] = 1.0
    damping: Annotated[float, number(0, 2, "", "Exponent of the reverberation time over frequency")] = 0.6
    hammer: Annotated[float, number(0.00005, 0.01, "s", "How long the blow lasts")] = 0.0003
    n_bounces: Annotated[int, number(0, 12, "", "Further, weaker blows")] = 1
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the clang, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "metal_clang")
        f = self._modes(chances)
        t60 = self.t60 * (f / f[0]) ** -self.damping
        y, start, loud = np.zeros(n), 0.0, 1.0
        gap = chances.between("gap", 0.08, 0.25)
        for i in range(self.n_bounces + 1):
            a = chances.spread(f"loud{i}", len(f), low=0.2, high=1.0) * modal.contact(f, self.hammer)
            modal.strike(y, start, f, t60=t60, amplitudes=loud * a, sr=sr)
            start, loud, gap = start + gap, loud * BOUNCE**0.5, gap * BOUNCE**0.5
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.001, release=RELEASE)

    def _modes(self, chances: shaped.Chances) -> Array:
        if self.kind == "bar":
            return self.f0 * np.array(BAR) * (1.0 + chances.spread("tuning", len(BAR), low=-0.01, high=0.01))
        count, step = (N_PLATE, 0.45) if self.kind == "plate" else (N_CAN, 0.7)
        steps = chances.spread("modes", count, low=0.3, high=1.7) * step
        return self.f0 * np.cumsum(np.concatenate([[1.0], steps[1:]]))
