"""Long clips in blocks: the samples, decisions, outcomes and files of the same clips made at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from material import full_recipe, write_recipe

from audiosynth import build, load_recipe, plan_clip, render, reproduce, verify
from audiosynth.clip import RenderContext
from audiosynth.errors import RenderError
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.rendering.blocks import Bed, Scene
from audiosynth.rendering.gains import Meter
from audiosynth.rendering.separate import written
from audiosynth.rendering.stream import stream, streams

SR = 16000
SMALL = 2**15
"""Blocks of the tests: as `blocks.BLOCK`, a multiple of what energies, quantisers and encoders go by."""
BOX = {"type": "shoebox", "size": [4.1, 3.3, 2.6], "rt60": 0.3}
BURST = {"type": "noise_burst", "duration": 0.7}


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Make blocks that a clip of some seconds has several of."""
    monkeypatch.setattr("audiosynth.rendering.blocks.BLOCK", SMALL)


def recipe_of(folder: Path, **tree: object):
    """Return a loaded recipe with defaults for what is not given."""
    full = {"sr": SR, "duration": 6.0, "clips": 1, **tree}
    return load_recipe(write_recipe(folder / "r.yaml", full), cache_dir=folder / "cache")


def both(recipe, *, ordinal: int = 0, split: str = "train"):
    """Return a clip made at once and in blocks, and the samples of the blocks."""
    spec = plan_clip(recipe, split, ordinal)
    blocks: list[np.ndarray] = []
    at_once = render(spec, assets=AssetStore(recipe.roots))
    return at_once, stream(spec, assets=AssetStore(recipe.roots), sink=blocks.append), np.concatenate(blocks, axis=1)


def require_same(at_once, streamed, samples) -> None:
    """Hold a streamed clip against the one made at once."""
    assert streamed.pcm_sha256 == at_once.pcm_sha256
    assert streamed.decisions == at_once.decisions
    assert streamed.outcomes == at_once.outcomes
    assert streamed.labels == at_once.labels
    assert np.array_equal(samples, written(at_once.y, at_once.pcm16, at_once.spec.output.subtype))


def scene(*, channels: int, rooms: bool, bed: dict | None, mix: dict, subtype: str, level: dict) -> dict:
    """Return the tree of a clip with events across the seams of blocks, at its ends and beyond."""
    onsets = [0.0, 1.9, 2.0, 3.7, 5.6]
    events = [
        {"label": f"e{k}", "source": BURST, "onset": t, "overrun": "cut", "level": level} for k, t in enumerate(onsets)
    ]
    tree: dict = {"channels": channels, "events": events, "mix": mix, "output": {"subtype": subtype}}
    if rooms:
        array = {"type": "linear", "n": channels, "spacing": 0.1} if channels > 1 else {}
        tree["room"] = {**BOX, "receiver": {**array, "position": {"point": [2.2, 1.9, 1.2]}}}
        for k, event in enumerate(events):
            event["position"] = [1.0 + 0.5 * k, 1.0, 1.4]
            event["align"] = "causal" if k % 2 else "direct"
    if bed is not None:
        tree["noise"] = bed
    return tree


PINK = {"source": {"type": "coloured", "colour": "pink"}, "level_dbfs": -30.0}
WHITE = {"source": {"type": "coloured", "colour": "white"}, "level_dbfs": -36.0, "envelope": [[1.0, 0.0], [5.0, -20.0]]}
PROFILE = {"source": {"type": "profile", "profile": "cafe"}}
BEDS = [
    {"layers": [PINK], "spatial": "duplicate"},
    {"layers": [PINK, WHITE], "spatial": "independent", "level_dbfs": -33.0},
    {"layers": [PROFILE], "spatial": "independent", "level_dbfs": -40.0},
]


