"""Rendering: sums, levels, alignment, guard; numbers are measured here from the parts, not taken from the row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from material import full_recipe, noise, room, tone, write_recipe, write_wav

from audiosynth import load_recipe, plan_clip, render
from audiosynth.errors import PlanError, RecipeError, RenderError
from audiosynth.material.assets import AssetStore

SR = 16000


def recipe_of(folder: Path, **tree: object):
    """Return a loaded recipe with defaults for what is not given."""
    full = {"sr": SR, "duration": 1.0, "clips": 3, **tree}
    return load_recipe(write_recipe(folder / "r.yaml", full), cache_dir=folder / "cache")


def clip_of(recipe, ordinal: int = 0, *, split: str = "train", stems: bool = True):
    """Return a rendered clip."""
    return render(plan_clip(recipe, split, ordinal), assets=AssetStore(recipe.roots), stems=stems)


def db(y: np.ndarray) -> float:
    """Return RMS in dB re full scale."""
    return float(10 * np.log10(np.mean(np.square(y))))


TONE = {"type": "tone", "frequency": 1000.0, "duration": 0.4}
PINK = {"type": "coloured", "slope_db": -3, "level_dbfs": -40}


def test_images_and_bed_sum_to_the_premix(tmp_path):
    """Stems add up to the 16-bit mix, sample for sample."""
    recipe = load_recipe(full_recipe(tmp_path), cache_dir=tmp_path / "cache")
    for ordinal in range(4):
        clip = clip_of(recipe, ordinal)
        total = np.sum(list(clip.stems.values()), axis=0)
        assert np.array_equal(total, clip.pcm16.astype(np.int64))


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 13.7])
def test_measured_snr_is_the_requested_one(tmp_path, snr_db):
    """RMS over the event's samples, measured on the float parts, is within 0.01 dB of the request."""
    recipe = recipe_of(tmp_path, noise=PINK, events=[{"label": "t", "source": TONE, "onset": 0.25, "snr_db": snr_db}])
    spec = plan_clip(recipe, "train", 0)
    alone = render(spec.model_copy(update={"noise": None, "events": tuple(_fixed(e) for e in spec.events)}))
    clip = render(spec)
    a, b = round(0.25 * SR), round(0.65 * SR)
    gain = 10 ** (clip.decisions.event_gain_db[0] / 20)
    event = alone.y * gain
    bed = clip.y - event
    assert db(event[:, a:b]) - db(bed[:, a:b]) == pytest.approx(snr_db, abs=0.01)
    assert clip.outcomes["events"][0]["realised_snr_db"] == pytest.approx(snr_db, abs=0.001)


def _fixed(event):
    """Return the event without its level, so that it renders at its own."""
    return event.model_copy(update={"level": None})


@pytest.mark.parametrize("measure", ["rms", "a_weighted", "lufs", "active_speech"])
def test_snr_holds_in_every_measure(tmp_path, measure):
    """The realised SNR in the measure asked for is within 0.01 dB of the request."""
    event = {
        "label": "t",
        "source": {**TONE, "duration": 1.5},
        "onset": 0.2,
        "level": {"snr_db": 7.0, "measure": measure},
    }
    recipe = recipe_of(tmp_path, duration=2.0, noise=PINK, events=[event])
    assert clip_of(recipe).outcomes["events"][0]["realised_snr_db"] == pytest.approx(7.0, abs=0.01)


def test_snr_read_back_from_16_bit_stems(tmp_path):
    """From the integer stems the SNR is still within 0.1 dB."""
    recipe = recipe_of(tmp_path, noise=PINK, events=[{"label": "t", "source": TONE, "onset": 0.25, "snr_db": 10}])
    clip = clip_of(recipe)
    a, b = round(0.25 * SR), round(0.65 * SR)
    parts = {name: stem[:, a:b] / 32768 for name, stem in clip.stems.items()}
    bed = parts.pop("noise")
    assert db(next(iter(parts.values()))) - db(bed) == pytest.approx(10, abs=0.1)


