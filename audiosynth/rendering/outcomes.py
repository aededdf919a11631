"""What came out of rendering a clip: levels, SNRs, labels, peak."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from audiosynth import levels
from audiosynth.clip import Label, Segment
from audiosynth.dsp import samples_to_seconds
from audiosynth.records.conversation import told
from audiosynth.records.moves import Piece, inside, moves_of, through
from audiosynth.registry import can
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
    for i, (event, image, heard) in enumerate(zip(meter.spec.events, images, realised.events, strict=True)):
        under = realised.under[i] if realised.under else None
        level = event.level
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
        event_gain_db=gains.events, bed_gain_db=gains.bed, room_gain_db=tuple([im.room_gain_db for im in images]),
        direct=tuple([im.direct for im in images]), tail=tuple([im.tail for im in images]), audible=tuple(audible),
        layer_gain_db=tuple(layer_gain_db), mix_gain_db=own_gain_db[0], guard_gain_db=own_gain_db[1],
        ties=tuple([(c, i, value) for c, i, value in ties]),
    )  # fmt: skip


def audible_of(spec: ClipSpec, readings: Sequence[Mapping[str, Any]]) -> tuple[bool, ...]:
    """Return which events are loud enough to be heard (`labels.drop_below_snr_db`)."""
    limit = spec.labels.drop_below_snr_db
    return tuple(limit is None or r["snr_db"] is None or r["snr_db"] >= limit for r in readings)


def labels_of(spec: ClipSpec, images: Sequence[Image], audible: Sequence[bool]) -> tuple[Label, ...]:
    """Return the labels in order of onset, where the effects of the mix took them; a background's own annotations are among them.

    A label of which they leave nothing is left out, one that they play several times is there as often.
    """
    out, n, sr, bed = [], spec.n_samples, spec.sr, spec.noise
    moves, tails = moves_of(spec.mix.effects, n, sr), spec.labels.offset == "tail"
    for i, (event, image) in enumerate(zip(spec.events, images, strict=True)):
        label, place, shift = event.label, event.place, image.shift
        if label is None or place is None or event.role != "foreground":
            continue
        tail = image.tail if tails else 0
        pieces = [
            piece for a, b in place.labels for piece in through(inside(a + shift, b + shift, n, tail=tail), moves)
        ]
        said = _said(place, shift, n, moves)
        for k, piece in enumerate(pieces):
            extra = {**_direction(image, moves, spec), **_of_piece(said, pieces, k), **piece.partial}
            out.append(Label(label, piece.onset, piece.offset, i, audible[i], extra))
    for layer in () if bed is None else bed.layers:
        source: Any = layer.source
        if can(source, "annotations"):
            out += [
                Label(name, piece.onset, piece.offset)
                for a, b, name in source.annotations(sr, n)
                for piece in through(inside(a, b, n), moves)
            ]
    return tuple(sorted(out, key=lambda label: (label.onset, label.offset, label.label)))


def _direction(image: Image, moves: Sequence[Sequence[Segment]], spec: ClipSpec) -> dict[str, Any]:
    """Return where an event is heard from; the moments of a moving one follow the effects of the mix."""
    if not moves or "track" not in image.direction:
        return dict(image.direction)
    track = []
    for t, *rest in image.direction["track"]:
        at = round(t * spec.sr)
        track += [
            [round(piece.onset / spec.sr, 4), *rest] for piece in through(inside(at, at + 1, spec.n_samples), moves)
        ]
    return {**image.direction, "track": sorted(track)}


Spoken = tuple[str, str, Piece]


def _said(place: Place, shift: int, n: int, moves: Sequence[Sequence[Segment]]) -> list[Spoken]:
    """Return the words, phones, … of an event as (kind, text, where it is in the clip)."""
    return [
        (kind, text, piece)
        for kind, text, a, b in place.marks
        for piece in through(inside(a + shift, b + shift, n), moves)
    ]


def _of_piece(said: Sequence[Spoken], pieces: Sequence[Piece], k: int) -> dict[str, Any]:
    """Return the words, phones, … of one label of an event as [text, onset, offset]: those nearer to it than to its others."""
    found: dict[str, list[list[Any]]] = {}
    for kind, text, piece in said:
        if len(pieces) == 1 or _nearest(piece, pieces) == k:
            found.setdefault(f"{kind}s", []).append([text, piece.onset, piece.offset])
    for marks in found.values():
        marks.sort(key=lambda mark: (mark[1], mark[2]))
    return found


def _nearest(mark: Piece, pieces: Sequence[Piece]) -> int:
    """Return which label a word belongs to: the one it overlaps most, else the one it is nearest to."""
    overlaps = [min(mark.offset, piece.offset) - max(mark.onset, piece.onset) for piece in pieces]
    return overlaps.index(max(overlaps))


def outcomes_of(
    spec: ClipSpec, heard: tuple[float, float], clipped: int, readings: list[dict[str, Any]], bed: dict[str, Any] | None,
    images: Sequence[Image], guard: float, labels: Sequence[Label],
) -> dict[str, Any]:  # fmt: skip
    """Return the outcomes of a clip as the row holds them; of the mix its peak and mean square are `heard`.

    Polyphony is that of the labels that can be heard.
    """
    peak, power = heard
    sounding = [(label.onset, label.offset, label.label) for label in labels if label.audible]
    moves = moves_of(spec.mix.effects, spec.n_samples, spec.sr)
    for reading, event, image in zip(readings, spec.events, images, strict=True):
        if event.place is not None:
            reading.update(_ends(spec, image, event.place.n_samples, moves))
    return {
        "peak_dbfs": _rounded(levels.to_db(peak * peak)),
        "level_dbfs": _rounded(levels.to_db(power)),
        "clipped": clipped,
        "guarded": guard != 0.0,
        "stems_sum": stems_sum(spec),
        "polyphony": polyphony.summarise(polyphony.levels_of(sounding, spec.n_samples)),
        "events": readings,
        **told(spec.conversations, labels, spec.n_samples),
        **({} if bed is None else {"noise": bed}),
    }


def _ends(spec: ClipSpec, image: Image, n_samples: int, moves: Sequence[Sequence[Segment]]) -> dict[str, Any]:
    """Return when an event is last heard, dry and with its room; None where the effects of the mix leave nothing of it."""
    end = image.shift + n_samples
    ends: dict[str, Any] = {"dry_offset": end, "tail_offset": end + image.tail}
    if moves:
        for key, last in ends.items():
            heard = through(inside(image.shift, last, spec.n_samples), moves)
            ends[key] = max((piece.offset for piece in heard), default=None)
    return {key: None if last is None else samples_to_seconds(last, spec.sr) for key, last in ends.items()}
