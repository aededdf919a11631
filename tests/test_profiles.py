"""Noise profiles: the files, the sound against what they ask for, the spec that keeps them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from audiosynth.cli import cli
from audiosynth.clip import RenderContext
from audiosynth.errors import RecipeError
from audiosynth.manifest import made_of
from audiosynth.noises.profile import Profile as ProfileNoise
from audiosynth.plan import plan_clip
from audiosynth.profiles import sound as profile_sound
from audiosynth.profiles import stats as profile_stats
from audiosynth.profiles.profile import CENTRES, MAX_FILE, Profile, profile_path, read_profile, shipped_profiles
from audiosynth.profiles.text import profile_text
from audiosynth.recipe import load_recipe
from audiosynth.spec import parts

FLAT = [[f, -10.0] for f in CENTRES[2:26]]


def noise(profile: Profile, *, sr: int = 16_000, seconds: float = 30.0, seed: int = 3, start: int = 0) -> np.ndarray:
    """Return one channel of a profile's noise."""
    return profile_sound.render(profile, seed=seed, sr=sr, channel=0, start=start, n_samples=int(seconds * sr))


def made(**more: object) -> Profile:
    """Return a flat profile with something more."""
    return Profile.model_validate({"description": "x", "made": "designed", "bands": FLAT, **more})


def recipe(tmp_path: Path, profile: object) -> Path:
    """Write a recipe whose noise is a profile."""
    path = tmp_path / "r.yaml"
    tree = {
        "sr": 16_000,
        "duration": 1.0,
        "clips": 6,
        "noise": {"type": "profile", "profile": profile, "level_dbfs": -30},
    }
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", shipped_profiles())
def test_shipped_profiles_are_whole(name):
    """Every one can be read, is small, says where it comes from, and sounds as loud as the others, finite."""
    profile = read_profile(profile_path(name, None))
    assert profile.made == "designed"
    assert re.search(r"\b(19|20)\d\d\b", profile.origin) or "by ear" in profile.origin, "neither a source nor by ear"
    assert profile.origin.count("(") == profile.origin.count(")")
    assert profile_path(name, None).stat().st_size <= MAX_FILE
    y = noise(profile, seconds=20.0, sr=44_100)
    assert np.isfinite(y).all()
    assert 10 * np.log10(np.mean(y**2)) == pytest.approx(0.0, abs=1.5)
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_there_are_many_profiles():
    """The places a data set needs."""
    wanted = {
        "office", "open_plan_office", "classroom", "cafe", "restaurant", "kitchen", "living_room_tv", "bathroom_fan", "street_calm",
        "street_busy", "highway", "car_50", "car_120", "car_window", "bus", "train", "metro", "aircraft_cabin", "factory_hall",
        "construction_site", "server_room", "rain_on_roof", "wind_on_microphone", "forest", "sea_shore", "crowd", "speech_shaped", "babble",
        "hum_50", "hum_60", "microphone_self_noise",
    }  # fmt: skip
    assert wanted <= set(shipped_profiles())


@pytest.mark.parametrize("name", ["speech_shaped", "car_50", "aircraft_cabin", "street_busy"])
@pytest.mark.parametrize("sr", [16_000, 44_100])
def test_third_octaves_are_those_of_the_file(name, sr):
    """Levels in third octaves from 63 Hz to 0.4 of the rate within 1 dB, median within 0.4 dB."""
    profile = read_profile(profile_path(name, None)).model_copy(
        update={"modulation": (), "impulses": None, "tones": ()}
    )
    asked = dict(profile.bands)
    total = 10 * np.log10(sum(10 ** (v / 10) for f, v in asked.items() if f <= 0.45 * sr))
    found = profile_stats.measure(noise(profile, sr=sr, seconds=60.0), sr).bands
    errors = [abs(level - (asked[f] - total)) for f, level in found if f in asked and 63 <= f <= 0.4 * sr]
    assert np.median(errors) < 0.4
    assert max(errors) < 1.0


