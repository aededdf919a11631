"""`audiosynth export`: more formats of a finished build, whole or not at all, and nothing else touched."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import pytest
from material import tree_of, write_recipe
from test_cli import SIMPLE, run

from audiosynth import build, export_labels, exports, load_recipe, verify
from audiosynth.building.aside import aside
from audiosynth.errors import BuildError, ManifestError, UsageError
from audiosynth.exporters.csv_table import Csv
from audiosynth.files.locks import passing_file


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small build that nobody changes."""
    folder = tmp_path_factory.mktemp("made")
    recipe = write_recipe(folder / "r.yaml", {**SIMPLE, "export": ["desed", "jsonl"]})
    return build(load_recipe(recipe, cache_dir=folder / "c"), folder / "set").root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    return Path(shutil.copytree(made, tmp_path / "set"))


def test_several_formats_at_once(root: Path) -> None:
    """New folders stand below labels/, everything that was there has its bytes, and `verify` knows the new files."""
    before = tree_of(root)
    out = run("export", root, "--to", "csv", "--to", "jams").output
    after = tree_of(root)
    new = set(after) - set(before)
    assert {name.split("/")[1] for name in new} == {"csv", "jams", "export.json"}
    assert {name: after[name] for name in before} == before
    assert out.split() == ["csv@1", "2", "files", "jams@1", "5", "files"]
    assert verify(root).ok


def test_the_same_bytes_as_in_the_build(root: Path, tmp_path: Path) -> None:
    """What is exported later is what the recipe's `export` would have written; twice changes nothing."""
    recipe = write_recipe(tmp_path / "r.yaml", {**SIMPLE, "export": ["desed", "jsonl", "csv", "croissant"]})
    at_once = build(load_recipe(recipe, cache_dir=tmp_path / "c"), tmp_path / "at_once").root
    for _ in range(2):
        run("export", root, "--to", "croissant", "--to", "csv")
        later = tree_of(root / "labels")
        later.pop("export.json")
        assert later == tree_of(at_once / "labels")


def test_options_and_an_export_that_replaces_the_recipes(root: Path) -> None:
    """--set NAME.OPTION=VALUE reaches the exporter; its folder is replaced whole, and `verify` holds it to the new options."""
    (root / "labels" / "desed" / "stale.tsv").write_text("old")
    assert verify(root).extra == ("labels/desed/stale.tsv",)
    run("export", root, "--to", "desed", "--set", "desed.merge=false", "--set", "desed.inaudible=keep")
    assert verify(root).ok
    told = json.loads((root / "labels" / "export.json").read_text())
    assert [(tree["type"], tree["merge"], tree["inaudible"]) for tree in told] == [("desed@1", False, "keep")]
    run("export", root, "--to", "desed")
    run("export", root, "--to", "csv")
    assert [tree["type"] for tree in json.loads((root / "labels" / "export.json").read_text())] == ["csv@1", "desed@1"]
    assert verify(root).ok
    next((root / "labels").rglob("*.csv")).write_text("changed")
    assert verify(root).changed == ("labels/csv/test.csv",) or verify(root).changed == ("labels/csv/train.csv",)


