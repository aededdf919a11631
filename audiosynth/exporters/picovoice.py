"""One long stream and the times of the wake word in it, as Picovoice's benchmark reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._layout import put_wav, role_of, samples
from audiosynth.exporters._text import atomic_text
from audiosynth.registry import Component

SR: Final = 16_000
AFTER: Final = 0.5
"""Seconds that the benchmark adds to the end of a keyword: engines answer late."""


class Picovoice(Component):
    """``picovoice/<split>.wav`` and ``<split>.txt``: all clips of the test and ambient splits in a row, ``start, end`` a line.

    Times are seconds with two decimals; the end is half a second late, as the benchmark writes it. Only the labels of
    `target` are listed: everything else may be spoken over.

    Parameters
    ----------
    target
        Labels of the wake word.
    """

    type_name: ClassVar[str] = "picovoice"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"target": ["hey computer"]},)

    target: Annotated[tuple[str, ...], Field(strict=False, min_length=1, description="labels of the wake word")]

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``picovoice/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If clips are not of one channel at 16 kHz, or a split's name says no part.
        """
        base = folder / "picovoice"
        paths = []
        for split in dataset.splits:
            rows = [row for row in dataset.rows() if row["split"] == split and role_of(split) in ("testing", "ambient")]
            if not rows:
                continue
            pieces, lines, at = [], [], 0
            for row in rows:
                pieces.append(samples(dataset.root, row))
                for label in row["labels"]:
                    if label["label"] in self.target and label.get("audible", True):
                        start, end = (at + label[key] for key in ("onset_sample", "offset_sample"))
                        lines.append(f"{start / SR:.2f}, {end / SR + AFTER:.2f}\n")
                at += len(pieces[-1])
            put_wav(base / f"{split}.wav", np.concatenate(pieces))
            with atomic_text(base / f"{split}.txt") as file:
                file.writelines(lines)
            paths += [base / f"{split}.wav", base / f"{split}.txt"]
        return paths
