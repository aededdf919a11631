"""Clips for training loops: the same clip for the same index anywhere, new ones each epoch, each index exactly once."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from material import write_recipe

from audiosynth import ClipDataset, ClipStream, build, load_recipe, plan_clip, render
from audiosynth.dataset import epoch_seed
from audiosynth.errors import UsageError
from audiosynth.spec import ClipSpec
from audiosynth.speech import espeak

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


@pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed (extra [speech])")
def test_voices_stay_in_their_splits_in_every_epoch(tmp_path):
    """What loading drew is not drawn anew: a voice is the same person in each epoch. A clip's own spec makes it again."""
    source = {"type": "speech", "text": "yes", "voice": {"pick": "cast"}}
    tree = {
        "sr": 8000, "duration": 2.0, "clips": {"train": 9, "test": 9}, "splits": {"train": 1, "test": 1}, "voices": {"n": 8},
        "events": [{"label": "yes", "source": source, "level_dbfs": -20, "onset": 0.1}],
    }  # fmt: skip
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree))
    said = {}
    for split in ("train", "test"):
        clips = ClipDataset(recipe, split=split)
        for epoch in range(3):
            clips.set_epoch(epoch)
            said[split, epoch] = [clip["spec"]["events"][0]["source"]["voice"] for clip in clips]
            again = render(ClipSpec.model_validate(clips[4]["spec"]))
            assert (clips[4]["y"] == (again.pcm16 / 32768).astype(np.float32)).all()
    names = {split: {v["name"] for epoch in range(3) for v in said[split, epoch]} for split in ("train", "test")}
    assert not names["train"] & names["test"]
    voices = {v["name"]: v for spoken in said.values() for v in spoken}
    assert all(v == voices[v["name"]] for spoken in said.values() for v in spoken)
    assert len({str(said["train", epoch]) for epoch in range(3)}) == 3


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
