"""Double talk and echo: the reference comes first, the echo is as late and as loud as drawn, the parts add up, double talk is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from material import noise, read_wav, write_recipe, write_wav

from audiosynth import build, load_recipe, plan_clip, shipped_recipe
from audiosynth.material.stems import stem_path

SR = 16_000


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, list[dict[str, Any]]]:
    """Return the shipped recipe on noises in place of speech: raw clips without distortion, drift or residual."""
    folder = tmp_path_factory.mktemp("echo")
    for s in range(3):
        for k in range(2):
            write_wav(folder / "speech" / f"{s}-1-{k}.wav", 0.1 * noise(1.0 + 0.4 * k, SR, seed=10 * s + k), SR)
    sets = (
        "let.stage=microphone",
        "let.plays=speech",
        "let.ppm=0",
        "let.driven=0",
        "let.double=0.2",
        "noise.level_dbfs=-90",
    )
    recipe = load_recipe(
        shipped_recipe("speech_echo"),
        data={"speech": str(folder / "speech")},
        set_values=sets,
        clips=3,
        cache_dir=folder / "cache",
    )
    root = build(recipe, folder / "out").root
    return root, [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def stem(root: Path, row: dict[str, Any], name: str) -> np.ndarray:
    """Return a stem's samples, as floats."""
    return read_wav(root / stem_path(row["path"], name))[0][0] / 32768.0


def test_the_echo_is_the_reference_later(built):
    """The reference is what is correlated most with the echo, `delay` seconds before it."""
    root, rows = built
    for row in rows:
        far, reference = stem(root, row, "label_far"), stem(root, row, "label_far.source")
        n = 2 * len(far)
        spectrum = np.fft.rfft(far, n) * np.conj(np.fft.rfft(reference, n))
        lag = int(np.argmax(np.abs(np.fft.irfft(spectrum / np.maximum(np.abs(spectrum), 1e-9), n))))
        assert abs(lag - row["spec"]["let"]["delay"] * SR) <= 2


def test_the_echo_is_as_loud_as_drawn(built):
    """Levels over the active samples differ by echo_db: these noises have no pauses, so their active level is their RMS."""
    root, rows = built
    for row in rows:
        rms = {}
        for name in ("near", "far"):
            y = stem(root, row, f"label_{name}")
            where = np.zeros(len(y), bool)
            for label in row["labels"]:
                if label["label"] == name:
                    where[label["onset_sample"] : label["offset_sample"]] = True
            rms[name] = 10 * np.log10(np.mean(y[where] ** 2))
        assert rms["far"] - rms["near"] == pytest.approx(row["spec"]["let"]["echo_db"], abs=0.7)


def test_parts_add_up_and_double_talk_is_told(built):
    """Near, far and noise are the clip exactly; the row's stretches of double talk are those in which both labels hold."""
    root, rows = built
    for row in rows:
        mix = soundfile.read(root / row["path"], dtype="int16")[0].astype(int)
        parts = [read_wav(root / stem_path(row["path"], name))[0][0] for name in ("label_near", "label_far", "noise")]
        assert np.array_equal(np.sum(parts, axis=0, dtype=int), mix)
        both = np.zeros((2, row["n_samples"]), bool)
        for label in row["labels"]:
            both[int(label["label"] == "far"), label["onset_sample"] : label["offset_sample"]] = True
        told = np.zeros(row["n_samples"], bool)
        (one,) = row["outcomes"]["conversations"]
        for a, b in one["overlaps"]:
            told[a:b] = True
        assert np.array_equal(told, both.all(axis=0))
        assert one["overlap_ratio"] == pytest.approx(told.sum() / both.any(axis=0).sum(), abs=1e-6)
        assert one["overlap_ratio"] == pytest.approx(0.2, abs=1e-4)


def test_a_canceller_takes_the_echo_away(tmp_path, built):
    """The same clips cancelled: the echo is erle_db quieter, filtered otherwise, and the near-end speech what it was."""
    root, rows = built
    speech = root.parent / "speech"
    sets = (
        "let.stage=cancelled",
        "let.plays=speech",
        "let.ppm=0",
        "let.driven=0",
        "let.double=0.2",
        "noise.level_dbfs=-90",
    )
    recipe = load_recipe(
        shipped_recipe("speech_echo"), data={"speech": str(speech)}, set_values=sets, clips=3, cache_dir=tmp_path
    )
    for row in rows:
        spec = plan_clip(recipe, "train", row["spec"]["ordinal"])
        assert -30 <= spec.let["erle_db"] <= -12
        for event, old in zip(spec.events, row["spec"]["events"], strict=True):
            less = spec.let["erle_db"] if event.label == "far" else 0.0
            assert event.level.level_dbfs == pytest.approx(old["level"]["level_dbfs"] + less, abs=1e-6)
            assert bool(event.effects) == (event.label == "far")


def test_the_source_is_what_effects_began_with(tmp_path):
    """A stem of the source is the sound before effects and room under its event's gain, where the event begins."""
    tree = {
        "sr": SR, "duration": 1.0, "clips": 1, "room": {"type": "statistical", "rt60": 0.3, "drr_db": 6},
        "events": [{"label": "a", "source": {"type": "tone", "frequency": 500.0, "duration": 0.3}, "onset": 0.2, "level_dbfs": -20,
                    "effects": [{"type": "pad", "before": 0.1}, {"type": "gain", "gain_db": -6}]}],
        "output": {"stems": {"parts": ["wet", "dry", "source"], "subtype": "PCM_16"}},
    }  # fmt: skip
    root = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out").root
    row = json.loads((root / "manifest.jsonl").read_text(encoding="utf-8"))
    dry, source = stem(root, row, "event00_a.dry"), stem(root, row, "event00_a.source")
    late, factor = round(0.1 * SR), 10 ** (-6 / 20)
    assert np.abs(dry[late:] - factor * source[:-late]).max() < 1.5 / 32768
    begin = round(0.2 * SR)
    assert not source[:begin].any()
    assert source[begin : begin + 160].any()
