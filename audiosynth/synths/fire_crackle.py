"""A wood fire: crackles over hiss and flutter."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dice import gaussian_at
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import grains, shaped, signals

LONGEST: Final = 0.03
"""Seconds a crackle is followed."""
MAX_CRACKLES: Final = 100_000
TEMPLATES: Final = 8192
"""Samples of noise that crackles are cut from."""


class FireCrackle(Component):
    """Gas bursting out of wood, in clusters, over the hiss and flutter of flames.

    Crackles come in bursts (a Poisson process of clusters of a few), are clicks of 1 to 20 ms of broad spectrum, and their
    loudness follows a power law: many faint ones, few loud, exponent `exponent` of the cumulative count over amplitude
    (as other crackling noise [1]_). Flames themselves flutter below 200 Hz and hiss above [2]_.

    References
    ----------
    .. [1] J. P. Sethna, K. A. Dahmen, C. R. Myers, "Crackling noise", Nature 410, 2001.
    .. [2] A. Farnell, "Designing Sound", MIT Press 2010, chapter "Fire".

    Examples
    --------
    >>> FireCrackle(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "fire_crackle"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "seed": 1},
        {"duration": 0.4, "seed": 2, "crackles": 80.0, "flames_db": -10.0},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [3, 6]},
        "crackles": {"log_uniform": [4, 100]},
        "exponent": {"uniform": [0.9, 2.2]},
        "flames_db": {"uniform": [-52, -22]},
        "hiss_db": {"uniform": [-30, -2]},
        "brightness_db": {"uniform": [-5, 3]},
    }

    duration: EventDuration = 4.0
    crackles: Annotated[float, number(0, 1000, "1/s", "Crackles a second")] = 20.0
    exponent: Annotated[float, number(0.5, 4, "", "Of the power law of amplitudes; small for a few very loud ones")] = (
        1.4
    )
    flames_db: Annotated[float, number(-80, 0, "dB", "Hiss and flutter re the loudest crackle, RMS over peak")] = -28.0
    hiss_db: Annotated[float, number(-40, 40, "dB", "Hiss over flutter")] = -8.0
    brightness_db: Annotated[float, number(-12, 12, "dB/octave", "Slope of the crackles' spectrum")] = -1.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the fire, shape (1, n_samples)."""
        n, sr = self.extent(ctx.sr), ctx.sr
        chances = shaped.Chances(self.seed, "fire_crackle")
        y = self._crackling(chances, n, sr)
        peak = float(np.max(np.abs(y)))
        level = 10.0 ** (self.flames_db / 20.0) * (peak if peak > 0 else 1.0)
        return shaped.finished(y + level * self._flames(chances, n, sr), sr=sr, amplitude=self.amplitude, fade=0.02)

    def _crackling(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        leaders = chances.arrivals("clusters", self.crackles / 3.0, self.duration, most=MAX_CRACKLES // 3)
        size = 1 + (2.0 * chances.exponential("size", len(leaders))).astype(np.int64)
        starts = np.repeat(leaders, size) + 0.03 * chances.exponential("gap", int(size.sum()))
        starts = np.sort(starts[starts < self.duration - 1e-3])
        m = len(starts)
        loud = np.minimum((1.0 - chances.uniform("loud", m)) ** (-1.0 / self.exponent), 300.0)
        t60 = 0.0015 + 0.006 * chances.exponential("t60", m)
        ring = 400.0 * np.power(20.0, chances.uniform("ring", m))
        table, grain = self._noise(sr), max(1, int(np.ceil(LONGEST * sr)))
        at = (chances.uniform("cut", m) * (len(table) - grain)).astype(np.int64)

        def crackle(t: Array, which: slice) -> Array:
            hiss = table[at[which, None] + np.arange(t.shape[1])[None, :]]
            fall = 1.0 + signals.expm1(np.maximum(-6.9 * t / np.minimum(t60[which, None], LONGEST), -700.0))
            return np.asarray(loud[which, None] * fall * hiss * signals.rise(t * 5000.0))

        y = grains.scatter(starts, crackle, length=LONGEST, n_samples=n, sr=sr)
        y += grains.rings(
            starts,
            frequencies=ring,
            t60=np.minimum(t60, LONGEST),
            amplitudes=0.6 * loud,
            length=LONGEST,
            n_samples=n,
            sr=sr,
        )
        return y

    def _noise(self, sr: int) -> Array:
        y = gaussian_at(self.seed, start=0, n_samples=TEMPLATES + int(2 * LONGEST * sr), stream="fire_crackle/table")
        y = shaped.filtered(y, [(60.0, -30.0), (300.0, 0.0), (19_200.0, 6.0 * self.brightness_db)], sr=sr)
        return y / float(np.sqrt(np.mean(y * y)))

    def _flames(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        flutter = chances.noise(
            "flutter", [(8.0, -40.0), (25.0, 0.0), (90.0, -3.0), (400.0, -24.0), (4000.0, -50.0)], n_samples=n, sr=sr
        )
        hiss = chances.noise(
            "hiss", [(60.0, -40.0), (600.0, -6.0), (2500.0, 0.0), (20_000.0, -8.0)], n_samples=n, sr=sr
        )
        y = flutter / np.sqrt(np.mean(flutter**2)) + 10.0 ** (self.hiss_db / 20.0) * hiss / np.sqrt(np.mean(hiss**2))
        y = y * (1.0 + 0.2 * np.clip(chances.wander("blaze", 3.0, n_samples=n, sr=sr), -2.5, 2.5))
        return np.asarray(y / np.sqrt(np.mean(y * y)))
