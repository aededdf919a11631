"""Withdrawals: the clips that used something are made again without, nothing else changes, a new build gives the same tree."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from material import full_recipe, sounds, tree_of, write_recipe

import audiosynth.withdraw as module
from audiosynth import build, export_labels, load_recipe, plan_clip, reproduce, stats, vary, verify
from audiosynth.building import again
from audiosynth.building.chosen import chosen
from audiosynth.building.folder import locked
from audiosynth.building.units import kept_rows
from audiosynth.cli import cli
from audiosynth.errors import AssetError, BuildError, ManifestError, UsageError, WithdrawnError
from audiosynth.material.withdrawn import Withdrawn
from audiosynth.records.text import dumps
from audiosynth.report.source import open_source
from audiosynth.withdraw import begun, go_on, withdraw, withdrawal

DATA = ("words", "rooms", "beds")


def roots(folder):
    return {name: str(folder / name) for name in DATA}


@pytest.fixture
def made(tmp_path):
    """Return the folder of the material, and a set of it: two speakers in train, one in test."""
    path = full_recipe(tmp_path / "m", clips={"train": 70, "test": 3}, events=[_event()], duration=0.6)
    return tmp_path / "m", build(load_recipe(path), tmp_path / "out").root


def _event(**more):
    return {
        "let": {"word": {"cycle": ["yes", "no"]}, "take": {"pick": {"from": "words", "where": {"label": "$word"}, **more}}},
        "label": "$take.label", "source": {"type": "file", "recording": "$take"}, "onset": {"slack": {"uniform": [0, 1]}}, "level_dbfs": -20,
        "overrun": "cut",
    }  # fmt: skip


def rows_of(root):
    return [json.loads(line) for line in (root / "manifest.jsonl").read_text("utf-8").splitlines()]


def speakers_of(row):
    return {event["source"]["recording"]["meta"]["speaker"] for event in row["spec"]["events"]}


def fresh(root, folder, data):
    """Build what stands in a set's folder anew, elsewhere."""
    folder.mkdir()
    for name in ("recipe.yaml", "withdrawn.json"):
        shutil.copy(root / name, folder / name)
    recipe = load_recipe(folder / "recipe.yaml", data=data)
    return tree_of(build(recipe, folder / "out").root)


def test_a_speaker_is_withdrawn_and_nothing_else_changes(made, tmp_path):
    """Only clips that used the speaker differ, in the recording alone; labels, assets, card, later exports follow."""
    folder, root = made
    before = {row["clip_id"]: row for row in rows_of(root)}
    files = tree_of(root / "audio")
    export_labels(root, ["jams"])
    found = withdrawal(root, speakers=["bob"], data=roots(folder))
    mine = {name for name, row in before.items() if "bob" in speakers_of(row)}
    assert (set(found.refilled), found.removed) == (mine, ())
    assert 0 < len(mine) < 70
    assert tree_of(root / "audio") == files  # a dry run
    (root / "report_files").mkdir()
    for name in ("report.html", "report_files/clips.js"):
        (root / name).write_text("bob")
    withdraw(found)
    after = {row["clip_id"]: row for row in rows_of(root)}
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == mine
    assert {name for name, row in after.items() if row.get("refilled")} == mine
    assert not any("bob" in speakers_of(row) for row in after.values())
    for name in sorted(mine):  # every other die fell as before
        old, new = before[name]["spec"], after[name]["spec"]
        assert (new["noise"], new["events"][0]["label"]) == (old["noise"], old["events"][0]["label"])
    assert verify(root).ok
    assert stats(root)["all"]["clips"] == 73
    told = "".join(
        (root / name).read_text("utf-8") for name in ("assets.jsonl", "ATTRIBUTION.md", "README.md", "manifest.jsonl")
    )
    assert "bob" not in told
    assert not (root / "report.html").exists()
    assert not (root / "report_files").exists()
    assert f"**Withdrawn**: {len(mine)} clips" in told
    assert len(list((root / "labels" / "jams").rglob("*.jams"))) == 73
    made_again = reproduce(root, clips=[min(mine)], data=roots(folder))
    assert [clip.same for clip in made_again] == [True]


