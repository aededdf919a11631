"""Soundscapes and their labeled targets, as DCASE 2025 task 4 (spatial semantic segmentation of sound scenes) reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._separation import refuse, separated
from audiosynth.exporters._text import atomic_text, clean, withhold
from audiosynth.registry import Component

SILENCE: Final = "silence"
"""What the baseline calls a target that is not there."""


class DcaseS5(Component):
    """``dcase_s5/<split>.json``: one record a soundscape: soundscape, mixture_path, ref_label, ref_source_paths.

    These are the records that the baseline's dataset makes from its folders ``soundscape/`` and ``oracle_target/``, so they
    can be given to it in place of folders full of copies. Paths are relative to the dataset's folder. Targets are
    the dry stems of one channel, one for each class of the clip; events without a label are interference and have none. Unlabeled
    splits have soundscapes alone. ``dcase_s5/labels.json`` lists the classes.

    References
    ----------
    DCASE 2025 challenge, task 4, baseline system.
    """

    type_name: ClassVar[str] = "dcase_s5"
    names_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"n_sources": 2, "target": "direct"})

    n_sources: Annotated[
        int, Field(ge=1, le=100, description="most targets of a clip", json_schema_extra={"unit": ""})
    ] = 3
    target: Annotated[
        Literal["dry", "direct", "early", "wet"], Field(description="what of each source is to be found")
    ] = "dry"

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``dcase_s5/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a clip has too many targets, or two of one class.
        """
        base = folder / "dcase_s5"
        paths = {split: base / f"{split}.json" for split in dataset.splits}
        labels: set[str] = set()
        with ExitStack() as stack:
            files = {split: stack.enter_context(atomic_text(path)) for split, path in paths.items()}
            begun = dict.fromkeys(files, "[")
            for row in dataset.rows():
                told = withhold(row["split"], dataset=dataset) != "none"
                record = self._record(row) if told else _soundscape(row)
                labels.update(record.get("ref_label", ()))
                files[row["split"]].write(f"{begun[row['split']]}\n{json.dumps(record, ensure_ascii=False)}")
                begun[row["split"]] = ","
            for split, file in files.items():
                file.write("[]\n" if begun[split] == "[" else "\n]\n")
        with atomic_text(base / "labels.json") as file:
            file.write(json.dumps(sorted(labels), ensure_ascii=False, indent=1) + "\n")
        return [*paths.values(), base / "labels.json"]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row that cannot stand in these lists; asked when a clip is made, not when all are."""
        self._record(row)

    def _record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        _, sources, _ = separated(row, part=self.target)
        if any(stem.role == "foreground" and stem.label is None for stem, _ in sources):
            raise refuse(row, "has stems of several classes; say `stems: {by: label}` or `{by: event}`")
        found = [(clean(stem.label), path) for stem, path in sources if stem.label is not None]
        names = [label for label, _ in found]
        twice = sorted({label for label in names if names.count(label) > 1})
        if twice:
            raise refuse(
                row, f"has two targets of the class {twice[0]!r}; say `stems: {{by: label}}`, which adds them up"
            )
        if SILENCE in names:
            raise refuse(row, f"a class is called {SILENCE!r}, which the baseline takes for no target; rename it")
        if len(names) > self.n_sources:
            raise refuse(row, f"has {len(names)} targets, more than {self.n_sources}; raise `n_sources`, or mix fewer")
        return {**_soundscape(row), "ref_label": names, "ref_source_paths": [path for _, path in found]}


def _soundscape(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"soundscape": row["clip_id"], "mixture_path": row["path"]}
