"""A clock that ticks."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import modal, onsets, shaped, signals

TICK: Final = 0.09
"""Seconds one tick is followed."""
BLOWS: Final = ((0.0, 0.35), (0.004, 1.0), (0.009, 0.5))
"""Unlocking, impulse and drop of an escapement: when, and how loud (Witschi Electronic, "Test
and measuring technology for mechanical watches", has pictures)."""
ATTACK: Final = 0.0005
"""Seconds in which the noise of a blow is there."""
N_MODES: Final = 9


class ClockTick(Component):
    """Tick and tock: small hard blows of the escapement on a train of wheels in a case.

    A beat has three blows within 10 ms; tick and tock differ, as the pallets do. Wall clocks beat once a second (quartz) or
    two to five times (pendulum, balance); their wheels ring at 2 to 9 kHz for hundredths of a second, the case below. What
    touches and rubs in a blow is a short broad `click`.

    Examples
    --------
    >>> ClockTick(duration=2.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 32000)
    """

    type_name: ClassVar[str] = "clock_tick"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.2, "seed": 1},
        {"duration": 1.0, "rate": 5.0, "f0": 5000.0, "case_db": -20.0, "tock": 0.0, "seed": 2},
        {"duration": 1.0, "click": 3.0, "click_t60": 0.02, "seed": 3},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [4, 8]},
        "rate": {"weighted": [[2, 1.0], [2, 2.0], [1, {"uniform": [1.2, 3.0]}], [1, {"choice": [4.0, 5.0]}]]},
        "f0": {"log_uniform": [1000, 5500]},
        "t60": {"log_uniform": [0.008, 0.12]},
        "click": {"weighted": [[1, 0.0], [4, {"log_uniform": [0.2, 10]}]]},
        "click_t60": {"log_uniform": [0.004, 0.08]},
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
    click: Annotated[float, number(0, 20, "", "Noise of a blow re the strongest mode; 0 for none")] = 0.0
    click_t60: Annotated[float, number(0.002, 0.09, "s", "Reverberation time of that noise")] = 0.01
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
            at, beat = int(start * sr + 0.5) - onsets.LEAD, beats[i % 2]
            a, b = max(at, 0), min(at + len(beat), n)
            if a < b:
                y[a:b] += loud[i] * beat[a - at : b - at]
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.001)

    def _noise(self, own: shaped.Chances, i: int, sr: int) -> Array:
        """Return the noise of one blow, of RMS 1 before it decays."""
        n, spectrum = seconds_to_samples(TICK - ATTACK, sr), shaped.Chances(self.seed, "clock_tick/both")
        middle = 600.0 * 8.0 ** spectrum.between("middle", 0.0, 1.0)
        slopes = spectrum.spread("slopes", 2, low=-9.0, high=-1.0)
        octaves = float(np.log2(48_000.0 / middle)), float(np.log2(middle / 30.0))
        points = [(30.0, slopes[0] * octaves[1]), (middle, 0.0), (48_000.0, slopes[1] * octaves[0])]
        y = own.noise(f"click{i}", points, n_samples=n, sr=sr)
        y = y / max(float(np.sqrt(np.mean(y * y))), 1e-12)
        return y * shaped.decay(n, sr, t60=self.click_t60, attack=ATTACK)

    def _beat(self, which: str, sr: int) -> Array:
        own, shared = shaped.Chances(self.seed, f"clock_tick/{which}"), shaped.Chances(self.seed, "clock_tick/both")
        y = np.zeros(onsets.LEAD + seconds_to_samples(TICK, sr))
        steps = np.concatenate([[1.0], shared.spread("modes", N_MODES - 1, low=0.08, high=0.6)])
        wheels = self.f0 * np.cumsum(steps)
        bodies = self.case * np.array([1.0, 1.9, 2.7, 4.1])
        mixed = (1.0 - self.tock) * shared.spread("loud", N_MODES, low=0.1, high=1.0) + self.tock * own.spread(
            "loud", N_MODES, low=0.1, high=1.0
        )
        hollow = (
            10.0 ** (self.case_db / 20.0)
            * (1.0 - 0.6 * self.tock * own.between("hollow", 0.0, 1.0))
            * np.array([1.0, 0.7, 0.5, 0.3])
        )
        f, a = np.concatenate([wheels, bodies]), np.concatenate([mixed, hollow])
        t60 = np.concatenate([self.t60 * (wheels / wheels[0]) ** -0.5, np.full(len(bodies), 2.5 * self.t60 + 0.01)])
        for i, (at, level) in enumerate(BLOWS):
            start = onsets.LEAD / sr + at * self.spread * own.between(f"at{i}", 0.7, 1.3)
            modal.strike(y, start, f, t60=t60, amplitudes=level * own.between(f"blow{i}", 0.4, 1.0) * a, sr=sr)
            if self.click > 0:
                noise = level * own.between(f"blow{i}", 0.4, 1.0) * self._noise(own, i, sr)
                modal.place(y, self.click * noise, start, sr)
        return y * (1.0 - 0.4 * self.tock * (which == "tock"))
