"""Whether a classifier that never heard a human can tell the ten digits that humans say.

Trains on clips of `recipes/spoken_digits_synthetic.yaml` alone and tests on the Free Spoken Digit Dataset, beside the same
classifier trained on the human digits of the other speakers. Recipe and classifier were chosen on the speakers `TUNED`; the
speakers `REPORTED` are for the report.

    python tests/bench/digits_real.py --data DATA              # the speakers for tuning
    python tests/bench/digits_real.py --data DATA --report     # the others, once
    python tests/bench/digits_real.py --data DATA --ablate     # what variants, vocal tracts, rooms and noise bring

DATA is a folder that holds speech/fsdd; scikit-learn comes with librosa.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TUNED, REPORTED = ("jackson", "nicolas"), ("theo", "yweweler")
SR, N_FFT, HOP, N_MELS, N_MFCC, STEPS = 8000, 256, 80, 32, 10, 32
ENDPOINT_DB = -32.0
ABLATIONS = {
    "one variant": ["voices.cast.variant=f1"],
    "one vocal tract": ["voices.cast.vocal_tract=1.0"],
    "plain timbre": ["voices.cast.tilt_db=0.0", "voices.cast.bandwidth=1.0"],
    "no rooms": ["events[0].room={type: none}"],
    "no noise": ["events[0].snr_db=60"],
    "one accent": ["voices.cast.language=en-us"],
    "one pitch": ["voices.cast.pitch=0.0"],
}


def features(y: np.ndarray) -> np.ndarray:
    """Return cepstra and their changes over the endpointed word, at evenly spaced times, its mean cepstrum taken out."""
    import librosa
    import scipy.fft

    power = librosa.feature.melspectrogram(
        y=y / (np.abs(y).max() + 1e-9), sr=SR, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS, fmin=80, fmax=3600
    )
    s = 10.0 * np.log10(power + 1e-10)
    s = np.maximum(s, s.max() - 60.0)
    loud = s.max(axis=0)
    active = np.flatnonzero(loud > loud.max() + ENDPOINT_DB)
    s = s[:, active[0] : active[-1] + 1]
    c = scipy.fft.dct(s, axis=0, norm="ortho")[:N_MFCC]
    c = c - c.mean(axis=1, keepdims=True)
    c = c / (c.std(axis=1, keepdims=True) + 1.0)
    at = np.linspace(0, c.shape[1] - 1, STEPS)
    c = np.stack([np.interp(at, np.arange(c.shape[1]), row) for row in c])
    d = np.gradient(c, axis=1) * 4.0
    return np.concatenate([c.ravel(), d.ravel(), [0.5 * np.log(len(active))]])


def human(data: Path, speakers: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return features and digits of some speakers."""
    import soundfile

    x, digits = [], []
    for speaker in speakers:
        for path in sorted((data / "speech" / "fsdd").glob(f"*_{speaker}_*.wav")):
            x.append(features(soundfile.read(path)[0]))
            digits.append(int(path.name[0]))
    return np.array(x), np.array(digits)


def synthetic(n_clips: int, folder: Path, sets: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Build the recipe and return features and digits of its clips."""
    import soundfile

    command = [
        sys.executable,
        "-m",
        "audiosynth",
        "build",
        str(ROOT / "recipes" / "spoken_digits_synthetic.yaml"),
        "-q",
    ]
    more = [word for item in sets for word in ("--set", item)]
    subprocess.run([*command, "--clips", str(n_clips), "-o", str(folder), *more], check=True)
    x, digits = [], []
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["split"] == "train":
            x.append(features(soundfile.read(folder / row["path"])[0]))
            digits.append(WORDS.index(row["labels"][0]["label"]))
    return np.array(x), np.array(digits)


def classifier():
    """Return the classifier all sides use."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC(C=10.0, gamma="scale"))


def main() -> None:
    """Print accuracies, per digit too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=3000)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    speakers = REPORTED if options.report else TUNED
    tests = {speaker: human(options.data, (speaker,)) for speaker in speakers}
    everybody = {speaker: human(options.data, (speaker,)) for speaker in (*TUNED, *REPORTED)}

    def accuracy(sets: list[str]) -> tuple[float, list[float], dict[str, float]]:
        with tempfile.TemporaryDirectory() as folder:
            x, digits = synthetic(options.clips, Path(folder), sets)
        model = classifier().fit(x, digits)
        said = {speaker: model.predict(xs) for speaker, (xs, _) in tests.items()}
        right = np.concatenate([said[s] == ys for s, (_, ys) in tests.items()])
        truth = np.concatenate([ys for _, ys in tests.values()])
        return (
            right.mean(),
            [right[truth == d].mean() for d in range(10)],
            {s: (said[s] == ys).mean() for s, (_, ys) in tests.items()},
        )

    print(f"speakers {', '.join(speakers)}; {options.clips} synthetic clips; chance 0.10")
    whole, per_digit, per_speaker = accuracy(options.set)
    scores = []
    for speaker, (xs, ys) in tests.items():
        others = [everybody[s] for s in everybody if s != speaker]
        model = classifier().fit(np.concatenate([x for x, _ in others]), np.concatenate([y for _, y in others]))
        scores.append((model.predict(xs) == ys).mean())
    human_score = float(np.mean(scores))
    print(f"synthetic only     {whole:.3f}   per speaker " + ", ".join(f"{s} {a:.3f}" for s, a in per_speaker.items()))
    print("per digit          " + " ".join(f"{d}:{a:.2f}" for d, a in enumerate(per_digit)))
    print(
        f"three human others {human_score:.3f}   per speaker "
        + ", ".join(f"{s} {a:.3f}" for s, a in zip(tests, scores, strict=True))
    )
    print(f"ratio              {whole / human_score:.3f}")
    if options.ablate:
        for name, sets in ABLATIONS.items():
            print(f"{name:18} {accuracy([*options.set, *sets])[0]:.3f}")


if __name__ == "__main__":
    main()
