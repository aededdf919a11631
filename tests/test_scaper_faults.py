"""What scaper 1.6.5 gets wrong when it is run, and what our own chain does in its place (README, "Coming from scaper")."""

from __future__ import annotations

import json

import numpy as np
import pytest
from material import noise, read_wav, tone, write_recipe, write_wav

from audiosynth import build, load_recipe, plan_clip, render
from audiosynth.dsp import seconds_to_samples
from audiosynth.material.assets import AssetStore

SR = 44_100
PINK = {"type": "coloured", "colour": "pink", "level_dbfs": -40}


def recipe_of(folder, **tree):
    """Return a loaded recipe over the folders of sounds beside it."""
    names = [p.name for p in sorted(folder.iterdir()) if p.is_dir() and p.name not in ("cache", "out")]
    full = {
        "sr": SR, "duration": 3.0, "clips": 1, "data": {n: n for n in names},
        "catalogues": {n: {"data": n, "layout": "flat", "label": "x", "group": None} for n in names}, **tree,
    }  # fmt: skip
    return load_recipe(write_recipe(folder / "r.yaml", full), cache_dir=folder / "cache")


def rendered(recipe, **options):
    """Return the recipe's clip."""
    return render(plan_clip(recipe, "train", 0), assets=AssetStore(recipe.roots), **options)


def recording(name, **changes):
    """Return the source of a recorded event."""
    return {"type": "file", "recording": {"pick": {"from": name}}, **changes}


def rms_db(y):
    """Return the RMS in dB."""
    return 10 * np.log10(np.mean(np.square(y)))


def parts(clip):
    """Return the event and the bed as they are in the mix, in float."""
    stems = {name.partition("_")[0].rstrip("0"): y[0] / 32768 for name, y in clip.stems.items()}
    return stems["event"], stems["noise"]


@pytest.mark.parametrize("n_samples", [1, 7, 176, 440])
def test_an_event_shorter_than_its_fade(tmp_path, n_samples):
    """Scaper stops with an error; here the fades are shortened, and the level is as asked."""
    write_wav(tmp_path / "clicks" / "a.wav", noise(n_samples / SR, SR, seed=1, level=0.3), SR)
    event = {
        "label": "click", "source": recording("clicks", trim=False), "onset": 1.0, "snr_db": 30,
        "effects": [{"type": "fade", "fade_in": 0.01, "fade_out": 0.01}],
    }  # fmt: skip
    clip = rendered(recipe_of(tmp_path, noise=PINK, events=[event]))
    assert clip.spec.events[0].place.n_samples == n_samples
    assert clip.outcomes["events"][0]["realised_snr_db"] == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize("trim", [True, False])
