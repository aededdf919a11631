"""Figures of conversations, gathered row by row in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

BINS: Final = 10
"""Tenths of an overlap ratio that are counted."""


@dataclass
class Talks:
    """Running figures of conversations.

    Attributes
    ----------
    speakers
        Number of speakers → conversations.
    turns
        In all.
    bins
        Tenths of the realised overlap ratio, rounded down → conversations.
    ratios
        Realised overlap ratios: [count, sum, smallest, largest, largest error against what the turns were placed for].
    short
        Conversations that were asked for more than they can reach.
    """

    speakers: Counter[int] = field(default_factory=Counter)
    turns: int = 0
    bins: Counter[int] = field(default_factory=Counter)
    ratios: list[float] = field(default_factory=lambda: [0, 0.0, 1.0, 0.0, 0.0])
    short: int = 0

    def add(self, realised: Sequence[Mapping[str, Any]], asked: Sequence[Mapping[str, Any]]) -> None:
        """Count the conversations of a clip: what came out, and what was asked for."""
        for found, wanted in zip(realised, asked, strict=True):
            self.speakers[found["speakers"]] += 1
            self.turns += found["turns"]
            self.short += wanted["asked"] is not None
            ratio, request = found["overlap_ratio"], wanted["overlap_ratio"]
            if ratio is None:
                continue
            count, total, low, high, error = self.ratios
            off = 0.0 if request is None else abs(ratio - request)
            self.ratios = [count + 1, total + ratio, min(low, ratio), max(high, ratio), max(error, off)]
            self.bins[int(BINS * ratio)] += 1

    def as_dict(self) -> dict[str, Any] | None:
        """Return the figures as plain data; None where there are no conversations."""
        if not self.speakers:
            return None
        count, total, low, high, error = self.ratios
        ratios = {
            "mean": round(total / count, 6), "min": low, "max": high, "largest_error": round(error, 6), "short": self.short,
            "tenths": [self.bins[i] for i in range(BINS + 1)],
        } if count else None  # fmt: skip
        return {
            "count": self.speakers.total(),
            "turns": self.turns,
            "speakers": {str(n): count for n, count in sorted(self.speakers.items())},
            "overlap_ratio": ratios,
        }
