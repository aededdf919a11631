"""'seven' as a wake word that no human said in training: misses and false accepts an hour on human speech.

Trains on `recipes/wake_word.yaml` with the phrase 'seven' alone and listens to streams of the Free Spoken Digit Dataset (the
sevens to be found; the other nine digits and everything else not to be), LibriSpeech, ARCTIC and meetings.

    python tests/bench/wake_word_real.py --data DATA

DATA is a folder that holds speech/{fsdd,librispeech,arctic,meetings}; scikit-learn comes with librosa.
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
SR, N_FFT, HOP, N_MELS, FMAX = 8000, 256, 80, 24, 3600
WINDOW, STRIDE = 80, 5  # frames of 10 ms: what one decision hears, and how often there is one
POOL = 4  # frames averaged
GAP = 0.6  # seconds between digits of the stream
TOLERANCE = 0.75  # seconds after the end of a seven in which it may be found
REFRACTORY = 1.0  # seconds in which one accept counts once
TARGETS = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)


def log_mel(y: np.ndarray, sr: int) -> np.ndarray:
    """Return the log-mel spectrogram (n_mels, n_frames) of the telephone band."""
    import librosa

    if sr != SR:
        y = librosa.resample(y, orig_sr=sr, target_sr=SR)
    power = librosa.feature.melspectrogram(
        y=y, sr=SR, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS, fmin=100, fmax=FMAX, center=False
    )
    return 10.0 * np.log10(power + 1e-10)


def windows(s: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return features of windows that begin at frames: pooled over time, held above their own floor, mean taken out."""
    pieces = np.stack([s[:, a : a + WINDOW] for a in starts])
    pieces = np.maximum(pieces, pieces.max(axis=(1, 2), keepdims=True) - 45.0)
    pieces = pieces.reshape(len(pieces), N_MELS, WINDOW // POOL, POOL).mean(axis=3)
    pieces = pieces - pieces.mean(axis=2, keepdims=True)
    return (pieces / 10.0).reshape(len(pieces), -1)


def training(folder: Path, clips: int) -> tuple[np.ndarray, np.ndarray]:
    """Build the recipe and return windows and whether the phrase ends in them."""
    import soundfile

    command = [
        sys.executable,
        "-m",
        "audiosynth",
        "build",
        str(ROOT / "recipes" / "wake_word.yaml"),
        "-q",
        "-o",
        str(folder),
    ]
    sets = [
        "let.phrase=seven", "negatives.near.of=[seven]", "negatives.other.of=[seven]",
        "negatives.near.kinds=[alike, prefix, partial]", "voices.cast.language=en-us",
        f"clips={{train: {clips}, validation: 0, test: 0, ambient: {clips // 60}, testing_ambient: 0, stream: 0}}",
        "export=[]",
    ]  # fmt: skip
    subprocess.run([*command, *(word for item in sets for word in ("--set", item))], check=True)
    x, positive = [], []
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        y, sr = soundfile.read(folder / row["path"])
        s = log_mel(y, sr)
        ends = [round(label["offset"] * 100) for label in row["labels"] if label["label"] == "seven"]
        last = s.shape[1] - WINDOW
        wanted = {min(last, max(0, end + late - WINDOW)) for end in ends for late in (0, 4, 8, 12)}
        others = range(0, last, 15 if row["split"] == "train" else 40)
        far = [a for a in others if all(abs(a + WINDOW - end - 6) > 20 for end in ends)]
        starts = np.array(sorted(wanted) + far, dtype=int)
        x.append(windows(s, starts))
        positive += [a in wanted for a in starts]
    return np.concatenate(x), np.array(positive)


def digit_stream(folder: Path) -> tuple[np.ndarray, list[float]]:
    """Return all human digits in a row, a little noise under them, and when the sevens end."""
    import soundfile

    rng = np.random.default_rng(1)
    pieces, ends, at = [], [], 0
    paths = sorted(folder.glob("*.wav"))
    for i in rng.permutation(len(paths)):
        y, sr = soundfile.read(paths[i])
        y = np.concatenate([0.1 * y / np.sqrt(np.mean(y**2)), np.zeros(int(GAP * sr))])
        if paths[i].name.startswith("7"):
            ends.append((at + len(y)) / sr - GAP)
        pieces.append(y)
        at += len(y)
    y = np.concatenate(pieces)
    return y + 0.001 * rng.standard_normal(len(y)), ends


def scores(model, y: np.ndarray, sr: int) -> np.ndarray:
    """Return the score of the window that ends at each stride."""
    s = log_mel(y, sr)
    starts = np.arange(0, s.shape[1] - WINDOW, STRIDE)
    found = [
        model.predict_proba(windows(s, part))[:, 1] for part in np.array_split(starts, max(1, len(starts) // 2000))
    ]
    p = np.concatenate(found)
    return np.convolve(np.log(p + 1e-9) - np.log(1 - p + 1e-9), np.ones(2) / 2, mode="same")


def accepts(score: np.ndarray, threshold: float) -> list[float]:
    """Return when, in seconds, the score passes a threshold, once in each refractory time."""
    out: list[float] = []
    for i in np.flatnonzero(score > threshold):
        t = (i * STRIDE + WINDOW) / 100.0
        if not out or t - out[-1] > REFRACTORY:
            out.append(t)
    return out


def main() -> None:
    """Print the trade-off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=6000)
    options = parser.parse_args()
    import soundfile
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    with tempfile.TemporaryDirectory() as folder:
        x, positive = training(Path(folder), options.clips)
    print(f"trained on {positive.sum()} windows of synthetic sevens and {np.sum(~positive)} others")
    network = MLPClassifier((128, 64), alpha=1e-3, early_stopping=True, max_iter=60, random_state=0)
    model = make_pipeline(StandardScaler(), network).fit(x, positive)
    stream, ends = digit_stream(options.data / "speech" / "fsdd")
    heard = scores(model, stream, SR)
    speech = options.data / "speech"
    others = {}
    for name in ("librispeech", "arctic", "meetings"):
        files = sorted(p for p in (speech / name).rglob("*") if p.suffix in (".wav", ".flac"))
        read = [soundfile.read(p, always_2d=True) for p in files]
        others[name] = (
            [scores(model, y.mean(axis=1), sr) for y, sr in read if len(y) > 1.5 * sr],
            sum(len(y) / sr for y, sr in read) / 3600,
        )
    hours = sum(h for _, h in others.values()) + len(stream) / SR / 3600
    print(
        f"{len(ends)} human sevens; {hours:.2f} h in all: digits {len(stream) / SR / 3600:.2f} h, "
        + ", ".join(f"{n} {h:.2f} h" for n, (_, h) in others.items())
    )
    table = []
    for threshold in np.linspace(-6, 20, 261):
        said = accepts(heard, threshold)
        hit = sum(any(-0.3 <= t - end <= TOLERANCE for t in said) for end in ends)
        false = {"digits": sum(not any(-0.3 <= t - end <= TOLERANCE for end in ends) for t in said)}
        false.update({n: sum(len(accepts(s, threshold)) for s in some) for n, (some, _) in others.items()})
        table.append((sum(false.values()) / hours, 1 - hit / len(ends), threshold, false))
    print("false accepts/h   misses   threshold   where the false accepts are")
    for target in TARGETS:
        fit = [row for row in table if row[0] <= target]
        if not fit:
            continue
        rate, misses, threshold, false = min(fit, key=lambda row: row[1])
        print(
            f"{rate:8.1f} (<= {target:g}) {misses:7.1%} {threshold:9.1f}   "
            + ", ".join(f"{n} {k}" for n, k in false.items())
        )


if __name__ == "__main__":
    main()
