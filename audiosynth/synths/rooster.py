"""A rooster that crows."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, voice

SYLLABLES: Final = ((0.16, 0.62, 0.75, 0.06), (0.13, 0.78, 0.9, 0.04), (0.3, 0.95, 1.0, 0.03), (1.0, 1.0, 0.8, 0.0))
"""Of "cock-a-doodle-doo": length in units of `length`/1.7, start and end pitch re f0, pause after it in the same units."""
UNITS: Final = sum(length + pause for length, _, _, pause in SYLLABLES)
PITCHES: Final = 0.4
"""Octaves by which a syllable of full variety is higher or lower."""
THROAT: Final = ((950.0, 200.0), (2300.0, 350.0), (3900.0, 600.0), (6500.0, 1200.0))
"""Resonances of the trachea and open beak, F and bandwidth in Hz."""


class Rooster(Component):
    """Crowing, "cock-a-doodle-doo": three short syllables that climb and a long one that falls.

    A crow lasts 1 to 3 s and its long last syllable rings at 400 to 1000 Hz, many partials strong up to 5 kHz [1]_; bantams
    crow higher and shorter, long-crowers hold the last syllable. Cocks differ in how long and how high each syllable is
    (`variety`), and in how far the last one falls (`fall`).

    References
    ----------
    .. [1] N. E. Collias, E. C. Collias, "A field study of the red jungle fowl in north-central India", The Condor 69, 1967:
       spectrograms of crows.

    Examples
    --------
    >>> Rooster(length=1.5, seed=1).render(RenderContext(sr=16000)).shape
    (1, 24000)
    """

    type_name: ClassVar[str] = "rooster"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"length": 1.0, "seed": 1},
        {"f0": 900.0, "length": 0.8, "roughness": 0.8, "seed": 2},
        {"length": 1.2, "variety": 1.0, "fall": 0.5, "seed": 3},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "f0": {"log_uniform": [420, 1000]},
        "length": {"uniform": [1.3, 2.8]},
        "hold": {"uniform": [0.8, 1.6]},
        "roughness": {"beta": [1, 3]},
        "size": {"log_uniform": [0.55, 1.3]},
        "tilt_db": {"uniform": [-11, 2]},
        "variety": {"uniform": [0, 1]},
        "fall": {"uniform": [0.5, 1.0]},
    }

    f0: Annotated[float, number(250, 2000, "Hz", "Fundamental of the last syllable, at its start")] = 650.0
    length: Annotated[float, number(0.5, 8, "s", "Length of the whole crow")] = 1.9
    hold: Annotated[float, number(0.3, 4, "", "Length of the last syllable, 1 for the usual share")] = 1.0
    roughness: Annotated[float, number(0, 1, "", "How hoarse it is")] = 0.25
    size: Annotated[float, number(0.5, 2, "", "Length of the trachea, 1 for a cock of 3 kg")] = 1.0
    tilt_db: Annotated[float, number(-18, 3, "dB/octave", "Slope of the voice's spectrum")] = -4.0
    variety: Annotated[float, number(0, 1, "", "How far its syllables are from the usual ones")] = 0.0
    fall: Annotated[float, number(0.2, 1.5, "", "Pitch at the end of the last syllable re f0")] = SYLLABLES[3][2]
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.length, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the crow, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "rooster")
        points, loud = self._contours(chances)
        f0 = voice.track(points, n_samples=n, sr=sr) * (1.0 + 0.006 * chances.wander("tremor", 8.0, n_samples=n, sr=sr))
        throat = [(f / self.size, width / self.size) for f, width in THROAT]
        envelope = shaped.curve(loud, n_samples=n, sr=sr)
        effort = np.clip(envelope + 0.15 * chances.wander("effort", 4.0, n_samples=n, sr=sr), 0.0, 1.0)
        y = voice.voiced(
            f0, lambda _: throat, sr=sr, tilt_db=self.tilt_db, roughness=self.roughness, chances=chances, effort=effort
        )
        air = voice.breath(throat, n_samples=n, sr=sr, chances=chances) * float(np.sqrt(np.mean(y * y)))
        y = (y + (0.03 + 0.35 * self.roughness) * air) * envelope
        return shaped.finished(y, sr=sr, amplitude=self.amplitude)

    def _contours(self, chances: shaped.Chances) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return the pitch and the loudness over time."""
        own = np.exp2(self.variety * chances.spread("own", 12, low=-1.0, high=1.0)).reshape(3, 4)
        shares = [
            (d * (self.hold if i == 3 else 1.0) * own[0, i], gap * own[1, i])
            for i, (d, _, _, gap) in enumerate(SYLLABLES)
        ]
        unit = self.length / sum(d + gap for d, gap in shares)
        pitch: list[tuple[float, float]] = []
        loud: list[tuple[float, float]] = []
        start = 0.0
        for i, (d, gap) in enumerate(shares):
            a, b = SYLLABLES[i][1], self.fall if i == 3 else SYLLABLES[i][2]
            if i < 3:
                higher = float(own[2, i]) ** PITCHES
                a, b = a * higher, b * higher
            wobble = chances.spread(f"pitch{i}", 2, low=0.9, high=1.08)
            end, edge = start + d * unit, min(0.04, 0.25 * d * unit)
            level = (0.25, 0.35, 0.8, 1.0)[i] * chances.between(f"level{i}", 0.7, 1.0)
            pitch += [(start, self.f0 * a * wobble[0]), (start + 0.3 * d * unit, self.f0 * max(a, b) * wobble[0])]
            pitch += [(end, self.f0 * b * wobble[1])]
            loud += [
                (start, 0.02),
                (start + edge, level),
                (end - (0.45 * d * unit if i == 3 else edge), 0.85 * level),
                (end, 0.02),
            ]
            start = end + gap * unit
        return _apart(pitch), [*_apart(loud)[:-1], (self.length, 0.0)]


def _apart(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points with times that rise."""
    out: list[tuple[float, float]] = []
    for t, value in points:
        out.append((max(t, out[-1][0] + 1e-6) if out else t, value))
    return out
