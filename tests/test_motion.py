"""Moving sources in recipes: paths from places, directions over time, Doppler, the way back from a row, and bad paths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from material import write_recipe

from audiosynth import build, load_recipe, plan_clip, render, reproduce
from audiosynth.errors import AudiosynthError

SR = 16_000
C = 331.3 * math.sqrt(1 + 20 / 273.15)


def scene(motion, *, position=(1.0, 2.1, 1.2), receiver=None, channels=1, rt60=None, **event):
    """Return a recipe with one source on its way through a room (without echoes unless it has an rt60)."""
    walls = {"alpha": 1.0} if rt60 is None else {"rt60": rt60}
    return {
        "sr": SR, "duration": 3.0, "clips": 1, "channels": channels,
        "room": {"type": "shoebox", "size": [6, 5, 3], **walls, "receiver": {"position": [3.2, 2.1, 1.2], **(receiver or {})}},
        "events": [{
            "label": "x", "source": {"type": "tone", "frequency": 1000, "duration": 2.0, "fade": 0.0}, "onset": 0.5,
            "position": list(position) if isinstance(position, tuple) else position, "motion": motion, "level_dbfs": -20, **event,
        }],
    }  # fmt: skip


def made(tmp_path, *args, **kwargs):
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", scene(*args, **kwargs)))
    return render(plan_clip(recipe, "train", 0))


def frequency(y, first, last):
    """Return the frequency of a tone by the phase of two windows."""
    t = np.arange(first, last) / SR
    window = np.hanning(t.size // 2)
    half = t.size // 2
    a, b = (
        np.sum(y[i : i + half] * window * np.exp(-2j * np.pi * 1000 * np.arange(i, i + half) / SR))
        for i in (first, first + half)
    )
    return 1000 + np.angle(b / a) / (2 * np.pi * half / SR)


def test_a_source_that_comes_nearer_sounds_higher(tmp_path):
    """Straight towards the receiver at 0.75 m/s: f/(1 - v/c), within 0.05 Hz; away from it lower by as much."""
    for start, end, v in ((1.0, 2.5, 0.75), (2.5, 1.0, -0.75)):
        y = made(tmp_path, {"to": [end, 2.1, 1.2]}, position=(start, 2.1, 1.2)).y[0]
        assert frequency(y, 20_000, 24_000) == pytest.approx(1000 / (1 - v / C), abs=0.05)


def test_labels_follow_the_source(tmp_path):
    """From azimuth -60 to 60 about the front at 1.5 m: a direction every 0.1 s, at the middle straight ahead and nearer."""
    ends = {"distance": 1.5, "azimuth": -60}, {"distance": 1.5, "azimuth": 60}
    clip = made(tmp_path, {"to": ends[1]}, position=ends[0], receiver={"yaw": 0})
    track = clip.labels[0].extra["track"]
    assert len(track) == 21
    assert track[0][0] == 0.5
    assert track[0][1] == pytest.approx(-60, abs=0.2)
    assert track[-1][1] == pytest.approx(60, abs=0.2)
    assert track[10][1] == pytest.approx(0, abs=0.5)
    assert track[10][3] == pytest.approx(1.5 * math.cos(math.radians(60)), abs=0.01)


def test_a_turn_keeps_its_distance(tmp_path):
    """About the receiver by 90°: the same distance and height all along, the azimuth at constant speed."""
    clip = made(tmp_path, {"turn": 90.0}, position={"distance": 1.2, "azimuth": 10, "elevation": 5})
    track = np.array(clip.labels[0].extra["track"])
    assert np.ptp(track[:, 3]) < 2e-3
    assert np.diff(track[:, 1]) == pytest.approx(4.5, abs=0.05)


def test_a_way_through_places(tmp_path):
    """`via` ends at its last place."""
    clip = made(tmp_path, {"via": [[2.0, 3.5, 1.2], [4.0, 3.5, 1.2]]})
    last = clip.labels[0].extra["track"][-1]
    assert last[3] == pytest.approx(math.dist((4.0, 3.5), (3.2, 2.1)), abs=0.02)


def test_a_moving_clip_comes_back(tmp_path):
    """A source on its way through a reverberant room, in ambisonics, is reproduced from its row bit for bit."""
    tree = scene({"turn": -60.0}, position={"distance": 1.0}, receiver={"type": "ambisonic"}, channels=4, rt60=0.25)
    root = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out").root
    assert [clip.same for clip in reproduce(root)] == [True]


def test_standing_still_is_no_motion(tmp_path):
    """A way to where the source already is gives the still room's sound, within -60 dB."""
    still = scene({"to": [1.0, 2.1, 1.2]}, rt60=0.3)
    moved = made(tmp_path, {"to": [1.0, 2.1, 1.2]}, rt60=0.3).y
    del still["events"][0]["motion"]
    plain = render(plan_clip(load_recipe(write_recipe(tmp_path / "s.yaml", still)), "train", 0)).y
    assert 10 * np.log10(np.sum((moved - plain) ** 2) / np.sum(plain**2)) < -60


