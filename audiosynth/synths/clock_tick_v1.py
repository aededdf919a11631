"""A clock that ticks; version 1, as rows of old manifests have it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import modal, shaped, signals

TICK: Final = 0.09
"""Seconds one tick is followed."""
BLOWS: Final = ((0.0, 0.35), (0.004, 1.0), (0.009, 0.5))
"""Unlocking, impulse and drop of an escapement: when, and how loud (Witschi Electronic, "Test
and measuring technology for mechanical watches", has pictures)."""
N_MODES: Final = 9


class ClockTick(Component):
    """Tick and tock: small hard blows of the escapement on a train of wheels in a case.

    A beat has three blows within 10 ms; tick and tock differ, as the pallets do. Wall clocks beat once a second (quartz) or
    two to five times (pendulum, balance); their wheels ring at 2 to 9 kHz for hundredths of a second, the case below.

    Examples
    --------
    >>> ClockTick(duration=2.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 32000)
    """

    type_name: ClassVar[str] = "clock_tick"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.2, "seed": 1},
        {"duration": 1.0, "rate": 5.0, "f0": 5000.0, "case_db": -20.0, "tock": 0.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [4, 8]},
        "rate": {"weighted": [[2, 1.0], [2, 2.0], [1, {"uniform": [1.2, 3.0]}], [1, {"choice": [4.0, 5.0]}]]},
        "f0": {"log_uniform": [1500, 5500]},
        "t60": {"log_uniform": [0.008, 0.07]},
        "tock": {"beta": [1, 1.5]},
        "case": {"log_uniform": [120, 900]},
        "case_db": {"uniform": [-20, 8]},
        "spread": {"uniform": [0, 1]},
    }

    duration: EventDuration = 5.0
    rate: Annotated[float, number(0.25, 12, "Hz", "Beats a second")] = 2.0
    f0: Annotated[float, number(500, 10_000, "Hz", "Lowest mode of the wheels")] = 2800.0
    t60: Annotated[float, number(0.002, 0.5, "s", "Reverberation time of the wheels")] = 0.025
    tock: Annotated[float, number(0, 1, "", "How unlike tick and tock are")] = 0.4
    case: Annotated[float, number(40, 3000, "Hz", "Lowest mode of the case")] = 350.0
    case_db: Annotated[float, number(-60, 20, "dB", "Case re the wheels")] = -6.0
    spread: Annotated[float, number(0, 3, "", "How far apart the three blows of a beat are; 1 for 9 ms")] = 1.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the ticking, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "clock_tick")
        beats = (self._beat("tick", sr), self._beat("tock", sr))
        count = int(self.duration * self.rate) + 2
        loud = chances.spread("loud", count, low=0.85, high=1.0)
        late = chances.spread("late", count, low=-0.003, high=0.003)
        # a pendulum hangs a little crooked: tock comes not quite in the middle
        crooked = 0.08 * self.tock * chances.between("crooked", -1.0, 1.0)
        first = chances.between("first", 0.0, min(1.0 / self.rate, max(0.0, self.duration - TICK)))
        y = np.zeros(n)
        for i in range(count):
            start = first + (i + (crooked if i % 2 else 0.0) + (late[i] if i else 0.0)) / self.rate
            modal.place(y, loud[i] * beats[i % 2], start, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.001)

    def _beat(self, which: str, sr: int) -> Array:
        own, shared = shaped.Chances(self.seed, f"clock_tick/{which}"), shaped.Chances(self.seed, "clock_tick/both")
        n = seconds_to_samples(TICK, sr)
        steps = np.concatenate([[1.0], shared.spread("modes", N_MODES - 1, low=0.08, high=0.6)])
        wheels = np.minimum(self.f0, 0.3 * sr) * np.cumsum(steps)
        bodies = self.case * np.array([1.0, 1.9, 2.7, 4.1])
        mixed = (1.0 - self.tock) * shared.spread("loud", N_MODES, low=0.1, high=1.0) + self.tock * own.spread(
            "loud", N_MODES, low=0.1, high=1.0
        )
        hollow = (
            10.0 ** (self.case_db / 20.0)
            * (1.0 - 0.6 * self.tock * own.between("hollow", 0.0, 1.0))
            * np.array([1.0, 0.7, 0.5, 0.3])
        )
        blow = modal.ring(wheels, t60=self.t60 * (wheels / wheels[0]) ** -0.5, amplitudes=mixed, n_samples=n, sr=sr)
        blow += modal.ring(bodies, t60=2.5 * self.t60 + 0.01, amplitudes=hollow, n_samples=n, sr=sr)
        y = np.zeros(n)
        for i, (at, level) in enumerate(BLOWS):
            modal.place(
                y,
                level * own.between(f"blow{i}", 0.4, 1.0) * blow,
                at * self.spread * own.between(f"at{i}", 0.7, 1.3),
                sr,
            )
        return y * (1.0 - 0.4 * self.tock * (which == "tock"))
