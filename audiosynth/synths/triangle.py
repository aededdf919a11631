"""A band-limited triangle wave."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, waves


class Triangle(Component):
    """Odd partials with the amplitudes 1/n², up to 0.40 of the sampling rate and none above 0.45.

    The Fourier series 8/π²·Σ (-1)^k·sin(2π(2k + 1)ft)/(2k + 1)², so that nothing folds back. Its peak is a little
    higher than the ideal waveform's where the series is cut (Gibbs); the whole is scaled to `amplitude`.

    Examples
    --------
    >>> Triangle(duration=0.5, frequency=440.0).render(RenderContext(sr=8000)).shape
    (1, 4000)
    """

    type_name: ClassVar[str] = "triangle"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.25},
        {"duration": 0.2, "frequency": 1234.5, "phase": 90.0},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.2, 2]},
        "frequency": {"log_uniform": [60, 2000]},
        "phase": {"uniform": [-180, 180]},
    }

    duration: EventDuration = 1.0
    frequency: Annotated[float, number(5, 20_000, "Hz", "Fundamental")] = 440.0
    phase: Annotated[float, number(-360, 360, "degrees", "Phase at the first sample")] = 0.0
    amplitude: signals.Amplitude = 1.0

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the wave, shape (1, n_samples)."""
        n = self.extent(ctx.sr)
        y = waves.steady("triangle", self.frequency, n, ctx.sr, start=self.phase / 360.0)
        return shaped.finished(y, sr=ctx.sr, amplitude=self.amplitude, fade=0.005)
