"""Peak normalisation."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import resample
from audiosynth.effects._in_place import InPlace
from audiosynth.errors import RenderError
from audiosynth.quantities import number

TRUE_PEAK_RATE = 4
"""BS.1770-5, annex 2: true peaks are read at four times the rate at least."""


class Normalise(InPlace):
    """Give a sound its peak: one gain for all channels.

    Parameters
    ----------
    peak_dbfs
        Of the largest sample of all channels afterwards; it is not passed (the gain is rounded down to 1e-6 dB).
    true_peak
        Measure between the samples too, at four times the rate.

    References
    ----------
    ITU-R BS.1770-5 (2023), annex 2, for true peaks.
    """

    type_name: ClassVar[str] = "normalise"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"peak_dbfs": -1.0}, {"peak_dbfs": -3.0, "true_peak": True})

    peak_dbfs: Annotated[float, number(-120, 0, "dBFS", "largest sample afterwards")] = 0.0
    true_peak: Annotated[bool, Field(description="measure between the samples too")] = False

    def apply(self, y: Array, ctx: RenderContext) -> Array:  # noqa: ARG002 - the same at any rate
        """Return `y` with its new peak.

        Raises
        ------
        RenderError
            If the sound is silent.
        """
        peak = float(np.abs(y).max(initial=0.0))
        if self.true_peak:
            peak = max(peak, float(np.abs(resample(y, sr_in=1, sr_out=TRUE_PEAK_RATE)).max(initial=0.0)))
        if peak <= 0.0:
            raise RenderError("normalise: the sound is silent, so it has no peak to set; leave `normalise` out")
        gain_db = math.floor((self.peak_dbfs - 20.0 * math.log10(peak)) * 1e6) / 1e6
        return np.asarray(y * 10.0 ** (gain_db / 20.0))
