"""Levels of one clip: what every event and the bed measure, and the gains that make the requested numbers true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from audiosynth import levels, responses
from audiosynth.clip import Array, Response
from audiosynth.errors import RenderError
from audiosynth.images import Image, Noise, round_gain
from audiosynth.spec import ClipSpec, Level
from audiosynth.workspace import Workspace

Intervals = list[tuple[int, int]]
SILENT_BED_DB: Final = 60.0
"""A bed this far under its own mean on an event's span is an error, not an SNR (DESIGN 5.4)."""


@dataclass
class Meter:
    """Measures the events and the bed of one clip; each reading once."""

    spec: ClipSpec
    noise: Noise | None
    work: Workspace
    _kept: dict[object, float] = field(default_factory=dict)

    @property
    def ref(self) -> int:
        """Return the channel that levels are measured on."""
        return self.spec.reference_channel

    def span(self, i: int, image: Image, kind: str) -> Intervals:
        """Return the samples of the clip that a level of event `i` is measured over."""
        place = self.spec.events[i].place
        n = self.spec.n_samples
        if kind == "clip" or place is None:
            return [(0, n)]
        pieces = place.active if kind == "active" else ((0, place.n_samples),)
        cut = [(max(0, a + image.shift), min(n, b + image.shift)) for a, b in pieces]
        return [(a, b) for a, b in cut if b > a]

    def signal_db(self, i: int, image: Image, level: Level) -> float:
        """Return the level of event `i` before its own gain (with its room's), in dB.

        Raises
        ------
        RenderError
            If nothing of it sounds on the span.
        """
        clip_span = self.span(i, image, level.span)
        if level.signal == "dry" or level.spl_db_1m is not None:
            y, offset, room_gain = image.dry[0], image.shift, 0.0
        else:
            heard = self._part(image, level.signal)
            y, offset, room_gain = heard[min(self.ref, heard.shape[0] - 1)], image.start, image.room_gain_db
        span = [(a - offset, b - offset) for a, b in clip_span]
        db = levels.level_db(y, sr=self.spec.sr, intervals=span, measure=level.measure).db
        if not math.isfinite(db):
            raise RenderError(
                f"events[{i}]: the source is silent on the span its level is measured over ({level.span}); "
                "choose another recording or segment, or `span: event`"
            )
        return db + room_gain

    def _part(self, image: Image, part: str) -> Array:
        if part == "image" or image.response is None:
            return image.y
        cut = responses.early_part if part == "early" else responses.direct_part
        response = image.response
        return self.work.convolve(image.dry, Response(cut(response.h, self.spec.sr, image.direct), response.delay))

    def noise_db(self, intervals: Intervals, measure: str) -> float:
        """Return the level of the bed before its own gain over `intervals`, in dB."""
        if self.noise is None:
            raise RenderError("the clip has no noise")
        key = (measure, tuple(intervals))
        if key not in self._kept:
            self._kept[key] = levels.level_db(
                self.noise.y[self.ref], sr=self.spec.sr, intervals=intervals, measure=measure  # type: ignore[arg-type]
            ).db  # fmt: skip
        return self._kept[key]

    def bed_under(self, i: int, image: Image, level: Level) -> float:
        """Return the level of the bed where event `i` sounds.

        Raises
        ------
        RenderError
            If the bed all but vanishes there.
        """
        n = self.spec.n_samples
        whole = self.noise_db([(0, n)], level.measure)
        db = whole if level.noise_span == "clip" else self.noise_db(self.span(i, image, level.span), level.measure)
        if not db > whole - SILENT_BED_DB:
            raise RenderError(
                f"events[{i}]: the noise is {whole - db:.0f} dB under its own mean where the event sounds, so an SNR there means "
                "nothing; use another noise or start, or `noise_span: clip`"
            )
        return db


def event_gain(meter: Meter, i: int, image: Image, *, bed_gain_db: float) -> float:
    """Return the gain of event `i` on top of its room's, on the 1e-6 dB grid."""
    level = meter.spec.events[i].level
    if level is None:
        return 0.0
    signal = meter.signal_db(i, image, level)
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


def bed_gain_under(meter: Meter, foreground: Array, images: Sequence[Image]) -> float:
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
    spans = levels.clean_intervals([p for i, image in enumerate(images) for p in meter.span(i, image, "active")], n)
    db = (
        levels.level_db(foreground[meter.ref], sr=meter.spec.sr, intervals=spans, measure=bed.measure).db
        if spans
        else -math.inf
    )
    under = meter.noise_db(spans, bed.measure) if spans else -math.inf
    if not (math.isfinite(db) and math.isfinite(under)):
        raise RenderError("noise.snr_db: no event (or no noise) sounds in this clip; give the bed a level_dbfs instead")
    return round_gain(db - bed.snr_db - under)
