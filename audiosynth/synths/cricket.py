"""Crickets that chirp."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, waves

SPREAD: Final = 0.02


class Cricket(Component):
    """Field crickets: chirps of a few pulses of a nearly pure tone, faster the warmer it is.

    A chirp is `n_pulses` closings of the wings, some 30 a second, each a pulse of about 20 ms at `f0`, 4 to 5 kHz in
    Gryllus [1]_. Chirps follow each other as Dolbear's law says for the snowy tree cricket: N = 40 + 4·(T - 50) a minute,
    T in degrees Fahrenheit [2]_. Several animals keep their own pitch, time and distance.

    References
    ----------
    .. [1] H. C. Bennet-Clark, "Songs and the physics of sound production", in Huber, Moore, Loher (eds.), "Cricket Behavior and
       Neurobiology", Cornell University Press 1989.
    .. [2] A. E. Dolbear, "The cricket as a thermometer", The American Naturalist 31, 1897.

    Examples
    --------
    >>> Cricket(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "cricket"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.0, "f0": 3200.0, "seed": 1},
        {"duration": 0.8, "f0": 3000.0, "temperature": 33.0, "n_animals": 4, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [3, 8]},
        "f0": {"uniform": [3800, 5200]},
        "temperature": {"uniform": [15, 32]},
        "n_pulses": {"integers": [2, 6]},
        "n_animals": {"integers": [1, 6]},
    }

    duration: EventDuration = 5.0
    f0: Annotated[float, number(1000, 15_000, "Hz", "Pitch of the pulses")] = 4700.0
    temperature: Annotated[float, number(5, 45, "degrees Celsius", "Of the air; sets how often they chirp")] = 22.0
    n_pulses: Annotated[int, number(1, 12, "", "Pulses of a chirp")] = 4
    n_animals: Annotated[int, number(1, 30, "", "How many there are")] = 1
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def chirp_interval(self) -> float:
        """Return the seconds from one chirp to the next, by Dolbear's law, and never shorter than a chirp.

        Examples
        --------
        >>> round(60.0 / Cricket(temperature=10.0, seed=1).chirp_interval())  # 50 degrees Fahrenheit
        40
        """
        a_minute = max(5.0, 40.0 + 4.0 * (1.8 * self.temperature + 32.0 - 50.0))
        return max(60.0 / a_minute, (self.n_pulses + 1.5) / self._pulse_rate())

    def _pulse_rate(self) -> float:
        # wings beat faster in the warmth, in proportion about 20 degrees
        return 30.0 * max(0.3, 1.0 + 0.03 * (self.temperature - 20.0))

    def render(self, ctx: RenderContext) -> Array:
        """Return the crickets, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "cricket")
        y = np.zeros(n)
        for i in range(self.n_animals):
            far = 1.0 if i == 0 else chances.between(f"far{i}", 0.03, 0.5)
            y += far * self._animal(i, n, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude)

    def _animal(self, i: int, n: int, sr: int) -> Array:
        chances = shaped.Chances(self.seed, f"cricket/{i}")
        interval = self.chirp_interval() * chances.between("interval", 0.95, 1.05)
        rate = self._pulse_rate() * chances.between("rate", 0.95, 1.05)
        n_chirps = int(self.duration / interval) + 3
        wobble = chances.spread("wobble", n_chirps, low=-SPREAD, high=SPREAD)
        # the nearest one is always heard, however short the sound
        room = max(0.0, min(interval, self.duration - self.n_pulses / rate)) if i == 0 else interval
        first = chances.between("phase", 0.0, room) - (0.0 if i == 0 else interval)
        starts = first + interval * (np.arange(n_chirps) + wobble * (np.arange(n_chirps) > 0))
        t = signals.times(n, sr)
        which = np.clip(np.searchsorted(starts, t, side="right") - 1, 0, n_chirps - 1)
        cycles = (t - starts[which]) * rate
        number_of = np.floor(cycles)
        on = (cycles >= 0.0) & (number_of < self.n_pulses)
        u = np.where(on, (cycles - number_of) / 0.65, 0.0)
        # pulses begin softly and grow over the chirp
        loud = (
            np.clip(0.5 + 0.5 * number_of / max(1, self.n_pulses - 1), 0.0, 1.0)
            * signals.rise(2.5 * u)
            * signals.rise(2.5 - 2.5 * u)
        )
        f = self.f0 * chances.between("pitch", 0.96, 1.04) * (1.02 - 0.04 * np.clip(u, 0.0, 1.0))
        cycle = signals.accumulated(f, sr)
        y = waves.taper(f, sr) * signals.sine(cycle) + 0.03 * waves.taper(2.0 * f, sr) * signals.sine(2.0 * cycle)
        return np.where(on, loud * y, 0.0)
