"""A helicopter: blades, gearbox, turbine."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import engines, shaped, signals, waves

TAIL_RATIO: Final = 5.0
"""Speed of the tail rotor over the main rotor's, about, in light helicopters."""
SILENT_DB: Final = -80.0
SLAP: Final = 0.012
"""Seconds of a blade's slap."""


class Helicopter(Component):
    """Thumping main rotor, hum of the tail rotor, whines of gearbox and turbine, and rotor noise in step with the blades.

    The blade-passing frequency is blades times revolutions a second: 2 blades at 6.5 to 4 at 6.5 give 11 to 26 Hz; below it
    nothing sounds, above it harmonics fall off slowly where blades slap (blade-vortex interaction) [1]_. A distance drop of
    treble is `distance`: air takes some 0.1 dB/m at 8 kHz.

    References
    ----------
    .. [1] A. R. George, "Helicopter noise: state-of-the-art", J. Aircraft 15, 1978.

    Examples
    --------
    >>> Helicopter(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "helicopter"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "seed": 1},
        {"duration": 0.4, "blade_rate": 24.0, "slap_db": 12.0, "whine_db": -6.0, "distance": 600.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [4, 7]},
        "blade_rate": {"uniform": [8, 28]},
        "slap_db": {"uniform": [-20, 4]},
        "beat": {"uniform": [0.05, 0.85]},
        "whine_db": {"uniform": [-40, -10]},
        "whine": {"log_uniform": [2500, 9000]},
        "distance": {"log_uniform": [15, 600]},
        "rumble": {"log_uniform": [60, 300]},
        "swish_db": {"uniform": [-26, 2]},
        "slope_db": {"uniform": [-9, -3]},
        "tail_db": {"uniform": [-26, 2]},
        "gear_db": {"weighted": [[1, -80.0], [2, {"uniform": [-26, -2]}]]},
        "gear": {"log_uniform": [350, 2500]},
        "air_db": {"uniform": [0, 1.5]},
    }

    duration: EventDuration = 5.0
    blade_rate: Annotated[float, number(4, 60, "Hz", "Blades that pass a second")] = 14.0
    slap_db: Annotated[float, number(-40, 30, "dB", "Slaps of the blades re the steady roar")] = 2.0
    tail_db: Annotated[float, number(-80, 10, "dB", "Hum of the tail rotor re the roar")] = -16.0
    whine: Annotated[float, number(500, 15_000, "Hz", "Pitch of the turbine")] = 6000.0
    whine_db: Annotated[float, number(-80, 10, "dB", "Turbine re the roar")] = -28.0
    gear: Annotated[float, number(200, 6000, "Hz", "Rate at which the teeth of the main gearbox mesh")] = 900.0
    gear_db: Annotated[float, number(SILENT_DB, 10, "dB", "Gearbox re the roar; -80 for none")] = SILENT_DB
    beat: Annotated[float, number(0, 1, "", "How much the roar beats with the blades")] = 0.5
    swish_db: Annotated[float, number(-80, 10, "dB", "Hiss of blades and jet above 2 kHz re the roar")] = -16.0
    rumble: Annotated[float, number(30, 2000, "Hz", "Above it the roar falls off")] = 120.0
    slope_db: Annotated[float, number(-18, 0, "dB/octave", "Slope of the roar above the rumble")] = -5.0
    distance: Annotated[float, number(5, 5000, "m", "How far: the air takes treble")] = 150.0
    air_db: Annotated[float, number(0, 6, "dB", "How much moving air makes it waver, at 4 kHz")] = 1.5
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the helicopter, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "helicopter")
        rate = self.blade_rate * (1.0 + 0.004 * np.clip(chances.wander("rate", 0.7, n_samples=n, sr=sr), -3, 3))
        blades = engines.pulsing(rate, sr=sr, sharpness=6)
        beats = 1.0 - self.beat + 3.0 * self.beat * blades
        roar = [
            (12.0, -40.0),
            (30.0, -3.0),
            (self.rumble, 0.0),
            (4000.0, self.slope_db * float(np.log2(4000.0 / self.rumble))),
            (48_000.0, -70.0),
        ]
        y = engines.unit(chances.noise("roar", roar, n_samples=n, sr=sr) * beats)
        y = y + 10.0 ** (self.slap_db / 20.0) * engines.unit(self._slaps(rate, sr))
        y += 10.0 ** (self.tail_db / 20.0) * engines.unit(self._hum(rate, sr))
        swish = [(300.0, -40.0), (2500.0, 0.0), (9000.0, -3.0), (48_000.0, -30.0)]
        y += 10.0 ** (self.swish_db / 20.0) * engines.unit(chances.noise("swish", swish, n_samples=n, sr=sr) * beats)
        if self.gear_db > SILENT_DB:
            mesh = waves.moving(rate * (self.gear / self.blade_rate), lambda f, _: self.gear / f, sr=sr, n_partials=8)
            y += 10.0 ** (self.gear_db / 20.0) * engines.unit(mesh)
        pitch = np.minimum(
            self.whine * (1.0 + 0.002 * chances.wander("whine", 0.5, n_samples=n, sr=sr)), waves.GONE * sr
        )
        y += 10.0 ** (self.whine_db / 20.0) * waves.taper(self.whine, sr) * signals.sine(signals.accumulated(pitch, sr))
        # ISO 9613-1 at 20 degrees and 50 %: about 0.005, 0.03 and 0.1 dB/m at 1, 4 and 8 kHz
        lost = [
            (500.0, 0.0),
            *((f, -max(a * self.distance, 0.0)) for f, a in ((1000.0, 0.005), (4000.0, 0.03), (8000.0, 0.1))),
        ]
        y = shaped.filtered(y, [(f, max(level, -70.0)) for f, level in lost], sr=sr)
        y = shaped.unsteady(y, chances, depth_db=self.air_db, rate=1.5, sr=sr)
        drift = np.power(10.0, 0.05 * 1.5 * chances.wander("drift", 0.2, n_samples=n, sr=sr))
        return shaped.finished(y * drift, sr=sr, amplitude=self.amplitude, fade=0.05)

    def _slaps(self, rate: Array, sr: int) -> Array:
        """Return the thickness and slap noise: harmonics of the blade rate up to some 1/SLAP, then falling fast."""

        def envelope(f: Array, _: Array) -> Array:
            return f / (1.0 + (f * SLAP) ** 3)

        return waves.moving(rate, envelope, sr=sr, n_partials=min(120, int(waves.GONE * sr / float(rate.min()))))

    def _hum(self, rate: Array, sr: int) -> Array:
        tail = rate * TAIL_RATIO
        return waves.moving(tail, lambda f, _: 1.0 / (1.0 + (f / 200.0) ** 2), sr=sr, n_partials=30)
