"""The table of clips: what the page searches, filters and sorts, a column a list, each class and split told once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audiosynth.report.findings import CHECKS, Findings


@dataclass
class Table:
    """Columns of the listed clips, in the set's order.

    Attributes
    ----------
    ids
        Names.
    splits, classes
        Every split and label, each once, in order of first use; the columns hold their numbers.
    split, labels
        Of each clip: its split, and its audible labels.
    seconds, level, polyphony
        Of each clip: duration, RMS in dBFS (None: silence), most labels at once.
    snr
        Lowest and highest SNR of its labeled events in dB; None where there is none.
    heard
        1 if there is a picture.
    faults
        Numbers in `CHECKS` of what was found.
    text
        What else search finds a clip by.
    """

    ids: list[str] = field(default_factory=list)
    splits: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    split: list[int] = field(default_factory=list)
    labels: list[list[int]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    level: list[float | None] = field(default_factory=list)
    polyphony: list[int] = field(default_factory=list)
    snr: list[list[float] | None] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    faults: dict[int, list[int]] = field(default_factory=dict)
    text: dict[int, str] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Return the number of clips."""
        return len(self.ids)

    def add(self, row: Mapping[str, Any], *, heard: bool) -> None:
        """Enter a clip."""
        told = [label for label in row["labels"] if label.get("audible", True)]
        snrs = [label["snr_db"] for label in told if label.get("snr_db") is not None]
        level = row["outcomes"].get("level_dbfs")
        if row.get("augmented_from"):
            self.text[self.n] = str(row["augmented_from"])
        self.ids.append(str(row["clip_id"]))
        self.split.append(self.splits.setdefault(str(row["split"]), len(self.splits)))
        self.labels.append([self.classes.setdefault(str(x["label"]), len(self.classes)) for x in told])
        self.seconds.append(round(float(row["duration"]), 3))
        self.level.append(None if level is None else round(level, 1))
        self.polyphony.append(int((row["outcomes"].get("polyphony") or {}).get("max", 0)))
        self.snr.append([round(min(snrs), 1), round(max(snrs), 1)] if snrs else None)
        self.heard.append(int(heard))

    def mark(self, findings: Findings) -> None:
        """Enter what was found, once all is known."""
        at = {clip_id: i for i, clip_id in enumerate(self.ids)}
        for number, name in enumerate(CHECKS):
            for clip_id in findings.faults.get(name, ()):
                self.faults.setdefault(at[clip_id], []).append(number)

    def as_dict(self) -> dict[str, Any]:
        """Return the table as plain data."""
        return {
            "ids": self.ids, "splits": list(self.splits), "classes": list(self.classes), "split": self.split,
            "labels": self.labels, "seconds": self.seconds, "level": self.level, "polyphony": self.polyphony, "snr": self.snr,
            "heard": self.heard, "checks": list(CHECKS), "faults": self.faults, "text": self.text,
        }  # fmt: skip
