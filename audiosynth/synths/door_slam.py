"""A door that falls shut."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import modal, shaped, signals

N_PANEL: Final = 24


class DoorSlam(Component):
    """The latch, the thump of the frame, the panel's rattle.

    A door of 80 kg at a metre a second moves the air and the wall: a thump of 40 to 120 Hz that dies in a few tenths of a
    second, the panel's modes above it, and the latch's click a few hundredths of a second before or after. Levels and times are by ear; what blows excite is as in `modal.contact`.

    Examples
    --------
    >>> DoorSlam(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "door_slam"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.6, "seed": 1},
        {"duration": 0.5, "f0": 110.0, "rattle": 0.9, "latch_db": 6.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "f0": {"uniform": [40, 130]},
        "t60": {"log_uniform": [0.12, 0.6]},
        "panel": {"log_uniform": [120, 400]},
        "panel_db": {"uniform": [-14, 2]},
        "latch_db": {"uniform": [-25, 0]},
        "rattle": {"beta": [1, 2]},
        "contact": {"log_uniform": [0.0006, 0.005]},
    }

    duration: EventDuration = 1.0
    f0: Annotated[float, number(20, 300, "Hz", "Thump of door and frame")] = 75.0
    t60: Annotated[float, number(0.03, 3, "s", "Reverberation time of the thump")] = 0.3
    panel: Annotated[float, number(50, 1500, "Hz", "Lowest mode of the panel")] = 200.0
    panel_db: Annotated[float, number(-60, 20, "dB", "Panel re the thump")] = -5.0
    latch_db: Annotated[float, number(-60, 20, "dB", "Latch re the thump")] = -10.0
    rattle: Annotated[float, number(0, 1, "", "How loosely it hangs: further small blows")] = 0.3
    contact: Annotated[float, number(0.0002, 0.02, "s", "How long the blow lasts: short for a hard frame")] = 0.002
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the slam, shape (1, n_samples)."""
        sr, y = ctx.sr, np.zeros(self.extent(ctx.sr))
        chances = shaped.Chances(self.seed, "door_slam")
        start = min(0.06, 0.2 * self.duration)
        self._add_blow(y, chances, "slam", start, 1.0, sr)
        n_more = int(self.rattle * 5.99)
        gaps = np.cumsum(chances.spread("gaps", 6, low=0.03, high=0.11))
        for i in range(n_more):
            level = self.rattle * 0.3 * chances.between(f"level{i}", 0.2, 1.0) / (1 + i)
            self._add_blow(y, chances, f"rattle{i}", start + float(gaps[i]), level, sr)
        self._add_latch(y, chances, start + chances.between("when", -0.05, 0.05) * start / 0.06, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.002)

    def _add_blow(self, y: Array, chances: shaped.Chances, name: str, start: float, level: float, sr: int) -> None:
        low = self.f0 * np.array([1.0, 1.7, 2.6])
        thump = level * np.array([1.0, 0.5, 0.3])
        modal.strike(y, start, low, t60=self.t60 * np.array([1.0, 0.7, 0.5]), amplitudes=thump, sr=sr)
        f = self.panel * np.cumsum(np.concatenate([[1.0], chances.spread("modes", N_PANEL - 1, low=0.15, high=0.7)]))
        a = chances.spread(name, N_PANEL, low=-1.0, high=1.0) * modal.contact(f, self.contact)
        a *= level * 10.0 ** (self.panel_db / 20.0)
        modal.strike(y, start, f, t60=0.6 * self.t60 * (f / f[0]) ** -0.4, amplitudes=a, sr=sr)
        edge = 1.0 / self.contact
        n = len(y)
        air = chances.noise(
            f"{name}/air",
            [(20.0, -10.0), (60.0, 0.0), (edge, -12.0), (8.0 * edge, -45.0), (96_000.0, -80.0)],
            n_samples=n,
            sr=sr,
        )
        air *= shaped.decay(n, sr, t60=0.25 * self.t60, attack=0.001) * (
            0.4 / max(float(np.sqrt(np.mean(air**2))), 1e-12)
        )
        modal.place(y, level * air, start, sr)

    def _add_latch(self, y: Array, chances: shaped.Chances, start: float, sr: int) -> None:
        f = chances.spread("latch", 6, low=1200.0, high=5500.0)
        a = 10.0 ** (self.latch_db / 20.0) * chances.spread("click", 6, low=0.2, high=0.6)
        modal.strike(y[: seconds_to_samples(start + 0.05, sr)], start, f, t60=0.02, amplitudes=a, sr=sr)