def stems_of(tmp_path, tree):
    tree["output"] = {"stems": True, "images": ["direct", "early", "late"]}
    clip = render(plan_clip(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), "train", 0), stems=True)
    return {name.rsplit(".", 1)[-1]: y.astype(float) for name, y in clip.stems.items()}


@pytest.mark.parametrize("receiver", [{}, {"type": "ambisonic"}])
def test_the_parts_of_a_moving_image(tmp_path, receiver):
    """Early and late add up to the image; direct is what a room without echoes gives, Doppler included; late is softer."""
    channels = 4 if receiver else 1
    way = {"motion": {"to": [2.5, 2.1, 1.2]}, "receiver": receiver, "channels": channels}
    parts = stems_of(tmp_path, scene(**way, rt60=0.4))
    bare = stems_of(tmp_path, scene(**way))
    image = parts["event00_x"]
    assert np.abs(parts["early"] + parts["late"] - image).max() <= 1.0
    # Levels are set on the whole image: the direct sound is the bare one's but for a gain.
    gain = np.sum(parts["direct"] * bare["direct"]) / np.sum(bare["direct"] ** 2)
    assert np.sum((parts["direct"] - gain * bare["direct"]) ** 2) < 1e-6 * np.sum(parts["direct"] ** 2)
    assert 0.01 < np.sum(parts["late"] ** 2) / np.sum(image**2) < 0.5


def test_parts_of_a_source_that_stands_are_those_of_its_response(tmp_path):
    """Early sound on a way that goes nowhere is that of the still room, within -50 dB; direct but for what 2.5 ms cut off."""
    still = scene({"to": [1.0, 2.1, 1.2]}, rt60=0.3)
    moved = stems_of(tmp_path, still)
    del still["events"][0]["motion"]
    plain = stems_of(tmp_path, still)
    for part, limit in (("early", -50), ("direct", -30)):
        assert 10 * np.log10(np.sum((moved[part] - plain[part]) ** 2) / np.sum(plain[part] ** 2)) < limit, part


def test_levels_are_set_on_the_early_sound_of_a_moving_source(tmp_path):
    """`signal: early` makes the early stem as loud as was asked."""
    level = {"level_dbfs": None, "level": {"level_dbfs": -20, "signal": "early", "measure": "rms"}}
    tree = scene({"turn": 30.0}, rt60=0.4, **level)
    del tree["events"][0]["level_dbfs"]
    early = stems_of(tmp_path, tree)["early"][0, 8_500:39_000] / 32768
    assert 10 * np.log10(np.mean(early**2)) == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize(
    ("motion", "more", "match"),
    [
        ({"to": [9.0, 1.0, 1.0]}, {}, r"source at \(9, 1, 1\) m is outside the room"),
        ({"turn": -180.0}, {"position": {"distance": 2.3}}, r"motion: the path is at .* outside the room"),
        ({"to": [5.4, 2.1, 1.2]}, {}, r"events\[0\]\.motion"),
        ({}, {}, "exactly one of to, turn, via; got none"),
        ({"to": [2.0, 2.0, 1.0], "turn": 3.0}, {}, "got to, turn"),
        ({"turn": 10.0}, {"room": {"type": "none"}, "position": None}, "a source moves in a shoebox"),
    ],
)
def test_paths_that_cannot_be(tmp_path, motion, more, match):
    """A path through a wall or the microphone, or none at all, is one clear error."""
    tree = scene(motion, position=more.get("position", (1.0, 2.1, 1.2)))
    event = tree["events"][0]
    for key, value in more.items():
        if key != "position" and value is not None:
            event[key] = value
        elif value is None:
            event.pop(key)
    with pytest.raises(AudiosynthError, match=match):
        render(plan_clip(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), "train", 0))
