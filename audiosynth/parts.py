"""The parts of a clip put together: gains, the sum, and integer stems that add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import energy
from audiosynth.gains import Meter, bed_gain, bed_gain_under, event_gain
from audiosynth.images import Image, amplitude, part_of, widened
from audiosynth.realised import Realised
from audiosynth.spec import ClipSpec
from audiosynth.workspace import Workspace

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
    a, b = max(0, image.start), min(total.shape[1], image.start + image.y.shape[1])
    added = image.y[:, a - image.start : max(a, b) - image.start] * gain
    if b > a:
        total[:, a:b] += added
    return added, a


@dataclass(frozen=True)
class Parts:
    """The sum of a clip, and what it is made of."""

    total: Array
    images: Sequence[Image]
    gains: Gains
    noise: Array | None

    @classmethod
    def of(cls, spec: ClipSpec, images: Sequence[Image], noise: Any, gains: Gains, realised: Realised) -> Parts:
        """Add everything up, in the order of the spec; what is added is measured on the way."""
        total = np.zeros((spec.channels, spec.n_samples))
        for image, gain in zip(images, gains.events, strict=True):
            realised.event(*add_image(total, image, amplitude(gain + image.room_gain_db)), gain)
        if noise is not None:
            bed = noise.y * amplitude(gains.bed)
            plain = all(event.role == "foreground" for event in spec.events)
            realised.noise(bed, total if plain else foreground_of(spec, images, gains.events))
            total += bed
        return cls(total, images, gains, None if noise is None else noise.y)

    def floats(self, spec: ClipSpec) -> dict[str, Array]:
        """Return every event and the bed alone, clip-long, before the mix's own effects and gains."""
        out = {}
        for i, (image, gain) in enumerate(zip(self.images, self.gains.events, strict=True)):
            alone = np.zeros((spec.channels, spec.n_samples))
            add_image(alone, image, amplitude(gain + image.room_gain_db))
            out[stem_name(spec, i)] = alone
        if self.noise is not None:
            out["noise"] = self.noise * amplitude(self.gains.bed)
        return out

    def stems(
        self, spec: ClipSpec, ctx: RenderContext, mix: npt.NDArray[Any], gain: float
    ) -> dict[str, npt.NDArray[Any]]:
        """Return integer stems; the largest takes the remainder, so that they sum to the mix exactly."""
        stems, power = {}, {}
        for name, y in self.floats(spec).items():
            for effect in spec.mix.effects:
                if getattr(effect, "linear", False):
                    y = effect.apply(y, ctx)  # type: ignore[attr-defined]  # noqa: PLW2901
            power[name] = sum(energy(row) for row in y) * gain * gain
            stems[name] = np.rint(y * (gain * 32768.0)).astype(np.int32)
        if stems and stems_sum(spec):
            largest = max(power, key=lambda name: power[name])
            stems[largest] += mix.astype(np.int32) - np.sum(list(stems.values()), axis=0, dtype=np.int32)
        return stems


def image_stems(
    spec: ClipSpec, parts: Parts, *, ctx: RenderContext, work: Workspace, gain: float
) -> dict[str, npt.NDArray[Any]]:
    """Return the parts of every event's image that `output.images` asks for, as integers on the mix's scale.

    Early is what arrives up to 50 ms after the direct sound (C50's limit), late the rest of the image; an event without a
    room is all direct. They are named after the event's stem with the part's name behind a dot, and are no part of the sum.
    """
    out = {}
    for i, (image, own) in enumerate(zip(parts.images, parts.gains.events, strict=True)):
        heard = {part: _part(image, part, spec.sr, work) for part in spec.output.images}
        for part, y in heard.items():
            alone = np.zeros((spec.channels, spec.n_samples))
            add_image(alone, replace(image, y=widened(y, spec.channels, "images")), amplitude(own + image.room_gain_db))
            for effect in spec.mix.effects:
                if getattr(effect, "linear", False):
                    alone = effect.apply(alone, ctx)  # type: ignore[attr-defined]
            out[f"{stem_name(spec, i)}.{part}"] = np.rint(alone * (gain * 32768.0)).astype(np.int32)
    return out


def _part(image: Image, part: str, sr: int, work: Workspace) -> Array:
    if image.response is None:
        return np.zeros_like(image.y) if part == "late" else image.y
    y = part_of(image, "early" if part == "late" else part, sr, work)
    if part != "late":
        return y
    late = np.array(image.y)
    late[:, : y.shape[1]] -= y[:, : late.shape[1]]
    return late


def stem_name(spec: ClipSpec, i: int) -> str:
    """Return the name of an event's stem: its number and label, safe as a file name."""
    label = spec.events[i].label or spec.events[i].name or "event"
    safe = "".join(c if c.isascii() and c.isalnum() else "_" for c in label.lower())[:40]
    return f"event{i:02d}_{safe}"


def stems_sum(spec: ClipSpec) -> bool:
    """Return whether the stems of this clip sum to its mix (not after a non-linear effect on the mix)."""
    return all(getattr(effect, "linear", False) for effect in spec.mix.effects)
