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
SR, N_FFT, HOP, N_MELS, N_MFCC, STEPS = 8000, 256, 80, 32, 8, 16
ENDPOINT_DB = -32.0
N_JITTERED, MISSED_START, MISSED_END = 4, (-0.1, 0.2), (-0.25, 0.15)  # endpoints that missed, in lengths of the word
ABLATIONS = {
    "one variant": ["voices.cast.variant=f1"],
    "one vocal tract": ["voices.cast.vocal_tract=1.0"],
    "plain timbre": ["voices.cast.tilt_db=0.0", "voices.cast.bandwidth=1.0"],
    "no rooms": ["events[0].room={type: none}"],
    "no noise": ["events[0].snr_db=60"],
    "one accent": ["voices.cast.language=en-us"],
    "one pitch": ["voices.cast.pitch=0.0"],
    "full consonants": ["voices.cast.consonants=1.0"],
}


def log_mel(y: np.ndarray) -> np.ndarray:
    """Return the log-mel spectrogram (n_mels, n_frames), not below -60 dB re its loudest cell."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=y / (np.abs(y).max() + 1e-9), sr=SR, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS, fmin=80, fmax=3600
    )
    s = 10.0 * np.log10(power + 1e-10)
    return np.maximum(s, s.max() - 60.0)


def features(s: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return cepstra and their changes at evenly spaced times of a stretch, the mean cepstrum taken out."""
    import scipy.fft

    first, last = max(0, first), min(s.shape[1], max(last, first + 6))
    c = scipy.fft.dct(s[:, first:last], axis=0, norm="ortho")[:N_MFCC]
    c = c - c.mean(axis=1, keepdims=True)
    c = c / (c.std(axis=1, keepdims=True) + 1.0)
    at = np.linspace(0, c.shape[1] - 1, STEPS)
    c = np.stack([np.interp(at, np.arange(c.shape[1]), row) for row in c])
    return np.concatenate([c.ravel(), np.gradient(c, axis=1).ravel(), [np.log(last - first)]])


def described(words: list[np.ndarray], n_jittered: int) -> list[list[np.ndarray]]:
    """Return the features of each word: between its endpoints, and for training also between some that missed."""
    rng = np.random.default_rng(0)
    out = []
    for y in words:
        s = log_mel(y)
        loud = s.max(axis=0)
        active = np.flatnonzero(loud > loud.max() + ENDPOINT_DB)
        a, b = int(active[0]), int(active[-1]) + 1
        found = [features(s, a, b)]
        for _ in range(n_jittered):
            early, late = rng.uniform(*MISSED_START), rng.uniform(*MISSED_END)
            found.append(features(s, a + int(early * (b - a)), b + int(late * (b - a))))
        out.append(found)
    return out


def human(data: Path, speaker: str) -> tuple[list[np.ndarray], list[int]]:
    """Return sounds and digits of a speaker."""
    import soundfile

    paths = sorted((data / "speech" / "fsdd").glob(f"*_{speaker}_*.wav"))
    return [soundfile.read(path)[0] for path in paths], [int(path.name[0]) for path in paths]


def synthetic(n_clips: int, folder: Path, sets: list[str]) -> tuple[list[np.ndarray], list[int]]:
    """Build the recipe and return sounds and digits of its clips."""
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
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["split"] == "train"]
    return [soundfile.read(folder / row["path"])[0] for row in rows], [
        WORDS.index(row["labels"][0]["label"]) for row in rows
    ]


def trained(words: list[np.ndarray], digits: list[int]):
    """Return a classifier that heard these words."""
    found = described(words, N_JITTERED)
    x = np.array([one for some in found for one in some])
    return classifier().fit(x, np.repeat(digits, N_JITTERED + 1))


def right(model, words: list[np.ndarray], digits: list[int]) -> np.ndarray:
    """Return which words a classifier recognises."""
    return model.predict(np.array([some[0] for some in described(words, 0)])) == np.array(digits)


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
    parser.add_argument("--clips", type=int, default=6000)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    speakers = REPORTED if options.report else TUNED
    everybody = {speaker: human(options.data, speaker) for speaker in (*TUNED, *REPORTED)}

    def hits(sets: list[str]) -> dict[str, np.ndarray]:
        with tempfile.TemporaryDirectory() as folder:
            model = trained(*synthetic(options.clips, Path(folder), sets))
        return {speaker: right(model, *everybody[speaker]) for speaker in speakers}

    print(f"speakers {', '.join(speakers)}; {options.clips} synthetic clips; chance 0.10")
    found = hits(options.set)
    whole = float(np.mean(np.concatenate(list(found.values()))))
    truth = np.concatenate([everybody[speaker][1] for speaker in speakers])
    per_digit = [np.concatenate(list(found.values()))[truth == d].mean() for d in range(10)]
    scores = {}
    for speaker in speakers:
        others = [everybody[other] for other in everybody if other != speaker]
        model = trained([y for words, _ in others for y in words], [d for _, digits in others for d in digits])
        scores[speaker] = float(right(model, *everybody[speaker]).mean())
    humans = float(np.mean(list(scores.values())))
    print(f"synthetic only     {whole:.3f}   " + ", ".join(f"{s} {found[s].mean():.3f}" for s in speakers))
    print("per digit          " + " ".join(f"{d}:{a:.2f}" for d, a in enumerate(per_digit)))
    print(f"three other humans {humans:.3f}   " + ", ".join(f"{s} {a:.3f}" for s, a in scores.items()))
    print(f"ratio              {whole / humans:.3f}", flush=True)
    if options.ablate:
        for name, sets in ABLATIONS.items():
            without = np.mean(np.concatenate(list(hits([*options.set, *sets]).values())))
            print(f"{name:18} {without:.3f}", flush=True)


if __name__ == "__main__":
    main()
