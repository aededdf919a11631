"""Lists for source separation, read by the rules of the readers they are for: FUSS, LibriMix, DCASE 2025 task 4."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from material import read_wav, write_recipe

from audiosynth import build, load_recipe, verify
from audiosynth.errors import BuildError

SR = 8000
SOURCES = {
    "speech": {"type": "tone", "frequency": 300.0, "duration": 0.3},
    "bell: big": {"type": "click"},
    "dog": {"type": "noise_burst", "duration": 0.2},
}
BED = {"layers": [{"source": {"type": "coloured", "colour": c}} for c in ("pink", "white")], "level_dbfs": -40.0}
ROOM = {"type": "shoebox", "size": [4.1, 3.3, 2.6], "rt60": 0.2, "receiver": {"position": {"point": [2.2, 1.9, 1.2]}}}


def event(label: str | None, k: int) -> dict:
    """Return the k-th event of a clip."""
    return {
        "label": label, "source": SOURCES.get(str(label), SOURCES["dog"]), "onset": 0.1 * k, "level_dbfs": -25.0,
        "position": {"point": [1.0 + 0.4 * k, 1.2, 1.1]},
    }  # fmt: skip


def built(folder: Path, labels: list[str | None], export: object, stems: dict, **tree: object) -> Path:
    """Build a small set in a room; returns its folder."""
    full = {
        "sr": SR, "duration": 0.6, "clips": {"train": 3, "test": 2}, "noise": BED, "room": ROOM, "export": [export],
        "events": [event(label, k) for k, label in enumerate(labels)], "output": {"stems": stems}, **tree,
    }  # fmt: skip
    recipe = load_recipe(write_recipe(folder / "r.yaml", full), cache_dir=folder / "cache")
    return build(recipe, folder / "out", fresh=True).root


def fuss_lines(path: Path) -> list[list[Path]]:
    """Read a list as FUSS's data_io does: stripped lines, fields between tabs, each joined to the list's folder."""
    return [
        [path.parent / field for field in line.strip().split("\t")]
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def test_fuss(tmp_path):
    """Every line is a mixture, its background, its foregrounds; read as 16-bit WAV, the sources sum to the mixture exactly."""
    root = built(tmp_path, ["speech", "dog", None], "fuss", {"subtype": "PCM_16"})
    for split, n in (("train", 3), ("test", 2)):
        lines = fuss_lines(root / "labels" / "fuss" / f"{split}_example_list.txt")
        assert len(lines) == n
        for mixture, background, *foregrounds in lines:
            assert background.stem == "noise"
            assert [path.stem for path in foregrounds] == ["event00_speech", "event01_dog", "event02_event"]
            sources = [read_wav(path)[0].astype(int) for path in (background, *foregrounds)]
            assert np.array_equal(np.sum(sources, axis=0), read_wav(mixture)[0])
    assert verify(root).ok


def test_fuss_with_classes(tmp_path):
    """Sources are class:path from the dataset's folder; the part before the first colon is the class, that after it a file."""
    root = built(tmp_path, ["speech", "speech", None], {"type": "fuss", "classes": True}, {"subtype": "PCM_16"})
    lines = (root / "labels" / "fuss" / "train_class_list.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        fields = [field.split(":") for field in line.split("\t")[1:]]
        assert [kind for kind, _ in fields] == ["background", "speech", "speech", "interference"]
        assert all((root / path).is_file() for _, path in fields)


def test_unlabeled_splits_list_mixtures_alone(tmp_path):
    """A split without labels has none in the sources of its clips either."""
    stems = {"subtype": "PCM_16"}
    root = built(tmp_path, ["speech", "dog"], "fuss", stems, supervision={"test": "none"})
    assert {len(line) for line in fuss_lines(root / "labels" / "fuss" / "test_example_list.txt")} == {1}
    root = built(tmp_path, ["speech", "dog"], "librimix", stems, supervision={"test": "none"})
    assert sorted(path.name for path in (root / "labels" / "librimix").iterdir()) == ["train"]
    root = built(tmp_path, ["speech", "dog"], "dcase_s5", {"parts": ["wet", "dry"]}, supervision={"test": "none"})
    records = json.loads((root / "labels" / "dcase_s5" / "test.json").read_text(encoding="utf-8"))
    assert [sorted(record) for record in records] == [["mixture_path", "soundscape"]] * 2


@pytest.mark.parametrize(
    ("labels", "noise", "options", "kind"),
    [
        (["speech", "dog"], BED, {}, "mix_both"),
        (["speech", "dog"], None, {}, "mix_clean"),
        (["speech"], BED, {"n_src": 1}, "mix_single"),
    ],
)
def test_librimix(tmp_path, monkeypatch, labels, noise, options, kind):
    """The table of a folder has LibriMix's columns and lengths; from the dataset's folder its files add up to the mixture."""
    root = built(tmp_path, labels, {"type": "librimix", **options}, {}, noise=noise)
    monkeypatch.chdir(root)
    (table,) = Path("labels/librimix/train").iterdir()
    assert table.name == f"mixture_train_{kind}.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    sources = [f"source_{i + 1}_path" for i in range(len(labels))]
    columns = ["mixture_ID", "mixture_path", *sources, *([] if noise is None else ["noise_path"]), "length"]
    assert len(rows) == 3
    for row in rows:
        assert list(row) == columns
        mixture, _ = soundfile.read(row["mixture_path"], dtype="float32", stop=int(row["length"]))
        parts = [soundfile.read(row[key], dtype="float32")[0] for key in columns if key.endswith("path")][1:]
        assert mixture.shape == (int(row["length"]),) == (round(0.6 * SR),)
        assert np.array_equal(np.sum(parts, axis=0), mixture)


def test_librimix_with_early_targets(tmp_path):
    """Targets may be the early part of each speaker; the table names those files."""
    root = built(tmp_path, ["speech", "dog"], {"type": "librimix", "target": "early"}, {"parts": ["wet", "early"]})
    text = (root / "labels/librimix/train/mixture_train_mix_both.csv").read_text(encoding="utf-8")
    assert "train-000000000.stems/event01_dog.early.wav" in text


def test_dcase_s5(tmp_path):
    """Each record has a mixture of the set's rate and one dry file of one channel a class, as long as the mixture."""
    labels = ["speech", "dog", "speech", None]
    root = built(tmp_path, labels, "dcase_s5", {"by": "label", "parts": ["wet", "dry"]})
    records = json.loads((root / "labels/dcase_s5/train.json").read_text(encoding="utf-8"))
    assert [record["soundscape"] for record in records] == [f"train-{i:09d}" for i in range(3)]
    for record in records:
        y, sr = soundfile.read(root / record["mixture_path"], always_2d=True)
        assert record["ref_label"] == ["speech", "dog"]
        for path in record["ref_source_paths"]:
            dry, rate = soundfile.read(root / path, always_2d=True)
            assert (dry.shape, rate) == ((y.shape[0], 1), sr)
            assert dry.any()
    assert json.loads((root / "labels/dcase_s5/labels.json").read_text(encoding="utf-8")) == ["dog", "speech"]


@pytest.mark.parametrize(
    ("export", "labels", "stems", "tree", "message"),
    [
        ("fuss", ["dog"], {}, {}, "with FLOAT stems, and readers of this layout decode 16-bit WAV alone"),
        ("fuss", ["dog"], {"subtype": "PCM_16", "layers": True}, {}, "has 2 backgrounds, and a line has one"),
        ("fuss", ["dog"], {"subtype": "PCM_16"}, {"noise": None}, "has 0 backgrounds, and a line has one"),
        ("fuss", ["dog"] * 4, {"subtype": "PCM_16"}, {}, "has 4 sources, more than 3; raise `max_sources`"),
        ({"type": "fuss", "classes": True}, ["bell: big"], {"subtype": "PCM_16"}, {}, "holds a colon"),
        ("librimix", ["dog"], {}, {}, "expected 2 labeled sources .*got event00_dog"),
        ("librimix", ["dog", None], {}, {}, "expected 2 labeled sources .*event01_event"),
        ("librimix", ["dog", "dog"], {"layers": True}, {}, "several noises"),
        ("librimix", ["dog", "dog"], {"parts": ["dry"]}, {}, r"no wet stems; say `output: \{stems: \{parts: \[wet\]\}\}`"),
        ("dcase_s5", ["dog", "dog"], {"parts": ["dry"]}, {}, "two targets of the class 'dog'"),
        ("dcase_s5", ["dog", "speech"], {"by": "role", "parts": ["dry"]}, {}, "stems of several classes; say `stems: {by: label}`"),
        ("dcase_s5", ["silence"], {"parts": ["dry"]}, {}, "a class is called 'silence'"),
        ({"type": "dcase_s5", "n_sources": 1}, ["dog", "speech"], {"parts": ["dry"]}, {}, "2 targets, more than 1"),
        ("dcase_s5", ["dog"], {}, {}, "has no dry stems"),
    ],
)  # fmt: skip
def test_what_a_layout_cannot_hold(tmp_path, export, labels, stems, tree, message):
    """Clips that a reader would misread stop the build at the first of them, with the way out."""
    with pytest.raises(BuildError, match=rf"clip train-000000000.*{message}"):
        built(tmp_path, labels, export, stems, **tree)


def test_readers_of_one_channel(tmp_path):
    """A clip of two channels is refused where readers take one."""
    room = {**ROOM, "receiver": {"type": "linear", "n": 2, "spacing": 0.1, **ROOM["receiver"]}}
    noise = {**BED, "spatial": "independent"}
    with pytest.raises(BuildError, match="has 2 channels, and readers of this layout take one"):
        built(tmp_path, ["dog", "speech"], "librimix", {}, channels=2, room=room, noise=noise)
