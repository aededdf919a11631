"""G.722: wideband telephony."""

from __future__ import annotations

from typing import Any, ClassVar

from audiosynth.clip import Array, RenderContext
from audiosynth.coding import waveform
from audiosynth.effects._in_place import InPlace


class G722(InPlace):
    """Through the wideband codec of ISDN and DECT and back (ITU-T G.722, mode 1: 64 kbit/s): two bands of adaptive differences.

    At 16 kHz, so nothing above 8 kHz is left; other rates are resampled there and back. The 22 samples that its filters take are taken
    away again. Bytes and samples are those of the standard. What is beyond full scale is clipped.
    """

    type_name: ClassVar[str] = "g722"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the codec gives it back, of the same shape."""
        return waveform.round_trip(y, sr=ctx.sr, rates=(16_000,), code=waveform.g722)
