"""The rules of a scene in samples, beside the events placed so far: which places they forbid, and what is still missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from audiosynth.dsp import seconds_to_samples
from audiosynth.planning.drafts import Draft
from audiosynth.planning.moved import Moved
from audiosynth.records.rules import Rules, of_label
from audiosynth.sound.spans import Pile, Span, collisions, common, left, shifted, total, within

MOST: Final = "max_overlap"
MOST_OWN: Final = "max_overlap_per_label"
GAP: Final = "min_gap"
GAP_OWN: Final = "min_gap_per_label"


class Wanted(NamedTuple):
    """So many events at once: the rule's name, of which label (None: any), and how many."""

    name: str
    label: str | None
    at_once: int


class _Watched(NamedTuple):
    """What the rules say of the events of one label, as (rule, whose events count, limit), and whose events are piled up.

    `caps` are the limits of `most` that no gap implies: where events never overlap, none of them says more.
    """

    most: tuple[tuple[str, str | None, int], ...]
    gaps: tuple[tuple[str, str | None, int], ...]
    caps: tuple[tuple[str, str | None, int], ...]
    piled: tuple[str | None, ...]


class Limits:
    """Rules of one clip, and the events that stand in it.

    Parameters
    ----------
    rules
        As drawn.
    n_clip, sr
        Length of the clip (None for no end), and its rate.
    mix
        What the effects of the mix do: pauses are planned longer by as much as these shorten them.
    """

    def __init__(self, rules: Rules, n_clip: int | None, sr: int, mix: Moved | None = None) -> None:
        self.rules, self.n_clip, self.sr, self.mix = rules, n_clip, sr, mix or Moved()
        self.fastest = self.mix.fastest
        self.least = max(1, seconds_to_samples(rules.min_overlap_duration, sr))
        self._piles: dict[str | None, Pile] = {}
        self._spans: dict[str | None, list[Span]] = {}
        self._watched: dict[str | None, _Watched] = {}
        whole = [] if rules.min_overlap is None else [Wanted("min_overlap", None, rules.min_overlap)]
        labels = rules.min_overlap_per_label.items()
        self.wanted = [*(Wanted(f"min_overlap_per_label.{k}", k, count) for k, count in labels), *whole]

    def counts(self, draft: Draft) -> bool:
        """Return whether the limits are about an event."""
        return draft.role in self.rules.roles

    def heard(self, draft: Draft, onset: int) -> list[Span]:
        """Return where an event at `onset` is heard in the clip."""
        return within(shifted(draft.heard, onset), self.n_clip)

    def add(self, draft: Draft, onset: int) -> None:
        """Let an event stand."""
        heard = self.heard(draft, onset)
        if heard and self.counts(draft):
            watched = self._of(draft.label)
            for key in watched.piled:
                self._piles.setdefault(key, Pile()).add(heard)
            for _, key, _ in watched.gaps:
                self._spans.setdefault(key, []).append((heard[0][0], heard[-1][1]))

    def remove(self, draft: Draft, onset: int) -> None:
        """Take an event away that stands."""
        heard = self.heard(draft, onset)
        if heard and self.counts(draft):
            watched = self._of(draft.label)
            for key in watched.piled:
                self._piles[key].remove(heard)
            for _, key, _ in watched.gaps:
                self._spans[key].remove((heard[0][0], heard[-1][1]))

    def _of(self, label: str | None) -> _Watched:
        """Return what the rules say of the events of a label."""
        found = self._watched.get(label)
        if found is None:
            found = self._watched[label] = self._watch(label)
        return found

    def _watch(self, label: str | None) -> _Watched:
        rules = self.rules
        whole, own = rules.max_overlap, of_label(rules.max_overlap_per_label, label)
        most = [(name, key, n) for name, key, n in ((MOST, None, whole), (MOST_OWN, label, own)) if n is not None]
        gap, own = rules.min_gap, of_label(rules.min_gap_per_label, label)
        seconds = [(name, key, s) for name, key, s in ((GAP, None, gap), (GAP_OWN, label, own)) if s is not None]
        gaps = [(name, key, self._gap(s)) for name, key, s in seconds]
        caps = [rule for rule in most if not any(key in (None, rule[1]) for _, key, _ in gaps)]
        wanted = [wanted.label for wanted in self.wanted if wanted.label in (None, label)]
        piled = dict.fromkeys([*wanted, *(key for _, key, _ in most)])
        return _Watched(tuple(most), tuple(gaps), tuple(caps), tuple(piled))

    def forbidden(self, draft: Draft) -> list[Span]:
        """Return the onsets [first, last) at which an event would break a rule."""
        if not self.counts(draft):
            return []
        watched, out = self._of(draft.label), []
        for _, key, most in watched.caps:
            if key in self._piles:
                out += collisions(draft.heard, self._piles[key].covered(most))
        for _, key, gap in watched.gaps:
            out += self._too_near(draft, key, gap)
        return out

    def _too_near(self, draft: Draft, key: str | None, gap: int) -> list[Span]:
        first, last = draft.span
        before, after = gap + last - 1, gap - first
        return [(a - before, b + after) for a, b in self._spans.get(key, ())]

    def taken(self, draft: Draft) -> Iterator[tuple[str, list[Span]]]:
        """Yield the name of each rule and the onsets [first, last) that it forbids an event."""
        if not self.counts(draft):
            return
        watched = self._of(draft.label)
        for name, key, most in watched.most:
            if key in self._piles:
                yield name, collisions(draft.heard, self._piles[key].covered(most))
        for name, key, gap in watched.gaps:
            yield name, self._too_near(draft, key, gap)

    def _gap(self, seconds: float) -> int:
        """Return the samples of a pause, so many that the effects of the mix leave as many as are asked for."""
        gap = seconds_to_samples(seconds, self.sr)
        return gap if self.fastest == 1.0 else math.ceil((gap + 1) * self.fastest)  # 1: ends are rounded to samples

    def missing(self) -> Wanted | None:
        """Return the first rule of so many events at once that does not hold; None if all do."""
        for wanted in self.wanted:
            pile = self._piles.get(wanted.label)
            if pile is None or total(pile.covered(wanted.at_once)) < self.least:
                return wanted
        return None

    def together(self, draft: Draft, meeting: Sequence[Span]) -> list[Span]:
        """Return the onsets [first, last) at which an event is heard long enough in one of some spans."""
        d = self.least
        found = [(s + d - b, e - d - a + 1) for a, b in draft.heard for s, e in meeting if min(b - a, e - s) >= d]
        return _united(found)

    def met(self, draft: Draft, onset: int, meeting: Sequence[Span] | None) -> list[Span]:
        """Return what is left of the spans where events meet once one more is there: those that are long enough."""
        heard = self.heard(draft, onset)
        found = heard if meeting is None else [piece for span in meeting for piece in common(heard, span)]
        return [(a, b) for a, b in found if b - a >= self.least]

    def blamed(self, draft: Draft, room: Span) -> str:
        """Return the rules that leave an event no place in [first, last): one alone, or all that do so together."""
        found = list(self.taken(draft))
        alone = [name for name, taken in found if not left(room, taken)]
        return alone[0] if alone else " and ".join(name for name, taken in found if taken)


