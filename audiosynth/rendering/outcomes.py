"""What came out of rendering a clip: levels, SNRs, labels, peak."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from audiosynth import levels
from audiosynth.clip import Label
from audiosynth.dsp import samples_to_seconds
from audiosynth.rendering.gains import Meter
from audiosynth.rendering.images import Image
from audiosynth.rendering.parts import Gains, stems_sum
from audiosynth.rendering.realised import Realised
from audiosynth.sound import polyphony
from audiosynth.spec import ClipSpec, Decisions, Place


def readings_of(meter: Meter, images: Sequence[Image], realised: Realised, *, after_db: float) -> list[dict[str, Any]]:
    """Return what each event came out at, on the reference channel, as measured on what was added to the mix.

    `level_dbfs` is the RMS over the active samples in the finished clip: with `after_db`, the gains of mix and guard (but
    not the mix's own effects). SNRs are over the active samples, over the clip, and where one was asked for, as asked.
    """
    out = []
    for i, (image, heard) in enumerate(zip(images, realised.events, strict=True)):
        under = realised.under[i] if realised.under else None
        level = meter.spec.events[i].level
        reading: dict[str, Any] = {"level_dbfs": _rounded(heard.active + after_db), "snr_db": None, "snr_clip_db": None}
        if under is not None:
            reading["snr_db"] = _rounded(heard.active - under.active)
            reading["snr_clip_db"] = _rounded(heard.whole - under.whole)
            if level is not None and level.snr_db is not None:
                reading["requested_snr_db"] = level.snr_db
                reading["realised_snr_db"] = _minus(heard.asked, under.asked)
        if level is not None and meter.signal(i, image, level).measure_used != level.measure:
            reading["measure_used"] = meter.signal(i, image, level).measure_used
        if image.response is not None:
            reading["room"] = {**image.response.facts, **meter.work.measures(image.response, meter.spec.sr, meter.ref)}
        out.append(reading)
    return out


def bed_reading(meter: Meter, realised: Realised, *, after_db: float) -> dict[str, Any] | None:
    """Return what the bed came out at: RMS over the finished clip, and where it was set against the events, the SNR."""
    bed = meter.spec.noise
    if bed is None or realised.bed is None:
        return None
    out: dict[str, Any] = {"level_dbfs": _rounded(realised.bed.whole + after_db)}
    if bed.snr_db is not None and meter.foreground is not None:
        out["requested_snr_db"] = bed.snr_db
        out["realised_snr_db"] = _minus(realised.foreground, realised.bed.asked)
        if meter.foreground.measure_used != bed.measure:
            out["measure_used"] = meter.foreground.measure_used
    return out


def _rounded(db: float) -> float | None:
    """Return a level or SNR as rows hold it; None where one of the two was silent."""
    return round(db, 4) + 0.0 if math.isfinite(db) else None


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else _rounded(a - b)


def decisions_of(
    images: Sequence[Image], gains: Gains, layer_gain_db: Sequence[float], audible: Sequence[bool],
    own_gain_db: tuple[float, float], ties: Sequence[Sequence[int]],
) -> Decisions:  # fmt: skip
    """Return what was decided of a clip; `own_gain_db` are the gains of mix and guard."""
    return Decisions(
        event_gain_db=gains.events, bed_gain_db=gains.bed, room_gain_db=tuple(im.room_gain_db for im in images),
        direct=tuple(im.direct for im in images), tail=tuple(im.tail for im in images), audible=tuple(audible),
        layer_gain_db=tuple(layer_gain_db), mix_gain_db=own_gain_db[0], guard_gain_db=own_gain_db[1],
        ties=tuple((c, i, value) for c, i, value in ties),
    )  # fmt: skip


def audible_of(spec: ClipSpec, readings: Sequence[Mapping[str, Any]]) -> tuple[bool, ...]:
    """Return which events are loud enough to be heard (`labels.drop_below_snr_db`)."""
    limit = spec.labels.drop_below_snr_db
    return tuple(limit is None or r["snr_db"] is None or r["snr_db"] >= limit for r in readings)


def labels_of(spec: ClipSpec, images: Sequence[Image], audible: Sequence[bool]) -> tuple[Label, ...]:
    """Return the labels in order of onset; a background's own annotations are among them."""
    out = []
    n = spec.n_samples
    for i, (event, image) in enumerate(zip(spec.events, images, strict=True)):
        if event.label is None or event.place is None or event.role != "foreground":
            continue
        tail = image.tail if spec.labels.offset == "tail" else 0
        for a, b in event.place.labels:
            onset, offset = max(0, a + image.shift), min(n, b + image.shift + tail)
            if offset > onset:
                extra = {
                    **image.direction,
                    **_said(event.place, image.shift, n),
                    **_partial(a + image.shift, b + image.shift, n),
                }
                out.append(Label(event.label, onset, offset, i, audible[i], extra))
    for layer in () if spec.noise is None else spec.noise.layers:
        source: Any = layer.source
        if hasattr(source, "annotations"):
            out += [
                Label(name, max(0, a), min(n, b))
                for a, b, name in source.annotations(spec.sr, n)
                if min(n, b) > max(0, a)
            ]
    return tuple(sorted(out, key=lambda label: (label.onset, label.offset, label.label)))


def _partial(onset: int, offset: int, n: int) -> dict[str, str]:
    """Return which ends of a label lie outside the clip, so that the sound begins or ends in its midst."""
    ends = [name for name, outside in (("onset", onset < 0), ("offset", offset > n)) if outside]
    return {"partial": "both" if len(ends) == 2 else ends[0]} if ends else {}


def _said(place: Place, shift: int, n: int) -> dict[str, Any]:
    """Return the words, phones, … of an event as [text, onset, offset] in samples of the clip, cut at its ends."""
    found: dict[str, list[list[Any]]] = {}
    for kind, text, a, b in place.marks:
        onset, offset = max(0, a + shift), min(n, b + shift)
        if offset > onset:
            found.setdefault(f"{kind}s", []).append([text, onset, offset])
    return found


def outcomes_of(
    spec: ClipSpec, heard: tuple[float, float], clipped: int, readings: list[dict[str, Any]], bed: dict[str, Any] | None,
    images: Sequence[Image], guard: float, labels: Sequence[Label],
) -> dict[str, Any]:  # fmt: skip
    """Return the outcomes of a clip as the row holds them; of the mix its peak and mean square are `heard`.

    Polyphony is that of the labels that can be heard.
    """
    peak, power = heard
    sounding = [(label.onset, label.offset, label.label) for label in labels if label.audible]
    for reading, event, image in zip(readings, spec.events, images, strict=True):
        if event.place is not None:
            end = image.shift + event.place.n_samples
            reading["dry_offset"] = samples_to_seconds(end, spec.sr)
            reading["tail_offset"] = samples_to_seconds(end + image.tail, spec.sr)
    return {
        "peak_dbfs": _rounded(levels.to_db(peak * peak)),
        "level_dbfs": _rounded(levels.to_db(power)),
        "clipped": clipped,
        "guarded": guard != 0.0,
        "stems_sum": stems_sum(spec),
        "polyphony": polyphony.summarise(polyphony.overlap(sounding, spec.n_samples).levels),
        "events": readings,
        **({} if bed is None else {"noise": bed}),
    }
