"""Simulated rooms in recipes: places, receivers, absorption, what the row says, and everything that can be wrong."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from material import write_recipe
from pydantic import ValidationError

from audiosynth import build, load_recipe, plan_clip, render, reproduce
from audiosynth.acoustics import image_source
from audiosynth.acoustics.decay import measure
from audiosynth.clip import RenderContext
from audiosynth.errors import AudiosynthError, ParameterError, RecipeError
from audiosynth.material.workspace import Workspace
from audiosynth.registry import create
from audiosynth.rendering.images import responses_of
from audiosynth.spaces.box import HYBRID_FROM, arguments, is_hybrid
from audiosynth.spaces.places import Position

SR = 16_000
HERE = {"point": [4.3, 3.4, 1.3]}
BOX = {"type": "shoebox", "size": [6.0, 5.0, 3.0], "seed": 1}
THERE = Position(point=(2.1, 1.7, 1.5))
D, C = 2.787472, 331.3 * math.sqrt(1 + 20 / 273.15)


def shoebox(receiver=None, **parameters):
    return create("rooms", {**BOX, "receiver": {"position": HERE, **(receiver or {})}, **parameters})


def respond(room, position=THERE, sr=SR):
    return room.response(RenderContext(sr=sr, n_channels=room.n_channels()), position=position)


def scene(**changes):
    tree = {
        "sr": SR, "duration": 1.0, "clips": 3,
        "room": {"type": "shoebox", "size": [6, 5, 3], "rt60": 0.2, "receiver": {"position": [4.3, 3.4, 1.3]}},
        "events": [{
            "label": "x", "source": {"type": "tone", "frequency": 500, "duration": 0.2}, "onset": 0.3,
            "position": [2.1, 1.7, 1.5], "level_dbfs": -20,
        }],
    }  # fmt: skip
    tree = copy.deepcopy(tree)
    for path, value in changes.items():
        *parents, last = path.split("__")
        node = tree
        for key in parents:
            node = node[int(key)] if isinstance(node, list) else node[key]
        if value is None:
            del node[last]
        else:
            node[last] = value
    return tree


def test_direct_sound_alone():
    """Between black walls one pulse arrives: 1/d for `metre`, 1 for `direct`, after d/c, and the delay says so."""
    for normalize, amplitude in (("metre", 1 / D), ("direct", 1.0), ("none", 1 / (4 * math.pi * D))):
        response = respond(shoebox(alpha=1.0, normalize=normalize))
        assert response.delay == round(D * SR / C)
        energy = float(np.sum(response.h**2)) * 10 ** (response.gain_db / 10)
        assert 10 * math.log10(energy) == pytest.approx(20 * math.log10(amplitude), abs=0.1)


def test_first_channel_of_an_array_is_the_microphone_alone():
    """A microphone hears the same bits in an array as alone."""
    array = {"type": "positions", "offsets": [[0.0, 0.0, 0.0], [0.05, 0.0, 0.0]]}
    assert (
        respond(shoebox(array, rt60=0.3)).h[0].tobytes()[: 8 * 1000]
        == respond(shoebox(rt60=0.3)).h[0].tobytes()[: 8 * 1000]
    )


@pytest.mark.parametrize(("azimuth", "elevation"), [(0.0, 0.0), (90.0, 0.0), (-50.0, 20.0), (170.0, -30.0)])
def test_ambisonics_are_turned_with_the_receiver(azimuth, elevation):
    """The direct sound's W, Y, Z, X are 1, sin·cos, sin, cos·cos of the direction that the turned receiver sees."""
    room = shoebox({"type": "ambisonic", "yaw": 35.0, "pitch": -10.0}, alpha=1.0)
    place = room.place(Position(distance=1.2, azimuth=azimuth, elevation=elevation))
    h = respond(room, place).h
    a, e = math.radians(azimuth), math.radians(elevation)
    expected = [1.0, math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)]
    gains = h @ h[0] / (h[0] @ h[0])
    assert gains == pytest.approx(expected, abs=2e-3)  # places are whole millimetres


@pytest.mark.parametrize("rt60", [0.25, 0.5, 0.8])
def test_reverberation_time_is_as_asked(rt60):
    """The response's T30 is the room's `rt60` within -5 and +12 %."""
    found = measure(respond(shoebox(rt60=rt60)).h, SR).t30
    assert 0.95 * rt60 < found < 1.12 * rt60


def test_air_takes_highs():
    """With air absorption the late sound above 4 kHz is weaker, and below 500 Hz it is as it was within 0.3 dB."""
    dry, damp = (respond(shoebox(rt60=0.8, air=air, humidity=20.0)).h[0, 4000:9000] for air in (False, True))
    a, b = (np.abs(np.fft.rfft(h)) ** 2 for h in (dry, damp))
    hz = np.fft.rfftfreq(5000, 1 / SR)
    ratio = [10 * math.log10(b[band].sum() / a[band].sum()) for band in (hz < 500, hz > 4000)]
    assert abs(ratio[0]) < 0.3
    assert ratio[1] < -3


