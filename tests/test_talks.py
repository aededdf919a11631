"""Conversations and mixtures: who speaks when, where from and how loud, and what diarization's own readers find in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from material import noise, read_wav, write_wav
from talk_check import talk_faults

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


MEETING = {"speakers": [2, 5], "n": [10, 16], "again": 0.1, "pause": [0.1, 1.5], "max_length": 180}
FIVE = "let.speakers={integers: [2, 5]}"


def test_turns_follow_the_recipe(tmp_path, speech):
    """Two to five people with a place and a level each; pauses, turns and overlaps as asked, counted sample by sample."""
    recipe, asked = loaded("speech_meetings", speech, tmp_path, FIVE), []
    for i in range(40):
        spec = plan_clip(recipe, "train", i)
        events = spec.events
        speakers = [one.label for one in events]
        assert talk_faults(spec.to_json(), MEETING) == []
        asked.append(spec.conversations[0].overlap_ratio)
        assert [one.source.recording.meta["speaker"] for one in events] == speakers
        for who in set(speakers):
            mine = [one for one in events if one.label == who]
            assert len({one.position.model_dump_json() for one in mine}) == 1
            assert len({one.level.level_dbfs for one in mine}) == 1
        assert len({one.position.model_dump_json() for one in events}) == len(set(speakers))
    assert 0.0 <= min(asked) < 0.1
    assert 0.3 < max(asked) < 0.4


def test_meetings_read_back(tmp_path, speech):
    """RTTM through pyannote.database has every turn and its time; the stems of the speakers add up to the mix."""
    from pyannote.database.util import load_rttm

    root = build(loaded("speech_meetings", speech, tmp_path, FIVE, clips=2), tmp_path / "out").root
    for row in rows(root):
        rttm = next(
            path
            for path in sorted((root / "labels").rglob("*.rttm"))
            if row["clip_id"] in path.read_text(encoding="utf-8")
        )
        found = load_rttm(rttm)[row["clip_id"]]
        # as pyannote.core has it: a meeting's overlapped speech over its speech
        ratio = found.get_overlap().duration() / found.get_timeline().support().duration()
        assert ratio == pytest.approx(row["spec"]["let"]["overlap"], abs=1e-4)
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
    """A meeting of six among five says how many there are."""
    with pytest.raises(PlanError, match="6 speakers are to talk, and 'speech' in split 'train' has 5; ask for fewer"):
        plan_clip(loaded("speech_meetings", speech, tmp_path, "let.speakers=6"), "train", 0)
