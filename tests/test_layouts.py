"""Layouts of keyword trainers, read back by the trainers' own rules, with every trap that the field knows of."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._layout import folder_word, joined
from audiosynth.exporters.kws_streaming import KwsStreaming
from audiosynth.exporters.microwakeword import MicroWakeWord
from audiosynth.exporters.nemo import Nemo
from audiosynth.exporters.openwakeword import OpenWakeWord
from audiosynth.exporters.picovoice import Picovoice
from audiosynth.exporters.speech_commands import SpeechCommands

SR = 16_000
NEMO = re.compile(r"(.+\/)?(\w+)\/([^_]+)_.+wav")  # process_speech_commands_data.py
SETS = {"training": "train", "validation": "validation", "testing": "test"}


def which_set(filename: str, validation: float = 10.0, testing: float = 10.0) -> str:
    """Do the arithmetic of TensorFlow's speech_commands/input_data.py."""
    most = 2**27 - 1
    hash_name = re.sub(r"_nohash_.*$", "", Path(filename).name)
    hashed = hashlib.sha1(hash_name.encode("utf-8")).hexdigest()
    percentage = (int(hashed, 16) % (most + 1)) * (100.0 / most)
    if percentage < validation:
        return "validation"
    return "testing" if percentage < validation + testing else "training"


def torchaudio_training(base: Path) -> list[str]:
    """List the training part as torchaudio's SPEECHCOMMANDS does: all files that are in no list and are no background."""
    listed = set()
    for name in ("validation_list.txt", "testing_list.txt"):
        listed |= {line.strip() for line in (base / name).read_text(encoding="utf-8").splitlines()}
    walker = sorted(path.relative_to(base).as_posix() for path in base.glob("*/*.wav"))
    return [name for name in walker if "_nohash_" in name and "_background_noise_" not in name and name not in listed]


def torchaudio_metadata(name: str) -> tuple[str, str, int]:
    """Return label, speaker and number of utterance as torchaudio reads them from a path."""
    label, file = name.split("/")
    speaker, number = file.removesuffix(".wav").split("_nohash_")
    return label, speaker, int(number)


def nemo_part(base: Path, name: str) -> str:
    """Return the part that NeMo's process_speech_commands_data.py sends a file to: by its speaker, found in the lists."""
    speaker = NEMO.match("x/" + name).group(3)  # type: ignore[union-attr]
    for part in ("validation", "testing"):
        lines = (base / f"{part}_list.txt").read_text(encoding="utf-8").splitlines()
        if speaker in {found.group(3) for line in lines if (found := NEMO.match(line))}:
            return part
    return "training"


def clip(
    root: Path, split: str, i: int, label: str | None, voice: str = "", n: int = SR, **more: Any
) -> dict[str, Any]:
    """Write the sound of a clip (a ramp that tells which) and return its row."""
    clip_id = f"{split}-{i:09d}"
    path = root / "audio" / split / f"{clip_id}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    y = (np.arange(n) % 1000 + 1000 * (i % 7)).astype(np.int16)
    soundfile.write(path, y, more.get("sr", SR), subtype="PCM_16")
    labels, events = [], []
    for k, name in enumerate([label] if isinstance(label, str) else label or []):
        labels.append({
            "label": name, "onset": 0.25, "offset": 0.75, "onset_sample": 4000, "offset_sample": 12_000, "event": k,
            "audible": True,
        })  # fmt: skip
        events.append(
            {
                "label": name,
                "source": {"type": "speech@1", "voice": {"engine": "espeak", "name": voice or f"v{i}-{split}"}},
            }
        )
    return {
        "clip_id": clip_id, "split": split, "path": path.relative_to(root).as_posix(), "sr": more.get("sr", SR), "n_channels": 1,
        "n_samples": n, "duration": n / SR, "labels": labels, "spec": {"events": events},
    }  # fmt: skip


def dataset(root: Path, rows: list[dict[str, Any]]) -> DatasetView:
    """Return rows as exporters see them."""
    splits: dict[str, int] = {}
    for row in rows:
        splits[row["split"]] = splits.get(row["split"], 0) + 1
    return DatasetView(root, "set", splits, lambda: iter(rows))


@pytest.fixture
def rows(tmp_path) -> list[dict[str, Any]]:
    """Return a small keyword set: two words, an unknown one, silence, three splits, two voices a word and split."""
    made = []
    for split, n in (("train", 24), ("validation", 8), ("test", 8)):
        for i in range(n):
            label = ("hey computer", "stop", "bird", None)[i % 4]
            made.append(clip(tmp_path, split, i, label, voice=f"{split}{i % 3}"))
    return made


