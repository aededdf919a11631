"""SNRs as other tools define them, by name: what is asked for is what that tool's own formula finds in the parts.

The formulas are written here from what those programs compute: Kaldi's wav-reverberate (ComputeEarlyReverbEnergy and AddNoise),
NeMo's NoisePerturbation, and the mixer of the DNS Challenge as its comments mean it (a threshold in dB). Beside each, the row
states the SNR where there is speech.
"""

from __future__ import annotations

import numpy as np
import pytest
from material import noise, room, write_recipe, write_wav
from scipy.signal import fftconvolve

from audiosynth import dsp, load_recipe, plan_clip, render
from audiosynth.errors import PlanError, RecipeError, RenderError
from audiosynth.loading.normalise import DEFINITIONS
from audiosynth.material.assets import AssetStore
from audiosynth.rendering.stream import stream

SR = 16_000
WANTED = 7.0
SPEECH = slice(SR // 2, SR * 5 // 4)
"""Where the utterance of 2 s is not silent: 37.5 % of it."""


@pytest.fixture
def bank(tmp_path):
    """Return a folder with an utterance, a response that peaks late, and a noise of which the clip hears a quiet part."""
    y = np.zeros((1, 2 * SR))
    y[:, SPEECH] = noise(0.75, SR, seed=1, level=0.2) * (1.2 + np.sin(np.arange(SR * 3 // 4) / 700))
    write_wav(tmp_path / "speech" / "a.wav", y, SR)
    h = np.concatenate([np.zeros((1, 500)), room(0.4, SR, seed=2, delay=60)], axis=1)
    h[0, 300] = 0.1
    write_wav(tmp_path / "rirs" / "a.wav", h, SR)
    bed = noise(8.0, SR, seed=3, level=0.02)
    bed[:, 5 * SR :] *= 8
    bed[:, 2 * SR + 1600 * 6 : 2 * SR + 1600 * 11] *= 1e-2  # 16 bits: 0.02 LSB, so less than 50 dB under the peak
    write_wav(tmp_path / "beds" / "a.wav", bed, SR)
    return tmp_path


def recipe_of(folder, level, *, bed=None, **changes):
    """Return a loaded recipe of the utterance over the noise, in the room."""
    names = ("speech", "rirs", "beds")
    source = {"type": "file", "recording": {"pick": {"from": "speech"}}, "trim": False}
    event = {
        "label": "speech", "source": source, "onset": 0.0, "level": level,
        "room": {"type": "measured", "recording": {"pick": {"from": "rirs"}}}, **changes,
    }  # fmt: skip
    noise_ = {"type": "file", "recording": {"pick": {"from": "beds"}}, "start_sample": 2 * SR, "level_dbfs": -40}
    tree = {
        "sr": SR, "duration": 2.0, "clips": 20, "data": {n: n for n in names}, "events": [event],
        "catalogues": {n: {"data": n, "layout": "flat", "label": "x", "group": None} for n in names},
        "noise": bed or noise_, "output": {"stems": True, "subtype": "FLOAT"},
    }  # fmt: skip
    return load_recipe(write_recipe(folder / "r.yaml", tree), cache_dir=folder / "cache")


def rendered(recipe, i=0):
    """Return a clip."""
    return render(plan_clip(recipe, "train", i), assets=AssetStore(recipe.roots), stems=True)


def read(folder, name):
    """Return the samples of a recording, by soundfile."""
    return pytest.importorskip("soundfile").read(folder / name / "a.wav")[0]


def mean_db(y):
    """Return the mean square in dB."""
    return 10 * np.log10(np.mean(np.square(y)))


def scales(clip, folder, room_file="rirs"):
    """Return the parts of a clip as floats, and the factors that its utterance and its noise were given."""
    event, under = (next(y for name, y in clip.stems.items() if kind in name)[0] for kind in ("event", "noise"))
    h = read(folder, room_file) if room_file else np.ones(1)
    whole = fftconvolve(read(folder, "speech"), h)
    image = whole[clip.decisions.direct[0] if room_file else 0 :][: event.size]
    source = read(folder, "beds")[2 * SR : 4 * SR]
    return event, under, np.dot(event, image) / np.dot(image, image), np.dot(under, source) / np.dot(source, source)


def kaldi(clip, folder):
    """Return the SNR of wav-reverberate with a noise cut to the clip."""
    _, under, speech_scale, _ = scales(clip, folder)
    h = read(folder, "rirs")
    peak = int(np.argmax(h))
    early = fftconvolve(read(folder, "speech"), h[peak - 16 : peak + 800]) * speech_scale
    return mean_db(early) - mean_db(under)


def nemo(clip, folder):
    """Return the SNR of NoisePerturbation: RMS in dB of the utterance as it is, and of the whole noise file."""
    event, _, _, noise_scale = scales(clip, folder)
    return mean_db(event) - mean_db(read(folder, "beds") * noise_scale)


def dns(clip, folder):
    """Return the SNR of segmental_snr_mixer, its threshold of -50 dB taken for one, of a noise whose peak is 1."""
    event, under, _, _ = scales(clip, folder)
    windows = [(event[i : i + 1600], under[i : i + 1600]) for i in range(0, under.size, 1600)]
    loud = [(s, n) for s, n in windows if mean_db(n / np.abs(under).max()) > -50]
    assert 0 < len(loud) < len(windows)
    return mean_db(np.concatenate([s for s, _ in loud])) - mean_db(np.concatenate([n for _, n in loud]))


@pytest.mark.parametrize("formula", [kaldi, nemo, dns], ids=lambda f: f.__name__)
def test_the_tools_own_formula_finds_what_was_asked_for(bank, formula):
    """By its own formula each definition's SNR is the one asked for; beside it stands that where there is speech."""
    clip = rendered(recipe_of(bank, {"snr_db": WANTED, "as": formula.__name__}))
    assert formula(clip, bank) == pytest.approx(WANTED, abs=0.005)
    row = clip.outcomes["events"][0]
    assert row["realised_snr_db"] == pytest.approx(WANTED, abs=0.001)
    event, under, _, _ = scales(clip, bank)
    assert row["snr_db"] == pytest.approx(mean_db(event[SPEECH]) - mean_db(under[SPEECH]), abs=0.001)
    assert abs(row["snr_db"] - WANTED) > 1  # which is not what the number seems to say
    level = clip.spec.to_json()["events"][0]["level"]
    assert {key: level[key] for key in DEFINITIONS[formula.__name__]} == DEFINITIONS[formula.__name__]
    assert "as" not in level


def test_definitions_differ_from_each_other(bank):
    """On the same material no two of them, nor the default, give one gain."""
    gains = [
        rendered(recipe_of(bank, {"snr_db": WANTED, **named})).decisions.event_gain_db[0]
        for named in ({}, {"as": "kaldi"}, {"as": "nemo"}, {"as": "dns"})
    ]
    assert np.abs(np.diff(np.sort(gains))).min() > 0.5


def test_kaldi_without_a_room(bank):
    """Without a response Kaldi takes the utterance as it is."""
    clip = rendered(recipe_of(bank, {"snr_db": WANTED, "as": "kaldi"}, room={"type": "none"}))
    event, under, _, _ = scales(clip, bank, None)
    assert mean_db(event) - mean_db(under) == pytest.approx(WANTED, abs=0.005)


def test_what_the_clip_cuts_counts_for_kaldi(bank):
    """The energy of an utterance that a clip cuts is that of all of it."""
    levels = [
        rendered(recipe_of(bank, {"snr_db": WANTED, "as": "kaldi"}, onset=onset, overrun="cut")).decisions
        for onset in (0.0, 1.0)
    ]
    assert levels[0].event_gain_db == levels[1].event_gain_db


def test_what_stands_beside_a_name_counts(bank):
    """A key of the level goes before the definition's; names stand in draws of whole levels too, and in short forms."""
    clip = rendered(recipe_of(bank, {"snr_db": WANTED, "as": "kaldi", "noise_span": "recording"}))
    assert clip.spec.events[0].level.noise_span == "recording"
    assert clip.spec.events[0].level.signal == "early_peak"
    assert clip.outcomes["events"][0]["realised_snr_db"] == pytest.approx(WANTED, abs=0.001)
    drawn = recipe_of(bank, {"cycle": [{"snr_db": 1, "as": "nemo"}, {"snr_db": 2, "as": "dns"}]})
    spans = {plan_clip(drawn, "train", i).events[0].level.span for i in range(2)}
    assert spans == {"clip", "noise"}
    short = recipe_of(bank, {"as": "dns"}, snr_db=3)
    level = plan_clip(short, "train", 0).events[0].level
    assert (level.span, level.snr_db) == ("noise", 3)


@pytest.mark.parametrize(
    ("level", "bed", "message"),
    [
        ({"snr_db": 1, "as": "kaldy"}, None, r"level\.as: expected the name of a definition, kaldi, nemo or dns"),
        ({"snr_db": 1, "as": {"choice": ["dns", "nemo"]}}, None, r"level\.as: .*\(to draw one, draw whole levels"),
        (
            {"snr_db": 1, "as": "nemo"},
            {"type": "coloured", "colour": "pink", "level_dbfs": -40},
            r"events\[0\]\.level: `noise_span: recording` needs a bed that is one `type: file`",
        ),
    ],
)
def test_definitions_that_cannot_be(bank, level, bed, message):
    """Unknown names, names that are drawn and noises without a file are told with the way out."""
    with pytest.raises((RecipeError, PlanError), match=message):
        plan_clip(recipe_of(bank, level, bed=bed), "train", 0)


def test_a_source_that_moves_has_no_peak(tmp_path):
    """`early_peak` of a moving source is refused by clip and event."""
    source = {"type": "tone", "frequency": 500, "duration": 0.5}
    box = {"type": "shoebox", "size": [5, 4, 3], "rt60": 0.3, "receiver": {"position": [2, 2, 1.5]}}
    event = {
        "label": "t", "source": source, "position": [1, 1, 1], "motion": {"to": [3, 3, 1]}, "onset": 0.0,
        "level": {"snr_db": 1, "as": "kaldi"},
    }  # fmt: skip
    tree = {"sr": SR, "duration": 1.0, "room": box, "events": [event], "noise": {"type": "coloured", "slope_db": 0, "level_dbfs": -40}}  # fmt: skip
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree))
    with pytest.raises(RenderError, match=r"events\[0\]\.level: a source that moves .* use `signal: early`"):
        render(plan_clip(recipe, "train", 0))


def test_long_clips(bank, monkeypatch):
    """In blocks Kaldi's levels are what they are at once; the others need the whole clip in memory, and say so."""
    monkeypatch.setattr("audiosynth.rendering.blocks.BLOCK", dsp.BLOCK)
    in_blocks = []
    for name in DEFINITIONS:
        recipe = recipe_of(bank, {"snr_db": 1, "as": name})
        spec = plan_clip(recipe, "train", 0)
        if not spec.in_blocks:
            with pytest.raises(RenderError, match="cannot be made in blocks"):
                stream(spec)
            continue
        in_blocks.append(name)
        at_once, streamed = (make(spec, assets=AssetStore(recipe.roots)) for make in (render, stream))
        assert (streamed.pcm_sha256, streamed.decisions) == (at_once.pcm_sha256, at_once.decisions)
        assert streamed.outcomes == at_once.outcomes
    assert in_blocks == ["kaldi"]
