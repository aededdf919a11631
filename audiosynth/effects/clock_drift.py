"""Clock drift: a recorder whose sampling rate is not quite what it says."""

from __future__ import annotations

from itertools import pairwise
from math import pi
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.coding.clock import Clock, read_at
from audiosynth.coding.lossy import fitted
from audiosynth.registry import Component

CHORD: Final = 0.1
"""Samples by which straight segments may miss the time map between their ends."""
Ppm = Annotated[float, Field(ge=-10_000, le=10_000, json_schema_extra={"unit": "ppm"})]


class ClockDrift(Component):
    """Record with a clock that is off by parts per million, steadily, wandering, or both.

    Devices of one set-up differ by some 10 to 100 ppm: half a second in an hour and a half. The rate of samples is sr·(1 + ppm·1e-6), so
    above 0 the recording is longer than what it recorded and sounds lower when it is played at `sr`. Interpolated with 64 taps; sound
    above 0.91 of half the rate has weak images.

    Parameters
    ----------
    ppm
        The steady offset.
    wander_ppm, period, phase
        A slow change: wander_ppm · sin(2π(t/period + phase)), t in seconds of the sound.
    keep_length
        End after as many samples as came in: the last ones are lost, or silence follows. For the mix, whose length is the clip's.

    References
    ----------
    S. Miyabe, N. Ono, S. Makino, Blind compensation of interchannel sampling frequency mismatch for ad hoc microphone array,
    Signal Processing 107, 2015: the model, and offsets of consumer devices.
    """

    type_name: ClassVar[str] = "clock_drift"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"ppm": 80.0},
        {"ppm": -5000.0, "wander_ppm": 3000.0, "period": 0.2, "phase": 0.25},
        {"ppm": 120.0, "keep_length": True},
    )

    ppm: Ppm = Field(description="steady offset of the recorder's rate; above 0 it takes more samples")
    wander_ppm: Ppm = Field(0.0, description="most of the offset that comes and goes")
    period: Annotated[float, Field(ge=0.1, le=86_400)] = Field(
        60.0, description="of the wander", json_schema_extra={"unit": "s"}
    )
    phase: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="of the wander at the start", json_schema_extra={"unit": "cycles"}
    )
    keep_length: bool = Field(False, description="end after as many samples as came in")

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the recorder has it."""
        n_own, n = self._own(y.shape[-1], ctx.sr), self.extent(y.shape[-1], ctx.sr)
        positions = self._clock(ctx.sr).position(np.arange(min(n, n_own), dtype=np.float64))
        return fitted(read_at(y, positions), n)

    def extent(self, n_samples: int, sr: int) -> int:
        """Return how many samples the recorder takes meanwhile, rounded to the nearest, or with `keep_length` `n_samples`."""
        return n_samples if self.keep_length else self._own(n_samples, sr)

    def segments(self, n_samples: int, sr: int) -> list[Segment]:
        """Return one segment for a steady clock, else as many as its wander takes, with ends rounded to whole samples."""
        clock, n_out = self._clock(sr), self.extent(n_samples, sr)
        n_knots = 1 + int(n_samples / clock.period * pi * np.sqrt(clock.swing() / (2.0 * CHORD)))
        heard = min(n_samples, int(np.rint(clock.position(np.array(float(n_out))))))
        ins = np.unique(np.rint(np.linspace(0, heard, n_knots + 1)).astype(np.int64))
        outs = np.minimum(n_out, np.floor(clock.taken(ins.astype(np.float64)) + 0.5).astype(np.int64))
        knots = list(zip(ins.tolist(), outs.tolist(), strict=True))
        return [Segment(a, b, c, d) for (a, c), (b, d) in pairwise(knots)]

    def _own(self, n_samples: int, sr: int) -> int:
        return max(1, int(np.floor(self._clock(sr).taken(np.array(float(n_samples))) + 0.5)))

    def _clock(self, sr: int) -> Clock:
        return Clock(ppm=self.ppm, wander_ppm=self.wander_ppm, period=self.period * sr, phase=self.phase)
