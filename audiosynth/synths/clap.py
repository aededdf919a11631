"""Hands that clap: one pair, or an audience."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dice import gaussian_at
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import grains, shaped, signals, waves

CLAP: Final = 0.05
"""Seconds a clap is followed."""
MAX_CLAPS: Final = 50_000
TABLE: Final = 16_384


class Clap(Component):
    """Claps: short bursts around a resonance of the air between the hands.

    Hands held parallel give a peak near 700 to 1500 Hz, cupped ones lower, fingers on a palm higher and sharper; single people
    clap about four times a second, between 2 and 5 [1]_. Several people keep their own hands, tempo and distance.

    References
    ----------
    .. [1] B. H. Repp, "The sound of two hands clapping: an exploratory study", J. Acoust. Soc. Am. 81, 1987.

    Examples
    --------
    >>> Clap(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "clap"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.8, "seed": 1},
        {"duration": 0.6, "n_people": 40, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [1, 5]},
        "n_people": {"weighted": [[3, 1], [1, {"integers": [2, 8]}], [2, {"log_uniform": [10, 200]}]]},
        "rate": {"truncnorm": [4.0, 0.6, 2.2, 6.0]},
        "resonance": {"log_uniform": [500, 2200]},
        "t60": {"log_uniform": [0.008, 0.04]},
    }

    duration: EventDuration = 2.0
    n_people: Annotated[float, number(1, 1000, "", "People who clap; rounded down")] = 1.0
    rate: Annotated[float, number(0.5, 12, "Hz", "Claps a second of each, on average")] = 4.0
    resonance: Annotated[float, number(200, 5000, "Hz", "Of the air between the hands")] = 1100.0
    t60: Annotated[float, number(0.003, 0.3, "s", "Reverberation time of a clap")] = 0.02
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the clapping, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "clap")
        people = int(self.n_people)
        each = min(int(self.duration * self.rate * 1.25) + 2, max(1, MAX_CLAPS // people))
        period = 1.0 / (self.rate * chances.spread("rate", people, low=0.8, high=1.2))
        beats = np.arange(each) + 0.12 * (chances.uniform("late", people * each).reshape(people, each) - 0.5)
        start = chances.uniform("start", people) * (np.arange(people) > 0)
        times = (period[:, None] * (beats + start[:, None])).ravel()
        times[0] = 0.0
        who = np.repeat(np.arange(people), each)
        kept = np.flatnonzero((times >= 0.0) & (times < self.duration - 1e-3))
        kept = kept[np.argsort(times[kept], kind="stable")]
        at, who = times[kept], who[kept]
        near = np.concatenate([[1.0], chances.spread("near", max(1, people - 1), low=0.05, high=0.6)])[:people]
        loud = near[who] * chances.spread("loud", people * each, low=0.6, high=1.0)[kept]
        tone = (self.resonance * chances.spread("hands", people, low=0.6, high=1.6))[who]
        table, size = self._table(sr), max(1, int(np.ceil(CLAP * sr)))
        cut = (chances.uniform("cut", people * each)[kept] * (len(table) - size)).astype(np.int64)
        t60, heard = np.full(len(at), self.t60), waves.taper(tone, sr)

        def clap(t: Array, which: slice) -> Array:
            hiss = table[cut[which, None] + np.arange(t.shape[1])[None, :]]
            fall = 1.0 + signals.expm1(np.maximum(-6.9 / self.t60 * t, -700.0))
            body = heard[which, None] * grains.damped(t, frequency=tone[which], t60=2.0 * t60[which])
            edges = signals.rise(t * 2500.0) * signals.rise((CLAP - t) * 100.0)
            return np.asarray(loud[which, None] * (0.6 * fall * hiss + body) * edges)

        return shaped.finished(
            grains.scatter(at, clap, length=CLAP, n_samples=n, sr=sr), sr=sr, amplitude=self.amplitude, fade=0.001
        )

    def _table(self, sr: int) -> Array:
        y = gaussian_at(self.seed, start=0, n_samples=TABLE + int(2 * CLAP * sr), stream="clap/table")
        y = shaped.filtered(y, [(100.0, -30.0), (500.0, -6.0), (1800.0, 0.0), (6000.0, -6.0), (24_000.0, -24.0)], sr=sr)
        return y / float(np.sqrt(np.mean(y * y)))
