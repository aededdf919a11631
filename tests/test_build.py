"""Builds: the same tree for any number of workers and after any kill; what stands in the way is said."""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from material import full_recipe, read_wav, tone, tree_of, write_recipe, write_wav

from audiosynth import ClipDataset, build, export_labels, load_recipe, pcm, reproduce, verify
from audiosynth.building import crew
from audiosynth.building.folder import locked
from audiosynth.building.memory import spare_what_is_loaded
from audiosynth.building.units import unit_name
from audiosynth.errors import AssetError, AudiosynthError, BuildError, ManifestError, PlanError
from audiosynth.manifest import parse_row

ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


@pytest.fixture
def recipe_path(tmp_path):
    """Return a recipe that uses every kind of recording."""
    return full_recipe(tmp_path / "material")


def loaded(path: Path, **options):
    """Return a recipe whose index is cached beside it."""
    return load_recipe(path, cache_dir=path.parent / "cache", **options)


def test_the_files_are_what_the_rows_say(recipe_path, tmp_path):
    """Every file is there, has its hash, and its samples are the row's identity; a foreign reader agrees."""
    root = build(loaded(recipe_path), tmp_path / "out").root
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text().splitlines()]
    assert [row["clip_id"] for row in rows] == [
        *(f"train-{i:09d}" for i in range(6)),
        *(f"test-{i:09d}" for i in range(3)),
    ]
    for row in rows:
        samples, sr = read_wav(root / row["path"])
        assert pcm.pcm_sha256(samples, sr) == row["pcm_sha256"]
        assert samples.shape == (row["n_channels"], row["n_samples"])
        assert len(json.dumps(row)) < 8000
    assert verify(root).ok
    assert not (root / ".build").exists()


def test_the_tree_is_the_same_for_one_and_two_workers(recipe_path, tmp_path):
    """The number of workers leaves no trace in any byte."""
    one = build(loaded(recipe_path, clips=70), tmp_path / "one", workers=1).root
    two = build(loaded(recipe_path, clips=70), tmp_path / "two", workers=2).root
    assert tree_of(one) == tree_of(two)


@pytest.mark.parametrize(
    "output",
    [
        {"format": "flac"},
        {"format": "ogg"},
        {"format": "wav", "subtype": "FLOAT"},
        {"format": "flac", "subtype": "PCM_24", "stems": True},
    ],
)
def test_other_containers_keep_the_identity(recipe_path, tmp_path, output):
    """The container changes the files, never the identity of a clip; stems add up to it."""
    plain = build(loaded(recipe_path, clips=2), tmp_path / "wav").root
    other_path = full_recipe(recipe_path.parent / "other", output=output)
    other = build(
        load_recipe(
            other_path,
            clips=2,
            data={k: str(recipe_path.parent / k) for k in ("words", "rooms", "beds")},
            cache_dir=tmp_path / "c",
        ),
        tmp_path / "x",
    ).root
    ids = [
        [json.loads(line)["pcm_sha256"] for line in (root / "manifest.jsonl").read_text().splitlines()]
        for root in (plain, other)
    ]
    assert ids[0] == ids[1]
    assert verify(other).ok


def test_a_killed_build_resumes_to_the_same_tree(recipe_path, tmp_path):
    """Kill -9 at several moments, resumed each time, ends in the tree of an undisturbed build."""
    whole = tree_of(build(loaded(recipe_path, clips=130), tmp_path / "whole").root)
    out = tmp_path / "killed"
    code = f"from audiosynth import *; from pathlib import Path; build(load_recipe({str(recipe_path)!r}, clips=130, cache_dir=Path({str(recipe_path.parent / 'cache')!r})), {str(out)!r})"
    for pause in (0.3, 0.9, 1.2):
        process = subprocess.Popen([sys.executable, "-c", code], env=ENV)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
    build(loaded(recipe_path, clips=130), out)
    assert tree_of(out) == whole


