"""What can be wrong with a finished sound, measured in one pass over its samples: silence, clipping, offset, NaN, cut tails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

SILENT_DBFS: Final = -80.0
"""Peaks below this are nothing that anybody would hear at a usual gain."""
FULL: Final = 0.9999
"""Of full scale, from which on a sample counts as saturated: the last step of 16 bits and the one before."""
RUN: Final = 3
"""Equal samples in a row at full scale that tell clipping from a sound that just touches it."""
DC_DBFS: Final = -50.0
"""Constant part from which on it is a fault, if it is also no less than `DC_SHARE` of the RMS."""
DC_SHARE: Final = 0.1
EDGE: Final = 0.005
"""Seconds at the very end whose level tells whether a sound was cut off."""
CUT_DB: Final = 6.0
"""A tail is cut where the last `EDGE` is no less than this under the loudest stretch of that length …"""
CUT_OVER_DB: Final = 20.0
"""… and this far over what the quietest `GROUND` of such stretches are below, so that a level bed of noise is none."""
GROUND: Final = 0.1
OUTLIER: Final = 5.0
"""Robust standard deviations (1.4826 MAD) from the median at which a level stands apart from its set …"""
OUTLIER_DB: Final = 6.0
"""… and dB, for sets whose levels hardly differ."""


@dataclass(frozen=True)
class Quality:
    """What one pass found.

    Attributes
    ----------
    n_samples
        Per channel.
    peak_dbfs, level_dbfs
        Largest magnitude over all channels, and RMS over all; -inf for digital silence.
    dc_dbfs
        Largest constant part of a channel.
    saturated
        Samples in runs of `RUN` or more at full scale.
    not_finite
        Samples that are NaN or infinite; the other figures are of the rest.
    tail_db, floor_db
        Level of the last `EDGE` seconds, and what the quietest `GROUND` of stretches of that length are below, re the loudest.
    """

    n_samples: int
    peak_dbfs: float
    level_dbfs: float
    dc_dbfs: float
    saturated: int
    not_finite: int
    tail_db: float
    floor_db: float

    def faults(self) -> list[str]:
        """Return what is wrong, of ``not_finite``, ``silent``, ``clipping``, ``dc`` and ``cut_tail``."""
        silent = self.peak_dbfs < SILENT_DBFS
        offset = self.dc_dbfs > max(DC_DBFS, self.level_dbfs + 20.0 * float(np.log10(DC_SHARE)))
        cut = self.tail_db > -CUT_DB and self.floor_db < self.tail_db - CUT_OVER_DB
        found = {
            "not_finite": self.not_finite > 0, "silent": silent, "clipping": self.saturated > 0,
            "dc": not silent and offset, "cut_tail": not silent and cut,
        }  # fmt: skip
        return [name for name, there in found.items() if there]


def measure(blocks: Iterable[npt.NDArray[Any]], sr: int) -> Quality:
    """Measure a sound that comes in blocks.

    Parameters
    ----------
    blocks
        Each of shape (n_channels, n), full scale 1.0; one block after the other.
    sr
        Rate in Hz.

    Examples
    --------
    >>> y = 0.1 * np.sin(0.3 * np.arange(8000))[None] + 0.2
    >>> found = measure([y[:, :5000], y[:, 5000:]], 8000)
    >>> round(found.dc_dbfs, 1), found.faults()
    (-14.0, ['dc'])
    """
    edge = max(1, round(EDGE * sr))
    peak, power, n, saturated, bad = 0.0, 0.0, 0, 0, 0
    total: Any = 0.0
    stretches: list[npt.NDArray[np.float64]] = []
    last = np.empty((0, 0))
    for block in blocks:
        finite = np.isfinite(block)
        wrong = block.size - int(np.count_nonzero(finite))
        y = block if not wrong else np.where(finite, block, 0.0)
        bad += wrong
        peak = max(peak, float(y.max(initial=0.0)), -float(y.min(initial=0.0)))
        squares = np.square(y, dtype=np.float64).sum(axis=0)
        power += float(squares.sum())
        total = total + y.sum(axis=1, dtype=np.float64)
        saturated += _saturated(y)
        whole = squares.size // edge * edge
        stretches.append(squares[:whole].reshape(-1, edge).sum(axis=1))
        tail = y[:, -edge:]
        last = tail if tail.shape[1] == edge or not last.size else np.concatenate([last, tail], axis=1)[:, -edge:]
        n += y.shape[1]
    channels = max(1, last.shape[0])
    levels = np.concatenate([*stretches, [np.square(last, dtype=np.float64).sum()]])
    loudest = float(levels.max())
    return Quality(
        n, _db(peak**2), _db(power / max(1, n * channels)), _db(float(np.max(np.abs(total))) ** 2 / max(1, n) ** 2),
        saturated, bad, _db(levels[-1] / loudest if loudest else 0.0), _db(float(np.quantile(levels, GROUND)) / loudest if loudest else 0.0),
    )  # fmt: skip


def _db(power: float) -> float:
    return 10.0 * float(np.log10(power)) if power > 0 else -np.inf


def _saturated(y: npt.NDArray[Any]) -> int:
    """Return the samples in runs of at least `RUN` at full scale, channel by channel."""
    if not y.size or max(float(y.max()), -float(y.min())) < FULL:
        return 0
    found = 0
    for row in y:
        for sign in (1.0, -1.0):
            high = np.concatenate([[False], sign * row >= FULL, [False]])
            edges = np.flatnonzero(high[1:] != high[:-1]).reshape(-1, 2)
            runs = edges[:, 1] - edges[:, 0]
            found += int(runs[runs >= RUN].sum())
    return found


def outliers(levels_dbfs: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the numbers of the levels that stand apart from the others: by `OUTLIER` robust deviations and `OUTLIER_DB`.

    Examples
    --------
    >>> outliers(np.array([-30.0, -31.0, -29.5, -30.2, -12.0])).tolist()
    [4]
    """
    if not levels_dbfs.size:
        return np.empty(0, np.int64)
    away = np.abs(levels_dbfs - np.median(levels_dbfs))
    return np.flatnonzero(away > max(OUTLIER * 1.4826 * float(np.median(away)), OUTLIER_DB))
