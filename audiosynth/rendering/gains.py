"""Levels of one clip: what every event and the bed measure, and the gains that make the requested numbers true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from audiosynth import levels
from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import RenderError
from audiosynth.material.workspace import Workspace
from audiosynth.records.level import Level
from audiosynth.rendering.beds import Noise
from audiosynth.rendering.images import Image, early_at_peak, part_of, round_gain
from audiosynth.spec import ClipSpec

Intervals = list[tuple[int, int]]
SILENT_BED_DB: Final = 60.0
"""A bed this far under its own mean on an event's span is an error, not an SNR (DESIGN 5.4)."""
NOISE_WINDOW: Final = 0.1
NOISE_ACTIVE_DB: Final = 50.0
"""Seconds of the windows in which DNS-Challenge's active_rms looks at a noise, and how far under its peak it is active there."""


@dataclass
class Meter:
    """Measures the events and the bed of one clip; each reading once."""

    spec: ClipSpec
    noise: Noise | None
    work: Workspace
    _kept: dict[object, float] = field(default_factory=dict)
    bed: levels.Weighings | None = None
    """The bed before its own gain, on the channel that levels are measured on; made when first asked for."""
    _signals: dict[int, levels.LevelReading] = field(default_factory=dict)
    _parts: dict[int, Array] = field(default_factory=dict)
    _spans: dict[tuple[int, str], Intervals] = field(default_factory=dict)
    foreground: levels.LevelReading | None = None
    """Level of the sum of the events, where the bed is set against it."""

    @property
    def ref(self) -> int:
        """Return the channel that levels are measured on."""
        return self.spec.reference_channel

    def span(self, i: int, image: Image, kind: str) -> Intervals:
        """Return the samples of the clip that a level of event `i` is measured over."""
        if (i, kind) not in self._spans:
            self._spans[i, kind] = self._span(i, image, kind)
        return self._spans[i, kind]

    def _span(self, i: int, image: Image, kind: str) -> Intervals:
        place = self.spec.events[i].place
        n = self.spec.n_samples
        if kind == "clip" or place is None:
            return [(0, n)]
        if kind == "noise":
            return self.noisy()
        if kind == "whole":
            return levels.clean_intervals([(image.start, image.start + image.y.shape[1])], n)
        pieces = place.active if kind == "active" else ((0, place.n_samples),)
        return levels.clean_intervals([(a + image.shift, b + image.shift) for a, b in pieces], n)

    def signal(self, i: int, image: Image, level: Level) -> levels.LevelReading:
        """Return the level of event `i` before its own gain (with its room's), and the measure it was taken with.

        Raises
        ------
        RenderError
            If nothing of it sounds on the span.
        """
        if i in self._signals:
            return self._signals[i]
        span = self.span(i, image, level.span)
        if not span:
            raise RenderError(
                f"events[{i}]: no sample of the span its level is measured over ({level.span}) lies inside the clip; "
                "place it earlier, make the clip longer, or choose `span: clip`"
            )
        y, start, room_gain = self.heard(i, image, level)
        y, inside = self.counted(y, start, span, level)
        reading = levels.level_db(y, sr=self.spec.sr, intervals=inside, measure=level.measure)
        if not math.isfinite(reading.db):
            raise RenderError(
                f"events[{i}]: the source is silent on the span its level is measured over ({level.span}); "
                "choose another recording or segment, or `span: event`"
            )
        self._signals[i] = levels.LevelReading(reading.db + room_gain, reading.measure_used)
        return self._signals[i]

    def counted(self, y: Array, start: int, span: Intervals, level: Level) -> tuple[Array, Intervals]:
        """Return the samples to measure of a signal that begins at `start` of the clip, and the intervals of them that count."""
        if level.span == "whole":
            return y, [(0, y.size)]
        if level.span in ("clip", "noise"):
            y, start = in_clip(y, start, self.spec.n_samples), 0
        return y, [(a - start, b - start) for a, b in span]

    def noisy(self) -> Intervals:
        """Return the windows of the clip in which the bed is active (`span: noise`)."""
        if self.noise is None:
            raise RenderError("the clip has no noise")
        y, width = self.noise.y[self.ref], seconds_to_samples(NOISE_WINDOW, self.spec.sr)
        starts = np.arange(0, y.size, width)
        power = np.add.reduceat(np.square(y), starts) / np.diff(np.append(starts, y.size))
        active = starts[power > np.square(y).max() * 10.0 ** (-NOISE_ACTIVE_DB / 10.0)]
        return levels.clean_intervals([(int(a), int(a) + width) for a in active], y.size)

    def recording_db(self, measure: levels.Measure) -> float:
        """Return the level of the bed before its own gain over all of its recording, heard or not (`noise_span: recording`)."""
        bed = self.spec.noise
        if bed is None or self.noise is None:
            raise RenderError("the clip has no noise")
        if ("recording", measure) not in self._kept:
            source: Any = bed.layers[0].source
            rows = source.recorded(RenderContext(self.spec.sr, self.spec.channels, self.work.assets))
            y = rows[min(self.ref, rows.shape[0] - 1)]
            reading = levels.level_db(y, sr=self.spec.sr, intervals=[(0, y.size)], measure=measure)
            self._kept["recording", measure] = reading.db + self.noise.layer_gain_db[0]
        return self._kept["recording", measure]

    def heard(self, i: int, image: Image, level: Level) -> tuple[Array, int, float]:
        """Return what of event `i` its level speaks of, where that begins in the clip, and its room's gain in dB."""
        if level.signal == "early_peak" and level.spl_db_1m is None:
            try:
                y, start = early_at_peak(image, self.ref, self.spec.sr, self.work)
            except RenderError as error:
                raise RenderError(f"events[{i}].level: {error}") from None
            return y, start, image.room_gain_db
        if level.signal == "dry" or level.spl_db_1m is not None:
            y, start, gain = image.dry, image.shift, 0.0
        else:
            y, start, gain = self._part(i, image, level.signal), image.start, image.room_gain_db
        return y[min(self.ref, y.shape[0] - 1)], start, gain

    def _part(self, i: int, image: Image, part: str) -> Array:
        if part == "image" or image.response is None:
            return image.y
        if i not in self._parts:
            self._parts[i] = part_of(image, part, self.spec.sr, self.work)
        return self._parts[i]

    def forget(self, i: int) -> None:
        """Let go of what was made to measure event `i`; its reading stays."""
        self._parts.pop(i, None)

    def noise_db(self, intervals: Intervals, measure: levels.Measure) -> float:
        """Return the level of the bed before its own gain over `intervals`, in dB."""
        if self.noise is None:
            raise RenderError("the clip has no noise")
        key = (measure, tuple(intervals))
        if key not in self._kept:
            if self.bed is None:
                self.bed = levels.Weighings(self.noise.y[self.ref], self.spec.sr)
            self._kept[key] = self.bed[measure].reading(intervals).db
        return self._kept[key]

    def bed_under(self, i: int, image: Image, level: Level) -> float:
        """Return the level of the bed where event `i` sounds.

        Raises
        ------
        RenderError
            If the bed all but vanishes there.
        """
        n = self.spec.n_samples
        if level.noise_span == "recording":
            return self.recording_db(level.measure)
        whole = self.noise_db([(0, n)], level.measure)
        db = whole if level.noise_span == "clip" else self.noise_db(self.span(i, image, level.span), level.measure)
        if not db > whole - SILENT_BED_DB:
            raise RenderError(
                f"events[{i}]: the noise is {whole - db:.0f} dB under its own mean where the event sounds, so an SNR there means "
                "nothing; use another noise or start, or `noise_span: clip`"
            )
        return db


