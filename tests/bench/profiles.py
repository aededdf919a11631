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

from audiosynth import colour, profile_fit, profile_sound, profile_stats
from audiosynth.clip import RenderContext
from audiosynth.noises.coloured import Coloured
from audiosynth.profiles import profile_path, read_profile, shipped_profiles

SEED, SECONDS = 2, 60.0
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


def digits(data: Path, *, n_speakers: int = 4, n_takes: int = 10) -> None:
    """Print how well digits are recognised, and how well twins of them are."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folder = data / "speech" / "fsdd"
    speakers = sorted({p.name.split("_")[1] for p in folder.rglob("*.wav")})[:n_speakers]
    real, twins, labels = [], [], []
    for digit in range(10):
        for speaker in speakers:
            for take in range(n_takes):
                y, sr = soundfile.read(next(folder.rglob(f"{digit}_{speaker}_{take}.wav")))
                real.append(_features(y, sr))
                labels.append(digit)
                # a profile wants seconds of one noise: the digit over and over, which is more than anybody would give it
                long = np.tile(y - y.mean(), int(np.ceil(6.0 * sr / len(y))))[None]
                try:
                    profile = profile_fit.learn([(long, sr, "digit")], description="digit").profile
                except profile_fit.LearnError:
                    twins.append(None)
                    continue
                n = len(y)
                twins.append(
                    _features(profile_sound.render(profile, seed=SEED, sr=sr, channel=0, start=0, n_samples=n), sr)
                )
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    kept = [i for i, twin in enumerate(twins) if twin is not None]
    for name, prepared in (("as they are", lambda x: x), ("less the mean over time", _centred)):
        score = cross_val_score(model, prepared(np.array(real)), labels, cv=5).mean()
        found = model.fit(prepared(np.array(real)), labels).predict(prepared(np.array([twins[i] for i in kept])))
        right = np.mean(found == np.array(labels)[kept])
        print(
            f"digits, cepstra {name}: {score:.2f} recognised; of their twins {right:.2f} of {len(kept)} (chance 0.10)"
        )


def _centred(x: np.ndarray) -> np.ndarray:
    """Return cepstra without their mean over time, as recognisers take them: what a channel or a voice adds is gone."""
    parts = x.reshape(len(x), 6, -1)
    return (parts - parts.mean(axis=1, keepdims=True)).reshape(len(x), -1)


def _features(y: np.ndarray, sr: int) -> np.ndarray:
    import librosa

    m = librosa.feature.mfcc(y=y.astype(np.float64), sr=sr, n_mfcc=13, n_fft=256, hop_length=128)
    columns = np.array_split(m, 6, axis=1)
    return np.concatenate([c.mean(axis=1) for c in columns])


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
