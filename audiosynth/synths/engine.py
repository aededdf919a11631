"""A combustion engine, its speed over time."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import engines, shaped, signals


class Engine(Component):
    """A piston engine heard from outside: firing, exhaust resonances, intake and valve noise.

    A four-stroke engine with n cylinders fires n/2 times a revolution: four cylinders at 900 rpm give 30 Hz. `rpm` lists
    speeds evenly spaced over the sound; between them the speed moves smoothly.

    Examples
    --------
    >>> Engine(duration=1.0, rpm=(900.0, 3000.0), seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "engine"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "seed": 1},
        {"duration": 0.4, "rpm": [4000.0, 7000.0], "n_cylinders": 1, "strokes": 2, "load": 1.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [3, 6]},
        "rpm": {
            "choice": [
                [{"uniform": [650, 1100]}],
                [{"uniform": [700, 1000]}, {"uniform": [1500, 4500]}, {"uniform": [800, 2000]}],
                [{"uniform": [1200, 4000]}, {"uniform": [1200, 4000]}],
                [{"uniform": [800, 1500]}, {"uniform": [3000, 6000]}],
            ]
        },
        "n_cylinders": {"weighted": [[1, 1], [1, 2], [1, 3], [4, 4], [2, 6], [1, 8]]},
        "load": {"uniform": [0.1, 1]},
        "pipe": {"uniform": [60, 180]},
        "uneven_db": {"uniform": [-18, -4]},
        "noise_db": {"uniform": [-18, 0]},
    }

    duration: EventDuration = 4.0
    rpm: Annotated[
        tuple[Annotated[float, Field(ge=100, le=20_000)], ...],
        Field(
            strict=False, min_length=1, max_length=64, description="Revolutions a minute, evenly spaced over the sound"
        ),
    ] = (850.0,)
    n_cylinders: Annotated[int, number(1, 16, "", "Number of cylinders")] = 4
    strokes: Annotated[
        int, Field(ge=2, le=4, multiple_of=2, description="Strokes of a working cycle", json_schema_extra={"unit": ""})
    ] = 4
    load: Annotated[float, number(0, 1, "", "How hard it works: more treble, more noise")] = 0.5
    pipe: Annotated[float, number(20, 500, "Hz", "Lowest resonance of the exhaust")] = 100.0
    uneven_db: Annotated[float, number(-60, 0, "dB", "Orders beside the firing rate's re those")] = -10.0
    noise_db: Annotated[float, number(-60, 20, "dB", "Noise re the tonal part")] = -8.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the engine, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "engine")
        revs = engines.speed(self.rpm, n_samples=n, sr=sr, chances=chances, unsteady=0.004)
        # a pipe open at one end: odd multiples of its lowest resonance
        resonances = [(self.pipe * k, 0.35 * self.pipe * k) for k in (1.0, 3.0, 5.0)] + [(1400.0, 700.0)]
        tone = engines.combustion(
            revs, n_cylinders=self.n_cylinders, strokes=self.strokes, resonances=resonances, tilt_db=-9.0 + 4.0 * self.load,
            uneven_db=self.uneven_db, sr=sr, chances=chances,
        )  # fmt: skip
        firing = revs * (2.0 / self.strokes) * self.n_cylinders
        hiss = [(30.0, -30.0), (200.0, 0.0), (1500.0, -6.0), (8000.0, -20.0 + 8.0 * self.load), (48_000.0, -50.0)]
        noise = engines.unit(chances.noise("hiss", hiss, n_samples=n, sr=sr)) * (0.5 + engines.pulsing(firing, sr=sr))
        y = tone + 10.0 ** (self.noise_db / 20.0) * noise
        return shaped.finished(y * engines.loudness(revs), sr=sr, amplitude=self.amplitude, fade=0.03)
