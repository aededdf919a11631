"""No voice, speaker, noise recording or room is in two splits: held against the manifest of a set made of all kinds of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiosynth import build, load_recipe
from audiosynth.speech import espeak

pytestmark = pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed (extra [speech])")
SR = 16_000
SPLITS = ("train", "validation", "test")


def recordings(root: Path) -> None:
    """Write short sounds of twelve speakers, twelve noises and twelve rooms, all different."""
    for folder in ("people", "noises", "rooms"):
        (root / folder).mkdir()
    for i in range(12):
        t = np.arange(SR // 2) / SR
        voice = 0.3 * np.sign(np.sin(2 * np.pi * (100 + 7 * i) * t)) * np.hanning(len(t))
        for take in range(2):
            soundfile.write(root / "people" / f"speaker{i}_{take}.wav", voice * (1 - 0.1 * take), SR)
        dice = np.random.default_rng(i)
        soundfile.write(root / "noises" / f"noise{i}.wav", 0.05 * dice.standard_normal(3 * SR), SR)
        room = dice.standard_normal(SR // 4) * np.exp(-np.arange(SR // 4) / (400 + 30 * i))
        room[40] = 8.0
        soundfile.write(root / "rooms" / f"room{i}.wav", 0.1 * room, SR)


def recipe(root: Path, cast: dict[str, Any]) -> Path:
    """Write a recipe of voices and of one's own speakers, in measured rooms, over recorded noise."""
    spoken = {"type": "speech", "text": "hey computer", "voice": {"pick": "cast"}}
    own = {"type": "file", "recording": {"pick": {"from": "people"}}}
    tree = {
        "sr": SR, "duration": 2.0, "clips": dict.fromkeys(SPLITS, 40), "splits": {"train": 2, "validation": 1, "test": 1},
        "data": {name: f"./{name}" for name in ("people", "noises", "rooms")},
        "catalogues": {
            "people": {"data": "people", "pattern": "{speaker}_{take}.wav", "group": "speaker"},
            "noises": {"data": "noises", "layout": "flat", "group": "path"},
            "rooms": {"data": "rooms", "layout": "flat", "group": "path"},
        },
        "voices": cast,
        "let": {"class": {"weighted": [[3, "target"], [1, "silence"]]}},
        "room": {"type": "measured", "recording": {"pick": {"from": "rooms"}}},
        "events": [{"by": {"on": "$class", "cases": {"silence": None}, "default": {
            "label": "hey computer", "source": {"weighted": [[2, spoken], [1, own]]},
            "at": {"anchor": "offset", "time": -0.2}, "overrun": "cut", "snr_db": 10.0,
        }}}],
        "noise": {"type": "file", "recordings": [{"pick": {"from": "noises"}}], "level_dbfs": -40.0},
        "export": ["speech_commands", {"type": "microwakeword", "target": ["hey computer"]}],
    }  # fmt: skip
    tree["duration"] = 1.0
    path = root / "r.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


def used(rows: list[dict[str, Any]]) -> dict[str, dict[str, set[str]]]:
    """Return what each split has of every kind: voices, persons, speakers, noises, rooms."""
    found: dict[str, dict[str, set[str]]] = {
        k: {s: set() for s in SPLITS} for k in ("voice", "speaker", "noise", "room")
    }
    for row in rows:
        split, spec = row["split"], row["spec"]
        for event in spec["events"]:
            source = event["source"]
            if source["type"].startswith("speech"):
                voice = source["voice"]
                person = voice["name"] if voice["engine"] == "espeak" else f"{voice['engine']} {voice['variant']}"
                found["voice"][split].add(person)
            else:
                found["speaker"][split].add(source["recording"]["meta"]["speaker"])
        found["room"][split].add(spec["room"]["recording"]["path"])
        found["noise"][split].update(
            r["path"] for layer in spec["noise"]["layers"] for r in layer["source"]["recordings"]
        )
    return found


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> tuple[Path, list[dict[str, Any]]]:
    """Return a build of both engines (where flite is installed) and one's own recordings."""
    root = tmp_path_factory.mktemp("leak")
    recordings(root)
    flite = {"engine": "flite", "variant": {"choice": ["kal", "kal16", "awb", "rms", "slt"]}}
    of = {"weighted": [[3, {"language": "en-us", "vocal_tract": {"uniform": [0.9, 1.1]}}], [1, flite]]}
    cast = {"n": 80, "of": of} if shutil.which("flite") else {"n": 80}
    out = build(load_recipe(recipe(root, cast)), root / "out").root
    return out, [json.loads(line) for line in (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", ["voice", "speaker", "noise", "room"])
def test_nothing_is_in_two_splits(rows, kind):
    """Every kind is in all splits, and nothing of it in two: a recorded voice of an engine is one person, however often drawn."""
    found = used(rows[1])[kind]
    assert all(found.values())
    assert sum(map(len, found.values())) == len(set().union(*found.values()))
    assert len(set().union(*found.values())) >= 5


def test_silence_is_of_the_split_s_own_noise(rows):
    """Background alone, from recordings that no other split has."""
    silent = [row for row in rows[1] if not row["labels"]]
    noises = {s: used([row for row in silent if row["split"] == s])["noise"][s] for s in SPLITS}
    assert all(noises.values())
    assert sum(map(len, noises.values())) == len(set().union(*noises.values()))


def test_own_speakers_stand_beside_voices(rows):
    """Recordings and engines are positives of one recipe by weight; the row says which, and the layouts keep speakers apart."""
    out, all_rows = rows
    spoken = [row for row in all_rows if row["labels"]]
    own = [row for row in spoken if row["made_of"]["recordings"] > 2]  # beside a room and a noise
    assert 0.2 < len(own) / len(spoken) < 0.5
    kinds = {row["made_of"]["voices"] for row in spoken}
    assert "formant" in kinds
    files = list((out / "labels" / "speech_commands" / "heycomputer").glob("*.wav"))
    assert len(files) == len(spoken)
    speakers = {path.name.partition("_")[0] for path in files}
    whole = used(all_rows)
    assert len(speakers) == sum(len(whole[kind][s]) for kind in ("voice", "speaker") for s in SPLITS)


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_rows_name_engine_version_and_hash(rows):
    """Each of its own engine: name, version, and a hash of what speaks."""
    for row in rows[1]:
        for event in row["spec"]["events"]:
            voice = event["source"].get("voice")
            if voice is None:
                continue
            needs = dict(need.split("==") for need in row["needs"])
            if voice["engine"] == "flite":
                assert needs["flite"][0].isdigit()
                assert len(needs[f"flite-{voice['variant']}"]) == 16
                assert row["made_of"]["voices"] == "recorded"
            else:
                assert needs["espeakng-loader"][0].isdigit()
                assert len(needs["libespeak-ng"]) == len(needs["espeak-ng-data"]) == 16
                assert row["made_of"]["voices"] == "formant"
