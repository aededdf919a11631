"""Learning noise profiles: what is kept, how near it comes, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from audiosynth.cli import cli
from audiosynth.dice import gaussian_at, uniform_at
from audiosynth.profiles import fit as profile_fit
from audiosynth.profiles import sound as profile_sound
from audiosynth.profiles import stats as profile_stats
from audiosynth.profiles.checks import LearnError
from audiosynth.profiles.fit import learn
from audiosynth.profiles.profile import MAX_FILE, Profile, profile_path, read_profile
from audiosynth.profiles.text import profile_text
from audiosynth.sound import colour

SR = 16_000


def pink(seconds: float, seed: int = 1) -> np.ndarray:
    """Return pink noise at an RMS of 0.1."""
    design = colour.shaper(-3.0103, sr=SR, fmin=20.0)
    white = lambda start, n: gaussian_at(seed, start=start, n_samples=n)  # noqa: E731
    return 0.1 * colour.stretch(design, white, start=0, n_samples=int(seconds * SR))


def place(name: str, seconds: float, seed: int) -> np.ndarray:
    """Return noise of a shipped profile at an RMS of 0.05."""
    return 0.05 * profile_sound.render(
        read_profile(profile_path(name, None)), seed=seed, sr=SR, channel=0, start=0, n_samples=int(seconds * SR)
    )


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    """Return half a minute of a street."""
    return place("street_busy", 30.0, 7)


def test_a_twin_is_near(street):
    """Third octaves within 1 dB in the median and 2 dB at worst, modulation within 2 dB, with another seed."""
    fit = learn([(street[None], SR, "street")], description="a street")
    y = profile_sound.render(fit.profile, seed=99, sr=SR, channel=0, start=0, n_samples=60 * SR)
    errors = fit._replace(twin=profile_stats.measure(y, SR)).errors()
    assert errors["bands_median"] < 1.0
    assert errors["bands_worst"] < 2.0
    assert errors["modulation_worst"] < 2.0
    assert abs(errors["crest"]) < 3.0
    assert fit.profile.made == "learned"


def test_the_order_of_time_is_not_kept(street):
    """Blocks of a second, shuffled, give the same profile within the error of estimating it."""
    blocks = street[: len(street) // SR * SR].reshape(-1, SR)
    order = np.argsort(uniform_at(5, start=0, n_samples=len(blocks)))
    mixed = np.concatenate([block * np.hanning(SR) ** 0.02 for block in blocks[order]])
    a, b = (learn([(y[None], SR, "x")], description="x").real for y in (street, mixed))
    assert np.max(np.abs(np.array(a.bands)[4:, 1] - np.array(b.bands)[4:, 1])) < 1.0
    quick = [profile_stats.RATES.index(r) for r in (2.0, 4.0, 8.0)]
    assert np.nanmax(np.abs(a.modulation[:, quick] - b.modulation[:, quick])) < 1.0


@pytest.mark.parametrize("seconds", [5.0, 60.0])
def test_a_profile_is_small_however_long_the_recording(seconds):
    """Under 4 kB, and read back as it was."""
    fit = learn([(place("cafe", seconds, 3)[None], SR, "x")], description="a cafe")
    text = profile_text(fit.profile)
    assert len(text.encode()) < MAX_FILE
    assert len(text) < 3000


def test_lines_and_impulses_are_found():
    """Hum at 100 Hz and clicks twice a second are in the profile."""
    t = np.arange(20 * SR) / SR
    y = pink(20.0) + 0.05 * np.sin(2 * np.pi * 100.0 * t)
    for at in np.arange(0.25, 20.0, 0.5):
        i = int(at * SR)
        y[i : i + 160] += 2.0 * np.exp(-np.arange(160) / 20.0) * np.sin(np.arange(160))
    profile = learn([(y[None], SR, "x")], description="x").profile
    assert min(abs(tone.frequency - 100.0) for tone in profile.tones) < 0.5
    assert profile.impulses is not None
    assert profile.impulses.rate == pytest.approx(2.0, rel=0.25)


def melody(seconds: float) -> np.ndarray:
    """Return chords that change twice a second."""
    t = np.arange(int(seconds * SR)) / SR
    roots = 220.0 * 2 ** (np.floor(uniform_at(2, start=0, n_samples=200) * 12) / 12)
    f = roots[(t * 2).astype(int)]
    phase = np.cumsum(f) / SR
    return 0.1 * sum(np.sin(2 * np.pi * r * phase) for r in (1.0, 1.26, 1.5))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (pink(0.2), r"bad: 0\.20 s are too short to learn from; expected 4 s"),
        (np.zeros(6 * SR), "the recording is silent"),
        (np.clip(8.0 * pink(6.0), -0.9, 0.9), "of the samples are clipped at 0.9"),
        (pink(6.0) + 0.2, r"a DC offset of 0\.\d+ at an RMS"),
        (melody(8.0), "music or song"),
    ],
    ids=["short", "silent", "clipped", "offset", "music"],
)
def test_what_cannot_be_learned_is_refused(y, message):
    """One message each, with the file's name and a reason."""
    with pytest.raises(LearnError, match=message):
        learn([(y[None], SR, "bad")], description="x")


