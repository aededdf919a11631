"""Conversations and mixtures: who speaks when, where from and how loud, and what diarization's own readers find in it."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from material import noise, read_wav, write_wav

from audiosynth import build, load_recipe, plan_clip, shipped_recipe
from audiosynth.errors import PlanError

SR = 16_000
SPEAKERS = ("11", "22", "33", "44", "55")


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Path:
    """Return a folder of noises called like LibriSpeech's files: five speakers, four utterances each."""
    folder = tmp_path_factory.mktemp("speech")
    for s, speaker in enumerate(SPEAKERS):
        for k in range(4):
            write_wav(folder / f"{speaker}-1-{k:04d}.wav", 0.1 * noise(0.8 + 0.3 * k, SR, seed=10 * s + k), SR)
    return folder


def loaded(name: str, speech: Path, cache: Path, *sets: str, clips: int = 40) -> Any:
    """Load a shipped recipe on the folder."""
    return load_recipe(
        shipped_recipe(name), data={"speech": str(speech)}, clips=clips, set_values=sets, cache_dir=cache
    )


def rows(root: Path) -> list[dict[str, Any]]:
    """Return the rows of a manifest."""
    return [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def test_turns_follow_the_recipe(tmp_path, speech):
    """Four people who are four, never the same twice in a row; pauses and overlaps as drawn, in the shares that were asked for."""
    recipe = loaded("speech_meetings", speech, tmp_path)
    gaps, clips = [], 40
    for i in range(clips):
        events = plan_clip(recipe, "train", i).events
        speakers = [one.label for one in events]
        assert len(events) == 10
        assert len(set(speakers)) <= 4
        assert all(a != b for a, b in pairwise(speakers))
        assert [one.source.recording.meta["speaker"] for one in events] == speakers
        for who in set(speakers):
            mine = [one for one in events if one.label == who]
            assert len({one.position.model_dump_json() for one in mine}) == 1
            assert len({one.level.level_dbfs for one in mine}) == 1
            # not even a short utterance of somebody else's lets a speaker begin over themselves
            spans = [(one.place.onset, one.place.onset + one.place.n_samples) for one in mine]
            assert all(a[1] <= b[0] for a, b in pairwise(sorted(spans)))
        ends = [one.place.onset + one.place.n_samples for one in events]
        gaps += [(b.place.onset - end) / SR for end, b in zip(ends, events[1:], strict=False)]
    gaps = np.array(gaps)
    early = gaps < 0
    # one turn in four: within four standard deviations of a binomial
    assert abs(early.mean() - 0.25) < 4 * (0.25 * 0.75 / len(gaps)) ** 0.5
    assert gaps[~early].min() >= 0.1 - 1e-4
    assert gaps[~early].max() <= 1.5 + 1e-4
    assert gaps[early].min() >= -1.2 - 1e-4
    assert gaps[early].max() <= -0.2 + 1e-4
    # no two meetings are alike
    assert len({round(float(g), 4) for g in gaps}) > 0.9 * len(gaps)


def test_meetings_read_back(tmp_path, speech):
    """RTTM through pyannote.database has every turn and its time; the stems of the speakers add up to the mix."""
    from pyannote.database.util import load_rttm

    root = build(loaded("speech_meetings", speech, tmp_path, clips=2), tmp_path / "out").root
    for row in rows(root):
        rttm = next(
            path
            for path in sorted((root / "labels").rglob("*.rttm"))
            if row["clip_id"] in path.read_text(encoding="utf-8")
        )
        found = load_rttm(rttm)[row["clip_id"]]
        for one in row["labels"]:
            turns = [s for s, _, who in found.itertracks(yield_label=True) if who == one["label"]]
            assert any(abs(s.start - one["onset"]) < 2e-3 and abs(s.end - one["offset"]) < 2e-3 for s in turns), one
        mix = read_wav(root / row["path"])[0]
        stems = [
            read_wav(root / name)[0] for stem, name in sorted(stems_of(root, row).items()) if not stem.endswith(".dry")
        ]
        assert np.array_equal(np.sum(stems, axis=0), mix)


def stems_of(root: Path, row: dict[str, Any]) -> dict[str, str]:
    """Return the paths of a clip's stems by their names."""
    from audiosynth.material.stems import stem_path

    return {name: stem_path(row["path"], name) for name in row["stems"]}


def test_mixtures_have_two_people(tmp_path, speech):
    """Two speakers, both from the first sample, as loud as drawn, and the clip as long as the longer one."""
    recipe = loaded("speech_mixtures", speech, tmp_path)
    for i in range(20):
        spec = plan_clip(recipe, "train", i)
        first, second = spec.events
        assert first.label != second.label
        assert first.place.onset == second.place.onset == 0
        assert spec.n_samples == max(first.place.n_samples, second.place.n_samples)
    shorter = plan_clip(loaded("speech_mixtures", speech, tmp_path, "duration={of: first}"), "train", 0)
    assert shorter.n_samples == shorter.events[0].source.recording.n_samples


def test_too_few_people(tmp_path, speech):
    """A meeting of four among three says whom it cannot find."""
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted(speech.glob("[123]*.wav")):
        (few / path.name).write_bytes(path.read_bytes())
    with pytest.raises(PlanError, match="no recording of 'speech' in split 'train' has any entry and not speaker"):
        plan_clip(loaded("speech_meetings", few, tmp_path / "cache"), "train", 0)
