"""The parts of a clip put together: gains, and the sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from audiosynth import levels
from audiosynth.clip import Array
from audiosynth.rendering.beds import Noise
from audiosynth.rendering.gains import Meter, bed_gain, bed_gain_under, event_gain
from audiosynth.rendering.images import Image, amplitude
from audiosynth.rendering.realised import Realised
from audiosynth.spec import ClipSpec

DRIFT_DB: Final = 2e-6
"""A replayed gain further than this from what is measured now is worth a warning."""


@dataclass(frozen=True)
class Gains:
    """Gains of the events (on top of their rooms') and of the bed, in dB."""

    events: tuple[float, ...]
    bed: float

    @classmethod
    def measure(cls, meter: Meter, images: Sequence[Image]) -> Gains:
        """Measure what the levels of a clip ask for."""
        bed = bed_gain(meter)
        events = tuple(event_gain(meter, i, image, bed_gain_db=bed) for i, image in enumerate(images))
        if meter.spec.noise is not None and meter.spec.noise.snr_db is not None:
            foreground = foreground_of(meter.spec, images, events)
            bed = bed_gain_under(meter, foreground, images)
        return cls(events, bed)

    def drift(self, used: Gains) -> tuple[str, ...]:
        """Return in words where the gains used differ from those measured."""
        pairs = [
            *((f"events[{i}]", a, b) for i, (a, b) in enumerate(zip(self.events, used.events, strict=True))),
            ("noise", self.bed, used.bed),
        ]
        return tuple(
            f"{name}: measured {a:.6f} dB now, the row says {b:.6f} dB" for name, a, b in pairs if abs(a - b) > DRIFT_DB
        )


def foreground_of(spec: ClipSpec, images: Sequence[Image], gains: Sequence[float]) -> Array:
    """Return the sum of the events of the foreground, clip-long."""
    total = np.zeros((spec.channels, spec.n_samples))
    for event, image, gain in zip(spec.events, images, gains, strict=True):
        if event.role == "foreground":
            add_image(total, image, amplitude(gain + image.room_gain_db))
    return total


def add_image(total: Array, image: Image, gain: float) -> tuple[Array, int]:
    """Add an image to the clip where it falls; what lies outside is cut. Return what was added, and from which sample."""
    added, a = placed(image, gain, 0, total.shape[1])
    if added.shape[1]:
        total[:, a : a + added.shape[1]] += added
    return added, a


def placed(image: Image, gain: float, first: int, last: int) -> tuple[Array, int]:
    """Return what of an image falls between two samples of the clip, under a gain, and from which sample of the clip on."""
    a, b = max(first, image.start), min(last, image.start + image.y.shape[1])
    return image.y[:, a - image.start : max(a, b) - image.start] * gain, a


@dataclass(frozen=True)
class Parts:
    """The sum of a clip, and what it is made of."""

    total: Array
    images: Sequence[Image]
    gains: Gains
    noise: Noise | None

    @classmethod
    def of(
        cls, spec: ClipSpec, images: Sequence[Image], noise: Noise | None, gains: Gains, realised: Realised
    ) -> Parts:
        """Add everything up, in the order of the spec; what is added is measured on the way."""
        total = np.zeros((spec.channels, spec.n_samples))
        for image, gain in zip(images, gains.events, strict=True):
            realised.event(*add_image(total, image, amplitude(gain + image.room_gain_db)), gain)
        if noise is not None:
            bed = noise.y * amplitude(gains.bed)
            plain = all(event.role == "foreground" for event in spec.events)
            foreground = total if plain else foreground_of(spec, images, gains.events)
            realised.noise(levels.Weighings(bed[spec.reference_channel], spec.sr), foreground)
            total += bed
        return cls(total, images, gains, noise)


def stems_sum(spec: ClipSpec) -> bool:
    """Return whether the stems of this clip sum to its mix (not after a non-linear effect on the mix)."""
    return all(getattr(effect, "linear", False) for effect in spec.mix.effects)