@given(
    channels=st.sampled_from([1, 2]),
    rooms=st.booleans(),
    bed=st.sampled_from(BEDS),
    mix=st.fixed_dictionaries(
        {"guard": st.sampled_from(["scale", "clip"])},
        optional={"level_dbfs": st.sampled_from([-3.0, -30.0]), "dither": st.just("tpdf")},
    ),
    subtype=st.sampled_from(["PCM_16", "PCM_24", "FLOAT"]),
    level=st.sampled_from(
        [
            {"snr_db": 5.0},
            {"snr_db": 12.0, "span": "event", "noise_span": "clip"},
            {"snr_db": 3.0, "signal": "early"},
            {"level_dbfs": -18.0, "measure": "lufs"},
            {"level_dbfs": -20.0, "signal": "dry"},
        ]
    ),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_blocks_change_nothing(tmp_path, channels, rooms, bed, mix, subtype, level):
    """Channels, rooms, noises, levels, gains, guards and dither: the same clip in blocks as at once."""
    tree = scene(channels=channels, rooms=rooms, bed=bed, mix=mix, subtype=subtype, level=level)
    require_same(*both(recipe_of(tmp_path, **tree)))


EFFECTS = [
    {"type": "gain", "gain_db": -3.0, "invert": True},
    {"type": "polarity"},
    {"type": "dc_offset", "offset": 0.01},
    {"type": "gain_envelope", "points": [[0.0, -6.0], [1.0, 0.0]], "times": "fraction"},
    {"type": "gain_envelope", "points": [[1.5, 0.0], [2.5, -9.0]]},
    {"type": "bit_depth", "bits": 9, "dither": "tpdf"},
    {"type": "bit_depth", "bits": 7},
]


@given(
    effects=st.lists(st.sampled_from(EFFECTS), min_size=1, max_size=3),
    channels=st.sampled_from([1, 2]),
    mix=st.fixed_dictionaries({"guard": st.sampled_from(["scale", "clip"])}, optional={"level_dbfs": st.just(-3.0)}),
    subtype=st.sampled_from(["PCM_16", "FLOAT"]),
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_effects_on_the_mix_in_blocks(tmp_path, effects, channels, mix, subtype):
    """Effects that know of a sample no more than itself and its place are the same in stretches."""
    tree = scene(
        channels=channels,
        rooms=False,
        bed=BEDS[1],
        mix={**mix, "effects": effects},
        subtype=subtype,
        level={"snr_db": 6.0},
    )
    require_same(*both(recipe_of(tmp_path, **tree)))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("long", [False, True])
def test_a_bed_under_its_events_in_blocks(tmp_path, channels, long):
    """`noise.snr_db` sets the bed under the sum of the foreground, whose spans go over the seams."""
    bed = {"layers": [PINK, WHITE], "spatial": "independent", "snr_db": 7.0}
    tree = scene(
        channels=channels, rooms=True, bed=bed, mix={}, subtype="PCM_16", level={"level_dbfs": -20.0, "span": "whole"}
    )
    tree["events"][1] = {**tree["events"][1], "role": "interference"}
    for event in tree["events"]:
        event["source"] = {"type": "noise_burst", "duration": 5.0 if long else 0.7}
    at_once, streamed, samples = both(recipe_of(tmp_path, **tree))
    require_same(at_once, streamed, samples)
    assert abs(streamed.outcomes["noise"]["realised_snr_db"] - 7.0) < 0.01


def test_a_bed_under_no_events(tmp_path):
    """Where nothing sounds, both ways say so."""
    bed = {"layers": [PINK], "snr_db": 7.0}
    spec = plan_clip(recipe_of(tmp_path, noise=bed), "train", 0)
    for make in (render, stream):
        with pytest.raises(RenderError, match=r"noise\.snr_db: no event .* sounds in this clip"):
            make(spec)


def test_images_are_let_go_of(tmp_path):
    """Between passes nothing is held of an event but numbers: neither its samples nor those of its response."""
    tree = scene(channels=2, rooms=True, bed=BEDS[1], mix={}, subtype="PCM_16", level={"snr_db": 9.0})
    recipe = recipe_of(tmp_path, **tree)
    spec = plan_clip(recipe, "train", 0)
    work = Workspace(None)
    ctx = RenderContext(spec.sr, spec.channels, None)
    bed = Bed(spec, ctx, None)
    made = Scene(spec, ctx, work, None, Meter(spec, bed.as_noise(), work, bed=bed.weighings(0.0)))
    held = [array for image in made.images for array in (image.y, image.dry, image.response.h)]
    assert len(held) == 15
    assert all(array.strides == (0, 0) for array in held)


def test_a_diffuse_bed_in_blocks(tmp_path):
    """Noise from everywhere is the same in any stretch."""
    tree = scene(
        channels=2, rooms=True, bed={**BEDS[1], "spatial": "diffuse"}, mix={}, subtype="PCM_16", level={"snr_db": 9.0}
    )
    require_same(*both(recipe_of(tmp_path, **tree)))


def test_no_noise_no_events(tmp_path):
    """A clip without noise, one without events, and one of a few samples."""
    quiet = scene(channels=1, rooms=False, bed=None, mix={}, subtype="PCM_16", level={"level_dbfs": -18.0})
    require_same(*both(recipe_of(tmp_path, **quiet)))
    require_same(*both(recipe_of(tmp_path, noise=BEDS[0])))
    require_same(*both(recipe_of(tmp_path, noise=BEDS[0], duration=0.01)))


def test_recordings_in_measured_rooms(tmp_path):
    """Files, measured rooms and recorded noise, whose loop is shorter than the clip."""
    recipe = load_recipe(full_recipe(tmp_path, duration=9.0), cache_dir=tmp_path / "cache")
    for ordinal in range(2):
        require_same(*both(recipe, ordinal=ordinal))


def test_moving_sources(tmp_path):
    """A source that moves is made as a whole, and heard across the seams."""
    tree = scene(channels=1, rooms=True, bed=BEDS[0], mix={}, subtype="PCM_16", level={"snr_db": 9.0})
    tree["events"][1]["motion"] = {"to": [2.5, 2.5, 1.4]}
    require_same(*both(recipe_of(tmp_path, **tree)))


def test_replay_in_blocks(tmp_path):
    """A row made at once comes back in blocks, and with ties given for some samples, those hold."""
    tree = scene(
        channels=2, rooms=False, bed=BEDS[1], mix={"level_dbfs": -20.0}, subtype="PCM_16", level={"snr_db": 9.0}
    )
    recipe = recipe_of(tmp_path, **tree)
    at_once, _, samples = both(recipe)
    ties = tuple((c, i, int(samples[c, i]) + 1) for c, i in ((0, 5), (0, SMALL), (1, 2 * SMALL - 1)))
    decided = at_once.decisions.model_copy(update={"ties": ties})
    blocks: list[np.ndarray] = []
    again = stream(at_once.spec, decided, assets=AssetStore(recipe.roots), sink=blocks.append)
    expected = samples.copy()
    for channel, i, value in ties:
        expected[channel, i] = value
    assert np.array_equal(np.concatenate(blocks, axis=1), expected)
    assert again.decisions == decided
    assert again.pcm_sha256 == render(at_once.spec, decided, assets=AssetStore(recipe.roots)).pcm_sha256


@pytest.mark.parametrize(
    ("container", "subtype"), [("wav", "PCM_16"), ("wav", "FLOAT"), ("flac", "PCM_24"), ("ogg", "PCM_16")]
)
def test_a_build_in_blocks(tmp_path, monkeypatch, container, subtype):
    """The same tree, byte for byte, whether clips are streamed or not; rows come back; files verify."""
    tree = scene(channels=1, rooms=True, bed=BEDS[1], mix={}, subtype=subtype, level={"snr_db": 9.0})
    recipe = recipe_of(tmp_path, **{**tree, "output": {"format": container, "subtype": subtype}})
    at_once = build(recipe, tmp_path / "a").root
    monkeypatch.setattr("audiosynth.rendering.stream.STREAM_FROM", 1)
    assert streams(plan_clip(recipe, "train", 0))
    in_blocks = build(recipe, tmp_path / "b").root
    files = [sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file()) for root in (at_once, in_blocks)]
    assert files[0] == files[1]
    assert [f for f in files[0] if (at_once / f).read_bytes() != (in_blocks / f).read_bytes()] == []
    assert verify(in_blocks).ok
    (again,) = reproduce(in_blocks, out=tmp_path / "c")
    assert (again.same, again.notes) == (True, ())
    (path,) = (tmp_path / "c" / "audio").rglob(f"*.{container}")
    assert path.read_bytes() == (at_once / path.relative_to(tmp_path / "c")).read_bytes()
    assert soundfile.info(path).frames == 6 * SR


@pytest.mark.parametrize(
    "changes",
    [
        {"mix": {"effects": [{"type": "gain", "gain_db": -3.0}, {"type": "normalise"}]}},
        {"noise": {"layers": [PINK], "snr_db": 5.0, "measure": "lufs"}, "level": {"level_dbfs": -20.0}},
        {"noise": {"layers": [PINK], "level_dbfs": -40.0, "measure": "a_weighted"}},
        {"level": {"snr_db": 5.0, "measure": "lufs"}},
        {"level": {"level_dbfs": -25.0, "span": "clip"}},
        {"output": {"stems": True}},
    ],
)
def test_what_needs_a_whole_signal_is_made_at_once(tmp_path, monkeypatch, changes):
    """Such clips are never streamed, however long."""
    monkeypatch.setattr("audiosynth.rendering.stream.STREAM_FROM", 1)
    tree = scene(
        channels=1, rooms=False, bed=BEDS[0], mix={}, subtype="PCM_16", level=changes.get("level", {"snr_db": 9.0})
    )
    tree |= {key: value for key, value in changes.items() if key != "level"}
    spec = plan_clip(recipe_of(tmp_path, **tree), "train", 0)
    assert not streams(spec)
    if "output" not in changes:
        with pytest.raises(RenderError, match="cannot be made in blocks"):
            stream(spec)


def test_what_memory_cannot_hold(tmp_path):
    """Clips beyond what is made in memory can be planned where they can be made in blocks; `render` says where to turn."""
    spec = plan_clip(recipe_of(tmp_path, sr=48_000, duration=6000.0, noise=BEDS[0]), "train", 0)
    assert streams(spec)
    with pytest.raises(RenderError, match=r"2.9e\+08 samples are more than are held in memory .*build.* in blocks"):
        render(spec)


def test_errors_are_those_of_render(tmp_path):
    """Silent noise, a bed that vanishes under an event, too loud a mix: the same message as at once."""
    tree = scene(channels=1, rooms=False, bed=None, mix={}, subtype="PCM_16", level={"snr_db": 9.0})
    vanishing = {"layers": [{**PINK, "envelope": [[0.0, 0.0], [1.0, -120.0]]}]}
    for changes in (
        {"noise": {"layers": [{"source": {"type": "silence"}, "level_dbfs": -40.0}]}},
        {"noise": vanishing},
        {"noise": BEDS[0], "mix": {"guard": "error", "level_dbfs": -1.0}},
    ):
        spec = plan_clip(recipe_of(tmp_path, **tree | changes), "train", 0)
        messages = []
        for make in (render, stream):
            with pytest.raises(RenderError) as error:
                make(spec)
            messages.append(str(error.value))
        assert messages[0] == messages[1]
