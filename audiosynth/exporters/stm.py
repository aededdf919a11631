"""STM: who says what from when to when, one line per label."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._spoken import CHANNEL, speaker_of, words_of
from audiosynth.exporters._text import (
    Inaudible,
    Tokens,
    atomic_texts,
    breaks_lines,
    clean,
    fixed,
    labels_of,
    refuse,
    told_rows,
    withhold,
    within,
)
from audiosynth.registry import Component

PLACES: Final = 6


class Stm(Component):
    """``stm/<split>.stm``: ``<clip> 1 <speaker> <begin> <end> <text>``, as sclite and meeteval take references.

    The text is what the label's words are, or the text of its recording, or the label itself; the speaker is the voice or
    the recording's speaker, or the label where nobody speaks. Blanks in names are written ``_`` (``stm/names.tsv`` leads
    back). Clips without labels have no line. Weak and unlabeled splits have no file.

    References
    ----------
    NIST, SCTK, "STM reference file format" (``doc/infmts.htm``).
    """

    type_name: ClassVar[str] = "stm"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"inaudible": "keep"})

    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``stm/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a text or a name would be read as something else.
        """
        strong = [split for split in dataset.splits if withhold(split, dataset=dataset) == "strong"]
        paths = {split: folder / "stm" / f"{split}.stm" for split in strong}
        tokens = Tokens()
        with atomic_texts(paths) as files:
            for row, tells in told_rows(dataset):
                if tells == "strong":
                    files[row["split"]].writelines(self._lines(row, tokens))
        return [*paths.values(), tokens.write(folder / "stm" / "names.tsv")]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose texts would be read as something else; asked when a clip is made, not when all are."""
        self._lines(row, Tokens())

    def _lines(self, row: Mapping[str, Any], tokens: Tokens) -> list[str]:
        lines = []
        for item in labels_of(row, self.inaudible):
            onset, offset = (fixed(units, PLACES) for units in within(row, item, places=PLACES))
            name = tokens.of(row, speaker_of(row, item) or item["label"])
            lines.append(f"{row['clip_id']} {CHANNEL} {name} {onset} {offset} {transcript(row, words_of(row, item))}\n")
        return lines


def transcript(row: Mapping[str, Any], text: str) -> str:
    """Return a text that readers take word by word as it stands.

    Raises
    ------
    BuildError
        If it has a mark of the format at the beginning of a word.
    """
    words = clean(text)
    if breaks_lines(words):
        raise refuse(
            row, words, "holds a tab, line end or outer blank, or is empty, which breaks a transcript; rename it"
        )
    for word in words.split():
        if word.startswith(('"', "<", "{", "}", "(", ";", "@")):
            raise refuse(row, words, f"has the word {word!r}, whose {word[0]!r} is a mark of the format; rename it")
    return words
