"""A drum: kick, snare, hat, tom."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import modal, shaped, signals, waves

MEMBRANE: Final = (1.0, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501, 3.6, 3.652, 4.06, 4.154)
"""Modes of an ideal circular membrane: zeros of Bessel functions over 2.405 (Fletcher and Rossing 1998, chapter 3)."""
RELEASE: Final = 0.05


class Drum(Component):
    """One stroke of a kick, snare or tom, or of a hi-hat.

    Membranes ring in the modes 1 : 1.594 : 2.136 : 2.296 …, pitch falling a little as the tension relaxes; a snare adds its
    wires' rattle (noise above 1 kHz), a kick the click of the beater; a hat is a dense crowd of plate modes with noise.

    Examples
    --------
    >>> Drum(duration=0.5, kind="snare", seed=1).render(RenderContext(sr=16000)).shape
    (1, 8000)
    """

    type_name: ClassVar[str] = "drum"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "seed": 1},
        {"duration": 0.4, "kind": "snare", "f0": 190.0, "t60": 0.25, "seed": 2},
        {"duration": 0.3, "kind": "hat", "f0": 400.0, "t60": 0.08, "seed": 3},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.4, 1.2]},
        "kind": {"choice": ["kick", "snare", "hat", "tom"]},
        "f0": {"log_uniform": [50, 260]},
        "t60": {"log_uniform": [0.15, 1.2]},
        "bend": {"uniform": [0, 0.6]},
        "snap_db": {"uniform": [-18, 3]},
    }

    duration: EventDuration = 0.6
    kind: Annotated[Literal["kick", "snare", "hat", "tom"], Field(description="Which drum")] = "kick"
    f0: Annotated[float, number(25, 1000, "Hz", "Lowest mode; of a hat a tenth of its crowd's middle")] = 60.0
    t60: Annotated[float, number(0.02, 5, "s", "Reverberation time of the lowest mode")] = 0.4
    bend: Annotated[float, number(0, 2, "octaves", "How much higher it starts")] = 0.3
    snap_db: Annotated[float, number(-60, 20, "dB", "Beater, stick or wires re the membrane")] = -6.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the stroke, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "drum")
        y = self._hat(chances, n, sr) if self.kind == "hat" else self._membrane(chances, n, sr)
        snap = {"kick": (1500.0, 0.02), "snare": (3500.0, 0.22), "hat": (8000.0, self.t60), "tom": (900.0, 0.04)}[
            self.kind
        ]
        hiss = chances.noise(
            "snap",
            [(60.0, -40.0), (0.4 * snap[0], -10.0), (snap[0], 0.0), (4.0 * snap[0], -9.0), (96_000.0, -40.0)],
            n_samples=n,
            sr=sr,
        )
        hiss *= shaped.decay(n, sr, t60=snap[1], attack=0.0006) / max(float(np.sqrt(np.mean(hiss**2))), 1e-12)
        return shaped.finished(
            y + 10.0 ** (self.snap_db / 20.0) * hiss, sr=sr, amplitude=self.amplitude, fade=0.0008, release=RELEASE
        )

    def _membrane(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        """Return the modes, all bent alike, the higher the shorter."""
        m = 1 if self.kind == "kick" else len(MEMBRANE)
        loud = chances.spread("where", m, low=0.15, high=1.0) / np.arange(1, m + 1) ** 0.5
        loud[0] = 1.0
        t = signals.times(n, sr)
        bend = 1.0 + (2.0**self.bend - 1.0) * (1.0 + signals.expm1(np.maximum(-t / 0.03, -700.0)))
        cycles = signals.accumulated(self.f0 * bend, sr)
        y = np.zeros(n)
        for ratio, a in zip(MEMBRANE[:m], loud.tolist(), strict=True):
            high = float(waves.taper(self.f0 * ratio * 2.0**self.bend, sr))
            if high > 0.0:
                y += high * a * shaped.decay(n, sr, t60=self.t60 * ratio**-0.8) * signals.sine(ratio * cycles)
        return y * signals.rise(t / 0.002)

    def _hat(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        f = 10.0 * self.f0 * np.power(2.0, chances.spread("modes", 48, low=-1.0, high=2.0))
        return 0.3 * modal.ring(
            f,
            t60=self.t60 * chances.spread("t60", 48, low=0.4, high=1.0),
            amplitudes=chances.uniform("loud", 48),
            phases=chances.uniform("phase", 48),
            n_samples=n,
            sr=sr,
        )
