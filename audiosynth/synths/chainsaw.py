"""A chainsaw: idling, revving, cutting."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import engines, shaped, signals

MISFIRES: Final = 12.0
"""How quickly a two-stroke changes between good explosions and bad ones: about every tenth at full speed, in Hz."""
TOOTH: Final = 7.0
"""Drive links that pass for each revolution of the sprocket."""


class Chainsaw(Component):
    """A single-cylinder two-stroke with a small silencer, and its chain.

    It fires every revolution: 45 Hz at an idle of 2,700 rpm, 150 to 230 Hz at 9,000 to 14,000 rpm, with dozens of strong
    partials. In wood the speed falls and the saw sounds fuller (`cutting`); the chain adds noise in step with its teeth.
    `rpm` lists speeds evenly spaced over the sound.

    Examples
    --------
    >>> Chainsaw(duration=1.0, rpm=(2700.0, 9500.0), seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "chainsaw"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "seed": 1},
        {"duration": 0.4, "rpm": [2800.0, 12_000.0, 6000.0], "cutting": 1.0, "noise_db": 0.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [4, 7]},
        "rpm": {
            "choice": [
                [{"uniform": [6000, 11_000]}, {"uniform": [6000, 11_000]}, {"uniform": [5000, 11_000]}],
                [{"uniform": [2400, 3300]}, {"uniform": [8000, 13_000]}, {"uniform": [2600, 9000]}, {"uniform": [8000, 12_000]}],
                [{"uniform": [2400, 3300]}, {"uniform": [2400, 3300]}, {"uniform": [7000, 12_000]}, {"uniform": [7000, 12_000]}, {"uniform": [3000, 9000]}],
                [{"uniform": [2400, 3300]}, {"uniform": [5000, 9000]}, {"uniform": [2400, 3300]}, {"uniform": [6000, 10_000]}, {"uniform": [2400, 4000]}, {"uniform": [6000, 11_000]}],
                [{"uniform": [7000, 10_000]}, {"uniform": [4000, 7000]}, {"uniform": [7000, 10_000]}, {"uniform": [4000, 7000]}],
            ]
        },
        "cutting": {"uniform": [0, 1]},
        "pipe": {"log_uniform": [180, 600]},
        "noise_db": {"uniform": [-16, 4]},
        "tilt_db": {"uniform": [-8, -3]},
        "misfire_db": {"uniform": [0, 4]},
        "air_db": {"uniform": [0, 2.5]},
    }  # fmt: skip

    duration: EventDuration = 5.0
    rpm: Annotated[
        tuple[Annotated[float, Field(ge=1000, le=20_000)], ...],
        Field(
            strict=False, min_length=1, max_length=64, description="Revolutions a minute, evenly spaced over the sound"
        ),
    ] = (2700.0, 9500.0, 9500.0)
    cutting: Annotated[float, number(0, 1, "", "How deep in wood: unsteady speed, noise of the teeth")] = 0.4
    pipe: Annotated[float, number(80, 2000, "Hz", "Resonance of the silencer")] = 320.0
    noise_db: Annotated[float, number(-60, 20, "dB", "Noise re the tonal part")] = -4.0
    tilt_db: Annotated[float, number(-18, 0, "dB/octave", "Slope of the tonal part")] = -5.0
    misfire_db: Annotated[float, number(0, 6, "dB", "How uneven the explosions are, over each octave")] = 0.0
    air_db: Annotated[float, number(0, 6, "dB", "How much moving air makes it waver, at 4 kHz")] = 1.5
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the saw, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "chainsaw")
        revs = engines.speed(self.rpm, n_samples=n, sr=sr, chances=chances, unsteady=0.006 + 0.02 * self.cutting)
        resonances = [(self.pipe, 0.5 * self.pipe), (3.2 * self.pipe, 1.2 * self.pipe), (3800.0, 1800.0)]
        tone = engines.combustion(
            revs,
            n_cylinders=1,
            strokes=2,
            resonances=resonances,
            tilt_db=self.tilt_db,
            uneven_db=0.0,
            sr=sr,
            chances=chances,
        )
        hiss = [(40.0, -30.0), (300.0, -6.0), (2500.0, 0.0), (6000.0, -3.0), (16_000.0, -16.0), (48_000.0, -40.0)]
        noise = engines.unit(chances.noise("hiss", hiss, n_samples=n, sr=sr))
        chain = engines.pulsing(np.minimum(revs * TOOTH, 0.2 * sr), sr=sr, sharpness=2)
        noise = noise * (0.4 + engines.pulsing(revs, sr=sr, sharpness=6) + self.cutting * chain)
        y = (tone + 10.0 ** (self.noise_db / 20.0) * noise) * engines.loudness(revs)
        y = shaped.unsteady(y, chances, depth_db=self.misfire_db, rate=MISFIRES, sr=sr, growth=0.0, name="misfire")
        y = shaped.unsteady(y, chances, depth_db=self.air_db, rate=2.5, sr=sr)
        bite = np.clip(chances.wander("bite", 4.0, n_samples=n, sr=sr), -2.0, 2.0)
        return shaped.finished(y * (1.0 + 0.25 * self.cutting * bite), sr=sr, amplitude=self.amplitude, fade=0.03)
