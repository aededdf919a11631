"""Lists of mixtures and their sources, as FUSS has them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._separation import refuse, require_mono, require_pcm16, separated
from audiosynth.exporters._text import atomic_text, breaks_lines, clean, withhold
from audiosynth.registry import Component

UP: Final = "../.."
"""From ``labels/fuss/`` to the dataset's folder."""


class Fuss(Component):
    """``fuss/<split>_example_list.txt``: mixture, background, foregrounds, between tabs, one clip a line.

    Paths are relative to the list, as FUSS's reader takes them; the files are the dataset's own, and the sources of a line
    sum to its mixture exactly. With `classes` also ``fuss/<split>_class_list.txt`` for readers that combine sources by
    class (the separation baselines of DCASE 2020 and 2021 task 4): ``class:path``, from the dataset's folder, where the
    reader is to be started. Unlabeled splits list mixtures alone.

    References
    ----------
    Wisdom et al., "What's all the FUSS about free universal sound separation data?", ICASSP 2021. Its reader decodes
    16-bit WAV of one channel; Asteroid's takes the second column for the background, and up to three foregrounds.
    """

    type_name: ClassVar[str] = "fuss"
    names_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"classes": True, "max_sources": 8})

    max_sources: Annotated[
        int, Field(ge=1, le=1000, description="most foregrounds of a clip", json_schema_extra={"unit": ""})
    ] = 3
    classes: Annotated[bool, Field(description="also lists that name the class of each source")] = False

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``fuss/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a clip cannot stand in these lists.
        """
        kinds = ("example", "class") if self.classes else ("example",)
        paths = {(s, kind): folder / "fuss" / f"{s}_{kind}_list.txt" for s in dataset.splits for kind in kinds}
        with ExitStack() as stack:
            files = {key: stack.enter_context(atomic_text(path)) for key, path in paths.items()}
            for row in dataset.rows():
                split, told = row["split"], withhold(row["split"], dataset=dataset) != "none"
                lines = self._lines(row) if told else {kind: [row["path"]] for kind in kinds}
                files[split, "example"].write("\t".join(f"{UP}/{path}" for path in lines["example"]) + "\n")
                if self.classes:
                    files[split, "class"].write("\t".join(lines["class"]) + "\n")
        return list(paths.values())

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row that cannot stand in these lists; asked when a clip is made, not when all are."""
        self._lines(row)

    def _lines(self, row: Mapping[str, Any]) -> dict[str, list[str]]:
        require_mono(row)
        require_pcm16(row)
        mixture, sources, backgrounds = separated(row)
        if len(backgrounds) != 1:
            raise refuse(
                row,
                f"has {len(backgrounds)} backgrounds, and a line has one; give it a `noise`, with `stems: {{layers: false}}`",
            )
        if len(sources) > self.max_sources:
            raise refuse(
                row, f"has {len(sources)} sources, more than {self.max_sources}; raise `max_sources`, or mix fewer"
            )
        both = backgrounds + sources
        named = [f"{_class(row, stem.label or stem.role)}:{path}" for stem, path in both] if self.classes else []
        return {"example": [mixture, *(path for _, path in both)], "class": [mixture, *named]}


def _class(row: Mapping[str, Any], label: str) -> str:
    label = clean(label)
    if ":" in label or breaks_lines(label):
        raise refuse(
            row, f"label {label!r} holds a colon, tab, line end or outer blank, which breaks class:path; rename it"
        )
    return label