def test_speech_commands_as_tensorflow_reads_it(tmp_path, rows):
    """Every file's name hashes into its own split, the lists agree, and no voice is in two."""
    base = tmp_path / "labels" / "speech_commands"
    SpeechCommands().write(dataset(tmp_path, rows), tmp_path / "labels")
    files = sorted(p.relative_to(base).as_posix() for p in base.glob("[!_]*/*.wav"))
    assert len(files) == 30
    lists = {s: (base / f"{s}_list.txt").read_text(encoding="utf-8").split() for s in ("validation", "testing")}
    for name in files:
        word, speaker = NEMO.match("x/" + name).groups()[1:]  # type: ignore[union-attr]
        assert word in ("heycomputer", "stop", "bird")
        assert re.fullmatch(r"[0-9a-f]{8}", speaker)
        assert [s for s, listed in lists.items() if name in listed] == [s for s in [which_set(name)] if s != "training"]
        assert nemo_part(base, name) == which_set(name)
    assert sum(map(len, lists.values())) == 12
    train = torchaudio_training(base)
    assert len(train) == 18
    assert {torchaudio_metadata(name)[0] for name in files} == {"heycomputer", "stop", "bird"}
    voices = {
        s: {Path(n).name[:8] for n in (train if s == "train" else lists[s])} for s in ("train", "validation", "testing")
    }
    assert (
        not (voices["train"] & voices["validation"])
        | (voices["train"] & voices["testing"])
        | (voices["validation"] & voices["testing"])
    )
    assert len(voices["train"]) == 3


def test_speech_commands_samples_and_headers(tmp_path, rows):
    """One second of 16-bit PCM behind 44 bytes, sample for sample the clip's; background of the training part alone, longer than a clip."""
    base = tmp_path / "labels" / "speech_commands"
    SpeechCommands().write(dataset(tmp_path, rows), tmp_path / "labels")
    for path in base.glob("[!_]*/*.wav"):
        raw = path.read_bytes()
        assert len(raw) == 44 + 2 * SR
        assert struct.unpack("<HHIIHH", raw[20:36]) == (1, 1, SR, 2 * SR, 2, 16)
    (background,) = (base / "_background_noise_").glob("*.wav")
    assert soundfile.info(background).frames > 16_000  # a file as long as a clip is an error to TensorFlow
    assert soundfile.info(background).frames <= 6 * SR  # six silent clips in the training part


def test_speech_commands_without_silence_has_no_background_folder(tmp_path, rows):
    """An empty folder is an error to TensorFlow; a missing one is none."""
    SpeechCommands().write(dataset(tmp_path, [r for r in rows if r["labels"]]), tmp_path / "labels")
    assert not (tmp_path / "labels" / "speech_commands" / "_background_noise_").exists()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"split": "train", "label": ["stop", "bird"]}, r"2 labels \(stop, bird\)"),
        ({"split": "train", "label": "stop", "voice": "test1"}, "is in train.*and in|is in test"),
        ({"split": "extra", "label": "stop"}, "split 'extra': keyword layouts know"),
        ({"split": "train", "label": "hey, computer"}, "would share the folder 'heycomputer'"),
        ({"split": "train", "label": "你好"}, "needs letters a-z or digits"),
        ({"split": "train", "label": "stop", "n": 8000}, "8000 samples; this layout takes 16000"),
        ({"split": "train", "label": "stop", "sr": 8000}, "8000 Hz in 1 channels"),
    ],
)
def test_speech_commands_refuses(tmp_path, rows, bad, message):
    """What the layout would silently misread."""
    more = clip(tmp_path, bad.pop("split"), 99, bad.pop("label"), **bad)
    with pytest.raises(BuildError, match=message):
        SpeechCommands().write(dataset(tmp_path, [*rows, more]), tmp_path / "labels")


def kws_streaming_words(base: Path, wanted: list[str]) -> dict[str, int]:
    """Read as input_data.py of kws_streaming does under --split_data 0; returns the number of files of each part."""
    for name in ("testing", "training", "validation", "_background_noise_"):
        assert (base / name).is_dir(), f"Directory is not found {name}"
    assert list((base / "_background_noise_").glob("*.wav")), "No background wav files were found"
    found = {}
    for part in ("testing", "training", "validation"):
        files = list((base / part).glob("*/*.wav"))
        assert files, f"No .wavs found in {part}"
        words = {path.parent.name.lower() for path in files}
        assert words <= set(wanted), f"Unknown word {words - set(wanted)}"
        assert set(wanted) <= words, f"Expected to find {set(wanted) - words}"
        found[part] = len(files)
    return found


