"""Thunder."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals

MAX_CLAPS: Final = 60
SPEED: Final = 343.0


class Thunder(Component):
    """Claps from the near parts of a crooked channel, rumble from the far ones.

    A flash is kilometres long; every bend of it sends a pulse that arrives when its distance says. Near ones crack, far ones
    have lost their treble on the way; the power is greatest about 100 Hz, and a peal lasts 5 to 20 s, longer than the
    channel's length over the speed of sound [1]_.

    References
    ----------
    .. [1] A. A. Few, "Power spectrum of thunder", J. Geophysical Research 74, 1969; H. S. Ribner, D. Roy, "Acoustics of thunder: a
       quasilinear model for tortuous lightning", J. Acoust. Soc. Am. 72, 1982.

    Examples
    --------
    >>> Thunder(duration=3.0, seed=1).render(RenderContext(sr=8000)).shape
    (1, 24000)
    """

    type_name: ClassVar[str] = "thunder"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 2.0, "seed": 1},
        {"duration": 1.5, "distance": 300.0, "n_claps": 5, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [5, 14]},
        "distance": {"log_uniform": [300, 8000]},
        "n_claps": {"integers": [4, 20]},
        "peak": {"log_uniform": [40, 140]},
    }

    duration: EventDuration = 8.0
    distance: Annotated[float, number(50, 30_000, "m", "Distance of the nearest part")] = 1500.0
    n_claps: Annotated[int, number(1, MAX_CLAPS, "", "Bends of the channel that are heard by themselves")] = 10
    peak: Annotated[float, number(15, 400, "Hz", "Where the power is greatest")] = 80.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the peal, shape (1, n_samples)."""
        sr, n, d = ctx.sr, self.extent(ctx.sr), self.duration
        chances = shaped.Chances(self.seed, "thunder")
        # times of the bends: the nearest first, then ever sparser; each later one is that much farther away
        at = 0.03 * d + 0.75 * d * np.sort(chances.uniform("at", self.n_claps)) ** 1.6
        at[0] = 0.03 * d
        parts = [
            self._spectrum(self.distance),
            self._spectrum(self.distance + 0.3 * d * SPEED),
            self._spectrum(self.distance + d * SPEED),
        ]
        near, middle, far = chances.bands("roll", parts, n_samples=n, sr=sr)
        t = signals.times(n, sr)
        claps = np.zeros(n)
        loud = chances.spread("loud", self.n_claps, low=0.2, high=1.0) * (1.0 - 0.7 * (at - at[0]) / d)
        loud[0] = chances.between("first", 0.6, 1.0)
        rise = 0.004 + 0.00002 * self.distance
        for start, level in zip(at.tolist(), loud.tolist(), strict=True):
            after = np.maximum(t - start, 0.0)
            fall = 1.0 + signals.expm1(-np.minimum(after / (0.12 + 0.1 * level), 600.0))
            claps += level * fall * signals.rise(after / rise)
        rumble = signals.rise((t - at[0]) / (0.05 * d)) * (
            1.0 + signals.expm1(-np.minimum(3.5 * np.maximum(t - at[0], 0.0) / d, 600.0))
        )
        rumble = rumble * (1.0 + 0.5 * np.clip(chances.wander("roll", 1.2, n_samples=n, sr=sr), -1.5, 2.5))
        mix = near * claps * signals.rise(1.0 - t / (0.5 * d)) + middle * claps + 0.8 * far * rumble
        return shaped.finished(mix * signals.rise((d - t) / (0.2 * d)), sr=sr, amplitude=self.amplitude, fade=0.01)

    def _spectrum(self, distance: float) -> list[tuple[float, float]]:
        """Return the power density after some metres of air, in dB."""
        out = [(4.0, -30.0), (0.35 * self.peak, -5.0), (self.peak, 0.0)]
        for f in (200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 12_800.0, 48_000.0):
            if f > 1.2 * self.peak:
                # 6 dB per octave at the source; air takes about 0.005 dB/m at 1 kHz, as the square of the frequency below 2 kHz
                lost = distance * 0.005 * (f / 1000.0) ** 1.5
                out.append((f, max(-110.0, -6.0 * float(np.log2(f / self.peak)) - lost)))
        return out
