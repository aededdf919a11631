"""A car's horn."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import cadences, shaped, signals, voice, waves

N_PARTIALS: Final = 40


class CarHorn(Component):
    """Two electric horns at once, a third apart, with partials up to 8 kHz.

    A diaphragm hits its stop some 400 to 500 times a second, so partials hardly fall up to the trumpet's resonance at 2 to
    4 kHz (UNECE Regulation 28 measures them there). `n_hoots` short hoots or one long.

    Examples
    --------
    >>> CarHorn(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "car_horn"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.6, "seed": 1},
        {"duration": 0.8, "n_hoots": 2, "f0": 330.0, "ratio": 1.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.3, 2.5]},
        "f0": {"uniform": [310, 460]},
        "ratio": {"weighted": [[1, 1.0], [4, {"uniform": [1.18, 1.27]}]]},
        "n_hoots": {"weighted": [[3, 1], [2, 2], [1, 3]]},
        "resonance": {"log_uniform": [1800, 3800]},
        "tilt_db": {"uniform": [-7, -2]},
    }

    duration: EventDuration = 1.0
    f0: Annotated[float, number(100, 1500, "Hz", "Lower horn")] = 405.0
    ratio: Annotated[float, number(1, 2.5, "", "Higher over lower; 1 for a single horn")] = 1.235
    n_hoots: Annotated[int, number(1, 30, "", "Hoots, evenly over the sound")] = 1
    resonance: Annotated[float, number(500, 8000, "Hz", "Of the trumpet or disc")] = 2600.0
    tilt_db: Annotated[float, number(-24, 3, "dB/octave", "Slope of the partials")] = -4.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the horn, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "car_horn")
        each = self.duration / self.n_hoots
        pause = 0.3 * each if self.n_hoots > 1 else 0.0
        t = signals.times(n, sr)
        within = t - np.floor(t / each) * each
        y = np.zeros(n)
        for i, ratio in enumerate((1.0, self.ratio) if self.ratio > 1.0 else (1.0,)):
            detune = 1.0 + chances.between(f"tuning{i}", -0.006, 0.006)
            # the diaphragm starts a little flat and is up to pitch within some 30 ms
            f = self.f0 * ratio * detune * (1.0 - 0.03 * (1.0 + signals.expm1(-within / 0.02)))
            f = f * (1.0 + 0.0015 * chances.wander(f"waver{i}", 8.0, n_samples=n, sr=sr))
            y += waves.moving(
                f,
                lambda h, _: voice.tract(h, [(self.resonance, 0.5 * self.resonance)], tilt_db=self.tilt_db),
                sr=sr,
                n_partials=N_PARTIALS,
            )
        gate = cadences.gate([each - pause, max(pause, 1e-6)], n_samples=n, sr=sr, edge=min(0.02, 0.2 * each))
        return shaped.finished(y * gate, sr=sr, amplitude=self.amplitude, fade=0.005)
