"""A siren of police, ambulance or fire brigade."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, voice, waves

PARTIALS: Final = 24
USUAL: Final = {"wail": (0.2, 2.0), "yelp": (3.3, 2.0), "hi_lo": (0.7, 4.0 / 3.0)}
"""Cycles a second, and highest fundamental over lowest."""


class Siren(Component):
    """Wail, yelp or hi-lo, through a horn.

    A wail sweeps up and down over an octave some 12 times a minute, a yelp three times a second (SAE J1849:
    wail 10 to 30, yelp 150 to 250 cycles a minute). Hi-lo alternates two notes a fourth apart (DIN 14610: 360 to 630 Hz,
    1 : 1.333). Electronic sirens drive a horn that passes 500 Hz to 3 kHz hard, so all partials are there.

    Examples
    --------
    >>> Siren(duration=1.0).render(RenderContext(sr=8000)).shape
    (1, 8000)
    """

    type_name: ClassVar[str] = "siren"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 1.0}, {"duration": 1.0, "kind": "hi_lo", "fmin": 440.0}, {"duration": 0.6, "kind": "yelp", "ratio": 1.6, "tempo": 1.2},
    )  # fmt: skip
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [3, 10]},
        "kind": {"weighted": [[2, "wail"], [1, "yelp"], [2, "hi_lo"]]},
        "fmin": {"uniform": [360, 750]},
        "tempo": {"uniform": [0.75, 1.3]},
        "tilt_db": {"uniform": [-14, -5]},
    }

    duration: EventDuration = 5.0
    kind: Annotated[Literal["wail", "yelp", "hi_lo"], Field(description="Slow sweep, quick sweep, two notes")] = "wail"
    fmin: Annotated[float, number(100, 3000, "Hz", "Lowest fundamental")] = 500.0
    ratio: Annotated[
        float | None,
        Field(
            ge=1.02,
            le=6,
            description="Highest over lowest; a fourth for hi-lo, 2 for the others if null",
            json_schema_extra={"unit": ""},
        ),
    ] = None
    tempo: Annotated[float, number(0.1, 10, "", "Speed over the usual one of its kind")] = 1.0
    tilt_db: Annotated[float, number(-24, 0, "dB/octave", "Slope of the partials outside the horn's band")] = -8.0
    amplitude: signals.Amplitude = 1.0

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the siren, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        f = self._track(n, sr)
        horn = [(900.0, 600.0), (2200.0, 1200.0)]
        y = waves.moving(f, lambda h, _: voice.tract(h, horn, tilt_db=self.tilt_db), sr=sr, n_partials=PARTIALS)
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.03)

    def _track(self, n: int, sr: int) -> Array:
        """Return the fundamental in Hz at each sample."""
        usual, interval = USUAL[self.kind]
        rate = usual * self.tempo
        phase = rate * (signals.times(n, sr) + 0.5 / sr)
        u = phase - np.floor(phase)
        if self.kind == "hi_lo":
            # two notes; the driver needs some ms to change
            edge = 0.02 * rate
            height = signals.rise((u - 0.5) / edge) * signals.rise((1.0 - u) / edge)
        elif self.kind == "yelp":
            height = np.where(u < 0.75, u / 0.75, (1.0 - u) / 0.25)
        else:
            height = 0.5 - 0.5 * signals.sine(u + 0.25)
        return np.asarray(self.fmin * (1.0 + signals.expm1(height * float(np.log(self.ratio or interval)))))
