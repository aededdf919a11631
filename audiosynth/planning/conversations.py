"""When the turns of a conversation begin, in whole samples, so that as much of it is said at once as was asked for.

With no overlap asked for, a turn begins its pause after the end of all before it. Otherwise every change of turns has a lot u and is
an overlap from a certain level L on: the turn then begins (L - u) times its own length before that end, as far as it may: nobody
over themselves, at most so many at once, and no turn before the one before it. The time heard falls and the time shared grows with
L, so the level that gives the ratio is found by halving; all of it in integers.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import PlanError
from audiosynth.language.quantiles import round_significant
from audiosynth.language.talk import LOT_BITS, Talk, TurnMark
from audiosynth.planning.drafts import Draft
from audiosynth.records.conversation import Conversation, ratio_of

NEVER: Final = -(2**62)
"""Before every sample."""


class Turn(NamedTuple):
    """One turn in samples: what is heard of it is `length` long and begins `lead` samples after its first one.

    `earliest` is the first sample of the clip at which it can be heard, `after` how far it goes on behind what is heard.
    """

    number: int
    seat: int
    pause: int
    lot: int
    lead: int
    length: int
    earliest: int
    after: int


class Heard(NamedTuple):
    """Where turns are heard from, the end of the last, how long anything is heard, and how long two or more are."""

    begins: tuple[int, ...]
    end: int
    any_one: int
    shared: int

    @property
    def ratio(self) -> float:
        """Return the overlap ratio."""
        return self.shared / self.any_one


@dataclass(frozen=True)
class Held:
    """The events that are left, with the places of all turns, and which drafts each conversation is made of."""

    drafts: list[Draft]
    talks: tuple[tuple[Talk, Heard, tuple[Draft, ...], int], ...]

    def records(self, placed: Sequence[Draft]) -> tuple[Conversation, ...]:
        """Return what the spec says of the conversations; `placed` are the drafts of its events.

        Raises
        ------
        PlanError
            If the scene's rules have left a turn out.
        """
        if not self.talks:
            return ()
        number = {id(draft): i for i, draft in enumerate(placed)}
        out = []
        for talk, heard, drafts, left_out in self.talks:
            events = tuple(number.get(id(draft), -1) for draft in drafts)
            if -1 in events:
                raise PlanError(
                    f"turns: the rules of `scene` leave no place for {events.count(-1)} of {len(events)} turns, which stand where the "
                    "conversation has them; allow more in `scene`, or less in `turns` (overlap_ratio, at_once)"
                )
            seats = tuple(_mark(draft).seat for draft in drafts)
            made = {"events": events, "speakers": seats, "left_out": left_out, "overlap_ratio": talk.overlap_ratio}
            if talk.overlap_ratio is not None and (talk.overlap_ratio - heard.ratio) * heard.any_one > len(events):
                made.update(overlap_ratio=round_significant(heard.ratio), asked=talk.overlap_ratio)
            out.append(Conversation.model_validate(made))
        return tuple(out)


def hold(drafts: Sequence[Draft], *, n_clip: int | None, sr: int) -> Held:
    """Place the turns of every conversation; those that its length has no room for are left out.

    Parameters
    ----------
    drafts
        The events of a clip; those of conversations have a `TurnMark` in place of an onset.
    n_clip, sr
        Length of the clip (None for no end), and its rate.

    Raises
    ------
    PlanError
        If an overlap ratio or a length cannot be met; the message says what can.
    """
    groups: dict[str, list[int]] = {}
    for i, draft in enumerate(drafts):
        mark = draft.raw.get("onset")
        if isinstance(mark, TurnMark):
            groups.setdefault(mark.group, []).append(i)
    if not groups:
        return Held(list(drafts), ())
    out: list[Draft | None] = list(drafts)
    talks = []
    for group, numbers in groups.items():
        talk = _mark(drafts[numbers[0]]).talk
        try:
            turns, heard = _kept(talk, [_turn(i, drafts[i]) for i in numbers], n_clip, sr)
        except PlanError as error:
            raise PlanError(f"{group}.{error}") from None
        for i in numbers:
            out[i] = None
        for turn, begin in zip(turns, heard.begins, strict=True):
            out[turn.number] = replace(drafts[turn.number], settled=begin - turn.lead)
        made = tuple(found for i in numbers if (found := out[i]) is not None)
        talks.append((talk, heard, made, len(numbers) - len(turns)))
    return Held([left for left in out if left is not None], tuple(talks))


def _mark(draft: Draft) -> TurnMark:
    mark: TurnMark = draft.raw["onset"]
    return mark


def _turn(number: int, draft: Draft) -> Turn:
    mark, (first, last) = _mark(draft), draft.span
    earliest, after = (0, 0) if draft.cut else (first, draft.n - last)
    pause = seconds_to_samples(mark.pause, draft.sr)
    return Turn(number, mark.seat, pause, mark.lot, first, last - first, earliest, after)


def _kept(talk: Talk, turns: list[Turn], n_clip: int | None, sr: int) -> tuple[list[Turn], Heard]:
    """Return the turns that fit the length, and where they are heard."""
    start = seconds_to_samples(talk.start, sr)
    most = None if talk.max_length is None else seconds_to_samples(talk.max_length, sr)
    heard = None
    while heard is None:
        if not _hopeless(talk, turns, most, None if n_clip is None else n_clip - start):
            heard = arranged(talk, turns, start=start)
            inside = n_clip is None or all(
                begin + turn.length + turn.after <= n_clip for turn, begin in zip(turns, heard.begins, strict=True)
            )
            if not inside or (most is not None and heard.end - heard.begins[0] > most):
                heard = None
        if heard is None:
            turns = _fewer(talk, turns, n_clip, sr)
    length = heard.end - heard.begins[0]
    if length < seconds_to_samples(talk.min_length, sr):
        raise PlanError(
            f"min_length: {talk.min_length:g} s cannot be met: {len(turns)} turns make {length / sr:.3f} s; ask for more turns "
            "(n), or a shorter conversation"
        )
    return turns, heard


def _hopeless(talk: Talk, turns: Sequence[Turn], *limits: int | None) -> bool:
    """Return whether turns are too long for a limit wherever they begin.

    With the ratio r and at most k at once, all turns together last at most (1 + (k - 1)·r) times as long as anything is heard.
    """
    ratio = 1.0 if talk.overlap_ratio is None else talk.overlap_ratio
    least = sum(turn.length for turn in turns) / (1.0 + (talk.at_once - 1) * ratio) - len(turns)
    return any(limit is not None and least > limit for limit in limits)


def _fewer(talk: Talk, turns: Sequence[Turn], n_clip: int | None, sr: int) -> list[Turn]:
    """Return turns without the last that can be missed: its speaker is heard elsewhere, and no two neighbours become one's own."""
    seats = [turn.seat for turn in turns]
    often = Counter(seats)
    missed = [i for i, seat in enumerate(seats) if often[seat] > 1]
    if not missed:
        length = f"a clip of {(n_clip or 0) / sr:.3f} s" if talk.max_length is None else f"{talk.max_length:g} s"
        raise PlanError(
            f"max_length: one turn of each of the {len(turns)} speakers does not fit {length}; allow more time, ask for fewer "
            "speakers, or for shorter utterances (`where`)"
        )
    apart = [i for i in missed if not 0 < i < len(seats) - 1 or seats[i - 1] != seats[i + 1]]
    gone = (apart or missed)[-1]
    return [turn for i, turn in enumerate(turns) if i != gone]


