"""A microwave oven that is done."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import cadences, shaped, signals, waves


class MicrowaveBeep(Component):
    """Three to five long beeps of a piezo disc, 2 to 2.7 kHz.

    The disc is driven by a square wave and rings at its own resonance, so a beep starts and ends within some milliseconds.

    Examples
    --------
    >>> MicrowaveBeep(n_beeps=2, beep=0.5, gap=0.5).render(RenderContext(sr=16000)).shape
    (1, 24000)
    """

    type_name: ClassVar[str] = "microwave_beep"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"n_beeps": 1, "beep": 0.1, "frequency": 2600.0, "buzz_db": -10.0},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "frequency": {"uniform": [1900, 2800]},
        "n_beeps": {"integers": [1, 5]},
        "beep": {"log_uniform": [0.1, 1]},
        "gap": {"log_uniform": [0.1, 1]},
        "buzz_db": {"uniform": [-40, -12]},
    }

    frequency: Annotated[float, number(500, 6000, "Hz", "Of the beeps")] = 2300.0
    n_beeps: Annotated[int, number(1, 50, "", "Number of beeps")] = 3
    beep: Annotated[float, number(0.03, 5, "s", "Length of a beep")] = 0.6
    gap: Annotated[float, number(0.03, 5, "s", "Between beeps")] = 0.5
    buzz_db: Annotated[float, number(-80, 0, "dB", "Third harmonic re the first")] = -22.0
    amplitude: signals.Amplitude = 1.0

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.n_beeps * self.beep + (self.n_beeps - 1) * self.gap, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the beeps, shape (1, n_samples)."""
        sr, n, f = ctx.sr, self.extent(ctx.sr), self.frequency
        t = signals.times(n, sr)
        y = np.zeros(n)
        for k, a in ((1, 1.0), (3, 10.0 ** (self.buzz_db / 20.0))):
            y += a * float(waves.taper(k * f, sr)) * signals.sine(k * f * t)
        return shaped.finished(
            y * cadences.gate([self.beep, self.gap], n_samples=n, sr=sr, edge=0.005), sr=sr, amplitude=self.amplitude
        )