def in_clip(y: Array, start: int, n_samples: int) -> Array:
    """Return one channel clip-long, as it is heard in the clip."""
    out = np.zeros(n_samples)
    a, b = max(0, start), min(n_samples, start + y.size)
    if b > a:
        out[a:b] = y[a - start : b - start]
    return out


def event_gain(meter: Meter, i: int, image: Image, *, bed_gain_db: float) -> float:
    """Return the gain of event `i` on top of its room's, on the 1e-6 dB grid."""
    level = meter.spec.events[i].level
    if level is None:
        return 0.0
    signal = meter.signal(i, image, level).db
    if level.snr_db is not None:
        return round_gain(level.snr_db + meter.bed_under(i, image, level) + bed_gain_db - signal)
    if level.spl_db_1m is not None:
        return round_gain(level.spl_db_1m - (meter.spec.calibration_db or 0.0) - signal)
    return round_gain((level.level_dbfs or 0.0) - signal)


def bed_gain(meter: Meter) -> float:
    """Return the gain of the bed where it has a level of its own (not an SNR).

    Raises
    ------
    RenderError
        If the bed is silent.
    """
    bed = meter.spec.noise
    if bed is None or (bed.level_dbfs is None and bed.spl_db is None):
        return 0.0
    now = meter.noise_db([(0, meter.spec.n_samples)], bed.measure)
    if not math.isfinite(now):
        raise RenderError("noise: the bed is silent, so it cannot be given a level; use `noise: null` for none")
    wanted = bed.level_dbfs if bed.level_dbfs is not None else (bed.spl_db or 0.0) - (meter.spec.calibration_db or 0.0)
    return round_gain(wanted - now)


def bed_gain_under(meter: Meter, foreground: Array | levels.Stretches, images: Sequence[Image]) -> float:
    """Return the gain that puts the bed `noise.snr_db` under the sum of the events where any of them is active.

    Raises
    ------
    RenderError
        If no event sounds.
    """
    bed = meter.spec.noise
    if bed is None or bed.snr_db is None:
        return 0.0
    n = meter.spec.n_samples
    spans = foreground_span(meter, images)
    meter.foreground = levels.level_db(foreground, sr=meter.spec.sr, intervals=spans, measure=bed.measure)
    db, under = meter.foreground.db, meter.noise_db(spans, bed.measure)
    if not (math.isfinite(db) and math.isfinite(under)):
        raise RenderError("noise.snr_db: no event (or no noise) sounds in this clip; give the bed a level_dbfs instead")
    whole = meter.noise_db([(0, n)], bed.measure)
    if not under > whole - SILENT_BED_DB:
        raise RenderError(
            f"noise.snr_db: the noise is {whole - under:.0f} dB under its own mean where the events sound, so an SNR there "
            "means nothing; use another noise or start, or give the bed a level_dbfs"
        )
    return round_gain(db - bed.snr_db - under)


def foreground_span(meter: Meter, images: Sequence[Image]) -> Intervals:
    """Return the samples of the clip where any event of the foreground is active."""
    front = [i for i, event in enumerate(meter.spec.events) if event.role == "foreground"]
    pieces = [piece for i in front for piece in meter.span(i, images[i], "active")]
    return levels.clean_intervals(pieces, meter.spec.n_samples)
