"""The peer's side of `augment_speed.py`: audiomentations in a Python of its own, one clip for every line on its input.

    PEER/bin/python tests/bench/augment_peer.py FOLDER KIND     # prints the seconds of processor time of each clip

Reads an utterance with soundfile, applies the transforms, writes 16 bits with soundfile, each clip to a file of its own. It keeps
decoded impulse responses, and reads of a noise the stretch that it uses (0.43 has no cache of noises).
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import numpy as np
import soundfile
from audiomentations import AddBackgroundNoise, ApplyImpulseResponse, Compose, Gain, PitchShift, TimeStretch


def transforms(kind: str, folder: Path) -> Compose:
    """Return what is done to each utterance."""
    if kind.startswith("pitch"):
        return Compose([PitchShift(min_semitones=-4, max_semitones=4, p=1.0)])
    if kind.startswith("stretch"):
        return Compose([TimeStretch(min_rate=0.8, max_rate=1.25, leave_length_unchanged=True, p=1.0)])
    return Compose(
        [
            ApplyImpulseResponse(ir_path=str(folder / "rirs"), leave_length_unchanged=True, p=1.0),
            AddBackgroundNoise(str(folder / "noises"), min_snr_db=0, max_snr_db=20, p=1.0),
            Gain(min_gain_db=-12, max_gain_db=0, p=1.0),
        ]
    )


def main() -> None:
    """Make one clip for each line that comes in."""
    warnings.simplefilter("ignore")
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    utterances = sorted((folder / ("long" if kind.endswith("10") else "short")).glob("*.wav"))
    augment, out = transforms(kind, folder), folder / "peer"
    out.mkdir(exist_ok=True)
    for i, _ in enumerate(sys.stdin):
        start = time.process_time()
        y, sr = soundfile.read(utterances[i % len(utterances)], dtype="float32")
        heard = np.clip(augment(samples=y, sample_rate=sr), -1.0, 1.0)
        soundfile.write(out / f"{i:05d}.wav", heard, sr, subtype="PCM_16")
        print(time.process_time() - start, flush=True)


if __name__ == "__main__":
    main()
