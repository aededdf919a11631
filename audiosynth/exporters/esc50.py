"""The table of ESC-50: one class a clip, in folds."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._json import classes_of
from audiosynth.exporters._text import atomic_text, refuse, table_field, told_rows
from audiosynth.registry import Component

HEADER: Final = ("filename", "fold", "target", "category", "esc10", "src_file", "take")
FOLDS: Final = 5
SILENCE: Final = "silence"
"""Category of clips without any label."""


class Esc50(Component):
    """``esc50/meta/esc50.csv``: filename, fold, target, category, esc10, src_file, take, as ESC-50 has them.

    A filename is the path below the dataset's ``audio/``, which stands where ESC-50's does. Folds are the splits in their
    order (at most five; `folds` says otherwise), so that what a split keeps apart stays apart in cross-validation. Targets
    number the categories, sorted or as `classes` lists them; clips without a label are ``silence``. A clip has one class
    that can be heard, or it is refused. Weak splits tell their classes too; unlabeled ones are left out.

    References
    ----------
    Piczak, "ESC: Dataset for environmental sound classification", ACM Multimedia 2015, and ``meta/esc50.csv`` of ESC-50.
    """

    type_name: ClassVar[str] = "esc50"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"folds": {"train": 1, "test": 5}, "classes": ["dog", "silence"]},
    )

    folds: Annotated[
        dict[str, Annotated[int, Field(ge=1, le=FOLDS)]] | None,
        Field(description="fold of every split, 1 to 5; the splits in order if null", json_schema_extra={"unit": ""}),
    ] = None
    classes: Annotated[
        tuple[str, ...] | None,
        Field(strict=False, description="in order of their numbers; all categories, sorted, if null"),
    ] = None

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``esc50/`` below `folder` and return the path.

        Raises
        ------
        BuildError
            If a clip has several classes, a split no fold, or a category no number.
        """
        folds = self._folds(dataset)
        found = {category_of(row) for row, tells in told_rows(dataset) if tells != "none"}
        numbers = {name: i for i, name in enumerate(self.classes or sorted(found))}
        path = folder / "esc50" / "meta" / "esc50.csv"
        with atomic_text(path) as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(HEADER)
            for row, tells in told_rows(dataset):
                if tells == "none":
                    continue
                category = category_of(row)
                if category not in numbers:
                    raise refuse(row, category, f"is none of the classes {', '.join(numbers)}; add it to `classes`")
                name = str(row["path"]).removeprefix("audio/")
                out.writerow([name, folds[row["split"]], numbers[category], category, False, row["clip_id"], "A"])
        return [path]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row with several classes; asked when a clip is made, not when all are."""
        category_of(row)

    def _folds(self, dataset: DatasetView) -> Mapping[str, int]:
        splits = [split for split in dataset.splits if split not in dataset.unlabeled_splits]
        if self.folds is None and len(splits) > FOLDS:
            raise BuildError(f"esc50: {len(splits)} splits for {FOLDS} folds; say which is which with `folds`")
        folds = self.folds or {split: i for i, split in enumerate(splits, 1)}
        missing = [split for split in splits if split not in folds]
        if missing:
            raise BuildError(f"esc50: `folds` gives the split '{missing[0]}' no fold; add it, 1 to {FOLDS}")
        return folds


def category_of(row: Mapping[str, Any]) -> str:
    """Return the one class of a clip.

    Raises
    ------
    BuildError
        If it has several.
    """
    classes = classes_of(row)
    if len(classes) > 1:
        raise BuildError(
            f"clip {row['clip_id']}: {len(classes)} classes ({', '.join(classes[:4])}); ESC-50 gives a clip one, so leave the "
            "`label` of all other events out"
        )
    return table_field(row, classes[0]) if classes else SILENCE
