"""What a keyword recipe can say: styles, warps after synthesis, placement, context, length of clips, engines by weight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiosynth import load_recipe
from audiosynth.clip import RenderContext
from audiosynth.plan import plan_clip
from audiosynth.records.loaded import Recipe
from audiosynth.registry import create
from audiosynth.spec import Event, Place
from audiosynth.speech import espeak
from audiosynth.synths.speech import Speech

pytestmark = pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed (extra [speech])")
SR = 16_000
CTX = RenderContext(sr=SR)
PHRASES = {"target": "hey computer", "near": "hey commuter", "other": "dogs"}


def spoken(**more: Any) -> Speech:
    """Return a phrase."""
    return Speech.model_validate({"text": "hey computer", "seed": 1, **more})


def pitch(y: np.ndarray) -> np.ndarray:
    """Return the pitch in Hz every 10 ms, of voiced frames only."""
    import librosa

    f0, voiced, _ = librosa.pyin(y, fmin=50, fmax=400, sr=SR, frame_length=1024, hop_length=160)
    return f0[voiced]


def test_a_question_rises_and_a_statement_falls():
    """Over its last tenth of a second, in semitones; held against a pitch tracker."""
    ends = {}
    for style in ("statement", "question"):
        f0 = pitch(spoken(text="are you alone", style=style).render(CTX)[0])
        ends[style] = 12 * np.log2(np.median(f0[-4:]) / np.median(f0[-16:-8]))
    assert ends["question"] > 1.0
    assert ends["statement"] < -0.5


def test_hurried_speech_is_faster_and_without_pauses():
    """A third faster than plain speech, a command a tenth; a hurried speaker leaves no gaps between words."""
    n = {s: spoken(style=s, word_gap=0.1).extent(SR) for s in ("statement", "command", "hurried")}
    assert 0.80 < n["command"] / n["statement"] < 0.98
    assert n["hurried"] / n["statement"] < 0.75
    words = {s: [m for m in spoken(style=s, word_gap=0.1).marks(SR) if m.kind == "word"] for s in n}
    gaps = {s: words[s][1].onset - words[s][0].offset for s in n}
    assert gaps["statement"] > 0.08 * SR
    assert gaps["hurried"] < 0.05 * SR


@pytest.mark.parametrize("semitones", [-1.0, 1.0])
def test_pitch_warp_after_synthesis(semitones):
    """Moves the pitch by as much, and no mark."""
    speech = spoken(text="are you alone", voice={"intonation": 0.0})
    y = speech.render(CTX)
    warped = create("effects", {"type": "pitch_shift", "semitones": semitones}).apply(y, CTX)  # type: ignore[attr-defined]
    assert warped.shape == y.shape
    moved = 12 * np.log2(np.median(pitch(warped[0])) / np.median(pitch(y[0])))
    assert moved == pytest.approx(semitones, abs=0.3)


@pytest.mark.parametrize("ratio", [0.94, 1.06])
def test_formant_warp_after_synthesis(ratio):
    """Moves the spectral envelope by as much, and leaves the pitch."""
    speech = spoken(text="air", voice={"intonation": 0.0})
    a, b = speech.active(SR)
    y = speech.render(CTX)
    warped = create("effects", {"type": "formant_shift", "ratio": ratio}).apply(y, CTX)  # type: ignore[attr-defined]
    assert np.median(pitch(warped[0])) == pytest.approx(np.median(pitch(y[0])), rel=0.01)
    f = np.arange(0, 8000, 5)
    inside = (f > 300) & (f < 4000)

    def envelope(x: np.ndarray) -> np.ndarray:
        power = np.convolve(
            np.abs(np.fft.rfft(x[(3 * a + b) // 4 : (a + b) // 2], 16_384)) ** 2, np.hanning(241), "same"
        )
        return np.interp(f, np.fft.rfftfreq(16_384, 1 / SR), np.log(power + 1e-9))

    plain, moved = envelope(y[0]), envelope(warped[0])
    factors = np.arange(0.85, 1.16, 0.01)
    scores = [np.corrcoef(moved[inside], np.interp(f / k, f, plain)[inside])[0, 1] for k in factors]
    assert factors[int(np.argmax(scores))] == pytest.approx(ratio, abs=0.025)


def recipe(tmp_path: Path, place: dict[str, Any], **more: Any) -> Recipe:
    """Write one event for all classes, its place written once."""
    text = {"by": {"on": "$class", "cases": PHRASES}}
    event = {
        "label": {"by": {"on": "$class", "cases": {"target": "hey computer"}, "default": "unknown"}},
        "source": {"type": "speech", "text": text, "rate": {"integers": [110, 230]}}, "level_dbfs": -30, "overrun": "cut",
        **place,
    }  # fmt: skip
    tree = {
        "sr": SR, "duration": 2.0, "clips": 90, "let": {"class": {"choice": list(PHRASES)}}, "events": [event], **more,
    }  # fmt: skip
    path = tmp_path / "r.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return load_recipe(path)


def placed(made: Recipe) -> dict[str, list[tuple[float, float, float]]]:
    """Return (onset, middle, seconds after) of the phrase in every clip, by class."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for i in range(made.clips["train"]):
        spec = plan_clip(made, "train", i)
        event: Event = spec.events[0]
        place = event.place
        assert isinstance(place, Place)
        a, b = (place.onset + t for t in (place.active[0][0], place.active[-1][1]))
        found.setdefault(str(spec.let["class"]), []).append((a / SR, (a + b) / 2 / SR, (spec.n_samples - b) / SR))
    return found


