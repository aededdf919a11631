"""Where the events of a clip stand: as the recipe draws it, and where a scene has rules, so that all of them hold.

First every event is tried where its own draw puts it, in the order of the recipe; one that would break a rule is drawn
anew among the places that are left (exactly, where its place is drawn evenly; else by more attempts). If that comes to
no end, other orders are tried, and packing events before spreading them out again. All of it is a pure function of the
clip's dice: an attempt is the last number of a draw's key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

from audiosynth.dice import ClipDice
from audiosynth.errors import AudiosynthError, PlanError
from audiosynth.planning.afterwards import broken
from audiosynth.planning.drafts import Draft, Standing, own_places
from audiosynth.planning.limits import Limits, Wanted, hopeless
from audiosynth.planning.moved import Moved
from audiosynth.records.rules import Rules
from audiosynth.sound.spans import Span, common, drawn, holds, left

ROUNDS: Final = 25
"""Most times that a scene is begun anew."""
LAST_DROP: Final = 2
"""The round in which events are left out, where the scene says so."""
TRIES: Final = 40
"""Most draws of one place in one round, where it is not drawn evenly."""
SWEEPS: Final = 2
"""Times that every event of a packed scene is drawn anew among the places the others leave it."""
KEYS: Final = 64
"""Attempts that belong to one round."""


def arrange(
    drafts: Sequence[Draft],
    rules: Rules | None,
    dice: ClipDice,
    *,
    n_clip: int | None,
    sr: int,
    mix: Sequence[Any] = (),
) -> Sequence[Standing | None]:
    """Return places of all events that keep the rules; None for one that is left out.

    Parameters
    ----------
    drafts
        The events.
    rules, dice
        The scene's rules, as drawn (None: every event stands where its own draw puts it), and the clip's dice.
    n_clip, sr
        Length of the clip (None for no end), and its rate.
    mix
        Effects of the mix, after which the rules hold too.

    Raises
    ------
    PlanError
        Naming the rule that cannot hold, or the event that does not fit.
    """
    if rules is None:
        return own_places(drafts)
    drops = rules.when_full == "drop"
    moved = Moved.by(mix, n_clip, sr)
    played = first = _Round(drafts, Limits(rules, n_clip, sr, moved), dice)
    if first.play():
        return first.standing
    why = hopeless(first.limits, drafts)
    if why and not drops:
        raise PlanError(f"scene.{why}")
    last = LAST_DROP if drops else ROUNDS
    for number in range(1, 1 if why or first.final else last):
        played = _Round(drafts, Limits(rules, n_clip, sr, moved), dice, number, rooms=first.rooms)
        if played.play():
            return played.standing
    if drops:
        if first.go_on(LAST_DROP):
            return first.standing
        played = first
        for number in range(
            LAST_DROP, ROUNDS if first.moved else LAST_DROP
        ):  # all stand, and the mix moves them together
            played = _Round(drafts, Limits(rules, n_clip, sr, moved), dice, number, rooms=first.rooms)
            if played.go_on(number):
                return played.standing
    raise PlanError(played.why(), None if played.stuck is None else drafts[played.stuck].raw)


class _Round:
    """One way through a scene: who is placed when, with which attempts."""

    def __init__(
        self,
        drafts: Sequence[Draft],
        limits: Limits,
        dice: ClipDice,
        number: int = 0,
        *,
        rooms: dict[int, Span] | None = None,
    ) -> None:
        self.drafts, self.limits, self.dice, self.number, self.drop = drafts, limits, dice, number, False
        self.standing: list[Standing | None] = [None] * len(drafts)
        self.stuck: int | None = None
        self.lacking: Wanted | None = None
        self.moved = ""
        self.final = False
        self.own = number == 0
        self.packed = number % 2 == 1
        self.gathered: set[int] = set()
        self.rooms: dict[int, Span] = {} if rooms is None else rooms

    def play(self) -> bool:
        """Place all events; returns whether every rule holds."""
        fixed = [
            i
            for i, draft in enumerate(self.drafts)
            if not draft.movable and draft.before is None and self.standing[i] is None
        ]
        if not self._place_all(fixed):
            self.final = True  # what cannot move will stand no better in another round
            return False
        if not self.own:
            for wanted in self.limits.wanted:
                self._gather(wanted)
        if not self._place_all(self._order()):
            return False
        if self.packed:
            self._spread()
        self.lacking = self.limits.missing()
        onsets = [None if one is None else one.onset for one in self.standing]
        self.moved = broken(self.limits, self.drafts, onsets) if self.lacking is None else ""
        return self.lacking is None and not self.moved

    def go_on(self, number: int) -> bool:
        """Go on where there was no place for an event, as the round of another number: such events are left out."""
        self.number, self.drop, self.stuck, self.final = number, True, None, False
        return self.play()

    def _order(self) -> list[int]:
        """Return who is placed next, one after the other: as in the recipe, longest first, or by lot; chains stay together."""
        chains: dict[int, list[int]] = {}
        head: dict[int, int] = {}
        for i, draft in enumerate(self.drafts):
            head[i] = i if draft.before is None else head[draft.before]
            chains.setdefault(head[i], []).append(i)
        heads = list(chains)
        if not self.own:
            lots = {i: self.dice.uniform(f"scene.order#{i}", self.number) for i in heads}
            longest = self.number == 1
            heads.sort(key=lambda i: (-sum(self.drafts[j].n for j in chains[i]) if longest else 0, lots[i]))
        return [i for one in heads for i in chains[one] if self.standing[i] is None]

    def _place_all(self, order: Iterable[int]) -> bool:
        for i in order:
            if not self._place(i) and not self.drop:
                self.stuck = i
                return False
        return True

    def _place(self, i: int, among: Sequence[Span] | None = None) -> bool:
        """Place one event, `among` some onsets if given; returns whether there was a place."""
        first = 0 if self.own else self.number * KEYS
        found = self._find(i, first, among, own=self.own, packed=self.packed and among is None)
        if found is None:
            return False
        self.standing[i] = found
        self.limits.add(self.drafts[i], found.onset)
        return True

    def _end(self, i: int) -> int | None:
        """Return where the event that `i` follows is last heard; None for the first of a chain."""
        before = self.drafts[i].before
        while before is not None and self.standing[before] is None:  # it was left out
            before = self.drafts[before].before
        stands = None if before is None else self.standing[before]
        return None if stands is None or before is None else stands.onset + self.drafts[before].span[1]

    def _room(self, i: int) -> Span:
        """Return the onsets [first, last) that an event's own draw and its clip allow."""
        if i in self.rooms:
            return self.rooms[i]
        draft = self.drafts[i]
        first, last = draft.room_left()
        ends = None if draft.placing is None else draft.placing.ends()
        if ends is not None:
            low, high = (draft.onset(value, self._end(i)) for value in ends)
            first, last = max(first, min(low, high)), min(last, max(low, high) + 1)
        room = first, max(first, last)
        if draft.before is None:
            self.rooms[i] = room
        return room

    def _find(self, i: int, attempt: int, among: Sequence[Span] | None, *, own: bool, packed: bool) -> Standing | None:
        """Return a place of an event that breaks no rule: its own draw's, or one of those that are left."""
        draft = self.drafts[i]
        even = draft.placing is not None and draft.placing.placed.even is not None
        try:
            end = self._end(i)
            fits = draft.room_left()
            taken = self.limits.forbidden(draft)
            for k in range(1 if even or not draft.movable else TRIES) if own or not even else ():
                value = draft.value(attempt + k)
                onset = draft.onset(value, end)
                if _free(onset, fits, taken, among):
                    return Standing(onset, value)
            return self._left(i, taken, among, attempt=attempt + 1, packed=packed) if even else None
        except AudiosynthError as error:
            raise PlanError(f"events[{i}]: {error}", draft.raw) from None

    def _left(
        self, i: int, taken: Iterable[Span], among: Sequence[Span] | None, *, attempt: int, packed: bool
    ) -> Standing | None:
        """Return one of the places that are left to an event whose place is drawn evenly: the first of them, or any."""
        placing = self.drafts[i].placing
        ends = None if placing is None else placing.ends()
        free = left(self._room(i), taken)
        free = free if among is None else [piece for span in among for piece in common(free, span)]
        if not free or placing is None or ends is None:
            return None
        return Standing(free[0][0] if packed else drawn(free, placing.uniform(attempt)), ends[0])

    def _gather(self, wanted: Wanted) -> None:
        """Bring so many events of a label (or any) together, as far as it can be done; in an order by lot."""
        have = [i for i, draft in enumerate(self.drafts) if self._may_meet(draft, wanted.label)]
        have.sort(key=lambda i: (self.standing[i] is None, self.dice.uniform(f"scene.meet#{i}", self.number)))
        meeting: list[Span] | None = None
        met = 0
        for i in have:
            stands = self.standing[i]
            draft = self.drafts[i]
            if met == wanted.at_once:
                break
            if stands is None:
                among = None if meeting is None else self.limits.together(draft, meeting)
                if among == [] or not self._place(i, among if among is not None else [draft.room_left()]):
                    continue
                stands = self.standing[i]
            rest = [] if stands is None else self.limits.met(draft, stands.onset, meeting)
            if rest:
                meeting, met = rest, met + 1
                self.gathered.add(i)

    def _may_meet(self, draft: Draft, label: str | None) -> bool:
        return draft.before is None and self.limits.counts(draft) and label in (None, draft.label)

    def _spread(self) -> None:
        """Draw every event of a packed scene anew among the places that the others leave it, the last one first."""
        followed = {draft.before for draft in self.drafts}
        for sweep in range(SWEEPS):
            placed = [(-stands.onset, i, stands) for i, stands in enumerate(self.standing) if stands is not None]
            for _, i, stands in sorted(placed, key=itemgetter(0, 1)):
                draft = self.drafts[i]
                alone = i not in self.gathered and i not in followed and draft.before is None
                if not alone or draft.placing is None or draft.placing.placed.even is None:
                    continue
                self.limits.remove(draft, stands.onset)
                attempt = self.number * KEYS + TRIES + 2 * sweep
                found = self._find(i, attempt, None, own=False, packed=False) or stands
                self.standing[i] = found
                self.limits.add(draft, found.onset)

    def why(self) -> str:
        """Return which rule cannot hold, for which event, and what to change."""
        if self.moved:
            return f"scene.{self.moved}"
        if self.stuck is None:
            name, label, count = self.lacking or Wanted("min_overlap", None, 0)
            of = "events" if label is None else f"events of '{label}'"
            return (
                f"scene.{name}: {count} does not hold: in {self.number + 1} rounds no {count} {of} could be brought together for long enough; "
                "let their onsets be drawn over more of the clip, make them longer, or ask for fewer at once"
            )
        draft, room = self.drafts[self.stuck], self._room(self.stuck)
        what = f"events[{self.stuck}] ('{draft.label}', {draft.n / draft.sr:.3f} s)"
        rule = self.limits.blamed(draft, room)
        if not rule or room[1] <= room[0] or (self.final and not holds([room], draft.onset(draft.value(), None))):
            length = "" if draft.n_clip is None else f" of {draft.n_clip / draft.sr:.3f} s"
            return (
                f"{what} does not fit the clip{length} where its onset may be; make the clip longer, the event shorter, or say "
                "`overrun: cut`, or `scene: {when_full: drop}`"
            )
        tried = "where the recipe puts it" if self.final else f"in {self.number + 1} rounds"
        return (
            f"scene.{rule} cannot hold: no place is left for {what} beside {sum(s is not None for s in self.standing)} others, "
            f"{tried}; allow more, make the events fewer or shorter or the clip longer, or say `when_full: drop`"
        )


def _free(onset: int, fits: Span, taken: Sequence[Span], among: Sequence[Span] | None) -> bool:
    inside = fits[0] <= onset < fits[1] and (among is None or holds(among, onset))
    return inside and not holds(taken, onset)