def test_bed_snr_moves_the_bed_and_leaves_the_event(tmp_path):
    """With noise.snr_db the event keeps its level and the bed is moved under it."""
    event = {"label": "t", "source": TONE, "onset": 0.25, "level_dbfs": -20.0}
    recipe = recipe_of(tmp_path, noise={"type": "coloured", "slope_db": 0, "snr_db": 15.0}, events=[event])
    clip = clip_of(recipe)
    a, b = round(0.25 * SR), round(0.65 * SR)
    tone_stem, bed = (clip.stems[name][:, a:b] / 32768 for name in ("event00_t", "noise"))
    assert db(tone_stem) == pytest.approx(-20.0, abs=0.02)
    assert db(tone_stem) - db(bed) == pytest.approx(15.0, abs=0.1)


def test_bed_level_is_its_rms_over_the_clip(tmp_path):
    """noise.level_dbfs is the RMS of the bed over the whole clip."""
    assert db(clip_of(recipe_of(tmp_path, noise={**PINK, "level_dbfs": -33.0})).y) == pytest.approx(-33.0, abs=1e-5)


def test_several_layers_keep_their_own_levels(tmp_path):
    """Every layer is set to its level; uncorrelated layers add in power."""
    layers = [
        {"source": {"type": "coloured", "slope_db": 0}, "level_dbfs": -40},
        {"source": {"type": "coloured", "slope_db": -3}, "level_dbfs": -40},
    ]
    y = clip_of(recipe_of(tmp_path, duration=20.0, noise={"layers": layers})).y
    assert db(y) == pytest.approx(-40 + 10 * np.log10(2), abs=0.1)


def test_identity_room_is_no_room(tmp_path):
    """A room of one unit impulse gives the samples of no room."""
    event = {"label": "t", "source": TONE, "onset": 0.3, "level_dbfs": -20}
    write_wav(
        tmp_path / "rooms" / "unit.wav", np.concatenate([np.zeros((1, 20)), [[0.5]], np.zeros((1, 50))], axis=1), SR
    )
    catalogue = {
        "data": {"rooms": "rooms"},
        "catalogues": {"rooms": {"data": "rooms", "layout": "flat", "group": None}},
    }
    dry = clip_of(recipe_of(tmp_path, events=[event]))
    wet = clip_of(
        recipe_of(
            tmp_path,
            events=[{**event, "room": {"type": "measured", "recording": {"pick": {"from": "rooms"}}}}],
            **catalogue,
        )
    )
    none = clip_of(recipe_of(tmp_path, events=[{**event, "room": {"type": "none"}}]))
    assert np.array_equal(dry.pcm16, none.pcm16)
    # Two gains rounded to 1e-6 dB are all that differs.
    assert np.max(np.abs(dry.y - wet.y)) < 2e-7 * np.max(np.abs(dry.y))
    assert wet.labels == dry.labels


def test_direct_sound_arrives_on_time_or_late(tmp_path):
    """align: direct puts the direct sound at the onset; causal puts it the room's delay later, labels with it."""
    write_wav(tmp_path / "rooms" / "late.wav", room(0.1, SR, seed=1, delay=480), SR)
    catalogue = {
        "data": {"rooms": "rooms"},
        "catalogues": {"rooms": {"data": "rooms", "layout": "flat", "group": None}},
    }
    event = {
        "label": "click", "source": {"type": "click"}, "onset": 0.5, "level_dbfs": -30,
        "room": {"type": "measured", "recording": {"pick": {"from": "rooms"}}},
    }  # fmt: skip
    direct = clip_of(recipe_of(tmp_path, events=[event], **catalogue))
    causal = clip_of(recipe_of(tmp_path, events=[{**event, "align": "causal"}], **catalogue))
    first = [int(np.argmax(np.abs(c.y[0]))) for c in (direct, causal)]
    assert first[1] - first[0] == 480
    assert causal.labels[0].onset - direct.labels[0].onset == 480
    assert direct.labels[0].onset == round(0.5 * SR)


