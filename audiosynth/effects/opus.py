"""Opus: the codec of calls and of the web."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.coding import lossy
from audiosynth.effects._in_place import InPlace
from audiosynth.effects._switches import MOST, After, require_rising
from audiosynth.errors import RenderError

RATES: Final = (8000, 12000, 16000, 24000, 48000)
_LOWEST, _HIGHEST = 6.0, 256.0
"""kbit/s of a channel (libopus, `OPUS_SET_BITRATE` as libsndfile calls it)."""
Switch = Annotated[tuple[After, Annotated[float, Field(ge=_LOWEST, le=2 * _HIGHEST)]], Field(strict=False)]


class Opus(InPlace):
    """Through an Opus file and back (RFC 6716).

    Sound stays where it was; Opus drops what is below some 3 Hz and, at low bit rates, what is high. Sampling rates that Opus lacks are
    resampled to the next above and back; more than two channels are coded one by one. What is beyond full scale is clipped.

    Parameters
    ----------
    bitrate
        Of a stream of one or two channels, on average: calls have 16 to 32 a channel; below 12 speech is narrow.
    switches
        Other bit rates from these seconds of the sound on, as in a call that follows its network; blended over 20 ms.
    """

    type_name: ClassVar[str] = "opus"
    portability: ClassVar[str] = "pinned"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"bitrate": 24.0},
        {"bitrate": 96.0},
        {"bitrate": 32.0, "switches": [[0.1, 12.0], [0.2, 24.0]]},
    )

    bitrate: Annotated[
        float,
        Field(ge=_LOWEST, le=2 * _HIGHEST, description="bit rate of a stream", json_schema_extra={"unit": "kbit/s"}),
    ]

    switches: Annotated[tuple[Switch, ...], Field(max_length=MOST, strict=False)] | None = Field(
        None, description="[[seconds, kbit/s], …]: other bit rates from then on", json_schema_extra={"unit": ""}
    )

    @model_validator(mode="after")
    def _in_order(self) -> Opus:
        require_rising(self.switches or ())
        return self

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the file gives it back, of the same shape.

        Raises
        ------
        RenderError
            If the bit rate is none of a stream of so many channels.
        """
        n = y.shape[0] if y.shape[0] <= lossy.STEREO else 1
        turns = [(at, _coder(kbit, n)) for at, kbit in ((0.0, self.bitrate), *(self.switches or ()))]
        return lossy.switched(y, sr=ctx.sr, turns=turns)

    def needs(self) -> tuple[str, ...]:
        """Return libsndfile's version and the platform."""
        return lossy.needs()


def _coder(bitrate: float, n_channels: int) -> lossy.Coder:
    each = bitrate / n_channels
    if not _LOWEST <= each <= _HIGHEST:
        raise RenderError(
            f"opus: {bitrate:g} kbit/s for a stream of {n_channels} channels; it takes {n_channels * _LOWEST:g} to "
            f"{n_channels * _HIGHEST:g}"
        )
    return lossy.Coder(container="OGG", subtype="OPUS", rates=RATES, level=(_HIGHEST - each) / (_HIGHEST - _LOWEST))