def arranged(talk: Talk, turns: Sequence[Turn], *, start: int) -> Heard:
    """Return where turns are heard so that their overlap ratio is the one asked for, to within half a sample a turn.

    Raises
    ------
    PlanError
        If the ratio cannot be reached, with the largest that can.
    """
    asked = talk.overlap_ratio
    low = _spoken(talk, turns, 0, start=start)
    if asked is None or asked == 0.0:
        return low
    whole = sum(turn.length for turn in turns)
    top = (1 << LOT_BITS) + ((whole + 1) << LOT_BITS) // min(turn.length for turn in turns) + 1
    below, level = 0, 1 << LOT_BITS
    high = best = _spoken(talk, turns, level, start=start)
    while high.ratio < asked and level < top:
        below, level, low = level, min(2 * level, top), high
        high = _spoken(talk, turns, level, start=start)
        best = max(best, high, key=lambda heard: heard.ratio)
    if high.ratio < asked and talk.unreachable == "error":
        raise PlanError(_unreachable(talk, turns, best.ratio))
    if high.ratio < asked:
        return best
    while level - below > 1 and low.begins != high.begins:
        middle = (below + level) // 2
        heard = _spoken(talk, turns, middle, start=start)
        if heard.ratio < asked:
            below, low = middle, heard
        else:
            level, high = middle, heard
    return min(low, high, key=lambda heard: abs(heard.ratio - asked))


def _unreachable(talk: Talk, turns: Sequence[Turn], best: float) -> str:
    seats = len({turn.seat for turn in turns})
    more = f"`at_once: {talk.at_once + 1}`, " if talk.at_once < seats else ""
    return (
        f"overlap_ratio: {talk.overlap_ratio} cannot be met: {len(turns)} turns of {seats} speakers, none over themselves and at "
        f"most {talk.at_once} at once, reach {best:.3f}; ask for less, allow {more}more turns (n) or speakers, or say "
        "`unreachable: most`"
    )


def _spoken(talk: Talk, turns: Sequence[Turn], level: int, *, start: int) -> Heard:
    """Return where turns are heard at a level of overlap.

    Turns begin in order, so where a new one begins, one or more are heard up to the latest end so far, and two or more up to the
    second latest.
    """
    begins: list[int] = []
    ends: list[int] = []
    own: dict[int, int] = {}
    any_one = shared = 0
    for turn in turns:
        latest = ends[-1] if ends else start
        floor = max(turn.earliest, begins[-1] if begins else start, own.get(turn.seat, NEVER))
        if len(ends) >= talk.at_once:
            floor = max(floor, ends[-talk.at_once])
        early = ((level - turn.lot) * turn.length) >> LOT_BITS if level > turn.lot else -turn.pause
        begin = max(floor, latest - early) if ends else floor
        end = begin + turn.length
        if ends:
            second = ends[-2] if len(ends) > 1 else NEVER
            shared += max(0, min(end, latest) - max(begin, second))
        any_one += max(0, end - max(begin, latest))
        begins.append(begin)
        own[turn.seat] = end
        insort(ends, end)
    return Heard(tuple(begins), ends[-1], any_one, shared)


def require_ratios(
    conversations: Sequence[Conversation], spans: Callable[[int], list[tuple[int, int]]], n: int
) -> None:
    """Refuse a clip whose turns no longer overlap as its spec says; `spans` gives where an event is heard in it.

    Raises
    ------
    PlanError
        With both ratios.
    """
    for i, one in enumerate(conversations):
        heard = [span for event in one.events for span in spans(event)]
        found = ratio_of(heard, n)
        if one.overlap_ratio is None or found is None:
            continue
        if abs(found - one.overlap_ratio) * sum(b - a for a, b in heard) > 2 * len(one.events):
            raise PlanError(
                f"conversations[{i}].overlap_ratio: {one.overlap_ratio} does not hold with the turns where they are now ({found:.6f}); "
                f"change less, or set conversations[{i}].overlap_ratio to null, so that the spec claims nothing that does not hold"
            )
