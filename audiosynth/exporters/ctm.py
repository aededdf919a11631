"""CTM: every word with its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._spoken import CHANNEL
from audiosynth.exporters._text import (
    Inaudible,
    Span,
    Tokens,
    atomic_texts,
    fixed,
    labels_of,
    told_rows,
    withhold,
    within,
)
from audiosynth.registry import Component

PLACES: Final = 6


class Ctm(Component):
    """``ctm/<split>.ctm``: ``<clip> 1 <begin> <duration> <word> 1.00``, in order of time.

    Labels that know their words (speech) have a line for each of these, others one for the label. Blanks are written ``_``
    (``ctm/words.tsv`` leads back). Clips without labels have no line. Weak and unlabeled splits have no file.

    References
    ----------
    NIST, SCTK, "CTM hypothesis file format" (``doc/infmts.htm``).
    """

    type_name: ClassVar[str] = "ctm"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"inaudible": "keep"})

    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``ctm/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a word would be read as something else.
        """
        strong = [split for split in dataset.splits if withhold(split, dataset=dataset) == "strong"]
        paths = {split: folder / "ctm" / f"{split}.ctm" for split in strong}
        tokens = Tokens()
        with atomic_texts(paths) as files:
            for row, tells in told_rows(dataset):
                if tells == "strong":
                    files[row["split"]].writelines(self._lines(row, tokens))
        return [*paths.values(), tokens.write(folder / "ctm" / "words.tsv")]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose words would be read as something else; asked when a clip is made, not when all are."""
        self._lines(row, Tokens())

    def _lines(self, row: Mapping[str, Any], tokens: Tokens) -> list[str]:
        found = sorted(span for item in labels_of(row, self.inaudible) for span in _words(row, item, tokens))
        return [
            f"{row['clip_id']} {CHANNEL} {fixed(onset, PLACES)} {fixed(offset - onset, PLACES)} {word} 1.00\n"
            for onset, offset, word in found
        ]


def _words(row: Mapping[str, Any], item: Mapping[str, Any], tokens: Tokens) -> Iterator[Span]:
    for word, onset, offset in item.get("words") or [(item["label"], item["onset_sample"], item["offset_sample"])]:
        times = {"label": word, "onset_sample": onset, "offset_sample": offset}
        yield (*within(row, times, places=PLACES), tokens.of(row, word))
