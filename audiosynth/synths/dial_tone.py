"""Tones of telephone networks: dial, busy, ringing."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import cadences, shaped, signals, waves

STEADY: Final = (1.0, 1e-6)
TONES: Final = {
    ("us", "dial"): ((350.0, 440.0), STEADY),
    ("us", "busy"): ((480.0, 620.0), (0.5, 0.5)),
    ("us", "ringback"): ((440.0, 480.0), (2.0, 4.0)),
    ("uk", "dial"): ((350.0, 450.0), STEADY),
    ("uk", "busy"): ((400.0,), (0.375, 0.375)),
    ("uk", "ringback"): ((400.0, 450.0), (0.4, 0.2, 0.4, 2.0)),
    ("de", "dial"): ((425.0,), STEADY),
    ("de", "busy"): ((425.0,), (0.48, 0.48)),
    ("de", "ringback"): ((425.0,), (1.0, 4.0)),
    ("fr", "dial"): ((440.0,), STEADY),
    ("fr", "busy"): ((440.0,), (0.5, 0.5)),
    ("fr", "ringback"): ((440.0,), (1.5, 3.5)),
    ("jp", "dial"): ((400.0,), STEADY),
    ("jp", "busy"): ((400.0,), (0.5, 0.5)),
    ("jp", "ringback"): ((384.0, 416.0), (1.0, 2.0)),
    ("it", "dial"): ((425.0,), (0.2, 0.2, 0.6, 1.0)),
    ("it", "busy"): ((425.0,), (0.5, 0.5)),
    ("it", "ringback"): ((425.0,), (1.0, 4.0)),
}
"""Frequencies in Hz and seconds on and off (ITU-T E.180, Supplement 2)."""


class DialTone(Component):
    """What a telephone network says without words: dial tone, busy tone, ringback, by country.

    Steady or in a cadence; two frequencies are added (the American dial tone beats 90 times a second, 440 and 350 Hz). Lines
    carry 300 to 3400 Hz, and a little distortion adds harmonics at `harmonics_db`.

    Examples
    --------
    >>> DialTone(duration=1.0, country="us", kind="busy").render(RenderContext(sr=8000)).shape
    (1, 8000)
    """

    type_name: ClassVar[str] = "dial_tone"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.0},
        {"duration": 1.0, "country": "de", "kind": "busy", "harmonics_db": -20.0},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [2, 6]},
        "country": {"choice": ["us", "uk", "de", "fr", "jp", "it"]},
        "kind": {"choice": ["dial", "busy", "ringback"]},
        "harmonics_db": {"uniform": [-60, -25]},
    }

    duration: EventDuration = 3.0
    country: Annotated[Literal["us", "uk", "de", "fr", "jp", "it"], Field(description="Whose network")] = "us"
    kind: Annotated[Literal["dial", "busy", "ringback"], Field(description="Which tone")] = "dial"
    harmonics_db: Annotated[float, number(-90, 0, "dB", "Third harmonic re the tone")] = -45.0
    amplitude: signals.Amplitude = 1.0

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the tone, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        frequencies, pattern = TONES[self.country, self.kind]
        t, y = signals.times(n, sr), np.zeros(n)
        for f in frequencies:
            y += signals.sine(f * t) + 10.0 ** (self.harmonics_db / 20.0) * float(
                waves.taper(3.0 * f, sr)
            ) * signals.sine(3.0 * f * t)
        on = np.ones(n) if pattern == STEADY else cadences.gate(pattern, n_samples=n, sr=sr, edge=0.004)
        return shaped.finished(y * on, sr=sr, amplitude=self.amplitude)
