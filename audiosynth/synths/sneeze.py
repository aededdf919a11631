"""A person who sneezes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, voice

THROAT: Final = ((700.0, 130.0), (1250.0, 160.0), (2600.0, 250.0), (3500.0, 400.0))
"""Resonances of "ah", an adult male's (Peterson and Barney, J. Acoust. Soc. Am. 24, 1952), F and bandwidth in Hz."""
ROUNDED: Final = ((350.0, 110.0), (900.0, 160.0), (2300.0, 250.0), (3300.0, 400.0))
"""Of the vowel after the burst, "oo"."""


class Sneeze(Component):
    """Breath drawn in with some voice ("ah"), a burst of air ("tch"), and what the voice adds after it ("oo").

    The burst is noise of broad spectrum, strongest between 1 and 6 kHz, that rises within `attack` and falls over
    `burst`; the air comes out within a few tenths of a second [1]_. The voice after it falls in pitch.

    References
    ----------
    .. [1] J. W. Tang et al., "Airflow dynamics of human jets: sneezing and breathing", PLoS ONE 8(4), 2013.

    Examples
    --------
    >>> Sneeze(seed=1).render(RenderContext(sr=16000)).shape[0]
    1
    """

    type_name: ClassVar[str] = "sneeze"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"seed": 1},
        {"f0": 260.0, "inhale": 0.0, "burst": 0.15, "voice_db": 0.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "f0": {"log_uniform": [110, 420]},
        "inhale": {"weighted": [[1, 0.0], [2, {"uniform": [0.15, 0.6]}]]},
        "gap": {"uniform": [0.0, 0.12]},
        "burst": {"log_uniform": [0.1, 0.5]},
        "voice_db": {"uniform": [-25, 10]},
        "size": {"uniform": [0.8, 1.1]},
        "attack": {"log_uniform": [0.003, 0.04]},
        "closing": {"uniform": [0, 1]},
        "brightness": {"log_uniform": [1500, 6000]},
    }

    f0: Annotated[float, number(60, 800, "Hz", "Fundamental of the voice at the burst")] = 220.0
    inhale: Annotated[float, number(0, 3, "s", "Length of the breath drawn in; 0 for none")] = 0.3
    gap: Annotated[float, number(0, 1, "s", "Pause before the burst")] = 0.05
    burst: Annotated[float, number(0.05, 1.5, "s", "Length of the burst")] = 0.25
    voice_db: Annotated[float, number(-60, 20, "dB", "Voice after the burst re the burst, RMS")] = -8.0
    size: Annotated[float, number(0.5, 1.5, "", "Length of the vocal tract, 1 for 17 cm")] = 1.0
    attack: Annotated[float, number(0.002, 0.2, "s", "Rise of the burst")] = 0.012
    brightness: Annotated[float, number(500, 12_000, "Hz", "Where the burst is strongest")] = 3000.0
    closing: Annotated[float, number(0, 1, "", "How far the lips close during the burst")] = 0.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self._inhaled() + 2.2 * self.burst, sr)

    def _inhaled(self) -> float:
        return self.inhale + self.gap if self.inhale > 0 else 0.0

    def render(self, ctx: RenderContext) -> Array:
        """Return the sneeze, shape (1, n_samples)."""
        sr, y = ctx.sr, np.zeros(self.extent(ctx.sr))
        chances = shaped.Chances(self.seed, "sneeze")
        if self.inhale > 0:
            ah = self._ah(chances, sr)
            y[: len(ah)] += ah[: len(y)]
        first = min(len(y) - 1, seconds_to_samples(self._inhaled(), sr))
        y[first:] += self._burst(chances, len(y) - first, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude)

    def _ah(self, chances: shaped.Chances, sr: int) -> Array:
        n, d = max(2, seconds_to_samples(self.inhale, sr)), self.inhale
        throat = [(f / self.size, width) for f, width in THROAT]
        f0 = voice.track([(0.0, 0.9 * self.f0), (d, chances.between("climb", 1.0, 1.5) * self.f0)], n_samples=n, sr=sr)
        call = voice.voiced(f0, lambda _: throat, sr=sr, tilt_db=-9.0, roughness=0.4, chances=chances)
        call = call / max(float(np.sqrt(np.mean(call**2))), 1e-12) * chances.between("voiced", 0.0, 0.6)
        air = voice.breath(throat, n_samples=n, sr=sr, chances=chances, name="in") * 0.4
        level = 10.0 ** (chances.between("level", -26.0, -8.0) / 20.0)
        loud = shaped.curve([(0.0, 0.0), (0.7 * d, 1.0), (d, 0.0)], n_samples=n, sr=sr)
        return np.asarray(level * (call + air) * loud)

    def _burst(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        d = self.burst
        low, high = chances.between("low", -18.0, -6.0), chances.between("high", -14.0, -3.0)
        points = [
            (60.0, low - 12.0),
            (300.0, low),
            (self.brightness, 0.0),
            (4.0 * self.brightness, high),
            (48_000.0, high - 12.0),
        ]
        air = chances.noise("out", points, n_samples=n, sr=sr)
        air = air / float(np.sqrt(np.mean(air**2)))
        loud = [
            (0.0, 0.0),
            (self.attack, 1.0),
            (max(0.35 * d, 1.5 * self.attack), 0.5),
            (max(d, 2.0 * self.attack), 0.08),
        ]
        air *= shaped.curve([*loud, (2.2 * max(d, self.attack), 0.0)], n_samples=n, sr=sr)
        if self.closing > 0:
            # the lips close: from the hiss at the teeth to the noise of a small round opening
            front = shaped.curve([(0.1 * d, 1.0), (1.2 * d, 0.0)], n_samples=n, sr=sr)
            rounded = [(f / self.size, width) for f, width in ROUNDED]
            dull = voice.breath(rounded, n_samples=n, sr=sr, chances=chances, name="dull", tilt_db=-6.0)
            dull *= shaped.curve([*loud, (2.2 * max(d, self.attack), 0.0)], n_samples=n, sr=sr)
            air = air * (1.0 - self.closing * (1.0 - front)) + self.closing * (1.0 - front) * dull
        late = chances.between("late", 0.1, 0.6) * d
        fall = [(0.0, 1.2 * self.f0), (2.2 * d, chances.between("fall", 0.45, 0.8) * self.f0)]
        throat = [(f / self.size, width) for f, width in ROUNDED]
        call = voice.voiced(
            voice.track(fall, n_samples=n, sr=sr), lambda _: throat, sr=sr, tilt_db=-9.0, roughness=0.3, chances=chances
        )
        call = call / max(float(np.sqrt(np.mean(call**2))), 1e-12) * 10.0 ** (self.voice_db / 20.0)
        rise = [(0.0, 0.0), (late, 0.3), (late + 0.3 * d, 1.0), (late + 1.1 * d, 0.15), (2.2 * d, 0.0)]
        return np.asarray(air + call * shaped.curve(rise, n_samples=n, sr=sr))
