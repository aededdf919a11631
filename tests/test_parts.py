"""A build shared out among machines that do not talk: parts, and the whole they make, byte for byte."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from material import full_recipe, tree_of, write_recipe

from audiosynth import build, load_recipe, merge, verify
from audiosynth.building import merging
from audiosynth.cli import cli
from audiosynth.errors import BuildError, UsageError

OF = 3
ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a recipe with recordings and stems, the tree of its build in one go, and its three parts."""
    folder = tmp_path_factory.mktemp("parts")
    path = full_recipe(folder / "material", output={"stems": True})
    recipe = load_recipe(path, clips=130, cache_dir=folder / "cache")
    whole = tree_of(build(recipe, folder / "whole").root)
    parts = [build(recipe, folder / f"part{k}", shard=f"{k}/{OF}").root for k in range(1, OF + 1)]
    return recipe, whole, parts


def test_merged_parts_are_the_build_in_one_go(made, tmp_path):
    """In any order of the parts; each of them verifies on its own, and stays as it was."""
    _, whole, parts = made
    before = [tree_of(part) for part in parts]
    merged = merge([parts[1], parts[2], parts[0]], tmp_path / "out")
    assert tree_of(merged.root) == whole
    assert (merged.clips, merged.made) == (260, 260)
    assert [tree_of(part) for part in parts] == before
    assert all(verify(part).ok for part in parts)
    assert sum(len((part / "manifest.jsonl").read_bytes().splitlines()) for part in parts) == 260


def test_a_merged_whole_is_a_finished_build(made, tmp_path):
    """Neither a build nor a merge has anything left to do in it."""
    recipe, _, parts = made
    merge(parts, tmp_path / "out")
    assert build(recipe, tmp_path / "out").made == 0
    assert merge(parts, tmp_path / "out").made == 0


