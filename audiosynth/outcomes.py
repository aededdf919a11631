"""What came out of rendering a clip: levels, SNRs, labels, peak."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from audiosynth import levels
from audiosynth.clip import Array, Label
from audiosynth.dsp import samples_to_seconds
from audiosynth.errors import RenderError
from audiosynth.gains import Meter, foreground_span
from audiosynth.images import Image
from audiosynth.parts import Gains, stems_sum
from audiosynth.spec import ClipSpec


def readings_of(meter: Meter, images: Sequence[Image], gains: Gains) -> list[dict[str, Any]]:
    """Return what each event came out at: level and SNR over its span, and over the clip, on the reference channel."""
    out = []
    n = meter.spec.n_samples
    for i, image in enumerate(images):
        total = gains.events[i] + image.room_gain_db
        y = image.y[min(meter.ref, image.y.shape[0] - 1)]
        span = meter.span(i, image, "active")
        power = levels.power(y, [(a - image.start, b - image.start) for a, b in span])
        whole = levels.power(y, [(-image.start, n - image.start)]) * _share(image, n)
        reading: dict[str, Any] = {"level_dbfs": _db(power, total), "snr_db": None, "snr_clip_db": None}
        if meter.noise is not None and span:
            reading["snr_db"] = _minus(reading["level_dbfs"], _plus(meter.noise_db(span, "rms"), gains.bed))
            reading["snr_clip_db"] = _minus(_db(whole, total), _plus(meter.noise_db([(0, n)], "rms"), gains.bed))
        level = meter.spec.events[i].level
        if level is not None and level.snr_db is not None:
            reading["requested_snr_db"] = level.snr_db
            reading["realised_snr_db"] = _realised(meter, i, image, gains)
        if level is not None and meter.signal(i, image, level).measure_used != level.measure:
            reading["measure_used"] = meter.signal(i, image, level).measure_used
        if image.response is not None:
            reading["room"] = {**image.response.facts, **meter.work.measures(image.response, meter.spec.sr, meter.ref)}
        out.append(reading)
    return out


def bed_reading(meter: Meter, images: Sequence[Image], gains: Gains) -> dict[str, Any] | None:
    """Return what the bed came out at: RMS over the clip, and where it was set against the events, the SNR."""
    bed = meter.spec.noise
    if bed is None:
        return None
    out: dict[str, Any] = {"level_dbfs": _plus(meter.noise_db([(0, meter.spec.n_samples)], "rms"), gains.bed)}
    if bed.snr_db is not None and meter.foreground is not None:
        under = meter.noise_db(foreground_span(meter, images), bed.measure)
        out["requested_snr_db"] = bed.snr_db
        out["realised_snr_db"] = round(meter.foreground.db - under - gains.bed, 4)
        if meter.foreground.measure_used != bed.measure:
            out["measure_used"] = meter.foreground.measure_used
    return out


def _realised(meter: Meter, i: int, image: Image, gains: Gains) -> float:
    """Return the SNR in the measure that was asked for."""
    level = meter.spec.events[i].level
    if level is None:
        raise RenderError(f"events[{i}] has no level")
    signal = meter.signal(i, image, level).db + gains.events[i]
    return round(signal - meter.bed_under(i, image, level) - gains.bed, 4)


def _share(image: Image, n: int) -> float:
    """Return the part of the clip's samples that the image covers (turns its mean square into the clip's)."""
    return float(max(0, min(n, image.start + image.y.shape[1]) - max(0, image.start)) / n)


def _db(power: float, gain_db: float) -> float | None:
    return round(levels.to_db(power) + gain_db, 4) if power > 0 else None


def _plus(db: float, gain_db: float) -> float | None:
    return round(db + gain_db, 4) if math.isfinite(db) else None


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else round(a - b, 4)


def audible_of(spec: ClipSpec, readings: Sequence[Mapping[str, Any]]) -> tuple[bool, ...]:
    """Return which events are loud enough to be heard (`labels.drop_below_snr_db`)."""
    limit = spec.labels.drop_below_snr_db
    return tuple(limit is None or r["snr_db"] is None or r["snr_db"] >= limit for r in readings)


def labels_of(spec: ClipSpec, images: Sequence[Image], audible: Sequence[bool]) -> tuple[Label, ...]:
    """Return the labels in order of onset; a background's own annotations are among them."""
    out = []
    n = spec.n_samples
    for i, (event, image) in enumerate(zip(spec.events, images, strict=True)):
        if event.label is None or event.place is None:
            continue
        tail = image.tail if spec.labels.offset == "tail" else 0
        for a, b in event.place.labels:
            onset, offset = max(0, a + image.shift), min(n, b + image.shift + tail)
            if offset > onset:
                out.append(Label(event.label, onset, offset, i, audible[i], image.direction))
    for layer in () if spec.noise is None else spec.noise.layers:
        source: Any = layer.source
        if hasattr(source, "annotations"):
            out += [
                Label(name, max(0, a), min(n, b))
                for a, b, name in source.annotations(spec.sr, n)
                if min(n, b) > max(0, a)
            ]
    return tuple(sorted(out, key=lambda label: (label.onset, label.offset, label.label)))


def outcomes_of(
    spec: ClipSpec, mix: Array, clipped: int, readings: list[dict[str, Any]], bed: dict[str, Any] | None,
    images: Sequence[Image], gains_db: tuple[float, float],
) -> dict[str, Any]:  # fmt: skip
    """Return the outcomes of a clip as the row holds them; levels are those in the mix, after its gain and its guard's."""
    for reading in readings if bed is None else [*readings, bed]:
        if reading["level_dbfs"] is not None:
            reading["level_dbfs"] = round(reading["level_dbfs"] + sum(gains_db), 4)
    peak = float(max(mix.max(), -mix.min()))
    for reading, event, image in zip(readings, spec.events, images, strict=True):
        if event.place is not None:
            end = image.shift + event.place.n_samples
            reading["dry_offset"] = samples_to_seconds(end, spec.sr)
            reading["tail_offset"] = samples_to_seconds(end + image.tail, spec.sr)
    return {
        "peak_dbfs": _db(peak * peak, 0.0),
        "level_dbfs": _db(levels.power(mix[spec.reference_channel], [(0, spec.n_samples)]), 0.0),
        "clipped": clipped,
        "guarded": gains_db[1] != 0.0,
        "stems_sum": stems_sum(spec),
        "events": readings,
        **({} if bed is None else {"noise": bed}),
    }
