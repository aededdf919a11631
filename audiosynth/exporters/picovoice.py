"""One long stream and the times of the wake word in it, as Picovoice's benchmark reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._layout import AMBIENT, check_sound, put_wav, role_of, samples
from audiosynth.exporters._text import atomic_text
from audiosynth.registry import Component

SR: Final = 16_000
AFTER: Final = 0.5
"""Seconds that the benchmark adds to the end of a keyword: engines answer late."""
STREAMED: Final = ("testing", *AMBIENT, "stream")


class Picovoice(Component):
    """``picovoice/<split>.wav`` and ``<split>.txt``: all clips of a split in a row, ``start, end`` of each wake word a line.

    Made of the splits for testing, ambient tracks and streams in which the wake word is said. Times are seconds with two
    decimals; the end is half a second late, as the benchmark writes it. Only the labels of `target` are listed: everything
    else may be spoken over.

    Parameters
    ----------
    target
        Labels of the wake word.
    """

    type_name: ClassVar[str] = "picovoice"
    reads_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"target": ["hey computer"]},)

    target: Annotated[tuple[str, ...], Field(strict=False, min_length=1, description="labels of the wake word")]

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``picovoice/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If clips are not of one channel at 16 kHz, a split's name says no part, the wake word is in none of them, or is said
            again before the time of the one before is over.
        """
        base = folder / "picovoice"
        paths = []
        for split in dataset.splits:
            if role_of(split) not in STREAMED:
                continue
            rows = [row for row in dataset.rows() if row["split"] == split]
            times = self._times(rows, split)
            if times:  # the benchmark divides by their number
                put_wav(base / f"{split}.wav", np.concatenate([samples(dataset.root, row) for row in rows]))
                with atomic_text(base / f"{split}.txt") as file:
                    file.writelines(f"{start:.2f}, {end:.2f}\n" for start, end in times)
                paths += [base / f"{split}.wav", base / f"{split}.txt"]
        if not paths:
            raise BuildError(
                f"picovoice: '{self.target[0]}' is said in no split for testing and in no stream; "
                "are these the recipe's labels, and are there enough such clips? To only try it out: --set export=[jsonl]"
            )
        return paths

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a clip that the layout cannot hold; asked when it is made, not when all are."""
        if role_of(row["split"]) in STREAMED:
            check_sound(row)

    def _times(self, rows: Sequence[Mapping[str, Any]], split: str) -> list[tuple[float, float]]:
        """Return when each wake word begins, and until when an answer to it is right."""
        found, at, free = [], 0, 0.0
        for row in rows:
            for label in sorted(row["labels"], key=lambda one: int(one["onset_sample"])):
                if label["label"] not in self.target or not label.get("audible", True):
                    continue
                start, end = ((at + label[key]) / SR for key in ("onset_sample", "offset_sample"))
                if start < free:
                    raise BuildError(
                        f"clip {row['clip_id']}: '{label['label']}' at {start:.2f} s of the stream '{split}' begins before an answer to "
                        f"the one before is late ({free:.2f} s); lead in with more than {AFTER:g} s (`at`, `duration`)"
                    )
                free = end + AFTER
                found.append((start, free))
            at += row["n_samples"]
        return found
