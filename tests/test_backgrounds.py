"""What scenes are made of: one room for many sources, rooms of their own, backgrounds in balance, cross-fades."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from material import write_recipe

from audiosynth import load_recipe, plan_clip, render
from audiosynth.clip import RenderContext
from audiosynth.errors import RecipeError
from audiosynth.material.workspace import Workspace
from audiosynth.rendering.images import responses_of

SR = 16000
CLICK = {"type": "click", "width": 0.001}
BOX = {"type": "shoebox", "size": [5.2, 4.1, 2.7], "rt60": 0.3, "receiver": {"position": [2.3, 1.9, 1.2]}}
PINK = {"type": "coloured", "colour": "pink"}
WHITE = {"type": "coloured", "colour": "white"}


def clip_of(folder: Path, **tree: object):
    """Return a rendered clip with its stems."""
    full = {"sr": SR, "duration": 2.0, "clips": 1, **tree}
    recipe = load_recipe(write_recipe(folder / "r.yaml", full), cache_dir=folder / "cache")
    return render(plan_clip(recipe, "train", 0), stems=True)


def db(y: np.ndarray) -> float:
    """Return RMS in dB re full scale."""
    return float(10 * np.log10(np.mean(np.square(y))))


def test_sources_share_a_room_and_hear_it_from_their_own_places(tmp_path):
    """One geometry: each source has the response from its place, distances and delays are those of geometry."""
    places = [[1.0, 1.1, 1.2], [4.3, 3.2, 1.7], [2.9, 0.6, 1.4]]
    events = [{"label": f"s{k}", "source": CLICK, "onset": 0.2 + 0.5 * k, "position": p} for k, p in enumerate(places)]
    clip = clip_of(tmp_path, room=BOX, events=events)
    made = [response for _, response in responses_of(clip.spec, Workspace())]
    for place, response, reading in zip(places, made, clip.outcomes["events"], strict=True):
        distance = np.linalg.norm(np.subtract(place, [2.3, 1.9, 1.2]))
        assert reading["room"]["distance"] == pytest.approx(distance, abs=1e-3)
        assert response.delay == round(distance * SR / 343.2)
        assert reading["room"]["t30"] == pytest.approx(0.3, rel=0.15)
    assert len({response.h.tobytes() for response in made}) == 3


def test_an_event_may_have_a_room_of_its_own(tmp_path):
    """The neighbour's bell sounds in the neighbour's room, the others in the clip's; `none` is no room at all."""
    there = {"position": [1.0, 1.1, 1.2]}
    hall = {**BOX, "size": [12.0, 9.0, 5.0], "rt60": 1.2, "receiver": {"position": [5.0, 4.0, 1.2]}}
    events = [
        {"label": "here", "source": CLICK, "onset": 0.1, **there},
        {"label": "next door", "source": CLICK, "onset": 0.1, "room": hall, "position": [2.0, 2.0, 1.5]},
        {"label": "dry", "source": CLICK, "onset": 0.1, "room": {"type": "none"}},
    ]
    clip = clip_of(tmp_path, room=BOX, events=events)
    here, door, dry = clip.outcomes["events"]
    assert here["room"]["t30"] == pytest.approx(0.3, rel=0.15)
    assert door["room"]["t30"] == pytest.approx(1.2, rel=0.15)
    assert "room" not in dry


def test_many_clips_in_one_room(tmp_path):
    """A room whose numbers are constants is the same in every clip; a drawn one is the same for all sources of a clip."""
    size = [{"uniform": [3, 8]}, {"uniform": [3, 6]}, 2.6]
    event = {"label": "s", "source": CLICK, "position": {"within": {"distance": [0.5, 1.5]}}}
    for room, n in ((BOX, 1), ({**BOX, "size": size, "receiver": {"position": {"within": {"margin": 0.5}}}}, 4)):
        tree = {"sr": SR, "duration": 1.0, "clips": 4, "room": room, "events": [event, event]}
        recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree), cache_dir=tmp_path / "cache")
        specs = [plan_clip(recipe, "train", i) for i in range(4)]
        assert len({spec.room.size for spec in specs}) == n  # type: ignore[union-attr]
        assert len({event.position.point for spec in specs for event in spec.events}) == 8  # type: ignore[union-attr]


@pytest.mark.parametrize(("first", "second"), [(-20.0, -30.0), (-40.0, -33.0)])
def test_backgrounds_keep_their_balance_under_any_level(tmp_path, first, second):
    """Layers are as far apart as their levels say, whatever the level of their sum; the sum is at its own."""
    layers = [{"source": PINK, "level_dbfs": first}, {"source": WHITE, "level_dbfs": second}]
    for level in (None, -45.0):
        noise = {"layers": layers, **({} if level is None else {"level_dbfs": level})}
        clip = clip_of(tmp_path, noise=noise, output={"subtype": "FLOAT", "stems": {"layers": True}})
        a, b = (db(clip.stems[f"noise{j:02d}"]) for j in range(2))
        assert a - b == pytest.approx(first - second, abs=1e-4)
        if level is None:
            assert a == pytest.approx(first, abs=1e-4)
        else:
            assert db(clip.y) == pytest.approx(level, abs=1e-4)


