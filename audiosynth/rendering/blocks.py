"""What long clips are made of, in stretches: the bed, and the events' images while they are heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from audiosynth import levels
from audiosynth.clip import Array, RenderContext
from audiosynth.kept import Kept
from audiosynth.material.workspace import Workspace
from audiosynth.rendering.beds import Noise, in_bed, in_stretches, layer_level_db
from audiosynth.rendering.gains import Meter
from audiosynth.rendering.images import Image, amplitude, make_image, round_gain
from audiosynth.rendering.parts import Gains, placed
from audiosynth.rendering.realised import Realised
from audiosynth.spec import ClipSpec, Decisions

BLOCK: Final = 2**18
"""Samples that are made at once: a multiple of the blocks that energies, quantisers and encoders go by."""
IMAGE_BYTES: Final = 2**25
"""Most memory held by images between passes; what does not fit is made again."""


def spans(n_samples: int) -> Iterator[tuple[int, int]]:
    """Yield the first and one-past-last sample of each block."""
    for a in range(0, n_samples, BLOCK):
        yield a, min(a + BLOCK, n_samples)


class Bed:
    """The bed in stretches: the layers under their gains and envelopes, and their sum."""

    def __init__(self, spec: ClipSpec, ctx: RenderContext, decided: Decisions | None) -> None:
        self._spec, bed = spec, spec.noise
        places = {} if bed is None else {f"noise.layers[{j}]": layer for j, layer in enumerate(bed.layers)}
        self._layers = [
            in_stretches(layer.source, spec, bed, ctx=ctx, place=place) for place, layer in places.items() if bed
        ]
        gains = [0.0] * len(self._layers) if decided is None else list(decided.layer_gain_db)
        for j, (place, layer) in enumerate(places.items()):
            if layer.level_dbfs is not None and decided is None:
                power = self._energy(self._layers[j]).total() / float(spec.n_samples)
                gains[j] = round_gain(layer.level_dbfs - layer_level_db(power, place))
        self.layer_gain_db = tuple(gains)
        self._weighed: dict[float, levels.Weighings] = {}

    def as_noise(self) -> Noise | None:
        """Return the record that says that there is a bed, and of what gains."""
        if self._spec.noise is None:
            return None
        return Noise(np.zeros((self._spec.channels, 0)), self.layer_gain_db)

    def __call__(self, start: int, n_samples: int) -> Array:
        """Return a stretch of the bed before its own gain."""
        bed, total = self._spec.noise, np.zeros((self._spec.channels, n_samples))
        for j, made in enumerate(self._layers):
            y = made(start, n_samples)
            if bed is not None:
                y = in_bed(y, bed, j, gain_db=self.layer_gain_db[j], sr=self._spec.sr, start=start)
            total = y if j == 0 else total + y
        return total

    def weighings(self, gain_db: float) -> levels.Weighings:
        """Return the reference channel for level readings, under a gain; the bed itself has 0."""
        if gain_db not in self._weighed:
            ref, sr, factor = self._spec.reference_channel, self._spec.sr, amplitude(gain_db)
            channel = levels.Channel(self._spec.n_samples, lambda start, n: self(start, n)[ref] * factor)
            made = self._energy(lambda start, n: self(start, n) * factor)
            self._weighed[gain_db] = levels.Weighings.of_blocks(channel, sr, made.blocks)
        return self._weighed[gain_db]

    def _energy(self, made: Callable[[int, int], Array]) -> levels.Energy:
        found = levels.Energy()
        for a, b in spans(self._spec.n_samples):
            found.add(made(a, b - a)[self._spec.reference_channel])
        return found


class Scene:
    """The events: their images when they are heard, and at all times all of them but their samples."""

    def __init__(
        self, spec: ClipSpec, ctx: RenderContext, work: Workspace, decided: Decisions | None, meter: Meter
    ) -> None:
        self._spec, self._ctx, self._work, self._decided, self._meter = spec, ctx, work, decided, meter
        self._kept: Kept[Image] = Kept(IMAGE_BYTES)
        self.images: list[Image] = []
        for i, event in enumerate(spec.events):
            image = self.image(i)
            if event.level is not None:
                meter.signal(i, image, event.level)
                meter.forget(i)
            self.images.append(self._remembered(image))

    def image(self, i: int) -> Image:
        """Return the image of event `i`."""
        image = self._kept.get(i)
        if image is None:
            image = make_image(self._spec, i, ctx=self._ctx, work=self._work, decided=self._decided)
            self._kept.put(i, image, image.y.nbytes + image.dry.nbytes)
        return image

    def _remembered(self, image: Image) -> Image:
        """Return an image without its samples, and without those of a response whose measures are known by its key."""
        dry, y = (_silent(array) for array in (image.dry, image.y))
        response = image.response
        if response is not None and response.key is not None:
            self._work.measures(response, self._spec.sr, self._spec.reference_channel)
            response = replace(response, h=_silent(response.h))
        return replace(image, dry=dry, y=y, response=response, part=None)

    def foreground(self, gains: Sequence[float]) -> levels.Channel:
        """Return what `parts.foreground_of` gives on the reference channel, in stretches."""

        def stretch(start: int, n: int) -> Array:
            total = np.zeros(n)
            for i, known in enumerate(self.images):
                if self._spec.events[i].role != "foreground" or not heard_in(known, start, start + n):
                    continue
                factor = amplitude(gains[i] + known.room_gain_db)
                added, first = placed(self.image(i), factor, start, start + n)
                total[first - start : first - start + added.shape[1]] += added[self._spec.reference_channel]
            return total

        return levels.Channel(self._spec.n_samples, stretch)

    def realised(self, gains: Gains) -> Realised:
        """Return what the events come out at under their gains."""
        images: list[Image] = list(self.images)
        found = Realised(self._meter, images)
        for i, gain in enumerate(gains.events):
            image = images[i] = self.image(i)
            found.event(*placed(image, amplitude(gain + image.room_gain_db), 0, self._spec.n_samples), gain)
            images[i] = self.images[i]
            self._meter.forget(i)
        return found


def heard_in(image: Image, first: int, last: int) -> bool:
    """Return whether any of an image falls between two samples of the clip."""
    return image.start < last and image.start + image.y.shape[1] > first


def _silent(y: Array) -> Array:
    """Return zeros of the same shape that take no memory."""
    return np.broadcast_to(np.float64(0.0), y.shape)
