"""Clips by index for training code: rendered on the fly from a recipe, or read from a built folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from audiosynth.building.index import ManifestIndex
from audiosynth.building.row_files import index_of
from audiosynth.building.stored import samples_at
from audiosynth.dice import ClipDice, permutation
from audiosynth.errors import ManifestError, UsageError
from audiosynth.files.paths import safe_path
from audiosynth.manifest import Row, label_rows, open_manifest, parse_row
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
    epoch
        0 is the recipe as it is. Every later epoch of a recipe has clips of its own, drawn with the seed `epoch_seed`; the voices and
        negatives that loading the recipe drew stay, so that nobody speaks in another split. A folder holds the same clips in every
        epoch.

    Raises
    ------
    UsageError
        If the split does not exist.
    ManifestError
        If the folder holds no finished build.

    Notes
    -----
    Every item has ``y`` (float32, shape (n_channels, n_samples)), ``sr`` (Hz), ``labels`` (dicts with label, onset and
    offset in seconds and samples), ``clip_id``, ``spec`` (the JSON tree) and ``epoch``. Nothing is opened before the first item,
    so that workers which were forked or spawned open their own.

    Examples
    --------
    >>> from audiosynth import ClipDataset, load_recipe, shipped_recipe
    >>> ds = ClipDataset(load_recipe(shipped_recipe("quickstart"), clips=3), split="train")
    >>> len(ds), ds[0]["sr"], ds[0]["y"].dtype.name
    (3, 16000, 'float32')
    """

    def __init__(self, source: Recipe | str | Path, *, split: str | None = None, epoch: int = 0) -> None:
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
        self.set_epoch(epoch)

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch, from 0: the clips that this index gives from now on."""
        if epoch < 0:
            raise UsageError(f"ClipDataset: expected an epoch from 0, got {epoch}")
        self.epoch = epoch
        if self._recipe is not None:
            self._now = replace(self._recipe, seed=epoch_seed(self._recipe.seed, epoch))

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
        if self._work is None:
            self._work = Workspace(AssetStore(self._now.roots))
        clip = render(plan_clip(self._now, self.split, i), assets=self._work)
        y = (clip.pcm16 / 32768.0).astype(np.float32)
        return {
            "y": y,
            "sr": clip.spec.sr,
            "labels": label_rows(clip),
            "clip_id": clip.spec.clip_id,
            "spec": clip.spec.to_json(),
            "epoch": self.epoch,
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
            "epoch": self.epoch,
        }


def epoch_seed(seed: int, epoch: int) -> int:
    """Return the seed of a recipe's epoch: its own in epoch 0, later a keyed one.

    Examples
    --------
    >>> epoch_seed(7, 0), epoch_seed(7, 1) == epoch_seed(7, 2)
    (7, False)
    """
    return seed if epoch == 0 else ClipDice(seed, "epoch", epoch).bits("seed")


class ClipStream:
    """Iterable dataset: the clips of an epoch, each by exactly one worker of one rank.

    Parameters
    ----------
    source, split
        As `ClipDataset` takes them.
    epoch
        Where to begin; `set_epoch` goes on. New clips each epoch from a recipe, from a folder the same ones in an order of their
        own where `shuffle` says so.
    rank, world_size
        Which process of how many this is. Index i goes to rank i mod world_size, and there to its PyTorch workers in turn: which clip an
        index gives depends on none of these.
    shuffle
        Go through the indices in an order keyed by seed and epoch; by default 0, 1, 2, ….
    even
        Leave out the last few indices, so that every rank has as many.

    Notes
    -----
    ``torch_dataset()`` is what a PyTorch `DataLoader` takes; with ``collate_fn=list`` or one of yours, since clips differ in their
    labels. A loader copies the dataset to its workers when it begins an epoch: call `set_epoch` before, and leave
    ``persistent_workers`` off.

    Examples
    --------
    >>> from audiosynth import ClipStream, load_recipe, shipped_recipe
    >>> recipe = load_recipe(shipped_recipe("quickstart"), clips=5)
    >>> [clip["clip_id"] for clip in ClipStream(recipe, split="train", rank=1, world_size=2)]
    ['train-000000001', 'train-000000003']
    """

    def __init__(
        self, source: Recipe | str | Path, *, split: str | None = None, epoch: int = 0, rank: int = 0, world_size: int = 1,
        shuffle: bool = False, even: bool = False,
    ) -> None:  # fmt: skip
        if not 0 <= rank < world_size:
            raise UsageError(f"ClipStream: expected rank from 0 to world_size - 1, got rank {rank} of {world_size}")
        self.clips = ClipDataset(source, split=split, epoch=epoch)
        self._seed = source.seed if isinstance(source, Recipe) else 0
        self.rank, self.world_size, self.shuffle, self.even = rank, world_size, shuffle, even

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch, from 0."""
        self.clips.set_epoch(epoch)

    def indices(self, *, worker: int = 0, workers: int = 1) -> Iterator[int]:
        """Yield the indices of one worker of this rank, in the order in which it makes them."""
        n = len(self.clips)
        last = n - n % self.world_size if self.even else n
        own = range(self.rank + worker * self.world_size, last, self.world_size * workers)
        if not self.shuffle:
            yield from own
            return
        order = permutation(n, seed=self._seed, split=self.clips.split, path="stream", turn=self.clips.epoch)
        yield from (order[i] for i in own)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the clips of this rank, or of this PyTorch worker of it."""
        torch_data = sys.modules.get("torch.utils.data")  # a worker of a loader has it; nobody else needs it
        info = None if torch_data is None else torch_data.get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        yield from (self.clips[i] for i in self.indices(worker=worker, workers=workers))

    def torch_dataset(self) -> Any:
        """Return a `torch.utils.data.IterableDataset` of these clips."""
        from audiosynth.torch_stream import TorchStream

        return TorchStream(self)
