"""Kaldi data directories: read back by kaldiio, and by the rules of Kaldi's utils/validate_data_dir.sh."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from field_sets import tree
from format_parsers import tokens
from material import write_recipe

from audiosynth import build, export_labels, load_recipe, registry
from audiosynth.errors import BuildError

NAMES = ["wav.scp", "segments", "text", "utt2spk", "spk2utt", "utt2dur", "reco2dur"]
LABELS = ["dog bark", "a", "a-b", "a.b", "Ärger", "犬", "it's"]
"""A name, and names that go on behind it with what sorts before and after a hyphen."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a set of WAV files with overlaps, empty clips, and weak and bare splits, exported."""
    folder = tmp_path_factory.mktemp("kaldi")
    recipe = write_recipe(
        folder / "r.yaml", tree(LABELS, export=["kaldi"], clips={"train": 30, "test": 8, "weak": 2, "bare": 2})
    )
    return build(load_recipe(recipe, cache_dir=folder / "c"), folder / "out").root


def table(path: Path) -> dict[str, str]:
    """Return a file's lines by their first word; none twice, in the order of their bytes."""
    lines = path.read_bytes().splitlines()
    assert lines == sorted(lines, key=lambda line: line.split(b" ")[0])
    out = dict(line.decode().split(" ", 1) for line in lines)
    assert len(out) == len(lines) > 0
    return out


def rows_of(root: Path, split: str):
    """Return the rows of a split, read without anything of ours."""
    import json

    rows = map(json.loads, (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    return {row["clip_id"]: row for row in rows if row["split"] == split}


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_directory_is_valid(root, split):
    """What validate_data_dir.sh asks: the same utterances everywhere, of the same recordings, sorted by speaker too."""
    made = {name: table(root / "labels/kaldi" / split / name) for name in NAMES}
    utterances = set(made["segments"])
    for name in ("text", "utt2spk", "utt2dur"):
        assert set(made[name]) == utterances
    recordings = {line.split(" ")[0] for line in made["segments"].values()}
    assert recordings == set(made["wav.scp"]) == set(made["reco2dur"])
    by_speaker = [(speaker.encode(), name.encode()) for name, speaker in made["utt2spk"].items()]
    assert by_speaker == sorted(by_speaker)  # sort -k2 leaves it as it is
    assert all(name.startswith(f"{speaker}-") for name, speaker in made["utt2spk"].items())
    assert {n: s for s, told in made["spk2utt"].items() for n in told.split(" ")} == made["utt2spk"]
    assert all(told.split(" ") == sorted(told.split(" "), key=str.encode) for told in made["spk2utt"].values())


@pytest.mark.parametrize("split", ["train", "test"])
def test_kaldiio_cuts_the_utterances_out(root, split, monkeypatch):
    """Through kaldiio: it opens the recordings from the dataset's folder, and cuts what the manifest says from them."""
    kaldiio = pytest.importorskip("kaldiio")
    monkeypatch.chdir(root)
    base, rows = root / "labels/kaldi" / split, rows_of(root, split)
    files = {name: table(base / name) for name in NAMES}
    back = tokens(root / "labels/kaldi/names.tsv")
    found = []
    for name, (sr, y) in kaldiio.load_scp(str(base / "wav.scp"), segments=str(base / "segments")).items():
        clip, onset, offset = files["segments"][name].split(" ")
        assert len(y) / sr == pytest.approx(float(files["utt2dur"][name]), abs=2 / sr)
        assert float(files["utt2dur"][name]) == pytest.approx(float(offset) - float(onset), abs=1e-9)
        assert back[files["utt2spk"][name]] == files["text"][name]
        found.append((clip, round(float(onset) * sr), round(float(offset) * sr), files["text"][name]))
    want = [
        (clip, item["onset_sample"], item["offset_sample"], item["label"])
        for clip, row in rows.items()
        for item in row["labels"]
        if item["audible"]
    ]
    assert sorted(found) == sorted(want)
    for clip, (sr, y) in kaldiio.load_scp(str(base / "wav.scp")).items():
        assert (sr, len(y)) == (rows[clip]["sr"], rows[clip]["n_samples"])
        assert float(files["reco2dur"][clip]) == pytest.approx(rows[clip]["duration"], abs=1e-6)
        assert np.abs(y).max() > 0


def test_what_is_withheld_stays_so(root):
    """Weak and unlabeled splits have no directory; clips without a label no line."""
    assert sorted(p.name for p in (root / "labels/kaldi").iterdir()) == ["names.tsv", "test", "train"]
    empty = {clip for clip, row in rows_of(root, "train").items() if not any(item["audible"] for item in row["labels"])}
    assert empty
    assert not empty & set(table(root / "labels/kaldi/train/wav.scp"))


def test_absolute_paths(root, tmp_path):
    """They open from anywhere."""
    export_labels(root, [{"type": "kaldi", "paths": "absolute"}], out=tmp_path / "k")
    made = table(tmp_path / "k/kaldi/train/wav.scp")
    assert all(path.startswith("/") and Path(path).is_file() for path in made.values())


def row(label: str, path: str = "audio/train/000000/train-000000000.wav", **more):
    """Return a row with one label."""
    item = {"label": label, "onset_sample": 0, "offset_sample": 800, "event": None, **more}
    return {
        "clip_id": "train-000000000",
        "split": "train",
        "path": path,
        "sr": 8000,
        "n_samples": 8000,
        "labels": [item],
    }


def check(made) -> None:
    """Ask the exporter about a row."""
    registry.create("exporters", {"type": "kaldi"}).check(made)


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (row("x", words=[["</s>", 0, 800]]), r"has the word '</s>', which Kaldi keeps for itself"),
        (row("#0"), r"has the word '#0', which Kaldi keeps for itself"),
        (row("x", words=[["a\nb", 0, 800]]), "breaks a transcript"),
        (row(" a"), "outer blank"),
        (row("<x>"), "starts with '<'"),
        (row("x", "audio/train/000000/train-000000000.mp3"), r"Kaldi reads WAV.*output: \{format: wav\}"),
        (row("x", "audio/a b/000000/a.wav"), "paths without blanks"),
    ],
)
def test_what_would_be_misread_is_refused(made, match):
    """Kaldi's own symbols, line ends, and files that it cannot open, named with the way out."""
    with pytest.raises(BuildError, match=match):
        check(made)


def test_flac_is_decoded_by_a_pipe(tmp_path):
    """Kaldi reads WAV alone; other containers come through a command."""
    folder = tmp_path / "f"
    recipe = write_recipe(
        tmp_path / "r.yaml",
        tree(["a"], clips={"train": 6}, supervision={}, export=["kaldi"], output={"format": "flac"}),
    )
    root = build(load_recipe(recipe, cache_dir=tmp_path / "c"), folder).root
    lines = table(root / "labels/kaldi/train/wav.scp").values()
    assert all(re.fullmatch(r"flac -cds audio/train/000000/train-\d{9}\.flac \|", line) for line in lines)


def test_names_that_would_be_one_are_refused(tmp_path):
    """Two speakers cannot share a name: `a-b` is written `a_b`."""
    recipe = write_recipe(tmp_path / "r.yaml", tree(["a-b", "a_b"], clips={"train": 20}, supervision={}))
    root = build(load_recipe(recipe, cache_dir=tmp_path / "c"), tmp_path / "out").root
    with pytest.raises(BuildError, match="would be written 'a_b'"):
        export_labels(root, ["kaldi"])
