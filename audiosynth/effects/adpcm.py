"""IMA ADPCM: four bits a sample."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.coding import waveform
from audiosynth.effects._in_place import InPlace


class Adpcm(InPlace):
    """Through IMA ADPCM and back: differences in four bits, with a step that follows the sound (DVI4 of RFC 3551, games, recorders).

    One stream from the start of the sound to its end, without the blocks of files. What is beyond full scale is clipped.

    Parameters
    ----------
    rate
        Where the codec runs: at the rate of the clip, or resampled to 8000 or 16000 Hz and back.
    """

    type_name: ClassVar[str] = "adpcm"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"rate": 8000})

    rate: Annotated[
        Literal["clip", 8000, 16000], Field(description="where the codec runs", json_schema_extra={"unit": "Hz"})
    ] = "clip"

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the codec gives it back, of the same shape."""
        rates = None if self.rate == "clip" else (self.rate,)
        return waveform.round_trip(y, sr=ctx.sr, rates=rates, code=waveform.ima)
