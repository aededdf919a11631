"""Seven-band equalizer: another colour for every clip."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.sound.biquads import bandwidth_term, equalizer, run

CENTRES: Final = (63.0, 136.0, 292.0, 630.0, 1357.0, 2924.0, 6300.0)
"""Hz: a third of a decade from band to band, from the octave at 63 Hz to the third octave at 6.3 kHz."""
Q: Final = 1.3
"""Bandwidth of 1.1 octaves, the distance of the centres: 2^(b/2)/(2^b - 1) is 1.28 for b = 1.107."""
HIGHEST: Final = 0.45
"""Share of the sampling rate from which on a band has nothing left to act on, and is left out."""


class SevenBandEq(InPlace):
    """Seven bands: a low shelf at 63 Hz, peaks at 136, 292, 630, 1357 and 2924 Hz, a high shelf at 6300 Hz.

    Bands from 0.45 times the sampling rate on are left out (6300 Hz at 8 and 11 kHz). Gains that a recipe leaves out are
    drawn, each uniform between -12 and 12 dB.

    Parameters
    ----------
    gains_db
        Of the seven bands, from low to high.

    References
    ----------
    R. Bristow-Johnson, "Audio EQ Cookbook", W3C Note, 2021; see `audiosynth.sound.biquads`.
    """

    type_name: ClassVar[str] = "seven_band_eq"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"gains_db": [3.0, -6.0, 2.0, 0.0, 5.0, -2.0, -12.0]},
        {"gains_db": [0.0, 0.0, 0.0, 12.0, 0.0, 0.0, 0.0]},
    )
    drawn: ClassVar[dict[str, Any]] = {"gains_db": [{"uniform": [-12, 12]}] * len(CENTRES)}

    gains_db: Annotated[
        tuple[Annotated[float, Field(ge=-40, le=40)], ...],
        Field(
            min_length=7, max_length=7, strict=False, description="of the bands, from low to high",
            json_schema_extra={"unit": "dB"},
        ),
    ]  # fmt: skip

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` filtered from rest."""
        kinds = ("lowshelf", *["peaking"] * 5, "highshelf")
        sections = []
        for kind, centre, gain_db in zip(kinds, CENTRES, self.gains_db, strict=True):
            if centre < HIGHEST * ctx.sr:
                q = Q if kind == "peaking" else None
                alpha = bandwidth_term(centre, sr=ctx.sr, gain_db=gain_db, q=q, slope=None)
                sections.append(equalizer(kind, centre, gain_db=gain_db, alpha=alpha, sr=ctx.sr))
        return run(y, np.concatenate(sections))