def test_a_folder_of_ones_own(root: Path, tmp_path: Path) -> None:
    """With -o nothing in the dataset changes, paths to the audio lead there, and nothing that is there is replaced."""
    before = tree_of(root)
    result = run("export", root, "--to", "nemo", "--to", "croissant", "-o", tmp_path / "elsewhere" / "deep", "--json")
    assert tree_of(root) == before
    told = json.loads(result.output)["exports"]
    assert [item["type"] for item in told] == ["nemo@1", "croissant@1"]
    assert all(Path(name).is_file() for item in told for name in item["files"])
    manifest = tmp_path / "elsewhere/deep/nemo/train_manifest.json"
    for line in manifest.read_text().splitlines():
        assert (manifest.parent / json.loads(line)["audio_filepath"]).is_file()
    assert "there already" in run("export", root, "--to", "nemo", "-o", tmp_path / "elsewhere" / "deep", code=2).output
    mine = tmp_path / "elsewhere" / "ATTRIBUTION.md"
    mine.write_text("mine")
    assert "there already" in run("export", root, "--to", "attribution", "-o", mine.parent, code=2).output
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "dessed"], "no exporter called 'dessed'; did you mean 'desed'"),
        (["--to", "desed", "--set", "desed.merg=1"], "exporter desed: merg: 'desed' has no such parameter"),
        (["--to", "desed", "--set", "desed.merge=3"], "merge: .* got 3"),
        (["--to", "desed", "--set", "desd.merge=false"], "did you mean 'desed'"),
        (["--to", "desed", "--set", "merge=false"], r"expected NAME\.OPTION=VALUE .* it goes with --to desed"),
        (["--to", "desed", "--set", "desed.type=csv"], r"expected NAME\.OPTION=VALUE"),
        (["--to", "csv", "--to", "csv@1"], "exporter csv: is asked for twice"),
        (["--to", "csv", "-o", "set/audio/x"], "is the dataset's own"),
        (["--to", "csv", "-o", "set/labels"], "is the dataset's own"),
        (["--to", "csv", "-o", "set/recipe.yaml"], "is a file"),
        ([], "missing option '--to'"),
    ],
)
def test_what_cannot_be_meant(root: Path, words: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message with the way out, exit code 2, nothing written."""
    monkeypatch.chdir(root.parent)
    before = tree_of(root)
    result = run("export", root, *words, code=2)
    assert re.search(message, result.output), result.output
    assert tree_of(root) == before


def test_no_build_there(tmp_path: Path) -> None:
    """A folder without a finished build, and an unfinished one, are refused."""
    with pytest.raises(ManifestError, match="no finished build here"):
        export_labels(tmp_path, ["csv"])
    assert "no finished build here" in run("export", tmp_path / "none", "--to", "csv", code=1).output


def test_all_or_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one of several formats cannot hold the labels, or a disk is full, none of them changes anything."""
    before = tree_of(root)
    with pytest.raises(BuildError, match="'beep' is none of the classes another"):
        export_labels(root, ["csv", {"type": "esc50", "classes": ["another"]}])
    assert tree_of(root) == before

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Csv, "write", full)
    with pytest.raises(OSError, match="No space"):
        export_labels(root, ["jams", "csv"])
    assert tree_of(root) == before


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            OSError(13, "Permission denied"),
            pytest.raises(BuildError, match=r"cannot be written .*; nothing was changed"),
        ),
        (KeyboardInterrupt(), pytest.raises(KeyboardInterrupt)),
    ],
)
@pytest.mark.parametrize("when", ["new", "labels"])
def test_a_rename_that_fails_is_taken_back(
    root: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, told: Any, when: str
) -> None:
    """Folders that were moved aside are moved back, whichever of the renames fails and why."""
    export_labels(root, ["csv", "desed"])
    before, rename = tree_of(root), Path.rename

    failed: list[Path] = []

    def fails(path: Path, target: Path) -> Path:
        if path.name == "desed" and path.parent.name == when and not failed:
            failed.append(path)
            raise error
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with told:
        export_labels(root, [{"type": "csv", "inaudible": "keep"}, "desed", "jams"])
    assert failed
    monkeypatch.undo()
    assert tree_of(root) == before


KILLED = """
import os, signal, sys
from audiosynth import export_labels
calls = []
def dying(move):
    def moved(*args):
        calls.extend([args] if not str(args[0]).endswith('.part') else [])
        if len(calls) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        move(*args)
    return moved
os.rename, os.replace = dying(os.rename), dying(os.replace)
export_labels(sys.argv[1], ["csv", "jams"])
"""


@pytest.mark.parametrize("moment", [1, 2, 3, 4])
def test_what_a_killed_export_left_goes_with_the_next(root: Path, moment: int) -> None:
    """Kill -9 between any two renames: labels that were moved aside come back, and nothing half-written stays."""
    export_labels(root, ["csv"])
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", KILLED, root, str(moment)], env=env, check=False)
    assert done.returncode == -signal.SIGKILL
    assert list((root / "labels").glob(".export-*"))
    listed = {tree["type"] for tree in json.loads((root / "labels" / "export.json").read_text())}
    assert listed == {"csv@1"}  # neither what is yet to come, nor less than there was
    export_labels(root, ["audacity"])
    assert (root / "labels" / "csv").is_dir()
    assert not list((root / "labels").glob(".export-*"))
    export_labels(root, ["csv", "jams"])
    assert verify(root).ok


