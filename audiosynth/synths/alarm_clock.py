"""A digital alarm clock."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import cadences, shaped, signals, waves


class AlarmClock(Component):
    """Groups of short beeps, a pause, over and over; the groups may grow denser, as sleepers do not care.

    Quartz clocks beep at 2 kHz (a watch crystal's 32,768 Hz over 16) or 4 kHz, four beeps in half a second, once a second; the
    drive is a square wave, so odd partials are strong.

    Examples
    --------
    >>> AlarmClock(duration=2.0).render(RenderContext(sr=16000)).shape
    (1, 32000)
    """

    type_name: ClassVar[str] = "alarm_clock"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.0},
        {"duration": 1.0, "n_beeps": 2, "beep": 0.1, "gap": 0.1, "period": 0.7, "frequency": 1000.0},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [3, 8]},
        "frequency": {"weighted": [[3, 2048.0], [1, 4096.0], [3, {"log_uniform": [700, 3200]}]]},
        "n_beeps": {"integers": [1, 5]},
        "beep": {"uniform": [0.04, 0.09]},
        "gap": {"uniform": [0.04, 0.09]},
        "period": {"uniform": [0.9, 1.4]},
        "tilt_db": {"uniform": [-14, -4]},
    }

    duration: EventDuration = 4.0
    frequency: Annotated[float, number(200, 8000, "Hz", "Of the beeps")] = 2048.0
    n_beeps: Annotated[int, number(1, 20, "", "Beeps of a group")] = 4
    beep: Annotated[float, number(0.01, 2, "s", "Length of a beep")] = 0.06
    gap: Annotated[float, number(0.01, 2, "s", "Between the beeps of a group")] = 0.065
    period: Annotated[float, number(0.05, 10, "s", "From group to group; longer where the beeps do not fit")] = 1.0
    tilt_db: Annotated[float, number(-40, 0, "dB/octave", "Slope of the odd partials")] = -8.0
    amplitude: signals.Amplitude = 1.0

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the beeps, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        t = signals.times(n, sr)
        y = 0.0 * t
        for k in (1, 3, 5, 7):
            level = k ** (self.tilt_db / 6.0206) * float(waves.taper(k * self.frequency, sr))
            y += level * signals.sine(k * self.frequency * t)
        group = self.n_beeps * self.beep + (self.n_beeps - 1) * self.gap
        pattern = cadences.repeated(self.beep, self.gap, self.n_beeps, max(self.period - group, self.gap))
        return shaped.finished(
            y * cadences.gate(pattern, n_samples=n, sr=sr, edge=0.002), sr=sr, amplitude=self.amplitude
        )