def test_leftovers_of_a_killed_build_vanish(recipe_path, tmp_path):
    """Half-written files of an earlier run are cleared, whole units are kept."""
    out = tmp_path / "out"
    reference = tree_of(build(loaded(recipe_path), tmp_path / "ref").root)
    built = build(loaded(recipe_path), out)
    state = json.loads((built.root / "dataset.json").read_text())["build"]
    (out / "dataset.json").unlink()
    (out / ".build" / "tmp").mkdir(parents=True)
    (out / ".build" / "state.json").write_text(json.dumps(state))
    (out / ".build" / "tmp" / "123-train-000000000.wav").write_bytes(b"half")
    build(loaded(recipe_path), out)
    assert tree_of(out) == reference


def test_a_finished_build_is_left_alone(recipe_path, tmp_path):
    """Building again makes nothing and says how much is there."""
    first = build(loaded(recipe_path), tmp_path / "out")
    again = build(loaded(recipe_path), tmp_path / "out")
    assert (first.made, again.made, again.clips) == (9, 0, 9)


def test_another_build_in_the_folder_is_refused(recipe_path, tmp_path):
    """A folder that holds another build is left as it is; the message says what changed; fresh replaces it."""
    out = tmp_path / "out"
    build(loaded(recipe_path), out)
    before = tree_of(out)
    with pytest.raises(BuildError, match=r"holds another build; changed: .*the seed \(3 → 4\)"):
        build(loaded(recipe_path, seed=4), out)
    assert tree_of(out) == before
    build(loaded(recipe_path, seed=4), out, fresh=True)
    assert tree_of(out) != before


def test_a_changed_catalogue_stops_a_resume(recipe_path, tmp_path):
    """A recording replaced between two runs is noticed before anything is written."""
    out = tmp_path / "out"
    state = json.loads((build(loaded(recipe_path), tmp_path / "ref").root / "dataset.json").read_text())["build"]
    (out / ".build").mkdir(parents=True)
    (out / ".build" / "state.json").write_text(json.dumps(state))
    write_wav(recipe_path.parent / "words" / "yes_ann_0.wav", tone(900, 0.4, 8000), 8000)
    with pytest.raises(BuildError, match=r"unfinished build; changed since: .*catalogue words"):
        build(loaded(recipe_path), out)


def test_fresh_does_not_delete_the_recordings_of_the_build(recipe_path, tmp_path):
    """Clips of a set that are taken for recordings go into another folder."""
    root = build(load_recipe(recipe_path, clips=2), tmp_path / "out").root
    event = {
        "label": "a",
        "source": {"type": "file", "recording": {"pick": {"from": "x"}}},
        "level_dbfs": -20,
        "onset": 0,
    }
    tree = {
        "sr": 16000, "duration": 2, "clips": 1, "data": {"x": str(root / "audio")}, "events": [{**event, "overrun": "cut"}],
        "catalogues": {"x": {"data": "x", "layout": "flat", "group": None}},
    }  # fmt: skip
    again, before = load_recipe(write_recipe(tmp_path / "again.yaml", tree), cache_dir=tmp_path / "c"), tree_of(root)
    with pytest.raises(BuildError, match=r"--fresh would delete .*audio, from which the new set is made"):
        build(again, root, fresh=True)
    assert tree_of(root) == before
    assert build(again, tmp_path / "other").clips == 1


