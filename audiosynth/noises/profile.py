"""Noise with the character of a place, from a noise profile."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.profiles import sound as profile_sound
from audiosynth.profiles.profile import Profile as Content
from audiosynth.registry import Component
from audiosynth.synthesis import signals

_HUM: dict[str, Any] = {
    "description": "an example", "made": "designed", "bands": [[63.0, -6.0], [80.0, -3.0], [100.0, -4.0], [125.0, -9.0]],
    "modulation": [{"fmin": 0.0, "fmax": 90.0, "rates": [[1.0, 3.0]]}], "tones": [{"frequency": 100.0, "level_db": -6.0, "drift": 0.1}],
    "impulses": {"rate": 4.0, "level_db": -12.0}, "switching": {"on": 0.3, "off": 0.2, "depth_db": 6.0, "edge": 0.05},
}  # fmt: skip


class Profile(Component):
    """Endless noise made from a noise profile: third-octave levels that waver, tones, impulses.

    `profile` names one that comes with audiosynth (``audiosynth profile list``) or a ``.yaml`` file beside the recipe, such as
    ``audiosynth learn`` writes. The recipe's load puts the profile's content into the spec, so that a row needs no file and a
    file that changes later changes no clip. RMS is 1 (0 dBFS) by design. Channels are independent but for the profile's
    `coherence`; what wavers does so in all of them. Bands and tones above half the rate are left out.
    """

    type_name: ClassVar[str] = "profile"
    version: ClassVar[int] = 2
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"profile": "an example", "content": _HUM, "seed": 1},)

    profile: str = Field(min_length=1, max_length=200, description="Name of a shipped profile, or a .yaml file")
    content: Content = Field(strict=False, description="What is in it; filled by the plan")
    seed: signals.Seed

    def render(self, ctx: RenderContext, *, start: int, n_samples: int) -> Array:
        """Return samples [start, start + n_samples), shape (n_channels, n_samples)."""
        return self._channels(self.content, ctx, start, n_samples)

    def streams(self, ctx: RenderContext, *, start: int, n_samples: int) -> Array:
        """Return the same with independent channels, to be mixed to a field."""
        return self._channels(self.content.model_copy(update={"coherence": 0.0}), ctx, start, n_samples)

    def _channels(self, content: Content, ctx: RenderContext, start: int, n_samples: int) -> Array:
        made = [
            profile_sound.render(content, seed=self.seed, sr=ctx.sr, channel=i, start=start, n_samples=n_samples)
            for i in range(ctx.n_channels)
        ]
        return np.stack(made)