def test_a_new_build_with_the_list_gives_the_same_tree(made, tmp_path):
    """Whether the files are still there or gone, in one go or in two; the list goes along by itself."""
    folder, root = made
    first = rows_of(root)[0]["spec"]["events"][0]["source"]["recording"]["sha256"]
    (root / "manifest.jsonl").write_bytes(b"\n" + (root / "manifest.jsonl").read_bytes())  # a blank line is no row
    other = tmp_path / "other"
    shutil.copytree(root, other)
    withdraw(withdrawal(root, speakers=["bob"], assets=[first[:12]], data=roots(folder)))
    tree = tree_of(root)
    assert fresh(root, tmp_path / "fresh", roots(folder)) == tree
    withdraw(withdrawal(other, assets=[first], data=roots(folder)))
    for path in sorted((folder / "words").glob("*_bob_*")):
        held = path.read_bytes()
        path.unlink()
        (tmp_path / path.name).write_bytes(held)
    with pytest.raises(BuildError, match=r"changed since it was built: catalogue words"):
        withdrawal(other, speakers=["ann"], data=roots(folder))  # the files of others must still be what they were
    for path in sorted(tmp_path.glob("*_bob_*")):
        shutil.copy(path, folder / "words" / path.name)
    withdraw(withdrawal(other, speakers=["bob"], data=roots(folder)))
    assert tree_of(other) == tree
    for path in sorted((folder / "words").glob("*_bob_*")):
        path.unlink()
    assert fresh(root, tmp_path / "without", roots(folder)) == tree
    more = withdrawal(
        root, speakers=["cleo"], data=roots(folder)
    )  # and the next withdrawal works without the files too
    assert (more.refilled, len(more.removed)) == ((), 3)  # nobody else is in the split
    withdraw(more)
    assert {row["split"] for row in rows_of(root)} == {"train"}
    assert verify(root).ok
    assert fresh(root, tmp_path / "without_both", roots(folder)) == tree_of(root)
    for path in sorted(tmp_path.glob("*_bob_*")):
        shutil.copy(path, folder / "words" / path.name)
    with pytest.raises(BuildError, match=r"holds another build.*withdrawn"):
        build(load_recipe(folder / "full.yaml", data=roots(folder)), root)


@pytest.mark.parametrize("where", ["staging", "rendering", "exporting"])
def test_an_interrupted_withdrawal_loses_nothing(made, tmp_path, monkeypatch, where):
    """Before anything changed the set is whole; after that the rest is done by the same command, to the same tree."""
    folder, root = made
    other = tmp_path / "other"
    shutil.copytree(root, other)
    for place in (root, other):
        export_labels(place, ["csv"])
    withdraw(withdrawal(other, speakers=["bob"], data=roots(folder)))
    found = withdrawal(root, speakers=["bob"], data=roots(folder))
    before = tree_of(root)

    def stop(*args, **rest):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if where != "rendering":
            patched.setattr(*((module, "put") if where == "staging" else (again, "export_labels")), stop)
        with pytest.raises(KeyboardInterrupt):
            withdraw(found, progress=_stop_after(1) if where == "rendering" else None)
    assert begun(root) == (where != "staging")
    if where == "staging":
        assert {k: v for k, v in tree_of(root).items() if not k.startswith(".build/")} == before
        assert verify(root).ok
        withdraw(withdrawal(root, speakers=["bob"], data=roots(folder)))
    elif where == "rendering":
        there = {path.stem for path in (root / "audio").rglob("*.wav")}
        assert open_source(root).n_rows == len(there) > 64, "a report counts the clips that stay too"
        shutil.rmtree(root / ".build" / "tmp")  # as after a kill while a build that goes on clears it
        assert "what was interrupted is finished" in run("withdraw", root, *options(folder), "--yes").output
    else:
        assert "what was interrupted is finished" in run("withdraw", root, *options(folder), "--yes").output
        assert not begun(root)
    assert tree_of(root) == tree_of(other)
    assert verify(root).ok


def test_an_edited_list_of_exports_is_told_of_before_anything_changes(made):
    """A set whose list of later exports cannot be read stays whole."""
    folder, root = made
    export_labels(root, ["csv"])
    (root / "labels" / "export.json").write_text("{}")
    before = tree_of(root)
    with pytest.raises(ManifestError, match="is not what `export` writes"):
        withdrawal(root, speakers=["bob"], data=roots(folder))
    assert tree_of(root) == before


