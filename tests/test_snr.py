"""Requested against realised SNR, end to end: 0.01 dB before quantising, 0.1 dB read back, or an error that says why not."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from bench.snr import BASES, MEASURES, SIGNALS, SPANS, deviations
from material import noise, read_wav, tone, write_recipe, write_wav

from audiosynth import build, load_recipe, plan_clip, render
from audiosynth import levels as levels_module
from audiosynth.errors import RenderError
from audiosynth.levels import level_db
from audiosynth.material.assets import AssetStore
from audiosynth.rendering import gains, parts

SR = 16_000
TONE = {"type": "tone", "frequency": 900.0, "duration": 0.4}
WHITE = {"type": "coloured", "slope_db": 0}
EVENT = {"label": "t", "source": TONE, "onset": 0.3}


@pytest.mark.parametrize("base", BASES, ids=lambda base: "-".join(map(str, base)).replace(" ", "_"))
def test_every_definition_of_snr(base, tmp_path):
    """Every measure × span × noise_span × signal, and both directions, hold on the parts and from 16-bit stems."""
    found = deviations(tmp_path, base)
    assert len(found) == len(MEASURES) * (len(SPANS) * 2 * len(SIGNALS) + 2)
    wrong = [d for d in found if not abs(d.before) < 0.01 or (d.after is not None and not abs(d.after) < 0.1)]
    assert not wrong
    assert sum(d.after is not None for d in found) >= len(MEASURES) * 4
    assert max(d.sum_error for d in found) < 1e-7


def recipe_of(folder, **tree):
    """Return a loaded recipe of one clip, with its recordings' catalogues."""
    names = [p.name for p in sorted(folder.iterdir()) if p.is_dir() and p.name not in ("cache", "out")]
    full = {
        "sr": SR, "duration": 2.0, "clips": 1, "data": {n: n for n in names},
        "catalogues": {n: {"data": n, "layout": "flat", "label": "x", "group": None} for n in names}, **tree,
    }  # fmt: skip
    return load_recipe(write_recipe(folder / "r.yaml", full), cache_dir=folder / "cache")


def rendered(recipe, **options):
    """Return the recipe's clip."""
    return render(plan_clip(recipe, "train", 0), assets=AssetStore(recipe.roots), **options)


@pytest.mark.parametrize("snr_db", [-6.0, 12.0])
def test_read_back_from_the_files(tmp_path, snr_db):
    """Mix minus event, as read from the written 16-bit file and stem by other readers, is the noise at the SNR asked for."""
    soundfile = pytest.importorskip("soundfile")
    recipe = recipe_of(
        tmp_path, noise={**WHITE, "level_dbfs": -40}, events=[{**EVENT, "snr_db": snr_db}], output={"stems": True}
    )
    root = build(recipe, tmp_path / "out").root
    row = json.loads((root / "manifest.jsonl").read_text())
    mix = read_wav(root / row["path"])[0][0] / 32768
    event = soundfile.read(root / row["path"].replace(".wav", ".stems/event00_t.wav"))[0]
    span = slice(round(0.3 * SR), round(0.7 * SR))
    db = [10 * np.log10(np.mean(np.square(y[span]))) for y in (event, mix - event)]
    assert db[0] - db[1] == pytest.approx(snr_db, abs=0.1)


def test_noise_span_clip_is_the_whole_bed(tmp_path):
    """Where the bed swells, SNRs over the same samples and over the clip differ by what the bed differs."""
    bed = noise(2.0, SR, seed=3) * np.where(np.arange(2 * SR) < SR, 1.0, 0.1)
    write_wav(tmp_path / "beds" / "swell.wav", bed, SR)
    gains = {}
    for noise_span in ("same", "clip"):
        level = {"snr_db": 0.0, "noise_span": noise_span}
        source = {"type": "file", "recording": {"pick": {"from": "beds"}}, "start_sample": 0, "trim": False}
        recipe = recipe_of(tmp_path, noise={**source, "level_dbfs": -30}, events=[{**EVENT, "level": level}])
        gains[noise_span] = rendered(recipe).decisions.event_gain_db[0]
    expected = 10 * np.log10(np.mean(np.square(bed[0, round(0.3 * SR) : round(0.7 * SR)])) / np.mean(np.square(bed)))
    assert gains["same"] - gains["clip"] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("seconds", "used"), [(0.8, "rms"), (1.2, None)])
