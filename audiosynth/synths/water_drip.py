"""Drops that fall into water."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import grains, onsets, shaped, signals, waves

MINNAERT: Final = 3.26
"""Resonance times radius of an air bubble in water, Hz·m (M. Minnaert, Philosophical Magazine 16, 1933)."""
AFTER: Final = 0.012
"""Seconds from the impact to the bubble."""
SPLASH: Final = 0.006
"""Reverberation time of the impact in seconds."""
BUBBLE: Final = 0.35
"""Seconds a bubble is followed."""
MAX_DROPS: Final = 20_000


class WaterDrip(Component):
    """Plinks: each drop encloses a bubble that rings, rising in pitch as it nears the surface.

    A bubble of radius r rings at 3.26/r Hz·m and decays with the rate 0.13/r + 0.0072·r^-1.5 (r in metres); its pitch rises
    in proportion to that rate, by `rise` [1]_. A tap drips regularly (`regularity` 1), a cave does not.

    References
    ----------
    .. [1] K. van den Doel, "Physically based models for liquid sounds", ACM Transactions on Applied Perception 2, 2005.

    Examples
    --------
    >>> WaterDrip(duration=2.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 32000)
    """

    type_name: ClassVar[str] = "water_drip"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.0, "seed": 1},
        {"duration": 0.8, "rate": 8.0, "regularity": 0.0, "radius": 0.002, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [2, 6]},
        "rate": {"log_uniform": [0.7, 12]},
        "regularity": {"choice": [0.0, 0.5, 0.9, 1.0]},
        "radius": {"log_uniform": [0.0012, 0.005]},
        "rise": {"uniform": [0, 0.15]},
        "splash_db": {"uniform": [-40, -12]},
    }

    duration: EventDuration = 4.0
    rate: Annotated[float, number(0.2, 200, "1/s", "Drops a second")] = 2.0
    regularity: Annotated[float, number(0, 1, "", "0 for drops at random, 1 for a tap")] = 0.9
    radius: Annotated[float, number(0.0005, 0.02, "m", "Of the bubbles, on average")] = 0.0025
    rise: Annotated[float, number(0, 1, "", "How fast their pitch rises, over their decay")] = 0.1
    splash_db: Annotated[float, number(-60, 10, "dB", "Splash of the drop re its bubble")] = -24.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the drops, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "water_drip")
        m = min(MAX_DROPS, max(1, int(self.duration * self.rate)))
        even = (np.arange(m) + 0.3 * chances.between("first", 0.0, 1.0)) / self.rate
        free = np.sort(chances.uniform("at", m)) * self.duration
        at = np.minimum(self.regularity * even + (1.0 - self.regularity) * free, 0.97 * self.duration)
        r = self.radius * np.power(2.0, (1.1 - 0.8 * self.regularity) * (2.0 * chances.uniform("radius", m) - 1.0))
        f, rate = MINNAERT / r, 0.13 / r + 0.0072 * r**-1.5
        loud = chances.spread("loud", m, low=0.3, high=1.0)
        splash = chances.spread("splash", m, low=3000.0, high=7000.0)

        def bubble(t: Array, which: slice) -> Array:
            late = np.maximum(t - AFTER, 0.0)
            fall = 1.0 + signals.expm1(np.maximum(-rate[which, None] * late, -700.0))
            # a pitch that rises for ever would pass half the rate: it stops where the bubble has died away
            risen = np.minimum(late, 5.0 / rate[which, None])
            steep = self.rise * rate[which, None]
            cycles = f[which, None] * (late + steep * risen * (late - 0.5 * risen))
            heard = waves.taper(f[which, None] * (1.0 + steep * risen), sr)
            return np.asarray(loud[which, None] * fall * heard * signals.sine(cycles))

        y = grains.scatter(at, bubble, length=BUBBLE, n_samples=n, sr=sr)
        onsets.add_corrections(y, at + AFTER, frequencies=f, t60=onsets.LN_60_DB / rate, amplitudes=loud, sr=sr)
        y += grains.rings(
            at, frequencies=splash, t60=np.full(m, SPLASH), amplitudes=10.0 ** (self.splash_db / 20.0) * loud,
            length=1.2 * SPLASH, n_samples=n, sr=sr,
        )  # fmt: skip
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.003)
