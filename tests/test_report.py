"""The report's figures, files and checks, and what it does with sets that are cut, edited, huge or hostile."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from material import tree_of, write_recipe
from report_sets import HOSTILE, QUOTED, TREE, enlarge

from audiosynth import build, load_recipe
from audiosynth.cli import cli
from audiosynth.errors import ManifestError, UsageError
from audiosynth.leakage import Leakage
from audiosynth.report import charts, source
from audiosynth.report.embed import script_json
from audiosynth.report.reading import COLUMNS, look, outline
from audiosynth.report.report import report
from audiosynth.report.source import open_source, taken


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Return a small set with stems, labels that would break a careless page, and two splits."""
    folder = tmp_path_factory.mktemp("set")
    return build(load_recipe(write_recipe(folder / "r.yaml", TREE)), folder / "out").root


@pytest.fixture
def root(built, tmp_path) -> Path:
    """Return a copy to spoil."""
    return Path(shutil.copytree(built, tmp_path / "set"))


def page_of(root: Path) -> str:
    """Return the page as written."""
    return (root / "report.html").read_text(encoding="utf-8")


def data_of(root: Path) -> dict:
    """Return the table inside the page."""
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page_of(root), re.DOTALL)[1]
    )


def details_of(root: Path) -> list[dict]:
    """Return what the sidecars say of every clip, in order."""
    found = []
    for path in sorted((root / "report_files" / "clips").iterdir()):
        text = re.fullmatch(r"audiosynthClips\(\d+,(.*)\);\n", path.read_text(encoding="utf-8"), re.DOTALL)[1]
        found += json.loads(text)
    return found