def test_too_little_speech_is_said_in_the_row(tmp_path, seconds, used):
    """Active speech level of less than a second falls back to the RMS, in both directions, and the outcome says so."""
    event = {**EVENT, "source": {**TONE, "duration": seconds}}
    level = {"snr_db": 5.0, "measure": "active_speech"}
    clip = rendered(recipe_of(tmp_path, noise={**WHITE, "level_dbfs": -40}, events=[{**event, "level": level}]))
    assert clip.outcomes["events"][0].get("measure_used") == used
    bed = {**WHITE, "snr_db": 5.0, "measure": "active_speech"}
    clip = rendered(recipe_of(tmp_path, noise=bed, events=[{**event, "level_dbfs": -20}]))
    assert clip.outcomes["noise"].get("measure_used") == used
    assert clip.outcomes["noise"]["realised_snr_db"] == pytest.approx(5.0, abs=0.01)


def test_outcomes_say_what_was_realised(tmp_path):
    """The row's own SNRs, over the active part and over the clip, are those of the parts."""
    clip = rendered(
        recipe_of(tmp_path, noise={**WHITE, "level_dbfs": -40}, events=[{**EVENT, "snr_db": 9.0}]), stems=True
    )
    parts = [clip.stems[name][0] / 32768 for name in ("event00_t", "noise")]
    active = slice(round(0.3 * SR), round(0.7 * SR))
    for key, span in (("snr_db", active), ("snr_clip_db", slice(None))):
        db = [10 * np.log10(np.mean(np.square(y[span]))) for y in parts]
        assert clip.outcomes["events"][0][key] == pytest.approx(db[0] - db[1], abs=0.01)
    assert clip.outcomes["noise"]["level_dbfs"] == pytest.approx(-40, abs=1e-3)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("wanted", [{"snr_db": 3.0}, {"level_dbfs": -20.0}])
def test_a_silent_source_is_an_error(tmp_path, measure, wanted):
    """A recording that is silent where it is used is refused by clip and event, in every measure."""
    y = np.concatenate([tone(500, 0.5, SR), np.zeros((1, SR)), tone(500, 0.1, SR)], axis=1)
    write_wav(tmp_path / "words" / "gap.wav", y, SR)
    source = {"type": "file", "recording": {"pick": {"from": "words"}}, "start": 0.6, "duration": 0.5}
    events = [{**EVENT, "snr_db": 0}, {**EVENT, "source": source, "level": {**wanted, "measure": measure}}]
    recipe = recipe_of(tmp_path, noise={**WHITE, "level_dbfs": -40}, events=events)
    with pytest.raises(RenderError, match=r"clip train-000000000: events\[1\]: the source is silent .*\(active\)"):
        build(recipe, tmp_path / "out")


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("fall_db", [59.0, 61.0])
def test_a_vanishing_bed_is_an_error(tmp_path, measure, fall_db):
    """A bed 60 dB under its own mean where an event sounds gives no SNR, either way round; at 59 dB it still does."""
    y = noise(2.0, SR, seed=1, level=0.1)
    quiet = slice(round(0.1 * SR), round(0.9 * SR))  # wide enough for what rings of the noise in a weighting filter
    y[:, quiet] = 0.0  # what the quiet stretch adds to the mean is then chosen to the dB
    mean = level_db(y[0], sr=SR, intervals=[(0, 2 * SR)], measure=measure).db
    low = tone(900, 0.8, SR, level=1.0)
    low *= 10 ** ((mean - fall_db - level_db(low[0], sr=SR, intervals=[(3200, 9600)], measure=measure).db) / 20)
    y[:, quiet] = low
    loud = _float_bed(tmp_path, y)
    events = {"event": [{**EVENT, "level": {"snr_db": 0.0, "measure": measure}}], "bed": [{**EVENT, "level_dbfs": -20}]}
    beds = {"event": {"level_dbfs": -30}, "bed": {"snr_db": 0.0, "measure": measure}}
    names = {"event": r"events\[0\]: the noise is 6\d dB under", "bed": r"noise\.snr_db: the noise is 6\d dB under"}
    for way in ("event", "bed"):
        recipe = recipe_of(tmp_path, noise={**loud, **beds[way]}, events=events[way])
        if fall_db > 60:
            with pytest.raises(RenderError, match="clip train-000000000: " + names[way]):
                build(recipe, tmp_path / "out" / way)
        else:
            render(plan_clip(recipe, "train", 0), assets=AssetStore(recipe.roots))


