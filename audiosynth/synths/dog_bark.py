"""A dog that barks."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, voice

SPREAD: Final = 0.12
"""Relative spread of pitch, length and loudness from bark to bark."""
THROAT: Final = ((850.0, 140.0), (1500.0, 200.0), (2900.0, 400.0), (4600.0, 700.0))
"""Resonances of an open mouth with a vocal tract of about 20 cm, F and bandwidth in Hz."""
UNLIKE: Final = (0.35, 4.0, 6.0)
"""By how much barks of full variety differ: octaves, dB per octave, dB."""
TAIL: Final = 0.08
"""Seconds of breath after a bark."""


class DogBark(Component):
    """Short voiced bursts, pitch up and down again, with the chaos of a voice driven hard.

    Each bark is a harmonic tone whose fundamental climbs to `f0` and falls again (an arch of about a third), through the
    resonances of the throat and mouth, with breath noise through the same resonances, subharmonics and rough amplitude
    as far as `roughness` says. Barks last 0.1 to 0.3 s, fundamentals reach from 150 Hz (large dogs) to 1.5 kHz [1]_.

    References
    ----------
    .. [1] S. Yin, B. McCowan, "Barking in domestic dogs: context specificity and individual identification", Animal
       Behaviour 68, 2004.

    Examples
    --------
    >>> DogBark(n_barks=1, seed=1).render(RenderContext(sr=16000)).shape
    (1, 4506)
    """

    type_name: ClassVar[str] = "dog_bark"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"seed": 1},
        {"f0": 250.0, "n_barks": 1, "bark": 0.25, "size": 1.3, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "f0": {"log_uniform": [300, 1000]},
        "n_barks": {"weighted": [[3, 1], [3, 2], [3, {"integers": [3, 5]}], [2, {"integers": [6, 10]}]]},
        "bark": {"uniform": [0.08, 0.28]},
        "interval": {"log_uniform": [0.28, 1.2]},
        "size": {"uniform": [0.7, 1.4]},
        "roughness": {"uniform": [0.2, 0.9]},
        "tilt_db": {"uniform": [-13, -4]},
        "variety": {"uniform": [0, 1]},
    }

    f0: Annotated[float, number(100, 2000, "Hz", "Highest fundamental of a bark")] = 500.0
    n_barks: Annotated[int, number(1, 50, "", "Number of barks")] = 2
    bark: Annotated[float, number(0.05, 0.6, "s", "Length of a bark")] = 0.18
    interval: Annotated[float, number(0.15, 5, "s", "From one bark to the next, on average")] = 0.45
    size: Annotated[float, number(0.4, 2, "", "Length of the vocal tract, 1 for a dog of 25 kg")] = 1.0
    roughness: Annotated[float, number(0, 1, "", "Breath, subharmonics and unsteadiness")] = 0.5
    tilt_db: Annotated[float, number(-18, 0, "dB/octave", "Slope of the voice's spectrum")] = -9.0
    variety: Annotated[float, number(0, 1, "", "How unlike its barks are in pitch, brightness, loudness and time")] = (
        0.0
    )
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self._starts()[-1] + self.bark * (1.0 + SPREAD) + TAIL, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the barks, shape (1, n_samples)."""
        sr, y = ctx.sr, np.zeros(self.extent(ctx.sr))
        for i, start in enumerate(self._starts()):
            bark = self._bark(i, sr)
            first = seconds_to_samples(start, sr)
            y[first : first + len(bark)] += bark[: len(y) - first]
        return shaped.finished(y, sr=sr, amplitude=self.amplitude)

    def _starts(self) -> list[float]:
        """Return when each bark begins: steady but for a tenth or so, and never into the last one."""
        wobble = shaped.Chances(self.seed, "dog_bark").spread("gaps", self.n_barks, low=-SPREAD, high=SPREAD)
        unlike = shaped.Chances(self.seed, "dog_bark").spread("unlike", self.n_barks, low=-1.0, high=1.0)
        gaps = self.interval * (1.0 + wobble) * np.exp2(self.variety * unlike)
        gaps = np.maximum(gaps, self.bark * (1.0 + 2.0 * SPREAD))
        return [0.0, *np.cumsum(gaps)[: self.n_barks - 1].round(6).tolist()]

    def _bark(self, i: int, sr: int) -> Array:
        chances = shaped.Chances(self.seed, f"dog_bark/{i}")
        d = self.bark * (1.0 + chances.between("length", -SPREAD, SPREAD))
        n = max(2, seconds_to_samples(d + TAIL, sr))
        pitch, bright, soft = (self.variety * chances.between(name, -1.0, 1.0) for name in ("own", "bright", "soft"))
        top = self.f0 * (1.0 + chances.between("pitch", -SPREAD, 0.0)) * float(np.exp2(UNLIKE[0] * pitch))
        tilt_db = self.tilt_db + UNLIKE[1] * bright
        ends = chances.spread("ends", 2, low=0.55, high=0.8)
        peak = chances.between("peak", 0.25, 0.45) * d
        f0 = voice.track([(0.0, ends[0] * top), (peak, top), (d, ends[1] * top)], n_samples=n, sr=sr)
        throat = [(f / self.size, width / self.size) for f, width in THROAT]
        loud = shaped.curve([(0.0, 0.0), (0.02, 1.0), (0.5 * d, 0.7), (d, 0.08), (d + TAIL, 0.0)], n_samples=n, sr=sr)
        jaw = chances.between("jaw", 0.6, 0.85)

        def mouth(t: Array) -> voice.Formants:
            opening = jaw + (1.0 - jaw) * signals.rise(t / peak) * signals.rise((d - t) / (0.6 * d))
            return [(f * opening, width) for f, width in throat]

        call = voice.voiced(f0, mouth, sr=sr, tilt_db=tilt_db, roughness=self.roughness, chances=chances, effort=loud)
        air = voice.breath(throat, n_samples=n, sr=sr, tilt_db=tilt_db + 5.0, chances=chances) * float(
            np.sqrt(np.mean(call**2))
        )
        envelope = loud * (1.0 - chances.between("level", 0.0, 3.0 * SPREAD))
        envelope = envelope * 10.0 ** (UNLIKE[2] * (soft - self.variety) / 20.0)
        return np.asarray((call + (0.1 + 0.5 * self.roughness) * air) * envelope)