def test_one_background_gives_way_to_another(tmp_path):
    """Mirrored envelopes: each background has its level where its envelope is 0 dB, and is gone at the other end."""
    layers = [
        {"source": PINK, "level_dbfs": -30.0, "envelope": [[0.5, 0.0], [1.5, -80.0]]},
        {"source": WHITE, "level_dbfs": -30.0, "envelope": [[0.5, -80.0], [1.5, 0.0]]},
    ]
    clip = clip_of(tmp_path, noise={"layers": layers}, output={"subtype": "FLOAT", "stems": {"layers": True}})
    pink, white = (clip.stems[f"noise{j:02d}"][0] for j in range(2))
    start, end = slice(0, SR // 2), slice(3 * SR // 2, 2 * SR)
    assert db(white[start]) == pytest.approx(-110.0, abs=0.5)
    assert db(white[end]) == pytest.approx(-30.0, abs=0.5)
    assert db(pink[start]) - db(pink[end]) == pytest.approx(80.0, abs=2.0)  # pink noise itself wavers
    middle = slice(SR - 80, SR + 80)
    assert db(white[middle]) == pytest.approx(-70.0, abs=1.5)


def test_cross_fades_of_events_keep_the_power(tmp_path):
    """Two unrelated sounds that overlap in sine fades: their power stays within the scatter of noise at the joint."""
    burst = {"type": "noise_burst", "duration": 1.1, "attack": 0.0, "release": 0.0}
    fade = {"type": "fade", "shape": "sine"}
    events = [
        {"label": "a", "source": {**burst, "seed": 1}, "onset": 0.0, "level_dbfs": -20.0, "effects": [{**fade, "fade_out": 0.2}]},
        {"label": "b", "source": {**burst, "seed": 2}, "onset": 0.9, "level_dbfs": -20.0, "effects": [{**fade, "fade_in": 0.2}]},
    ]  # fmt: skip
    clip = clip_of(tmp_path, events=events, output={"subtype": "FLOAT"})
    inside = [db(clip.y[0, k : k + SR // 10]) for k in range(0, 2 * SR, SR // 10)]
    assert max(inside) - min(inside) < 1.0
    labels = [(label.label, label.onset, label.offset) for label in clip.labels]
    assert labels == [("a", 0, 11 * SR // 10), ("b", 9 * SR // 10, 2 * SR)]


def test_an_envelope_of_an_event_is_in_its_spec(tmp_path):
    """Drawn points are numbers in the spec, so that the row tells the gain at every moment."""
    points = [[0.0, {"uniform": [-12, -6]}], [0.5, 0.0], [1.0, {"uniform": [-40, -20]}]]
    source = {"type": "tone", "frequency": 1000.0, "duration": 1.0, "fade": 0.0}
    event = {"label": "t", "source": source, "effects": [{"type": "gain_envelope", "points": points}], "onset": 0.5}
    clip = clip_of(tmp_path, events=[event], output={"subtype": "FLOAT"})
    (effect,) = clip.spec.events[0].effects
    (_, first), (_, middle), (_, last) = effect.points  # type: ignore[attr-defined]
    assert -12 <= first <= -6
    assert -40 <= last <= -20
    assert middle == 0.0
    dry = clip.spec.events[0].source.render(RenderContext(SR))[0]  # type: ignore[attr-defined]
    heard = clip.y[0, SR // 2 : 3 * SR // 2]
    k = np.arange(SR)
    expected = np.where(k < SR // 2, first * (1 - 2 * k / SR), last * (2 * k / SR - 1))
    assert heard == pytest.approx(dry * 10 ** (expected / 20), abs=1e-9)


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ({"layers": [{"source": PINK, "envelope": [[1.0, 0.0], [0.5, -3.0]]}], "level_dbfs": -40}, "in order of time"),
        ({"layers": [{"source": PINK, "envelope": []}], "level_dbfs": -40}, "at least 1"),
        ({**PINK, "level_dbfs": -40, "envelope": [[0.0, 0.0]]}, "envelope"),
    ],
)
def test_envelopes_that_cannot_be(tmp_path, noise, message):
    """Points out of order, none at all, or an envelope where no layer stands: an error of the recipe."""
    with pytest.raises(RecipeError, match=message):
        clip_of(tmp_path, noise=noise)
