"""Glass that breaks."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import grains, modal, shaped, signals

MODES: Final = 3
"""Modes that one fragment is heard by."""
RATIOS: Final = (1.0, 2.76, 5.4)
RING: Final = 0.25
"""Seconds one fragment is followed."""
RELEASE: Final = 0.1


class GlassBreak(Component):
    """The blow, the crack, and a rain of ringing fragments that thins out.

    A pane bursts within some 20 ms; fragments then hit the floor as a Poisson process whose rate falls exponentially. Small
    pieces are high and die fast: frequency goes as 1/size² for plates of one thickness, and masses of fragments follow a
    power law [1]_.

    References
    ----------
    .. [1] L. Oddershede, P. Dimon, J. Bohr, "Self-organized criticality in fragmenting", Physical Review Letters 71, 1993.

    Examples
    --------
    >>> GlassBreak(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "glass_break"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.6, "seed": 1},
        {"duration": 0.5, "n_fragments": 30, "pitch": 3500.0, "blow_db": 6.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.8, 2.5]},
        "n_fragments": {"log_uniform": [25, 300]},
        "fall": {"uniform": [0.1, 0.5]},
        "pitch": {"log_uniform": [1200, 4000]},
        "t60": {"log_uniform": [0.04, 0.2]},
        "blow_db": {"uniform": [-12, 6]},
    }

    duration: EventDuration = 1.5
    n_fragments: Annotated[float, number(1, 5000, "", "Fragments that are heard, about")] = 120.0
    fall: Annotated[float, number(0.01, 10, "s", "Time in which they become e times rarer")] = 0.25
    pitch: Annotated[float, number(300, 8000, "Hz", "Of the largest fragments")] = 2200.0
    t60: Annotated[float, number(0.005, 2, "s", "Reverberation time of the largest")] = 0.1
    blow_db: Annotated[float, number(-60, 30, "dB", "Blow and crack re the loudest fragment, about")] = -2.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the crash, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "glass_break")
        y = self._fragments(chances, n, sr)
        peak = max(float(np.max(np.abs(y))), 1e-9)
        y = y / peak + 10.0 ** (self.blow_db / 20.0) * self._blow(chances, n, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.0005, release=RELEASE)

    def _fragments(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        count = max(1, int(self.n_fragments))
        at = np.sort(0.012 + self.fall * chances.exponential("at", count))
        size = (1.0 - 0.97 * chances.uniform("size", count)) ** 0.6
        loud = size * chances.spread("loud", count, low=0.1, high=1.0)
        total = np.zeros(n)
        for k in range(MODES):
            f = self.pitch / size**0.7 * RATIOS[k] ** 0.6 * chances.spread(f"mode{k}", count, low=0.8, high=1.2)
            t60 = np.maximum(self.t60 * size * RATIOS[k] ** -0.5, 0.002)
            a = loud * chances.spread(f"loud{k}", count, low=0.2, high=1.0)
            total += grains.rings(at, frequencies=f, t60=t60, amplitudes=a, length=RING, n_samples=n, sr=sr)
        return total

    def _blow(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        pane = modal.ring(
            chances.spread("pane", 5, low=90.0, high=700.0),
            t60=0.08,
            amplitudes=chances.spread("hit", 5, low=0.2, high=0.5),
            n_samples=n,
            sr=sr,
        )
        crack = chances.noise(
            "crack",
            [(200.0, -20.0), (1500.0, 0.0), (6000.0, 2.0), (16_000.0, -6.0), (64_000.0, -30.0)],
            n_samples=n,
            sr=sr,
        )
        crack *= shaped.decay(n, sr, t60=0.09, attack=0.001) / max(float(np.sqrt(np.mean(crack**2))), 1e-12)
        return np.asarray(0.5 * pane + 0.3 * crack)
