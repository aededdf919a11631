"""`audiosynth augment`: the layout of a corpus found by its files, the presets, and the recipe that is left beside the set."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from corpora_writers import WHOLE, WRITERS, rttm, sounds

from audiosynth.cli import cli
from audiosynth.commands.augment import PRESETS as OFFERED
from audiosynth.corpora.detect import detect
from audiosynth.errors import AssetError, UsageError
from audiosynth.files.strictyaml import load
from audiosynth.presets import PRESETS, preset_recipe
from audiosynth.stats import stats
from audiosynth.verify import verify

TABLES = ("table_tsv", "table_jsonl")
"""Tables of anybody's own: columns need telling."""


def corpus(folder: Path, name: str = "kaldi") -> Path:
    """Write a small corpus in a layout."""
    root = folder / "corpus"
    root.mkdir()
    sounds(root, WHOLE)
    WRITERS[name](root, WHOLE)
    return root


def run(*args: Any) -> Result:
    """Run `audiosynth augment`."""
    return CliRunner().invoke(cli, ["augment", *map(str, args), "-q", "--workers", "1"])


def rows(root: Path) -> list[dict[str, Any]]:
    """Return the rows of a manifest."""
    return [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in TABLES])
def test_layouts_are_found(tmp_path, name):
    """What the files say of themselves is what the writer of the layout knows."""
    root = tmp_path / "corpus"
    root.mkdir()
    sounds(root, WHOLE)
    told = WRITERS[name](root, WHOLE)
    assert detect(root) == {key: value for key, value in told.items() if key in ("layout", "folder", "manifest")}


def test_turns_and_plain_folders_are_found(tmp_path):
    """RTTM beside audio, audio alone, and nothing at all."""
    sounds(tmp_path, WHOLE)
    assert detect(tmp_path) == {"layout": "flat"}
    rttm(tmp_path, WHOLE)
    assert detect(tmp_path)["layout"] == "rttm"
    (tmp_path / "empty").mkdir()
    with pytest.raises(AssetError, match="holds neither audio files nor a manifest that is known"):
        detect(tmp_path / "empty")


def test_two_data_directories_are_one_too_many(tmp_path):
    """Which of two is meant is asked, not guessed."""
    for name in ("train", "test"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "wav.scp").touch()
    with pytest.raises(AssetError, match=r"has 2 data directories \(test, train\); which is meant\?"):
        detect(tmp_path)


