"""A plucked string."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import modal, shaped, signals, waves

RELEASE: Final = 0.12
N_PARTIALS: Final = 120
PLUCK: Final = 0.0006
"""Seconds in which a finger or plectrum lets go."""


class PluckedString(Component):
    """A string of a guitar, harp or harpsichord, partial by partial.

    Plucked at a fraction p of its length, partial n starts with the amplitude sin(nπp)/n² (of the displacement; times n at the
    bridge), stiffness raises it to n·f0·sqrt(1 + B·n²), and it decays the faster the higher it is: 1/T60 = 1/`t60` +
    `damping`·(f/1 kHz)² [1]_.

    References
    ----------
    .. [1] N. H. Fletcher, T. D. Rossing, "The Physics of Musical Instruments", Springer 1998, chapters 2 and 9.

    Examples
    --------
    >>> PluckedString(duration=1.0, f0=220.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "plucked_string"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.6, "seed": 1},
        {"duration": 0.5, "f0": 660.0, "position": 0.5, "inharmonicity": 0.001, "damping": 1.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.8, 3]},
        "f0": {"log_uniform": [80, 800]},
        "position": {"uniform": [0.08, 0.45]},
        "t60": {"log_uniform": [1, 8]},
        "damping": {"log_uniform": [0.1, 2]},
        "inharmonicity": {"log_uniform": [0.00002, 0.0005]},
        "finger": {"log_uniform": [0.00005, 0.0008]},
    }

    duration: EventDuration = 1.5
    f0: Annotated[float, number(20, 4000, "Hz", "Fundamental")] = 196.0
    position: Annotated[float, number(0.01, 0.5, "", "Where it is plucked, as a fraction of its length")] = 0.2
    t60: Annotated[float, number(0.05, 60, "s", "Reverberation time of the lowest partials")] = 3.0
    damping: Annotated[float, number(0, 20, "1/s", "What a partial at 1 kHz loses more: added to 1/t60")] = 0.4
    inharmonicity: Annotated[float, number(0, 0.01, "", "Fletcher's B of the stiff string")] = 0.0001
    finger: Annotated[
        float, number(0.00001, 0.005, "s", "Softness of what plucks: long for a finger, short for a plectrum")
    ] = 0.0003
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def partials(self) -> Array:
        """Return the frequencies of the partials in Hz, shape (120,).

        Examples
        --------
        >>> PluckedString(f0=100.0, inharmonicity=0.0, seed=1).partials()[:3]
        array([100., 200., 300.])
        """
        k = np.arange(1, N_PARTIALS + 1, dtype=np.float64)
        return np.asarray(self.f0 * k * np.sqrt(1.0 + self.inharmonicity * k * k))

    def render(self, ctx: RenderContext) -> Array:
        """Return the tone, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "plucked_string")
        k, f = np.arange(1, N_PARTIALS + 1, dtype=np.float64), self.partials()
        a = (
            signals.sine(0.5 * self.position * k)
            / k
            * modal.contact(f, self.finger)
            * chances.spread("body", N_PARTIALS, low=0.4, high=1.0)
        )
        t60 = 1.0 / (1.0 / self.t60 + self.damping * (f / 1000.0) ** 2)
        # two polarisations, a fraction of a hertz apart, one of which couples less: the tone beats and sings on
        near = f * (1.0 + 0.0008 * chances.between("second", 0.2, 1.0))
        y = modal.ring(f, t60=t60, amplitudes=a, phases=0.25, n_samples=n, sr=sr)
        y += 0.3 * modal.ring(
            near, t60=1.6 * t60, amplitudes=a, phases=chances.uniform("phases", N_PARTIALS), n_samples=n, sr=sr
        )
        y *= signals.rise(signals.times(n, sr) / PLUCK)
        return shaped.finished(
            y, sr=sr, amplitude=self.amplitude, fade=max(0.0005, 1.0 / (waves.FULL * sr)), release=RELEASE
        )
