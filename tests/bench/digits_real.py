"""Whether a classifier that never heard a human can tell the ten digits that humans say.

Trains on clips of `recipes/spoken_digits_synthetic.yaml` alone and tests on the Free Spoken Digit Dataset, beside the same
classifier trained on the human digits of the other speakers. Recipe and classifier were chosen on the speakers `TUNED`; the
speakers `REPORTED` are for the report.

    python tests/bench/digits_real.py --data DATA              # the speakers for tuning
    python tests/bench/digits_real.py --data DATA --report     # the others, once
    python tests/bench/digits_real.py --data DATA --ablate     # what variants, vocal tracts, rooms and noise bring

DATA is a folder that holds speech/fsdd; scikit-learn comes with librosa. On a machine that does other
work too set OMP_NUM_THREADS=1: threads that wait for each other make small networks many times slower.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from word_states import WordStates

ROOT = Path(__file__).parents[2]
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TUNED, REPORTED = ("jackson", "nicolas"), ("theo", "yweweler")
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
    more = [word for item in (f"clips={{train: {n_clips}, test: 0}}", *sets) for word in ("--set", item)]
    subprocess.run([*command, "-o", str(folder), *more], check=True)
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["split"] == "train"]
    return [soundfile.read(folder / row["path"])[0] for row in rows], [
        WORDS.index(row["labels"][0]["label"]) for row in rows
    ]


def trained(words: list[np.ndarray], digits: list[int]) -> WordStates:
    """Return a classifier that heard these words."""
    return WordStates(len(WORDS)).fit(words, digits)


def right(model: WordStates, words: list[np.ndarray], digits: list[int]) -> np.ndarray:
    """Return which words a classifier recognises."""
    return model.predict(words) == np.array(digits)


def per_digit(hits: np.ndarray, truth: np.ndarray) -> str:
    """Return the accuracy of each digit as a text."""
    return " ".join(f"{d}:{hits[truth == d].mean():.2f}" for d in range(len(WORDS)))


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
    everybody = {speaker: human(options.data, speaker) for speaker in (*TUNED, *REPORTED)}

    def hits(sets: list[str]) -> dict[str, np.ndarray]:
        with tempfile.TemporaryDirectory() as folder:
            model = trained(*synthetic(options.clips, Path(folder), sets))
        return {speaker: right(model, *everybody[speaker]) for speaker in speakers}

    truth = np.concatenate([everybody[speaker][1] for speaker in speakers])
    print(f"speakers {', '.join(speakers)}; {options.clips} synthetic clips; chance 0.10")
    found = hits(options.set)
    together = np.concatenate(list(found.values()))
    print(f"synthetic only     {together.mean():.3f}   " + ", ".join(f"{s} {found[s].mean():.3f}" for s in speakers))
    print(f"per digit          {per_digit(together, truth)}", flush=True)
    scores = {}
    for speaker in speakers:
        others = [everybody[other] for other in everybody if other != speaker]
        model = trained([y for words, _ in others for y in words], [d for _, digits in others for d in digits])
        scores[speaker] = float(right(model, *everybody[speaker]).mean())
    humans = float(np.mean(list(scores.values())))
    print(f"three other humans {humans:.3f}   " + ", ".join(f"{s} {a:.3f}" for s, a in scores.items()))
    print(f"ratio              {together.mean() / humans:.3f}", flush=True)
    if options.ablate:
        for name, sets in ABLATIONS.items():
            without = np.concatenate(list(hits([*options.set, *sets]).values()))
            print(f"{name:18} {without.mean():.3f}   {per_digit(without, truth)}", flush=True)


if __name__ == "__main__":
    main()