def test_kws_streaming(tmp_path, rows):
    """Every folder of a part is a wanted word, unknown or silence, in all three; noise is there."""
    KwsStreaming(words=("hey computer", "stop")).write(dataset(tmp_path, rows), tmp_path / "labels")
    base = tmp_path / "labels" / "kws_streaming"
    wanted = (base / "wanted_words.txt").read_text(encoding="utf-8").strip().split(",")
    assert wanted == ["heycomputer", "silence", "stop", "unknown"]
    assert kws_streaming_words(base, wanted) == {"training": 24, "validation": 8, "testing": 8}
    assert len(list((base / "training" / "unknown").glob("*.wav"))) == 6


def test_kws_streaming_refuses(tmp_path, rows):
    """A part without one of the words, and no noise: errors to its reader, hours later."""
    few = [
        row for row in rows if not (row["split"] == "validation" and [x["label"] for x in row["labels"]] == ["stop"])
    ]
    with pytest.raises(BuildError, match="validation has no clip of 'stop'"):
        KwsStreaming().write(dataset(tmp_path, few), tmp_path / "labels")
    with pytest.raises(BuildError, match="no background noise: its reader fails without"):
        KwsStreaming().write(dataset(tmp_path, [row for row in rows if row["labels"]]), tmp_path / "labels")


def test_a_word_that_cannot_be_heard_is_no_silence(tmp_path, rows):
    """Nor is it the word: such clips are left out of all layouts."""
    lost = clip(tmp_path, "train", 98, "stop")
    lost["labels"][0]["audible"] = False
    heard = dataset(tmp_path, [*rows, lost])
    KwsStreaming().write(heard, tmp_path / "labels")
    MicroWakeWord(target=("stop",)).write(heard, tmp_path / "labels")
    assert not list((tmp_path / "labels").rglob("train-000000098.wav"))


def test_openwakeword(tmp_path, rows):
    """Four flat folders of cut phrases, counts that make its trainer skip generation, and the stub that it imports."""
    OpenWakeWord(target=("hey computer",), margin=0.1).write(dataset(tmp_path, rows), tmp_path / "labels")
    base = tmp_path / "labels" / "openwakeword"
    config = yaml.safe_load((base / "heycomputer.yml").read_text(encoding="utf-8"))
    count = {p.name: len(list(p.glob("*.wav"))) for p in (base / "heycomputer").iterdir()}
    assert count == {"positive_train": 6, "positive_test": 4, "negative_train": 12, "negative_test": 8}
    assert count["positive_train"] > 0.95 * config["n_samples"]
    assert count["negative_test"] > 0.95 * config["n_samples_val"]
    y, sr = soundfile.read(next((base / "heycomputer" / "positive_train").glob("*.wav")), dtype="int16")
    assert (sr, len(y)) == (SR, 8000 + 2 * 1600)
    for folder in (
        *config["rir_paths"],
        *config["background_paths"],
    ):  # os.scandir: every entry is taken for a mono 16 kHz file
        entries = list((base / folder).iterdir())
        assert entries
        assert all(soundfile.info(p).samplerate == SR and soundfile.info(p).channels == 1 for p in entries)
    scope: dict[str, Any] = {}
    exec((base / "generate_samples.py").read_text(encoding="utf-8"), scope)  # as `from generate_samples import …` does
    with pytest.raises(SystemExit, match="without --generate_clips"):
        scope["generate_samples"](text="x")
    with pytest.raises(BuildError, match="no clips for positive_train"):
        OpenWakeWord(target=("nobody",)).write(dataset(tmp_path, rows), tmp_path / "other")


def test_openwakeword_without_noise(tmp_path, rows):
    """A folder that is not there is an error to os.scandir: the configuration names none."""
    OpenWakeWord(target=("hey computer",)).write(
        dataset(tmp_path, [row for row in rows if row["labels"]]), tmp_path / "labels"
    )
    base = tmp_path / "labels" / "openwakeword"
    config = yaml.safe_load((base / "heycomputer.yml").read_text(encoding="utf-8"))
    assert config["background_paths"] == config["background_paths_duplication_rate"] == []


