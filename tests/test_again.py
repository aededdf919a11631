"""Clips that could not be made: tried again by the same build, counted apart from what was made, and no file of theirs stays."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from material import full_recipe, tree_of, write_recipe

from audiosynth import build, export_labels, load_recipe, merge, verify
from audiosynth.building import again as module
from audiosynth.cli import cli
from audiosynth.errors import AssetError, BuildError, RenderError
from audiosynth.exporters.desed import Desed

CLIPS = {"train": 70, "test": 3}
UNSURE = {
    "sr": 8000, "duration": 0.2, "clips": 40,
    "events": [{"label": "a", "source": {"type": "click"}, "onset": {"choice": [0.05, 0.05, 0.05, 0.3]}, "level_dbfs": -20}],
}  # fmt: skip
"""Every fourth clip has an event that does not fit."""


@pytest.fixture
def recipe(tmp_path):
    """Return a recipe of three units whose recordings are in ``m``."""
    return load_recipe(full_recipe(tmp_path / "m", clips=CLIPS, duration=0.8))


@contextmanager
def away(tmp_path, pattern="yes_bob_*"):
    """Have some recordings gone for a while."""
    gone = sorted((tmp_path / "m" / "words").glob(pattern))
    for path in gone:
        path.rename(tmp_path / path.name)
    yield
    for path in gone:
        (tmp_path / path.name).rename(path)


def lost_of(root: Path) -> list[str]:
    """Return the clips that are listed as not made."""
    path = root / "failed.jsonl"
    return [json.loads(line)["clip_id"] for line in path.read_bytes().splitlines()] if path.is_file() else []


def audio_of(root: Path) -> set[str]:
    """Return the clips of which there is any file of audio."""
    return {path.stem for path in (root / "audio").rglob("*.wav")}


def run(*words: object, code: int = 0):
    result = CliRunner().invoke(cli, [str(word) for word in words], prog_name="audiosynth")
    assert result.exit_code == code, result.output
    return result


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_build_again_makes_what_could_not_be_made(recipe, tmp_path, workers):
    """Once the recordings are back: the tree of an undisturbed build, later exports and all; no other clip is made again."""
    whole = build(recipe, tmp_path / "whole").root
    with away(tmp_path):
        first = build(recipe, tmp_path / "out", keep_going=True)
        lost = lost_of(first.root)
        assert 0 < len(lost) == first.stats["failed"] == 73 - first.clips
        before = tree_of(first.root)
        still = build(recipe, tmp_path / "out", workers=workers)  # and goes on, as the build did that made the set
        assert (still.made, still.clips, still.stats["failed"]) == (0, first.clips, len(lost))
        assert tree_of(first.root) == before, "while nothing can be made nothing changes"
    for root in (whole, first.root):
        export_labels(root, ["jams"])
    (first.root / "report.html").write_text("of fewer clips")
    told = []
    done = build(recipe, tmp_path / "out", workers=workers, progress=lambda *numbers: told.append(numbers))
    assert (done.made, done.clips, done.stats["failed"]) == (len(lost), 73, 0)
    assert told[0] == (first.clips, 73)
    assert told[-1] == (73, 73)
    assert tree_of(done.root) == tree_of(whole)
    assert build(recipe, tmp_path / "out").made == 0


def test_a_set_without_labels_files_gets_no_folder_for_them(tmp_path):
    """What is noted while a set changes leaves nothing behind."""
    recipe = load_recipe(full_recipe(tmp_path / "m", clips=CLIPS, duration=0.8, export=[]))
    with away(tmp_path):
        build(recipe, tmp_path / "out", keep_going=True)
    assert build(recipe, tmp_path / "out").made > 0
    assert not (tmp_path / "out" / "labels").exists()


def test_what_can_be_made_is_made_and_the_rest_told_of(recipe, tmp_path):
    """Of two recordings one is back: its clips are made, the others stay in the list; a unit without any clip takes part."""
    with away(tmp_path, "*_cleo_*"), away(tmp_path, "yes_bob_*"):
        first = build(recipe, tmp_path / "out", keep_going=True)
    lost = lost_of(first.root)
    assert {"test-000000000", "test-000000001", "test-000000002"} <= {*lost}
    rows = first.root / "manifest.jsonl"
    rows.write_bytes(rows.read_bytes().replace(b"\n", b"\n \n"))  # blank lines are no rows
    with away(tmp_path, "yes_bob_*"):
        second = build(recipe, tmp_path / "out")
    left = lost_of(first.root)
    assert second.made == 3 == len(lost) - len(left)
    assert second.stats["clips"] == {"train": 70 - len(left), "test": 3}
    assert {*left} < {*lost}
    assert verify(first.root).ok
    assert build(recipe, tmp_path / "out").stats["failed"] == 0
    assert tree_of(first.root) == tree_of(build(recipe, tmp_path / "whole").root)


@pytest.mark.parametrize(
    ("where", "there"),
    [("_put_rows", True), ("_note_later", True), ("drop_views", False), ("rmtree", False), ("export_labels", True)],
)
def test_trying_again_can_be_stopped_anywhere(recipe, tmp_path, monkeypatch, where, there):
    """Until one is made the set is whole as it was, then the folder is an unfinished build; the same build again ends it.

    What was exported later is written again too, though the set was whole before that was; no report of fewer clips stays.
    """
    whole = build(recipe, tmp_path / "whole").root
    with away(tmp_path):
        root = build(recipe, tmp_path / "out", keep_going=True).root
    for place in (whole, root):
        export_labels(place, ["csv", {"type": "jams"}])
    (root / "report.html").write_text("of fewer clips")
    before, rmtree = tree_of(root), shutil.rmtree

    def stop(*args, **rest):
        raise KeyboardInterrupt

    def stop_at_labels(path, *args, **rest):
        rmtree(path, *args, **rest)
        if Path(path).parent == root / "labels":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if where == "rmtree":
            patched.setattr(module.shutil, "rmtree", stop_at_labels)
        else:
            patched.setattr(module, where, stop)
        with pytest.raises(KeyboardInterrupt):
            build(recipe, root)
    assert (root / "dataset.json").exists() == there
    if where in ("_put_rows", "_note_later"):
        assert before.items() <= tree_of(root).items()
    done = build(recipe, root)
    assert done.stats["failed"] == 0
    assert tree_of(root) == tree_of(whole)
    assert verify(root).ok


def test_an_export_between_outdoes_what_was_noted(recipe, tmp_path, monkeypatch):
    """A format that was exported in another way before the rest was written again stays as it was asked for last."""

    def stop(*args, **rest):
        raise KeyboardInterrupt

    whole = build(recipe, tmp_path / "whole").root
    with away(tmp_path):
        root = build(recipe, tmp_path / "out", keep_going=True).root
    export_labels(root, ["csv", "jams"])
    with monkeypatch.context() as patched:
        patched.setattr(module, "export_labels", stop)
        with pytest.raises(KeyboardInterrupt):
            build(recipe, root)
    for place in (root, whole):
        export_labels(place, [{"type": "csv", "inaudible": "keep"}])
    build(recipe, root)
    export_labels(whole, ["jams"])
    assert tree_of(root) == tree_of(whole)


def test_a_build_that_goes_on_tries_again(recipe, tmp_path):
    """A build that was stopped after a unit with failures makes them too, if it can; without `keep_going` the first stops it."""

    def stop(done, total):
        if done:
            raise BuildError("stopped here")

    with away(tmp_path):
        with pytest.raises(BuildError, match="stopped here"):
            build(recipe, tmp_path / "out", keep_going=True, progress=stop)
        there = len((tmp_path / "out" / ".build" / "units" / "train-000000000.jsonl").read_bytes().splitlines())
        assert there < 64
        with pytest.raises(AssetError, match="yes_bob"):
            build(recipe, tmp_path / "out")
    done = build(recipe, tmp_path / "out")
    assert (done.clips, done.made, done.stats["failed"]) == (73, 73 - there, 0)
    assert tree_of(done.root) == tree_of(build(recipe, tmp_path / "whole").root)


def test_parts_and_their_whole_gain_the_clips_too(recipe, tmp_path):
    """A part is tried again by its own command, and the same merge brings in what it made."""
    parts = [tmp_path / "1", tmp_path / "2"]
    with away(tmp_path):
        for k, part in enumerate(parts, 1):
            build(recipe, part, keep_going=True, shard=f"{k}/2")
        lost = len(lost_of(merge(parts, tmp_path / "out").root))
    for k, part in enumerate(parts, 1):
        build(recipe, part, shard=f"{k}/2")
    done = merge(parts, tmp_path / "out")
    assert (done.made, done.stats["failed"]) == (lost, 0)
    assert tree_of(done.root) == tree_of(build(recipe, tmp_path / "whole").root)


def test_the_command_counts_what_was_made_and_says_the_way_out(tmp_path):
    """The line of clips has those of the set, and those that are missing; the error says what to run."""
    path = write_recipe(tmp_path / "r.yaml", UNSURE)
    words = ["build", path, "-o", tmp_path / "out", "--keep-going", "--workers", 1]
    first = run(*words, code=1).output
    lost = len(lost_of(tmp_path / "out"))
    made = 40 - lost
    assert 2 < lost < 20
    assert re.search(rf"^clips +{made} \(train {made}\); {lost} could not be made$", first, re.MULTILINE)
    way = f"{lost} clips could not be made; {tmp_path / 'out'}/failed.jsonl says which, and why. Once that is mended, run the same command again, which tries only these"
    assert way in " ".join(first.split())
    second = run(*words, code=1).output
    assert re.search(
        rf"^clips +{made} \(train {made}\), {made} of them from an earlier run; {lost} could", second, re.MULTILINE
    )
    shown = json.loads(run(*words, "--json", code=1).stdout.splitlines()[0])
    assert (shown["total"], shown["made"], shown["failed"]) == (made, 0, lost)


def test_a_set_in_tar_files_says_to_build_anew(tmp_path):
    """Nothing can be added to what was packed: the error says so, and nothing is tried."""
    path = write_recipe(tmp_path / "r.yaml", {**UNSURE, "output": {"audio": "tar"}})
    words = ["build", path, "-o", tmp_path / "out", "--keep-going", "--workers", 1]
    for _ in range(2):
        assert "build the set anew with --fresh" in " ".join(run(*words, code=1).output.split())


def test_a_clip_that_cannot_be_made_leaves_no_audio(recipe, tmp_path):
    """A killed run had written it before its unit was finished; then its recording went."""
    whole = build(recipe, tmp_path / "whole").root
    shutil.copytree(whole / "audio", tmp_path / "out" / "audio")
    (tmp_path / "out" / ".build").mkdir()
    with away(tmp_path):
        root = build(recipe, tmp_path / "out", keep_going=True).root
    lost = {*lost_of(root)}
    assert lost
    assert audio_of(root) == audio_of(whole) - lost
    assert verify(root).ok


def test_a_clip_whose_row_is_refused_leaves_no_audio(tmp_path, monkeypatch):
    """The audio is written before the formats of labels see the row: what one of them refuses goes again, stems and all."""

    def check(self, row):
        if int(row["clip_id"][-9:]) % 3 == 0:
            raise RenderError("refused")

    monkeypatch.setattr(Desed, "check", check)
    tree = {
        **UNSURE,
        "export": ["desed"],
        "output": {"stems": {"by": "event"}},
        "events": [{**UNSURE["events"][0], "onset": 0.05}],
    }
    root = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out", keep_going=True).root
    assert len(lost_of(root)) == 14
    there = {path.name.partition(".")[0] for path in (root / "audio").rglob("train-*")}
    assert there == {f"train-{n:09d}" for n in range(40) if n % 3}
    assert verify(root).ok
