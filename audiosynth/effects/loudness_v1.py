"""Loudness normalisation after ITU-R BS.1770; version 1, as rows of old manifests have it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.effects._loudness import at_loudness
from audiosynth.quantities import number
from audiosynth.sound.loudness import integrated_loudness


class Loudness(InPlace):
    """Give a sound a loudness: one gain for all channels, whatever its peak becomes.

    An event's level is set after its effects; use this where the effects that follow depend on how loud it is, or on the mix.

    Parameters
    ----------
    target_lufs
        Integrated loudness afterwards, in LUFS. Sounds shorter than 0.4 s are measured without gates.

    References
    ----------
    ITU-R BS.1770-5 (2023), annex 1; the gain is rounded to 1e-6 dB.
    """

    type_name: ClassVar[str] = "loudness"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"target_lufs": -23.0}, {"target_lufs": -16.0})

    target_lufs: Annotated[float, number(-70, 0, "LUFS", "integrated loudness afterwards")]

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` at its new loudness.

        Raises
        ------
        RenderError
            If the sound is silent.
        """
        return at_loudness(y, now=integrated_loudness(y, ctx.sr), target=self.target_lufs)
