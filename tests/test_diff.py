"""`diff`: which clips, which parameters, which samples are not the same in two sets."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from material import read_wav, write_recipe

from audiosynth import build, diff, load_recipe, vary
from audiosynth.cli import cli
from audiosynth.errors import ManifestError

EVENTS = [
    {"name": "low", "label": "a", "source": {"type": "tone", "frequency": 300, "duration": 0.1}, "snr_db": 6},
    {"label": "b", "source": {"type": "click"}, "onset": {"uniform": [0.0, 0.1]}, "snr_db": 12},
]


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Return a set, the same set twice, a longer one, one with less noise, one with another number of events."""
    folder = tmp_path_factory.mktemp("sets")
    noise = {"type": "coloured", "colour": "white", "level_dbfs": -40}
    base = {"sr": 8000, "duration": 0.2, "clips": {"train": 3, "test": 2}, "events": EVENTS, "noise": noise}
    changed = {
        "one": {},
        "twin": {},
        "longer": {"clips": {"train": 5, "test": 2}},
        "fewer": {"events": EVENTS[:1]},
        "named": {"events": [{**EVENTS[0], "label": "c"}, EVENTS[1]]},
    }
    roots = {
        name: build(load_recipe(write_recipe(folder / f"{name}.yaml", {**base, **tree})), folder / name).root
        for name, tree in changed.items()
    }
    roots["quiet"] = vary(roots["one"], folder / "quiet", set_values=["noise.level_dbfs=-46"]).root
    return roots


def run(*words: object) -> tuple[int, str]:
    """Run the command; return exit code and standard output."""
    done = CliRunner().invoke(cli, ["diff", *map(str, words)])
    return done.exit_code, done.stdout


def test_the_same_set_twice(sets):
    """Nothing differs: exit code 0, and a table that says so."""
    assert list(diff(sets["one"], sets["twin"]).differences()) == []
    code, text = run(sets["one"], sets["twin"])
    assert code == 0
    assert [line.split() for line in text.splitlines() if "the same" in line] == [["the", "same", "5"]]


def test_clips_that_only_one_has(sets):
    """Named on either side; the shared ones have other files, since their recipe is another."""
    for order, side in ((("one", "longer"), "second"), (("longer", "one"), "first")):
        found = list(diff(*(sets[name] for name in order)).differences())
        alone = [clip for clip in found if clip.where != "both"]
        assert [(clip.clip_id, clip.where) for clip in alone] == [(f"train-00000000{i}", side) for i in (3, 4)]
        assert all(clip.files and not (clip.samples or clip.parameters) for clip in found if clip.where == "both")
    code, text = run(sets["one"], sets["longer"], "--json")
    tree = json.loads(text)
    assert (code, tree["only_in_A"], tree["only_in_B"], tree["in_both"], tree["other_samples"]) == (1, 0, 2, 5, 0)


def test_one_parameter(sets):
    """Its path with both values; the samples differ by what the files say."""
    found = list(diff(sets["one"], sets["quiet"], audio=True).differences())
    assert len(found) == 5
    for clip in found:
        assert [change.as_dict() for change in clip.parameters] == [
            {"path": "noise.level_dbfs", "first": -40, "second": -46}
        ]
        name = f"audio/{clip.clip_id[:-10]}/000000/{clip.clip_id}.wav"
        y, z = (read_wav(sets[key] / name)[0] / 32768 for key in ("one", "quiet"))
        assert clip.max_abs == np.max(np.abs(y - z)) > 0
    code, text = run(sets["one"], sets["quiet"], "--audio")
    assert code == 1
    assert "noise.level_dbfs      5  train-000000000: -40.0 → -46.0" in text
    assert f"at most {max(clip.max_abs for clip in found):.3g} of full scale" in text


def test_things_that_only_one_spec_has(sets):
    """A list that is shorter, a label that is another."""
    (clip, *_) = diff(sets["one"], sets["fewer"]).differences()
    (change,) = clip.parameters
    assert change.path == "events[1]"
    assert change.values.keys() == {"first"}
    (clip, *_) = diff(sets["one"], sets["named"]).differences()
    assert [change.as_dict() for change in clip.parameters] == [
        {"path": "events[0].label", "first": "a", "second": "c"}
    ]
    assert (clip.samples, clip.labels, clip.decisions) == (False, True, False)


def test_audio_that_is_gone_is_told(sets, tmp_path):
    """With --audio files have to be there; a folder without a manifest is none."""
    alone = tmp_path / "manifest.jsonl"
    alone.write_bytes((sets["one"] / "manifest.jsonl").read_bytes())
    assert next(diff(alone, sets["quiet"]).differences()).samples
    with pytest.raises(ManifestError, match=r"train-000000000\.wav: cannot be read"):
        list(diff(alone, sets["quiet"], audio=True).differences())
    with pytest.raises(ManifestError, match="no such manifest"):
        diff(sets["one"], tmp_path / "none")
