"""One event of a clip that is being planned: all of it but its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from audiosynth.clip import Follow
from audiosynth.dsp import samples_to_seconds, seconds_to_samples
from audiosynth.errors import AudiosynthError, PlanError
from audiosynth.language.draws_time import Placing
from audiosynth.planning.timing import hull, onset_of, require_fit
from audiosynth.registry import Component
from audiosynth.sound.spans import Span
from audiosynth.spaces.places import Position
from audiosynth.spec import At

NO_END: Final = 2**40
"""Samples of a clip that is as long as its events."""


@dataclass(slots=True)
class Draft:
    """What is known of an event before it has a place; all spans are relative to its first sample.

    Attributes
    ----------
    raw
        The event's draws.
    source, effects, room, position
        Built.
    n, active, marks, heard
        Length in samples, active spans, words and phones, and the spans that are labeled (or would be).
    n_clip, sr
        Length of the clip (None where it is as long as its events), and its rate.
    cut
        Whether it may go past the ends of the clip.
    early
        Samples by which it begins before the place its draw gives: the known delay of its room.
    before
        Number of the event that it follows, if it follows one.
    settled
        Its first sample, where a conversation has placed it.
    key, label, role, placing
        Which key says where it stands, its label (told or not), its role, and the draw of its place (None: no draw).
    """

    raw: Mapping[str, Any]
    source: Component
    effects: tuple[Component, ...]
    room: Component | None
    position: Position | None
    n: int
    active: list[Span]
    marks: tuple[Any, ...]
    heard: tuple[Span, ...]
    n_clip: int | None
    sr: int
    cut: bool
    early: int = 0
    before: int | None = None
    settled: int | None = None

    key: str = field(init=False)
    label: str | None = field(init=False)
    role: str = field(init=False)
    placing: Placing | None = field(init=False)

    def __post_init__(self) -> None:
        raw = self.raw
        self.key = "onset" if raw.get("at") is None else "at"
        self.label, self.role = raw.get("label"), raw.get("role", "foreground")
        placing = raw.get(self.key)
        self.placing = placing if isinstance(placing, Placing) else None

    @property
    def span(self) -> Span:
        """Return from where to where it is heard."""
        return self.heard[0][0], self.heard[-1][1]

    @property
    def movable(self) -> bool:
        """Return whether another attempt can place it elsewhere."""
        placing = self.placing
        return placing is not None and placing.placed.movable

    def value(self, attempt: int = 0) -> Any:
        """Return its onset (or `at`) in an attempt."""
        placing = self.placing
        return self.raw.get(self.key) if placing is None else placing.value(attempt)

    def onset(self, value: Any, end: int | None) -> int:
        """Return the first sample for a value of its place; `end` is where the event it follows is last heard.

        Raises
        ------
        PlanError
            If there is no such place.
        """
        if self.settled is not None:
            return self.settled
        if isinstance(value, Follow):
            gap = seconds_to_samples(value.gap, self.sr)
            return gap if end is None else end + gap - self.span[0]
        at = At.model_validate(value) if self.key == "at" else None
        said = (
            self.active and self.marks and hasattr(self.source, "marks")
        )  # what a recording's annotations say moves nothing
        body = (self.active[0][0], self.active[-1][1]) if said else (0, self.n)
        raw = value if at is None else None
        onset = onset_of(raw, at, n=self.n, body=body, n_clip=self.n_clip, sr=self.sr, cut=self.cut)
        return onset - (self.early if at is not None else 0)

    def at(self, onset: int, value: Any) -> At | None:
        """Return the `at` of the spec for an event that begins at `onset`: as drawn, or where a rule moved it to."""
        if self.key == "onset":
            return None
        at = At.model_validate(value)
        moved = onset - self.onset(value, None)
        if not moved:
            return at
        point = seconds_to_samples(at.time, self.sr) + moved + ((self.n_clip or 0) if at.time < 0 else 0)
        return at.model_copy(update={"time": samples_to_seconds(point, self.sr)})

    def room_left(self) -> Span:
        """Return the onsets [first, last) at which it lies in the clip, or where it may be cut, is heard in it."""
        end = NO_END if self.n_clip is None else self.n_clip
        if not self.cut:
            return 0, max(0, end - self.n + 1)
        first, last = self.span
        return 1 - last, end - first


def heard_of(active: list[Span], n: int) -> tuple[Span, ...]:
    """Return the spans of an event that limits count: those of its labels, or all of it where nothing is known."""
    return hull(active) or ((0, n),)


def chain(drafts: Sequence[Draft]) -> None:
    """Tell every event that follows another which one: the last of its `repeat`, or the one before it in the list."""
    if not any(draft.placing is not None and draft.placing.placed.follows for draft in drafts):
        return
    last: dict[str, int] = {}
    for i, draft in enumerate(drafts):
        placing = draft.placing
        group = "" if placing is None else placing.scope.prefix.rpartition("#")[0]
        if placing is not None and placing.placed.follows:
            draft.before = last.get(group)
        last[group] = last[""] = i


class Standing(NamedTuple):
    """Where an event begins, and the value of its place that says so."""

    onset: int
    value: Any


def own_places(drafts: Sequence[Draft]) -> Sequence[Standing | None]:
    """Return the places that the recipe draws, without any rules.

    Raises
    ------
    PlanError
        If an event does not fit its clip; the message begins with the event.
    """
    out: list[Standing] = []
    for i, draft in enumerate(drafts):
        before = None if draft.before is None else out[draft.before]
        try:
            out.append(stand(draft, None if before is None else before.onset + drafts[draft.before or 0].span[1]))
        except AudiosynthError as error:
            raise PlanError(f"events[{i}]: {error}", draft.raw) from None
    return out


def stand(draft: Draft, end: int | None) -> Standing:
    """Return the place that an event's own draw gives; `end` is where the event it follows is last heard.

    Raises
    ------
    PlanError
        If it does not fit its clip.
    """
    value = draft.value()
    onset = draft.onset(value, end)
    if not draft.cut:
        require_fit(onset, draft.n, draft.n_clip, draft.sr)
    return Standing(onset, value)
