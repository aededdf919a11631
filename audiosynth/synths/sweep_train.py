"""Sweeps, one after the other."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import cadences, shaped, signals, waves


class SweepTrain(Component):
    """Exponential sweeps from `start` to `end` Hz, a pause between them: lasers, sonars, toys.

    Within a sweep the frequency is start·(end/start)^(t/sweep), so that it covers equal intervals in equal times [1]_.

    References
    ----------
    .. [1] A. Farina, "Simultaneous measurement of impulse response and distortion with a swept-sine technique", AES 108th
       Convention, 2000.

    Examples
    --------
    >>> SweepTrain(duration=0.5).render(RenderContext(sr=8000)).shape
    (1, 4000)
    """

    type_name: ClassVar[str] = "sweep_train"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5},
        {"duration": 0.4, "start": 3000.0, "end": 300.0, "sweep": 0.1, "gap": 0.0},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.6, 3]},
        "start": {"log_uniform": [200, 3000]},
        "end": {"log_uniform": [200, 3000]},
        "sweep": {"log_uniform": [0.05, 0.8]},
        "gap": {"uniform": [0, 0.3]},
    }

    duration: EventDuration = 1.0
    start: Annotated[float, number(20, 20_000, "Hz", "Where a sweep begins")] = 500.0
    end: Annotated[float, number(20, 20_000, "Hz", "Where it ends")] = 2500.0
    sweep: Annotated[float, number(0.005, 30, "s", "Length of a sweep")] = 0.25
    gap: Annotated[float, number(0, 30, "s", "Pause between sweeps")] = 0.1
    amplitude: signals.Amplitude = 1.0

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the sweeps, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        period = self.sweep + self.gap
        t = signals.times(n, sr) + 0.5 / sr
        within = np.minimum(t - np.floor(t / period) * period, self.sweep)
        octaves = float(np.log(self.end / self.start))
        f = self.start * (1.0 + signals.expm1(octaves / self.sweep * within))
        edge = min(0.01, 0.2 * self.sweep)
        loud = cadences.gate([self.sweep, max(self.gap, 1e-6)], n_samples=n, sr=sr, edge=edge) * waves.taper(f, sr)
        y = loud * signals.sine(signals.accumulated(np.minimum(f, 2.0 * waves.GONE * sr), sr))
        return shaped.finished(y, sr=sr, amplitude=self.amplitude)
