"""Rain: a wash of far drops and single near ones."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import grains, shaped, signals

GRAIN: Final = 0.02
"""Longest reverberation time of a drop, in seconds."""
LONGEST: Final = 0.026
"""Seconds a drop is followed."""
MAX_DROPS: Final = 200_000
FLUTTER_HZ: Final = 1.5
"""How quickly the intensity wavers."""


class Rain(Component):
    """A steady hiss of countless far drops, and the near ones one by one.

    The wash has a smooth spectrum that rises to about `centre` and falls by `slope_db` per octave above. Each near drop is a
    click and a damped bubble tone; a bubble of radius r rings at 3.26/r Hz·m (Minnaert), here 1 to 10 kHz [1]_.
    Loudnesses spread as those of drops at random distances do.

    References
    ----------
    .. [1] M. Minnaert, "On musical air-bubbles and the sounds of running water", Philosophical Magazine 16, 1933;
       H. C. Pumphrey, L. A. Crum, L. Bjørnø, "Underwater sound produced by individual drop impacts and rainfall", J. Acoust.
       Soc. Am. 85, 1989.

    Examples
    --------
    >>> Rain(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "rain"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "seed": 1},
        {"duration": 0.4, "seed": 2, "drops": 300.0, "drops_db": 6.0, "centre": 1200.0},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [3, 6]},
        "drops": {"log_uniform": [8, 800]},
        "drops_db": {"uniform": [-20, 8]},
        "centre": {"log_uniform": [300, 5000]},
        "slope_db": {"uniform": [-8, -0.5]},
        "rumble_db": {"uniform": [-30, 8]},
        "waver_db": {"uniform": [0, 0.7]},
    }

    duration: EventDuration = 4.0
    drops: Annotated[float, number(0, 5000, "1/s", "Near drops a second")] = 100.0
    drops_db: Annotated[float, number(-60, 40, "dB", "Power of the near drops over the wash")] = -3.0
    centre: Annotated[float, number(100, 16_000, "Hz", "Where the wash is strongest")] = 2500.0
    slope_db: Annotated[float, number(-18, 0, "dB/octave", "Slope of the wash above its centre")] = -4.0
    rumble_db: Annotated[float, number(-60, 10, "dB", "Density of the wash at 60 Hz re its centre")] = -12.0
    waver_db: Annotated[float, number(0, 12, "dB", "Slow changes of the intensity, standard deviation")] = 1.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the rain, shape (1, n_samples)."""
        n, sr = self.extent(ctx.sr), ctx.sr
        chances = shaped.Chances(self.seed, "rain")
        octaves = float(np.log2(48_000.0 / self.centre))
        high = [(self.centre, 0.0), (48_000.0, self.slope_db * octaves)]
        wash = chances.noise("wash", [(15.0, -60.0), (60.0, self.rumble_db), *high], n_samples=n, sr=sr)
        y = wash / _rms(wash)
        drops = self._drops(chances, n, sr)
        if drops.any():
            y = y + drops * (10.0 ** (self.drops_db / 20.0) / _rms(drops))
        waver = chances.wander("waver", FLUTTER_HZ, n_samples=n, sr=sr)
        y = y * np.power(10.0, self.waver_db / 20.0 * waver)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.02)

    def _drops(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        starts = chances.arrivals("at", self.drops, self.duration, most=MAX_DROPS)
        m = len(starts)
        frequency = 1000.0 * np.power(10.0, chances.uniform("pitch", m))
        t60 = chances.spread("t60", m, low=0.003, high=GRAIN)
        # drops fall anywhere on the ground: distances as the root of a uniform number, amplitude as 1/distance
        loud = 1.0 / np.sqrt(0.01 + chances.uniform("area", m))
        bubble = chances.uniform("bubble", m) ** 2
        y = np.zeros(n)
        for step, fall, a in ((1.0, 1.0, loud * bubble), (2.3, 0.15, loud)):
            y += grains.rings(
                starts,
                frequencies=step * frequency,
                t60=fall * t60,
                amplitudes=a,
                length=fall * LONGEST,
                n_samples=n,
                sr=sr,
            )
        return y


def _rms(y: Array) -> float:
    return max(float(np.sqrt(np.mean(y * y))), 1e-12)
