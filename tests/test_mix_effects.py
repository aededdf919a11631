"""Labels, words and sub-events follow effects of the mix and chains of effects on events: they are where their sound is heard."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from material import tone, write_recipe, write_wav

from audiosynth import build, load_recipe, plan_clip, render, reproduce
from audiosynth.errors import PlanError
from audiosynth.material.assets import AssetStore
from audiosynth.planning.replan import replan

SR = 8000
WORDS = [(0.2, 0.4, "one"), (0.5, 0.8, "two"), (0.9, 1.2, "three")]
PITCH = {"one": 500.0, "two": 900.0, "three": 1300.0}


def recording(folder: Path, y: np.ndarray, words: list[tuple[float, float, str]], sr: int) -> dict[str, Any]:
    """Write a recording with its words beside it; returns what a recipe says to use all of it."""
    folder.mkdir(exist_ok=True)
    write_wav(folder / "said.wav", y, sr)
    (folder / "said.words").write_text("".join(f"{a}\t{b}\t{text}\n" for a, b, text in words), encoding="utf-8")
    (folder / "said.txt").write_text("0.5\t0.8\tcough\n", encoding="utf-8")
    return {
        "data": {"said": str(folder)},
        "catalogues": {
            "said": {
                "data": "said", "layout": "flat", "include": [".wav"], "annotations": {"words": ".words", "events": ".txt"},
            }
        },
    }  # fmt: skip


def made(folder: Path, *mix: dict[str, Any], **event: Any) -> Any:
    """Return a clip of 3 s with a tone of its own pitch for each word, from 1 s on, and these effects on the mix."""
    y = np.zeros((1, round(1.4 * SR)))
    for a, b, text in WORDS:
        y[:, round(a * SR) : round(b * SR)] = tone(PITCH[text], b - a, SR)
    source = {"type": "file", "recording": {"pick": "said"}, "trim": False}
    tree = {
        "sr": SR, "duration": 3.0, "clips": 1, **recording(folder / "said", y, WORDS, SR),
        "events": [{"label": "speech", "source": source, "onset": 1.0, "level_dbfs": -20, **event}],
        "mix": {"effects": list(mix)},
    }  # fmt: skip
    recipe = load_recipe(write_recipe(folder / "r.yaml", tree), cache_dir=folder / "cache")
    return render(plan_clip(recipe, "train", 0), assets=AssetStore(recipe.roots))


def loudest(y: np.ndarray, a: int, b: int) -> float:
    """Return the loudest frequency of a stretch in Hz."""
    return float(np.argmax(np.abs(np.fft.rfft(y[0, a:b] * np.hanning(b - a), 1 << 16))) * SR / (1 << 16))


def said(clip: Any, kind: str = "words") -> list[list[Any]]:
    """Return the words of all labels, and check that each is in one label only, in order."""
    found = [label.extra.get(kind, []) for label in clip.labels]
    assert all(marks == sorted(marks, key=lambda mark: mark[1]) for marks in found)
    return sorted((mark for marks in found for mark in marks), key=lambda mark: mark[1])


CHAINS: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "nothing": ([], ["one", "two", "three"]),
    "reverse": ([{"type": "reverse"}], ["three", "two", "one"]),
    "later": ([{"type": "shift", "time": 0.4}], ["one", "two", "three"]),
    "some lost": ([{"type": "shift", "time": -1.45}], ["two", "three"]),
    "around": ([{"type": "shift", "time": 1.15, "rollover": True}], ["three", "one", "two"]),
    "pad and trim": ([{"type": "pad", "before": 0.3}, {"type": "trim", "end": 0.3}], ["one", "two", "three"]),
    "clock": ([{"type": "clock_drift", "ppm": 9000.0, "keep_length": True}], ["one", "two", "three"]),
    "wander": (
        [{"type": "clock_drift", "ppm": 0.0, "wander_ppm": 9000.0, "period": 0.9, "keep_length": True}],
        ["one", "two", "three"],
    ),
    "stutter": (
        [{"type": "repeat", "start": 1.45, "duration": 0.4, "n": 1, "mode": "replace"}],
        ["one", "two", "two"],
    ),
    "codec, round, backwards": (
        [{"type": "g711", "law": "a"}, {"type": "shift", "time": 0.9, "rollover": True}, {"type": "reverse"}],
        ["three", "two", "one", "three"],
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_words_are_where_they_are_heard(tmp_path: Path, name: str) -> None:
    """Each word's tone is heard over its time, and silence or another tone beside it."""
    effects, order = CHAINS[name]
    clip = made(tmp_path, *effects)
    words = said(clip)
    assert [text for text, _, _ in words] == order
    for text, a, b in words:
        assert loudest(clip.y, a, b) == pytest.approx(PITCH[text], rel=0.012, abs=4.0)
        quiet = [
            stretch
            for stretch in (clip.y[0, max(0, a - 200) : max(0, a - 8)], clip.y[0, b + 8 : b + 200])
            if stretch.size
        ]
        heard = np.abs(clip.y[0, a + 8 : b - 8]).max()
        assert all(np.abs(stretch).max() < 0.05 * heard for stretch in quiet) or name == "stutter"
    coughs = said(clip, "sub_events")
    assert [[a, b] for _, a, b in coughs] == [[a, b] for text, a, b in words if text == "two"]