def test_every_preset_is_offered():
    """The command names the presets there are."""
    assert tuple(PRESETS) == OFFERED
    with pytest.raises(UsageError, match="no preset is called 'farfield'; did you mean 'far_field'"):
        preset_recipe("farfield", ".")


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_make_replicas_with_their_labels(tmp_path, preset):
    """Every utterance as often as the preset says, text and speaker carried, the recipe beside the set, all files as written."""
    root, out = corpus(tmp_path), tmp_path / "out"
    done = run(root, "--preset", preset, "-o", out)
    assert done.exit_code == 0, done.output
    assert verify(out).ok
    recipe = load((tmp_path / "out.yaml").read_text(encoding="utf-8"), name="out.yaml").tree
    assert recipe["extends"] == PRESETS[preset][0]
    made = rows(out)
    n_replicas = {"far_field": 2, "noisy": 4, "telephone": 2, "speed3": 3, "kaldi": 5, "enhancement": 2}[preset]
    assert len(made) == 3 * n_replicas
    for one in WHOLE:
        mine = [row for row in made if row["augmented_from"] == one.id]
        assert sorted(row["replica"] for row in mine) == list(range(1, n_replicas + 1))
        told = [
            json.loads(line)
            for line in (out / "labels" / "utterances" / "train.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        assert {t["text"] for t in told if t["augmented_from"] == one.id} == {one.text}
        assert {t["speaker"].partition("-")[2] or t["speaker"] for t in told if t["augmented_from"] == one.id} == {
            one.speaker
        }
    if preset == "noisy":
        asked = sorted(row["spec"]["let"]["wanted_snr"] for row in made if row["augmented_from"] == WHOLE[0].id)
        assert asked == [0, 10, 20, 30]
    if preset == "kaldi":
        copies = {row["spec"]["let"]["copy"] for row in made if row["augmented_from"] == WHOLE[1].id}
        assert copies == {"clean", "reverb", "noise", "music", "babble"}
    if preset == "speed3":
        lengths = sorted(row["n_samples"] for row in made if row["augmented_from"] == WHOLE[0].id)
        assert np.allclose(np.array(lengths) / lengths[1], [1 / 1.1, 1.0, 1 / 0.9], atol=1e-4)
    assert stats(out)


def test_a_folder_of_audio_alone_is_listed(tmp_path):
    """Nothing is known of its utterances, and every format lists them by their files, with what they were made from."""
    root, out = tmp_path / "corpus", tmp_path / "out"
    root.mkdir()
    files = sorted(Path(file).stem for file in sounds(root, WHOLE))
    wanted = [arg for name in ("kaldi", "lhotse", "nemo", "utterances") for arg in ("--to", name)]
    done = run(root, "--preset", "speed3", "-o", out, *wanted)
    assert done.exit_code == 0, done.output
    ids = [f"{file}-aug{k}" for file in files for k in (1, 2, 3)]
    table = (out / "labels" / "kaldi" / "train" / "utt2spk").read_text(encoding="utf-8").splitlines()
    assert table == [f"{name} {name}" for name in ids]
    assert not (out / "labels" / "kaldi" / "train" / "text").exists()
    told = gzip.decompress((out / "labels" / "lhotse" / "train" / "supervisions.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line)["custom"]["augmented_from"] for line in told] == [file for file in files for _ in range(3)]
    for name in ("nemo/train_manifest.json", "utterances/train.csv"):
        text = (out / "labels" / name).read_text(encoding="utf-8")
        assert all(one in text for one in ids)


def test_clean_copies_are_the_speech(tmp_path):
    """The clean copy of the Kaldi style is the recording at -26 dB of active speech, and nothing else."""
    root, out = corpus(tmp_path), tmp_path / "out"
    assert run(root, "--preset", "kaldi", "-o", out, "--sr", 8000).exit_code == 0
    row = next(r for r in rows(out) if r["spec"]["let"]["copy"] == "clean" and r["augmented_from"] == WHOLE[0].id)
    sound = sounds(tmp_path, WHOLE)[WHOLE[0].file].ravel()
    import soundfile

    y = soundfile.read(out / row["path"])[0]
    gain = float(np.dot(y, sound) / np.dot(sound, sound))
    np.testing.assert_allclose(y, gain * sound, atol=1.0 / 32768)


def test_options(tmp_path):
    """Replicas, rate, formats, seed and single values are the user's."""
    root, out = corpus(tmp_path), tmp_path / "out"
    options = (
        "--replicas",
        1,
        "--sr",
        8000,
        "--to",
        "nemo",
        "--to",
        "rttm",
        "--seed",
        5,
        "--set",
        "noise.level_dbfs=-50",
    )
    assert run(root, "--preset", "noisy", "-o", out, *options).exit_code == 0
    made = rows(out)
    assert len(made) == 3
    assert {row["sr"] for row in made} == {8000}
    assert {row["spec"]["noise"]["level_dbfs"] for row in made} == {-50}
    assert sorted(path.name for path in (out / "labels").iterdir()) == ["nemo", "rttm"]


def test_formats_of_corpora(tmp_path):
    """Kaldi, NeMo and AudioFolder are written as corpora: ids of replicas, texts, the links to their sources."""
    root, out = corpus(tmp_path, "nemo"), tmp_path / "out"
    to = ("--to", "kaldi", "--to", "nemo", "--to", "audiofolder")
    assert run(root, "--preset", "noisy", "-o", out, "--sr", 8000, *to).exit_code == 0
    kaldi = next((out / "labels").rglob("wav.scp")).parent
    text = dict(line.split(maxsplit=1) for line in (kaldi / "text").read_text(encoding="utf-8").splitlines())
    assert len(text) == 12
    source = dict(line.split() for line in (kaldi / "utt2uniq").read_text(encoding="utf-8").splitlines())
    said = {one.id: one.text for one in WHOLE}
    assert text == {name: said[source[name]] for name in text}
    assert all(f"{source[name]}-aug" in name for name in text)
    nemo = [
        json.loads(line)
        for line in (out / "labels" / "nemo" / "train_manifest.json").read_text(encoding="utf-8").splitlines()
    ]
    assert sorted({line["text"] for line in nemo}) == sorted({one.text for one in WHOLE})


def test_the_recipe_is_not_lost_nor_left(tmp_path):
    """The same command again has nothing to do; another one leaves the recipe alone; one that fails leaves none."""
    root, out = corpus(tmp_path), tmp_path / "out"
    assert run(root, "--preset", "speed3", "-o", out, "--sr", 8000).exit_code == 0
    assert run(root, "--preset", "speed3", "-o", out, "--sr", 8000).exit_code == 0
    before = (tmp_path / "out.yaml").read_text(encoding="utf-8")
    again = run(root, "--preset", "noisy", "-o", out, "--sr", 8000)
    assert again.exit_code == 2
    assert "is there already and is not what this command would write" in again.stderr
    assert (tmp_path / "out.yaml").read_text(encoding="utf-8") == before
    wrong = run(root, "--preset", "noisy", "-o", tmp_path / "new", "--to", "kaldy")
    assert wrong.exit_code == 2
    assert "no exporter called 'kaldy'" in wrong.stderr
    assert not (tmp_path / "new.yaml").exists()
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_used_is_told(tmp_path):
    """A command in wav.scp is refused, never run; with --keep-going the rest of the corpus is made, and a table says what is missing."""
    root, out = corpus(tmp_path), tmp_path / "out"
    scp = next(root.rglob("wav.scp"))
    lines = scp.read_text(encoding="utf-8").splitlines()
    lines[0] = f"{lines[0].split()[0]} touch {tmp_path / 'ran'} |"
    scp.write_text("\n".join(lines) + "\n", encoding="utf-8")
    stopped = run(root, "--preset", "speed3", "-o", out, "--sr", 8000)
    assert stopped.exit_code == 1
    assert "wav.scp:1" in stopped.stderr
    went_on = run(root, "--preset", "speed3", "-o", out, "--sr", 8000, "--keep-going")
    assert went_on.exit_code == 1
    assert "could not be used" in went_on.stderr
    assert len(rows(out)) == 6
    assert "wav.scp:1" in (out / "failures.tsv").read_text(encoding="utf-8")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--to", "lhotze"), "error: --to: no exporter called 'lhotze'; did you mean 'lhotse'?\n"),
        (("--layout", "kaldy"), "error: --layout: input should be 'folders', "),
        (("--set", "export[0]=lhotze"), "error: --set export[0]: no exporter called 'lhotze'"),
    ],
)
def test_what_an_option_said_is_told_by_the_option(tmp_path, given, message):
    """The recipe that it went into is removed again, so a place in it would lead nowhere."""
    result = run(corpus(tmp_path), "--preset", "noisy", *given, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.startswith(message)
    assert not (tmp_path / "out.yaml").exists()
