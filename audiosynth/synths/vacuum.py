"""A vacuum cleaner."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import engines, shaped, signals, voice, waves

RUN_UP: Final = 0.7
"""Seconds in which the motor comes to speed."""


class Vacuum(Component):
    """A fast motor with its fan, and rushing air.

    Motors turn at 300 to 700 revolutions a second; the fan's blades give a tone at blades times that, mostly 2 to 6 kHz [1]_.
    Air noise is broad, 200 Hz to 8 kHz. With `run_up` the motor starts and stops within the sound.

    References
    ----------
    .. [1] A. Brungart, T. E. Lauchle, "Modifying a vacuum cleaner for the reduction of radiated noise", Noise Control Eng. J.
       49, 2001.

    Examples
    --------
    >>> Vacuum(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "vacuum"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "seed": 1},
        {"duration": 2.0, "run_up": True, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [3, 7]},
        "speed": {"log_uniform": [250, 700]},
        "n_blades": {"integers": [5, 11]},
        "tone_db": {"uniform": [-20, 3]},
        "centre": {"log_uniform": [400, 3000]},
        "strokes_db": {"uniform": [0, 4]},
        "run_up": {"choice": [True, False, False]},
    }

    duration: EventDuration = 4.0
    speed: Annotated[float, number(50, 1500, "Hz", "Revolutions of the motor a second")] = 450.0
    n_blades: Annotated[int, number(1, 40, "", "Blades of the fan")] = 7
    tone_db: Annotated[float, number(-60, 20, "dB", "Motor and fan tones re the air")] = -8.0
    centre: Annotated[float, number(100, 8000, "Hz", "Where the air is loudest")] = 1000.0
    strokes_db: Annotated[
        float, number(0, 12, "dB", "Changes while it is pushed over the floor, standard deviation")
    ] = 1.5
    run_up: bool = Field(False, description="Whether the motor starts and stops within the sound")
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the cleaner, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "vacuum")
        strokes = chances.wander("strokes", 0.6, n_samples=n, sr=sr)
        ramp = np.ones(n)
        if self.run_up:
            d = min(RUN_UP, 0.3 * self.duration)
            ends = [(0.0, 0.02), (d, 1.0), (self.duration - d, 1.0), (self.duration, 0.02)]
            ramp = shaped.curve(ends, n_samples=n, sr=sr)
        revs = self.speed * ramp * (1.0 + 0.01 * np.clip(strokes, -3, 3))
        weights = np.power(10.0, chances.spread("partials", 40, low=-24.0, high=0.0) / 20.0)
        weights[self.n_blades - 1] = 2.0
        tone = waves.moving(
            revs, lambda f, _: voice.tract(f, [(2500.0, 1500.0)], tilt_db=-4.0), sr=sr, n_partials=40, weights=weights
        )
        slope = [
            (30.0, -40.0),
            (150.0, -12.0),
            (self.centre, 0.0),
            (4.0 * self.centre, -5.0),
            (10_000.0 + 4.0 * self.centre, -20.0),
        ]
        air = engines.unit(chances.noise("air", slope, n_samples=n, sr=sr)) * np.power(
            10.0, self.strokes_db / 20.0 * strokes
        )
        y = (air + 10.0 ** (self.tone_db / 20.0) * engines.unit(tone)) * ramp**1.5
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.03)