def test_materials_shape_the_decay():
    """A carpet and a tiled ceiling shorten the decay of the highs against the lows."""
    room = shoebox(surfaces={"walls": "curtain", "floor": "carpet", "ceiling": "acoustic_tile"}, duration=0.8)
    h = respond(room).h
    assert measure(h, SR, centre=4000.0).edt < 0.8 * measure(h, SR, centre=250.0).edt


def test_a_source_that_looks_away_is_softer():
    """A cardioid turned to the receiver is heard in full, one turned away only by echoes."""
    away = respond(shoebox(alpha=1.0, pattern="cardioid", facing=math.degrees(math.atan2(-1.7, -2.2)))).h
    towards = respond(shoebox(alpha=1.0, pattern="cardioid")).h
    omni = respond(shoebox(alpha=1.0)).h
    np.testing.assert_allclose(towards, omni, atol=1e-3 * np.abs(omni).max())
    assert np.abs(away).max() < 0.01 * np.abs(omni).max()


def test_the_row_says_where_and_how(tmp_path):
    """Direction, distance, absorption and measures stand in the row, and the clip comes back from it."""
    path = write_recipe(tmp_path / "r.yaml", scene(room__receiver={"position": [4.3, 3.4, 1.3], "yaw": 20.0}))
    built = build(load_recipe(path), tmp_path / "out")
    row = json.loads((built.root / "manifest.jsonl").read_text().splitlines()[0])
    label, room = row["labels"][0], row["outcomes"]["events"][0]["room"]
    azimuth = math.degrees(math.atan2(1.7 - 3.4, 2.1 - 4.3)) - 20.0
    assert label["azimuth"] == pytest.approx((azimuth + 180) % 360 - 180, abs=1e-3)
    assert label["distance"] == pytest.approx(D, abs=1e-3)
    assert room["distance"] == pytest.approx(D, abs=1e-3)
    assert 0.1 < room["t30"] < 0.3
    assert {"alpha", "n_images", "t20", "drr_db", "c50_db"} <= room.keys()
    assert row["labels"][0]["onset"] == 0.3  # the direct sound is where the label is
    assert [result.clip_id for result in reproduce(built.root / "manifest.jsonl") if not result.same] == []


def test_causal_labels_wait_for_the_sound(tmp_path):
    """With `align: causal` the label begins when the direct sound arrives."""
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", scene(events__0__align="causal")))
    clip = render(plan_clip(recipe, "train", 0))
    assert clip.labels[0].onset == 4800 + round(D * SR / C)


def test_clips_that_share_a_room_share_its_response(tmp_path):
    """The same room and place are simulated once; another place once more."""
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", scene()))
    work = Workspace()
    first, again = (responses_of(plan_clip(recipe, "train", i), work)[0][1] for i in (0, 1))
    assert again is first
    moved = load_recipe(write_recipe(tmp_path / "m.yaml", scene(events__0__position=[2.0, 1.7, 1.5])))
    assert responses_of(plan_clip(moved, "train", 0), work)[0][1] is not first


def test_places_are_drawn_and_recorded(tmp_path):
    """A region gives each clip its own place, in whole millimetres, which the spec holds as a point."""
    recipe = load_recipe(
        write_recipe(tmp_path / "r.yaml", scene(events__0__position={"within": {"distance": [0.5, 2.0]}}))
    )
    points = [plan_clip(recipe, "train", i).events[0].position.point for i in range(3)]
    assert len(set(points)) == 3
    assert all(round(v, 3) == v for point in points for v in point)
    assert plan_clip(recipe, "train", 1).events[0].position.point == points[1]


