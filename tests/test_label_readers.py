"""Labels of a real build, taken up by the tools of the field: what they read is what the manifest says.

The readers are not dependencies: these tests skip where one is absent. The files themselves are parsed here by hand, strictly
after their formats' documentation.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from material import write_recipe

from audiosynth import build, load_recipe

pytestmark = pytest.mark.filterwarnings("default")  # what the readers warn of is theirs
LABELS = ["alarm", "Speech", "dog bark", "on"]


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Return a dataset of 8 + 4 clips with up to three events, some of one class overlapping, some clips empty."""
    folder = tmp_path_factory.mktemp("readers")
    event = {
        "label": {"choice": LABELS},
        "source": {"type": "tone", "frequency": {"uniform": [300, 900]}, "duration": {"uniform": [0.3, 0.9]}},
        "onset": {"slack": {"uniform": [0, 1]}},
        "snr_db": {"uniform": [0, 20]},
    }
    tree = {
        "sr": 8000, "duration": 2.0, "seed": 5, "clips": {"train": 10, "test": 4},
        "noise": {"type": "coloured", "slope_db": -3, "level_dbfs": -50},
        "events": [{"repeat": {"n": {"integers": [0, 3]}, "of": event}}],
        "export": ["desed", "audacity", "jsonl"],
    }  # fmt: skip
    return build(load_recipe(write_recipe(folder / "r.yaml", tree), cache_dir=folder / "cache"), folder / "out").root


@pytest.fixture(scope="module")
def truth(root) -> dict[str, list[tuple[float, float, str]]]:
    """Return onset, offset and label of every event of the train split, by the clip's path below it; overlaps joined."""
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert any(not row["labels"] for row in rows)
    assert any(len(row["labels"]) > 1 for row in rows)
    return {r["path"].removeprefix("audio/train/"): merged(r["labels"]) for r in rows if r["split"] == "train"}


def merged(labels: list[dict]) -> list[tuple[float, float, str]]:
    """Return the events in ms precision, those of one class that overlap joined."""
    out: list[list] = []
    for item in sorted(labels, key=lambda x: (x["label"], x["onset"], x["offset"])):
        onset, offset = (int(item[key] * 1000 + 0.5) for key in ("onset", "offset"))
        if out and out[-1][2] == item["label"] and onset < out[-1][1]:
            out[-1][1] = max(out[-1][1], offset)
        else:
            out.append([onset, offset, item["label"]])
    return sorted((a / 1000, b / 1000, label) for a, b, label in out)


def file_of(root: Path, pattern: str) -> Path:
    """Return the one label file of a name."""
    (path,) = root.rglob(pattern)
    return path


def lists(found: list[tuple[str, float, float, str]], truth: dict) -> bool:
    """Return whether events read as (file, onset, offset, label) are those of the truth."""
    return sorted(found) == sorted((name, a, b, label) for name, events in truth.items() for a, b, label in events)


def test_tsv_by_the_book(root, truth):
    """The strong table has its header, four columns, times of ms precision, and the manifest's events."""
    header, *lines = file_of(root, "desed/train.tsv").read_text(encoding="utf-8").split("\n")[:-1]
    assert header == "filename\tonset\toffset\tevent_label"
    cells = [line.split("\t") for line in lines]
    assert all(len(row) == 4 for row in cells)
    found = [(name, float(a), float(b), label) for name, a, b, label in cells if label]
    assert lists(found, truth)
    assert {row[0] for row in cells} == set(truth)


def test_audacity_by_the_book(root, truth):
    """Every label track is lines of two times in seconds and a text, tab-separated, as the Audacity manual has it."""
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in rows:
        track = file_of(root, f"audacity/{row['split']}/**/{row['clip_id']}.txt").read_bytes().decode("utf-8")
        assert not track or track.endswith("\n")
        assert "\r" not in track
        found = []
        for line in track.splitlines():
            match = re.fullmatch(r"(\d+\.\d{6})\t(\d+\.\d{6})\t([^\t]+)", line)
            assert match, line
            found.append((float(match[1]), float(match[2]), match[3]))
            assert 0 <= found[-1][0] <= found[-1][1] <= row["duration"] + 1e-6
        expected = sorted((item["onset"], item["offset"], item["label"]) for item in row["labels"])
        assert sorted(found) == expected


