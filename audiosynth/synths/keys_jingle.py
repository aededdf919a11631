"""A bunch of keys."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import grains, shaped, signals

MODES: Final = 5
"""Modes of a key that are heard."""
RING: Final = 0.12
"""Seconds a collision is followed."""
MAX_HITS: Final = 20_000


class KeysJingle(Component):
    """Keys that hit each other as they are shaken: many small collisions, a few high modes per key.

    Every key has its own modes between 2 and 14 kHz, the same at each collision but excited otherwise; collisions come in
    swells, as a hand shakes some three times a second.

    Examples
    --------
    >>> KeysJingle(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "keys_jingle"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.6, "seed": 1},
        {"duration": 0.5, "n_keys": 2, "rate": 15.0, "t60": 0.08, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.8, 3]},
        "n_keys": {"integers": [2, 9]},
        "rate": {"log_uniform": [15, 90]},
        "shake": {"uniform": [1.5, 5]},
        "pitch": {"log_uniform": [2000, 4500]},
        "t60": {"log_uniform": [0.02, 0.1]},
    }

    duration: EventDuration = 1.5
    n_keys: Annotated[int, number(1, 50, "", "Number of keys")] = 5
    rate: Annotated[float, number(1, 500, "1/s", "Collisions a second")] = 45.0
    shake: Annotated[float, number(0.2, 15, "Hz", "Swells a second")] = 3.0
    pitch: Annotated[float, number(500, 8000, "Hz", "Lowest modes, about")] = 3000.0
    t60: Annotated[float, number(0.003, 1, "s", "Reverberation time of the lowest modes")] = 0.05
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the jingling, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "keys_jingle")
        at = chances.arrivals("at", self.rate, self.duration, most=MAX_HITS)
        # one collision at least, whatever chance says
        at = at if len(at) else np.array([0.3 * self.duration])
        m = len(at)
        key = (chances.uniform("which", m) * self.n_keys).astype(np.int64)
        swell = 0.5 + 0.5 * signals.sine(self.shake * at + chances.between("phase", 0.0, 1.0))
        loud = (0.15 + swell) * chances.spread("loud", m, low=0.1, high=1.0) ** 2
        y = np.zeros(n)
        for k in range(MODES):
            step = 1.0 + 0.55 * k
            modes = self.pitch * step * chances.spread(f"mode{k}", self.n_keys, low=0.75, high=1.35)
            f = modes[key] * (1.0 + 0.002 * chances.gaussian(f"off{k}", m))
            t60 = np.full(m, self.t60 / step**0.5)
            a = loud * chances.uniform(f"loud{k}", m)
            y += grains.rings(at, frequencies=f, t60=t60, amplitudes=a, length=RING, n_samples=n, sr=sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.002)
