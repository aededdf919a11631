"""Stems: their integers add up to the mix's in every combination, parts to the whole; names, roles, files."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from material import full_recipe, write_recipe

from audiosynth import build, load_recipe, plan_clip, render, verify
from audiosynth.errors import RecipeError, RenderError
from audiosynth.material.assets import AssetStore
from audiosynth.material.stems import PARTS, Source, stems_of
from audiosynth.pcm import quantise

SR = 8000
TONE = {"type": "tone", "frequency": 440.0, "duration": 0.2}
EVENTS = [
    {"label": "a b", "source": TONE, "onset": 0.05, "level_dbfs": -12.0},
    {"label": "a_b", "source": {"type": "click"}, "onset": 0.1, "level_dbfs": -20.0},
    {"label": "a b", "source": {"type": "noise_burst", "duration": 0.2}, "onset": 0.2, "level_dbfs": -15.0},
    {"label": None, "source": TONE, "onset": 0.35, "overrun": "cut", "level_dbfs": -18.0},
]
PLACES = [[1.0, 1.2, 1.1], [3.1, 2.2, 1.3], [1.4, 2.7, 1.8], [2.9, 0.8, 1.5]]
NOISES = [
    {"source": {"type": "coloured", "colour": "pink"}, "level_dbfs": -10},
    {"source": {"type": "coloured", "colour": "white"}, "level_dbfs": -16},
]
BOX = {"type": "shoebox", "size": [4.1, 3.3, 2.6], "rt60": 0.25}


def recipe_of(folder: Path, **tree: object):
    """Return a loaded recipe with defaults for what is not given."""
    full = {"sr": SR, "duration": 0.5, "clips": 2, **tree}
    return load_recipe(write_recipe(folder / "r.yaml", full), cache_dir=folder / "cache")


def scene(*, channels: int, rooms: bool, layers: int, stems: object, **mix: object) -> dict:
    """Return a recipe's tree with four events, rooms or none, and so many noises."""
    tree: dict = {"channels": channels, "events": [dict(event) for event in EVENTS], "mix": mix, "output": stems}
    if rooms:
        receiver = {"type": "linear", "n": channels, "spacing": 0.1} if channels > 1 else {}
        tree["room"] = {**BOX, "receiver": {**receiver, "position": {"point": [2.2, 1.9, 1.2]}}}
        for event, point in zip(tree["events"], PLACES, strict=True):
            event["position"] = list(point)
    if layers:
        tree["noise"] = {"layers": NOISES[:layers], "level_dbfs": -25.0, "spatial": "independent"}
    return tree


COMBINATIONS = {
    "channels": st.sampled_from([1, 2, 3]),
    "rooms": st.booleans(),
    "layers": st.integers(0, 2),
    "by": st.sampled_from(["event", "label", "role"]),
    "each": st.booleans(),
    "mix": st.fixed_dictionaries(
        {"guard": st.sampled_from(["scale", "clip"])},
        optional={
            "level_dbfs": st.sampled_from([-12.0, -15.0, -30.0]),
            "dither": st.just("tpdf"),
            "effects": st.just(
                [{"type": "fade", "fade_in": 0.1}, {"type": "filter", "kind": "highpass", "frequency": 200.0}]
            ),
        },
    ),
    "subtype": st.sampled_from(["PCM_16", "PCM_24"]),
}


