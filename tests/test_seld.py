"""DCASE SELD metadata: frames, tracks, directions, the three formats; held against what the challenge's readers expect."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from material import write_recipe
from test_exporters import label, row, view

from audiosynth import build, load_recipe, verify
from audiosynth.errors import AudiosynthError, BuildError
from audiosynth.exporters.seld import Seld, folded


def seen(name, onset, offset, azimuth=30.0, elevation=-5.0, distance=1.25, **more):
    return label(name, onset, offset, azimuth=azimuth, elevation=elevation, distance=distance, **more)


def read(path: Path) -> list[tuple[int, ...]]:
    """Parse a file as the baselines do: comma-separated whole numbers, a header only in 2025."""
    lines = path.read_text().splitlines()
    return [tuple(int(field) for field in line.split(",")) for line in lines if not line.startswith("frame")]


def written(tmp_path, labels, **options) -> list[tuple[int, ...]]:
    Seld(**options).write(view(tmp_path, [row(0, labels)]), tmp_path)
    return read(tmp_path / "seld" / "train" / "train-000000000.csv")


def test_a_frame_is_active_if_overlapped_at_all(tmp_path):
    """An event of 1599..3201 at 16 kHz touches frames 0, 1 and 2; one of 1600..3200 frame 1 alone."""
    assert [r[0] for r in written(tmp_path, [seen("a", 1599, 3201)])] == [0, 1, 2]
    assert [r[0] for r in written(tmp_path, [seen("a", 1600, 3200)])] == [1]


def test_the_three_formats(tmp_path):
    """2023 has five columns, 2024 the distance in cm behind them, 2025 a header, folded azimuths and no elevation."""
    labels = [seen("a", 0, 800, azimuth=130.4, elevation=-12.6, distance=2.344)]
    assert written(tmp_path, labels) == [(0, 0, 0, 130, -13)]
    assert written(tmp_path, labels, year=2024) == [(0, 0, 0, 130, -13, 234)]
    assert written(tmp_path, labels, year=2025) == [(0, 0, 0, 50, 234, 0)]
    text = (tmp_path / "seld" / "train" / "train-000000000.csv").read_text()
    assert text.splitlines()[0] == "frame,class,source,azimuth,distance,onscreen"


@pytest.mark.parametrize("azimuth", range(-360, 361, 7))
def test_folding_keeps_the_left_right_angle(azimuth):
    """A folded azimuth has the sine of the true one (what two microphones side by side hear) and lies in front."""
    front = folded(float(azimuth))
    assert -90.0 <= front <= 90.0
    assert math.sin(math.radians(front)) == pytest.approx(math.sin(math.radians(azimuth)), abs=1e-9)


def test_azimuths_stay_below_180(tmp_path):
    """Straight behind is -180, as the challenge's range [-180, 180) has it."""
    assert [r[3] for r in written(tmp_path, [seen("a", 0, 10, azimuth=180.0), seen("b", 0, 10, azimuth=179.6)])] == [
        -180,
        -180,
    ]


def test_overlapping_events_of_a_class_have_tracks(tmp_path):
    """Two overlapping events of one class have sources 0 and 1, a later one takes the free 0, another class begins at 0."""
    labels = [seen("a", 0, 16_000), seen("a", 8000, 24_000), seen("a", 17_600, 25_600), seen("b", 0, 1600)]
    rows = written(tmp_path, labels)
    assert {r[2] for r in rows if r[1] == 0 and r[0] < 5} == {0}
    assert {r[2] for r in rows if r[1] == 0 and 5 <= r[0] < 10} == {0, 1}
    assert {r[2] for r in rows if r[1] == 0 and 11 <= r[0] < 15} == {0, 1}
    assert {r[2] for r in rows if r[1] == 1} == {0}


def test_classes_have_numbers(tmp_path):
    """Numbers follow the sorted labels, or the list that is given; classes.tsv says which."""
    labels = [seen("dog", 0, 10), seen("bell", 0, 10)]
    assert {r[1] for r in written(tmp_path, labels)} == {0, 1}
    assert (tmp_path / "seld" / "classes.tsv").read_text() == "0\tbell\n1\tdog\n"
    assert sorted(r[1] for r in written(tmp_path, labels, classes=["x", "dog", "bell"])) == [1, 2]
    with pytest.raises(BuildError, match="'dog' is none of the classes bell"):
        written(tmp_path, labels, classes=["bell"])


def test_moving_events_follow_their_track(tmp_path):
    """A label with a track has, in each frame, the direction nearest to the frame's middle."""
    track = [[t / 10, 10.0 * t, 0.0, 1.0 + t] for t in range(6)]
    rows = written(tmp_path, [seen("a", 0, 8000, track=track)], year=2024)
    assert [r[3] for r in rows] == [0, 10, 20, 30, 40]


def test_labels_without_a_direction_are_refused(tmp_path):
    """An event that stands nowhere cannot be localised; the message names clip, label and remedy."""
    with pytest.raises(
        BuildError, match=r"clip train-000000000: label 'a' has no direction; give its event a `position`"
    ):
        written(tmp_path, [label("a", 0, 10)])


def test_inaudible_events_are_left_out_or_kept(tmp_path):
    """Events nobody can hear are no targets unless they are asked for."""
    labels = [seen("a", 0, 10, audible=False)]
    assert written(tmp_path, labels) == []
    assert len(written(tmp_path, labels, inaudible="keep")) == 1


def scene(**event):
    """Return a recipe with one event in a room."""
    return {
        "sr": 16_000, "duration": 1.0, "clips": 2, "channels": 4, "export": ["seld"],
        "room": {"type": "shoebox", "size": [5, 4, 3], "rt60": 0.2, "receiver": {"type": "ambisonic", "position": [2.2, 1.9, 1.2]}},
        "events": [{
            "label": "x", "source": {"type": "tone", "frequency": 500, "duration": 0.25}, "onset": 0.3, "level_dbfs": -20,
            "position": {"distance": 1.0, "azimuth": 75, "elevation": 10}, **event,
        }],
    }  # fmt: skip


def test_a_built_set_has_the_directions_of_its_recipe(tmp_path):
    """From recipe to CSV: frames 3 to 5, azimuth 75°, elevation 10°, and `verify` finds it as written."""
    built = build(load_recipe(write_recipe(tmp_path / "r.yaml", scene())), tmp_path / "out")
    rows = read(built.root / "labels" / "seld" / "train" / "train-000000001.csv")
    assert rows == [(frame, 0, 0, 75, 10) for frame in (3, 4, 5)]
    assert verify(built.root).ok


def test_a_build_without_directions_stops_at_once(tmp_path):
    """A label from a room without places is refused at the first clip."""
    tree = scene(room={"type": "none"})
    del tree["events"][0]["position"]
    with pytest.raises(AudiosynthError, match="has no direction"):
        build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out")
