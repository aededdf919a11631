"""The stems of a clip: what of it is written beside the mix, in the mix's own steps, so that the wet ones add up to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth import levels, pcm
from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import energy
from audiosynth.errors import RenderError
from audiosynth.material.stems import Part, Source, Stem, stems_of
from audiosynth.material.workspace import Workspace
from audiosynth.records.output import Output, Stems
from audiosynth.rendering.images import Image, amplitude, part_of, widened
from audiosynth.rendering.parts import Parts, add_image, stems_sum
from audiosynth.spec import ClipSpec

BITS: Final = {"PCM_16": 16, "PCM_24": 24}
"""Steps of a written mix; a FLOAT one has none."""
FLOAT_STEPS: Final = 2**24
"""Whole numbers up to here are float32 numbers."""


@dataclass(frozen=True)
class Separator:
    """Makes the stems of one clip.

    Attributes
    ----------
    spec, parts
        The clip, and what it is made of.
    ctx, work
        What components are given.
    """

    spec: ClipSpec
    parts: Parts
    ctx: RenderContext
    work: Workspace

    def stems(self, mix: Array, pcm16: npt.NDArray[Any], *, gain: float) -> dict[str, npt.NDArray[Any]]:
        """Return every stem by the name of its file.

        Parameters
        ----------
        mix, pcm16
            The mix before and after quantising; the stems are in the steps of its file, beside a FLOAT mix floats too.
        gain
            Of mix and guard, as a factor.

        Notes
        -----
        Each stem is rounded on its own and the largest takes the remainder (roundings, dither, clipped peaks), so that the
        wet stems sum to the mix exactly, and early and late ones to the wet.

        Raises
        ------
        RenderError
            If a stem goes beyond what its file can hold.
        """
        output, wanted = self.spec.output, self.spec.output.wanted
        whole = written(mix, pcm16, output.subtype)
        made = [(stem, part) for stem in _stems(self.spec, wanted) for part in _parts(stem, wanted)]
        wet = [stem.file(part) for stem, part in made if part == "wet"] if stems_sum(self.spec) else []
        out = in_steps({stem.file(part): self._sound(stem, part) * gain for stem, part in made}, whole, output, wet=wet)
        for stem, part in made if {"wet", "early"} <= set(wanted.parts) else ():
            if part == "late":
                out[stem.file("late")] = out[stem.file("wet")] - out[stem.file("early")]
        return {name: held(y, name, output) for name, y in out.items()}

    def peak(self) -> float:
        """Return the peak of all stems before the gains of mix and guard."""
        wanted = self.spec.output.wanted
        sounds = [self._sound(stem, part) for stem in _stems(self.spec, wanted) for part in _parts(stem, wanted)]
        return max((levels.peak(y) for y in sounds), default=0.0)

    def _sound(self, stem: Stem, part: Part) -> Array:
        """Return a part of a stem, clip-long, before the gains of mix and guard."""
        if not stem.events:
            y = self._bed(stem)
        elif part in ("dry", "source"):  # before the room: no microphone has heard it
            return self._unheard(stem, part)
        else:
            y = np.zeros((self.spec.channels, self.spec.n_samples))
            for i in stem.events:
                image = self.parts.images[i]
                heard = image.y if part == "wet" else widened(self._part(image, part), self.spec.channels, "stems")
                add_image(y, replace(image, y=heard), amplitude(self.parts.gains.events[i] + image.room_gain_db))
        for effect in self.spec.mix.effects:
            if getattr(effect, "linear", False):
                y = effect.apply(y, self.ctx)  # type: ignore[attr-defined]
        return y

    def _bed(self, stem: Stem) -> Array:
        noise = self.parts.noise
        if noise is None:
            raise RenderError(f"{stem.name}: the clip has no noise")
        y = noise.layers[stem.layers[0]] if noise.layers else noise.y
        return y * amplitude(self.parts.gains.bed)

    def _unheard(self, stem: Stem, part: Part) -> Array:
        """Return what no room has been added to, under the events' gains.

        Dry is the sound after its effects, where its direct sound arrives; the source is what they were applied to, where the event
        begins, so that what they delay is late against it.
        """
        sounds = [self._begun(i, part) for i in stem.events]
        y = np.zeros((max(sound.shape[0] for sound, _ in sounds), self.spec.n_samples))
        for i, (sound, start) in zip(stem.events, sounds, strict=True):
            part_of_it = replace(self.parts.images[i], y=widened(sound, y.shape[0], "stems"), start=start)
            add_image(y, part_of_it, amplitude(self.parts.gains.events[i]))
        return y

    def _begun(self, i: int, part: Part) -> tuple[Array, int]:
        """Return an event's sound before the room, and the sample of the clip that it begins at."""
        image, event = self.parts.images[i], self.spec.events[i]
        if part == "dry" or event.place is None:
            return image.dry, image.shift
        source: Any = event.source
        return source.render(self.ctx), event.place.onset

    def _part(self, image: Image, part: Part) -> Array:
        """Return the direct, early or late sound of an image; without a room all of it is direct."""
        if image.response is None:
            return np.zeros_like(image.y) if part == "late" else image.y
        y = part_of(image, "early" if part == "late" else part, self.spec.sr, self.work)
        if part != "late":
            return y
        late = np.array(image.y)
        late[:, : y.shape[1]] -= y[:, : late.shape[1]]
        return late


