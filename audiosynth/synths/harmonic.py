"""A tone of many partials: strings, sirens, voices of machines."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import ParameterError
from audiosynth.registry import Component
from audiosynth.synthesis import signals

HIGHEST: Final = 0.45
"""Partials that ever reach this fraction of the sampling rate are left out, whole."""
_SECONDS = {"unit": "s"}


class Harmonic(Component):
    """A harmonic or stiff-string tone with vibrato and an ADSR envelope.

    Partial n has the frequency n·f0·sqrt(1 + B·n²), B the `inharmonicity` [1]_ (0 for a harmonic tone, around 4e-4
    in the middle of a piano), and the level slope_db·log2(n) dB; `partials_db` replaces `n_partials` and `slope_db`
    by a list of levels. All partials start in sine phase and are divided by the sum of all amplitudes: peak ≤
    amplitude ≤ 1 by construction, and a partial has the same level at any sampling rate. Vibrato moves all
    frequencies by vibrato_depth·sin(2π·vibrato_rate·t) cents. Partials that would pass 0.45 of the sampling rate at
    any time are left out.

    References
    ----------
    .. [1] H. Fletcher, "Normal vibration frequencies of a stiff piano string", J. Acoust. Soc. Am. 36, 1964.

    Examples
    --------
    >>> Harmonic(f0=220, duration=0.5).render(RenderContext(sr=8000)).shape
    (1, 4000)
    """

    type_name: ClassVar[str] = "harmonic"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"f0": 220.0, "duration": 0.25},
        {"f0": 110.0, "duration": 0.4, "n_partials": 30, "inharmonicity": 4e-4, "sustain_db": -12.0},
        {"f0": 440.0, "duration": 0.3, "partials_db": [0.0, -20.0, -6.0], "vibrato_rate": 6.0, "vibrato_depth": 50.0},
    )

    f0: Annotated[float, Field(ge=1, le=20_000, description="Fundamental", json_schema_extra={"unit": "Hz"})]
    duration: signals.Duration
    n_partials: Annotated[
        int, Field(ge=1, le=512, description="Number of partials", json_schema_extra={"unit": ""})
    ] = 10
    slope_db: Annotated[
        float, Field(ge=-60, le=12, description="Level over partial number", json_schema_extra={"unit": "dB/octave"})
    ] = -6.0
    partials_db: Annotated[
        tuple[Annotated[float, Field(ge=-120, le=0)], ...] | None,
        Field(strict=False, min_length=1, max_length=512, description="Levels of the partials, in place of n_partials "
              "and slope_db", json_schema_extra={"unit": "dB"}),
    ] = None  # fmt: skip
    inharmonicity: Annotated[
        float, Field(ge=0, le=0.1, description="Fletcher's B of a stiff string", json_schema_extra={"unit": ""})
    ] = 0.0
    vibrato_rate: Annotated[
        float, Field(ge=0, le=50, description="Vibrato cycles per second", json_schema_extra={"unit": "Hz"})
    ] = 5.0
    vibrato_depth: Annotated[
        float, Field(ge=0, le=1200, description="Vibrato peak deviation", json_schema_extra={"unit": "cents"})
    ] = 0.0
    attack: Annotated[float, Field(ge=0, le=60, description="Time to full level", json_schema_extra=_SECONDS)] = 0.01
    decay: Annotated[float, Field(ge=0, le=60, description="Time to the sustain level", json_schema_extra=_SECONDS)] = (
        0.0
    )
    sustain_db: Annotated[
        float, Field(ge=-120, le=0, description="Level after the decay", json_schema_extra={"unit": "dB"})
    ] = 0.0
    release: Annotated[
        float, Field(ge=0, le=60, description="Time to silence at the end", json_schema_extra=_SECONDS)
    ] = 0.02
    amplitude: signals.Amplitude = 1.0

    @model_validator(mode="after")
    def _fits(self) -> Harmonic:
        signals.require_fit(self.duration, attack=self.attack, decay=self.decay, release=self.release)
        return self

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def partials(self, sr: int) -> list[tuple[float, float]]:
        """Return (frequency as a multiple of f0, amplitude) of every partial that fits below 0.45·sr."""
        levels = self.partials_db or tuple(self.slope_db * np.log2(n) for n in range(1, self.n_partials + 1))
        amplitudes = [10.0 ** (level / 20.0) for level in levels]
        ratios = [n * math.sqrt(1.0 + self.inharmonicity * n * n) for n in range(1, len(levels) + 1)]
        limit = HIGHEST * sr / (self.f0 * float(_interval(np.asarray(self.vibrato_depth))))
        total = sum(amplitudes)
        return [(r, a / total) for r, a in zip(ratios, amplitudes, strict=True) if r < limit]

    def render(self, ctx: RenderContext) -> Array:
        """Return the tone, shape (1, n_samples)."""
        kept = self.partials(ctx.sr)
        if not kept:
            raise ParameterError(
                f"expected f0 below {HIGHEST * ctx.sr:g} Hz at sr {ctx.sr}, got {self.f0:g} Hz; lower f0"
            )
        n = self.extent(ctx.sr)
        cycles = self._fundamental(n, ctx.sr)
        wave = np.zeros(n)
        for ratio, amplitude in kept:
            wave += amplitude * signals.sine(ratio * cycles)
        times = {"attack": self.attack, "decay": self.decay, "release": self.release}
        envelope = signals.adsr(n, ctx.sr, **times, sustain=10.0 ** (self.sustain_db / 20.0))
        return (self.amplitude * wave * envelope)[None]

    def _fundamental(self, n: int, sr: int) -> Array:
        t = signals.times(n, sr)
        if not (self.vibrato_depth and self.vibrato_rate):
            return self.f0 * t
        cents = self.vibrato_depth * signals.sine(self.vibrato_rate * (t + 0.5 / sr))
        return signals.accumulated(self.f0 * _interval(cents), sr)


def _interval(cents: Array) -> Array:
    """Return the frequency ratio 2^(cents/1200)."""
    return 1.0 + signals.expm1(cents * (math.log(2.0) / 1200.0))
