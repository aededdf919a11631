"""Clap as it was in version 1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from audiosynth import grains, shaped, signals
from audiosynth.clip import Array, RenderContext
from audiosynth.synths.clap import CLAP, MAX_CLAPS, Clap


class ClapV1(Clap):
    """Version 1: hands that rang above 0.4 of the rate stood at it, and long claps were cut."""

    version: ClassVar[int] = 1

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
        tone = np.minimum(self.resonance * chances.spread("hands", people, low=0.6, high=1.6), 0.4 * sr)[who]
        table, size = self._table(sr), max(1, int(np.ceil(CLAP * sr)))
        cut = (chances.uniform("cut", people * each)[kept] * (len(table) - size)).astype(np.int64)
        t60 = np.full(len(at), self.t60)

        def clap(t: Array, which: slice) -> Array:
            hiss = table[cut[which, None] + np.arange(t.shape[1])[None, :]]
            fall = 1.0 + signals.expm1(np.maximum(-6.9 / self.t60 * t, -700.0))
            body = grains.damped(t, frequency=tone[which], t60=2.0 * t60[which])
            return np.asarray(loud[which, None] * (0.6 * fall * hiss + body) * signals.rise(t * 2500.0))

        return shaped.finished(
            grains.scatter(at, clap, length=CLAP, n_samples=n, sr=sr), sr=sr, amplitude=self.amplitude, fade=0.001
        )
