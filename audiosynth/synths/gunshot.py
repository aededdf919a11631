"""A gunshot."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import modal, shaped, signals

RELEASE: Final = 0.1
RISE: Final = 0.00003
"""Seconds in which a shock rises, at least; longer at rates that could not carry it."""


class Gunshot(Component):
    """The blast of a muzzle, its reflection from the ground, echoes and a tail; on request the bullet's own shock.

    The blast follows Friedlander's curve, (1 - t/T)·e^(-t/T), with T of 0.5 ms (pistol) to 5 ms (large guns) [1]_; a supersonic
    bullet adds an N-wave before it [2]_. Echoes of an open place come later and duller.

    References
    ----------
    .. [1] F. G. Friedlander, "The diffraction of sound pulses", Proc. Royal Society A 186, 1946.
    .. [2] R. C. Maher, "Acoustical characterization of gunshots", IEEE SAFE 2007.

    Examples
    --------
    >>> Gunshot(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "gunshot"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.6, "seed": 1},
        {"duration": 0.5, "blast": 0.004, "shock_db": -6.0, "tail_db": -8.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.7, 2.5]},
        "blast": {"log_uniform": [0.0005, 0.004]},
        "tail_db": {"uniform": [-26, -8]},
        "t60": {"log_uniform": [0.3, 2]},
        "distance": {"log_uniform": [3, 300]},
        "shock_db": {"weighted": [[3, -60.0], [1, {"uniform": [-15, 0]}]]},
        "n_echoes": {"integers": [0, 5]},
    }

    duration: EventDuration = 1.2
    blast: Annotated[float, number(0.0002, 0.02, "s", "T of the blast: long for large guns")] = 0.001
    tail_db: Annotated[float, number(-60, 10, "dB", "Tail re the blast, RMS over peak")] = -16.0
    t60: Annotated[float, number(0.05, 20, "s", "Reverberation time of the place")] = 0.8
    distance: Annotated[float, number(0.5, 3000, "m", "How far: the air takes treble")] = 30.0
    shock_db: Annotated[float, number(-60, 20, "dB", "N-wave of the bullet re the blast; -60 for none")] = -60.0
    n_echoes: Annotated[int, number(0, 20, "", "Echoes one can tell apart")] = 2
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the shot, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "gunshot")
        y, start = np.zeros(n), min(0.02, 0.1 * self.duration)
        if self.shock_db > -60.0:
            modal.place(
                y,
                10.0 ** (self.shock_db / 20.0) * self._n_wave(sr),
                max(0.0, start - chances.between("ahead", 0.2, 1.0) * start),
                sr,
            )
        blast = self._blast(sr)
        modal.place(y, blast, start, sr)
        modal.place(y, chances.between("ground", 0.3, 0.8) * blast, start + chances.between("lag", 0.0008, 0.006), sr)
        dull = shaped.filtered(
            np.pad(blast, (0, 4 * len(blast))), [(300.0, 0.0), (3000.0, -12.0), (12_000.0, -40.0)], sr=sr
        )
        for i in range(self.n_echoes):
            modal.place(
                y, chances.between(f"echo{i}", 0.05, 0.3) * dull, start + chances.between(f"late{i}", 0.03, 0.7), sr
            )
        tail = chances.noise(
            "tail",
            [(30.0, -10.0), (150.0, 0.0), (1000.0, -4.0), (5000.0, -18.0), (96_000.0, -60.0)],
            n_samples=n,
            sr=sr,
        )
        tail *= shaped.decay(n, sr, t60=self.t60, attack=0.004) / max(float(np.sqrt(np.mean(tail**2))), 1e-12)
        modal.place(y, 10.0 ** (self.tail_db / 20.0) * tail, start + 0.002, sr)
        # ISO 9613-1 at 20 degrees and 50 %, as for the helicopter
        lost = [
            (500.0, 0.0),
            *((f, max(-70.0, -a * self.distance)) for f, a in ((1000.0, 0.005), (4000.0, 0.03), (8000.0, 0.1))),
        ]
        return shaped.finished(
            shaped.filtered(y, lost, sr=sr), sr=sr, amplitude=self.amplitude, fade=0.002, release=RELEASE
        )

    def _blast(self, sr: int) -> Array:
        t = signals.times(max(8, int(12.0 * self.blast * sr)), sr)
        u = t / self.blast
        return (1.0 - u) * (1.0 + signals.expm1(-u)) * signals.rise(t / max(RISE, 3.0 / sr))

    def _n_wave(self, sr: int) -> Array:
        length = max(0.0003, 6.0 / sr)
        t = signals.times(int(length * sr) + 2, sr)
        edge = max(RISE, 2.5 / sr)
        return (1.0 - 2.0 * t / length) * signals.rise(t / edge) * signals.rise((length - t) / edge)
