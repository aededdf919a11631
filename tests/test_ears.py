"""A binaural receiver in a recipe: a head from a SOFA file, from the catalogue to the row and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from material import write_recipe

from audiosynth import build, load_recipe, plan_clip, render, reproduce, verify
from audiosynth.errors import AudiosynthError

pytest.importorskip("h5py")
from sphere_head import lattice, responses, unit, write

SR = 16_000


def scene(folder, **changes):
    """Return a recipe with a head of a sphere."""
    (folder / "heads").mkdir(exist_ok=True)
    azimuth, elevation = lattice()
    ir = responses(unit(azimuth, elevation), SR)
    write(folder / "heads" / "sphere.sofa", azimuth=azimuth, elevation=elevation, ir=ir, sr=SR)
    return {
        "sr": SR, "duration": 1.0, "clips": 2, "channels": 2, "data": {"heads": "heads"},
        "catalogues": {"heads": {"data": "heads", "layout": "flat", "include": [".sofa"], "group": None}},
        "room": {
            "type": "shoebox", "size": [5, 4, 3], "rt60": 0.3,
            "receiver": {"type": "binaural", "hrtf": {"pick": {"from": "heads"}}, "position": [2.2, 1.9, 1.2], "yaw": 20},
        },
        "events": [{
            "label": "x", "source": {"type": "noise_burst", "duration": 0.2}, "onset": 0.3, "level_dbfs": -25,
            "position": {"distance": 1.2, "azimuth": {"choice": [80, -80]}},
        }],
        **changes,
    }  # fmt: skip


def test_the_nearer_ear_is_louder(tmp_path):
    """A source to the left is louder in the first channel, one to the right in the second; the label says which it is."""
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", scene(tmp_path, clips=12)), cache_dir=tmp_path / "c")
    from audiosynth.material.assets import AssetStore
    from audiosynth.material.workspace import Workspace

    work, sides = Workspace(AssetStore(recipe.roots)), set()
    for i in range(12):
        clip = render(plan_clip(recipe, "train", i), assets=work)
        left, right = (clip.y**2).sum(axis=1)
        azimuth = clip.labels[0].extra["azimuth"]
        sides.add(azimuth > 0)
        assert (left > 1.5 * right) if azimuth > 0 else (right > 1.5 * left)
    assert sides == {True, False}


def test_clips_come_back_and_name_their_head(tmp_path):
    """A built clip is reproduced from its row, the head stands among its assets, and the files are as written."""
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", scene(tmp_path)), cache_dir=tmp_path / "c")
    root = build(recipe, tmp_path / "out").root
    again = list(reproduce(root, data={"heads": str(tmp_path / "heads")}))
    assert [clip.same for clip in again] == [True, True]
    assert [json.loads(line)["path"] for line in (root / "assets.jsonl").read_text().splitlines()] == ["sphere.sofa"]
    assert verify(root).ok
    room = json.loads((root / "manifest.jsonl").read_text().splitlines()[0])["outcomes"]["events"][0]["room"]
    assert room["off"] < 15
    assert np.isfinite(room["t30"])


def moving(tmp_path, motion, *, position, rt60=None, **source):
    """Return left and right ear of a source on its way, the head looking along x."""
    tree = scene(tmp_path, clips=1, duration=2.5)
    walls = {"alpha": 1.0} if rt60 is None else {"rt60": rt60}
    tree["room"] = {"type": "shoebox", "size": [5, 4, 3], **walls, "receiver": {**tree["room"]["receiver"], "yaw": 0}}
    made = {"type": "noise_burst", "duration": 2.0, **source}
    tree["events"] = [{"label": "x", "source": made, "onset": 0.3, "level_dbfs": -25, "position": position}]
    if motion is not None:
        tree["events"][0]["motion"] = motion
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree), cache_dir=tmp_path / "c")
    from audiosynth.material.assets import AssetStore
    from audiosynth.material.workspace import Workspace

    return render(plan_clip(recipe, "train", 0), assets=Workspace(AssetStore(recipe.roots))).y


def test_a_source_walks_around_a_head(tmp_path):
    """From the left over the front to the right: the ears change places, and in the middle they are alike."""
    left, right = moving(tmp_path, {"turn": -160.0}, position={"distance": 1.2, "azimuth": 80})
    power = [(ear[a : a + 4_000] ** 2).sum() for a in (5_500, 19_000, 32_000) for ear in (left, right)]
    assert power[0] > 2 * power[1]
    assert power[2] == pytest.approx(power[3], rel=0.2)
    assert power[5] > 2 * power[4]


def test_a_source_that_stands_is_heard_as_without_motion(tmp_path):
    """A way to the same place gives the still head's ears, in time and to -50 dB, with Doppler and without."""
    place = [3.1, 2.6, 1.4]
    still = moving(tmp_path, None, position=place, rt60=0.3)
    for doppler in (True, False):
        y = moving(tmp_path, {"to": place, "doppler": doppler}, position=place, rt60=0.3)
        assert 10 * np.log10(np.sum((y - still) ** 2) / np.sum(still**2)) < -50


def test_both_ears_hear_doppler(tmp_path):
    """A tone that comes nearer at 0.8 m/s is higher by v/c in both ears: 2.3 Hz of 1 kHz."""
    tone = {"type": "tone", "frequency": 1000, "duration": 2.0, "fade": 0.01}
    y = moving(tmp_path, {"to": [2.9, 1.9, 1.2]}, position=[4.5, 1.9, 1.2], **tone)
    t = np.arange(8_000, 36_000) / SR
    for ear in y:
        phase = np.unwrap(
            np.angle(np.convolve(ear[8_000:36_000] * np.exp(-2j * np.pi * 1000 * t), np.hanning(801), "same"))
        )
        shift = np.polyfit(t[800:-800], phase[800:-800], 1)[0] / (2 * np.pi)
        assert shift == pytest.approx(1000 * (1 / (1 - 0.8 / 343.2) - 1), abs=0.03)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"channels": 1}, "has 2 channels and the clip 1"),
        (
            {"noise": {"type": "coloured", "colour": "pink", "level_dbfs": -40, "spatial": "diffuse"}},
            "a head is no array",
        ),
    ],
)
def test_what_a_head_cannot(tmp_path, changes, match):
    """One channel, or a diffuse bed, is refused with the reason."""
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", scene(tmp_path, **changes)), cache_dir=tmp_path / "c")
    with pytest.raises(AudiosynthError, match=match):
        build(recipe, tmp_path / "out")
