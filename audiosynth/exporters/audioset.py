"""AudioSet's strong labels, and its table of segments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._json import classes_of
from audiosynth.exporters._text import (
    Inaudible,
    atomic_text,
    atomic_texts,
    fixed,
    labels_of,
    refuse,
    scaled,
    table_field,
    told_rows,
    withhold,
    within,
)
from audiosynth.registry import Component

PLACES: Final = 3
HEADER: Final = "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\n"
SEGMENTS: Final = (
    "# Segments of a synthetic set, made with audiosynth\n"
    "# num_ytids={0}, num_segs={0}, num_unique_labels={1}, num_positive_labels={2}\n"
    "# YTID, start_seconds, end_seconds, positive_labels\n"
)
"""Three lines, which readers of AudioSet's tables skip."""


class Audioset(Component):
    """Tab-separated labels as AudioSet's temporally-strong ones: segment_id, start_time_seconds, end_time_seconds, label.

    ``audioset/<split>_strong.tsv``; the segment of a clip is ``<clip id>_0``: the file's name and where it begins in ms. A
    label is what `mids` says it is in AudioSet (``{dog bark: /m/05tny_}``), or itself without `mids`;
    ``audioset/mid_to_display_name.tsv`` leads back. Clips without events have no line there, so ``audioset/<split>_segments.csv``
    lists every clip of strong and weak splits with its classes, as AudioSet's segment tables do. Unlabeled splits have none.

    References
    ----------
    Hershey et al., "The benefit of temporally-strong labels in audio event classification", ICASSP 2021, and its
    ``audioset_train_strong.tsv``; Gemmeke et al., "Audio Set", ICASSP 2017, ``eval_segments.csv``.
    """

    type_name: ClassVar[str] = "audioset"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"mids": {"dog bark": "/m/05tny_"}})

    mids: Annotated[
        dict[str, str] | None, Field(description="AudioSet's id of every label; the label itself if null")
    ] = None
    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``audioset/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a label has no id, or cannot stand in these files.
        """
        base = folder / "audioset"
        tells = {split: withhold(split, dataset=dataset) for split in dataset.splits}
        paths = {(s, "segments"): base / f"{s}_segments.csv" for s in tells if tells[s] != "none"}
        paths.update({(s, "strong"): base / f"{s}_strong.tsv" for s in tells if tells[s] == "strong"})
        counts = {split: _counts(dataset, split) for split in tells}
        names: dict[str, str] = {}
        with atomic_texts(paths) as files:
            for (split, kind), file in files.items():
                file.write(HEADER if kind == "strong" else SEGMENTS.format(*counts[split]))
            for row, told in told_rows(dataset):
                if told != "none":
                    files[row["split"], "segments"].write(self._segment(row, names))
                if told == "strong":
                    files[row["split"], "strong"].writelines(self._lines(row, names))
        with atomic_text(base / "mid_to_display_name.tsv") as file:
            file.writelines(f"{mid}\t{label}\n" for mid, label in sorted(names.items()))
        return [*paths.values(), base / "mid_to_display_name.tsv"]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose labels cannot stand in these files; asked when a clip is made, not when all are."""
        self._lines(row, {})

    def _segment(self, row: Mapping[str, Any], names: dict[str, str]) -> str:
        mids = ",".join(self._mid(row, label, names) for label in classes_of(row))
        duration = fixed(scaled(row["n_samples"], row["sr"], places=PLACES, floor=True), PLACES)
        return f'{row["clip_id"]}, {fixed(0, PLACES)}, {duration}, "{mids}"\n'

    def _lines(self, row: Mapping[str, Any], names: dict[str, str]) -> list[str]:
        lines = []
        for item in labels_of(row, self.inaudible):
            onset, offset = (fixed(units, PLACES) for units in within(row, item, places=PLACES))
            lines.append(f"{row['clip_id']}_0\t{onset}\t{offset}\t{self._mid(row, item['label'], names)}\n")
        return lines

    def _mid(self, row: Mapping[str, Any], label: str, names: dict[str, str]) -> str:
        text = table_field(row, label)
        if self.mids is not None and text not in self.mids:
            raise refuse(row, text, f"has no id in AudioSet; add it to `mids`, which knows {', '.join(self.mids)}")
        mid = text if self.mids is None else table_field(row, self.mids[text])
        if "," in mid or '"' in mid:
            raise refuse(row, mid, "holds a comma or a quote, which part the classes of a segment; rename it")
        if names.setdefault(mid, text) != text:
            raise refuse(row, text, f"has the id {mid} in AudioSet, as {names[mid]!r} has; give each its own in `mids`")
        return mid


def _counts(dataset: DatasetView, split: str) -> tuple[int, int, int]:
    """Return the numbers of clips, of classes, and of classes summed over the clips."""
    found = [classes_of(row) for row, _ in told_rows(dataset) if row["split"] == split]
    return len(found), len({label for labels in found for label in labels}), sum(map(len, found))
