"""The peer's side of `augment_digits.py`: audiomentations in a Python of its own, copies of every clip in a folder.

    PEER/bin/python tests/bench/augment_digits_peer.py IN OUT REPLICAS SEED     # OUT/{stem}-{k}.wav, k from 1

The transforms are those that need no recordings, with the probability of one half that they have by default. Ranges are the
defaults but for: SNRs of 0 to 20 dB (5 to 40), as the other side has; stretched words may change their length, as there; the
microphone may be up to 2 m away (0.35 m); rooms are images up to the 8th order, not the first and ray tracing, which takes 0.18 s
a clip where this takes 0.02 s (and 12 orders 0.9 s): their tails are short, which is to the peer's disadvantage.
RAYS=1 in the environment takes the default, slowly.
"""

from __future__ import annotations

import os
import random  # noqa: TID251 - what audiomentations draws from
import sys
import warnings
from pathlib import Path

import numpy as np
import soundfile
from audiomentations import (
    AddColorNoise,
    AddGaussianSNR,
    Compose,
    Gain,
    OneOf,
    PitchShift,
    RoomSimulator,
    SevenBandParametricEQ,
    TimeStretch,
)

SNR_DB = {"min_snr_db": 0.0, "max_snr_db": 20.0}
FARTHEST = 2.0
"""Metres from the mouth to the microphone; the smallest room is 3.6 m long."""
ROOM = {"use_ray_tracing": True} if os.environ.get("RAYS") else {"use_ray_tracing": False, "max_order": 8}


def transforms() -> Compose:
    """Return what is done to each utterance."""
    return Compose(
        [
            TimeStretch(leave_length_unchanged=False, p=0.5),
            PitchShift(p=0.5),
            SevenBandParametricEQ(p=0.5),
            RoomSimulator(max_mic_distance=FARTHEST, **ROOM, leave_length_unchanged=True, p=0.5),
            OneOf([AddGaussianSNR(**SNR_DB, p=1.0), AddColorNoise(**SNR_DB, p=1.0)], p=0.9),
            Gain(p=0.5),
        ]
    )


def main() -> None:
    """Write the copies."""
    warnings.simplefilter("ignore")
    source, out, replicas, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - what audiomentations draws from
    out.mkdir(parents=True)
    augment = transforms()
    for path in sorted(source.glob("*.wav")):
        y, sr = soundfile.read(path, dtype="float32")
        for k in range(1, replicas + 1):
            heard = augment(samples=y, sample_rate=sr)
            soundfile.write(
                out / f"{path.stem}-{k}.wav", heard / max(1.0, float(np.abs(heard).max())), sr, subtype="PCM_16"
            )


if __name__ == "__main__":
    main()
