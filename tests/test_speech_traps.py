"""Faults that tools for augmenting speech were seen to have, each named after what goes wrong there, with the right number here.

What other tests hold already: stems that sum to the mix as integers (test_stems, test_scaper_faults), rounding to 16 bits
(test_pcm), SNRs in every measure (test_snr), joints of looped noise (test_file_components).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from material import noise, tone, write_recipe, write_wav

from audiosynth import load_recipe, plan_clip, render
from audiosynth.clip import RenderContext
from audiosynth.material.assets import AssetStore
from audiosynth.spec import ClipSpec

SR = 16_000
WHITE = {"type": "coloured", "slope_db": 0, "level_dbfs": -40}


def recipe_of(folder, **tree):
    """Return a loaded recipe over the folders of sounds beside it."""
    names = [p.name for p in sorted(folder.iterdir()) if p.is_dir() and p.name not in ("cache", "out")]
    full = {
        "sr": SR, "duration": 2.0, "clips": 400, "data": {n: n for n in names}, "output": {"stems": True},
        "catalogues": {n: {"data": n, "layout": "flat", "label": "x", "group": None} for n in names}, **tree,
    }  # fmt: skip
    return load_recipe(write_recipe(folder / "r.yaml", full), cache_dir=folder / "cache")


def rendered(recipe, *, spec=None, **options):
    """Return the recipe's first clip, or that of a spec, with its stems."""
    spec = plan_clip(recipe, "train", 0) if spec is None else spec
    return render(spec, assets=AssetStore(recipe.roots), stems=True, **options)


def file_of(name, **changes):
    """Return a source or noise that is a recording of a folder, from its first sample to its last."""
    return {"type": "file", "recording": {"pick": {"from": name}}, "trim": False, **changes}


def event_of(name="speech", **changes):
    """Return an event of a recording."""
    return {"label": "speech", "source": file_of(name), "onset": 0.0, **changes}


def room_of(name="rirs", **changes):
    """Return a measured room."""
    return {"type": "measured", "recording": {"pick": {"from": name}}, **changes}


def click(n_samples, *at, size=0.5):
    """Return single samples, shape (1, n_samples)."""
    y = np.zeros((1, n_samples))
    y[0, list(at)] = size
    return y


def response(taps, *, n_samples=8000, n_channels=1):
    """Return a response of single taps {sample: size} or {(channel, sample): size}."""
    h = np.zeros((n_channels, n_samples))
    for at, size in taps.items():
        h[at if isinstance(at, tuple) else (0, at)] = size
    return h


def rms_db(y):
    """Return the RMS in dB."""
    return 10 * np.log10(np.mean(np.square(y)))


def parts(clip):
    """Return the event and the bed as they are in the mix, as floats, shape (n_channels, n_samples)."""
    stems = {name.partition("_")[0].rstrip("0"): y / 32768 for name, y in clip.stems.items()}
    return stems["event"], stems.get("noise")


