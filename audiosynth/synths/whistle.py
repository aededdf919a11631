"""A whistle: lips, or a referee's."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, voice, waves


class Whistle(Component):
    """Somebody whistles a few notes, or a pea whistle trills.

    Lips give nearly a sine, 500 Hz to 4 kHz, that slides from note to note with breath around it (a Helmholtz resonator, T. A.
    Wilson et al., J. Acoust. Soc. Am. 50, 1971). A pea whistle sounds at 2 to 4.5 kHz, in two or three tones some 100 Hz apart,
    and its pea interrupts it 20 to 60 times a second.

    Examples
    --------
    >>> Whistle(duration=1.0, seed=1).render(RenderContext(sr=16000)).shape
    (1, 16000)
    """

    type_name: ClassVar[str] = "whistle"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.6, "seed": 1},
        {"duration": 0.4, "kind": "pea", "f0": 3000.0, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.6, 3]},
        "kind": {"choice": ["lips", "pea"]},
        "f0": {"log_uniform": [900, 3200]},
        "n_notes": {"integers": [1, 6]},
        "range": {"uniform": [0.1, 1.0]},
        "breath_db": {"uniform": [-40, -18]},
        "pea": {"uniform": [20, 60]},
    }

    duration: EventDuration = 1.5
    kind: Annotated[Literal["lips", "pea"], Field(description="What whistles")] = "lips"
    f0: Annotated[float, number(300, 6000, "Hz", "Middle of the range")] = 1500.0
    n_notes: Annotated[int, number(1, 100, "", "Notes, of lips")] = 3
    range: Annotated[float, number(0, 3, "octaves", "From the lowest note to the highest")] = 0.5
    breath_db: Annotated[float, number(-80, 10, "dB", "Breath re the tone")] = -28.0
    pea: Annotated[float, number(5, 120, "Hz", "Trill of the pea")] = 35.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the whistle, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        chances = shaped.Chances(self.seed, "whistle")
        y = self._lips(chances, n, sr) if self.kind == "lips" else self._trill(chances, n, sr)
        air = chances.noise(
            "breath",
            [(100.0, -40.0), (0.5 * self.f0, -14.0), (self.f0, 0.0), (3.0 * self.f0, -10.0), (96_000.0, -50.0)],
            n_samples=n,
            sr=sr,
        )
        loud = np.sqrt(np.mean(y * y)) / max(float(np.sqrt(np.mean(air**2))), 1e-12)
        edge = min(0.05, 0.25 * self.duration)
        y = (y + 10.0 ** (self.breath_db / 20.0) * loud * air) * signals.edges(n, sr, fade=edge)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude)

    def _lips(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        notes = self.f0 * np.power(2.0, self.range * (chances.uniform("notes", self.n_notes) - 0.5))
        each = self.duration / self.n_notes
        slide = 0.2 * each
        points: list[tuple[float, float]] = []
        for i, note in enumerate(notes.tolist()):
            points += [(i * each + (slide if i else 0.0), note), ((i + 1) * each - 1e-6, note)]
        f = voice.track(points, n_samples=n, sr=sr) * (1.0 + 0.004 * chances.wander("waver", 5.5, n_samples=n, sr=sr))
        f = np.minimum(f, 2.0 * waves.GONE * sr)
        loud = 1.0 + 0.2 * np.clip(chances.wander("loud", 4.0, n_samples=n, sr=sr), -2.0, 2.0)
        cycles = signals.accumulated(f, sr)
        return loud * (
            waves.taper(f, sr) * signals.sine(cycles) + 0.02 * waves.taper(2.0 * f, sr) * signals.sine(2.0 * cycles)
        )

    def _trill(self, chances: shaped.Chances, n: int, sr: int) -> Array:
        rate = self.pea * (1.0 + 0.08 * np.clip(chances.wander("pea", 6.0, n_samples=n, sr=sr), -3.0, 3.0))
        turn = signals.sine(signals.accumulated(rate, sr))
        y = np.zeros(n)
        for i, off in enumerate((0.0, chances.between("second", 60.0, 180.0), chances.between("third", 200.0, 380.0))):
            f = (self.f0 + off) * (1.0 + 0.012 * turn)
            cycles = signals.accumulated(f, sr)
            y += (0.9**i) * (
                waves.taper(f, sr) * signals.sine(cycles) + 0.1 * waves.taper(2.0 * f, sr) * signals.sine(2.0 * cycles)
            )
        return np.asarray(y * (0.55 + 0.45 * turn))
