"""Tables of mixtures, speakers and noise, as LibriMix has them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._separation import refuse, require_mono, separated
from audiosynth.exporters._text import atomic_text, withhold
from audiosynth.registry import Component

Kind = Literal["mix_clean", "mix_both", "mix_single"]


class Librimix(Component):
    """``librimix/<split>/mixture_<split>_<kind>.csv``: mixture_ID, mixture_path, source_1_path, …, noise_path, length.

    The kind is ``mix_clean`` without noise, ``mix_both`` with it, ``mix_single`` for one source in noise; a split with
    several kinds of clips has several tables. Paths are relative to the dataset's folder (LibriMix's own tables have
    absolute ones), so the reader is to be started there; the files are the dataset's own. The sources are in the order of
    the clip's stems. Unlabeled splits have no table.

    References
    ----------
    Cosentino et al., "LibriMix: an open-source dataset for generalizable speech separation", 2020. Asteroid's reader opens
    the table of a folder whose name holds ``clean``, ``both`` or ``single``, and takes one channel.
    """

    type_name: ClassVar[str] = "librimix"
    names_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"n_src": 3, "target": "early"})

    n_src: Annotated[int, Field(ge=1, le=100, description="sources of every clip", json_schema_extra={"unit": ""})] = 2
    target: Annotated[
        Literal["dry", "direct", "early", "wet"],
        Field(description="what of each source is to be found; wet ones add up to the mixture"),
    ] = "wet"

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``librimix/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a clip has another number of sources, or cannot stand in these tables.
        """
        tables: dict[Path, Any] = {}
        with ExitStack() as stack:
            for row in dataset.rows():
                if withhold(row["split"], dataset=dataset) == "none":
                    continue
                kind, record = self._record(row)
                path = folder / "librimix" / row["split"] / f"mixture_{row['split']}_{kind}.csv"
                if path not in tables:
                    file = stack.enter_context(atomic_text(path))
                    tables[path] = csv.DictWriter(file, list(record), lineterminator="\n")
                    tables[path].writeheader()
                tables[path].writerow(record)
        return list(tables)

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row that cannot stand in these tables; asked when a clip is made, not when all are."""
        self._record(row)

    def _record(self, row: Mapping[str, Any]) -> tuple[Kind, dict[str, Any]]:
        require_mono(row)
        mixture, sources, backgrounds = separated(row, part=self.target)
        if row["spec"]["output"]["format"] not in ("wav", "flac"):
            raise refuse(row, "is written with losses, so its sources do not add up to it; use wav or flac")
        if len(sources) != self.n_src or any(stem.role == "interference" for stem, _ in sources):
            told = ", ".join(stem.name for stem, _ in sources) or "none"
            raise refuse(row, f"expected {self.n_src} labeled sources (`n_src`), got {told}; correct one of the two")
        if len(backgrounds) > 1:
            raise refuse(row, "has several noises, and a table has one column; say `stems: {layers: false}`")
        kind: Kind = "mix_clean" if not backgrounds else "mix_single" if self.n_src == 1 else "mix_both"
        paths = {f"source_{i}_path": path for i, (_, path) in enumerate(sources, 1)}
        noise = {"noise_path": backgrounds[0][1]} if backgrounds else {}
        head = {"mixture_ID": row["clip_id"], "mixture_path": mixture}
        return kind, {**head, **paths, **noise, "length": row["n_samples"]}
