"""RTTM and UEM: turns and what was listened to, as tools of speaker diarization read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._spoken import CHANNEL, speaker_of
from audiosynth.exporters._text import (
    Inaudible,
    Tokens,
    atomic_texts,
    fixed,
    labels_of,
    merged_by_class,
    scaled,
    told_rows,
    withhold,
    within,
)
from audiosynth.registry import Component

PLACES: Final = 6


class Rttm(Component):
    """``rttm/<split>.rttm``: ``SPEAKER <clip> 1 <onset> <duration> <NA> <NA> <name> <NA> <NA>``, and ``rttm/<split>.uem``.

    A name is the label, or (``names: speakers``) who speaks, where events in which nobody does are left out. Overlapping
    turns of one name become one. The UEM lists every clip, whole, also those without events. Blanks in names are written
    ``_``; ``rttm/names.tsv`` leads back, and names that would look the same are refused. Weak and unlabeled splits have none.

    References
    ----------
    NIST, "The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan", appendix A: RTTM; NIST: UEM.
    """

    type_name: ClassVar[str] = "rttm"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"names": "speakers"})

    names: Annotated[Literal["labels", "speakers"], Field(description="what the turns are called by")] = "labels"
    merge: Annotated[bool, Field(description="join overlapping turns of one name")] = True
    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``rttm/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a name cannot stand between blanks.
        """
        strong = [split for split in dataset.splits if withhold(split, dataset=dataset) == "strong"]
        paths = {(split, kind): folder / "rttm" / f"{split}.{kind}" for split in strong for kind in ("rttm", "uem")}
        tokens = Tokens()
        with atomic_texts(paths) as files:
            for row, tells in told_rows(dataset):
                if tells == "strong":
                    files[row["split"], "rttm"].writelines(self._lines(row, tokens))
                    duration = fixed(scaled(row["n_samples"], row["sr"], places=PLACES, floor=True), PLACES)
                    files[row["split"], "uem"].write(f"{row['clip_id']} {CHANNEL} {fixed(0, PLACES)} {duration}\n")
        return [*paths.values(), tokens.write(folder / "rttm" / "names.tsv")]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose names cannot stand between blanks; asked when a clip is made, not when all are."""
        self._lines(row, Tokens())

    def _lines(self, row: Mapping[str, Any], tokens: Tokens) -> list[str]:
        turns = []
        for item in labels_of(row, self.inaudible):
            name = item["label"] if self.names == "labels" else speaker_of(row, item)
            if name is not None:
                turns.append((*within(row, item, places=PLACES), tokens.of(row, name)))
        if self.merge:
            turns = merged_by_class(turns)
        head = f"SPEAKER {row['clip_id']} {CHANNEL}"
        return [
            f"{head} {fixed(onset, PLACES)} {fixed(offset - onset, PLACES)} <NA> <NA> {name} <NA> <NA>\n"
            for onset, offset, name in sorted(turns)
        ]
