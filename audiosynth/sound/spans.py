"""Half-open spans of whole samples: how many lie over each other where, and which places are left for one more."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

Span = tuple[int, int]
Spans = Sequence[Span]


class Pile:
    """Spans lying over each other; they come and go, and the places that many of them cover can be asked for.

    Examples
    --------
    >>> pile = Pile()
    >>> pile.add([(0, 10), (5, 15)])
    >>> pile.covered(2), pile.covered(1)
    ([(5, 10)], [(0, 15)])
    """

    __slots__ = ("_covered", "_ends", "_new")

    def __init__(self) -> None:
        self._ends: list[
            tuple[int, int]
        ] = []  # (sample, -1 or +1), sorted: an end before a beginning at the same sample
        self._new: list[Span] = []  # put on the pile since somebody last asked
        self._covered: dict[int, Spans] = {}  # what was asked for since the pile last changed

    def add(self, spans: Iterable[Span]) -> None:
        """Put spans on the pile."""
        self._new += spans
        self._covered.clear()

    def remove(self, spans: Iterable[Span]) -> None:
        """Take spans away that are on the pile."""
        self._covered.clear()
        for a, b in spans:
            if (a, b) in self._new:
                self._new.remove((a, b))
            else:
                del self._ends[bisect_left(self._ends, (a, 1))]
                del self._ends[bisect_left(self._ends, (b, -1))]

    def covered(self, times: int) -> Spans:
        """Return where at least `times` (≥ 1) spans lie over each other; touching places are one."""
        found = self._covered.get(times)
        if found is None:
            found = self._covered[times] = self._find(times)
        return found

    def _find(self, times: int) -> list[Span]:
        for a, b in self._new:
            insort(self._ends, (a, 1))
            insort(self._ends, (b, -1))
        self._new.clear()
        out: list[Span] = []
        count = begin = 0
        for sample, step in self._ends:
            count += step
            if step > 0 and count == times:
                begin = sample
            elif step < 0 and count == times - 1 and sample > begin:
                if out and out[-1][1] == begin:
                    out[-1] = (out[-1][0], sample)
                else:
                    out.append((begin, sample))
        return out


def shifted(spans: Spans, by: int) -> list[Span]:
    """Return spans moved by some samples."""
    return [(a + by, b + by) for a, b in spans]


def within(spans: Spans, n: int | None) -> list[Span]:
    """Return what of the spans lies in [0, n); `n` None is no end."""
    cut = [(max(0, a), b if n is None else min(n, b)) for a, b in spans]
    return [(a, b) for a, b in cut if b > a]


def total(spans: Spans) -> int:
    """Return the samples in spans that do not overlap."""
    return sum(b - a for a, b in spans)


def collisions(moving: Spans, standing: Spans) -> list[Span]:
    """Return the shifts [first, last), by which spans that are moved come to lie over some that stand.

    Examples
    --------
    >>> collisions([(0, 10)], [(100, 120)])
    [(91, 120)]
    """
    return [(s - b + 1, e - a) for a, b in moving for s, e in standing]


def left(room: Span, taken: Iterable[Span]) -> list[Span]:
    """Return what is left of [first, last) without the places taken.

    Examples
    --------
    >>> left((0, 100), [(10, 20), (15, 30), (90, 200)])
    [(0, 10), (30, 90)]
    """
    out: list[Span] = []
    first, last = room
    for a, b in sorted(taken):
        if b <= first:
            continue
        if a >= last:
            break
        if a > first:
            out.append((first, a))
        first = b
    if first < last:
        out.append((first, last))
    return out


def common(some: Spans, room: Span) -> list[Span]:
    """Return what of the spans lies in [first, last)."""
    return [(max(a, room[0]), min(b, room[1])) for a, b in some if min(b, room[1]) > max(a, room[0])]


def drawn(places: Spans, u: float) -> int:
    """Return the place at fraction `u` in [0, 1) of all places in spans that do not overlap.

    Examples
    --------
    >>> [drawn([(0, 2), (10, 12)], u) for u in (0.0, 0.25, 0.5, 0.99)]
    [0, 1, 10, 11]
    """
    rest = int(u * total(places))
    for a, b in places:
        if rest < b - a:
            return a + rest
        rest -= b - a
    return places[-1][1] - 1  # rounding brought u · total up to the total


def holds(places: Spans, place: int) -> bool:
    """Return whether a place is in any of the spans."""
    return any(a <= place < b for a, b in places)
