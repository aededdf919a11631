"""Audio in tar files in place of folders: WebDataset's rules, the same bytes for any workers, parts and kills."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from material import tree_of, write_recipe

from audiosynth import ClipDataset, build, diff, export_labels, load_recipe, merge, reproduce, vary, verify
from audiosynth.errors import BuildError, RecipeError

CLIPS_PER_TAR = 100
ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


def recipe_in(folder: Path, **output: object) -> Path:
    """Write a recipe of short clicks over noise, one split weak."""
    event = {"label": "a", "source": {"type": "click"}, "level_dbfs": -20, "onset": {"uniform": [0.0, 0.1]}}
    tree = {
        "sr": 8000, "duration": 0.15, "clips": {"train": 110, "test": 30}, "events": [event], "supervision": {"test": "weak"},
        "noise": {"type": "coloured", "colour": "white", "level_dbfs": -50}, "output": output,
    }  # fmt: skip
    return write_recipe(folder / "r.yaml", tree)


@pytest.fixture(scope="module", autouse=True)
def _small_folders():
    """Let folders of 100 clips stand for those of 1000, in this process and those it starts by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audiosynth.manifest.CLIPS_PER_SHARD", CLIPS_PER_TAR)
        yield


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Return the same set in folders and in tar files, and the latter's recipe."""
    folder = tmp_path_factory.mktemp("sets")
    loose = build(load_recipe(recipe_in(folder / "loose")), folder / "loose" / "out").root
    path = recipe_in(folder / "packed", audio="tar", stems=True)
    return loose, build(load_recipe(path), folder / "packed" / "out").root, path


def test_every_clip_with_its_labels_lies_in_order(sets):
    """Read by tarfile: consecutive members of one key, nothing told of times and owners; the audio is what the rows say."""
    _, root, _ = sets
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text().splitlines()]
    assert sorted(p.relative_to(root).as_posix() for p in (root / "audio").rglob("*") if p.is_file()) == [
        "audio/test/000000.tar", "audio/train/000000.tar", "audio/train/000001.tar",
    ]  # fmt: skip
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted((root / "audio").rglob("*.tar"), key=lambda p: (p.parent.name == "test", p.name)):
        with tarfile.open(path) as tar:
            for info in tar:
                key, _, ending = info.name.partition(".")
                assert key == next(reversed(found), None) or key not in found
                found.setdefault(key, {})[ending] = tar.extractfile(info).read()
                assert (info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode) == (0, 0, 0, "", "", 0o644)
    assert [*found] == [row["clip_id"] for row in rows]
    for row in rows:
        members = found[row["clip_id"]]
        assert hashlib.sha256(members["wav"]).hexdigest() == row["file_sha256"]
        assert {name: hashlib.sha256(members[f"{name}.wav"]).hexdigest() for name in row["stems"]} == row["stems"]
        told = json.loads(members["json"])
        assert told["clip_id"] == row["clip_id"]
        if row["split"] == "test":
            assert told["labels"] == ["a"]
            assert "events" not in told
        else:
            assert [event["onset"] for event in told["events"]] == [label["onset"] for label in row["labels"]]