@pytest.mark.parametrize(
    ("place", "what", "low", "high"),
    [
        ({"at": {"anchor": "offset", "time": {"uniform": [-0.25, -0.05]}}}, 2, 0.05, 0.25),  # end, with jitter
        ({"at": {"anchor": "centre", "time": 1.0}}, 1, 1.0, 1.0),
        ({"at": {"anchor": "onset", "time": {"uniform": [0.3, 0.5]}}}, 0, 0.3, 0.5),  # lead-in
    ],
)
def test_placement_is_the_same_for_all_classes(tmp_path, place, what, low, high):
    """End, centre, lead-in: of the phrase itself, however long it is, in the same range for targets and negatives."""
    found = placed(recipe(tmp_path, place))
    assert set(found) == set(PHRASES)
    for spans in found.values():
        values = [span[what] for span in spans]
        assert min(values) >= low - 1e-4
        assert max(values) <= high + 1e-4
        if high > low:
            assert max(values) - min(values) > 0.6 * (high - low)


def test_random_placement(tmp_path):
    """Anywhere it fits, for all classes: from the first to the last place there is."""
    for spans in placed(recipe(tmp_path, {"onset": {"slack": {"uniform": [0, 1]}}})).values():
        fractions = [onset / (onset + after) for onset, _, after in spans]
        assert min(fractions) < 0.15
        assert max(fractions) > 0.85
        assert np.mean(fractions) == pytest.approx(0.5, abs=0.15)


def test_clips_as_long_as_what_is_said(tmp_path):
    """A lead-in, the phrase, and as much after it, for all classes."""
    made = recipe(tmp_path, {"onset": 0.4, "overrun": "error"}, duration={"fit": 0.3})
    lengths = {plan_clip(made, "train", i).duration for i in range(30)}
    assert len(lengths) > 20
    for spans in placed(made).values():
        assert all(onset == pytest.approx(0.4, abs=0.02) for onset, _, _ in spans)
        assert all(0.3 <= after < 0.4 for _, _, after in spans)


def test_running_speech_around_the_phrase(tmp_path):
    """Its end, not that of what is said after it, is where the clip puts it; the words around it are said."""
    more = {"before": "then she told the", "after": "to stop"}
    source = {"type": "speech", "text": "red machine", "context": more, "seed": 1}
    event = {
        "label": "x",
        "source": source,
        "level_dbfs": -30,
        "overrun": "cut",
        "at": {"anchor": "offset", "time": -0.5},
    }
    path = tmp_path / "c.yaml"
    path.write_text(json.dumps({"sr": SR, "duration": 2.0, "clips": 1, "events": [event]}), encoding="utf-8")
    place = plan_clip(load_recipe(path), "train", 0).events[0].place
    assert place is not None
    words = {name: (place.onset + a, place.onset + b) for kind, name, a, b in place.marks if kind == "word"}
    assert words["machine"][1] == SR * 3 // 2
    assert words["told"][1] <= words["red"][0]
    assert words["to"][0] >= words["machine"][1]


def test_engines_and_recordings_by_weight(tmp_path):
    """One recipe, sources in the shares of their weights; every one a positive."""
    kinds = {"weighted": [[6, {"type": "speech", "text": "go"}], [3, {"type": "speech", "text": "go", "voice": {"klatt": 2}}],
                          [1, {"type": "tone", "frequency": 440, "duration": 0.3}]]}  # fmt: skip
    tree = {"sr": SR, "duration": 1.0, "clips": 400, "events": [{"label": "go", "source": kinds, "level_dbfs": -30}]}
    path = tmp_path / "w.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8")
    made = load_recipe(path)
    sources = [plan_clip(made, "train", i).events[0].source for i in range(400)]
    share = (
        np.mean([s.type_name == "tone" for s in sources]),
        np.mean(
            [s.type_name == "speech" and s.voice.klatt == 2 for s in sources]  # type: ignore[attr-defined]
        ),
    )
    assert share == (pytest.approx(0.1, abs=0.05), pytest.approx(0.3, abs=0.08))