def test_labels_are_cut_and_doubled(tmp_path: Path) -> None:
    """A label that goes round is two, each open at one end; one that is cut says so; the row has the last moment heard."""
    around = made(tmp_path, {"type": "shift", "time": 1.0, "rollover": True})
    assert [(label.onset, label.offset, label.extra["partial"]) for label in around.labels] == [
        (0, round(0.2 * SR), "onset"),
        (round(2.2 * SR) + 1, 3 * SR, "offset"),
    ]
    assert [[m[0] for m in label.extra["words"]] for label in around.labels] == [["three"], ["one", "two", "three"]]
    cut = made(tmp_path, {"type": "shift", "time": -1.3})
    ((label,), reading) = cut.labels, cut.outcomes["events"][0]
    assert (label.onset, label.offset, label.extra["partial"]) == (0, round(0.9 * SR), "onset")
    assert reading["dry_offset"] == 1.1
    backwards = made(tmp_path, {"type": "shift", "time": -1.3}, {"type": "reverse"})
    assert (backwards.labels[0].extra["partial"], backwards.labels[0].offset) == ("offset", 3 * SR)


def test_a_sound_that_is_lost_has_no_label(tmp_path: Path) -> None:
    """What the mix loses entirely is not labeled, and its row says that it is never heard; on the event it is an error."""
    clip = made(tmp_path, {"type": "shift", "time": 2.5})
    assert clip.labels == ()
    assert clip.outcomes["events"][0]["dry_offset"] is None
    assert not clip.y.any()
    with pytest.raises(PlanError, match=r"events\[0\]: its effects leave nothing of its sound .* cut or shift by less"):
        made(tmp_path, effects=[{"type": "shift", "time": 1.5}])


def test_tails_follow(tmp_path: Path) -> None:
    """Backwards, the decay comes before the sound, and a label with its tail covers both."""
    tree = {
        "sr": SR, "duration": 3.0, "clips": 1, "labels": {"offset": "tail"},
        "room": {"type": "statistical", "rt60": 0.5, "drr_db": 0.0},
        "events": [{"label": "x", "source": {"type": "noise_burst", "duration": 0.3}, "onset": 1.0, "level_dbfs": -20}],
    }  # fmt: skip
    there, back = (
        render(plan_clip(load_recipe(write_recipe(tmp_path / "r.yaml", {**tree, "mix": mix})), "train", 0))
        for mix in ({}, {"effects": [{"type": "reverse"}]})
    )
    assert there.labels[0].offset > round(1.4 * SR)
    assert (back.labels[0].onset, back.labels[0].offset) == (3 * SR - there.labels[0].offset, 2 * SR)
    assert np.allclose(back.y, there.y[:, ::-1], atol=1e-12)


def test_a_moving_source_is_followed(tmp_path: Path) -> None:
    """The moments of a track go with the mix."""
    tree = {
        "sr": SR, "duration": 2.0, "clips": 1,
        "room": {"type": "shoebox", "size": [6, 5, 3], "alpha": 1.0, "receiver": {"position": [3.2, 2.1, 1.2]}},
        "events": [{
            "label": "x", "source": {"type": "tone", "frequency": 400, "duration": 1.0}, "onset": 0.25, "level_dbfs": -20,
            "position": [1.0, 2.0, 1.2], "motion": {"to": [1.0, 4.0, 1.2]},
        }],
    }  # fmt: skip
    there, back = (
        render(plan_clip(load_recipe(write_recipe(tmp_path / "r.yaml", {**tree, "mix": mix})), "train", 0)).labels[0]
        for mix in ({}, {"effects": [{"type": "reverse"}]})
    )
    first, last = there.extra["track"][0], there.extra["track"][-1]
    assert back.extra["track"][-1] == [pytest.approx(2.0 - first[0], abs=2e-4), *first[1:]]
    assert back.extra["track"][0] == [pytest.approx(2.0 - last[0], abs=2e-4), *last[1:]]


