"""A telephone that rings; version 1, as rows of old manifests have it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import cadences, modal, shaped, signals, waves

CADENCES: Final = {
    "us": (2.0, 4.0), "uk": (0.4, 0.2, 0.4, 2.0), "de": (1.0, 4.0), "fr": (1.5, 3.5), "jp": (1.0, 2.0), "au": (0.4, 0.2, 0.4, 2.0),
    "it": (1.0, 4.0), "se": (1.0, 5.0),
}  # fmt: skip
"""Seconds on and off (ITU-T E.180, Supplement 2: various tones used in national networks)."""
CURRENT: Final = {"us": 20.0, "uk": 25.0, "de": 25.0, "fr": 50.0, "jp": 16.0, "au": 25.0, "it": 25.0, "se": 25.0}
"""Ringing current in Hz: the hammer strikes twice a period."""
GONGS: Final = (1.0, 1.22)
PARTIALS: Final = (1.0, 2.32, 4.25, 6.63)
"""Modes of small cup gongs, about: those of a hemispherical shell (Fletcher and Rossing 1998, chapter 21)."""


class TelephoneRing(Component):
    """Two gongs and a hammer, or an electronic warble, in a national cadence.

    A ringing current of 16 to 50 Hz throws the hammer from gong to gong, two strokes a period; electronic ringers switch
    between two tones `warble` times a second. American telephones ring 2 s in 6, British ones twice 0.4 s in 3.

    Examples
    --------
    >>> TelephoneRing(duration=3.0, seed=1).render(RenderContext(sr=8000)).shape
    (1, 24000)
    """

    type_name: ClassVar[str] = "telephone_ring"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.0, "seed": 1},
        {"duration": 1.0, "kind": "electronic", "country": "uk", "f0": 1200.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [3, 8]},
        "kind": {"choice": ["gongs", "electronic"]},
        "country": {"choice": ["us", "uk", "de", "fr", "jp", "au", "it", "se"]},
        "f0": {"log_uniform": [800, 2200]},
        "t60": {"log_uniform": [0.2, 1.2]},
        "warble": {"uniform": [10, 28]},
    }

    duration: EventDuration = 6.0
    kind: Annotated[Literal["gongs", "electronic"], Field(description="Which ringer")] = "gongs"
    country: Annotated[Literal["us", "uk", "de", "fr", "jp", "au", "it", "se"], Field(description="Whose cadence")] = (
        "us"
    )
    f0: Annotated[float, number(300, 5000, "Hz", "Lower gong or tone")] = 1400.0
    t60: Annotated[float, number(0.02, 5, "s", "Reverberation time of the gongs")] = 0.6
    warble: Annotated[float, number(2, 60, "Hz", "Changes of an electronic ringer, there and back, a second")] = 16.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the ringing, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        y = self._gongs(n, sr) if self.kind == "gongs" else self._warble(n, sr)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, release=0.05)

    def _gongs(self, n: int, sr: int) -> Array:
        chances = shaped.Chances(self.seed, "telephone_ring")
        rate = 2.0 * CURRENT[self.country]
        strokes = np.arange(int(self.duration * rate) + 1) / rate
        on = cadences.gate(CADENCES[self.country], n_samples=n, sr=sr, edge=1e-6)
        at = np.minimum((strokes * sr).astype(np.int64), n - 1)
        force = np.where(on[at] > 0.5, chances.spread("force", len(at), low=0.7, high=1.0), 0.0)
        y, length = np.zeros(n), int(min(self.duration, 2.0 * self.t60) * sr)
        for gong, ratio in enumerate(GONGS):
            f = (
                self.f0
                * ratio
                * np.array(PARTIALS)
                * (1.0 + chances.spread(f"gong{gong}", len(PARTIALS), low=-0.02, high=0.02))
            )
            ring = modal.ring(
                f, t60=self.t60 * np.array(PARTIALS) ** -0.5, amplitudes=[1.0, 0.7, 0.4, 0.2], n_samples=length, sr=sr
            )
            train = np.zeros(n)
            train[at[gong::2]] = force[gong::2]
            y += _through(train, ring)
        return y

    def _warble(self, n: int, sr: int) -> Array:
        t = signals.times(n, sr) + 0.5 / sr
        turn = signals.rise(0.5 + 2.0 * signals.sine(self.warble * t))
        f = self.f0 * (1.0 + 0.25 * turn)
        cycles = signals.accumulated(f, sr)
        y = sum(a * waves.taper(k * f, sr) * signals.sine(k * cycles) for k, a in ((1, 1.0), (3, 0.3), (5, 0.12)))
        return np.asarray(y * cadences.gate(CADENCES[self.country], n_samples=n, sr=sr))


def _through(train: Array, ring: Array) -> Array:
    import scipy.signal

    return np.asarray(scipy.signal.fftconvolve(train, ring)[: len(train)])
