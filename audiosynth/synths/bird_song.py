"""A bird that sings."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, waves

KINDS: Final = ("up", "down", "arch", "flat", "trill", "buzz")
"""Shapes of syllables, as in the notation of songs."""
TRILL_HZ: Final = 25.0


class BirdSong(Component):
    """Phrases of whistled syllables, each repeated a few times before the next.

    Most songs of songbirds are nearly pure tones between 1.5 and 8 kHz, in syllables of 30 to 300 ms that are swept up, down or
    both, trilled or buzzed, with gaps of 20 to 150 ms [1]_. A bird draws its own small repertoire of syllables; a phrase
    repeats one, as chaffinches, great tits and song sparrows do.

    References
    ----------
    .. [1] C. K. Catchpole, P. J. B. Slater, "Bird Song: Biological Themes and Variations", Cambridge University Press 2008.

    Examples
    --------
    >>> BirdSong(n_phrases=1, seed=1).render(RenderContext(sr=16000)).shape[0]
    1
    """

    type_name: ClassVar[str] = "bird_song"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_phrases": 1, "seed": 1},
        {"f0": 2500.0, "n_phrases": 2, "repeats": 2, "syllable": 0.2, "sweep": 0.9, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "f0": {"log_uniform": [1800, 6500]},
        "n_phrases": {"integers": [1, 5]},
        "repeats": {"integers": [1, 8]},
        "syllable": {"log_uniform": [0.04, 0.25]},
        "gap": {"log_uniform": [0.02, 0.12]},
        "sweep": {"uniform": [0.1, 1.0]},
        "partial_db": {"uniform": [-50, -18]},
    }

    f0: Annotated[float, number(500, 12_000, "Hz", "Middle of the range")] = 3800.0
    n_phrases: Annotated[int, number(1, 50, "", "Number of phrases")] = 3
    repeats: Annotated[int, number(1, 50, "", "Syllables of a phrase")] = 4
    syllable: Annotated[float, number(0.02, 1, "s", "Length of a syllable")] = 0.09
    gap: Annotated[float, number(0.005, 1, "s", "Between syllables; between phrases three times as long")] = 0.05
    sweep: Annotated[float, number(0, 2, "octaves", "How far a syllable sweeps")] = 0.5
    partial_db: Annotated[float, number(-90, 0, "dB", "Second partial re the first")] = -30.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self._plan()[-1][1] + self._plan()[-1][2], sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the song, shape (1, n_samples)."""
        sr, y = ctx.sr, np.zeros(self.extent(ctx.sr))
        for phrase, start, length in self._plan():
            sound, first = self._syllable(phrase, length, sr), seconds_to_samples(start, sr)
            y[first : first + len(sound)] += sound[: len(y) - first]
        return shaped.finished(y, sr=sr, amplitude=self.amplitude)

    def _plan(self) -> list[tuple[int, float, float]]:
        """Return (phrase, start, length) of every syllable."""
        chances = shaped.Chances(self.seed, "bird_song")
        stretch = chances.spread("stretch", self.n_phrases, low=0.6, high=1.6)
        out, start = [], 0.0
        for phrase in range(self.n_phrases):
            length = round(max(0.015, self.syllable * float(stretch[phrase])), 6)
            for _ in range(self.repeats):
                out.append((phrase, round(start, 6), length))
                start += length + self.gap
            start += 2.0 * self.gap
        return out

    def _syllable(self, phrase: int, length: float, sr: int) -> Array:
        chances = shaped.Chances(self.seed, f"bird_song/{phrase}")
        n = max(2, seconds_to_samples(length, sr))
        kind = KINDS[int(chances.between("kind", 0, len(KINDS)))]
        middle = float(np.log2(self.f0)) + chances.between("pitch", -0.35, 0.35)
        u = (signals.times(n, sr) + 0.5 / sr) / length
        half = 0.5 * self.sweep * chances.between("sweep", 0.4, 1.0)
        shape = {"up": 2.0 * u - 1.0, "down": 1.0 - 2.0 * u, "arch": 1.0 - 2.0 * (2.0 * u - 1.0) ** 2}.get(
            kind, np.zeros(n)
        )
        if kind == "trill":
            shape = signals.sine(TRILL_HZ * chances.between("rate", 0.7, 1.6) * signals.times(n, sr))
        f = np.minimum(np.power(2.0, middle + half * shape), 2.0 * waves.GONE * sr)
        cycles = signals.accumulated(f, sr)
        y = waves.taper(f, sr) * signals.sine(cycles)
        y += 10.0 ** (self.partial_db / 20.0) * waves.taper(2.0 * f, sr) * signals.sine(2.0 * cycles)
        if kind == "buzz":
            y = y * (0.5 + 0.5 * signals.sine(90.0 * signals.times(n, sr)))
        edge = min(0.012, 0.3 * length)
        loud = [(0.0, 0.0), (edge, chances.between("first", 0.5, 1.0)), (length - edge, 1.0), (length, 0.0)]
        return np.asarray(chances.between("level", 0.5, 1.0) * y * shaped.curve(loud, n_samples=n, sr=sr))