def test_json_lines_by_the_book(root):
    """Every line is one object of UTF-8, whose file is there and whose events are the manifest's."""
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    for split in ("train", "test"):
        lines = file_of(root, f"jsonl/{split}.jsonl").read_bytes().decode("utf-8").splitlines()
        mine = [row for row in rows if row["split"] == split]
        for record, row in zip(map(json.loads, lines), mine, strict=True):
            assert (root / record["file_name"]).is_file()
            assert record["events"] == row["labels"]


def test_pandas(root, truth):
    """By its own defaults pandas reads both tables and the JSON lines."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(file_of(root, "desed/train.tsv"), sep="\t").dropna()
    assert lists(list(frame.itertuples(index=False, name=None)), truth)
    durations = pandas.read_csv(file_of(root, "desed/train_durations.tsv"), sep="\t")
    assert dict(durations.itertuples(index=False, name=None)) == dict.fromkeys(truth, 2.0)
    frame = pandas.read_json(file_of(root, "jsonl/train.jsonl"), lines=True)
    assert sorted(name.removeprefix("audio/train/") for name in frame["file_name"]) == sorted(truth)
    assert [len(e) > 0 for e in frame["events"]] == [
        len(truth[n.removeprefix("audio/train/")]) > 0 for n in frame["file_name"]
    ]


def test_sed_eval(root, truth):
    """sed_eval reads the strong table; a system that says just that scores F1 = 1."""
    sed_eval = pytest.importorskip("sed_eval")
    events = sed_eval.io.load_event_list(str(file_of(root, "desed/train.tsv")))
    assert lists([(e.filename, e.onset, e.offset, e.event_label) for e in events if e.event_label], truth)
    metrics = sed_eval.sound_event.EventBasedMetrics(event_label_list=LABELS, t_collar=0.2)
    for name in truth:
        own = events.filter(filename=name).filter(event_list=LABELS)
        metrics.evaluate(reference_event_list=own, estimated_event_list=own)
    assert metrics.results_overall_metrics()["f_measure"]["f_measure"] == 1.0


def test_dcase_util(root, truth):
    """dcase_util loads the strong table as a meta data container."""
    containers = pytest.importorskip("dcase_util").containers
    found = containers.MetaDataContainer().load(str(file_of(root, "desed/train.tsv")))
    assert lists([(e.filename, e.onset, e.offset, e.event_label) for e in found if e.event_label], truth)


def test_psds_eval(root):
    """psds_eval takes the table as ground truth; the truth as a system's answer scores F1 = 1."""
    pandas, psds = pytest.importorskip("pandas"), pytest.importorskip("psds_eval")
    frame = pandas.read_csv(file_of(root, "desed/train.tsv"), sep="\t")
    durations = pandas.read_csv(file_of(root, "desed/train_durations.tsv"), sep="\t")
    score = psds.PSDSEval(ground_truth=frame, metadata=durations, dtc_threshold=0.7, gtc_threshold=0.7)
    macro, _ = score.compute_macro_f_score(frame.dropna())  # its psds() needs a pandas before 3
    assert macro == pytest.approx(1.0)


def test_sed_scores_eval(root, truth):
    """sed_scores_eval reads the truth and the durations of every clip, the empty ones too."""
    io = pytest.importorskip("sed_scores_eval").io
    events = io.read_ground_truth_events(file_of(root, "desed/train.tsv"))
    names = {name.removesuffix(".wav"): name for name in truth}
    assert lists([(names[name], *event) for name, own in events.items() for event in own], truth)
    assert io.read_audio_durations(file_of(root, "desed/train_durations.tsv")) == dict.fromkeys(names, 2.0)


def test_crowsetta(root):
    """The label tracks read the same in crowsetta (it rounds to 1 ms)."""
    crowsetta = pytest.importorskip("crowsetta")
    lines = (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    row = next(r for r in map(json.loads, lines) if len(r["labels"]) > 1)
    path = file_of(root, f"audacity/**/{row['clip_id']}.txt")
    seq = crowsetta.Transcriber(format="aud-seq").from_file(path).to_seq()
    assert sorted(seq.labels) == sorted(item["label"] for item in row["labels"])
    assert sorted(seq.onsets_s) == pytest.approx(sorted(item["onset"] for item in row["labels"]), abs=6e-4)
