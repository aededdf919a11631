"""MP3: encoded by LAME, decoded by mpg123."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.coding import lossy
from audiosynth.effects._switches import MOST, After, require_rising
from audiosynth.errors import ParameterError
from audiosynth.files.mpeg import LAME_DELAY
from audiosynth.registry import Component

RATES: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
Switch = Annotated[tuple[After, Annotated[float, Field(ge=8, le=320)]], Field(strict=False)]
_LOWEST_VBR: Final = 0.999
"""libsndfile refuses LAME's last setting, 10."""


def bitrates(sr: int) -> tuple[int, int]:
    """Return the lowest and highest bit rate in kbit/s at a sampling rate (ISO/IEC 11172-3, 13818-3; below 16 kHz "MPEG 2.5").

    Examples
    --------
    >>> bitrates(44100), bitrates(16000), bitrates(8000)
    ((32, 320), (8, 160), (8, 64))
    """
    return (32, 320) if sr >= 32_000 else (8, 160) if sr >= 16_000 else (8, 64)


class Mp3(Component):
    """Through an MP3 file and back: low-passed, with noise around strikes (pre-echo) where the bit rate is low.

    Sound stays where it was, to the sample. Sampling rates that MP3 lacks are resampled to the next above and back; more than two
    channels are coded one by one. What is beyond full scale is clipped.

    Parameters
    ----------
    bitrate
        Constant, of a stream of one or two channels; the nearest that the format has at the sampling rate (32 to 320 from 32 kHz on,
        8 to 160 from 16 kHz on, 8 to 64 below).
    vbr
        In place of it, LAME's variable bit rate (-V): 0 is the best, 9 the smallest.
    switches
        Other constant bit rates from these seconds of the sound on, as in a stream that follows its network; blended over 20 ms.
    """

    type_name: ClassVar[str] = "mp3"
    portability: ClassVar[str] = "pinned"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"bitrate": 32.0},
        {"vbr": 5.0},
        {"bitrate": 64.0, "switches": [[0.1, 32.0], [0.2, 48.0]]},
    )

    bitrate: Annotated[float, Field(ge=8, le=320)] | None = Field(
        None, description="constant bit rate of a stream", json_schema_extra={"unit": "kbit/s"}
    )
    vbr: Annotated[float, Field(ge=0, le=9.99)] | None = Field(
        None, description="variable bit rate instead: 0 is best, 9 smallest", json_schema_extra={"unit": ""}
    )

    switches: Annotated[tuple[Switch, ...], Field(max_length=MOST, strict=False)] | None = Field(
        None, description="[[seconds, kbit/s], …]: other bit rates from then on", json_schema_extra={"unit": ""}
    )

    @model_validator(mode="after")
    def _one(self) -> Mp3:
        if (self.bitrate is None) == (self.vbr is None):
            raise ValueError(
                "expected one of bitrate and vbr; give a bit rate in kbit/s, or LAME's quality from 0 to 9"
            )
        if self.switches and self.vbr is not None:
            raise ValueError("switches go with a constant bitrate, not with vbr; leave one of them out")
        require_rising(self.switches or ())
        return self

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the file gives it back, of the same shape."""
        return lossy.switched(y, sr=ctx.sr, turns=self._turns(ctx.sr))

    def extent(self, n_samples: int, sr: int) -> int:
        """Return `n_samples`.

        Raises
        ------
        ParameterError
            If MP3 has no such bit rate at the sampling rate.
        """
        self._turns(sr)
        return n_samples

    def segments(self, n_samples: int, sr: int) -> list[Segment]:  # noqa: ARG002 - the same at any rate
        """Return one segment: nothing moves."""
        return [Segment(0, n_samples, 0, n_samples)]

    def needs(self) -> tuple[str, ...]:
        """Return libsndfile's version and the platform."""
        return lossy.needs()

    def _turns(self, sr: int) -> list[tuple[float, lossy.Coder]]:
        """Return from when on which coder is heard."""
        if self.vbr is not None:
            return [(0.0, _coder(min(_LOWEST_VBR, self.vbr / 10.0), "VARIABLE"))]
        rate = lossy.nearest_rate(sr, RATES)
        return [
            (at, _coder(_constant(kbit, rate), "CONSTANT"))
            for at, kbit in ((0.0, self.bitrate or 0.0), *(self.switches or ()))
        ]


def _coder(level: float, mode: str) -> lossy.Coder:
    return lossy.Coder(
        container="MP3", subtype="MPEG_LAYER_III", rates=RATES, level=level, mode=mode, untold=LAME_DELAY
    )


def _constant(wanted: float, rate: int) -> float:
    low, high = bitrates(rate)
    if not low <= wanted <= high:
        raise ParameterError(f"mp3: {wanted:g} kbit/s at {rate} Hz; MP3 has {low} to {high} there")
    return min(_LOWEST_VBR, (high - wanted) / (high - low))
