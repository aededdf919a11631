"""A sleeper who snores."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, voice

THROAT: Final = ((450.0, 180.0), (1100.0, 300.0), (2300.0, 500.0))
"""Resonances of the pharynx with the mouth open, F and bandwidth in Hz."""


class Snore(Component):
    """Rattling breath in, quiet breath out, again and again.

    The soft palate flutters at 20 to 150 Hz and opens the airway in pulses; palatal snores have their energy below
    500 Hz [1]_. Breathing in takes about 40 % of a cycle of 3 to 5 s.

    References
    ----------
    .. [1] D. Pevernagie, R. M. Aarts, M. De Meyer, "The acoustics of snoring", Sleep Medicine Reviews 14, 2010.

    Examples
    --------
    >>> Snore(n_breaths=1, seed=1).render(RenderContext(sr=16000)).shape
    (1, 60800)
    """

    type_name: ClassVar[str] = "snore"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_breaths": 1, "period": 1.5, "seed": 1},
        {"n_breaths": 2, "period": 1.0, "f0": 120.0, "exhale_db": -10.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "f0": {"log_uniform": [25, 130]},
        "n_breaths": {"integers": [1, 3]},
        "period": {"uniform": [2.6, 4.5]},
        "exhale_db": {"uniform": [-40, -12]},
        "flutter": {"uniform": [0.4, 0.95]},
        "size": {"uniform": [0.8, 1.2]},
    }

    f0: Annotated[float, number(15, 300, "Hz", "Flutter of the palate")] = 60.0
    n_breaths: Annotated[int, number(1, 50, "", "Number of breaths")] = 2
    period: Annotated[float, number(1, 6, "s", "From one breath to the next")] = 3.8
    exhale_db: Annotated[float, number(-80, 10, "dB", "Breath out re breath in")] = -24.0
    flutter: Annotated[float, number(0, 1, "", "How far the palate closes the airway")] = 0.8
    size: Annotated[float, number(0.5, 1.5, "", "Length of the vocal tract, 1 for 17 cm")] = 1.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.n_breaths * self.period, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the breaths, shape (1, n_samples)."""
        sr, y = ctx.sr, np.zeros(self.extent(ctx.sr))
        for i in range(self.n_breaths):
            breath, first = self._breath(i, sr), seconds_to_samples(i * self.period, sr)
            y[first : first + len(breath)] += breath[: len(y) - first]
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.02)

    def _breath(self, i: int, sr: int) -> Array:
        chances, d = shaped.Chances(self.seed, f"snore/{i}"), self.period
        n = max(2, seconds_to_samples(d, sr))
        throat = [(f / self.size, width) for f, width in THROAT]
        draws_in = d * chances.between("share", 0.36, 0.46)
        f0 = self.f0 * (1.0 + 0.1 * np.clip(chances.wander("pitch", 2.0, n_samples=n, sr=sr), -2.0, 2.0))
        rattle = voice.voiced(f0, lambda _: throat, sr=sr, tilt_db=-8.0, roughness=0.8, chances=chances)
        rattle = rattle / max(float(np.sqrt(np.mean(rattle**2))), 1e-12)
        phase = signals.accumulated(f0, sr)
        opening = (0.5 + 0.5 * signals.sine(phase)) ** 2
        air = voice.breath(throat, n_samples=n, sr=sr, chances=chances) * (1.0 - self.flutter * (1.0 - opening))
        into = [(0.0, 0.0), (0.3 * draws_in, 0.6), (0.7 * draws_in, 1.0), (draws_in, 0.0)]
        y = (self.flutter * rattle + 0.7 * air) * shaped.curve(into, n_samples=n, sr=sr)
        out = [(draws_in + 0.08 * d, 0.0), (draws_in + 0.2 * d, 1.0), (0.9 * d, 0.15), (d, 0.0)]
        soft = voice.breath(throat, n_samples=n, sr=sr, chances=chances, name="out")
        level = 10.0 ** (chances.between("level", -4.0, 0.0) / 20.0)
        return np.asarray(level * (y + 10.0 ** (self.exhale_db / 20.0) * soft * shaped.curve(out, n_samples=n, sr=sr)))