def test_a_foreign_folder_is_refused_and_kept(recipe_path, tmp_path):
    """A folder with somebody's files is neither written into nor deleted."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    for fresh in (False, True):
        with pytest.raises(BuildError, match="choose"):
            build(loaded(recipe_path), out, fresh=fresh)
    assert tree_of(out) == {"thesis.txt": b"mine"}


def test_two_builds_in_one_folder_are_refused(recipe_path, tmp_path):
    """The second build says that another one is running."""
    fcntl = pytest.importorskip("fcntl")
    out = tmp_path / "out"
    (out / ".build").mkdir(parents=True)
    with (out / ".build" / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BuildError, match="another build is running"):
            build(loaded(recipe_path), out)


def test_a_build_leaves_a_finished_set_to_whoever_changes_it(recipe_path, tmp_path):
    """While a withdrawal holds its lock, the same build again is refused, and deletes nothing of what that one works with."""
    fcntl = pytest.importorskip("fcntl")
    out = tmp_path / "out"
    build(loaded(recipe_path), out)
    (out / ".build").mkdir()
    with (out / ".build" / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = tree_of(out)
        with pytest.raises(BuildError, match="another build is running"):
            build(loaded(recipe_path), out)
        assert tree_of(out) == before
    assert build(loaded(recipe_path), out).made == 0
    assert not (out / ".build").exists()


def test_a_folder_with_another_programs_work_is_not_touched(recipe_path, tmp_path):
    """Others call a folder of theirs `.build` too: the refusal comes before anything is written there."""
    (tmp_path / "out" / ".build" / "mine").mkdir(parents=True)
    (tmp_path / "out" / "main.swift").write_text("print(1)")
    with pytest.raises(BuildError, match="is not empty and holds no build"):
        build(loaded(recipe_path), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == [".build", "main.swift", "mine"]


def stops_after(done, total):
    """Stop a build after its first unit."""
    if done:
        raise KeyboardInterrupt


@pytest.mark.parametrize("whole", [True, False])
def test_nobody_gets_in_while_a_build_is_cleared(recipe_path, tmp_path, monkeypatch, whole):
    """Whatever is deleted, another build in the folder is refused at that moment: it would lose what it writes."""
    out, gone, rmtree = tmp_path / "out", [], shutil.rmtree
    recipe = loaded(recipe_path, clips=70)
    with contextlib.suppress(KeyboardInterrupt):
        build(recipe, out, progress=None if whole else stops_after)
    assert (out / "dataset.json").exists() == whole

    def watched(path, *args, **more):
        with pytest.raises(BuildError, match="another build is running"), locked(out):
            pass
        gone.append(Path(path).name)
        rmtree(path, *args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", watched)
        with pytest.raises(KeyboardInterrupt):
            build(recipe, out, fresh=True, progress=stops_after)
    assert "audio" in gone
    assert build(recipe, out).clips == 140
    assert verify(out).ok


def test_a_clearing_that_was_killed_leaves_no_unit_without_its_audio(recipe_path, tmp_path, monkeypatch):
    """Clips are not taken for made whose files are gone; the folder stays that of the build it was."""
    recipe, out, rmtree = loaded(recipe_path, clips=70), tmp_path / "out", shutil.rmtree
    with pytest.raises(KeyboardInterrupt):
        build(recipe, out, progress=stops_after)

    def stop(path, *args, **more):
        rmtree(path, *args, **more)
        if Path(path).name == "audio":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", stop)
        with pytest.raises(KeyboardInterrupt):
            build(recipe, out, fresh=True)
    with pytest.raises(BuildError, match=r"unfinished build; changed since: .*the seed"):
        build(loaded(recipe_path, clips=70, seed=4), out)
    assert build(recipe, out).made == 140
    assert tree_of(out) == tree_of(build(recipe, tmp_path / "other").root)


def test_a_full_disk_is_one_message_and_resumable(recipe_path, tmp_path, monkeypatch):
    """No space left: a clear message, no torn file, and the same command goes on afterwards."""
    reference = tree_of(build(loaded(recipe_path), tmp_path / "ref").root)
    real, calls = Path.write_bytes, []

    def full(self, data):
        calls.append(self)
        if len(calls) > 5:
            real(self, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, data)

    out = tmp_path / "out"
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BuildError, match="the disk is full; free some space"):
        build(loaded(recipe_path), out)
    monkeypatch.undo()
    wavs = list(out.rglob("*.wav"))
    assert wavs
    assert all(read_wav(p)[0].shape[1] == 24000 for p in wavs)
    build(loaded(recipe_path), out)
    assert tree_of(out) == reference


def test_an_asset_changed_during_the_build_is_an_error(recipe_path, tmp_path):
    """The bytes decoded are the bytes hashed: a recording that changed after indexing is refused by name."""
    recipe = loaded(recipe_path)
    for path in sorted((recipe_path.parent / "words").glob("*.wav")):
        write_wav(path, tone(950, 0.4, 8000), 8000)
    with pytest.raises(AssetError, match=r"clip train-\d+.*\.wav"):
        build(recipe, tmp_path / "out")
    assert not (tmp_path / "out" / "dataset.json").exists()


def test_a_link_in_a_circle_is_a_missing_file(recipe_path, tmp_path):
    """As a folder was copied that links to itself: `verify` names the file, whoever needs its sound says why it cannot be read."""
    root = build(loaded(recipe_path, clips=2), tmp_path / "out").root
    victim = min((root / "audio").rglob("*.wav"))
    victim.unlink()
    victim.symlink_to(victim.name)
    assert verify(root).missing == (victim.relative_to(root).as_posix(),)
    with pytest.raises(BuildError, match=rf"{victim.name} cannot be read \(Too many levels of symbolic links\)"):
        export_labels(root, ["webdataset"])


def test_verify_finds_missing_changed_and_extra_files(recipe_path, tmp_path):
    """Each kind of damage is told apart."""
    root = build(loaded(recipe_path), tmp_path / "out").root
    files = sorted((root / "audio").rglob("*.wav"))
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-2] + b"\x01\x01")
    shutil.copy(files[2], files[2].with_name("stray.wav"))
    verdict = verify(root)
    relative = [p.relative_to(root).as_posix() for p in files]
    assert (verdict.missing, verdict.changed) == ((relative[0],), (relative[1],))
    assert [Path(p).name for p in verdict.extra] == ["stray.wav"]
    assert not verdict.ok


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("manifest.jsonl", "manifest.jsonl"),
        ("assets.jsonl", "assets.jsonl"),
        ("recipe.yaml", "recipe.yaml"),
        ("labels/jsonl/train.jsonl", "labels/jsonl/train.jsonl"),
        ("ATTRIBUTION.md", "ATTRIBUTION.md"),
        ("audio/train/000000/train-000000001.stems/noise.wav", "audio/train/000000/train-000000001.stems/noise.wav"),
    ],
)
def test_verify_holds_everything_that_was_written(recipe_path, tmp_path, name, changed):
    """An edit of the manifest, the labels, the attribution or a stem is found too."""
    root = build(loaded(recipe_path, set_values=["output.stems=true"]), tmp_path / "out").root
    assert verify(root).ok
    with (root / name).open("ab") as file:
        file.write(b"\n")
    verdict = verify(root)
    assert (verdict.missing, verdict.changed, verdict.extra) == ((), (changed,), ())
    if name == "manifest.jsonl":
        return
    (root / name).unlink()
    (root / "labels" / "stray.txt").write_text("mine")
    verdict = verify(root)
    assert (verdict.missing, verdict.changed) == ((changed,), ())
    assert verdict.extra == (() if name == "assets.jsonl" else ("labels/stray.txt",))


def test_credits_stand_once_and_rows_stay_small(tmp_path):
    """Licence and author are in assets.jsonl and ATTRIBUTION.md, not in the rows; five events with stems fit 8 kB."""
    for k in range(6):
        write_wav(
            tmp_path / "sounds" / f"a sound of a middling long name {k}.wav", tone(300 + 50 * k, 0.5, 16000), 16000
        )
    credit = {"licence": "CC-BY-4.0", "author": "Somebody of the Longer-Named Institute of Sound Recording, Faraway"}
    event = {
        "let": {"sound": {"pick": {"from": "sounds", "how": "cycle"}}},
        "label": "a sound",
        "source": {"type": "file", "recording": "$sound"},
        "effects": [{"type": "fade", "fade_in": 0.01, "fade_out": 0.01}],
        "onset": {"slack": {"uniform": [0, 1]}},
        "snr_db": {"uniform": [0, 20]},
    }
    tree = {
        "sr": 16000, "duration": 2.0, "clips": 4, "data": {"sounds": "sounds"}, "output": {"stems": True},
        "catalogues": {"sounds": {"data": "sounds", "layout": "flat", "group": None, **credit}},
        "events": [{"repeat": {"n": 5, "of": event}}],
        "noise": {"type": "file", "recordings": [{"pick": {"from": "sounds"}}], "level_dbfs": -40},
    }  # fmt: skip
    root = build(loaded(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out").root
    rows = (root / "manifest.jsonl").read_bytes().splitlines()
    assert len(rows) == 4
    assert max(map(len, rows)) < 8000
    assert all(b"Faraway" not in row for row in rows)
    assets = [json.loads(line) for line in (root / "assets.jsonl").read_text().splitlines()]
    assert len(assets) == 6
    assert all(asset[key] == value for asset in assets for key, value in credit.items())
    assert "Faraway" in (root / "ATTRIBUTION.md").read_text()


@pytest.mark.parametrize("text", [None, "{}", "[", '{"files": 3, "export": [], "clips": {}}'])
def test_verify_needs_a_finished_build(recipe_path, tmp_path, text):
    """A folder without a readable dataset.json is said to be none."""
    root = build(loaded(recipe_path, clips=1), tmp_path / "out").root
    (root / "dataset.json").unlink()
    if text is not None:
        (root / "dataset.json").write_text(text)
    with pytest.raises(ManifestError, match=r"dataset\.json"):
        verify(root)


def test_workers_leave_with_a_killed_build(recipe_path, tmp_path):
    """After kill -9 of a build no worker of it goes on."""
    script = tmp_path / "run.py"
    script.write_text(
        "from pathlib import Path\nfrom audiosynth import build, load_recipe\nimport multiprocessing as m, sys\n"
        "def tell(done, total):\n    print(*[p.pid for p in m.active_children()], flush=True)\n"
        f"if __name__ == '__main__':\n    recipe = load_recipe({str(recipe_path)!r}, clips=5000, cache_dir=Path({str(tmp_path)!r}))\n"
        f"    build(recipe, {str(tmp_path / 'out')!r}, workers=2, progress=tell)\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], env=ENV, stdout=subprocess.PIPE, text=True)
    pids: list[int] = []
    while not pids:
        pids = [int(pid) for pid in process.stdout.readline().split()]
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 30
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(pids) == 2
    assert not any(_alive(pid) for pid in pids)


def _alive(pid: int) -> bool:
    """Return whether a process runs (one that ended but was not collected does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_every_clip_comes_back_from_its_row(recipe_path, tmp_path):
    """All rows, in one process, give their hashes; assets are found by hash even under another name."""
    root = build(loaded(recipe_path), tmp_path / "out").root
    data = {k: str(recipe_path.parent / k) for k in ("words", "rooms", "beds")}
    assert all(r.same for r in reproduce(root, data=data))
    moved = tmp_path / "moved"
    shutil.copytree(recipe_path.parent, moved / "deep" / "down")
    for i, path in enumerate(sorted((moved / "deep" / "down" / "words").glob("*.wav"))):
        path.rename(path.with_name(f"renamed{i}.wav"))
    assert all(r.same for r in reproduce(root, data={"anything": str(moved)}, environ={}))


def test_one_clip_alone_in_another_process(recipe_path, tmp_path):
    """A row from standard input gives the recorded hash in a fresh process with another hash seed, locale and folder."""
    root = build(loaded(recipe_path), tmp_path / "out").root
    line = (root / "manifest.jsonl").read_text().splitlines()[4]
    data = {k: str(recipe_path.parent / k) for k in ("words", "rooms", "beds")}
    code = f"import sys; from audiosynth import reproduce; print([r.same for r in reproduce(sys.stdin, data={data!r})])"
    env = {**ENV, "PYTHONHASHSEED": "77", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", code], input=line, capture_output=True, text=True, env=env, cwd=tmp_path, check=True
    )
    assert done.stdout.strip() == "[True]"


def test_reproduced_files_are_the_written_ones(recipe_path, tmp_path):
    """Written again, a clip's file and its stems are the same byte for byte."""
    recipe = loaded(recipe_path, set_values=["output.stems=true"])
    root = build(recipe, tmp_path / "out").root
    data = {k: str(recipe_path.parent / k) for k in ("words", "rooms", "beds")}
    list(reproduce(root, clips=["train-000000002"], data=data, out=tmp_path / "again"))
    again = tree_of(tmp_path / "again")
    assert len(again) == 3
    assert all((root / name).read_bytes() == content for name, content in again.items())


def test_a_changed_asset_is_named_by_reproduce(recipe_path, tmp_path):
    """When a recording is gone or altered the message names it and how to point at it."""
    root = build(loaded(recipe_path), tmp_path / "out").root
    with pytest.raises(AssetError, match=r"--data"):
        list(reproduce(root, environ={}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "../../etc/passwd"}, "stay inside the dataset"),
        ({"path": "/etc/passwd"}, "stay inside the dataset"),
        ({"path": "audio/con.wav"}, "stay inside the dataset"),
        ({"format": 99}, "later audiosynth"),
        ({"engine": "x"}, "whole number"),
        ({"pcm_sha256": "abc"}, "64 hexadecimal"),
        ({"clip_id": "Train 1"}, "clip_id"),
        ({"spec": {}}, r"spec\."),
        ({"spec": None}, "was the row edited"),
        ({"decisions": {"gain": 1}}, r"decisions\.gain"),
        ({"decisions": {}}, "should have"),
    ],
)
def test_rows_edited_by_hand_are_refused(recipe_path, tmp_path, change, message):
    """Each fault of a row is one message with file and line."""
    root = build(loaded(recipe_path, clips=1), tmp_path / "out").root
    row = json.loads((root / "manifest.jsonl").read_text().splitlines()[0])
    with pytest.raises(ManifestError, match=message) as caught:
        parse_row({**row, **change}, place="manifest.jsonl:1")
    assert "manifest.jsonl:1" in str(caught.value)