@pytest.mark.parametrize(
    ("effect", "match"),
    [
        (
            {"type": "speed", "factor": 1.1},
            r"clip train/0, mix\.effects: they make 2\.727 s of a clip of 3\.000 s.*keep_length",
        ),
        ({"type": "clock_drift", "ppm": 500.0}, r"mix\.effects: they make 3\.002 s of a clip of 3\.000 s"),
        (
            {"type": "mp3", "bitrate": 192.0},
            r"clip train/0, mix\.effects: mp3: 192 kbit/s at 8000 Hz; MP3 has 8 to 64 there",
        ),
        ({"type": "trim", "start": 4.0}, r"mix\.effects: trim: start 4 s and end 0 s leave nothing of a sound of 3 s"),
    ],
)
def test_the_clip_keeps_its_length(tmp_path: Path, effect: dict[str, Any], match: str) -> None:
    """An effect of the mix that changes the clip's length, or cannot be at its rate, is refused in the plan, and in a change of it."""
    with pytest.raises(PlanError, match=match):
        made(tmp_path, effect)
    spec = made(tmp_path, {"type": "gain", "gain_db": -1.0}).spec
    tree = spec.model_dump(mode="json")
    tree["mix"]["effects"] = [effect]
    with pytest.raises(PlanError, match=match.removeprefix(r"clip train/0, ")):
        replan(spec, tree)


def test_back_from_the_row(tmp_path: Path) -> None:
    """A clip with codecs and lost packets on its mix comes back from its row, which says what it needs; stems of linear ones add up."""
    tree = {
        "sr": 16000, "duration": 1.0, "clips": 2, "noise": {"type": "coloured", "colour": "pink", "level_dbfs": -50},
        "events": [{"label": "x", "source": {"type": "chirp", "fmin": 300, "fmax": 3000, "duration": 0.5}, "onset": 0.2, "snr_db": 20}],
        "mix": {"effects": [{"type": "opus", "bitrate": 24.0}, {"type": "packet_loss", "good_to_bad": 0.1, "bad_to_good": 0.4}]},
    }  # fmt: skip
    build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(any(need.startswith("libsndfile==") for need in row["needs"]) for row in rows)
    seeds = [row["spec"]["mix"]["effects"][1]["seed"] for row in rows]
    assert seeds[0] != seeds[1]
    assert all(again.same for again in reproduce([json.dumps(row) for row in rows]))
    linear = {**tree, "mix": {"effects": [{"type": "shift", "time": 0.1, "rollover": True}]}, "output": {"stems": True}}
    clip = render(plan_clip(load_recipe(write_recipe(tmp_path / "l.yaml", linear)), "train", 0), stems=True)
    assert np.array_equal(sum(stem.astype(np.int64) for stem in clip.stems.values()), clip.pcm16)


def click(t: np.ndarray) -> np.ndarray:
    """Return a click of 4 ms around t = 0."""
    return np.where(np.abs(t) < 0.002, 0.9 * np.cos(2 * np.pi * 1500 * t) * np.cos(np.pi * t / 0.004) ** 2, 0.0)


@pytest.mark.parametrize("align", ["causal", "direct"])
def test_words_after_speed_opus_and_room(tmp_path: Path, align: str) -> None:
    """After speed 1.1, Opus and a room, each word begins within 5 ms of where the click at its start is found."""
    sr, starts = 16000, (0.31, 0.94, 1.52, 2.2)
    t = np.arange(round(2.8 * sr)) / sr
    y = sum(click(t - at) for at in starts) + 0.001 * np.random.default_rng(1).standard_normal(t.size)
    words = [(at, at + 0.3, f"w{i}") for i, at in enumerate(starts)]
    tree = {
        "sr": sr, "duration": 4.0, "clips": 1, **recording(tmp_path / "said", y[None], words, sr),
        "room": {"type": "shoebox", "size": [6, 5, 3], "rt60": 0.4, "receiver": {"position": [1.2, 2.1, 1.2]}},
        "events": [{
            "label": "speech", "source": {"type": "file", "recording": {"pick": "said"}, "trim": False}, "onset": 0.7,
            "effects": [{"type": "speed", "factor": 1.1}, {"type": "opus", "bitrate": 24.0}],
            "position": [4.2, 2.4, 1.5], "align": align, "level_dbfs": -20,
        }],
    }  # fmt: skip
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree), cache_dir=tmp_path / "cache")
    clip = render(plan_clip(recipe, "train", 0), assets=AssetStore(recipe.roots))
    like = np.abs(np.correlate(clip.y[0], click(np.arange(-32, 33) / sr * 1.1), "same"))
    edges = [0, *(round((0.7 + (a + b) / 2 / 1.1) * sr) for a, b in pairwise(starts)), like.size]
    # a reflection may be stronger than the direct sound: the first that comes near to the largest is the click itself
    found = [a + int(np.argmax(like[a:b] > 0.4 * like[a:b].max())) for a, b in pairwise(edges)]
    late = 0.0 if align == "direct" else np.hypot(np.hypot(3.0, 0.3), 0.3) / 343.2
    for (_, onset, _), heard, at in zip(said(clip), found, starts, strict=True):
        assert abs(onset - heard) / sr < 0.005
        assert onset / sr == pytest.approx(0.7 + at / 1.1 + late, abs=0.0003)
