"""Where effects take what is known to happen when: intervals through time maps, in whole samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from audiosynth.clip import Segment

Interval = tuple[int, int]


class Piece(NamedTuple):
    """What is left of an interval: where it is, and which of its ends lie in the midst of what was there."""

    onset: int
    offset: int
    cut_onset: bool = False
    cut_offset: bool = False

    @property
    def partial(self) -> dict[str, str]:
        """Return the entry of a label whose sound begins or ends in its midst."""
        ends = [name for name, cut in (("onset", self.cut_onset), ("offset", self.cut_offset)) if cut]
        return {"partial": "both" if len(ends) == 2 else ends[0]} if ends else {}


def inside(onset: int, offset: int, n_samples: int, *, tail: int = 0) -> list[Piece]:
    """Return what of an interval, and of `tail` samples after it, lies in [0, n_samples): one piece or none.

    Examples
    --------
    >>> inside(-3, 5, 10)
    [Piece(onset=0, offset=5, cut_onset=True, cut_offset=False)]
    """
    a, b = max(0, onset), min(n_samples, offset + tail)
    return [Piece(a, b, onset < 0, offset > n_samples)] if b > a else []


def map_piece(piece: Piece, segments: Sequence[Segment]) -> list[Piece]:
    """Return where an interval of the input went: none, one or several intervals of the output, in the order of the segments.

    Segments that follow each other in the input and in the output are one.

    Examples
    --------
    >>> [tuple(p[:2]) for p in map_piece(Piece(2, 6), [Segment(0, 4, 0, 8), Segment(4, 8, 12, 8)])]
    [(4, 8), (10, 12)]
    >>> map_piece(Piece(2, 6), [Segment(0, 4, 0, 8), Segment(4, 5, 8, 10)])
    [Piece(onset=4, offset=10, cut_onset=False, cut_offset=True)]
    """
    runs: list[list[int]] = []  # [in0, in1, out0, out1] of what is whole
    for in0, in1, out0, out1 in segments:
        a, b = max(piece.onset, in0), min(piece.offset, in1)
        if b <= a:
            continue
        c, d = (out0 + (2 * (x - in0) * (out1 - out0) + (in1 - in0)) // (2 * (in1 - in0)) for x in (a, b))
        if runs and runs[-1][1] == a and runs[-1][3] == c and (runs[-1][2] <= c) == (c <= d):
            runs[-1][1], runs[-1][3] = b, d
        else:
            runs.append([a, b, c, d])
    out = []
    for a, b, c, d in runs:
        first, last = piece.cut_onset or a > piece.onset, piece.cut_offset or b < piece.offset
        out.append(Piece(c, d, first, last) if c <= d else Piece(d, c, last, first))
    return out


def map_interval(interval: Interval, segments: Sequence[Segment]) -> list[Interval]:
    """Return what `map_piece` does, ends alone.

    Examples
    --------
    >>> map_interval((2, 6), [Segment(0, 8, 8, 0)])
    [(2, 6)]
    """
    return [(piece.onset, piece.offset) for piece in map_piece(Piece(*interval), segments)]


def moves_of(effects: Iterable[Any], n_samples: int, sr: int) -> list[list[Segment]]:
    """Return the time maps of effects one after another, without those that leave everything where it is."""
    found = []
    for effect in effects:
        segments = effect.segments(n_samples, sr)
        n_before, n_samples = n_samples, effect.extent(n_samples, sr)
        if segments != [Segment(0, n_before, 0, n_before)]:
            found.append(segments)
    return found


def through(pieces: Iterable[Piece], moves: Iterable[Sequence[Segment]]) -> list[Piece]:
    """Return where intervals are after all time maps, those that are lost left out."""
    found = list(pieces)
    for segments in moves:
        found = [after for piece in found for after in map_piece(piece, segments) if after.offset > after.onset]
    return found
