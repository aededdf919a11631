"""Long clips in bounded memory: the same functions as `render`, over blocks, and the same samples.

A pass over the noise gives the bed its level, one over the events gives each its gain, one over their sum gives peak and
power, and the last one quantises. What is heard in a block is made when the block comes, and let go of after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth import levels, pcm
from audiosynth.clip import Array, AssetReader, RenderContext
from audiosynth.errors import RenderError
from audiosynth.material.workspace import Workspace
from audiosynth.records.rendered import Clip
from audiosynth.render import dither_of, guard_gain_db, mix_gain_db
from audiosynth.rendering.blocks import Bed, Scene, heard_in, spans
from audiosynth.rendering.gains import Meter
from audiosynth.rendering.images import Image, amplitude
from audiosynth.rendering.outcomes import audible_of, bed_reading, decisions_of, labels_of, outcomes_of, readings_of
from audiosynth.rendering.parts import Gains, placed
from audiosynth.rendering.separate import written
from audiosynth.spec import ClipSpec, Decisions

STREAM_FROM: Final = 2**24
"""Samples over all channels from which a clip is streamed: 17 minutes of mono at 16 kHz, which take 1 GB in memory."""
SPECTRA_BYTES: Final = 2**24
"""Most memory held by kept spectra of responses, in bytes."""
RESPONSE_BYTES: Final = 2**25
"""Most memory held by simulated responses: those of events that are heard at about the same time."""
Sink = Callable[[npt.NDArray[Any]], None]
"""Is given the samples of each block as the clip's file holds them."""


def streams(spec: ClipSpec) -> bool:
    """Return whether a clip is long enough to be streamed, and all of it can be (`ClipSpec.in_blocks`)."""
    return spec.n_samples * spec.channels >= STREAM_FROM and not spec.output.stems and spec.in_blocks


def stream(
    spec: ClipSpec,
    decisions: Decisions | None = None,
    *,
    assets: AssetReader | Workspace | None = None,
    sink: Sink | None = None,
    kept: Decisions | None = None,
) -> Clip:
    """Render a clip in blocks.

    Parameters
    ----------
    spec, decisions, assets, kept
        As for `render`.
    sink
        Called with each block of samples, in order.

    Returns
    -------
    clip
        As `render` gives it, but without samples: `y` and `pcm16` are empty.

    Raises
    ------
    RenderError
        As `render` does, or if something of the clip needs a whole signal at once (`ClipSpec.in_blocks`).
    """
    if not spec.in_blocks:
        raise RenderError("this clip cannot be made in blocks; use `render`")
    # of its own: spectra of many long events would fill what shorter clips share
    reader = assets.assets if isinstance(assets, Workspace) else assets
    work = Workspace(reader, max_bytes=SPECTRA_BYTES, response_bytes=RESPONSE_BYTES)
    ctx = RenderContext(spec.sr, spec.channels, work.assets)
    known = decisions or kept
    bed = Bed(spec, ctx, known)
    meter = Meter(spec, bed.as_noise(), work, bed=bed.weighings(0.0) if spec.noise is not None else None)
    scene = Scene(spec, ctx, work, known, meter)
    measured = Gains.measure(meter, scene.images, scene.foreground)
    gains = measured if decisions is None else Gains(decisions.event_gain_db, decisions.bed_gain_db)
    realised = scene.realised(gains)
    if spec.noise is not None:
        front = None if spec.noise.snr_db is None else scene.foreground(gains.events)
        realised.noise(bed.weighings(gains.bed), front)
    mix = _Mix(spec, ctx, bed, scene, gains)
    mix_gain, guard = mix.own_gains(decisions)
    finished = mix.finish(mix_gain + guard, decisions, sink)
    readings = readings_of(meter, scene.images, realised, after_db=mix_gain + guard)
    audible = audible_of(spec, readings) if decisions is None else decisions.audible
    made = decisions_of(scene.images, gains, bed.layer_gain_db, audible, (mix_gain, guard), finished.ties)
    reading = bed_reading(meter, realised, after_db=mix_gain + guard)
    labels, none = labels_of(spec, scene.images, audible), np.zeros((spec.channels, 0))
    outcomes = outcomes_of(spec, finished.heard, finished.clipped, readings, reading, scene.images, guard, labels)
    return Clip(spec, none, none.astype(np.int16), finished.sha256, labels, made, outcomes, {}, measured.drift(gains))


