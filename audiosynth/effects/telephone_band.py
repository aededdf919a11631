"""The band of a telephone."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.sound.dynamics import factors
from audiosynth.sound.firs import centred, symmetric_taps

BANDS: Final = {
    "narrowband": ((0, -60), (50, -40), (200, -6), (285, 0), (3100, 0), (3400, -0.3), (3600, -3), (4000, -18), (4600, -50), (5000, -70)),
    "wideband": ((0, -30), (20, -18), (45, -3), (75, 0), (6700, 0), (7000, -0.3), (7200, -3), (8000, -50), (8400, -70)),
}  # fmt: skip
"""(Hz, dB), joined by straight lines: inside what G.712 and G.722 allow, with a flat band."""
REACH: Final = 0.04
"""Seconds of the filter on either side, for its lower slopes."""


@lru_cache(maxsize=16)
def _taps(band: str, sr: int) -> Array:
    hz, db = (np.array(column, dtype=np.float64) for column in zip(*BANDS[band], strict=True))
    return symmetric_taps(lambda f: factors(np.interp(f, hz, db)), sr=sr, reach=REACH)


class TelephoneBand(InPlace):
    """Band limits of a telephone, without its codec.

    Linear phase with the delay taken out. What of a band lies above half the sampling rate has no effect: a wideband
    telephone at 8 kHz cuts lows only. The rate stays; for 8 kHz data set `sr: 8000`, or use `resample_round_trip` beside it.

    Parameters
    ----------
    band
        ``narrowband``: 300 to 3400 Hz within 1 dB, -3 dB near 240 and 3600 Hz, -18 dB at 4 kHz, at least -40 dB from 4.6 kHz;
        ``wideband``: 90 to 7000 Hz within 1 dB, -3 dB near 50 and 7200 Hz, at least -40 dB from 8 kHz.

    References
    ----------
    ITU-T G.712 (2001), "Transmission performance characteristics of pulse code modulation channels", attenuation over
    frequency of 4-wire channels; ITU-T G.722 (2012), audio parts of 50 to 7000 Hz.
    """

    type_name: ClassVar[str] = "telephone_band"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"band": "wideband"})

    band: Annotated[Literal["narrowband", "wideband"], Field(description="300-3400 Hz or 50-7000 Hz")] = "narrowband"

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` in the band."""
        return centred(y, _taps(self.band, ctx.sr))
