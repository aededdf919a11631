"""How near noise from learned profiles comes to recordings, whether it can be told apart as speech, and how fast it is.

    python tests/bench/profiles.py --data DATA

DATA is a folder that holds background, events/esc10 and speech/fsdd. The twins that are compared have another seed than those the
profiles were corrected with.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from audiosynth.clip import RenderContext
from audiosynth.dice import uniform_at
from audiosynth.noises.coloured import Coloured
from audiosynth.profiles import fit as profile_fit
from audiosynth.profiles import sound as profile_sound
from audiosynth.profiles import stats as profile_stats
from audiosynth.profiles.checks import LearnError
from audiosynth.profiles.profile import Profile, profile_path, read_profile, shipped_profiles
from audiosynth.sound import colour

SEED, SECONDS = 2, 60.0
DIGITS_SR = 8000
SPEAKERS = ("jackson", "nicolas", "theo", "yweweler")
OTHERS = ("002 - Rain", "003 - Sea waves", "007 - Helicopter", "008 - Chainsaw", "010 - Fire crackling")


def sounds(data: Path) -> list[Path]:
    """Return the recordings: all of background, and the first of five kinds."""
    found = sorted(p for p in (data / "background").iterdir() if p.suffix in (".wav", ".ogg"))
    return found + [sorted((data / "events" / "esc10" / name).glob("1-*.ogg"))[0] for name in OTHERS]


def compare(path: Path) -> None:
    """Learn from a recording and print how far a twin of another seed is off."""
    y, sr = soundfile.read(path, always_2d=True)
    fit = profile_fit.learn([(y.T, sr, path.name)], description=path.stem[:40], high_pass=True)
    n = int(max(20.0, min(SECONDS, len(y) / sr)) * sr)
    twin = profile_stats.measure(
        profile_sound.render(fit.profile, seed=SEED, sr=sr, channel=0, start=0, n_samples=n),
        sr,
        stretch=fit.real.seconds,
    )
    e = fit._replace(twin=twin).errors()
    print(
        f"{path.name[:26]:28}{e['bands_median']:8.2f}{e['bands_worst']:8.2f}{e['modulation_worst']:8.2f}{e['crest']:8.2f}"
    )


def digits(data: Path) -> None:
    """Print how well a classifier of spoken digits knows the digits, and the twins of what somebody could give to learn from."""
    takes = Takes(data / "speech" / "fsdd")
    refused = sum(takes.learned([takes.read(d, s, 0)] * 15) is None for d in range(10) for s in SPEAKERS)
    print(f"one digit over and over: {refused} of {10 * len(SPEAKERS)} refused")
    real = [(d, takes.read(d, s, take)) for d in range(10) for s in SPEAKERS for take in range(10)]
    words, rows = takes.word_twins(), takes.row_twins()
    for name, features in (
        ("third octaves alone", _thirds),
        ("cepstra", _cepstra),
        ("cepstra less their mean over time", _moving),
    ):
        model, x = _model(), np.array([features(y) for _, y in real])
        labels = [d for d, _ in real]
        known = cross_val_score(_model(), x, labels, cv=5).mean()
        model.fit(x, labels)
        found = [
            np.mean(model.predict(np.array([features(y) for _, y in made])) == [d for d, _ in made])
            for made in (words, rows)
        ]
        print(
            f"digits, {name}: {known:.2f} known; of twins of one word in twenty takes {found[0]:.2f} of {len(words)}, "
            f"of twins of digits in a row {found[1]:.2f} of {len(rows)} (chance 0.10)"
        )  # fmt: skip


class Takes:
    """Spoken digits, and twins of them."""

    def __init__(self, folder: Path) -> None:
        self.paths = {path.name: path for path in folder.rglob("*.wav")}

    def read(self, digit: int, speaker: str, take: int) -> np.ndarray:
        """Return one take without an offset."""
        y, sr = soundfile.read(self.paths[f"{digit}_{speaker}_{take}.wav"])
        assert sr == DIGITS_SR
        return y - y.mean()

    def learned(self, parts: list[np.ndarray]) -> Profile | None:
        """Return the profile of sounds one after the other; None if there is none to learn."""
        try:
            return profile_fit.learn([(np.concatenate(parts)[None], DIGITS_SR, "digits")], description="digits").profile
        except LearnError:
            return None

    def word_twins(self) -> list[tuple[int, np.ndarray]]:
        """Return ten stretches of the twin of twenty takes of each digit by each speaker, as long as takes are."""
        out = []
        for digit in range(10):
            for speaker in SPEAKERS:
                parts = [self.read(digit, speaker, take) for take in range(10, 30)]
                profile = self.learned(parts)
                if profile is not None:
                    out += [(digit, _noise(profile, 8 * DIGITS_SR * i, len(part))) for i, part in enumerate(parts[:10])]
        return out

    def row_twins(self) -> list[tuple[int, np.ndarray]]:
        """Return the twins of rows of thirty digits, cut where the digits were said."""
        out = []
        for speaker in SPEAKERS:
            for row in range(2):
                order = np.argsort(uniform_at(row, start=0, n_samples=30, stream=speaker))
                said = [(int(i) % 10, self.read(int(i) % 10, speaker, 10 + 3 * row + int(i) // 10)) for i in order]
                profile, start = self.learned([y for _, y in said]), 0
                for digit, y in said if profile is not None else []:
                    out.append((digit, _noise(profile, start, len(y))))
                    start += len(y)
        return out


def _noise(profile: Profile, start: int, n_samples: int) -> np.ndarray:
    return profile_sound.render(profile, seed=SEED, sr=DIGITS_SR, channel=0, start=start, n_samples=n_samples)


def _model() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def _thirds(y: np.ndarray) -> np.ndarray:
    """Return the levels in third octaves of the whole, which a twin must keep within 1 dB."""
    return np.array([level for f, level in profile_stats.measure(y, DIGITS_SR).bands if f >= 100.0])


def _cepstra(y: np.ndarray) -> np.ndarray:
    import librosa

    m = librosa.feature.mfcc(y=y.astype(np.float64), sr=DIGITS_SR, n_mfcc=13, n_fft=256, hop_length=128)
    return np.concatenate([c.mean(axis=1) for c in np.array_split(m, 6, axis=1)])


def _moving(y: np.ndarray) -> np.ndarray:
    """Return cepstra without their mean over time, as recognisers take them: what a channel or a voice adds is gone."""
    parts = _cepstra(y).reshape(6, -1)
    return (parts - parts.mean(axis=0)).ravel()


def speed() -> None:
    """Print how many times faster than real time profiles are made, and the memory of an hour in blocks."""
    for name in (*sorted(set(shipped_profiles()) & {"cafe", "office", "sea_shore", "speech_shaped"}), "hum_50"):
        profile = read_profile(profile_path(name, None))
        times = []
        for _ in range(4):
            start = time.perf_counter()
            profile_sound.render(profile, seed=1, sr=44_100, channel=0, start=0, n_samples=44_100 * 30)
            times.append(time.perf_counter() - start)
        print(f"{name:16} {30 / np.median(times[1:]):6.0f} times faster than real time")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cafe = read_profile(profile_path("cafe", None))
    for start in range(0, 44_100 * 3600, 44_100 * 10):
        if start % (44_100 * 360) == 0:
            profile_sound.render(cafe, seed=1, sr=44_100, channel=0, start=start, n_samples=44_100 * 10)
    print(
        f"an hour in blocks of 10 s: {(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:.0f} MB more"
    )


def slopes() -> None:
    """Print how far colours are off their slope in dB per octave."""
    for name, exponent in colour.COLOURS.items():
        y = Coloured(colour=name, seed=1).render(RenderContext(sr=44_100), start=0, n_samples=44_100 * 120)[0]
        bands = [
            (f, level - 10 * np.log10(f)) for f, level in profile_stats.measure(y, 44_100).bands if 80 <= f <= 16_000
        ]
        slope = np.polyfit(np.log2([f for f, _ in bands]), [level for _, level in bands], 1)[0]
        print(f"{name:8} {slope:6.2f} dB/octave, asked for {exponent * colour.DB_PER_EXPONENT:6.2f}")


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--digits", action="store_true", help="the digits too, some minutes")
    options = parser.parse_args()
    print(f"{'recording':28}{'median':>8}{'worst':>8}{'modul.':>8}{'crest':>8}   dB; targets 1, 2, 2, 2")
    for path in sounds(options.data):
        compare(path)
    speed()
    slopes()
    if options.digits:
        digits(options.data)


if __name__ == "__main__":
    main()
