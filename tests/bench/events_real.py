"""Whether a classifier that never heard a recording can tell ten kinds of real sounds.

Trains a classifier on clips of `recipes/events_from_nothing.yaml` alone and tests it on ESC-10 (folds 1 to 3), beside the same
classifier trained on real clips. Everything was tuned on fold 1; folds 2 and 3 are for the report.

    python tests/bench/events_real.py --data DATA            # fold 1, for tuning
    python tests/bench/events_real.py --data DATA --report   # folds 2 and 3

DATA is a folder that holds events/esc10; scikit-learn comes with librosa.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
CLASSES = (
    "dog_bark", "rain", "sea_waves", "baby_cry", "clock_tick", "sneeze", "helicopter", "chainsaw", "rooster", "fire_crackle",
)  # fmt: skip
SR, SECONDS, N_MELS, HOP = 22_050, 5.0, 64, 512
FLOOR_DB = -60.0


def log_mel(y: np.ndarray) -> np.ndarray:
    """Return the log-mel spectrogram (n_mels, n_frames) re the clip's loudest cell, not below -60 dB."""
    import librosa

    y = librosa.util.fix_length(y, size=int(SECONDS * SR))
    power = librosa.feature.melspectrogram(y=y, sr=SR, n_fft=1024, hop_length=HOP, n_mels=N_MELS, fmin=50, fmax=10_000)
    return np.maximum(librosa.power_to_db(power + 1e-12, ref=np.max(power) + 1e-12), FLOOR_DB)


def features(y: np.ndarray) -> np.ndarray:
    """Return statistics over time of the log-mel bands, of their changes, and of the loudness."""
    s = log_mel(y)
    # the loud part of the clip says what it is: statistics over frames within 25 dB of the loudest, and over all
    loud = s.max(axis=0)
    active = s[:, loud >= loud.max() - 25.0]
    flat = active - active.mean(axis=0, keepdims=True)
    d = np.diff(s, axis=1)
    envelope = 10.0 * np.log10(np.mean(10.0 ** (s / 10.0), axis=0))
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean())) / len(envelope)
    edges = np.geomspace(1, len(spectrum) - 1, 9).astype(int)
    modulation = [np.log(spectrum[a : b + 1].mean() + 1e-3) for a, b in pairwise(edges)]
    pooled = flat.reshape(16, -1, flat.shape[1]).mean(axis=1)
    return np.concatenate([
        flat.mean(axis=1), flat.std(axis=1), np.abs(d).reshape(16, 4, -1).mean(axis=(1, 2)), pooled.std(axis=1),
        np.percentile(envelope, [5, 25, 50, 75, 95]) - envelope.max(), [envelope.std(), active.shape[1] / s.shape[1]],
        np.percentile(np.diff(envelope), [1, 5, 25, 75, 95, 99]), modulation,
        np.abs(np.diff(flat, axis=0)).mean(axis=1).reshape(21, 3).mean(axis=1),
    ])  # fmt: skip


def real(data: Path, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features and labels of one fold of ESC-10."""
    import librosa

    x, labels = [], []
    for folder in sorted((data / "events" / "esc10").iterdir()):
        if folder.is_dir():
            for path in sorted(folder.glob(f"{fold}-*")):
                x.append(features(librosa.load(path, sr=SR)[0]))
                labels.append(int(folder.name[:3]) - 1)
    return np.array(x), np.array(labels)


def synthetic(n_clips: int, folder: Path, more: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Build the recipe and return features and labels of its clips."""
    import json

    import soundfile

    command = [sys.executable, "-m", "audiosynth", "build", str(ROOT / "recipes" / "events_from_nothing.yaml"), "-q"]
    subprocess.run([*command, "--clips", str(n_clips), "-o", str(folder), *more], check=True)
    x, labels = [], []
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        x.append(features(soundfile.read(folder / row["path"])[0]))
        labels.append(CLASSES.index(row["labels"][0]["label"]))
    return np.array(x), np.array(labels)


def classifier():
    """Return the classifier both sides use: a logistic regression and a forest that vote."""
    from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    forest = ExtraTreesClassifier(400, min_samples_leaf=2, random_state=0)
    return VotingClassifier([("linear", linear), ("forest", forest)], voting="soft")


def table(truth: np.ndarray, said: np.ndarray) -> None:
    """Print the confusion matrix."""
    print(f"{'':14}" + "".join(f"{name[:7]:>8}" for name in CLASSES))
    for i, name in enumerate(CLASSES):
        row = [int(np.sum((truth == i) & (said == j))) for j in range(len(CLASSES))]
        print(f"{name:14}" + "".join(f"{n or '.':>8}" for n in row))


def main() -> None:
    """Train on synthetic and on real clips, test on real ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=3000)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    folds = {k: real(options.data, k) for k in (1, 2, 3)}
    with tempfile.TemporaryDirectory() as folder:
        more = [word for item in options.set for word in ("--set", item)]
        x, labels = synthetic(options.clips, Path(folder) / "set", more)
    model = classifier().fit(x, labels)
    truth, said, scores = [], [], []
    for k in (2, 3) if options.report else (1,):
        rest = [f for f in folds if f != k]
        other = classifier().fit(
            np.concatenate([folds[f][0] for f in rest]), np.concatenate([folds[f][1] for f in rest])
        )
        ours, theirs = model.predict(folds[k][0]), other.predict(folds[k][0])
        scores.append((float(np.mean(ours == folds[k][1])), float(np.mean(theirs == folds[k][1]))))
        print(f"fold {k}: trained on nothing real {scores[-1][0]:.3f}, on the other folds {scores[-1][1]:.3f}")
        truth.append(folds[k][1])
        said.append(ours)
    table(np.concatenate(truth), np.concatenate(said))
    ours, theirs = np.mean(scores, axis=0)
    print(
        f"trained on nothing real {ours:.3f}; on real clips {theirs:.3f}; ratio {ours / theirs:.2f} (target 0.7; chance 0.1)"
    )


if __name__ == "__main__":
    main()