@dataclass(frozen=True)
class _Finished:
    """What came of the last pass: the hash, peak and mean square of the mix, clipped samples, ties."""

    sha256: str
    heard: tuple[float, float]
    clipped: int
    ties: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class _Mix:
    """The sum of a clip, block after block."""

    spec: ClipSpec
    ctx: RenderContext
    bed: Bed
    scene: Scene
    gains: Gains

    def sums(self) -> Iterator[tuple[int, Array]]:
        """Yield the first sample of each block and the sum of what is heard in it, added in the order of the spec."""
        heard: dict[int, Image] = {}
        for a, b in spans(self.spec.n_samples):
            total = np.zeros((self.spec.channels, b - a))
            for i, known in enumerate(self.scene.images):
                if not heard_in(known, a, b):
                    heard.pop(i, None)
                    continue
                if i not in heard:
                    heard[i] = self.scene.image(i)
                added, first = placed(heard[i], amplitude(self.gains.events[i] + known.room_gain_db), a, b)
                total[:, first - a : first - a + added.shape[1]] += added
            if self.spec.noise is not None:
                total += self.bed(a, b - a) * amplitude(self.gains.bed)
            for effect in self.spec.mix.effects:
                total = effect.stretch(total, self.ctx, start=a, whole=self.spec.n_samples)  # type: ignore[attr-defined]
            yield a, total

    def own_gains(self, decided: Decisions | None) -> tuple[float, float]:
        """Return the gains of the mix and of its guard."""
        if decided is not None:
            return decided.mix_gain_db, decided.guard_gain_db
        heard = _Heard(self.spec)
        for _, y in self.sums():
            heard.add(y)
        mix_gain = 0.0 if self.spec.mix.level_dbfs is None else mix_gain_db(self.spec, heard.power())
        return mix_gain, guard_gain_db(self.spec, heard.peak, mix_gain)

    def finish(self, gain_db: float, decided: Decisions | None, sink: Sink | None) -> _Finished:
        """Quantise the mix and hand it to the sink."""
        spec, heard = self.spec, _Heard(self.spec)
        digest = pcm.PcmHash(spec.sr, spec.channels, spec.n_samples, "PCM_16")
        clipped, found = 0, []
        for a, y in self.sums():
            if gain_db != 0.0:
                y = y * amplitude(gain_db)  # noqa: PLW2901
            heard.add(y)
            n = y.shape[1]
            ties = None if decided is None else [(c, i - a, v) for c, i, v in decided.ties if a <= i < a + n]
            made = pcm.quantise(y, bits=16, ties=ties, dither=dither_of(spec, a, n))
            clipped += made.clipped
            found += [(c, i + a, v) for c, i, v in made.ties]
            digest.update(made.pcm)
            if sink is not None:
                sink(written(y, made.pcm, spec.output.subtype))
        kept = tuple(sorted(found)) if decided is None else decided.ties
        return _Finished(digest.hexdigest(), (heard.peak, heard.power()), clipped, kept)


class _Heard:
    """Peak and mean square of a mix that comes in blocks."""

    def __init__(self, spec: ClipSpec) -> None:
        self._ref, self._n, self._energy, self.peak = spec.reference_channel, spec.n_samples, levels.Energy(), 0.0

    def add(self, y: Array) -> None:
        self.peak = float(np.maximum(self.peak, levels.peak(y)))  # NaN stays NaN
        self._energy.add(y[self._ref])

    def power(self) -> float:
        return self._energy.total() / float(self._n)
