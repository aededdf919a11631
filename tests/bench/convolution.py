"""What a convolution with a response takes, beside a library's transforms, and how far apart they are: one core, turn by turn.

    taskset -c 0 python tests/bench/convolution.py

Sounds of 1 and 10 s with responses of 0.5 s, as rooms convolve them: the response's spectrum is there already. Ours in compiled
loops and in NumPy's passes; `scipy.fft` with the next fast length, as was used before. Medians of processor time.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import scipy.fft

sys.path.insert(0, str(Path(__file__).parents[1]))
from audiosynth.building.memory import keep_freed_memory
from audiosynth.sound import convolving

CASES = ((1.0, 16_000), (10.0, 16_000), (10.0, 44_100))
"""Seconds of sound, and rate."""
TAPS = 0.5
ROUNDS = 60


def timed(task: Callable[[], object]) -> float:
    """Return the seconds of processor time of a task."""
    start = time.process_time()
    task()
    return time.process_time() - start


def compare(seconds: float, sr: int) -> str:
    """Return the line of one case."""
    dice = np.random.default_rng(1)
    y, h = dice.standard_normal((1, round(seconds * sr))), dice.standard_normal((1, round(TAPS * sr)))
    n = y.shape[1] + h.shape[1] - 1
    size = scipy.fft.next_fast_len(n, real=True)
    mine, theirs = convolving.spectrum(h, n), scipy.fft.rfft(h, size)

    def plain() -> np.ndarray:
        with patch.object(convolving, "kernel", lambda: None):
            return convolving.convolve(y, mine, n_samples=n)

    ways = {
        "ours": lambda: convolving.convolve(y, mine, n_samples=n),
        "scipy.fft": lambda: scipy.fft.irfft(scipy.fft.rfft(y, size) * theirs, size)[:, :n],
        "NumPy's passes": plain,
    }
    made = [way() for way in ways.values()]
    if made[0].tobytes() != made[2].tobytes():
        raise RuntimeError("the compiled loops and NumPy's passes give different bits")
    times = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            times[name].append(timed(way))
    ms = {name: 1e3 * statistics.median(found) for name, found in times.items()}
    apart = np.abs(made[0] - made[1]).max() / np.abs(made[1]).max()
    told = ", ".join(f"{name} {value:.3f} ms" for name, value in ms.items())
    return f"{seconds:g} s at {sr} Hz: {told}; {ms['scipy.fft'] / ms['ours']:.1f} times as fast; {apart:.1e} of the peak apart"


def main() -> None:
    """Print the table."""
    keep_freed_memory()
    if not convolving.load_kernel():
        raise SystemExit("numba cannot be loaded here")
    for case in CASES:
        print(compare(*case), flush=True)


if __name__ == "__main__":
    main()
