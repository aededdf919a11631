"""DESED / DCASE tab-separated labels: strong, weak and durations of every split."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, TextIO

from pydantic import Field, model_validator

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._text import (
    Inaudible,
    Span,
    atomic_text,
    atomic_texts,
    below_split,
    decimal_seconds,
    fixed,
    labels_of,
    merged_by_class,
    refuse,
    scaled,
    table_field,
    told_rows,
    withhold,
    within,
)
from audiosynth.registry import Component

PLACES: Final = 3
_HEADERS: Final = {
    "strong": "filename\tonset\toffset\tevent_label",
    "durations": "filename\tduration",
    "weak": "filename\tevent_labels",
}


class Desed(Component):
    """Tab-separated labels as DESED and the DCASE sound event tasks read them.

    Per split, ``desed/<split>.tsv`` (strong: filename, onset, offset, event_label; times with 3 decimals,
    onset < offset <= duration; a clip without events has a row of its own), ``desed/<split>_durations.tsv`` and
    ``desed/<split>_weak.tsv`` (classes of a clip, comma-separated). A filename is the path below
    ``audio/<split>/``. Weak splits have no strong file, unlabeled ones only durations. ``desed/info.json``
    counts what was merged, widened or left out. DESED's own soundscapes come with ``gap: 0.15, shortest: 0.25`` (it
    drops what is too short at a clip's end; here that grows at its start, since it can be heard).
    Labels that these readers would break (commas, tabs, line ends, a leading quote, words that mean "missing" to
    them, numbers that come back as other texts) are refused; where all labels are numbers, pandas needs
    ``dtype=str``.

    References
    ----------
    psds_eval 0.5.3 refuses overlapping events of one class. sed_scores_eval 0.0.4 reads all of it; sed_eval 0.2.1
    does not open a TSV with letters beyond ASCII.
    """

    type_name: ClassVar[str] = "desed"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"merge": False, "inaudible": "keep"},
        {"gap": 0.15, "shortest": 0.25},
    )

    merge: Annotated[bool, Field(description="join overlapping events of one class, as psds_eval needs")] = True
    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )
    gap: Annotated[float, Field(ge=0, le=10)] = Field(
        0.0,
        description="events of one class less than this apart are joined, where overlaps are",
        json_schema_extra={"unit": "s"},
    )
    shortest: Annotated[float, Field(ge=0, le=10)] = Field(
        0.0, description="shorter events are widened, within their clip", json_schema_extra={"unit": "s"}
    )

    @model_validator(mode="after")
    def _gap_is_used(self) -> Desed:
        if self.gap and not self.merge:
            raise ValueError("gap: joins events, but `merge: false` says that none are; keep one")
        return self

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``desed/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a label cannot stand in these files.
        """
        kinds = {split: _files(withhold(split, dataset=dataset)) for split in dataset.splits}
        base = folder / "desed"
        paths = {(s, k): base / (f"{s}.tsv" if k == "strong" else f"{s}_{k}.tsv") for s in kinds for k in kinds[s]}
        if len(set(paths.values())) < len(paths):
            raise BuildError(
                "desed: two splits want one file (`train_weak` is also what `train` calls its weak labels); rename one"
            )
        info: dict[str, Counter[str]] = {split: Counter(clips=0) for split in dataset.splits}
        with atomic_texts(paths) as files:
            for (_, kind), file in files.items():
                file.write(_HEADERS[kind] + "\n")
            for row, _ in told_rows(dataset):
                here = {kind: files[row["split"], kind] for kind in kinds[row["split"]]}
                self._write_row(row, here, info[row["split"]])
        with atomic_text(base / "info.json") as file:
            file.write(json.dumps(info, indent=1, sort_keys=True) + "\n")
        return [*paths.values(), base / "info.json"]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose labels cannot stand in these files; asked when a clip is made, not when all are."""
        self._events(row, Counter())

    def _write_row(self, row: Mapping[str, Any], files: Mapping[str, TextIO], info: Counter[str]) -> None:
        name = below_split(row).as_posix()
        info["clips"] += 1
        files["durations"].write(f"{name}\t{decimal_seconds(row['n_samples'], row['sr'], places=6)}\n")
        if "weak" not in files:
            return
        events = self._events(row, info)
        files["weak"].write(f"{name}\t{','.join(sorted({label for _, _, label in events}))}\n")
        if "strong" in files:
            info["events"] += len(events)
            lines = [f"{name}\t{fixed(a, PLACES)}\t{fixed(b, PLACES)}\t{label}\n" for a, b, label in events]
            files["strong"].writelines(lines or [f"{name}\t\t\t\n"])

    def _events(self, row: Mapping[str, Any], info: Counter[str]) -> list[Span]:
        labels = labels_of(row, self.inaudible)
        info["inaudible_left_out"] += len(row["labels"]) - len(labels)
        events = sorted(self._span(row, item, info) for item in labels)
        if not self.merge:
            return events
        merged = merged_by_class(events, gap=round(self.gap * 10**PLACES))
        info["merged"] += len(events) - len(merged)
        return merged

    def _span(self, row: Mapping[str, Any], item: Mapping[str, Any], info: Counter[str]) -> Span:
        """Return an event in ms; one that is too short grows at its end, or at its start where its clip is over."""
        label = _checked(row, item["label"])
        onset, offset = within(row, item, places=PLACES)
        shortest = round(self.shortest * 10**PLACES)
        offset = max(offset, min(onset + shortest, scaled(row["n_samples"], row["sr"], places=PLACES, floor=True)))
        onset = max(0, min(onset, offset - shortest))
        true = [scaled(item[key], row["sr"], places=PLACES) for key in ("onset_sample", "offset_sample")]
        info["widened"] += offset - onset > true[1] - true[0]
        return onset, offset, label


def _files(tells: str) -> tuple[str, ...]:
    return {"strong": ("strong", "durations", "weak"), "weak": ("durations", "weak"), "none": ("durations",)}[tells]


def _checked(row: Mapping[str, Any], label: str) -> str:
    text = table_field(row, label)
    if "," in text:
        raise refuse(row, text, "holds a comma, which separates the classes of a weak label; rename it")
    return text
