"""Automatic gain control."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.quantities import number
from audiosynth.sound.dynamics import decibels, factors, followed, smoothing

STEP = 0.001
"""Seconds between two values of the gain: straight lines in decibels join them."""


class Agc(InPlace):
    """Automatic gain control: bring the level, as it is measured over some time, to a target, slowly.

    What recorders and telephones do: quiet speakers become loud, noise comes up in pauses unless the gate holds it. All
    channels get one gain.

    Parameters
    ----------
    target_dbfs
        Level that the gain steers to.
    window
        Time constant of the measurement of the level (mean square over all channels).
    attack, release
        Time constants of the gain going down and up, in dB.
    max_gain_db, max_reduction_db
        The gain stays between -max_reduction_db and max_gain_db.
    gate_dbfs
        Milliseconds below this level change neither the level nor the gain.
    """

    type_name: ClassVar[str] = "agc"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"target_dbfs": -20.0},
        {"target_dbfs": -26.0, "attack": 0.01, "release": 2.0, "max_gain_db": 12.0, "gate_dbfs": -70.0},
    )

    target_dbfs: Annotated[float, number(-60, 0, "dBFS", "level that the gain steers to")] = -23.0
    window: Annotated[float, number(0.001, 5, "s", "time constant of the level")] = 0.05
    attack: Annotated[float, number(0, 30, "s", "time constant of the gain going down")] = 0.1
    release: Annotated[float, number(0, 30, "s", "time constant of the gain going up")] = 0.5
    max_gain_db: Annotated[float, number(0, 80, "dB", "largest gain")] = 30.0
    max_reduction_db: Annotated[float, number(0, 80, "dB", "largest reduction")] = 30.0
    gate_dbfs: Annotated[float, number(-150, 0, "dBFS", "level below which the gain stays")] = -60.0

    @model_validator(mode="after")
    def _gate_below_target(self) -> Agc:
        if self.gate_dbfs >= self.target_dbfs:
            raise ValueError(f"gate_dbfs must be below target_dbfs, got {self.gate_dbfs:g} and {self.target_dbfs:g}")
        return self

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` under its gain."""
        size = max(1, round(STEP * ctx.sr))
        n, rate = y.shape[-1], ctx.sr / size
        power = self._powers(y, size)
        held, kept = power < 10.0 ** (self.gate_dbfs / 10.0), smoothing(self.window, rate)
        target = 10.0 ** (self.target_dbfs / 10.0)  # where it begins: with no gain
        level = decibels(np.sqrt(followed(power, rising=kept, falling=kept, start=target, held=held)))
        wanted = np.clip(self.target_dbfs - level, -self.max_reduction_db, self.max_gain_db)
        attack, release = (smoothing(t, rate) for t in (self.attack, self.release))
        gain_db = followed(wanted, rising=release, falling=attack, held=held)
        # a step's gain is known when it is over
        at = np.arange(gain_db.size + 1) * float(size)
        fine = np.interp(np.arange(n, dtype=np.float64), at, np.concatenate([np.zeros(1), gain_db]))
        return np.asarray(y * factors(fine))

    @staticmethod
    def _powers(y: Array, size: int) -> Array:
        """Return the mean square of each step of `size` samples over all channels."""
        n_steps = -(-y.shape[-1] // size)
        squares = np.zeros(n_steps * size)
        squares[: y.shape[-1]] = np.square(y).mean(axis=0)
        return np.asarray(squares.reshape(n_steps, size).mean(axis=1))
