"""A smoke alarm."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import cadences, shaped, signals, waves

T3: Final = (0.5, 0.5, 3, 1.5)
"""Pulse, gap, pulses, pause: the temporal-three pattern of evacuation signals (ISO 8201; NFPA 72)."""

LOW: Final = 520.0
"""Hz of the low-frequency signal (NFPA 72)."""


class SmokeAlarm(Component):
    """Three beeps of half a second, a pause of a second and a half, over and over.

    Most sound a piezo disc at about 3.1 kHz; those for sleeping rooms a square wave of 520 Hz, which wakes more people
    (NFPA 72, 18.4.6). `tempo` stretches the pattern, which may be off by 10 %.

    Examples
    --------
    >>> SmokeAlarm(duration=4.0).render(RenderContext(sr=8000)).shape
    (1, 32000)
    """

    type_name: ClassVar[str] = "smoke_alarm"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 2.0},
        {"duration": 1.0, "kind": "low", "frequency": 520.0, "tempo": 1.05},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [4, 10]},
        "kind": {"weighted": [[4, "piezo"], [1, "low"]]},
        "frequency": {"truncnorm": [3100, 150, 2600, 3500]},
        "tempo": {"truncnorm": [1.0, 0.03, 0.9, 1.1]},
        "harmonics_db": {"uniform": [-35, -12]},
    }

    duration: EventDuration = 8.0
    kind: Annotated[
        Literal["piezo", "low"], Field(description="Piezo disc, or a 520 Hz square wave (its own frequency then)")
    ] = "piezo"
    frequency: Annotated[float, number(300, 5000, "Hz", "Of the disc")] = 3100.0
    tempo: Annotated[float, number(0.8, 1.25, "", "Length of the pattern over the standard's")] = 1.0
    harmonics_db: Annotated[float, number(-80, 0, "dB", "Second and third harmonic of the disc")] = -20.0
    amplitude: signals.Amplitude = 1.0

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the alarm, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        y = waves.steady("square", LOW, n, sr) if self.kind == "low" else self._disc(n, sr)
        pulse, gap, count, pause = T3
        pattern = [self.tempo * x for x in cadences.repeated(pulse, gap, int(count), pause)]
        return shaped.finished(
            y * cadences.gate(pattern, n_samples=n, sr=sr, edge=0.006), sr=sr, amplitude=self.amplitude
        )

    def _disc(self, n: int, sr: int) -> Array:
        t, h, f = signals.times(n, sr), 10.0 ** (self.harmonics_db / 20.0), self.frequency
        y = float(waves.taper(f, sr)) * signals.sine(f * t)
        for k in (2, 3):
            y += h * float(waves.taper(k * f, sr)) * signals.sine(k * f * t)
        return y
