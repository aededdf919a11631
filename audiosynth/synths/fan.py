"""A fan: blades, motor hum and air."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import engines, shaped, signals, waves


class Fan(Component):
    """A fan on a table, in a ceiling or in a computer.

    Tones at blades times revolutions a second and its harmonics, hum of the motor at twice the mains frequency, and air noise
    that falls by 5 dB per octave above its centre and beats with the blades (the laws of fan noise are those of [1]_).

    References
    ----------
    .. [1] W. Neise, "Review of fan noise generation mechanisms and control methods", Proc. Fan Noise Symposium, Senlis 1992.

    Examples
    --------
    >>> Fan(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "fan"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "seed": 1},
        {"duration": 0.4, "speed": 60.0, "n_blades": 9, "tone_db": 3.0, "mains": 60.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [3, 8]},
        "speed": {"log_uniform": [6, 60]},
        "n_blades": {"choice": [3, 4, 5, 7, 9, 11]},
        "tone_db": {"uniform": [-24, 0]},
        "hum_db": {"uniform": [-40, -8]},
        "mains": {"choice": [50.0, 60.0]},
        "centre": {"log_uniform": [120, 800]},
        "beat": {"uniform": [0, 0.5]},
    }

    duration: EventDuration = 5.0
    speed: Annotated[float, number(0.5, 300, "Hz", "Revolutions a second")] = 20.0
    n_blades: Annotated[int, number(1, 40, "", "Number of blades")] = 5
    tone_db: Annotated[float, number(-80, 20, "dB", "Blade tones re the air")] = -12.0
    hum_db: Annotated[float, number(-80, 20, "dB", "Motor hum re the air")] = -20.0
    mains: Annotated[float, number(16, 400, "Hz", "Mains frequency")] = 50.0
    centre: Annotated[float, number(40, 4000, "Hz", "Above it the air falls off")] = 300.0
    beat: Annotated[float, number(0, 1, "", "How much the air beats with the blades")] = 0.2
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the fan, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "fan")
        revs = self.speed * (1.0 + 0.003 * chances.wander("speed", 0.4, n_samples=n, sr=sr))
        blades = engines.pulsing(revs * self.n_blades, sr=sr, sharpness=2)
        slope = [
            (15.0, -30.0),
            (60.0, -4.0),
            (self.centre, 0.0),
            (16.0 * self.centre, -20.0),
            (64_000.0 + self.centre, -50.0),
        ]
        air = engines.unit(chances.noise("air", slope, n_samples=n, sr=sr)) * (1.0 - self.beat + self.beat * blades)
        uneven = 10.0 ** (chances.between("uneven", -40.0, -15.0) / 20.0)
        weights = chances.spread("partials", 60, low=0.3, high=1.0)
        weights[[k for k in range(60) if (k + 1) % self.n_blades]] *= uneven
        tone = waves.moving(revs, lambda f, _: 1.0 / (1.0 + (f / 150.0) ** 2), sr=sr, n_partials=60, weights=weights)
        hum = [2.0 * self.mains * k for k in (1, 2, 3, 4)]
        y = air + 10.0 ** (self.tone_db / 20.0) * engines.unit(tone)
        for i, f in enumerate(hum):
            level = (
                10.0 ** (self.hum_db / 20.0)
                * float(waves.taper(f, sr))
                * chances.between(f"hum{i}", 0.1, 1.0)
                / (i + 1)
            )
            y += level * signals.sine(f * signals.times(n, sr) + chances.between(f"phase{i}", 0.0, 1.0))
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.05)
