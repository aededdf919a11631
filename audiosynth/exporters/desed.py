"""DESED / DCASE tab-separated labels: strong, weak and durations of every split."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TextIO

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._text import (
    atomic_text,
    below_split,
    breaks_lines,
    clean,
    decimal_seconds,
    fixed,
    labels_of,
    refuse,
    scaled,
    withhold,
)
from audiosynth.registry import Component

PLACES: Final = 3
Events = list[tuple[int, int, str]]
"""Onset and offset in ms, label."""
# What pandas.read_csv takes for a missing value unless told otherwise (pandas 3.1, IO tools, `na_values`).
READ_AS_MISSING: Final = frozenset(
    ("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA")
) | {"NULL", "NaN", "None", "n/a", "nan", "null"}
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
    counts what was merged, widened to 1 ms or left out. Labels that these readers would break (commas, tabs,
    line ends, a leading quote, words that mean "missing" to them) are refused; where all labels are numbers,
    pandas needs ``dtype=str``.

    References
    ----------
    psds_eval 0.5.3 refuses overlapping events of one class. sed_scores_eval 0.0.4 reads all of it; sed_eval 0.2.1
    does not open a TSV with letters beyond ASCII.
    """

    type_name: ClassVar[str] = "desed"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"merge": False, "inaudible": "keep"})

    merge: Annotated[bool, Field(description="join overlapping events of one class, as psds_eval needs")] = True
    inaudible: Annotated[
        Literal["drop", "keep"], Field(description="whether events that cannot be heard in the mix are listed")
    ] = "drop"

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
        with ExitStack() as stack:
            files = {key: stack.enter_context(atomic_text(path)) for key, path in paths.items()}
            for (_, kind), file in files.items():
                file.write(_HEADERS[kind] + "\n")
            for row in dataset.rows():
                if row["split"] not in kinds:
                    raise BuildError(f"clip {row['clip_id']}: the dataset has no split {row['split']!r}")
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

    def _events(self, row: Mapping[str, Any], info: Counter[str]) -> Events:
        labels = labels_of(row, self.inaudible)
        info["inaudible_left_out"] += len(row["labels"]) - len(labels)
        events = sorted(_in_ms(row, item, info) for item in labels)
        if not self.merge:
            return events
        merged = merged_by_class(events)
        info["merged"] += len(events) - len(merged)
        return merged


def _files(tells: str) -> tuple[str, ...]:
    return {"strong": ("strong", "durations", "weak"), "weak": ("durations", "weak"), "none": ("durations",)}[tells]


def _in_ms(row: Mapping[str, Any], item: Mapping[str, Any], info: Counter[str]) -> tuple[int, int, str]:
    """Return onset < offset <= duration in ms; an event that rounds to nothing is widened to 1 ms and counted."""
    label = _checked(row, clean(item["label"]))
    end = scaled(row["n_samples"], row["sr"], places=PLACES, floor=True)
    if end < 1:
        raise refuse(row, label, "cannot be written in ms: the clip is shorter than 1 ms")
    onset = min(scaled(item["onset_sample"], row["sr"], places=PLACES), end - 1)
    offset = min(scaled(item["offset_sample"], row["sr"], places=PLACES), end)
    info["widened"] += offset <= onset
    return onset, max(offset, onset + 1), label


def _checked(row: Mapping[str, Any], label: str) -> str:
    if breaks_lines(label):
        raise refuse(row, label, "holds a tab, line end or outer blank, or is empty, which breaks a TSV; rename it")
    if "," in label:
        raise refuse(row, label, "holds a comma, which separates the classes of a weak label; rename it")
    if label.startswith('"'):
        raise refuse(row, label, "starts with a quote, which readers of TSV take in different ways; rename it")
    if label in READ_AS_MISSING:
        raise refuse(row, label, "is read as a missing value by pandas, so the event would vanish; rename it")
    return label


def merged_by_class(events: Iterable[tuple[int, int, str]]) -> Events:
    """Return the events with overlapping ones of one class joined; those that only touch stay apart.

    Examples
    --------
    >>> merged_by_class([(0, 20, "dog"), (10, 30, "dog"), (30, 40, "dog"), (5, 15, "cat")])
    [(0, 30, 'dog'), (5, 15, 'cat'), (30, 40, 'dog')]
    """
    spans: dict[str, list[list[int]]] = {}
    for onset, offset, label in sorted(events):
        mine = spans.setdefault(label, [])
        if mine and onset < mine[-1][1]:
            mine[-1][1] = max(mine[-1][1], offset)
        else:
            mine.append([onset, offset])
    return sorted((onset, offset, label) for label, mine in spans.items() for onset, offset in mine)
