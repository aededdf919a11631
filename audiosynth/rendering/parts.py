"""The parts of a clip put together: gains, and the sum."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from audiosynth import levels
from audiosynth.clip import Array
from audiosynth.dsp import BLOCK, block_energies
from audiosynth.rendering.beds import Noise
from audiosynth.rendering.gains import Meter, bed_gain, bed_gain_under, event_gain
from audiosynth.rendering.images import Image, amplitude
from audiosynth.rendering.realised import Realised
from audiosynth.sound.mixing import add_scaled
from audiosynth.spec import ClipSpec

Foreground = Callable[[Sequence[float]], levels.Stretches]
"""The sum of the events of the foreground under these gains, on the reference channel."""
STRETCH: Final = 4 * BLOCK
"""Samples that are added up at once, so that a processor's cache holds them."""
DRIFT_DB: Final = 2e-6
"""A replayed gain further than this from what is measured now is worth a warning."""


@dataclass(frozen=True)
class Gains:
    """Gains of the events (on top of their rooms') and of the bed, in dB."""

    events: tuple[float, ...]
    bed: float

    @classmethod
    def measure(cls, meter: Meter, images: Sequence[Image], foreground: Foreground | None = None) -> Gains:
        """Measure what the levels of a clip ask for; `foreground` is its sum under gains, where the images have no samples."""
        bed = bed_gain(meter)
        events = tuple(event_gain(meter, i, image, bed_gain_db=bed) for i, image in enumerate(images))
        if meter.spec.noise is not None and meter.spec.noise.snr_db is not None:
            front = foreground(events) if foreground else foreground_of(meter.spec, images, events)[meter.ref]
            bed = bed_gain_under(meter, front, images)
        return cls(events, bed)

    def drift(self, used: Gains) -> tuple[str, ...]:
        """Return in words where the gains used differ from those measured."""
        if used is self:  # nothing was decided before
            return ()
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


def add_image(total: Array, image: Image, gain: float) -> None:
    """Add an image to the clip where it falls; what lies outside is cut."""
    added, a = placed(image, gain, 0, total.shape[1])
    if added.shape[1]:
        total[:, a : a + added.shape[1]] += added


def placed(image: Image, gain: float, first: int, last: int) -> tuple[Array, int]:
    """Return what of an image falls between two samples of the clip, under a gain, and from which sample of the clip on."""
    a, b = max(first, image.start), min(last, image.start + image.y.shape[1])
    return image.y[:, a - image.start : max(a, b) - image.start] * gain, a


@dataclass(frozen=True)
class Parts:
    """The sum of a clip, its peak, its mean square on the reference channel, and what it is made of."""

    total: Array
    peak: float
    power: float
    images: Sequence[Image]
    gains: Gains
    noise: Noise | None

    @classmethod
    def of(
        cls, spec: ClipSpec, images: Sequence[Image], noise: Noise | None, gains: Gains, realised: Realised
    ) -> Parts:
        """Add everything up, in the order of the spec; what is added is measured on the way."""
        added, ref, n = [], spec.reference_channel, spec.n_samples
        for image, gain in zip(images, gains.events, strict=True):
            y, start = placed(image, amplitude(gain + image.room_gain_db), 0, n)
            realised.event(y, start, gain)
            added.append((y, start))
        if noise is None:
            summed = _sum(added, None, 0.0, shape=(spec.channels, n), channel=ref)
            return cls(*summed[:3], images, gains, noise)
        factor, foreground = amplitude(gains.bed), None
        if spec.noise is not None and spec.noise.snr_db is not None:
            foreground = foreground_of(spec, images, gains.events)[ref]
        summed = _sum(added, noise.y, factor, shape=(spec.channels, n), channel=ref)
        bed = levels.Channel(n, lambda start, n: noise.y[ref, start : start + n] * factor)
        realised.noise(levels.Weighings.of_blocks(bed, spec.sr, summed.bed_blocks), foreground)
        return cls(*summed[:3], images, gains, noise)


class _Sum(NamedTuple):
    """The sum of a clip, its peak, its mean square on one channel, and the energies there of the bed's blocks under its gain."""

    total: Array
    peak: float
    power: float
    bed_blocks: Array


def _sum(
    added: Sequence[tuple[Array, int]], bed: Array | None, factor: float, *, shape: tuple[int, int], channel: int
) -> _Sum:
    """Add up a clip, stretch by stretch, and measure it while a stretch is at hand."""
    total, peaks, found, whole = np.empty(shape), [0.0], [np.zeros(0)], levels.Energy()
    scratch = np.empty((shape[0], min(STRETCH, shape[1])))
    for a in range(0, shape[1], STRETCH):
        y = total[:, a : a + STRETCH]
        under = _added_up(added, y, a)
        if bed is None:
            np.add(0.0 if under is None else under, 0.0, out=y)
            peaks.append(levels.peak(y))
        else:
            heard = scratch[:, : y.shape[1]]
            rows = zip([None] * len(y) if under is None else under, bed[:, a : a + STRETCH], heard, y, strict=True)
            peaks += [add_scaled(one, part, factor, scaled=own, total=row) for one, part, own, row in rows]
            found.append(block_energies(heard[channel]))
        whole.add(y[channel])
    return _Sum(total, _largest(peaks), whole.total() / shape[1], np.concatenate(found))


def _added_up(added: Sequence[tuple[Array, int]], y: Array, a: int) -> Array | None:
    """Return the sum of parts in a stretch of the clip from sample `a` on: the only one's own samples, or `y`; None if none sounds."""
    b, found = a + y.shape[1], None
    for part, start in added:
        first, last = max(a, start), min(b, start + part.shape[1])
        if first >= last:
            continue
        here = part[:, first - start : last - start]
        if found is None and (first, last) == (a, b):
            found = here
            continue
        if found is None:
            y.fill(0.0)
        elif found is not y:
            np.add(found, 0.0, out=y)  # as from zeros on
        y[:, first - a : last - a] += here
        found = y
    return found


def _largest(peaks: Sequence[float]) -> float:
    """Return the largest of some peaks, NaN where one is: what `np.max` gives, at a tenth of its cost for a few."""
    return math.nan if any(map(math.isnan, peaks)) else max(peaks)


def stems_sum(spec: ClipSpec) -> bool:
    """Return whether the stems of this clip sum to its mix (not after a non-linear effect on the mix)."""
    return all(getattr(effect, "linear", False) for effect in spec.mix.effects)