@pytest.mark.parametrize("measure", ["rms", "lufs"])
def test_silence_behind_a_sound_leaves_its_level_alone(tmp_path, trim, measure):
    """In scaper 0.35 s of silence behind a burst of 50 ms make it 9 dB louder at the same SNR; here nothing changes."""
    burst = noise(0.05, SR, seed=2, level=0.3)
    heard = []
    for silence in (0.0, 0.1, 0.2, 0.35, 1.0):
        folder = tmp_path / str(silence)
        y = np.concatenate([burst, np.zeros((1, round(silence * SR)))], axis=1)
        write_wav(folder / "bursts" / "a.wav", y, SR)
        event = {
            "label": "burst", "source": recording("bursts", trim=trim), "onset": 0.5,
            "level": {"level_dbfs": -20, "measure": measure},
        }  # fmt: skip
        clip = rendered(recipe_of(folder, events=[event]))
        heard.append(rms_db(clip.y[0, SR // 2 : SR // 2 + burst.shape[1]]))
    assert np.ptp(heard) < 0.01
    if measure == "rms":
        assert heard[0] == pytest.approx(-20, abs=0.01)


@pytest.mark.parametrize("duration", [2.3, 3.33333, 7.77, 0.1234567, 10.000011])
@pytest.mark.parametrize("rate", [22_050, 16_000, 48_000])
def test_odd_durations_over_a_bed_of_another_rate(tmp_path, duration, rate):
    """Scaper's resampled background is a sample short at such durations, and it stops; here it lasts to the last sample."""
    write_wav(tmp_path / "beds" / "a.wav", noise(12.0, rate, seed=3), rate)
    recipe = recipe_of(tmp_path, duration=duration, noise={**recording("beds"), "level_dbfs": -30})
    clip = rendered(recipe)
    n = seconds_to_samples(round(duration, 6), SR)
    assert clip.y.shape == (1, n)
    assert np.any(clip.y[0, -8:] != 0)
    assert rms_db(clip.y) == pytest.approx(-30, abs=0.01)


def test_several_backgrounds(tmp_path):
    """In scaper every background is as loud as the reference, and two equal ones turn 10 dB of SNR into 4; here the sum counts."""
    write_wav(tmp_path / "beds" / "a.wav", noise(5.0, SR, seed=4), SR)
    layer = recording("beds", start_sample=0)
    for layers in ([layer], [layer, layer], [layer, layer, {"type": "coloured", "colour": "pink"}]):
        bed = {"layers": [{"source": one, "level_dbfs": -20} for one in layers], "level_dbfs": -40}
        event = {
            "label": "t",
            "source": {"type": "tone", "frequency": 900, "duration": 1.0},
            "onset": 1.0,
            "snr_db": 10,
        }
        clip = rendered(recipe_of(tmp_path, noise=bed, events=[event], output={"stems": True}), stems=True)
        own, under = parts(clip)
        inside = slice(SR, 2 * SR)
        assert rms_db(under) == pytest.approx(-40, abs=0.02)
        assert rms_db(own[inside]) - rms_db(under[inside]) == pytest.approx(10, abs=0.05)


@pytest.mark.parametrize("level", [3e-2, 3e-4, 3e-5])
@pytest.mark.parametrize("measure", ["rms", "lufs"])
def test_a_quiet_source_gets_its_level(tmp_path, level, measure):
    """Scaper takes any source below -70 LUFS for -70 and plays it too low; here it is as loud as a loud one."""
    soundfile = pytest.importorskip("soundfile")
    (tmp_path / "quiet").mkdir()
    soundfile.write(tmp_path / "quiet" / "a.wav", noise(1.0, SR, seed=5, level=level)[0], SR, subtype="FLOAT")
    event = {
        "label": "hiss", "source": recording("quiet"), "onset": 1.0,
        "level": {"snr_db": 20, "measure": measure, "span": "event"},
    }  # fmt: skip
    clip = rendered(recipe_of(tmp_path, noise={"type": "coloured", "slope_db": 0, "level_dbfs": -50}, events=[event]))
    assert clip.outcomes["events"][0]["realised_snr_db"] == pytest.approx(20, abs=0.01)
    assert rms_db(clip.y[0, SR : 2 * SR]) == pytest.approx(-30, abs=0.2)


def test_loud_events_do_not_clip(tmp_path):
    """Scaper's default levels with an SNR of 20 clip the file, and its stems no longer sum to it; here both stay whole."""
    write_wav(tmp_path / "horns" / "a.wav", tone(440, 1.0, SR), SR)
    event = {"label": "horn", "source": recording("horns"), "onset": 1.0, "snr_db": 20}
    recipe = recipe_of(tmp_path, noise={**PINK, "level_dbfs": -12}, events=[event], output={"stems": True})
    root = build(recipe, tmp_path / "out").root
    row = json.loads((root / "manifest.jsonl").read_text())
    mix = read_wav(root / row["path"])[0].astype(np.int64)
    soundfile = pytest.importorskip("soundfile")
    folder = (root / row["path"]).with_suffix(".stems")
    stems = sum(soundfile.read(path, dtype="float64")[0] * 32768 for path in sorted(folder.iterdir()))
    assert row["outcomes"]["clipped"] == 0
    assert row["outcomes"]["guarded"] is True
    assert np.abs(mix).max() in (32766, 32767)
    assert np.array_equal(stems, mix[0])
    assert row["outcomes"]["events"][0]["realised_snr_db"] == pytest.approx(20, abs=0.01)


@pytest.mark.parametrize(
    "effect",
    [
        {"type": "time_stretch", "rate": 0.8},
        {"type": "time_stretch", "rate": 1.25},
        {"type": "pitch_shift", "semitones": 3},
    ],
)
def test_strikes_stay_where_the_labels_say(tmp_path, effect):
    """SoX moves clicks by up to 22 ms and loses some; here every one is within 3 ms of where time maps it."""
    y = np.zeros((1, SR))
    for t in (0.1, 0.5, 0.9):
        y[0, round(t * SR) : round(t * SR) + 20] = 0.8
    write_wav(tmp_path / "clicks" / "a.wav", y, SR)
    event = {
        "label": "clicks", "source": recording("clicks", trim=False), "onset": 0.0, "effects": [effect],
        "level": {"level_dbfs": -30},
    }  # fmt: skip
    clip = rendered(recipe_of(tmp_path, events=[event]))
    heard = clip.y[0]
    for t in (0.1, 0.5, 0.9):
        at = t / effect.get("rate", 1.0)
        window = slice(round((at - 0.05) * SR), round((at + 0.05) * SR))
        peak = window.start + int(np.argmax(np.abs(heard[window])))
        assert abs(peak / SR - at) < 0.003
        assert np.abs(heard[window]).max() > 0.5 * np.abs(heard).max()
