"""Band-limited pulses at a steady rate."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, waves


class PulseTrain(Component):
    """A rectangle that is high for a fraction `duty` of each period, band-limited.

    Partial n has the amplitude 2/(nπ)·sin(nπ·duty): with a small duty all partials are equal up to 1/(2·duty) of them, the
    buzz of a motor drive or of vocal folds; at one half it is a square wave [1]_.

    References
    ----------
    .. [1] A. V. Oppenheim, A. S. Willsky, "Signals and Systems", 1997, chapter 3.

    Examples
    --------
    >>> PulseTrain(duration=0.5, rate=100.0, duty=0.1).render(RenderContext(sr=8000)).shape
    (1, 4000)
    """

    type_name: ClassVar[str] = "pulse_train"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"duration": 0.25}, {"duration": 0.2, "rate": 333.3, "duty": 0.5})
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.2, 2]},
        "rate": {"log_uniform": [30, 1000]},
        "duty": {"uniform": [0.02, 0.5]},
    }

    duration: EventDuration = 1.0
    rate: Annotated[float, number(5, 20_000, "Hz", "Pulses a second")] = 120.0
    duty: Annotated[float, number(0.005, 0.995, "", "Fraction of the period in which it is high")] = 0.1
    amplitude: signals.Amplitude = 1.0

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the pulses, shape (1, n_samples)."""
        n = self.extent(ctx.sr)
        y = waves.steady("pulse", self.rate, n, ctx.sr, duty=self.duty)
        return shaped.finished(y, sr=ctx.sr, amplitude=self.amplitude, fade=0.005)
