"""What is wrong with a set's audio, gathered clip by clip: faults by kind, levels that stand apart, clips that sound the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from audiosynth.report.sidecars import Found
from audiosynth.sound import fingerprint, quality

CHECKS: Final = {
    "missing": "the audio file is not there",
    "unreadable": "the audio file cannot be decoded",
    "wrong_length": "the audio has another length than its row says",
    "not_finite": "samples that are NaN or infinite",
    "silent": f"nothing above {quality.SILENT_DBFS:g} dBFS",
    "clipping": f"{quality.RUN} or more samples in a row at full scale",
    "dc": f"a constant part above {quality.DC_DBFS:g} dBFS and a tenth of the RMS",
    "cut_tail": f"as loud in the last {1000 * quality.EDGE:g} ms as at its loudest (within {quality.CUT_DB:g} dB), over a quiet ground",
    "outlier_level": f"a level more than {quality.OUTLIER:g} robust deviations (and {quality.OUTLIER_DB:g} dB) from the median",
    "near_duplicate": "sounds like another clip (by fingerprint; replicas of one utterance do not count)",
    "guarded": "turned down so as not to clip, as the recipe asks",
    "saturated": "saturated samples, counted while rendering",
}  # fmt: skip
"""Every check of the page, in its order, and what it means."""
FROM_ROWS: Final = ("guarded", "saturated")
"""Those that every row tells; the others are of the clips whose audio is read."""


@dataclass
class Findings:
    """Running findings; `add` every clip, then `compare`.

    Attributes
    ----------
    faults
        Check → ids of its clips, for those that found something.
    duplicates
        (id, id) of clips that sound the same.
    n_read
        Clips whose audio was read.
    """

    faults: dict[str, list[str]] = field(default_factory=dict)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    n_read: int = 0
    _ids: list[str] = field(default_factory=list)
    _origins: list[str | None] = field(default_factory=list)
    _levels: list[float] = field(default_factory=list)
    _prints: list[fingerprint.Print] = field(default_factory=list)

    def add(self, row: Mapping[str, Any], found: Found) -> None:
        """Take what was found of a clip."""
        clip_id, outcomes = str(row["clip_id"]), row["outcomes"]
        own = [name for name, there in (("guarded", outcomes["guarded"]), ("saturated", outcomes["clipped"])) if there]
        for name in (*found.faults, *own):
            self.faults.setdefault(name, []).append(clip_id)
        self.n_read += found.print is not None
        if found.print is not None and found.level_dbfs is not None and math.isfinite(found.level_dbfs):
            self._ids.append(clip_id)
            self._origins.append(row.get("augmented_from"))
            self._levels.append(found.level_dbfs)
            self._prints.append(found.print)

    def compare(self) -> None:
        """Find the clips whose levels stand apart, and those that sound the same."""
        apart = [self._ids[i] for i in quality.outliers(np.array(self._levels))]
        if apart:
            self.faults["outlier_level"] = apart
        for match in fingerprint.same_sound(self._prints):
            origin = self._origins[match.one]
            if origin is None or origin != self._origins[match.other]:
                self.duplicates.append((self._ids[match.one], self._ids[match.other]))
        alike = sorted({clip_id for pair in self.duplicates for clip_id in pair})
        if alike:
            self.faults["near_duplicate"] = alike
