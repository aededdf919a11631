"""A church bell or hand bell."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import modal, shaped, signals

PARTIALS: Final = (
    (0.5, 0.5, 1.0), (1.0, 0.7, 0.55), (1.2, 1.0, 0.4), (1.5, 0.4, 0.25), (2.0, 1.0, 0.2), (2.5, 0.4, 0.12), (2.667, 0.35, 0.11),
    (3.0, 0.5, 0.1), (4.0, 0.4, 0.06), (5.33, 0.25, 0.04), (6.67, 0.15, 0.03),
)  # fmt: skip
"""Hum, prime, tierce, quint, nominal, deciem, undeciem, duodeciem, double octave and above: ratio to the prime, amplitude, share
of the hum's reverberation time."""

RELEASE: Final = 0.15
"""Seconds in which what still rings at the end dies away."""


class Bell(Component):
    """A struck bell: hum, prime, minor third, fifth, nominal and more, each with its own decay, in beating pairs.

    The ratios are those of an ideal minor-third bell, 0.5, 1, 1.2, 1.5, 2, 2.5, … of the prime [1]_; real ones are off by up to
    `mistuning`. A bell is never quite round, so each partial is a pair a fraction of a hertz apart, and beats.

    References
    ----------
    .. [1] N. H. Fletcher, T. D. Rossing, "The Physics of Musical Instruments", Springer 1998, chapter 21.

    Examples
    --------
    >>> Bell(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "bell"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.6, "seed": 1},
        {"duration": 0.5, "f0": 1500.0, "t60": 1.5, "hammer": 0.0002, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [2, 6]},
        "f0": {"log_uniform": [180, 1600]},
        "t60": {"log_uniform": [2, 15]},
        "hammer": {"log_uniform": [0.0002, 0.0015]},
        "mistuning": {"uniform": [0, 0.02]},
        "warble": {"uniform": [0.2, 3]},
    }

    duration: EventDuration = 4.0
    f0: Annotated[float, number(50, 6000, "Hz", "Frequency of the prime")] = 440.0
    t60: Annotated[float, number(0.1, 60, "s", "Reverberation time of the hum")] = 8.0
    hammer: Annotated[float, number(0.00005, 0.01, "s", "How long the clapper touches: soft ones longer")] = 0.0006
    mistuning: Annotated[float, number(0, 0.1, "", "Relative error of the partials")] = 0.005
    warble: Annotated[float, number(0, 10, "Hz", "Beats of the pairs, at most")] = 1.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the stroke, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "bell")
        ratio, loud, share = (np.array(column) for column in zip(*PARTIALS, strict=True))
        m = len(ratio)
        f = self.f0 * ratio * (1.0 + chances.spread("tuning", m, low=-self.mistuning, high=self.mistuning))
        apart = chances.spread("warble", m, low=0.1, high=1.0) * self.warble * 0.5
        a = loud * chances.spread("loud", m, low=0.5, high=1.0) * modal.contact(f, self.hammer)
        pair = chances.spread("pair", m, low=0.1, high=0.6)
        y = modal.ring(
            np.concatenate([f - apart, f + apart]), t60=np.tile(self.t60 * share, 2), amplitudes=np.concatenate([a, a * pair]),
            phases=np.concatenate([np.zeros(m), chances.uniform("phase", m)]), n_samples=n, sr=sr,
        )  # fmt: skip
        return shaped.finished(
            y * signals.rise(signals.times(n, sr) / 0.001), sr=sr, amplitude=self.amplitude, fade=0.001
        )
