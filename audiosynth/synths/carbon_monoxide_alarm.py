"""A carbon monoxide alarm."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import cadences, shaped, signals, waves

T4: Final = (0.1, 0.1, 4, 5.0)
"""Pulse, gap, pulses, pause: the temporal-four pattern (UL 2034; NFPA 72)."""


class CarbonMonoxideAlarm(Component):
    """Four short beeps, five seconds of silence, over and over.

    Beeps of 0.1 s at 0.1 s distance, about 3.1 kHz, so that nobody takes it for the smoke alarm's three.

    Examples
    --------
    >>> CarbonMonoxideAlarm(duration=2.0).render(RenderContext(sr=8000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "carbon_monoxide_alarm"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 2.0},
        {"duration": 1.0, "frequency": 2900.0, "tempo": 0.95},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [6, 14]},
        "frequency": {"truncnorm": [3100, 150, 2600, 3500]},
        "tempo": {"truncnorm": [1.0, 0.03, 0.9, 1.1]},
        "harmonics_db": {"uniform": [-35, -12]},
    }

    duration: EventDuration = 11.0
    frequency: Annotated[float, number(300, 5000, "Hz", "Of the piezo disc")] = 3100.0
    tempo: Annotated[float, number(0.8, 1.25, "", "Length of the pattern over the standard's")] = 1.0
    harmonics_db: Annotated[float, number(-80, 0, "dB", "Second and third harmonic")] = -20.0
    amplitude: signals.Amplitude = 1.0

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the alarm, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        t, h = signals.times(n, sr), 10.0 ** (self.harmonics_db / 20.0)
        y = sum(
            a * float(waves.taper(k * self.frequency, sr)) * signals.sine(k * self.frequency * t)
            for k, a in ((1, 1.0), (2, h), (3, h))
        )
        pulse, gap, count, pause = T4
        pattern = [self.tempo * x for x in cadences.repeated(pulse, gap, int(count), pause)]
        return shaped.finished(
            y * cadences.gate(pattern, n_samples=n, sr=sr, edge=0.004), sr=sr, amplitude=self.amplitude
        )