def test_openwakeword_false_accepts_an_hour(tmp_path, rows):
    """train.py divides by 11.3 hours whatever it is given: the configuration says what to multiply by."""
    tracks = [clip(tmp_path, "ambient", i, ["bird", "stop"], n=36 * SR) for i in range(2)]
    OpenWakeWord(target=("hey computer",)).write(dataset(tmp_path, [*rows, *tracks]), tmp_path / "labels")
    base = tmp_path / "labels" / "openwakeword"
    assert sum(soundfile.info(p).frames for p in (base / "ambient").iterdir()) == 72 * SR
    comment = (base / "heycomputer.yml").read_text(encoding="utf-8").split("model_name")[0]
    assert "ambient/ is 0.0200 hours" in comment
    assert "multiply what it reports by 565.00" in comment  # 11.3 h / 72 s


def test_microwakeword(tmp_path, rows):
    """A folder a kind and part, one header for all, and long tracks with their events."""
    tracks = [
        clip(tmp_path, f"{part}_ambient", 0, ["stop", "bird"], n=40 * SR, voice=part)
        for part in ("validation", "testing")
    ]
    MicroWakeWord(target=("hey computer",)).write(dataset(tmp_path, [*rows, *tracks]), tmp_path / "labels")
    base = tmp_path / "labels" / "microwakeword"
    assert len(list((base / "positive" / "training").glob("*.wav"))) == 6
    assert len(list((base / "negative" / "testing").glob("*.wav"))) == 4
    assert len(list((base / "background" / "validation").glob("*.wav"))) == 2
    for path in base.rglob("*.wav"):  # durations are told from file sizes, by the header of one
        raw = path.read_bytes()
        assert (len(raw) - 44) / (2 * SR) == soundfile.info(path).frames / SR
        assert struct.unpack("<HHIIHH", raw[20:36]) == (1, 1, SR, 2 * SR, 2, 16)
    for part in ("validation_ambient", "testing_ambient"):
        lines = (base / part / "events.tsv").read_text(encoding="utf-8").splitlines()
        assert lines[1] == f"{part}-000000000.wav\t0.250000\t0.750000\tstop"
        assert len(list((base / part).glob("*.wav"))) == 1


def test_ambient_tracks_are_free_of_the_wake_word(tmp_path, rows):
    """Trainers count every answer in them as a false accept; a stream is for that, and no layout of clips takes it."""
    track = clip(tmp_path, "ambient", 0, ["hey computer", "bird"], n=4 * SR)
    stream = clip(tmp_path, "stream", 0, ["hey computer", "bird"], n=4 * SR)
    for exporter in (MicroWakeWord(target=("hey computer",)), OpenWakeWord(target=("hey computer",))):
        with pytest.raises(BuildError, match=r"'hey computer' is said at 0\.25 s of an ambient track"):
            exporter.check(track)  # type: ignore[attr-defined]
        with pytest.raises(BuildError, match="call the split stream"):
            exporter.write(dataset(tmp_path, [*rows, track]), tmp_path / "labels")
        exporter.check(stream)  # type: ignore[attr-defined]
        exporter.write(dataset(tmp_path, [*rows, stream]), tmp_path / "labels")
    assert not list((tmp_path / "labels").rglob("stream-*"))


def test_microwakeword_ambient_tracks_are_as_long(tmp_path, rows):
    """The trainer divides the false accepts of both parts by the hours of the first."""
    tracks = [clip(tmp_path, "ambient", 0, "bird", n=4 * SR), clip(tmp_path, "testing_ambient", 0, "stop", n=5 * SR)]
    with pytest.raises(BuildError, match="validation are 4 s, those for testing 5 s"):
        MicroWakeWord(target=("hey computer",)).write(dataset(tmp_path, [*rows, *tracks]), tmp_path / "labels")


def test_nemo(tmp_path, rows):
    """Three manifests whose paths lead to the audio, wherever the dataset is moved."""
    Nemo().write(dataset(tmp_path, rows), tmp_path / "labels")
    base = tmp_path / "labels" / "nemo"
    for name, n in (("train", 24), ("validation", 8), ("test", 8)):
        lines = [json.loads(x) for x in (base / f"{name}_manifest.json").read_text(encoding="utf-8").splitlines()]
        assert len(lines) == n
        assert all((base / line["audio_filepath"]).resolve().is_file() for line in lines)
        assert {line["command"] for line in lines} == {"hey computer", "stop", "bird", "silence"}
        assert all(line["duration"] == 1.0 for line in lines)


