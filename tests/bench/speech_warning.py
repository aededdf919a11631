"""How surely `audiosynth learn` says that a recording holds speech, and how often it says so of something else.

    python tests/bench/speech_warning.py --data DATA

DATA is a folder that holds speech, background and events/esc10, of which fold 1 is taken.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from audiosynth.profiles import sound as profile_sound
from audiosynth.profiles.checks import SHORTEST, LearnError, check
from audiosynth.profiles.profile import profile_path, read_profile

Sound = tuple[str, np.ndarray, int]
SPEAKERS = ("jackson", "nicolas", "theo", "yweweler")
KINDS = ("002 - Rain", "003 - Sea waves", "007 - Helicopter", "008 - Chainsaw", "010 - Fire crackling")
NOISES = ("street_busy", "cafe", "aircraft_cabin")


def read(*paths: Path) -> Sound:
    """Return recordings one after the other, the mean of their channels."""
    heard = [soundfile.read(path, always_2d=True) for path in paths]
    y = np.concatenate([y.mean(axis=1) for y, _ in heard])
    return paths[0].name, y - y.mean(), heard[0][1]


def speech(data: Path) -> Iterator[tuple[str, list[Sound]]]:
    """Yield kinds of speech."""
    yield "meetings, far", [read(path) for path in sorted((data / "meetings").glob("*.wav"))]
    read_aloud = [read(path) for path in sorted((data / "librispeech").rglob("*.flac"))]
    yield "LibriSpeech", [one for one in read_aloud if len(one[1]) >= SHORTEST * one[2]]
    yield "ARCTIC, three in a row", [read(*sorted((data / "arctic").glob(f"*_{v}_*.wav"))) for v in ("aew", "axb")]
    rows = [
        [data / "fsdd" / f"{d}_{s}_{t}.wav" for t in (i, i + 1) for d in range(10)]
        for s in SPEAKERS
        for i in range(0, 30, 5)
    ]
    yield "FSDD, twenty in a row", [read(*row) for row in rows]  # fmt: skip


def others(data: Path) -> Iterator[tuple[str, list[Sound]]]:
    """Yield kinds of other sounds."""
    places = sorted(path for path in (data / "background").iterdir() if path.suffix in (".wav", ".ogg"))
    yield "background (birds, a whale)", [read(path) for path in places]
    for kind in KINDS:
        yield f"ESC-10 {kind[6:]}", [read(path) for path in sorted((data / "events/esc10" / kind).glob("1-*.ogg"))]


def warned(y: np.ndarray, sr: int) -> bool:
    """Return whether a recording is said to hold speech; what is refused as music is not."""
    try:
        return any("may hold speech" in warning for warning in check(y, sr, "x"))
    except LearnError:
        return False


def main() -> None:
    """Print what is said of each kind, and of speech in noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    for title, kinds in (("speech", speech(data / "speech")), ("other", others(data))):
        found, total = 0, 0
        for kind, sounds in kinds:
            n = sum(warned(y, sr) for _, y, sr in sounds)
            print(f"{kind:30}{n:4} of {len(sounds):3} warned of", flush=True)
            found, total = found + n, total + len(sounds)
        print(f"{title + ', all':30}{found:4} of {total:3}")
    clean = dict(speech(data / "speech"))["LibriSpeech"][::3]
    for snr_db in (20, 10, 5, 0):
        n = [sum(warned(_in_noise(one, name, snr_db), one[2]) for one in clean) for name in NOISES]
        print(
            f"LibriSpeech at {snr_db:2} dB in "
            + ", ".join(f"{a}: {b}" for a, b in zip(NOISES, n, strict=True))
            + f", of {len(clean)}"
        )


def _in_noise(one: Sound, name: str, snr_db: float) -> np.ndarray:
    _, y, sr = one
    profile = read_profile(profile_path(name, None))
    noise = profile_sound.render(profile, seed=3, sr=sr, channel=0, start=0, n_samples=len(y))
    return y + noise * float(np.sqrt(np.mean(y * y) / np.mean(noise * noise)) * 10 ** (-snr_db / 20))


if __name__ == "__main__":
    main()
