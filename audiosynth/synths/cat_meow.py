"""A cat that meows."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, voice

CLOSED: Final = ((600.0, 150.0), (1700.0, 250.0), (3300.0, 400.0), (5000.0, 700.0))
"""Resonances with the mouth nearly closed, F and bandwidth in Hz, for a vocal tract of about 10 cm."""
OPEN: Final = ((1100.0, 200.0), (2300.0, 300.0), (3700.0, 450.0), (5600.0, 800.0))
"""The same with the mouth open."""


class CatMeow(Component):
    """One meow: the mouth opens and closes over a pitch that arches up and down.

    Meows of cats last 0.5 to 1.2 s with a fundamental of 400 to 900 Hz [1]_; as the mouth opens ("m-i-a-o-u") the resonances
    rise, and fall again as it closes.

    References
    ----------
    .. [1] N. Nicastro, M. J. Owren, "Classification of domestic cat (Felis catus) vocalizations by naive and experienced human
       listeners", J. Comparative Psychology 117, 2003; S. Schötz, "A phonetic pilot study of vocalisations in three cats",
       Proc. Fonetik 2012.

    Examples
    --------
    >>> CatMeow(length=0.8, seed=1).render(RenderContext(sr=16000)).shape
    (1, 12800)
    """

    type_name: ClassVar[str] = "cat_meow"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"length": 0.6, "seed": 1},
        {"f0": 900.0, "length": 0.4, "arch": 1.1, "roughness": 0.6, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "f0": {"log_uniform": [380, 950]},
        "length": {"uniform": [0.45, 1.3]},
        "arch": {"uniform": [1.05, 1.5]},
        "peak": {"uniform": [0.2, 0.6]},
        "roughness": {"beta": [1, 3]},
        "size": {"uniform": [0.75, 1.2]},
    }

    f0: Annotated[float, number(200, 2000, "Hz", "Highest fundamental")] = 600.0
    length: Annotated[float, number(0.2, 4, "s", "Length of the meow")] = 0.8
    arch: Annotated[float, number(1, 2.5, "", "Highest fundamental over that at the ends")] = 1.25
    peak: Annotated[float, number(0.1, 0.9, "", "When the pitch is highest, as a share of the length")] = 0.4
    roughness: Annotated[float, number(0, 1, "", "How hoarse it is")] = 0.15
    size: Annotated[float, number(0.5, 2, "", "Length of the vocal tract, 1 for 10 cm")] = 1.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.length, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the meow, shape (1, n_samples)."""
        sr, n, d = ctx.sr, self.extent(ctx.sr), self.length
        chances = shaped.Chances(self.seed, "cat_meow")
        ends = self.f0 / self.arch * chances.spread("ends", 2, low=0.92, high=1.0)
        f0 = voice.track([(0.0, ends[0]), (self.peak * d, self.f0), (d, ends[1])], n_samples=n, sr=sr)
        f0 = f0 * (1.0 + 0.004 * chances.wander("tremor", 6.0, n_samples=n, sr=sr))
        wide = chances.between("wide", 0.35, 0.6) * d

        def throat(t: Array) -> voice.Formants:
            opening = signals.rise(t / wide) * signals.rise((d - t) / (d - wide))
            pairs = zip(CLOSED, OPEN, strict=True)
            return [
                ((a + (b - a) * opening) / self.size, (u + (v - u) * opening) / self.size) for (a, u), (b, v) in pairs
            ]

        loud = [(0.0, 0.0), (0.12 * d, 0.45), (wide, 1.0), (0.8 * d, 0.45), (d, 0.0)]
        effort = shaped.curve(loud, n_samples=n, sr=sr)
        y = voice.voiced(f0, throat, sr=sr, tilt_db=-6.0, roughness=self.roughness, chances=chances, effort=effort)
        air = voice.breath(throat(np.array([wide])), n_samples=n, sr=sr, chances=chances) * float(
            np.sqrt(np.mean(y * y))
        )
        y = (y + (0.02 + 0.3 * self.roughness) * air) * effort
        return shaped.finished(y, sr=sr, amplitude=self.amplitude)
