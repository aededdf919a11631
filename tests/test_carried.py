"""What is known of a recording travels with the stretch of it that is used: words, phones, sub-events, text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from material import tone, write_recipe, write_wav

from audiosynth import load_recipe, plan_clip, render
from audiosynth.errors import AssetError, RecipeError
from audiosynth.material.assets import AssetStore

SR = 8000
WORDS = [(0.2, 0.4, "one"), (0.5, 0.8, "two"), (0.9, 1.2, "three")]


def speech(folder: Path) -> Path:
    """Write a recording of 1.4 s with a tone where each word is, its words beside it, and silence around."""
    y = np.zeros((1, round(1.4 * SR)))
    for k, (onset, offset, _) in enumerate(WORDS):
        a, b = round(onset * SR), round(offset * SR)
        y[:, a:b] = tone(400.0 + 300 * k, offset - onset, SR)
    write_wav(folder / "said.wav", y, SR)
    (folder / "said.words").write_text("".join(f"{a}\t{b}\t{text}\n" for a, b, text in WORDS), encoding="utf-8")
    (folder / "said.txt").write_text("0.25\t0.3\tcough\n", encoding="utf-8")
    return folder


def label_of(folder: Path, source: dict, *, catalogue: dict | None = None, **event: object):
    """Return the one label of a clip with a stretch of the recording, and the clip."""
    spec = catalogue or {"layout": "flat", "include": [".wav"], "annotations": {"words": ".words", "events": ".txt"}}
    tree = {
        "sr": SR, "duration": 4.0, "clips": 1, "data": {"said": str(speech(folder / "said"))},
        "catalogues": {"said": {"data": "said", **spec}},
        "events": [{"label": "speech", "source": {"type": "file", "recording": {"pick": "said"}, **source}, "onset": 1.0, **event}],
    }  # fmt: skip
    recipe = load_recipe(write_recipe(folder / "r.yaml", tree), cache_dir=folder / "cache")
    clip = render(plan_clip(recipe, "train", 0), assets=AssetStore(recipe.roots))
    (label,) = clip.labels
    return label, clip


def sounding(y: np.ndarray, a: int, b: int) -> float:
    """Return the loudest frequency of a stretch in Hz."""
    part = y[0, a:b] * np.hanning(b - a)
    return float(np.argmax(np.abs(np.fft.rfft(part, 1 << 16))) * SR / (1 << 16))


def test_words_of_the_whole_recording(tmp_path):
    """Trimmed to its active part, the words stand where their tones are heard; the text is all of them."""
    label, clip = label_of(tmp_path, {})
    assert [text for text, _, _ in label.extra["words"]] == ["one", "two", "three"]
    for k, (_, a, b) in enumerate(label.extra["words"]):
        assert sounding(clip.y, a, b) == pytest.approx(400.0 + 300 * k, abs=4.0)
    assert label.extra["texts"] == [["one two three", label.onset, label.offset]]
    ((text, onset, offset),) = label.extra["sub_events"]
    assert (text, offset - onset) == ("cough", 400)
    assert onset == pytest.approx(SR + 400, abs=2)  # 0.05 s after the first word's tone, which begins with a zero


def test_words_of_a_stretch(tmp_path):
    """A stretch has the words in it, cut at its ends; the text leaves out a word of which less than half is heard."""
    label, _ = label_of(tmp_path, {"trim": False, "start": 0.45, "duration": 0.55})
    assert label.extra["words"] == [["two", SR + 400, SR + 2800], ["three", SR + 3600, SR + 4400]]
    assert label.extra["texts"][0][0] == "two"
    assert "sub_events" not in label.extra


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_words_go_through_effects(tmp_path, factor):
    """At another speed, and backwards in no case here, words are where their tones are, at other frequencies."""
    label, clip = label_of(tmp_path, {}, effects=[{"type": "speed", "factor": factor}])
    assert len(label.extra["words"]) == 3
    for k, (_, a, b) in enumerate(label.extra["words"]):
        assert sounding(clip.y, a, b) == pytest.approx(factor * (400.0 + 300 * k), abs=8.0)


def test_words_arrive_with_the_direct_sound(tmp_path):
    """In a room that is heard as late as sound travels, words are as much later as their sound is."""
    room = {
        "type": "shoebox",
        "size": [20.0, 6.0, 3.0],
        "alpha": 1.0,
        "receiver": {"position": {"point": [1.0, 3.1, 1.2]}},
    }
    near, _ = label_of(tmp_path, {})
    far, _ = label_of(tmp_path, {}, room=room, position={"point": [18.15, 3.1, 1.2]}, align="causal")
    later = {b[1] - a[1] for a, b in zip(near.extra["words"], far.extra["words"], strict=True)}
    assert later == {round(17.15 / 343.2 * SR)}


def test_anchors_are_of_the_sound_not_of_its_words(tmp_path):
    """`at` places the stretch as before: annotations of a recording move nothing."""
    label, _ = label_of(tmp_path, {"trim": False}, onset=None, at={"anchor": "offset", "time": 2.0})
    assert label.extra["words"][0][1] == 2 * SR - round(1.4 * SR) + round(0.2 * SR)


def test_fields_of_a_table(tmp_path):
    """A table of JSON lines gives words and texts as columns; a text counts where all of the recording is heard."""
    row = {"path": "said.wav", "text": "One, two: three!", "words": [list(word) for word in WORDS]}
    (tmp_path / "said").mkdir()
    (tmp_path / "said" / "t.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    label, _ = label_of(tmp_path, {}, catalogue={"table": "t.jsonl"})
    assert label.extra["texts"][0][0] == "One, two: three!"
    label, _ = label_of(tmp_path, {"duration": 0.25}, catalogue={"table": "t.jsonl"})
    assert label.extra["texts"][0][0] == "one"


def test_bad_annotations(tmp_path):
    """Columns and suffixes that cannot be annotations are refused with their place."""
    (tmp_path / "said").mkdir()
    (tmp_path / "said" / "t.jsonl").write_text('{"path": "said.wav", "words": [[0.1, "one"]]}\n', encoding="utf-8")
    with pytest.raises(AssetError, match=r"words: expected \[onset, offset, label\] in seconds"):
        label_of(tmp_path, {}, catalogue={"table": "t.jsonl"})
    with pytest.raises(RecipeError, match="annotations"):
        label_of(tmp_path, {}, catalogue={"layout": "flat", "annotations": {"sentences": ".txt"}})
    with pytest.raises(AssetError, match=r"no annotations 'said\.phn' beside it"):
        label_of(tmp_path, {}, catalogue={"layout": "flat", "include": [".wav"], "annotations": {"phones": ".phn"}})