def _float_bed(folder, y):
    """Write `y` as float WAV, as 16 bits could not hold its quiet stretch; return it as a noise."""
    import soundfile

    path = folder / "beds" / "hole.wav"
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, y.T, SR, subtype="FLOAT")
    return {"type": "file", "recording": {"pick": {"from": "beds"}}, "start_sample": 0, "trim": False}


@pytest.mark.parametrize("span", SPANS[:2])
@pytest.mark.parametrize("measure", MEASURES)
def test_an_empty_span_is_an_error(tmp_path, span, measure):
    """An event cut away whole has no samples to measure: refused by clip and event, with the ways out."""
    level = {"snr_db": 0.0, "measure": measure, "span": span}
    event = {"label": "t", "source": TONE, "onset": 2.5, "overrun": "cut", "level": level}
    recipe = recipe_of(tmp_path, noise={**WHITE, "level_dbfs": -40}, events=[event])
    with pytest.raises(
        RenderError,
        match=rf"clip train-000000000: events\[0\]: no sample of the span .*\({span}\) lies inside the clip",
    ):
        build(recipe, tmp_path / "out")


def test_a_bed_cannot_be_set_under_nothing(tmp_path):
    """noise.snr_db without an event that sounds is refused by clip, with the way out."""
    recipe = recipe_of(tmp_path, noise={**WHITE, "snr_db": 0.0}, events=[])
    with pytest.raises(RenderError, match=r"clip train-000000000: noise\.snr_db: no event .*give the bed a level_dbfs"):
        build(recipe, tmp_path / "out")


@pytest.mark.parametrize(("measure", "gain_db"), list(itertools.product(MEASURES, (-70.0, 12.0))))
def test_quiet_recordings_keep_their_snr(tmp_path, measure, gain_db):
    """How loud a recording is on disk does not show in the clip: sources 82 dB apart come out alike."""
    import soundfile

    (tmp_path / "words").mkdir()
    y = noise(1.2, SR, seed=9) * np.abs(np.sin(np.arange(1.2 * SR) / 3000)) * 10 ** (gain_db / 20)
    soundfile.write(tmp_path / "words" / "w.wav", y.T, SR, subtype="FLOAT")
    source = {"type": "file", "recording": {"pick": {"from": "words"}}, "trim": False}
    event = {**EVENT, "source": source, "level": {"snr_db": 6.0, "measure": measure}}
    recipe = recipe_of(tmp_path, noise={**WHITE, "level_dbfs": -40}, events=[event])
    outcome = rendered(recipe).outcomes["events"][0]
    assert outcome["realised_snr_db"] == pytest.approx(6.0, abs=0.01)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_fault_in_the_sum_would_show(tmp_path, monkeypatch, measure):
    """The realised SNR is measured on what is added: where the sum has half of the event, it is 6.02 dB short."""
    events = [{**EVENT, "source": {**TONE, "duration": 1.4}, "level": {"snr_db": 8.0, "measure": measure}}]
    recipe = recipe_of(tmp_path, noise={**WHITE, "level_dbfs": -40}, events=events)
    assert rendered(recipe).outcomes["events"][0]["realised_snr_db"] == pytest.approx(8.0, abs=0.01)
    placed = parts.placed
    monkeypatch.setattr(parts, "placed", lambda image, gain, first, last: placed(image, gain / 2, first, last))
    outcome = rendered(recipe).outcomes["events"][0]
    assert outcome["requested_snr_db"] == 8.0
    assert outcome["realised_snr_db"] == pytest.approx(8.0 - 6.0206, abs=0.01)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_fault_in_the_bed_would_show(tmp_path, monkeypatch, measure):
    """So it is where the bed is set under the events, and the sum has twice of it."""
    bed = {**WHITE, "snr_db": 8.0, "measure": measure}
    events = [{**EVENT, "source": {**TONE, "duration": 1.4}, "level_dbfs": -30}]
    recipe = recipe_of(tmp_path, noise=bed, events=events)
    assert rendered(recipe).outcomes["noise"]["realised_snr_db"] == pytest.approx(8.0, abs=0.01)
    make = gains.bed_gain_under
    monkeypatch.setattr(parts, "bed_gain_under", lambda *given: make(*given) + 6.0206)
    assert rendered(recipe).outcomes["noise"]["realised_snr_db"] == pytest.approx(8.0 - 6.0206, abs=0.01)


