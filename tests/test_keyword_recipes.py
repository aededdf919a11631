"""The shipped keyword recipes: no leakage between splits, the same placement for all classes, layouts that read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiosynth import build, load_recipe, shipped_recipe
from audiosynth.speech import espeak

pytestmark = pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed (extra [speech])")


NEAR = ("alike", "prefix", "rhyme", "partial", "shuffled")
CLIPS = ("train", "validation", "test")


def built(name: str, out: Path, *sets: str) -> tuple[Path, list[dict[str, Any]]]:
    """Build a shipped recipe and return its folder and rows."""
    root = build(load_recipe(shipped_recipe(name), set_values=sets), out).root
    return root, [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def wake_word(tmp_path_factory) -> tuple[Path, list[dict[str, Any]]]:
    """Return a small build of the wake word recipe."""
    clips = "clips={train: 60, validation: 20, test: 20, ambient: 3, testing_ambient: 3, stream: 3}"
    duration = "duration={by: {on: $split, cases: {ambient: 20, testing_ambient: 20, stream: 20}, default: 2.0}}"
    return built("wake_word", tmp_path_factory.mktemp("w") / "out", clips, duration)


def by_split(rows: list[dict[str, Any]], what) -> dict[str, set[str]]:
    """Return what each split has of something, as texts."""
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["split"], set()).update(json.dumps(x, sort_keys=True) for x in what(row["spec"]))
    return found


def apart(found: dict[str, set[str]]) -> bool:
    """Return whether no two splits share anything."""
    return sum(map(len, found.values())) == len(set().union(*found.values()))


def test_no_voice_noise_or_room_is_in_two_splits(wake_word):
    """Held against the manifest: voices (people's and the device's), rooms and noises."""
    _, rows = wake_word
    voices = by_split(rows, lambda s: [v["name"] for e in s["events"] if (v := e["source"].get("voice"))])
    assert set(voices) == {"train", "validation", "test", "ambient", "testing_ambient", "stream"}
    assert min(map(len, voices.values())) >= 3
    assert any("device" in name for name in voices["train"])
    assert apart(voices)
    rooms = by_split(rows, lambda s: [s["room"]] if s["room"] is not None and s["room"]["type"] != "none@1" else [])
    assert apart(rooms)
    assert apart(by_split(rows, lambda s: [layer["source"]["seed"] for layer in s["noise"]["layers"]]))


def test_positives_and_negatives_stand_alike(wake_word):
    """The end of the phrase is 50 to 250 ms before that of the clip, whatever the class: position tells nothing."""
    _, rows = wake_word
    ends: dict[str, list[float]] = {}
    for row in rows:
        for label in row["labels"] if row["split"] in CLIPS else ():
            ends.setdefault(label["label"], []).append(row["duration"] - label["offset"])
    assert set(ends) == {"hey computer", "unknown"}
    for away in ends.values():
        assert min(away) >= 0.049
        assert max(away) <= 0.251
    assert np.mean(ends["hey computer"]) == pytest.approx(np.mean(ends["unknown"]), abs=0.03)


def test_every_negative_says_why(wake_word):
    """Kind, phrase and distance stand in the row; silence has no label."""
    _, rows = wake_word
    kinds = set()
    for row in rows:
        for event in row["spec"]["events"]:
            if event["label"] == "unknown":
                why = event["let"]["negative"]
                assert why["of"] == "hey computer"
                assert why["distance"] >= (0.05 if why["kind"] in NEAR else 0)
                kinds.add(why["kind"])
    assert len(kinds) >= 5
    assert any(not row["labels"] for row in rows)


def test_positives_and_negatives_are_made_alike(wake_word):
    """Rate, warp and level have the same range for both, and no clip of one class alone has a style."""
    _, rows = wake_word
    found: dict[str, list[tuple[float, float | None, float]]] = {}
    styles: dict[str, set[str]] = {}
    for row in rows:
        for event in row["spec"]["events"] if row["split"] in CLIPS else ():
            if event["label"] is not None:
                source = event["source"]
                factor = next((effect["factor"] for effect in event["effects"]), None)  # three in ten are warped
                numbers = (source["rate"], factor, event["level"]["snr_db"])
                found.setdefault(event["label"], []).append(numbers)
                styles.setdefault(event["label"], set()).add(source["style"])
    assert styles["hey computer"] == styles["unknown"]
    for k, (low, high) in enumerate(((110, 230), (0.94, 1.06), (0, 25))):
        for numbers in found.values():
            values = [item[k] for item in numbers if item[k] is not None]
            assert low <= min(values) < low + 0.3 * (high - low)
            assert high - 0.3 * (high - low) < max(values) <= high


def test_the_device_is_heard_over_the_noise_and_has_no_label(wake_word):
    """Residual echo of its own voice and of its music: unlabeled, band-limited, within 8 dB of the noise, in the row."""
    _, rows = wake_word
    both = [pair for row in rows for pair in zip(row["spec"]["events"], row["outcomes"]["events"], strict=True)]
    echoes = [pair for pair in both if pair[0]["name"] == "echo"]
    music = [pair for pair in both if pair[0]["source"]["type"] == "plucked_string@1"]
    assert echoes
    assert music
    for event, outcome in (*echoes, *music):
        assert event["label"] is None
        assert event["effects"][0]["kind"] == "bandpass"
        assert -8.01 <= outcome["realised_snr_db"] <= 6.01
    assert {event["source"]["voice"]["name"].partition("-")[0] for event, _ in echoes} == {"device"}


def test_wake_word_layouts(wake_word):
    """Long tracks have their events, and the wake word is in none; the stream's times are where it is."""
    root, rows = wake_word
    for split, part in (("ambient", "validation_ambient"), ("testing_ambient", "testing_ambient")):
        tracks = [row for row in rows if row["split"] == split]
        text = (root / "labels" / "microwakeword" / part / "events.tsv").read_text(encoding="utf-8")
        lines = text.splitlines()[1:]
        assert len(lines) == sum(len(row["labels"]) for row in tracks) >= 5 * len(tracks)
        assert {line.split("\t")[3] for line in lines} == {"unknown"}
    for split in ("test", "stream"):
        said = (root / "labels" / "picovoice" / f"{split}.txt").read_text(encoding="utf-8").splitlines()
        some = [row for row in rows if row["split"] == split]
        assert len(said) == sum(label["label"] == "hey computer" for row in some for label in row["labels"]) > 0
        n_samples = soundfile.info(root / "labels" / "picovoice" / f"{split}.wav").frames
        assert n_samples == sum(row["n_samples"] for row in some)
    assert all(
        sum(label["label"] == "hey computer" for label in row["labels"]) == 1
        for row in rows
        if row["split"] == "stream"
    )


def test_speech_commands(tmp_path):
    """Commands, unknown words and silence at their shares; every split's files in the lists."""
    root, rows = built("speech_commands", tmp_path / "out", "clips={train: 120, validation: 120, test: 120}")
    base = root / "labels" / "speech_commands"
    listed = sum(
        len((base / f"{part}_list.txt").read_text(encoding="utf-8").split()) for part in ("validation", "testing")
    )
    assert listed == sum(bool(row["labels"]) for row in rows if row["split"] != "train")
    commands = {"yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"}
    share = np.mean([label["label"] in commands for row in rows for label in row["labels"]])
    assert share == pytest.approx(10 / 11, abs=0.08)
    assert np.mean([not row["labels"] for row in rows]) == pytest.approx(1 / 12, abs=0.07)
    assert {p.name for p in (root / "labels" / "kws_streaming" / "training").iterdir()} <= commands | {
        "unknown",
        "silence",
    }
