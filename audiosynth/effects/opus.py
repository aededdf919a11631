"""Opus: the codec of calls and of the web."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.coding import lossy
from audiosynth.effects._in_place import InPlace
from audiosynth.errors import RenderError

RATES: Final = (8000, 12000, 16000, 24000, 48000)
_LOWEST, _HIGHEST = 6.0, 256.0
"""kbit/s of a channel (libopus, `OPUS_SET_BITRATE` as libsndfile calls it)."""


class Opus(InPlace):
    """Through an Opus file and back (RFC 6716).

    Sound stays where it was; Opus drops what is below some 3 Hz and, at low bit rates, what is high. Sampling rates that Opus lacks are
    resampled to the next above and back; more than two channels are coded one by one. What is beyond full scale is clipped.

    Parameters
    ----------
    bitrate
        Of a stream of one or two channels, on average: calls have 16 to 32 a channel; below 12 speech is narrow.
    """

    type_name: ClassVar[str] = "opus"
    portability: ClassVar[str] = "pinned"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"bitrate": 24.0}, {"bitrate": 96.0})

    bitrate: Annotated[
        float,
        Field(ge=_LOWEST, le=2 * _HIGHEST, description="bit rate of a stream", json_schema_extra={"unit": "kbit/s"}),
    ]

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the file gives it back, of the same shape.

        Raises
        ------
        RenderError
            If the bit rate is none of a stream of so many channels.
        """
        n = y.shape[0] if y.shape[0] <= lossy.STEREO else 1
        each = self.bitrate / n
        if not _LOWEST <= each <= _HIGHEST:
            raise RenderError(
                f"opus: {self.bitrate:g} kbit/s for a stream of {n} channels; it takes {n * _LOWEST:g} to {n * _HIGHEST:g}"
            )
        level = (_HIGHEST - each) / (_HIGHEST - _LOWEST)
        coder = lossy.Coder(container="OGG", subtype="OPUS", rates=RATES, level=level)
        return lossy.round_trip(y, sr=ctx.sr, coder=coder)

    def needs(self) -> tuple[str, ...]:
        """Return libsndfile's version and the platform."""
        return lossy.needs()