def test_an_edited_parameter_shows_as_another_hash(recipe_path, tmp_path):
    """A gain edited by hand renders, differs, and the note says why that may be."""
    root = build(loaded(recipe_path, clips=1), tmp_path / "out").root
    row = json.loads((root / "manifest.jsonl").read_text().splitlines()[0])
    row["decisions"]["event_gain_db"] = [g + 0.5 for g in row["decisions"]["event_gain_db"]]
    data = {k: str(recipe_path.parent / k) for k in ("words", "rooms", "beds")}
    (result,) = reproduce([json.dumps(row)], data=data)
    assert not result.same
    assert any("edited" in note for note in result.notes)


def test_clip_dataset_gives_the_same_clip_from_recipe_and_folder(recipe_path, tmp_path):
    """On the fly and from disk, index for index."""
    recipe = loaded(recipe_path)
    root = build(recipe, tmp_path / "out").root
    flying, lying = ClipDataset(recipe, split="test"), ClipDataset(root, split="test")
    assert len(flying) == len(lying) == 3
    for i in range(3):
        a, b = flying[i], lying[i]
        assert (a["y"] == b["y"]).all()
        assert a["clip_id"] == b["clip_id"]
        assert a["spec"] == b["spec"]
        assert [x["label"] for x in a["labels"]] == [x["label"] for x in b["labels"]]
    with pytest.raises(IndexError, match="3 of 3"):
        flying[3]
    with pytest.raises(AudiosynthError, match="train, test"):
        ClipDataset(recipe, split="val")