# --- signal-to-noise ratios ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "over_speech"), [({}, 10.0), ({"span": "clip"}, 10 - 10 * np.log10(0.375))])
def test_whole_clip_snr(tmp_path, level, over_speech):
    """Speech in 37.5 % of a clip: 10 dB over the clip are 14.26 dB where there is speech; the default is 10 dB there."""
    speech = np.zeros((1, 4 * SR))
    speech[:, SR : SR * 5 // 2] = tone(500, 1.5, SR)
    write_wav(tmp_path / "speech" / "a.wav", speech, SR)
    event = event_of(level={"snr_db": 10, **level})
    clip = rendered(recipe_of(tmp_path, duration=4.0, noise=WHITE, events=[event]))
    heard, under = parts(clip)
    inside = slice(SR, SR * 5 // 2)
    assert rms_db(heard[0, inside]) - rms_db(under[0, inside]) == pytest.approx(
        over_speech, abs=0.05 + 0.1 * bool(level)
    )
    row = clip.outcomes["events"][0]
    assert row["snr_db"] == pytest.approx(over_speech, abs=0.05 + 0.1 * bool(level))
    assert row["snr_clip_db"] == pytest.approx(over_speech + 10 * np.log10(0.375), abs=0.15)
    assert row["realised_snr_db"] == pytest.approx(10, abs=1e-3)


@pytest.mark.parametrize("share", [0.1, 1.0], ids=["short speech", "short noise"])
def test_segmental_snr_by_a_linear_threshold(tmp_path, share):
    """Where speech (or noise) is active in a tenth of the clip, 5 dB come out as 14.8 (or -4.0) in DNS' mixer; here as 5."""
    short, long = tone(500, 0.4, SR), noise(4.0, SR, seed=1)
    sparse = np.zeros((1, 4 * SR))
    sparse[:, : short.shape[1]] = short
    speech, bed = (sparse, long) if share < 1 else (long, sparse)
    write_wav(tmp_path / "speech" / "a.wav", speech, SR)
    write_wav(tmp_path / "beds" / "a.wav", bed, SR)
    bed = {**file_of("beds", start_sample=0, crossfade=0), "level_dbfs": -40}
    # the noise is the one thing there is to measure against: where it sounds, speech is 5 dB over it
    source = file_of("speech", **({} if share < 1 else {"start": 0.0, "duration": 0.4}))
    event = {"label": "speech", "source": source, "onset": 0.0, "snr_db": 5}
    heard, under = parts(rendered(recipe_of(tmp_path, duration=4.0, noise=bed, events=[event])))
    inside = slice(0, short.shape[1])
    assert rms_db(heard[0, inside]) - rms_db(under[0, inside]) == pytest.approx(5, abs=0.05)


@pytest.mark.parametrize("wanted", [10, 20, 40, 60])
def test_snr_is_not_halved(tmp_path, wanted):
    """A power divided by 10^(SNR/20), or the root of an amplitude, gives half the SNR: 60 dB become 30."""
    write_wav(tmp_path / "speech" / "a.wav", tone(500, 2.0, SR, level=0.5), SR)
    bed = {"type": "coloured", "slope_db": 0, "snr_db": wanted}
    heard, under = parts(rendered(recipe_of(tmp_path, noise=bed, events=[event_of(level_dbfs=-12)])))
    assert rms_db(heard) == pytest.approx(-12, abs=0.01)
    assert rms_db(heard) - rms_db(under) == pytest.approx(wanted, abs=0.06)


@pytest.mark.parametrize("seconds", [1.6, 2.0, 2.7, 4.0])
def test_tiled_noise(tmp_path, seconds):
    """Noise of 1.5 s with a burst of 0.5 s: measured before it is repeated, 10 dB are 8.2 to 9.5; here they are 10."""
    bed = 0.05 * noise(1.5, SR, seed=2, level=1.0)
    bed[:, SR // 2 : SR] *= 6
    write_wav(tmp_path / "beds" / "a.wav", bed, SR)
    write_wav(tmp_path / "speech" / "a.wav", tone(500, seconds, SR), SR)
    bed = {**file_of("beds", start_sample=0), "level_dbfs": -30}
    clip = rendered(recipe_of(tmp_path, duration=seconds, noise=bed, events=[event_of(snr_db=10)]))
    heard, under = parts(clip)
    assert under.shape == (1, round(seconds * SR))
    assert rms_db(heard) - rms_db(under) == pytest.approx(10, abs=0.05)


def test_noise_measured_whole_then_cut(tmp_path):
    """Of a recording that is loud in another place than is used, NeMo takes the level of the whole; here of what is heard."""
    bed = noise(10.0, SR, seed=3, level=0.01)
    bed[:, :SR] *= 30
    write_wav(tmp_path / "beds" / "a.wav", bed, SR)
    write_wav(tmp_path / "speech" / "a.wav", tone(500, 2.0, SR), SR)
    bed = {**file_of("beds", start_sample=4 * SR), "level_dbfs": -30}
    heard, under = parts(rendered(recipe_of(tmp_path, noise=bed, events=[event_of(snr_db=10)])))
    assert rms_db(heard) - rms_db(under) == pytest.approx(10, abs=0.05)  # the other way: 10 + 19.6 dB


@pytest.mark.parametrize("folder", ["speech", "beds"])
def test_snr_set_before_resampling(tmp_path, folder):
    """A sound with as much above the clip's 4 kHz as below loses 3 dB when it is resampled: the SNR is set after that."""
    wide = tone(500, 2.0, SR, level=0.2) + tone(6100, 2.0, SR, level=0.2)
    sounds = {"speech": tone(500, 2.0, SR), "beds": noise(2.0, SR, seed=4)}
    for name, y in {**sounds, folder: wide}.items():
        write_wav(tmp_path / name / "a.wav", y, SR)
    bed = {**file_of("beds", start_sample=0), "level_dbfs": -30}
    heard, under = parts(rendered(recipe_of(tmp_path, sr=8000, noise=bed, events=[event_of(snr_db=10)])))
    assert heard.shape == under.shape == (1, 16_000)
    assert rms_db(heard) - rms_db(under) == pytest.approx(10, abs=0.05)


def test_level_after_truncation(tmp_path):
    """A clip that is cut keeps the noise of the whole: measured again on the loud half that is left, it were 2.6 dB louder."""
    speech = np.concatenate([tone(500, 1.0, SR, level=0.3), tone(500, 1.0, SR, level=0.1)], axis=1)
    write_wav(tmp_path / "speech" / "a.wav", speech, SR)
    bed = {"type": "coloured", "slope_db": 0, "snr_db": 10}
    recipe = recipe_of(tmp_path, noise=bed, events=[event_of(overrun="cut")])
    whole = rendered(recipe)
    made = whole.spec.to_json() | {"duration": 1.0, "n_samples": SR}
    short = rendered(recipe, spec=ClipSpec.model_validate(made), decisions=whole.decisions)
    assert np.array_equal(short.pcm16, whole.pcm16[:, :SR])
    assert rms_db(parts(short)[1]) == pytest.approx(10 * np.log10(0.05) - 10, abs=0.1)
    assert "the row says" in short.warnings[0]  # that another gain would be measured now
    anew = rendered(recipe, spec=ClipSpec.model_validate(made))
    assert rms_db(parts(anew)[1]) == pytest.approx(10 * np.log10(0.09) - 10, abs=0.1)


# --- rooms --------------------------------------------------------------------------------------------------------------


def test_shift_by_a_signed_peak(tmp_path):
    """A direct sound of -1 at 1280 and an echo of +0.4 at 3000: the largest signed sample is the echo, 107 ms late."""
    write_wav(tmp_path / "speech" / "a.wav", click(SR, 100), SR)
    write_wav(tmp_path / "rirs" / "a.wav", response({1280: -0.9, 3000: 0.36}), SR)
    clip = rendered(recipe_of(tmp_path, events=[event_of(onset=0.5, room=room_of())]))
    at = np.flatnonzero(np.abs(clip.y[0]) > 0.01)
    assert at.tolist() == [SR // 2 + 100, SR // 2 + 100 + 1720]
    assert clip.y[0, at] == pytest.approx([-0.5, 0.2], abs=1e-3)
    assert clip.decisions.direct == (1280,)
    assert [(label.onset, label.offset) for label in clip.labels] == [(SR // 2 + 100, SR // 2 + 101)]


def test_spatial_cues(tmp_path):
    """Two channels 30 samples and 6.02 dB apart stay so: a shift or a gain for each of them leaves 0 and 0."""
    write_wav(tmp_path / "speech" / "a.wav", noise(1.0, SR, seed=5), SR)
    write_wav(tmp_path / "rirs" / "a.wav", response({(0, 400): 0.8, (1, 430): 0.4}, n_channels=2), SR)
    event = event_of(onset=0.5, room=room_of(), level_dbfs=-20)
    heard, _ = parts(rendered(recipe_of(tmp_path, channels=2, events=[event])))
    spectra = np.fft.rfft(heard, 2 * heard.shape[1])
    lag = int(np.argmax(np.fft.irfft(spectra[1] * spectra[0].conj())))
    assert lag == 30
    assert rms_db(heard[0]) - rms_db(heard[1]) == pytest.approx(6.0206, abs=0.01)
    assert int(np.flatnonzero(heard[0])[0]) == SR // 2


def test_circular_reverberation(tmp_path):
    """The echo of what ends a clip lies behind the clip, not at its start: 4000 after 15,900 of 16,000 were sample 3900."""
    write_wav(tmp_path / "speech" / "a.wav", click(SR, 15_900), SR)
    write_wav(tmp_path / "rirs" / "a.wav", response({0: 0.8, 4000: 0.4}), SR)
    recipe = recipe_of(tmp_path, events=[event_of(room=room_of())])
    assert np.flatnonzero(np.abs(rendered(recipe).y[0]) > 0.01).tolist() == [15_900, 19_900]
    recipe = recipe_of(tmp_path, duration=1.0, events=[event_of(room=room_of())])
    assert np.flatnonzero(np.abs(rendered(recipe).y[0]) > 0.01).tolist() == [15_900]


@pytest.mark.parametrize(("normalize", "size"), [("none", 0.0125), ("direct", 0.05), ("energy", 0.05 / np.sqrt(1.25))])
@pytest.mark.parametrize(("align", "late"), [("direct", 0), ("causal", 800)])
def test_level_and_delay_through_a_response(tmp_path, normalize, size, align, late):
    """A click of 0.05 stays one: not scaled to a peak of 0.5 (20 dB), not by 2^-15 (-86.7 dB), and not 50 ms behind its label."""
    write_wav(tmp_path / "speech" / "a.wav", click(SR, 0, size=0.05), SR)
    write_wav(tmp_path / "rirs" / "a.wav", response({800: 0.25, 5000: 0.125}), SR)
    event = event_of(onset=0.25, room=room_of(normalize=normalize), align=align)
    clip = rendered(recipe_of(tmp_path, events=[event]))
    at = int(np.argmax(np.abs(clip.y[0])))
    assert at == SR // 4 + late == clip.labels[0].onset
    assert clip.y[0, at] == pytest.approx(size, rel=2e-3)


def test_early_part_of_a_late_response(tmp_path):
    """The first 50 ms of the file hold nothing where the direct sound comes at 80 ms: early is counted from that."""
    write_wav(tmp_path / "speech" / "a.wav", click(SR, 200), SR)
    write_wav(tmp_path / "rirs" / "a.wav", response({1280: 0.8, 1280 + 640: 0.4, 1280 + 1600: 0.2}), SR)
    stems = {"stems": {"by": "event", "parts": ["early", "late", "wet"]}}
    clip = rendered(recipe_of(tmp_path, events=[event_of(room=room_of())], output=stems))
    early, late = (next(y for name, y in clip.stems.items() if part in name)[0] for part in ("early", "late"))
    assert np.flatnonzero(np.abs(early) > 100).tolist() == [200, 840]
    assert np.flatnonzero(np.abs(late) > 100).tolist() == [1800]


def test_rate_of_a_response(tmp_path):
    """A response of 8 kHz in a clip of 16 kHz: its echo comes after 0.1 s, not after the 0.05 s that its samples would take."""
    write_wav(tmp_path / "speech" / "a.wav", click(SR, 0), SR)
    write_wav(tmp_path / "rirs" / "a.wav", response({400: 0.8, 1200: 0.4}), 8000)
    y = np.abs(rendered(recipe_of(tmp_path, events=[event_of(onset=0.5, room=room_of())])).y[0])
    first = int(np.argmax(y))
    y[max(0, first - 200) : first + 200] = 0
    # the onset is where |sin πx / πx| first comes to a tenth: its lobe 2.5 samples of the file before the peak
    assert first - SR // 2 == 5
    assert int(np.argmax(y)) - first == 1600


# --- chance -------------------------------------------------------------------------------------------------------------


def test_frozen_noise(tmp_path):
    """A row makes its noise again, sample for sample; clips, seeds and replicas have noises that have nothing in common."""
    recipes = [recipe_of(tmp_path, noise=WHITE, seed=seed) for seed in (0, 1)]
    specs = [plan_clip(recipe, "train", i) for recipe in recipes for i in range(3)]
    made = [rendered(recipes[0], spec=spec).y[0] for spec in specs]
    again = rendered(recipes[0], spec=ClipSpec.model_validate_json(specs[1].model_dump_json()))
    assert np.array_equal(again.y[0], made[1])
    related = np.corrcoef(made) - np.eye(len(made))
    assert np.abs(related).max() < 5 / np.sqrt(2 * SR)


def drawn(folder, seed, n=300):
    """Return n clips' (SNR, recording, first samples of the noise), as planned with a seed."""
    event = event_of(snr_db={"uniform": [0, 20]})
    recipe = recipe_of(folder, seed=seed, noise=WHITE, events=[event])
    specs = [plan_clip(recipe, "train", i) for i in range(n)]
    return [(s.events[0].level.snr_db, s.events[0].source.recording.path, s.noise.layers[0].source.seed) for s in specs]


@pytest.fixture
def ten(tmp_path):
    """Return a folder of ten recordings."""
    for k in range(10):
        write_wav(tmp_path / "speech" / f"{k}.wav", tone(300 + k, 0.5, SR), SR)
    return tmp_path


def test_seed_zero_is_a_seed(ten):
    """Seed 0 gives its own draws, the same every time, and not one recording for every clip (NeMo's `if rng`)."""
    first, again, other = drawn(ten, 0), drawn(ten, 0), drawn(ten, 1)
    assert first == again != other
    counts = np.unique([path for _, path, _ in first], return_counts=True)[1]
    assert counts.size == 10
    assert ((counts - 30) ** 2 / 30).sum() < 27.9  # χ² with 9 degrees of freedom: p = 0.001
    assert len({snr for snr, _, _ in first}) == 300


def test_neighbouring_seeds(ten):
    """With `seed + index` clip 1 of seed 7 is clip 0 of seed 8; here no draw of one is in the other, at no distance."""
    seven, eight = drawn(ten, 7), drawn(ten, 8)
    assert not {snr for snr, _, _ in seven} & {snr for snr, _, _ in eight}
    assert not {seed for _, _, seed in seven} & {seed for _, _, seed in eight}
    a, b = (np.array([snr for snr, _, _ in made]) for made in (seven, eight))
    for lag in range(-3, 4):
        pairs = (a[3:-3], b[3 + lag : len(b) - 3 + lag])
        assert abs(np.corrcoef(*pairs)[0, 1]) < 4.5 / np.sqrt(a.size - 6)


def test_snr_and_noise_from_one_generator(ten):
    """An SNR and a noise drawn from a generator that is made anew for each are one number: the loud clips have one noise."""
    recipe = recipe_of(ten, noise=WHITE, events=[event_of(snr_db={"uniform": [0, 20]})])
    found = []
    for i in range(200):
        spec = plan_clip(recipe, "train", i)
        source = spec.noise.layers[0].source
        found.append((spec.events[0].level.snr_db, *source.render(RenderContext(SR, 1), start=0, n_samples=4)[0]))
    related = np.corrcoef(np.array(found).T)[0, 1:]
    assert np.abs(related).max() < 4.5 / np.sqrt(200)


def test_every_meeting_the_same_silence(ten):
    """Pauses between turns are drawn for each clip: a generator seeded anew for each meeting gives all of them the same."""
    turn = event_of(onset={"follow": {"uniform": [0.1, 2.0]}}, overrun="cut")
    recipe = recipe_of(ten, duration=12.0, events=[event_of(), turn, turn, turn])
    pauses = []
    for i in range(100):
        places = [event.place for event in plan_clip(recipe, "train", i).events]
        pauses.append([b.onset - a.onset - a.n_samples for a, b in pairwise(places)])
    pauses = np.array(pauses) / SR
    assert len({tuple(row) for row in pauses}) == 100
    assert 0.1 <= pauses.min() < 0.2
    assert 1.9 < pauses.max() <= 2.0
    # a mean of 300 uniform draws: 1.05 ± 4 of its deviations
    assert pauses.mean() == pytest.approx(1.05, abs=4 * 1.9 / np.sqrt(12 * 300))
    related = np.corrcoef(pauses.T) - np.eye(3)
    assert np.abs(related).max() < 4.5 / np.sqrt(100)


def test_order_of_files(tmp_path):
    """What order a disk lists files in, and which were written first, changes no draw."""
    found = []
    for name, order in (("up", range(10)), ("down", reversed(range(10)))):
        for k in order:
            write_wav(tmp_path / name / "speech" / f"{k}.wav", tone(300 + k, 0.5, SR), SR)
        found.append(drawn(tmp_path / name, 3))
    assert found[0] == found[1]


# --- noise --------------------------------------------------------------------------------------------------------------


def test_brown_noise_down_to_its_corner(tmp_path):
    """A filter of 128 points is flat below 125 Hz at 16 kHz; brown noise falls by 6.02 dB an octave from 20 Hz on."""
    bed = {"type": "coloured", "colour": "brown", "level_dbfs": -20}
    y = rendered(recipe_of(tmp_path, duration=120.0, noise=bed)).y[0]
    power = np.abs(np.fft.rfft(y)) ** 2
    f = np.arange(power.size) * SR / y.size
    octaves = [power[(f >= low) & (f < 2 * low)].mean() for low in (31.25, 62.5, 125, 250, 500, 1000)]
    # an octave at 31 Hz holds 3750 bins, whose mean is sure to 0.07 dB; five deviations of a difference are 0.5 dB
    assert np.diff(10 * np.log10(octaves)) == pytest.approx(-6.0206, abs=0.5)
