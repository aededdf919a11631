"""The figures of a report, gathered row by row: those of `stats`, and every value that is drawn as a histogram."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from audiosynth.leakage import Leakage
from audiosynth.stats import SetStats

MEASURED: Final = {
    "clip_seconds": "s", "event_seconds": "s", "snr": "dB", "event_level": "dBFS", "clip_level": "dBFS", "peak": "dBFS",
    "noise_level": "dBFS", "rt60": "s", "drr": "dB", "c50": "dB", "distance": "m",
}  # fmt: skip
"""Everything that is drawn as a histogram, and its unit."""
SNR_STEP: Final = 0.5
"""dB of the grid that requested and realised SNRs are counted on."""


@dataclass
class Figures:
    """What the rows it was given are like.

    Attributes
    ----------
    whole, splits
        Figures of `audiosynth.stats`, of all rows and of each split.
    values
        Name in `MEASURED` → values.
    snrs
        (requested, realised) SNR in steps of `SNR_STEP` → events.
    worst
        Largest difference of the two in dB, and its clip.
    leakage
        What is heard in which split.
    """

    whole: SetStats = field(default_factory=SetStats)
    splits: dict[str, SetStats] = field(default_factory=dict)
    values: dict[str, array[float]] = field(default_factory=lambda: {name: array("d") for name in MEASURED})
    snrs: Counter[tuple[int, int]] = field(default_factory=Counter)
    worst: tuple[float, str] = (0.0, "")
    leakage: Leakage = field(default_factory=Leakage)

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row.

        Raises
        ------
        KeyError, TypeError, ValueError, IndexError, AttributeError
            If it is not a row that a build writes.
        """
        self.whole.add(row)
        self.splits.setdefault(str(row["split"]), SetStats()).add(row)
        self.leakage.add(row)
        outcomes = row["outcomes"]
        self._note("clip_seconds", row["duration"])
        self._note("clip_level", outcomes.get("level_dbfs"))
        self._note("peak", outcomes.get("peak_dbfs"))
        self._note("noise_level", (outcomes.get("noise") or {}).get("level_dbfs"))
        for label in row["labels"]:
            if label.get("audible", True):
                self._note("event_seconds", label["offset"] - label["onset"])
        for reading in [*outcomes["events"], outcomes.get("noise") or {}]:
            self._snr(reading, row["clip_id"])
        for reading in outcomes["events"]:
            self._note("event_level", reading.get("level_dbfs"))
            self._note("snr", reading.get("snr_db"))
            self._room(reading.get("room") or {})

    def _note(self, name: str, value: float | None) -> None:
        if value is not None:
            self.values[name].append(value)

    def _room(self, room: Mapping[str, Any]) -> None:
        self._note("rt60", room.get("t30") if room.get("t30") is not None else room.get("t20"))
        self._note("drr", room.get("drr_db"))
        self._note("c50", room.get("c50_db"))
        self._note("distance", room.get("distance"))

    def _snr(self, reading: Mapping[str, Any], clip_id: str) -> None:
        asked, got = reading.get("requested_snr_db"), reading.get("realised_snr_db")
        if asked is None or got is None:
            return
        self.snrs[round(asked / SNR_STEP), round(got / SNR_STEP)] += 1
        self.worst = max(self.worst, (abs(got - asked), clip_id))