def test_a_failing_clip_loses_nothing(tmp_path):
    """Where one clip cannot be planned the error names it, and finished units stay for a resume."""
    events = [
        {
            "label": "t",
            "source": {"type": "tone", "frequency": 500, "duration": {"uniform": [0.5, 1.02]}},
            "level_dbfs": -20,
        }
    ]
    path = write_recipe(tmp_path / "r.yaml", {"sr": 8000, "duration": 1.0, "clips": 600, "seed": 11, "events": events})
    with pytest.raises(AudiosynthError, match=r"clip train/\d+"):
        build(load_recipe(path), tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.jsonl").exists()
    assert (tmp_path / "out" / ".build" / "state.json").exists()


def test_keep_going_leaves_out_what_cannot_be_made(tmp_path):
    """Clips that fail are listed with their specs, the others are there; the same for any number of workers."""
    tree = {
        "sr": 8000, "duration": 0.2, "clips": 130,
        "events": [{"label": "a", "source": {"type": "click"}, "onset": {"choice": [0.05, 0.05, 0.05, 0.3]}, "level_dbfs": -20}],
    }  # fmt: skip
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree))
    with pytest.raises(PlanError, match="does not fit") as stopped:
        build(recipe, tmp_path / "stopped")
    assert stopped.value.__cause__ is not stopped.value, "who follows the causes comes to an end"
    one = build(recipe, tmp_path / "one", keep_going=True)
    two = build(recipe, tmp_path / "two", keep_going=True, workers=2)
    failed = [json.loads(line) for line in (one.root / "failed.jsonl").read_text(encoding="utf-8").splitlines()]
    assert 15 < len(failed) < 55
    assert one.stats["failed"] == two.stats["failed"] == len(failed)
    assert all(item["error"].startswith(f"clip train/{int(item['clip_id'][-9:])}") for item in failed)
    rows = (one.root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 130 - len(failed)
    assert not {json.loads(row)["clip_id"] for row in rows} & {item["clip_id"] for item in failed}
    for name in ("manifest.jsonl", "failed.jsonl", "dataset.json"):
        assert (one.root / name).read_bytes() == (two.root / name).read_bytes()
    assert verify(one.root).ok


def test_failures_of_a_killed_run_are_not_told_of_clips_that_are_made(tmp_path):
    """A run that was killed between a unit's failures and its rows leaves failures: they go where the unit is made after all."""
    recipe = load_recipe(full_recipe(tmp_path, clips=4))
    stale = tmp_path / "out" / ".build" / "failed" / unit_name("train", 0)
    done = build(recipe, tmp_path / "whole", keep_going=True)
    with pytest.raises(BuildError, match="stopped"):
        build(recipe, tmp_path / "out", keep_going=True, progress=_stop)
    stale.parent.mkdir(exist_ok=True)
    stale.write_text('{"clip_id":"train-000000000","error":"gone","spec":null}\n')
    shutil.rmtree(tmp_path / "out" / ".build" / "units")
    again = build(recipe, tmp_path / "out", keep_going=True)
    assert again.stats["failed"] == 0
    assert tree_of(again.root) == tree_of(done.root)


def _stop(done: int, total: int) -> None:
    raise BuildError("stopped here")


def test_workers_search_no_garbage_among_what_is_loaded(monkeypatch):
    """After its first unit, a worker's searches pass over what is there; the unit's count comes back."""
    monkeypatch.setattr(crew._Process, "hand", lambda unit: 10 * unit, raising=False)
    spare_what_is_loaded.cache_clear()
    gc.unfreeze()
    try:
        assert (crew._one(3), gc.get_freeze_count() > 10_000) == (30, True)
        before = gc.get_freeze_count()
        kept = [[] for _ in range(1000)]
        assert (crew._one(4), gc.get_freeze_count() <= before, len(kept)) == (40, True, 1000)
    finally:
        gc.unfreeze()


def test_a_build_in_this_process_spares_what_is_loaded_until_its_end(tmp_path, recipe_path):
    """From its second unit on; then the process is as it was, also where the build ends early; one that spares something goes on to."""
    seen = []
    gc.unfreeze()
    recipe = loaded(recipe_path, clips=200)
    build(recipe, tmp_path / "a", workers=1, progress=lambda *_: seen.append(gc.get_freeze_count() > 0))
    assert (True in seen, gc.get_freeze_count()) == (True, 0)
    with pytest.raises(BuildError, match="stopped here"):
        build(recipe, tmp_path / "b", workers=1, progress=lambda *counts: gc.get_freeze_count() and _stop(*counts))
    assert gc.get_freeze_count() == 0
    gc.freeze()
    try:
        build(recipe, tmp_path / "c", workers=1)
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