def _stems(spec: ClipSpec, wanted: Stems) -> Sequence[Stem]:
    sources = [Source(event.label, event.name, event.role) for event in spec.events]
    n_layers = 0 if spec.noise is None else len(spec.noise.layers)
    return stems_of(sources, n_layers, by=wanted.by, layers=wanted.layers)


def _parts(stem: Stem, wanted: Stems) -> tuple[Part, ...]:
    """Return the parts that a stem has files of; the bed is wet or nothing."""
    return tuple(part for part in wanted.parts if stem.events or part == "wet")


def written(y: Array, pcm16: npt.NDArray[Any], subtype: str) -> npt.NDArray[Any]:
    """Return the samples that a mix's file holds: 16 bits, 24 bits in int32, or float32."""
    if subtype == "PCM_16":
        return pcm16
    return y.astype(np.float32) if subtype == "FLOAT" else pcm.quantise(y, bits=24).pcm


def in_steps(
    sounds: Mapping[str, Array], mix: npt.NDArray[Any], output: Output, *, wet: Sequence[str]
) -> dict[str, npt.NDArray[Any]]:
    """Return sounds in the steps of the mix as written, as whole numbers; of the wet ones the largest takes what their sum lacks."""
    bits = BITS.get(output.subtype)
    if bits is None:
        return dict(sounds)
    out = {name: np.rint(y * 2.0 ** (bits - 1)).astype(np.int64) for name, y in sounds.items()}
    if wet:
        power = {name: sum(energy(row) for row in sounds[name]) for name in wet}
        largest = max(power, key=lambda name: power[name])
        out[largest] += mix - np.sum([out[name] for name in wet], axis=0)
    return out


def held(y: npt.NDArray[Any], name: str, output: Output) -> npt.NDArray[Any]:
    """Return a stem as its file holds it: float32 or int32 steps of the mix.

    Raises
    ------
    RenderError
        If it goes beyond what the file can hold.
    """
    wanted, bits = output.wanted, BITS.get(output.subtype)
    if bits is None:
        return y.astype(np.float32)
    top = 2 ** (bits - 1)
    low, high = (-FLOAT_STEPS, FLOAT_STEPS) if wanted.subtype == "FLOAT" else (-top, top - 1)
    if y.size and (y.min() < low or y.max() > high):
        peak = 20 * np.log10(max(-int(y.min()), int(y.max())) / top)
        way = "" if wanted.subtype == "FLOAT" else "`stems: {subtype: FLOAT}` holds it, "
        raise RenderError(
            f"stem {name} peaks at {peak:+.2f} dBFS, more than its file holds; {way}"
            "`mix: {guard: scale_all}` scales it with the mix, or lower the levels"
        )
    return y.astype(np.int32)


def file_samples(stem: npt.NDArray[Any], subtype: str, mix_subtype: str) -> npt.NDArray[Any]:
    """Return a stem's samples in the type that its file's subtype has.

    Float32 holds whole steps of 16 bits up to 512 times full scale, and of 24 bits up to twice, without error.
    """
    if subtype == "PCM_16":
        return stem.astype(np.int16)
    if subtype == "PCM_24" or mix_subtype == "FLOAT":
        return stem
    return (stem / 2.0 ** (BITS[mix_subtype] - 1)).astype(np.float32)
