"""Audits: each fault that is put into a set is found, and a sound set has none."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
from click.testing import CliRunner, Result
from material import full_recipe, noise, read_wav, tone, write_recipe, write_wav

from audiosynth import build, load_recipe
from audiosynth.audit import audit
from audiosynth.cli import cli
from audiosynth.errors import ManifestError, UsageError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a set of recordings, speakers apart, rooms and beds shared on purpose."""
    folder = tmp_path_factory.mktemp("material")
    recipe = load_recipe(
        full_recipe(folder, export=[{"type": "desed", "merge": True}]), cache_dir=folder / "cache", clips=12
    )
    return build(recipe, folder / "out").root


@pytest.fixture
def made(whole, tmp_path):
    """Return a copy of it to be damaged."""
    shutil.copytree(whole, tmp_path / "set")
    return tmp_path / "set"


def faults(found):
    return [(finding.check, finding.clips) for finding in found if finding.state == "fault"]


def edit(root, change):
    """Change the rows of a manifest."""
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text().splitlines()]
    change(rows)
    (root / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows


def test_a_sound_set_has_no_faults(whole):
    """What the recipe shares on purpose is a note, and so are overlaps that the label files merge."""
    found = audit(whole)
    assert faults(found) == []
    shared = [finding.message for finding in found if finding.check == "leakage"]
    assert [message.split(":")[0] for message in shared] == [
        "4 recordings in more than one split, as the recipe says", "2 rooms in more than one split, as the recipe says",
    ]  # fmt: skip


@pytest.mark.heavy
def test_any_number_of_workers_finds_the_same(whole):
    """Processes take longer to start than this set to be read."""
    assert audit(whole, workers=2) == audit(whole)


def test_leakage_is_found(made):
    """A speaker, and a recording, in two splits; without the recipe nothing is shared on purpose."""
    text = (made / "manifest.jsonl").read_text()
    (made / "manifest.jsonl").write_text(text.replace('"speaker":"cleo"', '"speaker":"ann"'))
    found = [f for f in audit(made, listen=False) if f.state == "fault"]
    assert [f.message.split(";")[0] for f in found] == ["1 speakers in more than one split: ann"]
    (made / "recipe.yaml").unlink()
    found = [f.message.split(":")[0] for f in audit(made, listen=False) if f.state == "fault"]
    assert found == [f"{what} in more than one split" for what in ("1 speakers", "4 recordings", "2 rooms")]


def test_label_and_level_faults_are_found(made):
    """Past the end, empty, of one class at once without merging, an SNR that was missed, a class that a split lacks."""

    def change(rows):
        label = dict(rows[0]["labels"][0])
        rows[0]["labels"][0]["offset_sample"] = rows[0]["n_samples"] + 1
        rows[1]["labels"][0].update(offset_sample=rows[1]["labels"][0]["onset_sample"])
        label.update(onset_sample=0, offset_sample=100, label="again")
        rows[2]["labels"] += [label, {**label, "onset_sample": 50}]
        rows[3]["outcomes"]["events"][0]["realised_snr_db"] += 0.1
        rows[4]["outcomes"]["level_dbfs"] += 1

    rows = edit(made, change)
    ids = [row["clip_id"] for row in rows]
    found = audit(made)
    assert ("labels", (ids[0],)) in faults(found)
    assert ("labels", (ids[1],)) in faults(found)
    assert faults(found).count(("levels", (ids[3],))) == 1
    assert ("levels", (ids[4],)) in faults(found)
    assert any("'test' has no event of again" in f.message for f in found if f.state == "fault")
    merged = next(f for f in found if "one class at once" in f.message)
    assert (merged.state, ids[2] in merged.clips) == ("note", True)
    head = json.loads((made / "dataset.json").read_text())
    head["export"][0]["merge"] = False
    (made / "dataset.json").write_text(json.dumps(head))
    assert any(f.state == "fault" and ids[2] in f.clips and "psds_eval" in f.message for f in audit(made, listen=False))


def test_copies_are_found(made):
    """The same samples in two splits, a clip that stands twice, and one that only sounds the same."""
    rows = edit(made, lambda rows: rows[-1].update(pcm_sha256=rows[0]["pcm_sha256"]))
    pair = (rows[0]["clip_id"], rows[-1]["clip_id"])
    assert ("duplicates", pair) in faults(audit(made, listen=False))
    edit(made, lambda rows: rows.append(rows[1]))
    assert ("duplicates", (rows[1]["clip_id"],)) in faults(audit(made, listen=False))
    edit(made, lambda rows: rows.pop())
    y, sr = read_wav(made / rows[2]["path"])
    level = rows[2]["outcomes"]["level_dbfs"]

    def quieter(rows):
        rows[-1].update(pcm_sha256="0" * 64)
        rows[-1]["outcomes"]["level_dbfs"] = level - 6.02
        for kind in ("events", "noise"):
            rows[-1]["spec"].pop(kind)
        rows[-1]["spec"]["events"] = []

    edit(made, quieter)
    write_wav(made / rows[-1]["path"], np.roll(0.5 * y / 32768, 300, axis=1), sr)
    ((check, clips),) = faults(audit(made))
    assert check == "duplicates"
    assert {rows[2]["clip_id"], rows[-1]["clip_id"]} <= {*clips}


def test_a_copy_whose_channels_cancel_is_found(made):
    """A stereo clip with opposite phases is no silence: it sounds like the clip of another split that it was made of."""
    rows = edit(made, lambda rows: None)
    y, sr = read_wav(made / rows[2]["path"])

    def turned(rows):
        rows[-1].update(pcm_sha256="0" * 64)
        rows[-1]["outcomes"]["level_dbfs"] = rows[2]["outcomes"]["level_dbfs"]
        rows[-1]["spec"].pop("noise")
        rows[-1]["spec"]["events"] = []

    edit(made, turned)
    write_wav(made / rows[-1]["path"], np.concatenate([y, -y]) / 32768, sr)
    ((check, clips),) = faults(audit(made))
    assert check == "duplicates"
    assert {rows[2]["clip_id"], rows[-1]["clip_id"]} <= {*clips}


def test_files_that_are_silent_broken_or_gone_are_found(made):
    """Each with its clip."""
    rows = edit(made, lambda rows: None)
    y, sr = read_wav(made / rows[0]["path"])
    write_wav(made / rows[0]["path"], 0.0 * y, sr)
    write_wav(made / rows[1]["path"], np.clip(50.0 * y / 32768, -1, 1), sr)
    (made / rows[2]["path"]).write_bytes(b"RIFF")
    (made / rows[3]["path"]).unlink()
    found = faults(audit(made))
    broken, silent, clipping, levels = (found[i][1] for i in range(4))
    assert [check for check, _ in found] == ["audio", "audio", "audio", "levels"]
    assert (set(broken), silent, clipping) == (
        {rows[2]["clip_id"], rows[3]["clip_id"]},
        (rows[0]["clip_id"],),
        (rows[1]["clip_id"],),
    )
    assert levels == (rows[1]["clip_id"],)


def run(*words, code=0) -> Result:
    result = CliRunner().invoke(cli, [str(word) for word in words], prog_name="audiosynth")
    assert result.exit_code == code, result.output
    return result


def _noise_set(folder, noise_tree):
    tree = {"sr": 8000, "duration": 2.0, "clips": 6, "noise": noise_tree}
    return load_recipe(write_recipe(folder / "r.yaml", tree))


def test_a_recording_that_is_heard_is_found_and_a_learned_noise_is_not(tmp_path):
    """A set of a recording's copy holds stretches of it; noise with the statistics of the recording does not."""
    y = noise(5.0, 8000, seed=3) * (1.2 + np.sin(np.arange(40_000) / 700.0))
    original = write_wav(tmp_path / "original" / "cafe.wav", y, 8000)
    write_wav(tmp_path / "copy" / "moved.wav", 0.4 * y[:, 1234:], 8000)
    run("learn", original, "-o", tmp_path / "cafe.yaml", "-q")
    learned = build(
        _noise_set(tmp_path, {"type": "profile", "profile": "cafe.yaml", "level_dbfs": -30}), tmp_path / "a"
    ).root
    assert faults(audit(learned, against=[original])) == []
    assert json.loads((learned / "dataset.json").read_text())["made_of"].keys() == {"learned"}
    tree = {"type": "file", "recordings": [{"pick": {"from": "beds"}}], "level_dbfs": -30}
    recipe = write_recipe(
        tmp_path / "r.yaml",
        {"sr": 8000, "duration": 2.0, "clips": 6, "data": {"beds": "copy"}, "noise": tree,
         "catalogues": {"beds": {"data": "beds", "layout": "flat"}}},
    )  # fmt: skip
    copied = build(load_recipe(recipe), tmp_path / "b").root
    found = audit(copied, against=[tmp_path / "original"])
    assert [f.check for f in found if f.state == "fault"] == ["memorised"]
    assert len(next(f for f in found if f.check == "memorised").clips) == 6
    assert faults(audit(copied, against=[tmp_path / "copy"])) == []  # their rows name it
    told = run("audit", copied, "--against", original, "--workers", 1, code=1).output
    assert re.search(r"memorised +fault +.*cafe\.wav", told)


def test_the_command_says_what_it_cannot_do(made, tmp_path):
    """No set, no recordings to hold it against, a recording that cannot be read; a table, JSON, an exit code."""
    with pytest.raises(ManifestError, match="no finished build"):
        audit(tmp_path)
    with pytest.raises(UsageError, match="there is no such file"):
        audit(made, against=[tmp_path / "nothing.wav"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="has no audio"):
        audit(made, against=[tmp_path / "empty"])
    (tmp_path / "empty" / "bad.wav").write_bytes(b"RIFF")
    with pytest.raises(UsageError, match=r"--against .*bad\.wav"):
        audit(made, against=[tmp_path / "empty"])
    tree = json.loads(run("audit", made, "--no-listen", "--json").output)
    assert tree["ok"]
    assert {finding["state"] for finding in tree["findings"]} == {"note"}
    edit(made, lambda rows: rows[0]["labels"][0].pop("onset_sample"))
    assert "manifest.jsonl:1: not a row" in run("audit", made, code=1).output


def test_clips_too_short_to_be_compared_are_counted(tmp_path):
    """What was not looked at is said."""
    tree = {
        "sr": 8000,
        "duration": 0.5,
        "clips": 2,
        "noise": {"type": "coloured", "colour": "white", "level_dbfs": -30},
    }
    root = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out").root
    recording = write_wav(tmp_path / "r.wav", tone(440, 2.0, 8000), 8000)
    found = audit(root, against=[recording])
    assert [(f.state, f.message[:7]) for f in found if f.check == "memorised"] == [("note", "2 clips")]
