"""A train that passes by; version 1, as rows of old manifests have it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import engines, grains, shaped, signals

WHEELBASE: Final = 2.5
"""Metres between the two axles of a bogie."""
CAR: Final = 20.0
"""Metres between the bogies of a car and the next, on average half a car."""
THUD: Final = 0.06
"""Seconds an axle's knock at a joint is followed."""
MAX_AXLES: Final = 2000


class TrainPass(Component):
    """Wheels on rails coming, passing and going, with knocks where rails are joined.

    Rolling noise is broad, strongest from 500 Hz to 2 kHz at 80 to 160 km/h, its spectrum moving up with the speed, its level
    as 30·log10 of it [1]_. A line of cars at distance d passes as an arctangent of its ends. Each joint gives two
    pairs of knocks per car, axles 2.5 m apart.

    References
    ----------
    .. [1] D. Thompson, "Railway Noise and Vibration", Elsevier 2009, chapters 2 and 8.

    Examples
    --------
    >>> TrainPass(duration=2.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 32000)
    """

    type_name: ClassVar[str] = "train_pass"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.0, "seed": 1},
        {"duration": 0.8, "speed": 8.0, "n_cars": 2, "joints_db": 12.0, "distance": 5.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [4, 10]},
        "speed": {"uniform": [8, 45]},
        "n_cars": {"integers": [2, 12]},
        "distance": {"uniform": [6, 60]},
        "joints_db": {"weighted": [[1, -60.0], [2, {"uniform": [-10, 12]}]]},
        "squeal_db": {"weighted": [[3, -60.0], [1, {"uniform": [-20, -4]}]]},
        "air_db": {"uniform": [0.3, 3]},
    }

    duration: EventDuration = 8.0
    speed: Annotated[float, number(1, 100, "m/s", "Speed of the train")] = 22.0
    n_cars: Annotated[int, number(1, 100, "", "Number of cars, 20 m each")] = 6
    distance: Annotated[float, number(2, 500, "m", "Distance of the track")] = 20.0
    joints_db: Annotated[
        float, number(-60, 30, "dB", "Knocks at the joint re the rolling, peak over RMS; -60 for welded rails")
    ] = 0.0
    squeal_db: Annotated[
        float, number(-60, 20, "dB", "Squeal of a curve or of brakes re the rolling; -60 for none")
    ] = -60.0
    air_db: Annotated[float, number(0, 6, "dB", "How much moving air makes it waver, at 4 kHz")] = 1.5
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the train, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "train_pass")
        centre = 1000.0 * (self.speed / 30.0) ** 0.7
        rolling = [(20.0, -25.0), (100.0, -10.0), (centre, 0.0), (3.0 * centre, -9.0), (64_000.0, -60.0)]
        y = engines.unit(chances.noise("rolling", rolling, n_samples=n, sr=sr)) * self._passing(n, sr)
        rumble = [(15.0, -20.0), (40.0, 0.0), (150.0, -6.0), (800.0, -40.0)]
        y += 0.4 * engines.unit(chances.noise("rumble", rumble, n_samples=n, sr=sr)) * np.sqrt(self._passing(n, sr))
        y += 10.0 ** (self.squeal_db / 20.0) * self._squeal(chances, n, sr) * self._passing(n, sr)
        y += 10.0 ** (self.joints_db / 20.0) * self._knocks(chances, n, sr)
        y = shaped.unsteady(y, chances, depth_db=self.air_db, rate=1.5, sr=sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.05)

    def _passing(self, n: int, sr: int) -> Array:
        """Return the loudness of a line source of `n_cars` cars that is abreast in the middle, 1 at most."""
        half = 0.5 * CAR * self.n_cars
        x = self.speed * (signals.times(n, sr) - 0.5 * self.duration)
        power = np.arctan((x + half) / self.distance) - np.arctan((x - half) / self.distance)
        return np.asarray(np.sqrt(power / (2.0 * np.arctan(half / self.distance))))

    def _squeal(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        f = np.minimum(
            chances.between("squeal", 1200.0, 4500.0) * (1.0 + 0.01 * chances.wander("bend", 2.0, n_samples=n, sr=sr)),
            0.4 * sr,
        )
        return signals.sine(signals.accumulated(f, sr)) * signals.rise(
            0.5 + chances.wander("grip", 1.5, n_samples=n, sr=sr)
        )

    def _knocks(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        """Return the axles at a joint that is nearest to the listener."""
        axles = np.array(
            [CAR * i + a for i in range(self.n_cars) for a in (1.5, 1.5 + WHEELBASE, CAR - 1.5 - WHEELBASE, CAR - 1.5)]
        )
        at = 0.5 * self.duration + (axles - 0.5 * CAR * self.n_cars) / self.speed
        at = np.sort(at[(at >= 0.0) & (at < self.duration)])[:MAX_AXLES]
        loud = 0.6 + 0.4 * chances.uniform("loud", len(at))
        low = chances.between("low", 60.0, 140.0)
        high = np.minimum(low * (6.0 + 6.0 * chances.uniform("high", len(at))), 0.4 * sr)

        def knock(t: Array, which: slice) -> Array:
            body = grains.damped(t, frequency=np.full(len(high[which]), low), t60=np.full(len(high[which]), THUD))
            return np.asarray(
                loud[which, None]
                * (body + 0.5 * grains.damped(t, frequency=high[which], t60=np.full(len(high[which]), 0.5 * THUD)))
            )

        return grains.scatter(at, knock, length=THUD, n_samples=n, sr=sr)