@given(**COMBINATIONS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wet_stems_sum_to_the_mix(tmp_path, channels, rooms, layers, by, each, mix, subtype):
    """In every combination of channels, rooms, noises, guard, gain, dither and effects: exactly, and early + late = wet."""
    stems = {"by": by, "layers": each, "parts": list(PARTS)}
    tree = scene(
        channels=channels,
        rooms=rooms,
        layers=layers,
        stems={"format": "wav", "subtype": subtype, "stems": stems},
        **mix,
    )
    clip = render(plan_clip(recipe_of(tmp_path, **tree), "train", 0), stems=True)
    wet = {name: y for name, y in clip.stems.items() if name.partition(".")[2] not in PARTS}
    whole = clip.pcm16 if subtype == "PCM_16" else quantise(clip.y, bits=24).pcm
    assert np.array_equal(np.sum(list(wet.values()), axis=0), whole.astype(np.int64))
    for name in (name for name in wet if not name.startswith("noise")):
        assert np.array_equal(clip.stems[f"{name}.early"] + clip.stems[f"{name}.late"], wet[name])


def test_stems_of_a_float_mix_are_floats_that_sum_to_it(tmp_path):
    """Their sum differs from the float mix by the rounding of float32 alone."""
    tree = scene(channels=2, rooms=True, layers=2, stems={"subtype": "FLOAT", "stems": {"layers": True}})
    clip = render(plan_clip(recipe_of(tmp_path, **tree), "train", 0), stems=True)
    assert {y.dtype.name for y in clip.stems.values()} == {"float32"}
    total = np.sum([y.astype(np.float64) for y in clip.stems.values()], axis=0)
    assert np.abs(total - clip.y).max() < 6 * 2.0**-25


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_16"])
def test_files_of_stems_sum_to_the_file_of_the_mix(tmp_path, subtype):
    """Read back by soundfile, the stems of every clip add up to its mix without any error; `verify` holds them."""
    stems = {"by": "label", "parts": ["wet", "dry"], "subtype": subtype}
    tree = scene(channels=1, rooms=True, layers=2, stems={"stems": stems}, level_dbfs=-30.0)
    built = build(recipe_of(tmp_path, **tree), tmp_path / "out")
    mixes = sorted((built.root / "audio").rglob("train-?????????.wav"))
    assert len(mixes) == 2
    for path in mixes:
        files = sorted(path.with_suffix(".stems").glob("*.wav"))
        assert {soundfile.info(file).subtype for file in files} == {subtype}
        parts = [soundfile.read(file)[0] for file in files if not file.stem.endswith(".dry")]
        assert np.array_equal(np.sum(parts, axis=0), soundfile.read(path)[0])
    assert verify(built.root).ok


def test_dry_stems_are_the_sources_where_their_direct_sound_arrives(tmp_path):
    """In a room whose only echo is the direct sound at 1 m, dry and wet are the same sound."""
    tree = scene(channels=1, rooms=True, layers=0, stems={"stems": {"parts": ["wet", "dry"]}})
    tree["room"] = {**BOX, "max_order": 0, "normalize": "direct", "receiver": {"position": {"point": [2.2, 1.9, 1.2]}}}
    del tree["room"]["rt60"]
    tree["room"]["alpha"] = 1.0
    clip = render(plan_clip(recipe_of(tmp_path, **tree), "train", 0), stems=True)
    wet, dry = (clip.stems[name].astype(float)[0] for name in ("event00_a_b", "event00_a_b.dry"))
    # the direct sound falls between samples, by less than half of one: at 440 Hz that is -21 dB at most
    assert np.square(wet - dry).sum() < 0.01 * np.square(dry).sum()


def test_a_noise_alone_and_its_layers(tmp_path):
    """Each noise of the bed has a stem at the level it was given, under the bed's own gain."""
    tree = scene(channels=1, rooms=False, layers=2, stems={"stems": {"layers": True}})
    clip = render(plan_clip(recipe_of(tmp_path, **tree), "train", 0), stems=True)
    pink, white = (np.mean(np.square(clip.stems[f"noise{j:02d}"] / 32768.0)) for j in range(2))
    assert 10 * np.log10(pink / white) == pytest.approx(6.0, abs=0.05)
    assert 10 * np.log10(pink + white) == pytest.approx(-25.0, abs=0.3)  # the two are unrelated


def test_names_of_labels_that_look_alike():
    """Labels that give the same file name get numbers, in the order of their first events."""
    stems = stems_of([Source("a b"), Source("a_b"), Source("A B"), Source("dog"), Source(None)], 0, by="label")
    assert [stem.name for stem in stems] == ["label_a_b", "label_a_b-2", "label_a_b-3", "label_dog", "interference"]
    roles = stems_of([Source("a"), Source(None)], 1, by="role")
    assert [(stem.name, stem.role) for stem in roles] == [
        ("foreground", "foreground"), ("interference", "interference"), ("noise", "background"),
    ]  # fmt: skip


def test_stems_true_is_what_it_was(tmp_path):
    """`stems: true` (with `images`) means one stem an event and one for the noise, in float32, as rows of before have it."""
    old = scene(channels=1, rooms=True, layers=1, stems={"stems": True, "images": ["early", "late"]})
    new = scene(channels=1, rooms=True, layers=1, stems={"stems": {"parts": ["wet", "early", "late"]}})
    a, b = (render(plan_clip(recipe_of(tmp_path, **tree), "train", 0), stems=True).stems for tree in (old, new))
    assert list(a) == list(b)
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_a_stem_beyond_full_scale(tmp_path):
    """Two sounds that cancel each other: 16 bits cannot hold either, which is said; float32 can."""
    loud = [{"label": "t", "source": TONE, "onset": 0.0, "level_dbfs": 6.0} for _ in range(2)]
    loud[1]["effects"] = [{"type": "gain", "gain_db": 0.0, "invert": True}]
    quiet = {"label": "c", "source": {"type": "click"}, "onset": 0.3, "level_dbfs": -30.0}
    for subtype in ("PCM_16", "FLOAT"):
        recipe = recipe_of(tmp_path, events=[*loud, quiet], output={"stems": {"subtype": subtype}})
        spec = plan_clip(recipe, "train", 0)
        if subtype == "FLOAT":
            total = np.sum(list(render(spec, stems=True).stems.values()), axis=0)
            assert np.array_equal(total, render(spec).pcm16.astype(np.int64))
        else:
            with pytest.raises(
                RenderError, match=r"stem event0\d_t peaks at \+9.\d\d dBFS, .*subtype: FLOAT.*scale_all"
            ):
                render(spec, stems=True)


def test_a_guard_over_stems(tmp_path):
    """`guard: scale_all` scales a clip whose stems would not fit, dry ones too, until 16 bits hold all of them."""
    loud = [{"label": "t", "source": TONE, "onset": 0.0, "level_dbfs": 6.0} for _ in range(2)]
    loud[1]["effects"] = [{"type": "gain", "gain_db": -0.1, "invert": True}]
    output = {"stems": {"subtype": "PCM_16", "parts": ["wet", "dry"], "layers": True}}
    bed = {"layers": NOISES, "level_dbfs": -30.0}
    recipe = recipe_of(tmp_path, events=loud, noise=bed, output=output, mix={"guard": "scale_all"})
    clip = render(plan_clip(recipe, "train", 0), stems=True)
    peaks = [int(np.abs(y).max()) for y in clip.stems.values()]
    assert 32_700 < max(peaks) <= 32_767
    wet = [y for name, y in clip.stems.items() if not name.endswith(".dry")]
    assert np.array_equal(np.sum(wet, axis=0), clip.pcm16.astype(np.int64))
    for again in (render(clip.spec, clip.decisions), render(clip.spec)):
        assert again.pcm_sha256 == clip.pcm_sha256


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ({"stems": {"by": "class"}}, "output.stems.*by.*'event', 'label' or 'role'"),
        ({"stems": {"parts": []}}, "at least 1"),
        ({"stems": {"parts": ["wet", "wet"]}}, "expected each once"),
        ({"stems": {"subtype": "PCM_24"}}, "PCM_24 stems do not add up to a PCM_16 mix; write them as FLOAT or PCM_16"),
        ({"stems": {}, "images": ["late"]}, "images are stems; say `stems: {parts"),
    ],
)
def test_bad_stems(tmp_path, output, message):
    """What cannot be written is an error of the recipe, with the way out."""
    with pytest.raises(RecipeError, match=message):
        recipe_of(tmp_path, output=output, events=[EVENTS[0]])


def test_measured_rooms_and_recordings(tmp_path):
    """Recordings in measured rooms over recorded noise: by label and by role, the stems sum to the mix."""
    for by, each in itertools.product(("label", "role"), (True, False)):
        stems = {"stems": {"by": by, "layers": each}}
        recipe = load_recipe(full_recipe(tmp_path, output=stems), cache_dir=tmp_path / "cache")
        clip = render(plan_clip(recipe, "train", 0), assets=AssetStore(recipe.roots), stems=True)
        assert np.array_equal(np.sum(list(clip.stems.values()), axis=0), clip.pcm16.astype(np.int64))
