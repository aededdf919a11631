"""Parametric equalizer: any number of bands."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.errors import ParameterError
from audiosynth.quantities import number
from audiosynth.sound.biquads import bandwidth_term, equalizer, run


class Band(BaseModel):
    """One band: a peak (or dip) at a frequency, or a shelf from it on.

    Parameters
    ----------
    kind
        ``peaking``, ``lowshelf`` or ``highshelf``.
    frequency
        Centre of a peak, midpoint of a shelf.
    gain_db
        At the centre, or far up the shelf.
    q
        Centre over bandwidth of a peak; steepness of a shelf.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    kind: Annotated[Literal["peaking", "lowshelf", "highshelf"], Field(description="shape of the band")] = "peaking"
    frequency: Annotated[float, number(1, 500_000, "Hz", "centre, or midpoint of a shelf")]
    gain_db: Annotated[float, number(-60, 60, "dB", "at the centre, or far up the shelf")]
    q: Annotated[float, number(0.05, 100, "", "quality")] = 0.7071


class Equalizer(InPlace):
    """Parametric equalizer: peaks and shelves, one after the other.

    Parameters
    ----------
    bands
        ``[{kind, frequency, gain_db, q}, …]``.

    References
    ----------
    R. Bristow-Johnson, "Audio EQ Cookbook", W3C Note, 2021; see `audiosynth.sound.biquads`.
    """

    type_name: ClassVar[str] = "equalizer"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "bands": [
                {"kind": "lowshelf", "frequency": 200.0, "gain_db": -6.0},
                {"frequency": 1000.0, "gain_db": 4.0, "q": 2.0},
                {"kind": "highshelf", "frequency": 3000.0, "gain_db": 3.0},
            ]
        },
    )

    bands: Annotated[
        tuple[Band, ...], Field(min_length=1, max_length=64, strict=False, description="peaks and shelves, in order")
    ]

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` filtered from rest.

        Raises
        ------
        ParameterError
            If a frequency is not below half the sampling rate.
        """
        return run(y, np.concatenate([_section(i, band, ctx.sr) for i, band in enumerate(self.bands)]))


def _section(i: int, band: Band, sr: int) -> Array:
    if band.frequency >= sr / 2:
        raise ParameterError(
            f"bands[{i}]: expected a frequency below half the sampling rate ({sr / 2:g} Hz at sr {sr}), got "
            f"{band.frequency:g} Hz; lower it or raise sr"
        )
    alpha = bandwidth_term(band.frequency, sr=sr, gain_db=band.gain_db, q=band.q, slope=None)
    return equalizer(band.kind, band.frequency, gain_db=band.gain_db, alpha=alpha, sr=sr)
