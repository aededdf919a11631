"""The parts of a clip put together: gains, and the sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from audiosynth import levels
from audiosynth.clip import Array
from audiosynth.dsp import BLOCK, block_energies
from audiosynth.rendering.beds import Noise
from audiosynth.rendering.gains import Meter, bed_gain, bed_gain_under, event_gain
from audiosynth.rendering.images import Image, amplitude
from audiosynth.rendering.realised import Realised
from audiosynth.spec import ClipSpec

STRETCH: Final = 4 * BLOCK
"""Samples of the bed that are added at once, so that a processor's cache holds them."""
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
    """The sum of a clip, its peak, and what it is made of."""

    total: Array
    peak: float
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
        if noise is None:
            return cls(total, levels.peak(total), images, gains, noise)
        ref, factor, foreground = spec.reference_channel, amplitude(gains.bed), None
        if spec.noise is not None and spec.noise.snr_db is not None:
            plain = all(event.role == "foreground" for event in spec.events)
            foreground = np.array(total[ref]) if plain else foreground_of(spec, images, gains.events)[ref]
        blocks, peak = _add_bed(total, noise.y, factor, channel=ref)
        bed = levels.Channel(spec.n_samples, lambda start, n: noise.y[ref, start : start + n] * factor)
        realised.noise(levels.Weighings.of_blocks(bed, spec.sr, blocks), foreground)
        return cls(total, peak, images, gains, noise)


def _add_bed(total: Array, bed: Array, factor: float, *, channel: int) -> tuple[Array, float]:
    """Add the bed to a clip; return the energies of the blocks of what was added on one channel, and the peak of the sum."""
    found, peak = [], 0.0
    scratch = np.empty((total.shape[0], min(STRETCH, total.shape[1])))
    for start in range(0, total.shape[1], STRETCH):
        y = total[:, start : start + STRETCH]
        added = np.multiply(bed[:, start : start + STRETCH], factor, out=scratch[:, : y.shape[1]])
        found.append(block_energies(added[channel]))
        y += added
        peak = float(np.maximum(peak, levels.peak(y)))  # NaN stays NaN
    return np.concatenate(found), peak


def stems_sum(spec: ClipSpec) -> bool:
    """Return whether the stems of this clip sum to its mix (not after a non-linear effect on the mix)."""
    return all(getattr(effect, "linear", False) for effect in spec.mix.effects)
