"""Praat's TextGrid: tiers of intervals, one file per clip."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._text import (
    Inaudible,
    Span,
    atomic_text,
    below_split,
    breaks_lines,
    clean,
    fixed,
    labels_of,
    refuse,
    scaled,
    told_rows,
    within,
)
from audiosynth.registry import Component

PLACES: Final = 6
_MARKUP: Final = re.compile(r"(item|intervals|points) ?\[|class = ", re.IGNORECASE)
"""What readers that look for the file's own words would take for its structure (praatio 6.2)."""


class Textgrid(Component):
    """``textgrid/<split>/<path of the clip>.TextGrid``: interval tiers that cover the whole clip, gaps as empty text.

    The tier ``events`` holds the labels; where they overlap, ``events 2`` and so on take what the tiers before them cannot.
    Speech has tiers ``words`` and ``phones`` too. Times have 6 decimals, quotes are doubled, UTF-8. A clip without events
    has one empty interval. Weak and unlabeled splits have no files.

    References
    ----------
    Boersma and Weenink, Praat manual, "TextGrid file formats".
    """

    type_name: ClassVar[str] = "textgrid"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"inaudible": "keep"})

    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``textgrid/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a label would be read as a part of the file's structure.
        """
        paths = []
        for row, tells in told_rows(dataset):
            if tells == "strong":
                paths.append(folder / "textgrid" / str(row["split"]) / below_split(row).with_suffix(".TextGrid"))
                with atomic_text(paths[-1]) as file:
                    file.writelines(f"{line}\n" for line in _grid(row, self._tiers(row)))
        return paths

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose labels cannot stand in a tier; asked when a clip is made, not when all are."""
        self._tiers(row)

    def _tiers(self, row: Mapping[str, Any]) -> dict[str, list[Span]]:
        labels = labels_of(row, self.inaudible)
        found = {"events": [_span(row, item) for item in labels]}
        for kind in ("words", "phones"):
            marks = [mark for item in labels for mark in item.get(kind, ())]
            if marks:
                found[kind] = [
                    _span(row, {"label": text, "onset_sample": a, "offset_sample": b}) for text, a, b in marks
                ]
        return {
            name if i == 0 else f"{name} {i + 1}": tier
            for name, spans in found.items()
            for i, tier in enumerate(layers(spans))
        }


def _span(row: Mapping[str, Any], item: Mapping[str, Any]) -> Span:
    label = clean(item["label"])
    if breaks_lines(label):
        raise refuse(row, label, "holds a tab, line end or outer blank, or is empty; rename it")
    if found := _MARKUP.search(label):
        raise refuse(row, label, f"holds {found[0]!r}, which readers take for the file's structure; rename it")
    return (*within(row, item, places=PLACES), label)


def layers(spans: Sequence[Span]) -> list[list[Span]]:
    """Return the spans in as few tiers as keep those of one tier apart; one empty tier if there are none.

    Examples
    --------
    >>> layers([(0, 5, "a"), (3, 8, "b"), (5, 6, "c")])
    [[(0, 5, 'a'), (5, 6, 'c')], [(3, 8, 'b')]]
    """
    tiers: list[list[Span]] = [[]]
    for span in sorted(spans):
        free = next((tier for tier in tiers if not tier or tier[-1][1] <= span[0]), None)
        if free is None:
            tiers.append(free := [])
        free.append(span)
    return tiers


def _grid(row: Mapping[str, Any], tiers: Mapping[str, Sequence[Span]]) -> Iterator[str]:
    end = scaled(row["n_samples"], row["sr"], places=PLACES, floor=True)
    yield from ('File type = "ooTextFile"', 'Object class = "TextGrid"', "")
    yield from (f"xmin = {fixed(0, PLACES)}", f"xmax = {fixed(end, PLACES)}")
    yield from ("tiers? <exists>", f"size = {len(tiers)}", "item []:")
    for i, (name, spans) in enumerate(tiers.items(), 1):
        intervals = [*_filled(spans, end)]
        yield f"    item [{i}]:"
        yield from ('        class = "IntervalTier"', f'        name = "{name}"')
        yield from (f"        xmin = {fixed(0, PLACES)}", f"        xmax = {fixed(end, PLACES)}")
        yield f"        intervals: size = {len(intervals)}"
        for j, (onset, offset, label) in enumerate(intervals, 1):
            yield f"        intervals [{j}]:"
            yield from (f"            xmin = {fixed(onset, PLACES)}", f"            xmax = {fixed(offset, PLACES)}")
            yield '            text = "' + label.replace('"', '""') + '"'


def _filled(spans: Sequence[Span], end: int) -> Iterator[Span]:
    """Yield the spans of a tier with the gaps between them, from 0 to the clip's end."""
    at = 0
    for span in spans:
        if span[0] > at:
            yield (at, span[0], "")
        yield span
        at = span[1]
    if at < end:
        yield (at, end, "")
