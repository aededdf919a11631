"""Totals over a manifest, gathered row by row in constant memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiosynth.building.rows import filled, lines_of
from audiosynth.manifest import VOICES


@dataclass
class Totals:
    """Running totals; `add` every row, then read.

    Attributes
    ----------
    clips, seconds
        Per split.
    classes
        Label → [events, seconds]: the labeled intervals that can be heard, and how long they are together.
    inaudible
        Labeled intervals that cannot (`labels.drop_below_snr_db`), which most formats leave out.
    guarded, clipped
        Clips whose level the guard lowered; clips with saturated samples.
    snr
        Realised SNRs: [count, sum, smallest, largest, largest error against the request].
    snr_bins
        Realised SNRs counted in hundredths of a dB: the median in bounded memory.
    """

    clips: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    classes: dict[str, list[float]] = field(default_factory=dict)
    inaudible: int = 0
    guarded: int = 0
    clipped: int = 0
    snr: list[float] = field(default_factory=lambda: [0, 0.0, float("inf"), float("-inf"), 0.0])
    snr_bins: Counter[int] = field(default_factory=Counter)
    recordings: int = 0
    voices: str = "none"
    needs: set[str] = field(default_factory=set)

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row."""
        split = row["split"]
        self.clips[split] = self.clips.get(split, 0) + 1
        self.seconds[split] = self.seconds.get(split, 0.0) + row["duration"]
        for label in row["labels"]:
            if not label.get("audible", True):
                self.inaudible += 1
                continue
            entry = self.classes.setdefault(label["label"], [0, 0.0])
            entry[0] += 1
            entry[1] += label["offset"] - label["onset"]
        outcomes = row["outcomes"]
        self.guarded += bool(outcomes["guarded"])
        self.clipped += bool(outcomes["clipped"])
        for event in outcomes["events"]:
            if event.get("realised_snr_db") is not None:
                self._snr(event["realised_snr_db"], event["requested_snr_db"])
        kinds = {self.voices, row["made_of"]["voices"]}
        self.voices = next((kind for kind in VOICES if kind in kinds), "none")
        self.needs.update(row["needs"])

    def _snr(self, realised: float, requested: float) -> None:
        count, total, low, high, error = self.snr
        self.snr_bins[round(100 * realised)] += 1
        self.snr = [
            count + 1,
            total + realised,
            min(low, realised),
            max(high, realised),
            max(error, abs(realised - requested)),
        ]

    def _median_db(self) -> float:
        """Return the median realised SNR, to 0.01 dB."""
        count, passed, middle = self.snr_bins.total(), 0, []
        for value, n in sorted(self.snr_bins.items()):
            middle += [value for rank in ((count - 1) // 2, count // 2) if passed <= rank < passed + n]
            passed += n
        return sum(middle) / 200

    def as_dict(self) -> dict[str, Any]:
        """Return the totals as plain data."""
        count = int(self.snr[0])
        snr = None
        if count:
            snr = {
                "events": count, "mean_db": round(self.snr[1] / count, 2),
                "median_db": round(self._median_db(), 2), "min_db": round(self.snr[2], 2), "max_db": round(self.snr[3], 2), "largest_error_db": round(self.snr[4], 4),
            }  # fmt: skip
        return {
            "clips": dict(self.clips),
            "hours": {split: round(s / 3600, 4) for split, s in self.seconds.items()},
            "classes": {k: {"events": int(v[0]), "seconds": round(v[1], 3)} for k, v in sorted(self.classes.items())},
            "inaudible": self.inaudible,
            "snr": snr,
            "guarded": self.guarded,
            "clipped": self.clipped,
            "voices": self.voices,
            "needs": sorted(self.needs),
        }


def of_manifest(path: Path) -> Totals:
    """Return the totals of a manifest file."""
    totals = Totals()
    with lines_of(path) as lines:
        for line in filled(lines):
            totals.add(json.loads(line))
    return totals