def test_levels_waver_as_far_and_as_fast_as_asked():
    """A group's level changes have the depth asked for in their octave and next to none in others."""
    group = {"fmin": 0, "fmax": 24_000, "rates": [[2.0, 4.0]]}
    depth = profile_stats.modulation(noise(made(modulation=[group]), seconds=120.0), 16_000)[1]
    still = profile_stats.modulation(noise(made(), seconds=120.0), 16_000)[1]
    at = profile_stats.RATES.index(2.0)
    octaves = np.sqrt(np.maximum(depth**2 - still**2, 0.0))
    assert np.sqrt(np.sum(octaves[at - 1 : at + 2] ** 2)) == pytest.approx(4.0, rel=0.15)
    assert octaves[at] == np.max(octaves)
    assert octaves[profile_stats.RATES.index(0.25)] < 0.5


def test_lines_stand_at_their_frequency_and_level():
    """A line's power is its level, with and without drift; one above half the rate is left out."""
    tones = [
        {"frequency": 1000.0, "level_db": 3.0},
        {"frequency": 440.0, "level_db": 0.0, "drift": 0.5},
        {"frequency": 9000.0, "level_db": 10.0},
    ]
    profile = made(tones=tones, bands=[[f, -40.0] for f in CENTRES])
    y = noise(profile)
    found = dict(profile_stats.lines(y, 16_000))
    strongest = max(found, key=lambda f: found[f])
    assert strongest == pytest.approx(1000.0, abs=0.1)
    share = 10**0.3 / (10**0.3 + 1.0 + 30 * 1e-4)
    assert found[strongest] == pytest.approx(share, rel=0.05)
    f, p = scipy.signal.welch(y, 16_000, nperseg=16_000 * 8)
    near = (f > 430) & (f < 450)
    spread = np.sqrt(np.sum(p[near] * (f[near] - 440.0) ** 2) / p[near].sum())
    assert 0.2 < spread < 1.2


def test_impulses_come_at_their_rate_and_power():
    """Counted in the envelope; their share of the power is what was asked for."""
    profile = made(
        impulses={"rate": 5.0, "level_db": 10.0, "exponent": 3.0, "range_db": 6.0, "t60": 0.02},
        bands=[[f, -40.0] for f in CENTRES],
    )
    y = noise(profile, seconds=60.0)
    power = profile_stats.impulses(y, 16_000)
    assert power is not None
    assert power["rate"] == pytest.approx(5.0, rel=0.3)
    assert power["level_db"] > -1.0 or power["level_db"] == pytest.approx(-3.0)
    assert np.mean(y**2) == pytest.approx(1.0, rel=0.25)


def test_a_cycle_goes_on_and_off():
    """The level drops by the depth for the time off."""
    y = noise(made(switching={"on": 2.0, "off": 1.0, "depth_db": 20.0, "edge": 0.1}), seconds=30.0)
    level = profile_stats.levels(y, 16_000)
    low = level < (level.max() + level.min()) / 2
    assert np.mean(low) == pytest.approx(1.0 / 3.0, abs=0.06)
    assert np.median(level[~low]) - np.median(level[low]) == pytest.approx(20.0, abs=1.5)


def test_any_stretch_is_the_same_sound():
    """Sample n depends on n alone, an hour in as at the start."""
    profile = read_profile(profile_path("cafe", None))
    late = 16_000 * 3600
    whole = noise(profile, seconds=2.0, start=late)
    assert np.array_equal(noise(profile, seconds=0.5, start=late + 9_999), whole[9_999 : 9_999 + 8000])


def test_channels_are_independent_unless_said_otherwise():
    """Channels of one noise do not correlate; with a coherence they do, and a field's streams again do not."""
    tree = made().model_dump()
    ctx = RenderContext(sr=16_000, n_channels=2)
    for coherence in (0.0, 0.6):
        component = ProfileNoise(profile="x", content=Profile.model_validate({**tree, "coherence": coherence}), seed=1)
        y = component.render(ctx, start=0, n_samples=160_000)
        assert np.corrcoef(y)[0, 1] == pytest.approx(coherence, abs=0.05)
        assert np.corrcoef(component.streams(ctx, start=0, n_samples=160_000))[0, 1] == pytest.approx(0.0, abs=0.05)


def test_babble_wavers_at_the_rate_of_syllables():
    """Its modulation is deepest about 4 Hz."""
    depth = profile_stats.modulation(noise(read_profile(profile_path("babble", None)), seconds=60.0), 16_000)[1]
    assert profile_stats.RATES[int(np.nanargmax(depth))] == 4.0


