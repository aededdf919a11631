"""Replay: what a row decided is used verbatim, not measured again; one test for each field."""

from __future__ import annotations

import json

import numpy as np
import pytest
from material import noise, room, tone, write_recipe, write_wav

from audiosynth import load_recipe, plan_clip, render, reproduce
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.rooms.measured import MeasuredRoom

SR = 16_000


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Return a spec with everything that is decided, its recordings, and the clip as first made."""
    folder = tmp_path_factory.mktemp("scene")
    write_wav(folder / "rooms" / "r.wav", np.pad(room(0.3, SR, seed=2), ((0, 0), (200, 0))), SR)
    write_wav(folder / "beds" / "b.wav", noise(6, SR, seed=1), SR)
    write_wav(folder / "words" / "w.wav", tone(440, 0.3, SR), SR)
    names = ("rooms", "beds", "words")
    tree = {
        "sr": SR, "duration": 1.5, "clips": 1, "data": {n: n for n in names}, "mix": {"level_dbfs": -8.0},
        "catalogues": {n: {"data": n, "layout": "flat", "group": None} for n in names},
        "labels": {"offset": "tail", "drop_below_snr_db": -50},
        "events": [{
            "label": "x", "source": {"type": "file", "recording": {"pick": {"from": "words"}}}, "onset": 0.4, "snr_db": 10,
            "room": {"type": "measured", "recording": {"pick": {"from": "rooms"}}, "max_duration": 0.1},
        }],
        "noise": {"layers": [
            {"source": {"type": "file", "recordings": [{"pick": {"from": "beds"}}]}, "level_dbfs": -40},
            {"source": {"type": "coloured", "colour": "pink"}, "level_dbfs": -50},
        ], "level_dbfs": -35},
    }  # fmt: skip
    recipe = load_recipe(write_recipe(folder / "r.yaml", tree), cache_dir=folder / "c")
    spec, work = plan_clip(recipe, "train", 0), Workspace(AssetStore(recipe.roots))
    return spec, work, render(spec, assets=work)


def again(scene, **changes):
    """Return the clip replayed with some decisions changed."""
    spec, work, first = scene
    return render(spec, first.decisions.model_copy(update=changes), assets=work)


def db(ratio):
    """Return a ratio of powers in dB."""
    return 10 * np.log10(ratio)


def test_an_unchanged_row_is_the_clip(scene):
    """With its own decisions the clip comes back, bit for bit."""
    assert again(scene).pcm_sha256 == scene[2].pcm_sha256


@pytest.mark.parametrize("field", ["event_gain_db", "room_gain_db"])
def test_gains_of_the_event(scene, field):
    """6 dB more on the event's or its room's gain is 6 dB more of the event, and of nothing else."""
    first = scene[2]
    louder = again(scene, **{field: tuple(g + 6.0 for g in getattr(first.decisions, field))})
    more = louder.y - first.y
    assert not more[0, : int(0.35 * SR)].any()
    event = more / (10 ** (6 / 20) - 1)
    assert np.abs(event).max() > 0.01
    rest = first.y - event  # what is left is the bed alone: as loud where the event was as before it
    power = (rest**2)[0]
    assert abs(db(power[int(0.45 * SR) : int(0.6 * SR)].mean() / power[: int(0.3 * SR)].mean())) < 1.5


@pytest.mark.parametrize(("field", "i"), [("layer_gain_db", 0), ("layer_gain_db", 1), ("bed_gain_db", None)])
def test_gains_of_the_bed(scene, field, i):
    """A layer's gain and the bed's are taken as they stand."""
    first = scene[2]
    value = getattr(first.decisions, field)
    changed = value + 12.0 if i is None else tuple(g + 12.0 * (k == i) for k, g in enumerate(value))
    quiet = slice(0, int(0.3 * SR))
    gain = db((again(scene, **{field: changed}).y[0, quiet] ** 2).mean() / (first.y[0, quiet] ** 2).mean())
    assert gain == pytest.approx(12.0, abs=0.01) if i is None else gain > 1.0


@pytest.mark.parametrize("field", ["mix_gain_db", "guard_gain_db"])
def test_gains_of_the_mix(scene, field):
    """Both gains of the mix scale all of it."""
    first = scene[2]
    softer = again(scene, **{field: getattr(first.decisions, field) - 6.0})
    np.testing.assert_allclose(softer.y, first.y * 10 ** (-6 / 20), rtol=0, atol=1e-12)


def test_the_direct_delay(scene):
    """A direct sound decided 5 samples later puts the image 5 samples earlier (the label stays), and cuts the response there."""
    first = scene[2]
    (direct,) = first.decisions.direct
    louder = tuple(g + 6.0 for g in first.decisions.event_gain_db)
    moved = again(scene, direct=(direct + 5,))
    alone = [
        again(scene, direct=(at,), event_gain_db=louder).y - again(scene, direct=(at,)).y for at in (direct, direct + 5)
    ]
    begins = [int(np.flatnonzero(np.abs(event[0]) > 1e-6)[0]) for event in alone]
    assert begins[1] == begins[0] - 5
    assert moved.labels[0].onset == first.labels[0].onset


def test_the_cut_follows_the_decided_delay(scene, monkeypatch):
    """If another machine measured another delay, the row's decides where a response ends, too."""
    spec, work, first = scene
    real = MeasuredRoom._measure
    monkeypatch.setattr(
        MeasuredRoom, "_measure", lambda self, h, sr: real(self, h, sr)._replace(delay=first.decisions.direct[0] + 3)
    )
    monkeypatch.setattr("audiosynth.rooms.measured._slot", lambda key: [])
    assert render(spec, first.decisions, assets=Workspace(work.assets)).pcm_sha256 == first.pcm_sha256


def test_the_tail(scene):
    """Labels that follow the tail follow the row's."""
    first = scene[2]
    assert first.decisions.tail[0] > 0
    longer = again(scene, tail=(first.decisions.tail[0] + 100,))
    assert longer.labels[0].offset == first.labels[0].offset + 100
    dry = first.spec.events[0].place
    assert first.labels[0].offset == dry.onset + dry.n_samples + first.decisions.tail[0]


def test_what_is_audible(scene):
    """An event that the row calls inaudible is so."""
    assert scene[2].labels[0].audible
    assert not again(scene, audible=(False,)).labels[0].audible


def test_ties(scene):
    """A sample that the row decides has the row's value."""
    value = int(scene[2].pcm16[0, 777]) + 1
    assert again(scene, ties=((0, 777, value),)).pcm16[0, 777] == value


def test_golden_rows_depend_on_their_decisions():
    """A row with another gain is another clip: the hash tells."""
    from test_golden import ROWS

    row = json.loads(json.dumps(next(iter(ROWS.values()))))
    row["decisions"]["bed_gain_db"] += 0.01
    (made,) = reproduce([json.dumps(row)])
    assert not made.same
