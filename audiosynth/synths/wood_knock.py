"""Knocks on wood."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import modal, shaped, signals

RATIOS: Final = (1.0, 1.6, 2.3, 3.1, 4.4, 6.2, 8.5)
"""Of a door's or table's modes, about: a panel's modes crowd, and the blow picks some."""
KNOCK: Final = 0.25
"""Seconds one knock is followed."""


class WoodKnock(Component):
    """A few knocks of a knuckle or a stick on a door, a table, a block.

    Wood damps quickly: modes of some hundred hertz die within 30 to 150 ms, higher ones sooner; a knuckle stays 1 to 3 ms,
    a stick less. People knock 3 to 6 times a second (by ear). That blows of longer contact leave high modes alone, and that these die
    sooner, is in [1]_.

    References
    ----------
    .. [1] N. H. Fletcher, T. D. Rossing, "The Physics of Musical Instruments", 1998, on bars and on hammers.

    Examples
    --------
    >>> WoodKnock(n_knocks=3, interval=0.2, seed=1).render(RenderContext(sr=16000)).shape
    (1, 10400)
    """

    type_name: ClassVar[str] = "wood_knock"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"seed": 1},
        {"n_knocks": 1, "f0": 700.0, "t60": 0.05, "contact": 0.0004, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "n_knocks": {"integers": [2, 6]},
        "interval": {"uniform": [0.13, 0.35]},
        "f0": {"log_uniform": [110, 700]},
        "t60": {"log_uniform": [0.04, 0.2]},
        "contact": {"log_uniform": [0.0004, 0.003]},
    }

    n_knocks: Annotated[int, number(1, 100, "", "Number of knocks")] = 3
    interval: Annotated[float, number(0.05, 4, "s", "From knock to knock, on average")] = 0.2
    f0: Annotated[float, number(40, 4000, "Hz", "Lowest mode")] = 220.0
    t60: Annotated[float, number(0.01, 1, "s", "Reverberation time of the lowest mode")] = 0.1
    contact: Annotated[float, number(0.0001, 0.01, "s", "How long a knuckle or stick touches")] = 0.0015
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples((self.n_knocks - 1) * self.interval + KNOCK, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the knocks, shape (1, n_samples)."""
        sr, y = ctx.sr, np.zeros(self.extent(ctx.sr))
        chances = shaped.Chances(self.seed, "wood_knock")
        m, k = len(RATIOS), self.n_knocks
        f = self.f0 * np.array(RATIOS) * (1.0 + chances.spread("modes", m, low=-0.12, high=0.12))
        t60 = self.t60 * (f / f[0]) ** -0.5
        late = chances.spread("late", k, low=-0.06, high=0.06) * self.interval
        loud = chances.spread("loud", k, low=0.5, high=1.0)
        for i in range(k):
            a = chances.spread(f"where{i}", m, low=0.3, high=1.0) * modal.contact(f, self.contact)
            start = max(0.0, i * self.interval + (late[i] if i else 0.0))
            modal.strike(y[: seconds_to_samples(start + KNOCK, sr)], start, f, t60=t60, amplitudes=loud[i] * a, sr=sr)
            n = seconds_to_samples(KNOCK, sr)
            thud = shaped.decay(n, sr, t60=0.03, attack=0.0005)
            dull = [
                (20.0, -20.0),
                (80.0, 0.0),
                (0.4 / self.contact, -3.0),
                (4.0 / self.contact, -40.0),
                (64_000.0, -70.0),
            ]
            hit = chances.noise(f"hit{i}", dull, n_samples=n, sr=sr)
            hit *= thud * (0.25 * float(np.sum(a)) / max(float(np.sqrt(np.mean(hit**2))), 1e-12))
            modal.place(y, loud[i] * hit, start, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.0015)
