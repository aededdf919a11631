"""Amplitude modulation: a tone or noise that swells and fades."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, waves


class Am(Component):
    """A carrier times 1 + depth·sin(2π·rate·t), over 1 + depth.

    On a sine carrier this gives side bands at carrier ± rate, depth/2 of the carrier each; on noise, roughness and flutter [1]_.

    References
    ----------
    .. [1] A. V. Oppenheim, A. S. Willsky, "Signals and Systems", 1997, chapter 8.

    Examples
    --------
    >>> Am(duration=0.5, seed=1).render(RenderContext(sr=8000)).shape
    (1, 4000)
    """

    type_name: ClassVar[str] = "am"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "seed": 1},
        {"duration": 0.5, "carrier": "noise", "rate": 20.0, "depth": 0.5, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.5, 2]},
        "carrier": {"choice": ["tone", "noise"]},
        "frequency": {"log_uniform": [200, 3000]},
        "rate": {"log_uniform": [2, 80]},
        "depth": {"uniform": [0.3, 1]},
    }

    duration: EventDuration = 1.0
    carrier: Annotated[Literal["tone", "noise"], Field(description="What is modulated")] = "tone"
    frequency: Annotated[float, number(20, 20_000, "Hz", "Of the tone; middle of two octaves of noise")] = 1000.0
    rate: Annotated[float, number(0.1, 500, "Hz", "Modulations a second")] = 8.0
    depth: Annotated[float, number(0, 1, "", "Depth of the modulation")] = 1.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the sound, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        if self.carrier == "tone":
            level = float(waves.taper(self.frequency + self.rate, sr))
            y = level * signals.sine(self.frequency * signals.times(n, sr))
        else:
            f = self.frequency
            band = [(0.25 * f, -60.0), (0.5 * f, 0.0), (2.0 * f, 0.0), (4.0 * f, -60.0)]
            y = shaped.Chances(self.seed, "am").noise("carrier", band, n_samples=n, sr=sr)
        return shaped.finished(
            y * (1.0 + self.depth * signals.sine(self.rate * signals.times(n, sr))),
            sr=sr,
            amplitude=self.amplitude,
            fade=0.005,
        )