def test_parts_are_copied_where_links_cannot_be(made, tmp_path, monkeypatch):
    """Another file system: the same tree; a file that was damaged on the way is named."""
    _, whole, parts = made

    def no_link(source, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(merging.os, "link", no_link)
    assert tree_of(merge(parts, tmp_path / "out").root) == whole
    broken = shutil.copytree(parts[0], tmp_path / "broken")
    victim = min((broken / "audio").rglob("*.wav"))
    victim.write_bytes(victim.read_bytes()[:-2])
    with pytest.raises(BuildError, match=rf"{victim.name}: is not what was written; copy the part again"):
        merge([broken, *parts[1:]], tmp_path / "other")


def test_a_killed_merge_goes_on(made, tmp_path):
    """Kill -9 in the middle of it loses nothing and doubles nothing."""
    _, whole, parts = made
    code = (
        "import os, signal, sys; from audiosynth import merge\n"
        "def die(done, total):\n    if done > 100: os.kill(os.getpid(), signal.SIGKILL)\n"
        "merge(sys.argv[2:], sys.argv[1], progress=die)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "out", *parts], env=ENV, check=False)
    assert done.returncode == -signal.SIGKILL
    assert 0 < len(list((tmp_path / "out" / ".build" / "units").iterdir())) < 6
    assert tree_of(merge(parts, tmp_path / "out").root) == whole


def test_a_merge_that_was_stopped_inside_a_unit_leaves_the_parts(made, tmp_path, monkeypatch):
    """Files that are linked already are linked again: stems, which have one name in every clip, do not get into each other."""
    _, whole, parts = made
    before, calls, real = [tree_of(part) for part in parts], [], merging.place

    def stop(*args):
        calls.append(args)
        if len(calls) > 50:
            raise KeyboardInterrupt
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(merging, "place", stop)
        with pytest.raises(KeyboardInterrupt):
            merge(parts, tmp_path / "out")
    merged = tree_of(merge(parts, tmp_path / "out").root)
    assert [tree_of(part) for part in parts] == before
    assert merged == whole


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ([0, 2], r"missing: shard 2/3; build them"),
        ([0, 1, 1, 2], r"shard 2/3 is there twice: .*part2 and .*part2"),
        ([], r"expected the folders of parts, got none"),
    ],
)
def test_missing_and_doubled_parts_are_named(made, tmp_path, chosen, message):
    """Each is one message, and nothing is written."""
    _, _, parts = made
    with pytest.raises((BuildError, UsageError), match=message):
        merge([parts[i] for i in chosen], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_foreign_parts_are_named(made, tmp_path):
    """Another seed, another number of parts, a whole build, no build at all, half a part."""
    recipe, _, parts = made
    folder = tmp_path / "material"
    other = load_recipe(full_recipe(folder, output={"stems": True}, seed=9), clips=1, cache_dir=tmp_path / "cache")
    foreign = build(other, tmp_path / "foreign", shard="2/3").root
    with pytest.raises(
        BuildError, match=r"foreign: is a part of another build than .*part1; different: .*the seed \(3 → 9\)"
    ):
        merge([parts[0], foreign, parts[2]], tmp_path / "out")
    with pytest.raises(BuildError, match="it is shard 2/200, the other 1/3"):
        merge([parts[0], build(recipe, tmp_path / "of200", shard="2/200").root], tmp_path / "out")
    whole = build(other, tmp_path / "whole").root
    for folder in (whole, tmp_path):
        with pytest.raises(BuildError, match="holds no part of a build"):
            merge([folder], tmp_path / "out")
    (foreign / "dataset.json").unlink()
    (foreign / ".build").mkdir()
    with pytest.raises(BuildError, match="an unfinished part"):
        merge([parts[0], foreign, parts[2]], tmp_path / "out")


def test_a_damaged_part_is_named(made, tmp_path):
    """A manifest cut short, a clip that was not copied."""
    _, _, parts = made
    broken = shutil.copytree(parts[0], tmp_path / "broken")
    rows = (broken / "manifest.jsonl").read_bytes()
    (broken / "manifest.jsonl").write_bytes(rows[:-100])
    with pytest.raises(BuildError, match=r"broken/manifest\.jsonl: is not what was written"):
        merge([broken, *parts[1:]], tmp_path / "out")
    (broken / "manifest.jsonl").write_bytes(rows)
    assets = (broken / "assets.jsonl").read_bytes()
    for data in (assets[: assets.index(b"\n") + 1], None):  # of what went in, licences and authors
        (broken / "assets.jsonl").unlink() if data is None else (broken / "assets.jsonl").write_bytes(data)
        with pytest.raises(BuildError, match=r"broken/assets\.jsonl: is not what was written; copy the part again"):
            merge([broken, *parts[1:]], tmp_path / "less")
    (broken / "assets.jsonl").write_bytes(assets)
    head = (broken / "dataset.json").read_text("utf-8")
    (broken / "dataset.json").write_text(head.replace('"part":', '"prat":'), "utf-8")
    with pytest.raises(BuildError, match="broken: holds no part of a build"):
        merge([broken, *parts[1:]], tmp_path / "none")
    (broken / "dataset.json").write_text(head, "utf-8")
    lost = min((broken / "audio").rglob("*.wav"))
    lost.unlink()
    with pytest.raises(BuildError, match=rf"{lost.name}: is not there; copy the whole part again, or build shard 1/3"):
        merge([broken, *parts[1:]], tmp_path / "again")


def test_a_part_that_is_not_there_is_told_from_one_that_is_none(tmp_path):
    """A slip in the folder's name is not a folder without a part in it."""
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match="nope: no such folder; parts are made with"):
        merge([tmp_path / "nope"], tmp_path / "out")
    with pytest.raises(BuildError, match="file: a file; expected the folder of a part"):
        merge([tmp_path / "file"], tmp_path / "out")


def test_a_part_cannot_bring_in_what_lies_elsewhere(made, tmp_path):
    """A part may come from somebody else; a link in it is no file of it."""
    parts = [shutil.copytree(part, tmp_path / part.name) for part in made[2]]
    (tmp_path / "secret").write_text("of this machine")
    audio = min((parts[0] / "audio").rglob("*.wav"))
    audio.unlink()
    audio.symlink_to(tmp_path / "secret")
    with pytest.raises(BuildError, match=rf"{audio.name}: leads outside the part through a link"):
        merge(parts, tmp_path / "out")
    assert not (tmp_path / "out" / "dataset.json").exists()


