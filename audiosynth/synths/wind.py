"""Wind: gusts, and the howl of edges and gaps."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import engines, shaped, signals, waves

BANDS: Final = ((0.0, 150.0, 1.0), (150.0, 600.0, 1.6), (600.0, 2400.0, 2.2), (2400.0, 96_000.0, 3.0))
"""Bands in Hz, and the exponent of each one's amplitude over the wind's speed: gusts are bright."""


class Wind(Component):
    """Turbulent noise that falls by `slope_db` per octave, its gusts brighter than its lulls, and Aeolian tones.

    Speeds waver as a slow random process around their mean with a relative standard deviation of `gusts` (0.1 to 0.3 over
    land [1]_). Howl is narrow noise at 0.2·v/d, Strouhal's law, so that it climbs with every gust.

    References
    ----------
    .. [1] R. B. Stull, "An Introduction to Boundary Layer Meteorology", Kluwer 1988: turbulence intensity.
       V. Strouhal, "Über eine besondere Art der Tonerregung", Annalen der Physik 241, 1878.

    Examples
    --------
    >>> Wind(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "wind"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "seed": 1},
        {"duration": 0.4, "howl_db": 6.0, "howl": 900.0, "gusts": 0.5, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [4, 10]},
        "gusts": {"uniform": [0.1, 0.45]},
        "gust_rate": {"log_uniform": [0.1, 0.8]},
        "slope_db": {"uniform": [-7, -3]},
        "howl_db": {"weighted": [[1, -60.0], [1, {"uniform": [-15, 6]}]]},
        "howl": {"log_uniform": [200, 1200]},
    }

    duration: EventDuration = 6.0
    gusts: Annotated[float, number(0, 1, "", "Standard deviation of the speed over its mean")] = 0.25
    gust_rate: Annotated[float, number(0.02, 10, "Hz", "Gusts a second")] = 0.3
    slope_db: Annotated[float, number(-12, 0, "dB/octave", "Slope of the spectrum above 60 Hz")] = -5.0
    howl: Annotated[float, number(50, 5000, "Hz", "Pitch of the howl at the mean speed")] = 450.0
    howl_db: Annotated[float, number(-60, 30, "dB", "Howl re the rest; -60 for none")] = -8.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the wind, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "wind")
        slow = chances.wander("gusts", self.gust_rate, n_samples=n, sr=sr)
        quick = chances.wander("flurries", 6.0 * self.gust_rate, n_samples=n, sr=sr)
        speed = np.maximum(1.0 + self.gusts * (0.9 * slow + 0.44 * quick), 0.15)
        parts = chances.bands("roar", [self._band(low, high) for low, high, _ in BANDS], n_samples=n, sr=sr)
        y = np.zeros(n)
        for part, (_, _, exponent) in zip(parts, BANDS, strict=True):
            y += part * speed ** (1.0 + exponent)
        y = engines.unit(y) + 10.0 ** (self.howl_db / 20.0) * engines.unit(self._howl(chances, speed, sr))
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.1)

    def _band(self, low: float, high: float) -> list[tuple[float, float]]:
        out = [(10.0, -30.0)]
        for f in np.geomspace(30.0, 48_000.0, 24).tolist():
            beyond = max(float(np.log2(low / f)) if low else 0.0, float(np.log2(f / high)), 0.0)
            out.append((f, self.slope_db * max(0.0, float(np.log2(f / 60.0))) - 30.0 * beyond))
        return out

    def _howl(self, chances: shaped.Chances, speed: Array, sr: int) -> Array:
        """Return a tone that is never quite one: pitch with the speed, amplitude and phase at random."""
        n = len(speed)
        total = np.zeros(n)
        for i, ratio in enumerate((1.0, 1.31, 1.9)):
            f = self.howl * ratio * speed * (1.0 + 0.01 * chances.wander(f"bend{i}", 7.0, n_samples=n, sr=sr))
            loud = np.abs(chances.wander(f"loud{i}", 4.0, n_samples=n, sr=sr)) * speed**3 / (1.0 + i)
            cycles = signals.accumulated(np.maximum(f, 1.0), sr)
            total += (
                loud
                * waves.taper(f, sr)
                * (signals.sine(cycles) + 0.2 * waves.taper(2.0 * f, sr) * signals.sine(2.0 * cycles))
            )
        return total
