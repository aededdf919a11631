"""Clips for training loops: the same clip for the same index anywhere, new ones each epoch, each index exactly once."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from material import write_recipe

from audiosynth import ClipDataset, ClipStream, build, load_recipe, plan_clip, render
from audiosynth.dataset import epoch_seed
from audiosynth.errors import UsageError

CLIPS = 23


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return a recipe of short tones of any pitch."""
    source = {"type": "tone", "frequency": {"uniform": [200, 900]}, "duration": 0.05}
    tree = {
        "seed": 5,
        "sr": 8000,
        "duration": 0.1,
        "clips": CLIPS,
        "events": [{"label": "a", "source": source, "level_dbfs": -20}],
    }
    return write_recipe(tmp_path_factory.mktemp("r") / "r.yaml", tree)


def test_epochs_have_clips_of_their_own_that_can_be_made_again(path):
    """Epoch 0 is the recipe; a later one is the recipe with another seed, the same in every process."""
    recipe = load_recipe(path)
    clips = ClipDataset(recipe)
    seen = []
    for epoch in range(3):
        clips.set_epoch(epoch)
        item = pickle.loads(pickle.dumps(clips))[7]
        again = render(plan_clip(load_recipe(path, seed=epoch_seed(5, epoch)), "train", 7))
        assert (item["y"] == (again.pcm16 / 32768).astype(np.float32)).all()
        assert (item["epoch"], item["clip_id"]) == (epoch, "train-000000007")
        seen.append(item["y"].tobytes())
    assert len(set(seen)) == 3
    assert ClipDataset(recipe, epoch=2)[7]["y"].tobytes() == seen[2]
    with pytest.raises(UsageError, match="an epoch from 0, got -1"):
        clips.set_epoch(-1)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("world", "workers"), [(1, 1), (1, 3), (2, 2), (5, 7), (30, 1)])
def test_every_index_is_made_once(path, world, workers, shuffle):
    """Whatever the ranks and workers; with `even`, ranks have equal shares and little is left out."""
    recipe = load_recipe(path)
    streams = [ClipStream(recipe, rank=rank, world_size=world, shuffle=shuffle) for rank in range(world)]
    shares = [[*stream.indices(worker=w, workers=workers)] for stream in streams for w in range(workers)]
    assert sorted(i for share in shares for i in share) == [*range(CLIPS)]
    even = [ClipStream(recipe, rank=rank, world_size=world, shuffle=shuffle, even=True) for rank in range(world)]
    counts = {len([*stream.indices()]) for stream in even}
    assert counts == {CLIPS // world}


def test_orders_are_keyed_by_epoch(path):
    """Another order each epoch, the same one every time; indices mean the same clips."""
    stream = ClipStream(load_recipe(path), shuffle=True)
    first = [*stream.indices()]
    stream.set_epoch(1)
    assert [*stream.indices()] != first != sorted(first)
    again = ClipStream(load_recipe(path), shuffle=True)
    assert [*again.indices()] == first
    assert [clip["clip_id"] for clip in again] == [f"train-{i:09d}" for i in first]


def test_ranks_are_checked(path):
    """A rank outside the world is refused."""
    with pytest.raises(UsageError, match="got rank 2 of 2"):
        ClipStream(load_recipe(path), rank=2, world_size=2)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_torch_loader_takes_both(path, tmp_path, workers):
    """Map-style and iterable, from recipe and folder, with several workers: every clip once, and the same sound."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    recipe = load_recipe(path)
    root = build(recipe, tmp_path / "out").root
    expected = {clip["clip_id"]: clip["y"].tobytes() for clip in ClipStream(recipe)}
    assert len(expected) == CLIPS
    sources = [ClipDataset(recipe), ClipStream(recipe, shuffle=True).torch_dataset(), ClipStream(root).torch_dataset()]
    for dataset in sources:
        loader = torch.utils.data.DataLoader(
            dataset,
            batch_size=4,
            collate_fn=list,
            num_workers=workers,
            multiprocessing_context="spawn" if workers else None,
        )
        found = [clip for batch in loader for clip in batch]
        assert len(found) == CLIPS
        assert {clip["clip_id"]: clip["y"].tobytes() for clip in found} == expected
        dataset.set_epoch(1)
        later = {clip["clip_id"]: clip["y"].tobytes() for batch in loader for clip in batch}
        assert later.keys() == expected.keys()
        assert (later == expected) == (dataset is sources[2])