def test_tail_labels_outlast_dry_ones(tmp_path):
    """labels.offset: tail moves the offset to where the room has decayed by tail_db; both are in the outcomes."""
    recipe = load_recipe(full_recipe(tmp_path, labels={"offset": "tail", "tail_db": -20}), cache_dir=tmp_path / "cache")
    clip = clip_of(recipe)
    event = clip.outcomes["events"][0]
    assert event["tail_offset"] > event["dry_offset"]


def test_scale_guard_keeps_the_mix_in_range_and_says_so(tmp_path):
    """A mix over full scale is lowered as a whole, the gain stands in the decisions, the SNR stays."""
    event = {"label": "t", "source": TONE, "onset": 0.25, "snr_db": 20.0}
    recipe = recipe_of(tmp_path, noise={**PINK, "level_dbfs": -10}, events=[event])
    clip = clip_of(recipe)
    assert np.max(np.abs(clip.y)) <= 1 - 2**-15
    assert clip.decisions.guard_gain_db < 0
    assert clip.outcomes["guarded"]
    assert clip.outcomes["clipped"] == 0
    assert clip.outcomes["events"][0]["realised_snr_db"] == pytest.approx(20, abs=0.01)


def test_clip_guard_counts_and_error_guard_refuses(tmp_path):
    """guard: clip counts saturated samples; guard: error names the peak."""
    loud = {"events": [{"label": "t", "source": TONE, "level_dbfs": 6.0}]}
    assert clip_of(recipe_of(tmp_path, **loud, mix={"guard": "clip"}), stems=False).outcomes["clipped"] > 0
    with pytest.raises(RenderError, match=r"peaks at \+9\.0\d dBFS"):
        clip_of(recipe_of(tmp_path, **loud, mix={"guard": "error"}))


def test_mix_level_is_met(tmp_path):
    """mix.level_dbfs sets the RMS of the whole clip."""
    recipe = recipe_of(tmp_path, noise=PINK, mix={"level_dbfs": -25.0})
    assert db(clip_of(recipe).y) == pytest.approx(-25.0, abs=1e-5)


def test_replay_uses_decisions_and_gives_the_same_samples(tmp_path):
    """A spec through JSON and its decisions give the recorded hash, and other gains than measured are used verbatim."""
    recipe = load_recipe(full_recipe(tmp_path), cache_dir=tmp_path / "cache")
    store = AssetStore(recipe.roots)
    spec = plan_clip(recipe, "train", 1)
    clip = render(spec, assets=store)
    again = render(type(spec).model_validate(spec.to_json()), clip.decisions, assets=store)
    assert again.pcm_sha256 == clip.pcm_sha256
    assert not again.warnings
    moved = clip.decisions.model_copy(update={"event_gain_db": tuple(g + 1 for g in clip.decisions.event_gain_db)})
    louder = render(spec, moved, assets=store)
    assert louder.pcm_sha256 != clip.pcm_sha256
    assert "measured" in louder.warnings[0]


def test_inputs_are_not_changed(tmp_path):
    """Rendering leaves cached recordings as they were."""
    recipe = load_recipe(full_recipe(tmp_path), cache_dir=tmp_path / "cache")
    store = AssetStore(recipe.roots)
    first = render(plan_clip(recipe, "train", 0), assets=store).pcm_sha256
    for ordinal in (1, 2, 3):
        render(plan_clip(recipe, "train", ordinal), assets=store)
    assert render(plan_clip(recipe, "train", 0), assets=store).pcm_sha256 == first


