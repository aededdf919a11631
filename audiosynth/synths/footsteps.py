"""Somebody walking."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import grains, modal, shaped, signals

STEP: Final = 0.4
"""Seconds one step is followed."""
ROLL: Final = 0.09
"""Seconds from heel to toe at two steps a second, about a fifth of the step."""
SURFACES: Final = {
    "wood": ((90.0, 170.0, 260.0, 420.0), 0.10, 0.0025, -14.0, 1200.0),
    "concrete": ((140.0, 900.0, 1900.0), 0.025, 0.0008, -4.0, 3500.0),
    "gravel": ((110.0,), 0.04, 0.004, -10.0, 1000.0),
    "grass": ((70.0,), 0.05, 0.008, 0.0, 900.0),
    "carpet": ((60.0, 110.0), 0.07, 0.01, -6.0, 250.0),
}
"""Modes of the floor in Hz, their reverberation time, length of the contact, noise re the modes in dB, where it is strongest."""
PEBBLES: Final = {"gravel": 60, "grass": 14}
"""Grains that a step moves."""


class Footsteps(Component):
    """Steps with heel and toe, on wood, concrete, gravel, grass or carpet.

    People walk at 1.6 to 2.2 steps a second [1]_; left and right differ a little, no step is like another, and the toe
    follows the heel by about a fifth of a step, softer. Gravel and grass add a swarm of small sounds.

    References
    ----------
    .. [1] S. Živanović, A. Pavic, P. Reynolds, "Vibration serviceability of footbridges under human-induced excitation: a
       literature review", J. Sound and Vibration 279, 2005: walking at 2.0 Hz, standard deviation 0.17 Hz.

    Examples
    --------
    >>> Footsteps(n_steps=2, cadence=2.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 14400)
    """

    type_name: ClassVar[str] = "footsteps"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_steps": 2, "seed": 1},
        {"n_steps": 2, "surface": "gravel", "cadence": 1.7, "seed": 2},
        {"n_steps": 1, "surface": "carpet", "seed": 3},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "n_steps": {"integers": [4, 12]},
        "cadence": {"truncnorm": [1.95, 0.17, 1.3, 2.8]},
        "surface": {"choice": ["wood", "concrete", "gravel", "grass", "carpet"]},
        "weight": {"uniform": [0.7, 1.4]},
        "limp": {"beta": [1, 6]},
    }

    n_steps: Annotated[int, number(1, 200, "", "Number of steps")] = 6
    cadence: Annotated[float, number(0.8, 4, "Hz", "Steps a second")] = 1.95
    surface: Annotated[
        Literal["wood", "concrete", "gravel", "grass", "carpet"], Field(description="What is walked on")
    ] = "wood"
    weight: Annotated[float, number(0.3, 3, "", "Mass over that of an adult: heavy ones sound lower")] = 1.0
    limp: Annotated[float, number(0, 1, "", "How uneven left and right are")] = 0.05
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples((self.n_steps - 1) / self.cadence + STEP, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the steps, shape (1, n_samples)."""
        sr, y = ctx.sr, np.zeros(self.extent(ctx.sr))
        chances = shaped.Chances(self.seed, "footsteps")
        late = chances.spread("late", self.n_steps, low=-0.02, high=0.02)
        loud = chances.spread("loud", self.n_steps, low=0.7, high=1.0)
        for i in range(self.n_steps):
            left = i % 2
            start = max(0.0, (i + (0.3 * self.limp * left + late[i] if i else 0.0)) / self.cadence)
            self._add_step(y, i, start, loud[i] * (1.0 - 0.5 * self.limp * left), sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.002)

    def _add_step(self, y: Array, i: int, start: float, loud: float, sr: int) -> None:
        chances = shaped.Chances(self.seed, f"footsteps/{i}")
        self._add_impact(y, chances, "heel", start, loud, sr)
        toe = ROLL * 2.0 / self.cadence * chances.between("roll", 0.8, 1.2)
        self._add_impact(y, chances, "toe", start + toe, loud * chances.between("toe", 0.3, 0.6), sr)
        if self.surface in PEBBLES:
            y += loud * self._swarm(chances, start, len(y), sr)

    def _add_impact(self, y: Array, chances: shaped.Chances, name: str, start: float, loud: float, sr: int) -> None:
        modes, t60, contact, noise_db, centre = SURFACES[self.surface]
        f = np.array(modes) / self.weight**0.5 * chances.spread(name, len(modes), low=0.9, high=1.1)
        a = modal.contact(f, contact) * chances.spread(f"{name}/a", len(modes), low=0.5, high=1.0)
        modal.strike(y[: seconds_to_samples(start + STEP, sr)], start, f, t60=t60, amplitudes=loud * a, sr=sr)
        points = [(20.0, -20.0), (0.3 * centre, -6.0), (centre, 0.0), (4.0 * centre, -14.0), (64_000.0, -60.0)]
        n = seconds_to_samples(STEP, sr)
        scrape = chances.noise(f"{name}/noise", points, n_samples=n, sr=sr)
        scrape *= shaped.decay(n, sr, t60=0.5 * t60 + 0.02, attack=contact) / max(
            float(np.sqrt(np.mean(scrape**2))), 1e-12
        )
        modal.place(y, loud * 10.0 ** (noise_db / 20.0) * 0.5 * scrape, start, sr)

    def _swarm(self, chances: shaped.Chances, start: float, n: int, sr: int) -> Array:
        count = PEBBLES[self.surface]
        at = start + np.sort(0.22 * chances.uniform("at", count) ** 1.4)
        f = chances.spread("pitch", count, low=1200.0, high=6000.0)
        loud = 0.25 * chances.uniform("pebbles", count) ** 2
        return grains.rings(
            at, frequencies=f, t60=np.full(count, 0.008), amplitudes=loud, length=0.012, n_samples=n, sr=sr
        )