def rows_of(root: Path) -> list[dict]:
    """Return the manifest."""
    return [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def write_rows(root: Path, rows: list[dict]) -> None:
    """Write a manifest."""
    (root / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_the_page_says_what_the_rows_say(root):
    """Table, sidecars and pictures are those of the manifest; the page needs nothing from outside its folder."""
    made = report(root)
    rows, data, details = rows_of(root), data_of(root), details_of(root)
    assert (made.clips, made.listed, made.read, made.planned) == (6, 6, 6, None)
    assert data["ids"] == [row["clip_id"] for row in rows] == [clip["row"]["clip_id"] for clip in details]
    for i, (row, clip) in enumerate(zip(rows, details, strict=True)):
        assert [data["classes"][k] for k in data["labels"][i]] == [label["label"] for label in row["labels"]]
        snrs = [label["snr_db"] for label in row["labels"]]
        assert data["snr"][i] == [round(min(snrs), 1), round(max(snrs), 1)]
        assert clip["row"]["spec"] == row["spec"]
        assert all((root / stem["path"]).is_file() for stem in clip["stems"])
        assert len(clip["stems"]) == 3
        assert (root / "report_files" / "pictures" / clip["picture"]).is_file()
    assert "http" not in page_of(root).replace("http://www.w3.org/2000/svg", "")
    assert str(root) not in page_of(root)


def test_labels_never_become_markup(root):
    """Script and quotes of a label stand in page and sidecars as text."""
    report(root)
    text = page_of(root)
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    assert {HOSTILE, QUOTED} <= set(data_of(root)["classes"])
    for path in (root / "report_files" / "clips").iterdir():
        assert "<" not in path.read_text(encoding="utf-8")


def test_the_report_is_the_same_for_any_number_of_workers(built, tmp_path):
    """Every byte of it, made again and by two processes; an earlier one is replaced, and nothing else touched."""
    root = enlarge(built, tmp_path / "set", 30)
    before = tree_of(root)
    report(root, clips=20)
    one = tree_of(root)
    (root / "report_files" / "left.txt").write_text("x")
    report(root, clips=20, workers=2)
    assert tree_of(root) == one
    assert {name: data for name, data in one.items() if not name.startswith("report")} == before


def test_a_build_from_scratch_takes_its_report_away(tmp_path):
    """`--fresh` leaves no page of the set that was."""
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", {**TREE, "clips": 1}))
    root = build(recipe, tmp_path / "out").root
    clean = tree_of(root)
    report(root)
    build(recipe, root, fresh=True)
    assert tree_of(root) == clean


def test_what_is_wrong_is_found(root):
    """Missing, unreadable, short, silent, clipped, offset, cut and copied audio: each clip is named under its fault."""
    rows = rows_of(root)
    paths = [root / row["path"] for row in rows]
    sr, n = rows[0]["sr"], rows[0]["n_samples"]
    t = np.arange(n) / sr
    tone = np.sin(2 * np.pi * 440 * t)
    paths[0].unlink()
    paths[1].write_bytes(b"RIFF")
    soundfile.write(paths[2], np.zeros(n), sr)
    soundfile.write(paths[3], np.clip(3 * tone, -1, 1), sr)
    soundfile.write(paths[4], 0.05 * tone[: n // 2] + 0.2, sr)
    soundfile.write(paths[5], 0.5 * tone * (t > 0.7), sr)
    found = report(root).found
    ids = [row["clip_id"] for row in rows]
    named = {name: found.get(name) for name in ("missing", "unreadable", "silent", "clipping", "dc", "wrong_length")}
    expected = {
        "missing": ids[0],
        "unreadable": ids[1],
        "silent": ids[2],
        "clipping": ids[3],
        "dc": ids[4],
        "wrong_length": ids[4],
    }
    assert named == {name: (clip_id,) for name, clip_id in expected.items()}
    assert ids[5] in found["cut_tail"]
    data = data_of(root)
    assert [data["checks"][k] for k in data["faults"]["0"]] == ["missing"]
    assert details_of(root)[0].get("picture") is None
    assert f'<a href="#clip={ids[0]}">' in page_of(root)


def test_clips_that_sound_the_same_are_paired(root):
    """A copy at another level is found; replicas of one utterance are meant to be alike."""
    rows = rows_of(root)
    y, sr = soundfile.read(root / rows[1]["path"])
    soundfile.write(root / rows[4]["path"], 0.5 * y, sr)
    assert report(root).duplicates == ((rows[1]["clip_id"], rows[4]["clip_id"]),)
    write_rows(root, [{**row, "augmented_from": "one"} for row in rows])
    assert report(root).duplicates == ()


def test_an_unfinished_build_is_shown_as_far_as_it_came(root):
    """The page says so and has the clips of whole units."""
    rows = rows_of(root)
    units = root / ".build" / "units"
    units.mkdir(parents=True)
    write_rows(root, rows[:4])
    (root / "manifest.jsonl").rename(units / "train-000000000.jsonl")
    (root / ".build" / "state.json").write_text(json.dumps({"clips": {"train": 4, "test": 2}}))
    (root / "dataset.json").unlink()
    made = report(root)
    assert (made.clips, made.planned, made.read) == (4, 6, 4)
    assert "This build is not finished:</b> 4 of 6 clips" in page_of(root)
    assert data_of(root)["unfinished"] is True
    shown = CliRunner().invoke(cli, ["report", str(root), "--workers", "1"])
    assert "the build is not finished: 4 of 6 clips" in shown.stderr


def test_a_build_that_has_just_begun(tmp_path):
    """No clip yet: still a page."""
    (tmp_path / ".build" / "units").mkdir(parents=True)
    (tmp_path / ".build" / "state.json").write_text(json.dumps({"clips": {"train": 4}}))
    made = report(tmp_path)
    assert (made.clips, made.planned) == (0, 4)
    assert "0 of 4 clips" in page_of(tmp_path)


def test_no_dataset(tmp_path):
    """Each message says what is expected."""
    with pytest.raises(ManifestError, match=r"no dataset here: .*give a folder that `audiosynth build` wrote"):
        report(tmp_path)
    with pytest.raises(UsageError, match="there is no such folder"):
        report(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file; give the folder of the dataset"):
        report(tmp_path / "file")
    (tmp_path / ".build").mkdir()
    (tmp_path / ".build" / "state.json").write_text("[]")
    with pytest.raises(ManifestError, match="is not what a build writes"):
        report(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, r"manifest\.jsonl:2: format 99 is of a later audiosynth .*install a newer version"),
        ({"path": "../../etc/passwd"}, r":2: path should be relative and stay inside the dataset"),
        ({"clip_id": "<b>"}, r":2: clip_id should be made of"),
        ({"outcomes": {}}, r"row 2 \(train-000000001\) is not one that a build writes \(KeyError"),
        ({"labels": [3]}, r"row 2 .*was the manifest edited or cut"),
    ],
)
def test_rows_that_cannot_be_shown(root, change, message):
    """A row of a later version or edited by hand is named, and no half-made page is left."""
    rows = rows_of(root)
    rows[1].update(change)
    write_rows(root, rows)
    with pytest.raises(ManifestError, match=message):
        report(root)
    assert not [path.name for path in root.iterdir() if "report" in path.name]


def test_huge_sets_are_sampled_and_say_so(root, monkeypatch):
    """Of more rows than are read, evenly spread ones count; of more than are listed, so many are in the table."""
    row = rows_of(root)[0]
    write_rows(root, [{**row, "clip_id": f"train-{i:09d}"} for i in range(1000)])
    monkeypatch.setattr(source, "MAX_ROWS", 100)
    monkeypatch.setattr("audiosynth.report.report.MAX_ROWS", 100)
    monkeypatch.setattr("audiosynth.report.page.MAX_ROWS", 100)
    monkeypatch.setattr("audiosynth.report.report.LISTED", 40)
    made = report(root, clips=3)
    assert (made.clips, made.listed, made.read) == (1000, 40, 3)
    text = page_of(root)
    assert "the manifest has 1,000 rows; 100 of them, evenly spread, were read" in text
    assert "40 of 1,000 clips are listed" in text
    assert "The audio of 3 of 40 listed clips was read" in text
    numbers = [int(name[-9:]) for name in data_of(root)["ids"]]
    assert set(np.diff(numbers)) <= {20, 30}


@pytest.mark.parametrize(("n", "most"), [(10, 3), (7, 7), (5, 9), (1000, 1), (100_001, 1000), (5, 0)])
def test_a_sample_has_as_many_as_it_may(n, most):
    """Evenly spread, the first of them at the start."""
    chosen = [i for i in range(n) if taken(i, n, most)]
    assert len(chosen) == min(n, most)
    gaps = np.diff(chosen)
    assert gaps.size == 0 or gaps.max() - gaps.min() <= 1


def test_rows_are_counted_as_they_are_read(root):
    """Empty lines and a missing end of line make no difference."""
    path = root / "manifest.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n\n".join(lines))
    assert open_source(root).n_rows == len(list(open_source(root).rows())) == 6


def test_a_packed_manifest_that_is_cut_is_told(root):
    """As every other reader tells it."""
    path = root / "manifest.jsonl"
    path.with_name("manifest.jsonl.gz").write_bytes(gzip.compress(path.read_bytes())[:-9])
    path.unlink()
    with pytest.raises(ManifestError, match=r"manifest\.jsonl\.gz: is cut or damaged"):
        report(root)


def test_leakage_is_counted_by_kind():
    """A speaker, a recording and a voice in two splits are found; what is in one is not."""

    def row(split, path, speaker, voice):
        recording = {"data": "d", "path": path, "sha256": "0" * 64, "n_samples": 1, "meta": {"speaker": speaker}}
        events = [{"source": {"recording": recording}}, {"source": {"voice": {"engine": "espeak", "name": voice}}}]
        return {"split": split, "spec": {"events": events}}

    found = Leakage()
    for args in (("train", "a.wav", "ann", "x"), ("train", "b.wav", "ann", "x"), ("test", "c.wav", "ann", "y")):
        found.add(row(*args))
    assert found.shared("speaker") == {"ann": {"train": 2, "test": 1}}
    assert found.shared("recording") == found.shared("voice") == {}
    assert found.counts("recording") == {"train": 2, "test": 1}


def test_rooms_are_told_apart_by_walls_not_by_places():
    """The same room with another receiver is the same room."""
    room = {"type": "shoebox@1", "size": [5, 4, 3], "receiver": {"x": 1}, "seed": 1}
    found = Leakage()
    for split, changes in (("a", {}), ("b", {"receiver": {"x": 2}, "seed": 2}), ("c", {"size": [5, 4, 2]})):
        found.add({"split": split, "spec": {"room": {**room, **changes}, "events": []}})
    assert [dict(splits) for splits in found.shared("room").values()] == [{"a": 1, "b": 1}]


def test_long_files_are_read_in_blocks(tmp_path, monkeypatch):
    """Outline and picture of a file in parts are those of the whole, column by column."""
    sr = 8000
    t = np.arange(20 * sr) / sr
    y = 0.1 * np.sin(2 * np.pi * 1000 * t) * (t > 10)
    y[3 * sr] = 0.9
    soundfile.write(tmp_path / "a.wav", y, sr)
    whole = look(tmp_path / "a.wav")
    monkeypatch.setattr("audiosynth.report.reading.WHOLE", 20_000)
    parts = look(tmp_path / "a.wav")
    np.testing.assert_array_equal(parts.high, whole.high)
    np.testing.assert_array_equal(parts.low, whole.low)
    assert parts.high.size == COLUMNS
    assert int(np.argmax(parts.high)) == COLUMNS * 3 // 20
    assert parts.quality.peak_dbfs == whole.quality.peak_dbfs
    onset = np.flatnonzero(parts.mel.max(axis=0) > parts.mel.max() - 10)
    centres = (onset + 0.5) / parts.mel.shape[1] * 20
    assert centres[centres > 5].min() == pytest.approx(10, abs=0.1)
    assert np.frombuffer(outline(parts)[0], np.uint8).max() == 255


def test_the_picture_s_time_axis_is_the_clip_s(tmp_path):
    """A burst in the middle of a file is in the middle of what the picture reaches over."""
    sr = 16_000
    y = 1e-4 * np.random.default_rng(0).standard_normal(sr)
    y[8000] = 1.0
    soundfile.write(tmp_path / "a.wav", y, sr)
    seen = look(tmp_path / "a.wav")
    frame = int(np.argmax(seen.mel.sum(axis=0)))
    left, right = seen.reach
    at = left + (frame + 0.5) / seen.mel.shape[1] * (right - left)
    assert at == pytest.approx(0.5, abs=0.006)


def test_histograms_hold_every_value():
    """Their bars are NumPy's counts over their own edges."""
    dice = np.random.default_rng(3)
    for y in (dice.normal(-30, 5, 500), dice.uniform(0.1, 0.9, 50), np.array([1.0, 2.0])):
        made = charts.histogram(y, title="x", unit="s")
        assert sum(bar["n"] for bar in made["bars"]) == y.size
        assert len(made["bars"]) <= charts.MOST_BINS + 2
        assert max(bar["height"] for bar in made["bars"]) == charts.HEIGHT
    assert charts.histogram([], title="x", unit="s") is None
    assert charts.histogram([4.0, 4.0], title="x", unit="s")["bars"] == []


def test_json_in_a_page_cannot_end_it():
    """Every text comes back, none of them with a character that markup needs."""
    texts = ["</script>", "<!--", "\u2028", "é", "\ud800", 'a"b', "]]>"]
    made = script_json(texts)
    assert json.loads(made) == texts
    assert made.isascii()
    assert not set("<>&") & set(made)


def test_the_command(root):
    """It prints the page's path; with --json what was found."""
    run = CliRunner().invoke
    shown = run(cli, ["report", str(root), "--workers", "1", "--clips", "2"])
    assert (shown.exit_code, shown.stdout) == (0, f"{root / 'report.html'}\n")
    assert "2 of 6 clips are read for pictures and checks" in shown.stderr
    told = json.loads(run(cli, ["report", str(root), "--workers", "1", "--json"]).stdout)
    assert (told["clips"], told["read"], told["shared"]["recording"]) == (6, 6, 0)
