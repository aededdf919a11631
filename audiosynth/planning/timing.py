"""When an event sounds: its length after effects, where it is placed, how long a clip around it is; all in whole samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from audiosynth.clip import Fit, Slack
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import ParameterError, PlanError
from audiosynth.records.moves import Interval, map_interval
from audiosynth.registry import Component, offers
from audiosynth.sound.spans import within
from audiosynth.spec import At, Event


def moved(source: Any, effects: Iterable[Any], sr: int) -> tuple[int, list[Interval], tuple[Any, ...]]:
    """Return the length, the active intervals and the annotations (words, phones, …) of a source after its effects.

    Raises
    ------
    PlanError
        If the effects leave nothing of its active part.
    """
    n = source.extent(sr)
    family: type[Component] = type(source)
    active = source.active(sr) if offers(family, "active") else None
    intervals = [(0, n) if active is None else tuple(active)]
    marks = [(m.kind, m.text, m.onset, m.offset) for m in (source.marks(sr) if offers(family, "marks") else ())]
    marks += source.carried(sr) if offers(family, "carried") else []
    for effect in effects:
        segments, n_before = effect.segments(n, sr), n
        n = effect.extent(n, sr)
        if segments == [(0, n_before, 0, n_before)]:  # as of most effects: nothing moves
            intervals = within(intervals, n_before)
            marks = [(*said, max(0, a), min(n_before, b)) for *said, a, b in marks if min(n_before, b) > max(0, a)]
            continue
        intervals = [piece for interval in intervals for piece in map_interval(interval, segments)]
        marks = [(*said, *piece) for *said, a, b in marks for piece in map_interval((a, b), segments)]
    found = [(max(0, a), min(n, b)) for a, b in intervals if b > a]
    if not found:
        raise PlanError(
            "its effects leave nothing of its sound (a trim or a shift takes all of it away); cut or shift by less"
        )
    return n, list(hull(found)), tuple(marks)


def require_length(effects: Iterable[Any], n_samples: int, sr: int) -> None:
    """Refuse effects on the mix that give it another length than the clip's.

    Raises
    ------
    PlanError
        With both lengths; or with what an effect cannot do at this rate or length.
    """
    n = n_samples
    try:
        for effect in effects:
            n = effect.extent(n, sr)
    except ParameterError as error:
        raise PlanError(f"mix.effects: {error}") from None
    if n != n_samples:
        raise PlanError(
            f"mix.effects: they make {n / sr:.3f} s of a clip of {n_samples / sr:.3f} s, whose length stays; use them on events "
            "(`duration: {fit: …}` makes a clip as long as these), or make up for it (pad and trim, `keep_length`)"
        )


def hull(active: Sequence[Interval]) -> tuple[Interval, ...]:
    """Return the label intervals: touching pieces are one."""
    merged: list[Interval] = []
    for a, b in active if len(active) == 1 else sorted(active):
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    return tuple(merged)


def onset_of(raw: Any, at: At | None, *, n: int, body: Interval, n_clip: int | None, sr: int, cut: bool) -> int:
    """Return where an event's first sample falls.

    Parameters
    ----------
    raw, at
        The event's `onset` (seconds or slack), or what places one of its points.
    n, body
        Its length, and what of it the points of `at` are of: all, or the phrase where it is speech.
    n_clip
        Length of the clip; None where the clip is as long as its events.
    sr
        Rate in Hz.
    cut
        Whether it may go past the ends.

    Raises
    ------
    PlanError
        If there is no such place.
    """
    if n_clip is None and (isinstance(raw, Slack) or (at is not None and at.time < 0)):
        raise PlanError(
            "a clip that is as long as its events ({fit: …}) has no slack and no end to count from; give seconds from 0 on"
        )
    whole = n_clip or 0
    if at is not None:
        point = seconds_to_samples(at.time, sr) + (whole if at.time < 0 else 0)
        first, last = body
        return point - {"onset": first, "direct": first, "centre": (first + last) // 2, "offset": last}[at.anchor]
    if isinstance(raw, Slack):
        if n > whole and not cut:
            raise PlanError(
                f"an event of {n / sr:.3f} s is longer than its clip of {whole / sr:.3f} s; make the clip longer, "
                "the event shorter (`duration`), or give an onset and `overrun: cut`"
            )
        return math.floor(raw.slack * (whole - n) + 0.5)  # below 0 where a longer event is cut
    return 0 if raw is None else seconds_to_samples(raw, sr)


def require_fit(onset: int, n: int, n_clip: int | None, sr: int) -> None:
    """Refuse an event that goes past an end of its clip.

    Raises
    ------
    PlanError
        With both lengths.
    """
    if onset < 0 or (n_clip is not None and onset + n > n_clip):
        length = "as long as its events" if n_clip is None else f"of {n_clip / sr:.3f} s"
        raise PlanError(
            f"an event of {n / sr:.3f} s from {onset / sr:.3f} s does not fit a clip {length}; make the clip "
            "longer, the event shorter (`duration`), place it with {slack: …}, or say `overrun: cut`"
        )


def require_whole(source: Any) -> None:
    """Refuse a protected event whose recording is used in part.

    Raises
    ------
    PlanError
        If it has a start or a duration.
    """
    if hasattr(source, "recording") and (source.start or source.start_sample or source.duration is not None):
        raise PlanError(
            "scene.protected names its label, so its recording is used whole; leave out `start` and `duration`, or the label"
        )


def fitted(events: Sequence[Event], fit: Fit | None, *, sr: int) -> int:
    """Return the length of a clip that ends some time after the last of its events.

    Raises
    ------
    PlanError
        If it has none.
    """
    ends = [event.place.onset + event.place.n_samples for event in events if event.place is not None]
    if fit is None or not ends:
        raise PlanError("duration: {fit: …} needs an event to fit; give seconds where a clip may have none")
    return max(1, max(ends) + seconds_to_samples(fit.after, sr))
