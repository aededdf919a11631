"""The shipped keyword recipes: no leakage between splits, the same placement for all classes, layouts that read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiosynth import build, espeak, load_recipe, shipped_recipe

pytestmark = pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed (extra [speech])")


def built(name: str, out: Path, *sets: str) -> tuple[Path, list[dict[str, Any]]]:
    """Build a shipped recipe and return its folder and rows."""
    root = build(load_recipe(shipped_recipe(name), set_values=sets), out).root
    return root, [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def wake_word(tmp_path_factory) -> tuple[Path, list[dict[str, Any]]]:
    """Return a small build of the wake word recipe."""
    clips = "clips={train: 40, validation: 20, test: 20, ambient: 3}"
    return built("wake_word", tmp_path_factory.mktemp("w") / "out", clips, "duration.by.cases.ambient=20")


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
    """Held against the manifest: voices of the cast, rooms and noises."""
    _, rows = wake_word
    voices = by_split(
        rows, lambda s: [v["name"] for e in s["events"] if (v := e["source"].get("voice")) and v["name"] != "device"]
    )
    assert min(map(len, voices.values())) >= 3
    assert apart(voices)
    rooms = by_split(rows, lambda s: [s["room"]] if s["room"] is not None and s["room"]["type"] != "none@1" else [])
    assert apart(rooms)
    assert apart(by_split(rows, lambda s: [layer["source"]["seed"] for layer in s["noise"]["layers"]]))


def test_positives_and_negatives_stand_alike(wake_word):
    """The end of the phrase is 50 to 250 ms before that of the clip, whatever the class: position tells nothing."""
    _, rows = wake_word
    ends: dict[str, list[float]] = {}
    for row in rows:
        for label in row["labels"] if row["split"] != "ambient" else ():
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
            if event["label"] == "unknown" and row["split"] != "ambient":
                why = event["let"]["negative"]
                assert why["of"] == "hey computer"
                assert (why["distance"] is None) == (why["kind"] == "foreign")
                kinds.add(why["kind"])
    assert len(kinds) >= 5
    assert any(not row["labels"] for row in rows)


def test_wake_word_layouts(wake_word):
    """Long tracks have their events; the stream's times are where the phrase is."""
    root, rows = wake_word
    tracks = [row for row in rows if row["split"] == "ambient"]
    lines = (root / "labels" / "microwakeword" / "ambient" / "events.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) == sum(len(row["labels"]) for row in tracks)
    assert {line.split("\t")[3] for line in lines} <= {"hey computer", "unknown"}
    said = (root / "labels" / "picovoice" / "test.txt").read_text(encoding="utf-8").splitlines()
    test = [row for row in rows if row["split"] == "test"]
    assert len(said) == sum(label["label"] == "hey computer" for row in test for label in row["labels"])
    assert soundfile.info(root / "labels" / "picovoice" / "test.wav").frames == sum(row["n_samples"] for row in test)


def test_speech_commands(tmp_path):
    """Commands, unknown words and silence at their shares; every split's files in the lists."""
    root, rows = built("speech_commands", tmp_path / "out", "clips={train: 120, validation: 24, test: 24}")
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
