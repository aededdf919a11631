"""The beeper of a vehicle that reverses."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import cadences, shaped, signals, waves


class ReversingBeeper(Component):
    """Beeps about once a second, tonal or broad-band.

    Tonal alarms sound at 700 to 2800 Hz, 60 to 120 times a minute, half of the time (ISO 9533, SAE J994); broad-band ones send
    bursts of noise of 400 Hz to 4 kHz, easier to locate and gone sooner with distance.

    Examples
    --------
    >>> ReversingBeeper(duration=2.0, seed=1).render(RenderContext(sr=8000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "reversing_beeper"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.0, "seed": 1},
        {"duration": 1.0, "kind": "noise", "rate": 1.3, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [3, 10]},
        "kind": {"weighted": [[3, "tone"], [1, "noise"]]},
        "frequency": {"log_uniform": [900, 2800]},
        "rate": {"uniform": [0.9, 1.9]},
        "duty": {"uniform": [0.4, 0.6]},
        "harmonics_db": {"uniform": [-30, -8]},
    }

    duration: EventDuration = 5.0
    kind: Annotated[Literal["tone", "noise"], Field(description="What beeps")] = "tone"
    frequency: Annotated[float, number(300, 5000, "Hz", "Of the tone")] = 1250.0
    rate: Annotated[float, number(0.3, 5, "Hz", "Beeps a second")] = 1.2
    duty: Annotated[float, number(0.05, 0.95, "", "Share of the time it sounds")] = 0.5
    harmonics_db: Annotated[float, number(-80, 0, "dB", "Third and fifth harmonic")] = -15.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the beeps, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        if self.kind == "tone":
            t, h, f = signals.times(n, sr), 10.0 ** (self.harmonics_db / 20.0), self.frequency
            y = sum(
                a * float(waves.taper(k * f, sr)) * signals.sine(k * f * t) for k, a in ((1, 1.0), (3, h), (5, 0.5 * h))
            )
        else:
            band = [(100.0, -50.0), (400.0, 0.0), (4000.0, 0.0), (12_000.0, -50.0)]
            y = shaped.Chances(self.seed, "reversing_beeper").noise("hiss", band, n_samples=n, sr=sr)
        pattern = [self.duty / self.rate, (1.0 - self.duty) / self.rate]
        return shaped.finished(
            y * cadences.gate(pattern, n_samples=n, sr=sr, edge=0.01), sr=sr, amplitude=self.amplitude
        )