def _united(spans: Sequence[Span]) -> list[Span]:
    """Return spans that may overlap as spans that do not, in order."""
    out: list[Span] = []
    for a, b in sorted(spans):
        if out and a <= out[-1][1]:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out


def hopeless(limits: Limits, drafts: Sequence[Draft]) -> str:
    """Return which rule cannot hold for these events wherever they stand, and why; empty if nothing is sure."""
    rules, n, sr = limits.rules, limits.n_clip, limits.sr
    counted = [draft for draft in drafts if limits.counts(draft)]
    for name, label, count in limits.wanted:
        have = sum(1 for draft in counted if label in (None, draft.label))
        if have < count:
            return f"{name}: {count} cannot hold: there are {have} such events in this clip; make more, or ask for fewer at once"
    if n is None:
        return ""
    whole = [draft for draft in counted if not draft.cut]
    labels = dict.fromkeys(draft.label for draft in whole if draft.label is not None)
    most: list[tuple[str, str | None, int | None]] = [("max_overlap", None, rules.max_overlap)]
    most += [(f"max_overlap_per_label ('{k}')", k, of_label(rules.max_overlap_per_label, k)) for k in labels]
    gaps: list[tuple[str, str | None, float | None]] = [("min_gap", None, rules.min_gap)]
    gaps += [(f"min_gap_per_label ('{k}')", k, of_label(rules.min_gap_per_label, k)) for k in labels]
    for name, label, limit in most:
        if limit is None:
            continue
        sound = sum(total(draft.heard) for draft in whole if label in (None, draft.label))
        if sound > limit * n:
            return (
                f"{name}: {limit} cannot hold: the events last {sound / sr:.3f} s in all, and {limit} at once in a clip of "
                f"{n / sr:.3f} s are {limit * n / sr:.3f} s at most; make them fewer or shorter, or the clip longer"
            )
    for name, label, seconds in gaps:
        if seconds is None:
            continue
        spans = [draft.span for draft in whole if label in (None, draft.label)]
        needed = total(spans) + (len(spans) - 1) * seconds_to_samples(seconds, sr)
        if needed > n:
            return (
                f"{name}: {seconds:g} cannot hold: {len(spans)} events and what is between them need {needed / sr:.3f} s, "
                f"and the clip has {n / sr:.3f} s; make them fewer or shorter, or the clip longer"
            )
    return ""
