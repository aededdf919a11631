"""GSM 6.10: the first mobile telephones."""

from __future__ import annotations

from typing import Any, ClassVar

from audiosynth.clip import Array, RenderContext
from audiosynth.coding import lossy
from audiosynth.effects._in_place import InPlace


class Gsm(InPlace):
    """Through the full-rate speech codec of GSM and back (ETSI EN 300 961, 13 kbit/s).

    At 8 kHz, so nothing above 4 kHz is left; other rates are resampled there and back. Each channel is coded alone, sound stays where it
    was, and what is beyond full scale is clipped.
    """

    type_name: ClassVar[str] = "gsm"
    portability: ClassVar[str] = "pinned"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the codec gives it back, of the same shape."""
        coder = lossy.Coder(container="WAV", subtype="GSM610", rates=(8000,), n_channels=1)
        return lossy.round_trip(y, sr=ctx.sr, coder=coder)

    def needs(self) -> tuple[str, ...]:
        """Return libsndfile's version and the platform."""
        return lossy.needs()