def test_middle_planes_are_told(tmp_path):
    """A source on a middle plane of the room is noted in the row."""
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", scene(events__0__position=[3.0, 1.7, 1.2])))
    clip = render(plan_clip(recipe, "train", 0))
    assert "middle of the room's length" in clip.outcomes["events"][0]["room"]["warnings"][0]


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({}, "exactly one of rt60, alpha, surfaces; got none"),
        ({"rt60": 0.3, "alpha": 0.2}, "got rt60, alpha"),
        ({"alpha": 1.2}, "less than or equal to 1"),
        ({"alpha": [0.1, 0.2]}, "alpha"),
        ({"alpha": float("nan")}, "finite"),
        ({"rt60": 0.01}, r"cannot have an rt60 of 0.01 s: its walls allow 0.06\d\.\.29"),
        ({"rt60": 0.3, "size": [0.0, 4.0, 3.0]}, "0.5"),
        ({"rt60": 0.3, "size": [-6.0, 4.0, 3.0]}, "0.5"),
        ({"rt60": 0.3, "size": [float("inf"), 4.0, 3.0]}, "finite"),
        ({"rt60": 0.3, "size": [4.0, 3.0, 2.0]}, r"receiver at \(4.3, 3.4, 1.3\) m is outside the room"),
        ({"surfaces": {"floor": "carpett"}}, "did you mean 'carpet'"),
        ({"rt60": 0.3, "receiver": {}}, "needs a `position`"),
        ({"rt60": 0.3, "receiver": {"type": "linear", "position": HERE}}, "needs n and spacing"),
        ({"rt60": 0.3, "receiver": {"radius": 1.0, "position": HERE}}, "has no radius"),
        (
            {"rt60": 0.3, "receiver": {"type": "ambisonic", "pattern": "cardioid", "position": HERE}},
            "patterns of its own",
        ),
        ({"rt60": 0.3, "receiver": {"type": "binaural", "position": HERE}}, "needs hrtf"),
        ({"rt60": 0.3, "max_order": 3, "method": "hybrid"}, "has no last order"),
        ({"rt60": 0.3, "receiver": {"position": {"distance": 1.0}}}, "not at a distance from itself"),
    ],
)
def test_impossible_rooms(parameters, match):
    """A room that cannot be is refused by what is wrong with it."""
    tree = {**BOX, "receiver": {"position": HERE}, **parameters}
    with pytest.raises((ValidationError, ParameterError), match=match):
        create("rooms", tree)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"events__0__position": None}, r"needs to know where the source stands"),
        ({"events__0__position": [9.0, 1.0, 1.0]}, r"source at \(9, 1, 1\) m is outside the room"),
        ({"events__0__position": [4.3, 3.4, 1.305]}, r"0.0050 m apart, less than 0.01 m"),
        ({"events__0__position": {"distance": 9.0}}, "outside the room"),
        ({"events__0__room": {"type": "none"}}, "no places in a room of the type 'none'"),
        ({"room": None}, "no places in no room"),
        ({"channels": 2}, "has 1 channels and the clip 2; set `channels: 1`"),
        ({"room__rt60": None, "room__alpha": 0.0}, "never decays"),
        ({"room__rt60": 25.0, "room__method": "image"}, r"needs about .* images .* shorten the response"),
    ],
)
def test_scenes_that_cannot_be(tmp_path, changes, match):
    """What does not fit together is one clear error, at the latest when the clip is made."""
    tree = scene(**{k: v for k, v in changes.items() if k != "channels"})
    tree.update({"channels": changes["channels"]} if "channels" in changes else {})
    path = write_recipe(tmp_path / "r.yaml", tree)
    with pytest.raises(AudiosynthError, match=match):
        render(plan_clip(load_recipe(path), "train", 0))


def test_recipe_errors_have_places(tmp_path):
    """A wrong receiver and a wrong position are found when the recipe is read, with their lines."""
    tree = scene(
        room__receiver={"position": [4.3, 3.4, 1.3], "typ": "linear"},
        events__0__position={"azimut": 3, "distance": 1.0},
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(write_recipe(tmp_path / "r.yaml", tree))
    text = str(caught.value)
    assert "room.receiver.typ" in text
    assert "did you mean 'azimuth'" in text


HYBRID = {"rt60": 0.6, "method": "hybrid"}


def test_a_hybrid_begins_as_the_room(tmp_path):
    """Until the mixing time a hybrid is the full sum (within rounding), and says when that is; the direct delay is the same."""
    full, hybrid = respond(shoebox(rt60=0.6, method="image")), respond(shoebox(**HYBRID))
    until = int((hybrid.facts["mixing"] - 0.008) * SR)
    assert until > round(D * SR / C) + 0.06 * SR
    np.testing.assert_allclose(hybrid.h[:, :until], full.h[:, :until], atol=1e-9 * np.abs(full.h).max())
    assert hybrid.delay == full.delay


def test_a_hybrid_decays_as_the_room():
    """DRR within 0.4 dB, C50 within 0.8 dB and T30 within 12 % of the full sum, in five rooms."""
    for k, size in enumerate(([6.0, 5.0, 3.0], [4.7, 3.9, 2.6], [8.2, 5.4, 3.4], [5.1, 4.6, 2.9], [7.3, 6.1, 3.8])):
        tree = {**BOX, "size": size, "rt60": 0.5, "seed": k, "receiver": {"position": {"point": [3.6, 2.9, 1.3]}}}
        full, hybrid = (measure(respond(create("rooms", {**tree, "method": m})).h, SR) for m in ("image", "hybrid"))
        assert abs(hybrid.drr_db - full.drr_db) < 0.4
        assert abs(hybrid.c50_db - full.c50_db) < 0.8
        assert abs(hybrid.t30 / full.t30 - 1) < 0.12


def test_late_sound_of_a_hybrid_is_coherent_as_a_diffuse_field_is():
    """Microphones 5 cm apart hear the tail alike at 500 Hz and apart at 3.4 kHz; ambisonics have powers 1, 1/3, 1/3, 1/3."""
    pair = respond(shoebox({"type": "linear", "n": 2, "spacing": 0.05}, rt60=1.0, method="hybrid")).h[:, 3000:14000]
    a, b = np.fft.rfft(pair)
    hz = np.fft.rfftfreq(pair.shape[1], 1 / SR)
    for centre, expected in ((500.0, np.sinc(2 * 500 * 0.05 / C)), (3430.0, 0.0)):
        near = np.abs(hz - centre) < 250
        cross = (a * b.conj())[near].sum().real / np.sqrt((abs(a[near]) ** 2).sum() * (abs(b[near]) ** 2).sum())
        assert cross == pytest.approx(expected, abs=0.12)
    foa = respond(shoebox({"type": "ambisonic"}, rt60=1.0, method="hybrid")).h[:, 3000:14000]
    power = (foa**2).sum(axis=1)
    assert power / power[0] == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3], rel=0.2)