@pytest.mark.parametrize("mix", [{"level_dbfs": -31.0}, {}, {"level_dbfs": -2.0}], ids=["level", "guard", "both"])
def test_levels_in_the_row_are_those_of_the_finished_clip(tmp_path, mix):
    """Levels of events and bed have the gains of mix and guard in them, so that they are what the stems measure."""
    bed = {**WHITE, "level_dbfs": -14}
    clip = rendered(recipe_of(tmp_path, noise=bed, events=[{**EVENT, "snr_db": 16.0}], mix=mix), stems=True)
    assert (clip.decisions.guard_gain_db != 0) == (mix.get("level_dbfs") != -31.0)
    levels = {
        name: 10 * np.log10(np.mean(np.square(y[0, SR * 3 // 10 : SR * 7 // 10] / 32768)))
        for name, y in clip.stems.items()
    }
    whole = 10 * np.log10(np.mean(np.square(clip.stems["noise"][0] / 32768)))
    assert clip.outcomes["events"][0]["level_dbfs"] == pytest.approx(levels["event00_t"], abs=0.01)
    assert clip.outcomes["noise"]["level_dbfs"] == pytest.approx(whole, abs=0.01)
    assert clip.outcomes["events"][0]["snr_db"] == pytest.approx(levels["event00_t"] - levels["noise"], abs=0.01)


@pytest.mark.parametrize(("measure", "name"), [("a_weighted", "a_weight"), ("lufs", "k_weight")])
def test_the_bed_is_filtered_once_for_all_events(tmp_path, monkeypatch, measure, name):
    """However many events there are, the bed goes through a measure's filter once to decide and once to measure."""
    level = {"snr_db": 3.0, "measure": measure}
    events = [{**EVENT, "onset": 0.1 * i, "level": level} for i in range(9)]
    recipe = recipe_of(tmp_path, noise={**WHITE, "level_dbfs": -40}, events=events)
    weigh, sizes = getattr(levels_module, name), []
    monkeypatch.setattr(levels_module, name, lambda y, sr: sizes.append(y.shape[-1]) or weigh(y, sr))
    rendered(recipe)
    assert sizes.count(2 * SR) == 2
    assert len(sizes) == 2 + 2 * len(events)


def test_an_event_that_is_cut_is_measured_as_it_is_cut(tmp_path):
    """What of an event lies outside the clip is in no figure of the row."""
    event = {**EVENT, "onset": 1.8, "overrun": "cut", "snr_db": 5.0}
    clip = rendered(recipe_of(tmp_path, noise={**WHITE, "level_dbfs": -40}, events=[event]), stems=True)
    ends = [clip.stems[name][0, round(1.8 * SR) :] / 32768 for name in ("event00_t", "noise")]
    db = [10 * np.log10(np.mean(np.square(y))) for y in ends]
    outcome = clip.outcomes["events"][0]
    assert outcome["realised_snr_db"] == outcome["snr_db"] == pytest.approx(5.0, abs=0.001)
    assert outcome["snr_db"] == pytest.approx(db[0] - db[1], abs=0.02)
    assert outcome["snr_clip_db"] == pytest.approx(
        db[0] - 10 - 10 * np.log10(np.mean(np.square(clip.stems["noise"][0] / 32768))), abs=0.02
    )
