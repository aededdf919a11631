"""G.711: eight bits a sample, the codec of digital telephony."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.coding import waveform
from audiosynth.effects._in_place import InPlace


class G711(InPlace):
    """Through G.711 and back: noise some 38 dB below the sound over a wide range of levels (ITU-T G.711, 64 kbit/s).

    At 8 kHz, so nothing above 4 kHz is left, or with `rate: clip` at the clip's own. Other rates are resampled there and back. What is
    beyond full scale is clipped.

    Parameters
    ----------
    law
        ``mu`` of North America and Japan, ``a`` of the rest.
    rate
        Where the codec runs: ``8000`` Hz as in telephony, or at the rate of the clip, as µ-law files do.
    """

    type_name: ClassVar[str] = "g711"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"law": "mu"}, {"law": "a", "rate": "clip"})

    law: Annotated[Literal["mu", "a"], Field(description="mu of North America and Japan, a of the rest")]
    rate: Annotated[
        Literal[8000, "clip"], Field(description="where the codec runs", json_schema_extra={"unit": "Hz"})
    ] = 8000

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the codec gives it back, of the same shape."""
        rates = (8000,) if self.rate == 8000 else None
        return waveform.round_trip(y, sr=ctx.sr, rates=rates, code=partial(waveform.g711, law=self.law))