@pytest.mark.filterwarnings("ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning")  # it leaves files open
def test_webdataset_reads_it(sets):
    """The library itself finds whole samples."""
    wds = pytest.importorskip("webdataset")
    samples = list(wds.WebDataset(str(sets[1] / "audio/train/000001.tar"), shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == [f"train-{i:09d}" for i in range(100, 110)]
    assert {"wav", "json", "noise.wav"} <= samples[0].keys()


def test_all_readers_find_the_audio(sets, tmp_path):
    """verify, ClipDataset, diff, exporters with audio inside, vary: as from loose files."""
    loose, root, _ = sets
    assert verify(root).ok
    for i in (0, 99, 109):
        assert (ClipDataset(root, split="train")[i]["y"] == ClipDataset(loose, split="train")[i]["y"]).all()
    assert all(clip.files and not clip.samples for clip in diff(loose, root, audio=True).differences())
    copy = shutil.copytree(root, tmp_path / "copy")
    export_labels(copy, ["webdataset"])
    assert verify(copy).ok
    louder = vary(root, tmp_path / "louder", set_values=["noise.level_dbfs=-40"]).root
    assert (louder / "audio/train/000001.tar").is_file()
    assert verify(louder).ok
    assert max(clip.max_abs for clip in diff(root, louder, audio=True).differences()) > 0
    assert next(reproduce(root, clips=["test-000000029"])).same


def test_names_longer_than_ustar_holds(tmp_path):
    """A long split's stems of long labels: 104 characters, found again by every reader."""
    split = "validation_clean_speech_in_far_field_rooms"
    event = {"label": "l" * 50, "source": {"type": "click"}, "level_dbfs": -20, "onset": 0.05}
    tree = {
        "sr": 8000, "duration": 0.15, "clips": {split: 2}, "events": [event], "output": {"audio": "tar", "stems": True},
    }  # fmt: skip
    root = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out").root
    with tarfile.open(root / f"audio/{split}/000000.tar") as tar:
        assert max(map(len, tar.getnames())) > 100
    assert verify(root).ok
    assert next(reproduce(root, clips=[f"{split}-000000001"])).same


def test_verify_names_the_clip_in_a_damaged_tar(sets, tmp_path):
    """A changed byte, a lost tar, a stray file."""
    root = shutil.copytree(sets[1], tmp_path / "copy")
    tar = root / "audio/train/000001.tar"
    with tarfile.open(tar) as opened:
        place = opened.getmember("train-000000103.wav").offset_data + 2000
    data = bytearray(tar.read_bytes())
    data[place] ^= 1
    tar.write_bytes(data)
    (root / "audio/test/stray.wav").write_bytes(b"x")
    verdict = verify(root)
    assert verdict.changed == ("audio/train/000001.tar", "audio/train/000001/train-000000103.wav")
    assert verdict.extra == ("audio/test/stray.wav",)
    tar.unlink()
    assert verify(root).missing == ("audio/train/000001.tar",)


def test_parts_and_workers_leave_no_trace(sets, tmp_path):
    """Two parts, each of loose files, are merged into the same tar files; so are the clips of two workers."""
    _, root, path = sets
    recipe = load_recipe(path)
    parts = [build(recipe, tmp_path / k, shard=f"{k}/2").root for k in "12"]
    assert all(verify(part).ok for part in parts)
    assert tree_of(merge(parts, tmp_path / "merged").root) == tree_of(root)
    few = load_recipe(path, clips=70)  # other processes have folders of 1000
    assert tree_of(build(few, tmp_path / "one").root) == tree_of(build(few, tmp_path / "two", workers=2).root)


def test_what_was_damaged_in_a_part_goes_into_no_tar(sets, tmp_path):
    """The tar's own hash would hide it for good: the file is named, and the clip comes once it is copied again."""
    _, root, path = sets
    recipe = load_recipe(path)
    parts = [build(recipe, tmp_path / k, shard=f"{k}/2").root for k in "12"]
    for file in (
        parts[0] / "audio/train/000000/train-000000007.wav",
        min((parts[1] / "audio").rglob("noise.wav")),
    ):
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(BuildError, match=rf"{file.name}: is not what was written; copy the part again"):
            merge(parts, tmp_path / "merged")
        file.write_bytes(data)
    assert tree_of(merge(parts, tmp_path / "merged").root) == tree_of(root)


@pytest.mark.parametrize(("moment", "calls"), [("Packer._add", 50), ("os.unlink", 50), ("os.rmdir", 101)])
def test_a_kill_while_packing_loses_nothing(sets, tmp_path, moment, calls):
    """Kill -9 between any two steps: half a tar, a whole tar beside its folder, half of the folder gone."""
    _, root, path = sets
    code = (
        "import os, signal, sys; from audiosynth import build, load_recipe, manifest\n"
        f"from audiosynth.building.pack import Packer\nmanifest.CLIPS_PER_SHARD = {CLIPS_PER_TAR}\n"
        f"calls, real = [], {moment}\n"
        "def dying(*args, **more):\n"
        f"    calls.append(1)\n    if len(calls) > {calls}: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"    return real(*args, **more)\n{moment} = dying\n"
        "build(load_recipe(sys.argv[1]), sys.argv[2])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path, tmp_path / "out"], env=ENV, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "out" / "manifest.jsonl").exists()
    assert tree_of(build(load_recipe(path), tmp_path / "out").root) == tree_of(root)


def test_formats_that_name_files_are_refused_and_the_card_says_tar(sets):
    """Paths in wav.scp or cuts would lead nowhere: neither a recipe nor a later export writes them."""
    _, root, path = sets
    with pytest.raises(BuildError, match=r"kaldi: this format names the file of each clip.*webdataset"):
        export_labels(root, ["kaldi"])
    with pytest.raises(RecipeError, match=r"croissant: this format names the file"):
        load_recipe(path, set_values=["export=[croissant]"])
    assert "in tar files that WebDataset reads" in (root / "README.md").read_text("utf-8")
