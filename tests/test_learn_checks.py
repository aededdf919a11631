"""What `learn` refuses or warns of, on real recordings and on loops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiosynth.dice import gaussian_at
from audiosynth.profiles.checks import LearnError, check
from audiosynth.sound.repeats import new_share
from audiosynth.sound.voicing import syllables

SR = 16_000
QUIET_KINDS = ("002 - Rain", "003 - Sea waves", "007 - Helicopter", "008 - Chainsaw", "010 - Fire crackling")


def read(path: Path) -> tuple[np.ndarray, int]:
    """Return a recording's mean over channels without an offset, and its rate."""
    y, sr = soundfile.read(path, always_2d=True)
    y = y.mean(axis=1)
    return y - y.mean(), sr


def joined(paths: list[Path]) -> tuple[np.ndarray, int]:
    """Return recordings one after the other."""
    heard = [read(path) for path in paths]
    return np.concatenate([y for y, _ in heard]), heard[0][1]


def talk(data: Path) -> Iterator[tuple[str, np.ndarray, int]]:
    """Yield speech: meetings, read sentences, digits in a row."""
    speech = data / "speech"
    for path in sorted((speech / "meetings").glob("*.wav")) + sorted((speech / "librispeech").rglob("*.flac"))[1::4]:
        yield path.name, *read(path)
    for voice in ("aew", "axb"):
        yield voice, *joined(sorted((speech / "arctic").glob(f"*{voice}*.wav")))
    for voice in ("jackson", "nicolas", "theo", "yweweler"):
        yield (
            voice,
            *joined([speech / "fsdd" / f"{digit}_{voice}_{take}.wav" for take in (3, 4) for digit in range(10)]),
        )


def noise(data: Path) -> Iterator[tuple[str, np.ndarray, int]]:
    """Yield places, a whale, machines, weather."""
    for path in sorted(p for p in (data / "background").iterdir() if p.suffix in (".wav", ".ogg")):
        yield path.name, *read(path)
    for kind in QUIET_KINDS:
        for path in sorted((data / "events" / "esc10" / kind).glob("1-*.ogg"))[::3]:
            yield path.name, *read(path)


def warned(y: np.ndarray, sr: int, name: str) -> bool:
    """Return whether a recording is said to hold speech; music is refused, which is no warning of speech."""
    try:
        return any("may hold speech" in warning for warning in check(y, sr, name))
    except LearnError as error:
        assert "music or song" in str(error)  # noqa: PT017
        return False


@pytest.mark.heavy
def test_real_speech_is_warned_of(shared_data):
    """All of it, near and far, also meetings in which somebody speaks for a second of thirty."""
    assert [name for name, y, sr in talk(shared_data) if not warned(y, sr, name)] == []


@pytest.mark.heavy
def test_other_sounds_are_not_taken_for_speech(shared_data):
    """Dishes, a bicycle, birds, a whale, rain, sea, helicopters, chainsaws, fires."""
    assert [name for name, y, sr in noise(shared_data) if warned(y, sr, name)] == []


def test_a_looped_word_is_refused(shared_data):
    """A digit over and over is as long as the digit, also at another rate and with gaps of several lengths."""
    y, sr = read(shared_data / "speech" / "fsdd" / "6_theo_3.wav")
    with pytest.raises(LearnError, match=r"six: it repeats itself: about 0\.\d s of its 7\.\d s are new"):
        check(np.tile(y, 15), sr, "six")
    apart = np.concatenate([np.concatenate([y, np.zeros(500 * (1 + i % 3))]) for i in range(15)])
    with pytest.raises(LearnError, match="expected 4 s and more that are no loop"):
        check(apart + 1e-5 * gaussian_at(1, start=0, n_samples=len(apart)), sr, "six")


@pytest.mark.parametrize(("seconds", "times"), [(0.5, 12), (2.0, 5), (3.9, 10)])
def test_short_loops_are_refused(seconds, times):
    """However long a loop goes on, it is as long as what it holds."""
    y = np.tile(0.1 * gaussian_at(3, start=0, n_samples=int(seconds * SR)), times)
    assert new_share(y, SR) * len(y) / SR == pytest.approx(seconds, rel=0.2)
    with pytest.raises(
        LearnError, match=f"it repeats itself: about {seconds:.1f} s of its {len(y) / SR:.1f} s are new"
    ):
        check(y, SR, "loop")


def test_a_long_loop_is_told():
    """What holds enough is learned from, with a warning."""
    y = np.tile(0.1 * gaussian_at(3, start=0, n_samples=6 * SR), 4)
    assert check(y, SR, "loop") == ["loop: it repeats itself; what is learned comes from about 6.0 s of it"]


@pytest.mark.parametrize("frequency", [50.0, 120.0, 1000.0])
def test_steady_tones_are_no_loops(frequency):
    """A hum is alike everywhere, and yet new all the time; so is noise."""
    t = np.arange(8 * SR) / SR
    hum = sum(np.sin(2 * np.pi * k * frequency * t) / k for k in (1, 2, 3))
    assert new_share(hum + 0.01 * gaussian_at(1, start=0, n_samples=len(t)), SR) == 1.0
    assert new_share(gaussian_at(1, start=0, n_samples=len(t)), SR) == 1.0


def test_syllables_are_short_and_glide():
    """Voiced stretches of 0.2 s count; one that goes on, as an engine does, and hisses do not."""
    t = np.arange(6 * SR) / SR
    pitch = 120.0 + 20.0 * np.sin(2 * np.pi * 0.7 * t)
    voice = sum(np.sin(2 * np.pi * k * np.cumsum(pitch) / SR) / k for k in range(1, 20))
    hiss = 0.003 * gaussian_at(1, start=0, n_samples=len(t))
    assert syllables(voice * (t % 0.5 < 0.2) + hiss, SR) == 12
    assert syllables(voice + hiss, SR) == 0
    assert syllables(gaussian_at(2, start=0, n_samples=len(t)) * (t % 0.5 < 0.2) + hiss, SR) == 0
    assert syllables(np.zeros(10), SR) == 0
