"""Clips by index for training code: rendered on the fly from a recipe, or read from a built folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from audiosynth.building.index import ManifestIndex
from audiosynth.building.row_files import index_of
from audiosynth.building.stored import samples_at
from audiosynth.errors import ManifestError, UsageError
from audiosynth.manifest import Row, label_rows, open_manifest, parse_row, safe_path
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.plan import plan_clip
from audiosynth.records.loaded import Recipe
from audiosynth.render import render


class ClipDataset:
    """Map-style dataset: ``len(ds)`` clips, ``ds[i]`` a dict; a PyTorch `DataLoader` takes it as it is.

    Parameters
    ----------
    source
        A `Recipe` (clips are rendered when asked for, the same clip for the same index anywhere) or the folder of a
        finished build (clips are read).
    split
        Which split; may be left out where there is only one.

    Raises
    ------
    UsageError
        If the split does not exist.
    ManifestError
        If the folder holds no finished build.

    Notes
    -----
    Every item has ``y`` (float32, shape (n_channels, n_samples)), ``sr`` (Hz), ``labels`` (dicts with label, onset and
    offset in seconds and samples), ``clip_id`` and ``spec`` (the JSON tree). Nothing is opened before the first item,
    so that workers which were forked or spawned open their own.

    Examples
    --------
    >>> from audiosynth import ClipDataset, load_recipe, shipped_recipe
    >>> ds = ClipDataset(load_recipe(shipped_recipe("quickstart"), clips=3), split="train")
    >>> len(ds), ds[0]["sr"], ds[0]["y"].dtype.name
    (3, 16000, 'float32')
    """

    def __init__(self, source: Recipe | str | Path, *, split: str | None = None) -> None:
        self._recipe = source if isinstance(source, Recipe) else None
        self._root = None if isinstance(source, Recipe) else Path(source)
        self._work: Workspace | None = None
        self._index: ManifestIndex | None = None
        self._first = self._rows = 0
        names = list(self._recipe.clips) if self._recipe is not None else self._open(split)
        if split is None and len(names) == 1:
            split = names[0]
        if split not in names:
            raise UsageError(f"ClipDataset: expected split to be one of {', '.join(names)}; got {split!r}")
        self.split: str = split

    def _open(self, split: str | None) -> list[str]:
        """Find the rows of the split; returns the names of all splits."""
        root = self._root or Path()
        if not (root / "dataset.json").is_file():
            raise ManifestError(f"{root}: no finished build here (dataset.json is missing)")
        self._index = index_of(open_manifest(root))
        names = [*self._index.splits]
        chosen = self._index.splits.get(split if split is not None else next(iter(names), ""))
        if chosen is not None:
            self._first, self._rows = chosen.first, chosen.rows
        return names

    def __len__(self) -> int:
        """Return the number of clips."""
        return self._recipe.clips[self.split] if self._recipe is not None else self._rows

    def __getitem__(self, i: int) -> dict[str, Any]:
        """Return clip `i`; negative indices count from the end."""
        n = len(self)
        if not -n <= i < n:
            raise IndexError(f"clip {i} of {n}")
        return self._rendered(i % n) if self._recipe is not None else self._read(i % n)

    def __getstate__(self) -> dict[str, Any]:
        """Leave decoded recordings behind when sent to a worker."""
        return {**self.__dict__, "_work": None}

    def _rendered(self, i: int) -> dict[str, Any]:
        if self._recipe is None:
            raise UsageError("this dataset reads a folder")
        if self._work is None:
            self._work = Workspace(AssetStore(self._recipe.roots))
        clip = render(plan_clip(self._recipe, self.split, i), assets=self._work)
        y = (clip.pcm16 / 32768.0).astype(np.float32)
        return {
            "y": y,
            "sr": clip.spec.sr,
            "labels": label_rows(clip),
            "clip_id": clip.spec.clip_id,
            "spec": clip.spec.to_json(),
        }

    def row(self, i: int) -> Row:
        """Return the manifest row of clip `i` of a built folder."""
        if self._index is None:
            raise UsageError("this dataset renders a recipe and has no rows")
        place, tree = self._index.row(self._first + i)
        return parse_row(tree, place=place)

    def _read(self, i: int) -> dict[str, Any]:
        row = self.row(i)
        y, sr = samples_at(self._root or Path(), safe_path(row.path, place=row.clip_id))
        return {
            "y": y,
            "sr": sr,
            "labels": row.tree["labels"],
            "clip_id": row.clip_id,
            "spec": row.tree["spec"],
        }