def test_two_at_once_do_not_sweep_each_other_away(made):
    """While one process goes on with a withdrawal, another that is told to is refused, and the clips of the first stay."""
    folder, root = made
    with pytest.raises(KeyboardInterrupt):
        withdraw(withdrawal(root, speakers=["bob"], data=roots(folder)), progress=_stop_after(1))
    (root / "audio/train/000000/train-000000069.wav").write_bytes(b"of a unit that has no rows yet")
    before = tree_of(root)
    with locked(root), pytest.raises(BuildError, match="another build is running in this folder"):
        go_on(root, data=roots(folder))
    assert tree_of(root) == before
    go_on(root, data=roots(folder))
    assert verify(root).ok


def _stop_after(n):
    def progress(done, total):
        if done >= 64 * n:
            raise KeyboardInterrupt

    return progress


def options(folder):
    return ["--workers", 1, *(word for name in DATA for word in ("--data", f"{name}={folder / name}"))]


def run(*words, code=0) -> Result:
    result = CliRunner().invoke(cli, [str(word) for word in words], prog_name="audiosynth")
    assert result.exit_code == code, result.output
    return result


def test_rows_that_stay_are_read_line_by_line(tmp_path):
    """A row ends with its line feed, and not with what ends a line inside a text (U+2028, U+0085)."""
    lines = [dumps({"spec": {"ordinal": n}, "label": "a\u2028b\u0085c"}) for n in (3, 5)]
    (tmp_path / "unit").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert kept_rows(tmp_path / "unit") == {3: lines[0], 5: lines[1]}
    assert kept_rows(tmp_path / "none") == {}