def test_an_offset_can_be_taken_out():
    """With a high-pass, the profile is that of the same sound without it."""
    with_offset = learn([((pink(6.0) + 0.2)[None], SR, "x")], description="x", high_pass=True).real
    plain = learn([(pink(6.0)[None], SR, "x")], description="x").real
    assert np.max(np.abs(np.array(with_offset.bands)[2:] - np.array(plain.bands)[2:])) < 0.2


def test_speech_is_warned_of():
    """Voiced syllables four times a second over noise give a warning, not an error."""
    t = np.arange(8 * SR) / SR
    f = 120.0 + 15.0 * np.sin(2 * np.pi * 0.7 * t)
    voice = sum(np.sin(2 * np.pi * k * np.cumsum(f) / SR) / k for k in range(1, 25))
    y = 0.1 * voice * np.maximum(np.sin(2 * np.pi * 4.0 * t), 0.0) ** 2 + 0.002 * gaussian_at(
        1, start=0, n_samples=len(t)
    )
    fit = learn([(y[None], SR, "talk")], description="x")
    assert any("may hold speech" in w for w in fit.warnings)


def test_several_recordings_are_one_profile():
    """Recordings of one noise at several rates and levels are learned together."""
    fit = learn([(pink(6.0)[None], SR, "a"), (0.01 * pink(6.0, seed=2)[None], SR, "b")], description="x")
    assert isinstance(fit.profile, Profile)
    slope = np.polyfit(np.log2([f for f, _ in fit.real.bands[4:20]]), [v for _, v in fit.real.bands[4:20]], 1)[0]
    assert slope == pytest.approx(0.0, abs=0.2)  # pink: third octaves alike


def main(words):
    """Run a command line and return its exit code."""
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    return int(caught.value.code or 0)


def test_the_command(tmp_path, capsys):
    """It writes a profile that a recipe can use, says how near it is, and refuses with one line."""
    samples = np.round(pink(6.0) * 32767).astype(np.int16)[:, None]
    soundfile.write(tmp_path / "a.wav", samples, SR, subtype="PCM_16")
    out = tmp_path / "mine.yaml"
    assert main(["learn", str(tmp_path / "a.wav"), "-o", str(out), "--origin", "a test"]) == 0
    assert "third octaves, median" in capsys.readouterr().out
    assert read_profile(out).origin == "a test"
    soundfile.write(tmp_path / "b.wav", samples[:2000], SR, subtype="PCM_16")
    assert main(["learn", str(tmp_path / "b.wav"), "-o", str(tmp_path / "no.yaml")]) != 0
    assert "too short" in capsys.readouterr().err
    assert not (tmp_path / "no.yaml").exists()
    assert main(["learn", str(tmp_path / "a.wav"), "-o", str(tmp_path / "x.txt")]) != 0


def test_rounds_never_make_it_worse():
    """The profile that is kept is the best of all rounds."""
    y = place("rain_on_roof", 10.0, 4)
    fit = learn([(y[None], SR, "x")], description="x")
    first = profile_fit.learn([(y[None], SR, "x")], description="x")
    assert fit.profile == first.profile
