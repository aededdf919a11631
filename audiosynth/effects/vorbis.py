"""Vorbis: the codec of Ogg files."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.coding import lossy
from audiosynth.effects._in_place import InPlace
from audiosynth.effects._switches import MOST, After, require_rising

RATES: Final = (8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000)
"""Rates that libvorbis has its own tuning for."""
Switch = Annotated[tuple[After, Annotated[float, Field(ge=0, le=10)]], Field(strict=False)]


class Vorbis(InPlace):
    """Through an Ogg Vorbis file and back.

    Sound stays where it was, to the sample. Sampling rates that the encoder is not tuned for are resampled to the next above and back;
    more than two channels are coded one by one. What is beyond full scale is clipped.

    Parameters
    ----------
    quality
        Of the encoder: 0 is some 64 kbit/s in stereo at 44.1 kHz, 5 some 160, 10 some 500.
    switches
        Other qualities, and so bit rates, from these seconds of the sound on; blended over 20 ms.
    """

    type_name: ClassVar[str] = "vorbis"
    portability: ClassVar[str] = "pinned"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"quality": 0.0},
        {"quality": 6.5},
        {"quality": 6.0, "switches": [[0.1, 0.0]]},
    )

    quality: Annotated[
        float,
        Field(ge=0, le=10, description="0 is the smallest file, 10 the best sound", json_schema_extra={"unit": ""}),
    ]

    switches: Annotated[tuple[Switch, ...], Field(max_length=MOST, strict=False)] | None = Field(
        None, description="[[seconds, quality], …]: other qualities from then on", json_schema_extra={"unit": ""}
    )

    @model_validator(mode="after")
    def _in_order(self) -> Vorbis:
        require_rising(self.switches or ())
        return self

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the file gives it back, of the same shape."""
        turns = [(at, _coder(quality)) for at, quality in ((0.0, self.quality), *(self.switches or ()))]
        return lossy.switched(y, sr=ctx.sr, turns=turns)

    def needs(self) -> tuple[str, ...]:
        """Return libsndfile's version and the platform."""
        return lossy.needs()


def _coder(quality: float) -> lossy.Coder:
    return lossy.Coder(container="OGG", subtype="VORBIS", rates=RATES, level=1.0 - quality / 10.0)
