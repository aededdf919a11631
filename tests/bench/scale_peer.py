"""pyroomacoustics' side of scale.py, run by a Python that has it: a clip in a fresh room for every line on its input.

    PEER/bin/python tests/bench/scale_peer.py FOLDER     # prints the seconds of processor time of each clip

A shoebox of drawn size, source and microphone, RT60 0.6 s by `inverse_sabine` (all its orders), the response convolved with an
utterance of 1 s, noise, 16-bit WAV: the same work as the recipe.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pyroomacoustics as pra
import soundfile
from scipy.signal import fftconvolve

pra.constants.set("num_threads", 1)


def clip(i: int, words: list[np.ndarray], sr: int, out: Path) -> None:
    """Make clip `i`."""
    dice = np.random.default_rng(i)
    size = dice.uniform([4, 3, 2.4], [8, 6, 3.5])
    alpha, order = pra.inverse_sabine(0.6, size)
    room = pra.ShoeBox(size, fs=sr, materials=pra.Material(alpha), max_order=order)
    room.add_source(dice.uniform(0.5, size - 0.5))
    room.add_microphone(dice.uniform(0.5, size - 0.5))
    room.compute_rir()
    y = words[i % len(words)]
    heard = fftconvolve(y, room.rir[0][0])[: y.size]
    heard = heard * (0.05 / np.sqrt(np.mean(heard**2))) + 0.01 * dice.standard_normal(y.size)
    soundfile.write(out, np.rint(heard * 32767).clip(-32768, 32767).astype(np.int16), sr, subtype="PCM_16")


def main() -> None:
    """Make one clip for each line that comes in."""
    folder = Path(sys.argv[1])
    words, sr = [], 16_000
    for path in sorted((folder / "words").glob("*.wav")):
        y, sr = soundfile.read(path)
        words.append(y)
    for i, _ in enumerate(sys.stdin):
        start = time.process_time()
        clip(i, words, sr, folder / "peer.wav")
        print(time.process_time() - start, flush=True)


if __name__ == "__main__":
    main()