def test_rows_that_stay_open_a_file_a_unit(made, monkeypatch):
    """Seventy-three clips are three units: as many files are opened, not one a row; each row that stays is there once."""
    folder, root = made
    found = withdrawal(root, speakers=["bob"], data=roots(folder))
    opened, ways = [], Path.open

    def watched(self, mode="r", *args, **more):
        opened.append(self.name) if "a" in mode else None
        return ways(self, mode, *args, **more)

    (root / module.WORK).mkdir()
    lines = (root / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    monkeypatch.setattr(Path, "open", watched)
    module._stage(found)
    monkeypatch.undo()
    assert len(opened) == len({*opened}) == 3
    files = sorted((root / module.WORK / module.KEPT).iterdir())
    kept = [line for file in files for line in file.read_bytes().splitlines(keepends=True)]
    assert sorted(kept) == sorted(line for line in lines if json.loads(line)["clip_id"] not in found.refilled)


def test_the_command_shows_first_and_does_then(made):
    """Without --yes nothing changes; what is unknown is said, with what comes near."""
    folder, root = made
    before = tree_of(root)
    shown = run("withdraw", root, "--speaker", "bob", *options(folder)).output
    assert "would be withdrawn: 4 recordings" in shown
    assert "add --yes" in shown
    assert tree_of(root) == before
    assert "did you mean 'bob'" in run("withdraw", root, "--speaker", "bop", *options(folder), code=2).output
    assert "first 8 digits" in run("withdraw", root, "--asset", "abc", *options(folder), code=2).output
    assert "have no such recording" in run("withdraw", root, "--asset", "0" * 64, *options(folder), code=2).output
    assert "Give --asset" in run("withdraw", root, *options(folder), code=2).output
    sha256 = rows_of(root)[0]["spec"]["noise"]["layers"][0]["source"]["recordings"][0]["sha256"]
    done = json.loads(run("withdraw", root, "--asset", sha256, *options(folder), "--yes", "--json").output)
    assert done["done"]
    assert len(done["recordings"]) == 1
    assert sha256 not in (root / "manifest.jsonl").read_text()
    assert "withdrawn before" in run("withdraw", root, "--asset", sha256, *options(folder), "--yes").output


def test_a_recording_is_meant_by_its_path_too(made):
    """As rows and `assets` have it, with its data root or without; of several and of none it is said which and how to find it."""
    folder, root = made
    recording = rows_of(root)[0]["spec"]["events"][0]["source"]["recording"]
    place, sha256 = f"words:{recording['path']}", recording["sha256"]
    listed = json.loads(run("assets", root, "--json").output)["assets"]
    assert place in [f"{row['data']}:{row['path']}" for row in listed]
    meant = withdrawal(root, assets=[sha256], data=roots(folder))
    assert meant.paths == (place,)
    for text in (place, recording["path"]):
        assert replace(withdrawal(root, assets=[text], data=roots(folder)), recipe=meant.recipe) == meant
    with pytest.raises(
        UsageError,
        match=rf"no such recording; did you mean {place}\?; expected a path .*SHA-256.*`audiosynth assets DIR`",
    ):
        withdrawal(root, assets=[f"elsewhere/{recording['path']}"], data=roots(folder))
    with pytest.raises(UsageError, match=r"no such recording; expected a path as rows have it \(DATA:PATH"):
        withdrawal(root, assets=["?"], data=roots(folder))
    withdraw(meant)
    assert sha256 not in (root / "manifest.jsonl").read_text()
    with pytest.raises(UsageError, match="withdrawn before is known by its SHA-256 alone"):
        withdrawal(root, assets=[place], data=roots(folder))


def test_a_path_or_a_hash_of_several_recordings_lists_them(tmp_path):
    """Two data roots have a file of that name; two files' hashes begin alike."""
    folder = tmp_path / "m"
    path = full_recipe(folder, clips=1, events=[_event()], duration=0.6, splits={"train": 1})
    shutil.copy(folder / "words" / "yes_ann_0.wav", folder / "beds" / "bed7.wav")
    shutil.copy(folder / "words" / "yes_ann_0.wav", folder / "words" / "yes_ann_9.wav")
    shutil.copy(folder / "words" / "no_bob_0.wav", folder / "rooms" / "room7.wav")
    shutil.copy(folder / "rooms" / "room0.wav", folder / "beds" / "room7.wav")
    recipe = load_recipe(path)
    with pytest.raises(
        UsageError,
        match=r"--asset room7.wav: means 2 recordings: beds:room7.wav \(\w{16}\), rooms:room7.wav.*DATA:PATH",
    ):
        chosen(recipe, ["room7.wav"], [])
    _, paths = chosen(recipe, ["yes_ann_9.wav"], [])
    assert {*paths} == {"words:yes_ann_0.wav", "words:yes_ann_9.wav", "beds:bed7.wav"}, "copies go together"
    words = recipe.catalogues["words"]
    alike = [r.model_copy(update={"sha256": "abcdef01" + r.sha256[8:]}) for r in words.recordings]
    several = replace(recipe, catalogues={"words": replace(words, recordings=(*alike,))})
    with pytest.raises(
        UsageError, match=r"means 12 recordings: words:no_ann_0.wav \(abcdef01.* and 7 more; give more digits"
    ):
        chosen(several, ["abcdef01"], [])


def test_what_cannot_be_replaced_is_left_out(tmp_path):
    """Clips of a corpus gone through, clips of a deck, and clips of a class nobody else has."""
    sounds(tmp_path / "words")
    source = {"type": "file", "recording": "$utt"}
    tree = {
        "sr": 8000, "duration": {"of": "utt"}, "clips": {"each": {"from": "words", "as": "utt"}, "replicas": 2}, "data": {"words": "words"},
        "catalogues": {"words": {"data": "words", "pattern": "{label}_{speaker}_{take}.wav", "group": None}},
        "events": [{"label": "$utt.label", "source": {**source, "trim": False}, "onset": 0.0}],
    }  # fmt: skip
    root = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out").root
    data = {"words": str(tmp_path / "words")}
    found = withdrawal(root, speakers=["ann"], data=data)
    assert (found.refilled, len(found.removed)) == ((), 8)
    withdraw(found)
    left = [row["augmented_from"] for row in rows_of(root)]
    assert len(left) == 16
    assert not any("ann" in name for name in left)
    assert json.loads((root / "dataset.json").read_text())["clips"] == {"train": 16}
    recipe = load_recipe(root / "recipe.yaml", data=data)
    with pytest.raises(WithdrawnError, match="its utterance was withdrawn"):
        plan_clip(recipe, "train", int(found.removed[0][-9:]))
    assert fresh(root, tmp_path / "fresh", data) == tree_of(root)
    with pytest.raises(BuildError, match="nothing would be left"):
        withdrawal(root, speakers=["bob", "cleo"], data=data)
    event = {**_event(), "let": {"take": {"pick": {"from": "words", "how": "deck", "where": {"label": "yes"}}}}}
    deck = {**tree, "clips": 6, "duration": 0.6, "events": [event]}
    decked = build(load_recipe(write_recipe(tmp_path / "d.yaml", deck)), tmp_path / "decked").root
    used = {row["clip_id"] for row in rows_of(decked) if "ann" in speakers_of(row)}
    assert used
    assert set(withdrawal(decked, speakers=["ann"], data=data).removed) == used


def test_conversations_go_on_without_what_was_withdrawn(tmp_path):
    """An utterance gives way to another of the same speaker; without the speaker the clip is left out. No other clip changes."""
    sounds(tmp_path / "words")
    talk = {"from": "words", "speakers": 2, "n": 3, "pause": 0.1, "where": {"label": ["yes", "no"]}}
    event = {"label": "$speaker", "source": {"type": "file", "recording": "$said"}, "level_dbfs": -20}
    tree = {
        "sr": 8000, "duration": 6.0, "clips": 16, "data": {"words": "words"}, "events": [{"repeat": {"turns": talk, "of": event}}],
        "catalogues": {"words": {"data": "words", "pattern": "{label}_{speaker}_{take}.wav", "group": None}},
    }  # fmt: skip
    root = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out").root
    data = {"words": str(tmp_path / "words")}
    before = {row["clip_id"]: row for row in rows_of(root)}
    gone = before["train-000000000"]["spec"]["events"][1]["source"]["recording"]
    mine = {name for name, row in before.items() if gone["sha256"] in json.dumps(row["spec"]["events"])}
    found = withdrawal(root, assets=[gone["sha256"]], data=data)
    assert (set(found.refilled), found.removed) == (mine, ())
    assert len(mine) < 16
    withdraw(found)
    after = {row["clip_id"]: row for row in rows_of(root)}
    assert {name for name in after if after[name] != before[name]} == mine
    for name in mine:
        old, new = before[name]["spec"], after[name]["spec"]
        assert [event["label"] for event in new["events"]] == [event["label"] for event in old["events"]]
        assert gone["sha256"] not in json.dumps(new["events"])
        assert all(e["label"] == e["source"]["recording"]["meta"]["speaker"] for e in new["events"])
    theirs = {name for name, row in after.items() if gone["meta"]["speaker"] in speakers_of(row)}
    found = withdrawal(root, speakers=[gone["meta"]["speaker"]], data=data)
    assert (found.refilled, set(found.removed)) == ((), theirs)
    withdraw(found)
    assert {row["clip_id"]: row for row in rows_of(root)} == {k: v for k, v in after.items() if k not in theirs}
    assert fresh(root, tmp_path / "fresh", data) == tree_of(root)


def test_sets_that_cannot_be_filled_up_say_why(made, tmp_path):
    """Sets made from a manifest, folders that are no sets, a damaged list, other data."""
    folder, root = made
    varied = vary(root, tmp_path / "varied", set_values=["events[*].level_dbfs=+1"], data=roots(folder)).root
    with pytest.raises(BuildError, match="withdraw from the set it was made from"):
        withdrawal(varied, speakers=["bob"], data=roots(folder))
    with pytest.raises(UsageError, match="no recording of the recipe's catalogues is of a speaker 'nobody'"):
        withdrawal(root, speakers=["nobody"], data=roots(folder))
    part = build(load_recipe(folder / "full.yaml", data=roots(folder)), tmp_path / "part", shard="1/2").root
    with pytest.raises(BuildError, match=r"is part 1/2 of a build; put all parts together with `audiosynth merge`"):
        withdrawal(part, speakers=["bob"], data=roots(folder))
    with pytest.raises(BuildError, match="nothing was interrupted"):
        go_on(root, data=roots(folder))
    (root / "withdrawn.json").write_text('{"format": 2}')
    with pytest.raises(AssetError, match=r"withdrawn\.json: is not what `audiosynth withdraw` writes"):
        withdrawal(root, speakers=["bob"], data=roots(folder))


def test_a_list_without_recordings_changes_nothing(made, tmp_path):
    """An empty list is no list: states and trees stay those of sets from which nothing was withdrawn."""
    folder, root = made
    (folder / "withdrawn.json").write_text(Withdrawn().text)
    assert tree_of(build(load_recipe(folder / "full.yaml"), tmp_path / "again").root) == tree_of(root)
