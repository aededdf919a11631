"""Audacity label tracks: one text file per clip."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._text import (
    atomic_text,
    below_split,
    breaks_lines,
    clean,
    decimal_seconds,
    labels_of,
    refuse,
    withhold,
)
from audiosynth.registry import Component


class Audacity(Component):
    """Label tracks for Audacity: onset, offset, label, tab-separated, 6 decimals, no header.

    ``audacity/<split>/<path of the clip>.txt``, next to each other as the audio files are; a clip without events
    has an empty file. Weak and unlabeled splits have none.

    References
    ----------
    Audacity manual, "Importing and Exporting Labels": fields separated by tabs, times in seconds.
    """

    type_name: ClassVar[str] = "audacity"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"inaudible": "keep"})

    inaudible: Annotated[
        Literal["drop", "keep"], Field(description="whether events that cannot be heard in the mix are listed")
    ] = "drop"

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``audacity/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a label holds a tab or a line end.
        """
        strong = {split for split in dataset.splits if withhold(split, dataset=dataset) == "strong"}
        return [self._write_clip(row, folder) for row in dataset.rows() if row["split"] in strong]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose labels cannot stand in a track; asked when a clip is made, not when all are."""
        for item in labels_of(row, self.inaudible):
            _checked(row, item)

    def _write_clip(self, row: dict[str, Any], folder: Path) -> Path:
        path = folder / "audacity" / str(row["split"]) / below_split(row).with_suffix(".txt")
        sr, n_samples = row["sr"], row["n_samples"]
        with atomic_text(path) as file:
            for item in labels_of(row, self.inaudible):
                label = _checked(row, item)
                last = item["offset_sample"] >= n_samples  # rounding must not carry a label over the end
                offset = decimal_seconds(min(item["offset_sample"], n_samples), sr, places=6, floor=last)
                onset = min(decimal_seconds(item["onset_sample"], sr, places=6), offset, key=float)
                file.write(f"{onset}\t{offset}\t{label}\n")
        return path


def _checked(row: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    label = clean(item["label"])
    if breaks_lines(label):
        raise refuse(row, label, "holds a tab, line end or outer blank, or is empty; rename it")
    return label