def test_a_part_is_not_taken_for_the_whole(made, tmp_path):
    """In the folder of a part, another shard and the whole are refused; the same shard has nothing to do."""
    recipe, _, parts = made
    assert build(recipe, parts[0], shard="1/3").made == 0
    with pytest.raises(BuildError, match=r"changed: the shard \(1/3 → none\)"):
        build(recipe, parts[0])
    with pytest.raises(BuildError, match=r"changed: the shard \(1/3 → 2/3\)"):
        build(recipe, parts[0], shard="2/3")


@pytest.mark.parametrize("linked", [False, True])
def test_fresh_deletes_no_part_that_is_merged(made, tmp_path, linked):
    """A merge into one of its own parts is refused before anything is deleted, also by another name of it."""
    parts = [shutil.copytree(part, tmp_path / part.name) for part in made[2]]
    before, out = [tree_of(part) for part in parts], parts[0]
    if linked:
        out = tmp_path / "link"
        out.symlink_to(parts[0])
    with pytest.raises(BuildError, match=r"--fresh would delete .*part1/dataset\.json, from which the new set is made"):
        merge(parts, out, fresh=True)
    assert [tree_of(part) for part in parts] == before
    assert tree_of(merge(parts, tmp_path / "out").root) == made[1]
    assert tree_of(merge(parts, tmp_path / "out", fresh=True).root) == made[1]


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3"])
def test_shards_count_from_one(made, tmp_path, text):
    """Anything else is refused with what a Slurm array looks like."""
    with pytest.raises(UsageError, match=r"K from 1 to N.*--array=1-64"):
        build(made[0], tmp_path / "out", shard=text)


def test_clips_that_cannot_be_made_are_merged_too(tmp_path):
    """`keep_going`: failed.jsonl is the whole one's; empty parts do no harm, nor does a label that breaks lines of text (U+2028)."""
    tree = {
        "sr": 8000, "duration": 0.2, "clips": {"train": 130, "test": 1},
        "events": [{"label": "a\u2028b", "source": {"type": "click"}, "level_dbfs": -20, "onset": {"choice": [0.05, 0.3]}}],
    }  # fmt: skip
    (tmp_path / "r.yaml").write_text(json.dumps(tree), encoding="ascii")
    recipe = load_recipe(tmp_path / "r.yaml")
    whole = build(recipe, tmp_path / "whole", keep_going=True)
    parts = [build(recipe, tmp_path / f"p{k}", keep_going=True, shard=f"{k}/6").root for k in range(1, 7)]
    assert json.loads((parts[5] / "dataset.json").read_text())["splits"] == {"train": 0, "test": 0}
    merged = merge(parts, tmp_path / "merged")
    assert tree_of(merged.root) == tree_of(whole.root)
    assert merged.stats["failed"] == whole.stats["failed"] > 40
    broken = shutil.copytree(parts[0], tmp_path / "broken")
    (broken / "failed.jsonl").unlink()
    with pytest.raises(BuildError, match=r"broken/failed\.jsonl: is not what was written; copy the part again"):
        merge([broken, *parts[1:]], tmp_path / "lost")
    for _ in range(2):  # a merge, and one that has nothing left to do
        said = CliRunner().invoke(cli, ["merge", *map(str, parts), "-o", str(tmp_path / "again")])
        assert said.exit_code == 1
        assert f"{whole.stats['failed']} clips could not be made; " in said.stderr
        assert "make the parts that lack them again with `build --shard`, then merge again\n" in said.stderr


def test_a_label_that_a_format_cannot_hold_stops_a_part(tmp_path):
    """Labels are written by the merge, but each clip is held against their formats when it is made."""
    event = {"label": "NA", "source": {"type": "click"}, "level_dbfs": -20}
    tree = {"sr": 8000, "duration": 0.2, "clips": 3, "events": [event], "export": ["csv"]}
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree))
    with pytest.raises(BuildError, match="NA"):
        build(recipe, tmp_path / "part", shard="1/2")