def test_what_is_surely_short_is_never_a_hybrid():
    """Whether a sum is long is answered without counting it where it cannot be: as the count says, on both sides of the limit."""
    found = set()
    for rt60 in np.linspace(0.3, 2.5, 12):
        for receiver in ({}, {"type": "ambisonic"}, {"type": "linear", "n": 3, "spacing": 0.1}):
            for more in ({"rt60": float(rt60)}, {"surfaces": {}, "duration": float(rt60)}):
                room = shoebox(receiver, **more)
                box = room._box(THERE.point, room._absorption(SR), SR)
                long = image_source.estimate(**arguments(box)).n_images > HYBRID_FROM
                assert is_hybrid(box) == is_hybrid(box, arguments(box)) == long
                found.add(long)
    assert found == {False, True}


def test_long_sums_become_hybrids():
    """`auto` takes the full sum where it is short, and the hybrid for seven bands of a long decay."""
    assert "mixing" not in respond(shoebox(rt60=0.4)).facts
    surfaces = {
        "walls": "plasterboard",
        "floor": "carpet",
        "ceiling": "acoustic_tile",
        "x0": "curtain",
        "y0": "curtain",
    }
    foa = {"type": "ambisonic"}
    assert "mixing" in respond(shoebox(foa, surfaces=surfaces)).facts


def test_a_constant_room_is_made_once_whatever_its_seed(tmp_path):
    """The seed of a room counts only where something is drawn from it: clips share a full sum, not a hybrid's tail."""
    work = Workspace()
    for method, same in (("auto", True), ("image", True), ("hybrid", False)):
        recipe = load_recipe(write_recipe(tmp_path / "r.yaml", scene(room__method=method)))
        first, again = (responses_of(plan_clip(recipe, "train", i), work)[0][1] for i in (0, 1))
        assert (again is first) == same


def test_statistical_room_has_its_numbers():
    """DRR is exact at the first channel, T30 is the reverberation time within 5 %, for mono and ambisonics."""
    for receiver in ({}, {"type": "ambisonic", "yaw": 25.0}):
        room = create("rooms", {"type": "statistical", "rt60": 0.5, "drr_db": -3.0, "seed": 4, "receiver": receiver})
        response = respond(room, Position(distance=2.0, azimuth=40.0))
        assert measure(response.h, SR, delay=response.delay).t30 == pytest.approx(0.5, rel=0.05)
        assert measure(response.h, SR, delay=response.delay).drr_db == pytest.approx(-3.0, abs=0.3)
        assert response.delay == round(2.0 * SR / C)


def test_statistical_rooms_hear_directions():
    """The direct sound of an ambisonic receiver comes from the place's direction."""
    room = create(
        "rooms", {"type": "statistical", "rt60": 0.3, "drr_db": 40.0, "seed": 4, "receiver": {"type": "ambisonic"}}
    )
    h = respond(room, Position(distance=1.0, azimuth=60.0)).h
    assert (h @ h[0] / (h[0] @ h[0]))[[1, 3]] == pytest.approx([math.sin(math.pi / 3), 0.5], abs=0.03)


@pytest.mark.parametrize("position", [Position(point=(1.0, 1.0, 1.0))])
def test_statistical_rooms_have_no_walls(position):
    """A point means nothing where there are no walls."""
    room = create("rooms", {"type": "statistical", "rt60": 0.3, "drr_db": 0.0, "seed": 4})
    with pytest.raises(ParameterError, match="has no walls: give the source a distance"):
        room.place(position)
