"""How loud an event is: a number, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from audiosynth.records.fields import Strict


class Level(Strict):
    """What an event's level means, and how much of it.

    Exactly one of `snr_db`, `level_dbfs`, `spl_db_1m` is set; the rest says how it is measured. Recipes may name the
    definition of another tool (`as: kaldi`), which stands written out here.
    """

    elsewhere: ClassVar[Mapping[str, str]] = {
        "as": "expected the name of a definition, kaldi, nemo or dns, as it stands (to draw one, draw whole levels)"
    }
    snr_db: float | None = Field(None, ge=-200, le=200, description="dB over the noise bed")
    level_dbfs: float | None = Field(None, ge=-200, le=60, description="dB re full scale (RMS 1.0)")
    spl_db_1m: float | None = Field(
        None, ge=-100, le=200, description="dB SPL of the dry source at 1 m; needs `calibration_db`"
    )
    measure: Literal["rms", "a_weighted", "lufs", "active_speech"] = "rms"
    span: Literal["active", "event", "clip", "whole", "noise"] = Field(
        "active",
        description="samples that count; whole: all of the signal, with what the clip cuts; noise: where the bed is within 50 dB "
        "of its peak, in windows of 0.1 s",
    )
    noise_span: Literal["same", "clip", "recording"] = Field(
        "same", description="samples of the bed that count; recording: all of its file, heard or not"
    )
    signal: Literal["image", "early", "direct", "dry", "early_peak"] = Field(
        "image", description="what counts of the event; early_peak: from 1 ms before to 50 ms after the response's peak"
    )

    @model_validator(mode="after")
    def _one(self) -> Level:
        levels = (("snr_db", self.snr_db), ("level_dbfs", self.level_dbfs), ("spl_db_1m", self.spl_db_1m))
        given = [name for name, value in levels if value is not None]
        if len(given) != 1:
            raise ValueError(f"expected exactly one of snr_db, level_dbfs, spl_db_1m; got {', '.join(given) or 'none'}")
        return self
