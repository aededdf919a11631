"""The sea at a shore: waves that rise, break and run out; version 1, as rows of old manifests have it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals

BANDS: Final = ((0.0, 0.10, 1.0), (0.08, 0.07, 0.7), (0.14, 0.05, 0.45))
"""Of the low, middle and high part of a breaking wave: when it peaks after the low one, its rise and its fall, in periods."""
JITTER: Final = 0.3
"""Spread of periods and heights from wave to wave, relative."""


class SeaWaves(Component):
    """Breaking waves over a steady surf.

    Noise in three overlapping bands; with every wave the low band swells first, the middle and high ones follow as it breaks,
    and the hiss of the foam dies before the rumble. Swell has periods of 4 to 15 s [1]_; the spectrum of surf falls by
    `slope_db` per octave above some 200 Hz [2]_.

    References
    ----------
    .. [1] W. H. Munk, "Origin and generation of waves", Proc. 1st Conf. Coastal Engineering, 1950.
    .. [2] G. B. Deane, "Sound generation and air entrainment by breaking waves in the surf zone", J. Acoust. Soc. Am. 102, 1997.

    Examples
    --------
    >>> SeaWaves(duration=2.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 32000)
    """

    type_name: ClassVar[str] = "sea_waves"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.0, "seed": 1},
        {"duration": 0.8, "seed": 2, "period": 4.0, "swell_db": 20.0, "slope_db": -6.0},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [4, 8]},
        "period": {"uniform": [3, 12]},
        "swell_db": {"uniform": [3, 18]},
        "slope_db": {"uniform": [-9, -2.5]},
        "knee": {"log_uniform": [100, 1500]},
        "foam_db": {"uniform": [-10, 6]},
        "air_db": {"uniform": [0, 1.5]},
    }

    duration: EventDuration = 6.0
    period: Annotated[float, number(1, 30, "s", "From wave to wave, on average")] = 6.0
    swell_db: Annotated[float, number(0, 40, "dB", "Breaking waves over the steady surf")] = 10.0
    slope_db: Annotated[float, number(-12, 0, "dB/octave", "Slope above the knee")] = -4.5
    knee: Annotated[float, number(30, 4000, "Hz", "Below it the spectrum is flat")] = 200.0
    foam_db: Annotated[float, number(-40, 20, "dB", "Hiss above 2 kHz over what the slope gives")] = -3.0
    air_db: Annotated[float, number(0, 6, "dB", "How much moving air makes it waver, at 4 kHz")] = 1.5
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the waves, shape (1, n_samples)."""
        n, sr = self.extent(ctx.sr), ctx.sr
        chances = shaped.Chances(self.seed, "sea_waves")
        slopes = [
            (f, self.slope_db * max(0.0, float(np.log2(f / self.knee)))) for f in np.geomspace(40, 48_000, 24).tolist()
        ]
        splits = ((0.0, 500.0), (500.0, 2000.0), (2000.0, 96_000.0))
        parts = chances.bands("surf", [_part(slopes, *band) for band in splits], n_samples=n, sr=sr)
        parts[2] *= 10.0 ** (self.foam_db / 20.0)
        y = np.zeros(n)
        for part, band in zip(parts, BANDS, strict=True):
            swell = self._swell(chances, n, sr, *band)
            y += part * (10.0 ** (-self.swell_db / 20.0) + (1.0 - 10.0 ** (-self.swell_db / 20.0)) * swell)
        y = shaped.unsteady(y, chances, depth_db=self.air_db, rate=2.0, sr=sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.05)

    def _swell(self, chances: shaped.Chances, n: int, sr: int, late: float, rise: float, fall: float) -> Array:
        """Return the envelope of the waves in one band, near 1 where a high one breaks."""
        n_waves = int(self.duration / (self.period * (1.0 - JITTER))) + 4
        gaps = self.period * (1.0 + chances.spread("gaps", n_waves, low=-JITTER, high=JITTER))
        heights = 1.0 - chances.spread("heights", n_waves, low=0.0, high=2.0 * JITTER)
        crests = np.cumsum(gaps) - self.period * (1.5 + chances.between("phase", 0.0, 1.0))
        t = signals.times(n, sr)
        out = np.zeros(n)
        for at, height in zip(crests.tolist(), heights.tolist(), strict=True):
            u = (t - at) / self.period - late
            up = 1.0 + signals.expm1(-0.5 * np.minimum((u / (2.0 * rise)) ** 2, 600.0))
            down = 1.0 + signals.expm1(-np.clip(u / (0.35 * fall), 0.0, 600.0))
            out = np.maximum(out, height * np.where(u < 0.0, up, down))
        return out


def _part(points: shaped.Points, low: float, high: float) -> list[tuple[float, float]]:
    """Return a spectrum within a band, 24 dB per octave beyond it."""
    out = []
    for f, level in points:
        beyond = max(0.0, float(np.log2(max(low, 1.0) / f)) if low else 0.0, float(np.log2(f / high)))
        out.append((f, level - 24.0 * beyond))
    return [(15.0, out[0][1] - 30.0), *out]
