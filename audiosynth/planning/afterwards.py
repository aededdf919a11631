"""Whether the rules of a scene still hold once the effects of the mix have moved its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import PlanError
from audiosynth.planning.drafts import Draft
from audiosynth.planning.limits import Limits, Wanted
from audiosynth.planning.moved import Moved
from audiosynth.records.moves import Piece, inside, through
from audiosynth.records.rules import Rules, of_label
from audiosynth.sound.spans import Pile, total


class Heard(NamedTuple):
    """A label where it ends up: its text, of which event and which span of it, and where it is."""

    label: str | None
    source: tuple[int, int]
    piece: Piece


def broken(limits: Limits, drafts: Sequence[Draft], onsets: Sequence[int | None]) -> str:
    """Return which rule does not hold among the labels as they end up, and where; empty if all do.

    Parameters
    ----------
    limits
        The rules, the clip's length and rate, and what the effects of the mix do.
    drafts, onsets
        Events, and the first sample of each that stands.

    Notes
    -----
    No map has two sources for one sample, so that no more labels lie over each other after it than before: `max_overlap` holds by
    itself, and is not looked at. The rest does not: a shift that rolls over brings the last event next to the first, one that
    does not cuts, and `repeat` plays an event twice.
    """
    n_clip, moves = limits.n_clip, limits.mix.moves
    if not moves or n_clip is None:
        return ""
    rules, sr, heard, lost = limits.rules, limits.sr, list[Heard](), list[str | None]()
    for i, (draft, onset) in enumerate(zip(drafts, onsets, strict=True)):
        if onset is not None and limits.counts(draft):
            spans = [through(inside(a + onset, b + onset, n_clip), moves) for a, b in draft.heard]
            heard += [Heard(draft.label, (i, k), piece) for k, pieces in enumerate(spans) for piece in pieces]
            lost += [] if any(spans) else [draft.label]
    heard.sort(key=lambda one: one.piece[:2])
    for why in chain(_cut(rules, heard, lost), _apart(rules, heard, sr), _together(limits.wanted, heard, limits.least)):
        names = ", ".join(limits.mix.names)
        return f"{why} once the effects of the mix ({names}) have moved it; put them on events, or ask for less"
    return ""


def require_rules(
    rules: Rules, drafts: Sequence[Draft], places: Sequence[Any], *, n_samples: int, sr: int, mix: Sequence[Any]
) -> None:
    """Refuse a clip as long as its events in which the effects of the mix break a rule: only its places say what these do.

    Raises
    ------
    PlanError
        Naming the rule.
    """
    limits = Limits(rules, n_samples, sr, Moved.by(mix, n_samples, sr))
    why = broken(limits, drafts, [None if place is None else place.onset for place in places])
    if why:
        raise PlanError(f"scene.{why}")


def _cut(rules: Rules, heard: Sequence[Heard], lost: Sequence[str | None]) -> Iterator[str]:
    cut = [one.label for one in heard if one.piece.cut_onset or one.piece.cut_offset]
    for label in (*cut, *lost):
        if label in rules.protected:
            yield f"protected: '{label}' is cut"


def _apart(rules: Rules, heard: Sequence[Heard], sr: int) -> Iterator[str]:
    """Yield which labels are nearer to each other than a gap allows; what is left of one event is not held against itself."""
    limits: Mapping[str, Any] = {"min_gap": rules.min_gap, "min_gap_per_label": rules.min_gap_per_label}
    for name, limit in limits.items():
        for i, one in enumerate(heard) if limit is not None else ():
            seconds = limit if name == "min_gap" else of_label(limit, one.label)
            end = one.piece.offset + (0 if seconds is None else seconds_to_samples(seconds, sr))
            for other in heard[i + 1 :] if seconds is not None else ():
                if other.piece.onset >= end:
                    break
                copies = other.source == one.source and not (one.piece.partial or other.piece.partial)
                apart = other.source[0] != one.source[0] or copies
                if apart and (name == "min_gap" or other.label == one.label):
                    times = f"{one.piece.offset / sr:.3f} s and the next at {other.piece.onset / sr:.3f} s"
                    yield f"{name}: {seconds:g} does not hold: '{one.label}' ends at {times}"


def _together(wanted: Sequence[Wanted], heard: Sequence[Heard], least: int) -> Iterator[str]:
    for rule in wanted:
        pile = Pile()
        pile.add(one.piece[:2] for one in heard if rule.label in (None, one.label))
        if total(pile.covered(rule.at_once)) < least:
            yield f"{rule.name}: {rule.at_once} does not hold for long enough"
