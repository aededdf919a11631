"""Conversations: the form `turns` of `repeat` draws who takes part, who speaks when and what; planning places it in samples."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from pydantic import ValidationError

from audiosynth.clip import Entry, Member, Withheld
from audiosynth.errors import did_you_mean
from audiosynth.kept import Kept
from audiosynth.language.draws import instead
from audiosynth.language.nodes import MAX_REPEAT, Many, Node, Scope
from audiosynth.language.talk import LOT_BITS, MAX_SPEAKERS, Talk, TurnMark, message_of

MARK: Final = "turn mark"
"""Name by which a cast hands its place in the conversation on; no recipe can write it."""
POOLS: Final = 64
"""Most answers to `where` whose speakers are kept."""


@dataclass(frozen=True)
class Speaker:
    """Somebody who can take part.

    Attributes
    ----------
    name
        Of the speaker.
    members
        Recordings, or the one row of a table of voices; none where the recipe only gives names.
    """

    name: str
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, eq=False)
class Turns(Node):
    """`turns: {…}`: the list of turns of a conversation, each with the names that its event may use.

    Attributes
    ----------
    path
        Of the node.
    source
        A catalogue, a table, or the speakers' names.
    by
        Field of a recording that tells speakers apart.
    where, unless
        Which recordings (or rows) count.
    settings
        Nodes of the fields of `Talk`.
    lets
        Names that every speaker has a value of.
    """

    path: str
    source: str | tuple[str, ...]
    by: str
    where: Node
    unless: Node
    settings: Mapping[str, Node]
    lets: Mapping[str, Node]
    _known: Kept[tuple[Any, Sequence[Speaker]]] = field(default_factory=lambda: Kept(POOLS), repr=False)

    def draw(self, scope: Scope) -> list[dict[str, Any]]:
        """Return one map of names for each turn."""
        talk = self._talk(scope)
        seats = self._seats(scope, talk.speakers)
        own = [self._own(scope, i, speaker) for i, speaker in enumerate(seats)]
        shares = [self._number(inner, "share") for inner in own]
        names = [
            {"speaker": seats[i].name, "seat": i, **{name: inner.value(name) for name in self.lets}}
            for i, inner in enumerate(own)
        ]
        out, spoken = [], [0] * len(seats)
        for t, seat in enumerate(self._order(scope, talk, shares)):
            here = self._inner(scope, f"turn#{t}", t, MAX_REPEAT)
            lot = scope.dice.bits(f"{scope.prefix}{self.path}.lot", t) >> (53 - LOT_BITS)
            pause = self._number(here, "pause")
            if pause < 0 and talk.overlap_ratio is not None:
                raise scope.error(
                    self.path, f"overlaps follow from overlap_ratio; pauses are 0 s or more, not {pause:g}"
                )
            mark = TurnMark(talk, scope.prefix + self.path, seat, pause, lot)
            out.append({**names[seat], "turn": t, **self._said(scope, seats[seat], seat, spoken[seat]), MARK: mark})
            spoken[seat] += 1
        return out

    def _talk(self, scope: Scope) -> Talk:
        """Return what is asked of this conversation."""
        drawn = {key: node.draw(scope) for key, node in self.settings.items() if key not in Talk.shared}
        return self._checked(scope, drawn)

    def _checked(self, scope: Scope, values: Mapping[str, Any]) -> Talk:
        try:
            return Talk.model_validate(values)
        except ValidationError as error:
            raise scope.error(self.path, message_of(error)) from None

    def _number(self, scope: Scope, key: str) -> float:
        """Return what is drawn anew for a turn or a speaker."""
        if key not in self.settings:
            return float(Talk.model_fields[key].default)
        found = self._checked(scope, {key: self.settings[key].draw(scope)})
        return float(getattr(found, key))

    def _own(self, scope: Scope, seat: int, speaker: Speaker) -> Scope:
        """Return where the names of one speaker are drawn."""
        inner = self._inner(scope, f"seat#{seat}", seat, MAX_SPEAKERS)
        inner.values.update({"speaker": speaker.name, "seat": seat})
        inner.lets = self.lets
        return inner

    def _inner(self, scope: Scope, name: str, k: int, n_max: int) -> Scope:
        """Return a scope with dice of its own, number `k` of at most `n_max` like it."""
        prefix = f"{scope.prefix}{self.path}.{name}/"
        return Scope(scope.dice, scope.pool, {}, {}, prefix, scope.k * n_max + k, scope.n_max * n_max, scope)

    def _seats(self, scope: Scope, n: int) -> list[Speaker]:
        """Return who takes part: each set of speakers, in each order, is equally likely."""
        there = self._speakers(scope)
        if len(there) < n:
            where = f"'{self.source}' in split '{scope.dice.split}'" if isinstance(self.source, str) else "the list"
            raise scope.error(
                self.path, f"{n} speakers are to talk, and {where} has {len(there)}; ask for fewer, or add speakers"
            )
        return [there[i] for i in self._dealt(scope, "who", len(there), n)]

    def _dealt(self, scope: Scope, what: str, n_items: int, n: int) -> list[int]:
        """Return `n` different numbers below `n_items` (Fisher and Yates, only as far as they are needed)."""
        path, moved, out = f"{scope.prefix}{self.path}.{what}", dict[int, int](), []
        for k in range(n):
            i = k + int(scope.dice.uniform(path, k) * (n_items - k))
            out.append(moved.get(i, i))
            moved[i] = moved.get(k, k)
        return out

    def _speakers(self, scope: Scope) -> Sequence[Speaker]:
        """Return everybody who could take part, in the order of the catalogue, table or list."""
        if not isinstance(self.source, str):
            return [Speaker(name) for name in self.source]
        where, unless = self.where.draw(scope), self.unless.draw(scope)
        pool = scope.pool(self.source, scope.dice.split, where, unless)
        kept = self._known.get(id(pool))
        if kept is None or kept[0] is not pool:
            kept = pool, self._grouped(scope, pool)
            self._known.put(id(pool), kept)
        return kept[1]

    def _grouped(self, scope: Scope, pool: Sequence[Member]) -> Sequence[Speaker]:
        found: dict[str, list[Member]] = {}
        for member in pool:
            key = "name" if isinstance(member, Entry) else self.by
            told = member.meta.get(key)
            if not isinstance(told, str | int) or isinstance(told, bool) or told == "":
                has = f"{did_you_mean(key, member.meta)}; there are {', '.join(member.meta) or 'no fields'}"
                what = (
                    f"{member.data}:{member.path} has no '{key}' that tells who speaks; name another field in `by`{has}"
                )
                raise scope.error(self.path, what)
            found.setdefault(str(told), []).append(member)
        return [Speaker(name, tuple(members)) for name, members in found.items()]

    def _order(self, scope: Scope, talk: Talk, shares: Sequence[float]) -> list[int]:
        """Return the seat of each turn: by share among those who did not speak last; in the end, among those not yet heard."""
        dice, path = scope.dice, scope.prefix + self.path
        out: list[int] = []
        unheard = list(range(talk.speakers))
        for t in range(talk.n):
            last = out[-1] if out else None
            ready = [seat for seat in range(talk.speakers) if seat != last] or [0]
            if len(unheard) == talk.n - t:  # everybody asked for speaks
                ready = unheard
            elif last is not None and dice.uniform(f"{path}.again", t) < talk.again:
                ready = [last]
            edges = list(accumulate(shares[seat] for seat in ready))
            at = bisect_right(edges, dice.uniform(f"{path}.next", t) * edges[-1])
            out.append(ready[min(at, len(ready) - 1)])
            unheard = [seat for seat in unheard if seat != out[-1]]
        return out

    def _said(self, scope: Scope, speaker: Speaker, seat: int, k: int) -> dict[str, Any]:
        """Return the names of what is said in a speaker's turn number `k`: no utterance again before all were used.

        But for one that was withdrawn: in its place stands another of the same speaker, which may come again.
        """
        if not speaker.members:
            return {}
        first = speaker.members[0]
        if isinstance(first, Entry):
            return {"voice": first.meta}
        n = len(speaker.members)
        turn, place = divmod(k, n)
        what = f"said#{seat}.{turn}"
        said = speaker.members[self._dealt(scope, what, n, place + 1)[place]]
        if isinstance(said, Withheld):
            said = instead(speaker.members, scope, self.path, f"{scope.prefix}{self.path}.{what}~{place}")
        return {"said": said}

    def children(self) -> Sequence[Node]:
        """Return the conditions, the settings, and what each speaker has."""
        return (self.where, self.unless, *self.settings.values(), *self.lets.values())


@dataclass(frozen=True, eq=False)
class TurnOf(Node):
    """The event of one turn: the conversation says when it is."""

    path: str
    of: Node

    def draw(self, scope: Scope) -> Any:
        """Return the event with its mark in place of an onset."""
        value = self.of.draw(scope)
        if value is None:
            return None
        if isinstance(value, Many) or not isinstance(value, Mapping):
            raise scope.error(self.path, "a turn is one event; write one map, or a draw of one")
        if value.get("onset") is not None or value.get("at") is not None:
            raise scope.error(self.path, "the conversation says when a turn begins; leave `onset` and `at` out")
        return {**value, "onset": scope.value(MARK)}

    def witnesses(self) -> Sequence[Any]:
        """Return the event without its mark."""
        return (self.of,)

    def children(self) -> Sequence[Node]:
        """Return the event."""
        return (self.of,)
