"""Push-button telephone dialling."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals

LOW: Final = (697.0, 770.0, 852.0, 941.0)
HIGH: Final = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS: Final = ("123A", "456B", "789C", "*0#D")
"""Rows by the low group, columns by the high one (ITU-T Q.23)."""


class Dtmf(Component):
    """Dual-tone multi-frequency signals: each key is one low and one high tone at once (ITU-T Q.23).

    Tones last 40 ms and more, pauses as long (Q.24 asks receivers to take 40 ms); the high tone may be up to some dB stronger
    (`twist_db`), because lines weaken it. Digits of a real number may be private: draw them.

    Examples
    --------
    >>> Dtmf(digits="12").render(RenderContext(sr=8000)).shape
    (1, 2400)
    """

    type_name: ClassVar[str] = "dtmf"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"digits": "0123"},
        {"digits": "*A#", "tone": 0.05, "pause": 0.05, "twist_db": 3.0},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "digits": {
            "join": [
                {"integers": [100, 999]},
                {"integers": [10, 99]},
                {"choice": ["", "#", "*"]},
                {"integers": [0, 99_999]},
            ]
        },
        "tone": {"uniform": [0.06, 0.2]},
        "pause": {"uniform": [0.05, 0.25]},
        "twist_db": {"uniform": [-1, 4]},
    }

    digits: Annotated[
        str, Field(min_length=1, max_length=64, pattern=r"^[0-9A-D*#]+$", description="Keys, of 0-9, A-D, * and #")
    ] = "5550123"
    tone: Annotated[float, number(0.02, 5, "s", "Length of a tone")] = 0.1
    pause: Annotated[float, number(0.02, 5, "s", "Pause after a tone")] = 0.1
    twist_db: Annotated[float, number(-12, 12, "dB", "High tone re the low one")] = 2.0
    amplitude: signals.Amplitude = 1.0

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(len(self.digits) * self.tone + (len(self.digits) - 1) * self.pause, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the tones, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        y, t = np.zeros(n), signals.times(n, sr)
        for i, key in enumerate(self.digits):
            row = next(r for r in range(4) if key in KEYS[r])
            start = i * (self.tone + self.pause)
            a, b = seconds_to_samples(start, sr), min(n, seconds_to_samples(start + self.tone, sr))
            pair = signals.sine(LOW[row] * t[a:b]) + 10.0 ** (self.twist_db / 20.0) * signals.sine(
                HIGH[KEYS[row].index(key)] * t[a:b]
            )
            y[a:b] = pair * signals.edges(b - a, sr, fade=min(0.003, 0.25 * self.tone))
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.001)