def test_the_spec_keeps_the_content(tmp_path):
    """A drawn profile's content stands in the spec, so that a row renders without the file."""
    (tmp_path / "mine.yaml").write_text(profile_text(made(description="mine")), encoding="utf-8")
    loaded = load_recipe(recipe(tmp_path, {"choice": ["office", "mine.yaml"]}))
    specs = [plan_clip(loaded, "train", i) for i in range(6)]
    sources = [spec.noise.layers[0].source for spec in specs]
    assert {s.profile for s in sources} == {"office", "mine.yaml"}
    (tmp_path / "mine.yaml").unlink()
    for s in sources:
        assert s.content == (
            made(description="mine") if s.profile == "mine.yaml" else read_profile(profile_path("office", None))
        )
    assert made_of(parts(specs[0]), [])["profiles"] == "designed"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("description: x\nmade: designed\nbands: [[63, -3], [100, -3], [125, -3]]\n", "80 Hz is missing"),
        ("description: x\nmade: designed\nbands: [[64, -3], [80, -3], [100, -3]]\n", "64 Hz is no nominal third-octave centre; the nearest is 63"),
        ("description: x\nmade: designed\nbands: [[63, .nan], [80, -3], [100, -3]]\n", "not a finite number"),
        ("description: x\nmade: designed\nbands: [[63, -3], [80, -3], [100, -3]]\ntones: [{frequency: 400, level_db: 0}]\n", "400 Hz lies above the highest band"),
        ("description: x\nmade: designed\nbands: [[63, -3], [80, -3], [100, -3]]\ntone: []\n", "no such parameter"),
        ("- 1\n", "a noise profile is a map"),
    ],
)  # fmt: skip
def test_bad_files_are_told_with_their_place(tmp_path, text, message):
    """One message with the file, and the way out."""
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(recipe(tmp_path, "bad.yaml"))
    assert "bad.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ofice", "did you mean 'office'"),
        ("../x.yaml", "lies outside the folder"),
        ("none.yaml", "there is no file 'none.yaml'"),
    ],
)
def test_profiles_that_are_not_there(tmp_path, name, message):
    """A wrong name is an error of the recipe, with its place."""
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(recipe(tmp_path, name))
    assert "r.yaml:1:" in str(caught.value)


def main(words):
    """Run a command line and return its exit code."""
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    return int(caught.value.code or 0)


def test_show_and_list(tmp_path, capsys):
    """The commands print and draw."""
    assert main(["profile", "list", "--quiet"]) == 0
    assert "cafe" in capsys.readouterr().out.split()
    picture = tmp_path / "x.png"
    assert main(["profile", "show", "forest", "-o", str(picture), "--sr", "8000"]) == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert main(["profile", "show", "forrest"]) != 0
    assert "did you mean 'forest'" in capsys.readouterr().err


def test_impulses_have_the_spectrum_of_their_bands():
    """Third octaves of sparse bursts stand as their list says, also 40 dB below a steep edge."""
    bands = [[f, 0.0 if f <= 1000 else -40.0] for f in CENTRES]
    profile = made(
        impulses={"rate": 12.0, "level_db": 20.0, "exponent": 3.0, "range_db": 3.0, "t60": 0.02, "bands": bands},
        bands=[[f, -60.0] for f in CENTRES],
    )
    # a seed has 16 waveforms, each of about two degrees of freedom in a narrow band: 4.34 sqrt(1 / 16) = 1.1 dB of spread
    # for one seed, 0.25 dB for twenty
    found = [dict(profile_stats.measure(noise(profile, seconds=5.0, seed=s), 16_000).bands) for s in range(20)]
    level = {f: 10 * np.log10(np.mean([10 ** (one[f] / 10) for one in found])) for f in found[0]}
    low = [level[f] for f in CENTRES if 100 <= f <= 630]
    assert np.ptp(low) < 1.5
    assert level[2000.0] - np.mean(low) == pytest.approx(-40.0, abs=3.0)


def test_bands_of_impulses_are_checked():
    """A gap is named with its place."""
    with pytest.raises(ValueError, match=r"impulses\.bands: expected every third-octave band .* 80 Hz is missing"):
        made(impulses={"rate": 3.0, "level_db": 2.0, "bands": [[63, 0], [100, 0], [125, 0]]})