def test_silent_bed_under_an_event_is_an_error(tmp_path):
    """An SNR against a bed that vanishes under the event is refused with the way out."""
    bed = np.concatenate([noise(0.5, SR, seed=1), np.zeros((1, SR)), noise(0.5, SR, seed=2)], axis=1)
    write_wav(tmp_path / "beds" / "half.wav", bed, SR)
    recipe = recipe_of(
        tmp_path, data={"beds": "beds"}, catalogues={"beds": {"data": "beds", "layout": "flat", "group": None}}, duration=1.4,
        noise={"type": "file", "recordings": [{"pick": {"from": "beds"}}], "start_sample": 0, "level_dbfs": -30},
        events=[{"label": "t", "source": TONE, "onset": 0.8, "snr_db": 0}],
    )  # fmt: skip
    with pytest.raises(RenderError, match="use another noise or start"):
        clip_of(recipe)


def test_silent_source_is_an_error(tmp_path):
    """A recording that is silent on the chosen segment cannot be given a level."""
    y = np.concatenate([tone(500, 0.5, SR), np.zeros((1, SR)), tone(500, 0.1, SR)], axis=1)
    write_wav(tmp_path / "s" / "gap.wav", y, SR)
    source = {"type": "file", "recording": {"pick": {"from": "s"}}, "start": 0.6, "duration": 0.5}
    recipe = recipe_of(
        tmp_path, data={"s": "s"}, catalogues={"s": {"data": "s", "layout": "flat", "label": "x", "group": None}},
        events=[{"label": "x", "source": source, "level_dbfs": -20}],
    )  # fmt: skip
    with pytest.raises(RenderError, match="silent"):
        clip_of(recipe)


def test_event_longer_than_its_clip_is_refused(tmp_path):
    """The message says how long event and clip are, and what can be done; where nothing is drawn, before planning."""
    event = {"label": "t", "source": {**TONE, "duration": 1.2}, "level_dbfs": -20}
    with pytest.raises(RecipeError, match=r"r\.yaml:\d+:\d+ events\[0\]\.source: .*1\.200 s.*1 s.*overrun: cut"):
        recipe_of(tmp_path, events=[event])
    event["source"]["duration"] = {"uniform": [1.2, 1.2]}
    with pytest.raises(PlanError, match=r"clip train/0, events\[0\].*1\.200 s.*1\.000 s.*overrun: cut"):
        plan_clip(recipe_of(tmp_path, events=[event]), "train", 0)


def test_four_channels_do_not_fit_a_mono_clip(tmp_path):
    """A four-channel recording asked for whole in a mono clip is refused, naming both."""
    write_wav(tmp_path / "s" / "four.wav", noise(0.5, SR, seed=2, channels=4), SR)
    source = {"type": "file", "recording": {"pick": {"from": "s"}}, "channel": "all"}
    recipe = recipe_of(
        tmp_path, data={"s": "s"}, catalogues={"s": {"data": "s", "layout": "flat", "label": "x", "group": None}},
        events=[{"label": "x", "source": source, "level_dbfs": -20}],
    )  # fmt: skip
    with pytest.raises((RenderError, Exception), match="4"):
        clip_of(recipe)


def test_channels_share_one_gain(tmp_path):
    """A mono event before two channels is the same in both; the bed's channels differ."""
    recipe = recipe_of(tmp_path, channels=2, noise=PINK, events=[{"label": "t", "source": TONE, "snr_db": 5}])
    clip = clip_of(recipe)
    # One LSB: the largest stem takes what rounding leaves, channel by channel.
    assert np.max(np.abs(np.diff(clip.stems["event00_t"], axis=0))) <= 1
    assert not np.array_equal(clip.stems["noise"][0], clip.stems["noise"][1])


def test_inaudible_events_are_marked(tmp_path):
    """labels.drop_below_snr_db marks quiet events audible: false."""
    events = [{"label": "a", "source": TONE, "snr_db": -30}, {"label": "b", "source": TONE, "onset": 0.5, "snr_db": 10}]
    clip = clip_of(recipe_of(tmp_path, noise=PINK, events=events, labels={"drop_below_snr_db": -10}))
    assert [(x.label, x.audible) for x in clip.labels] == [("a", False), ("b", True)]