def picovoice_score(base: Path, split: str, answers: list[float]) -> tuple[float, float]:
    """Score answers (seconds) as benchmark.py does, in frames of 512; returns the miss rate and false alarms an hour."""
    pcm, sr = soundfile.read(base / f"{split}.wav", dtype=np.int16)
    assert sr == SR
    times = [
        tuple(float(x) for x in line.strip("\n").split(", "))
        for line in (base / f"{split}.txt").read_text(encoding="utf-8").splitlines()
    ]
    frames = pcm.size // 512
    right = np.zeros(frames, dtype=bool)
    for start, end in times:
        right[int(start * SR // 512) : int((end * SR + 511) // 512) + 1] = True
    hits = [bool(right[int(t * SR // 512)]) for t in answers]
    return (len(times) - sum(hits)) / len(times), hits.count(False) / (pcm.size / (SR * 3600))


def test_picovoice(tmp_path, rows):
    """One stream a split, and where the wake word is in it: the benchmark's own scoring takes an answer 0.4 s late for right."""
    streams = [clip(tmp_path, "stream", i, ["hey computer", "bird"][i : i + 1], n=2 * SR) for i in range(2)]
    Picovoice(target=("hey computer",)).write(dataset(tmp_path, [*rows, *streams]), tmp_path / "labels")
    base = tmp_path / "labels" / "picovoice"
    assert sorted(p.name for p in base.iterdir()) == ["stream.txt", "stream.wav", "test.txt", "test.wav"]
    assert soundfile.info(base / "test.wav").frames == 8 * SR
    assert (base / "test.txt").read_text(encoding="utf-8") == "0.25, 1.25\n4.25, 5.25\n"
    assert picovoice_score(base, "test", [0.75 + 0.4, 4.75 + 0.4]) == (0.0, 0.0)
    assert picovoice_score(base, "test", [3.0, 0.1]) == (1.0, pytest.approx(2 / (8 / 3600)))
    assert picovoice_score(base, "stream", [0.9]) == (0.0, 0.0)


def test_picovoice_refuses(tmp_path, rows):
    """No wake word to divide by; one so soon after another that an answer would be of both."""
    with pytest.raises(BuildError, match="'nobody' is said in no split for testing"):
        Picovoice(target=("nobody",)).write(dataset(tmp_path, rows), tmp_path / "labels")
    close = [clip(tmp_path, "test", i, "hey computer", n=12_500) for i in range(2)]
    with pytest.raises(BuildError, match=r"lead in with more than 0\.5 s"):
        Picovoice(target=("hey computer",)).write(dataset(tmp_path, close), tmp_path / "labels")


def test_layouts_refuse_when_the_first_clip_is_made(tmp_path):
    """Not after hours of building: every layout looks at each clip."""
    wrong = clip(tmp_path, "train", 0, "stop", sr=8000)
    for exporter in (
        SpeechCommands(), KwsStreaming(), OpenWakeWord(target=("a",)), MicroWakeWord(target=("a",)),
    ):  # fmt: skip
        with pytest.raises(BuildError, match="8000 Hz in 1 channels"):
            exporter.check(wrong)  # type: ignore[attr-defined]
    with pytest.raises(BuildError, match="2 labels"):
        Nemo().check(clip(tmp_path, "train", 1, ["a", "b"]))
    with pytest.raises(BuildError, match="8000 samples"):
        SpeechCommands().check(clip(tmp_path, "train", 2, "stop", n=8000))
    with pytest.raises(BuildError, match="keyword layouts know"):
        Picovoice(target=("a",)).check(clip(tmp_path, "extra", 0, "stop"))


def test_joints_do_not_click():
    """Pieces are blended: no step larger than inside a piece."""
    a = (8000 * np.sin(np.arange(8000) * 0.05)).astype(np.int16)
    b = (8000 * np.sin(np.arange(8000) * 0.05 + 2.0)).astype(np.int16)
    y = joined([a, b]).astype(float)
    assert len(y) == 16_000 - 320
    assert np.max(np.abs(np.diff(y))) <= 1.5 * np.max(np.abs(np.diff(a.astype(float))))


def test_folder_words():
    """What is left of a label."""
    assert folder_word("Hey, Computer 2") == "heycomputer2"
    with pytest.raises(BuildError, match="needs letters"):
        folder_word("…")