def test_what_an_export_left_that_was_killed_at_its_ends_goes_too(root: Path) -> None:
    """Before it had locked its folder, or after it had begun to delete that."""
    for name in ("begun", "ended/new/csv"):
        (root / "labels" / f".export-{name}").mkdir(parents=True)
    (root / "labels" / ".export-ended" / "new" / "csv" / "train.csv").write_text("label")
    export_labels(root, ["csv"])
    assert {path.name for path in (root / "labels").iterdir()} == {"csv", "desed", "jsonl", "export.json"}
    assert verify(root).ok


def test_an_export_leaves_another_that_is_under_way(root: Path) -> None:
    """What another process is making is not taken for what a kill left."""
    with aside(root / "labels") as scratch:
        (scratch / "new").mkdir()
        export_labels(root, ["csv"])
        assert (scratch / "new").is_dir()
    assert verify(root).ok


def test_two_exports_at_once_are_both_listed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one has read the list and not written it yet, the other waits."""
    was_read, goes_on, later = Event(), Event(), exports.later_exports

    def slowly(folder: Path) -> list[dict[str, Any]]:
        found = later(folder)
        if not was_read.is_set():
            was_read.set()
            goes_on.wait(60)
        return found

    monkeypatch.setattr(exports, "later_exports", slowly)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(export_labels, root, ["csv"])
        assert was_read.wait(60)
        second = threads.submit(export_labels, root, ["jams"])
        wait([second], timeout=1)
        goes_on.set()
        assert [*first.result(60), *second.result(60)] == ["csv@1", "jams@1"]
    assert [tree["type"] for tree in json.loads((root / "labels" / "export.json").read_text())] == ["csv@1", "jams@1"]
    assert verify(root).ok


def test_a_lock_that_another_has_deleted_is_no_lock(tmp_path: Path) -> None:
    """Ten threads want the same at once, fifty times each: one at a time has it, and nothing is left of it."""
    inside: list[int] = []

    def often() -> None:
        for _ in range(50):
            with passing_file(tmp_path / "lock"):
                inside.append(1)
                sleep(0.001)
                assert len(inside) == 1
                inside.pop()

    with ThreadPoolExecutor(10) as threads:
        for done in [threads.submit(often) for _ in range(10)]:
            done.result(60)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "../../secret.wav"}, "stay inside the dataset"),
        ({"clip_id": "../x"}, "clip_id should be made of"),
        ({"spec": {}}, "was the row edited"),
        ({"labels": [{"label": "a"}]}, "has not what csv@1 needs"),
        ({"labels": [{"label": "a", "onset_sample": 5, "offset_sample": 1}]}, "outside the clip"),
    ],
)
def test_rows_of_a_stranger(root: Path, change: dict[str, Any], message: str) -> None:
    """Rows are held to their form before anything is written; nothing is read or written outside the dataset."""
    path = root / "manifest.jsonl"
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(first), **change}), *rest]) + "\n")
    before = tree_of(root)
    with pytest.raises((ManifestError, BuildError), match=message):
        export_labels(root, ["csv", "webdataset"])
    assert tree_of(root) == before


def test_labels_that_lead_elsewhere(root: Path, tmp_path: Path) -> None:
    """A labels/ that is a link out of the dataset is not written through."""
    shutil.rmtree(root / "labels")
    (tmp_path / "mine").mkdir()
    (root / "labels").symlink_to(tmp_path / "mine")
    with pytest.raises(ManifestError, match="leads outside the dataset; give a folder with -o"):
        export_labels(root, ["csv"])
    assert not list((tmp_path / "mine").iterdir())


def test_an_edited_record_of_exports(root: Path) -> None:
    """What is not a list of exporters is an error that says what to do, in `export` and in `verify`."""
    (root / "labels" / "export.json").write_text('{"type": "csv"}')
    for call in (lambda: export_labels(root, ["csv"]), lambda: verify(root)):
        with pytest.raises(ManifestError, match="is not what `export` writes"):
            call()
    with pytest.raises(UsageError, match="asked for twice"):
        export_labels(root, ["csv", "csv"])
