"""A doorbell."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import modal, shaped, signals, waves

BAR: Final = (1.0, 2.756, 5.404)
"""Modes of a bar with free ends (Fletcher and Rossing 1998, chapter 2)."""
ELECTRONIC: Final = ((1.0, 1.0), (2.0, 0.25), (3.0, 0.12))


class Doorbell(Component):
    """Ding, dong: two struck bars a major third apart, or their electronic likeness, or a buzzer.

    The button throws a plunger against the high bar and, let go, against the low one. `interval` is in semitones down: 4 for
    the usual major third. Bars in front of resonators ring for a second or two, nearly pure.

    Examples
    --------
    >>> Doorbell(duration=2.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 32000)
    """

    type_name: ClassVar[str] = "doorbell"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.2, "seed": 1},
        {"duration": 1.0, "kind": "electronic", "f0": 900.0, "n_rings": 2, "seed": 2},
        {"duration": 0.8, "kind": "buzzer", "f0": 400.0, "seed": 3},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [1.5, 3]},
        "kind": {"weighted": [[3, "bars"], [2, "electronic"], [1, "buzzer"]]},
        "f0": {"uniform": [500, 900]},
        "interval": {"choice": [3.0, 4.0, 4.0, 5.0]},
        "gap": {"uniform": [0.25, 0.7]},
        "t60": {"log_uniform": [0.8, 3]},
        "n_rings": {"integers": [1, 2]},
    }

    duration: EventDuration = 2.0
    kind: Annotated[Literal["bars", "electronic", "buzzer"], Field(description="What sounds")] = "bars"
    f0: Annotated[float, number(150, 3000, "Hz", "Higher note; of a buzzer three times its rate")] = 660.0
    interval: Annotated[float, number(0, 24, "semitones", "From the higher note down to the lower")] = 4.0
    gap: Annotated[float, number(0.05, 3, "s", "From ding to dong")] = 0.45
    t60: Annotated[float, number(0.05, 10, "s", "Reverberation time of the bars")] = 1.5
    n_rings: Annotated[int, number(1, 10, "", "How often it is pressed")] = 1
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the bell, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "doorbell")
        if self.kind == "buzzer":
            return shaped.finished(self._buzz(chances, n, sr), sr=sr, amplitude=self.amplitude, fade=0.01)
        y = np.zeros(n)
        for i in range(self.n_rings):
            start = i * (2.0 * self.gap + chances.between("again", 0.2, 0.6))
            modal.place(y, self._note(chances, self.f0, n, sr), start, sr)
            modal.place(y, self._note(chances, self.f0 * 2.0 ** (-self.interval / 12.0), n, sr), start + self.gap, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.001, release=0.2)

    def _note(self, chances: shaped.Chances, f: float, n: int, sr: int) -> Array:
        if self.kind == "bars":
            ratios = np.array(BAR)
            y = modal.ring(
                f * ratios,
                t60=self.t60 * ratios**-1.2,
                amplitudes=[1.0, chances.between("second", 0.05, 0.3), 0.08],
                n_samples=n,
                sr=sr,
            )
        else:
            y = np.zeros(n)
            for ratio, a in ELECTRONIC:
                y += a * modal.ring(f * ratio, t60=self.t60, amplitudes=1.0, n_samples=n, sr=sr)
        return y * signals.rise(signals.times(n, sr) / 0.0015)

    def _buzz(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        """Return an armature that hits its stop, a third of f0 times a second: a rough pulse train."""
        f = self.f0 / 3.0 * (1.0 + 0.01 * chances.wander("rate", 9.0, n_samples=n, sr=sr))
        return waves.moving(
            f, lambda h, _: 1.0 / (1.0 + (h / 1800.0) ** 2), sr=sr, n_partials=int(waves.GONE * sr / float(f.min())) + 1
        )
