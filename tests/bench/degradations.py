"""What a degradation costs here and in audiomentations 0.43.1: one core, the same machine, the same run, turn by turn.

    taskset -c 0 python tests/bench/degradations.py --peer ENV/bin/python     # an environment of its own with audiomentations 0.43.1
    python tests/bench/degradations.py                                        # ours alone

10 s at 16 kHz, mono. Medians of processor time, so that what else runs on the machine counts for neither; filters are designed
for every call where the peer does so too (ours are kept, so the parameters change from call to call). Ours is float64, the
peer float32. Where both have it the parameters are as near as their meanings allow; `degradations_peer.py` has them.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from audiosynth import registry
from audiosynth.clip import RenderContext

PEER = Path(__file__).with_name("degradations_peer.py")
SR, SECONDS = 16_000, 10
CASES: dict[str, dict[str, Any]] = {
    "loudness": {"type": "loudness", "target_lufs": -23.0},
    "normalise": {"type": "normalise"},
    "clipping, 10 % of the samples": {"type": "clipping", "share": 0.1},
    "clipping, soft": {"type": "clipping", "kind": "soft", "threshold_dbfs": -12.0},
    "clipping, 4 times the rate": {"type": "clipping", "threshold_dbfs": -12.0, "oversample": 4},
    "compressor": {"type": "compressor", "threshold_dbfs": -30.0},
    "limiter": {"type": "limiter", "ceiling_dbfs": -12.0},
    "agc": {"type": "agc"},
    "equalizer, one peak": {"type": "equalizer", "bands": [{"frequency": 1000.0, "gain_db": 6.0}]},
    "seven_band_eq": {"type": "seven_band_eq", "gains_db": [3.0, -6.0, 2.0, 1.0, 5.0, -2.0, -9.0]},
    "telephone_band": {"type": "telephone_band"},
    "air_absorption": {"type": "air_absorption", "distance": 50.0},
    "distance": {"type": "distance", "distance": 50.0},
    "microphone": {"type": "microphone", "low_cut": 80.0, "presence": 3000.0, "roll_off": 7000.0, "noise_dbfs": -60.0},
    "microphone, measured": {"type": "microphone", "response": [[60.0, -20.0], [150.0, 0.0], [5000.0, 6.0]]},
    "proximity": {"type": "proximity", "distance": 0.05},
    "resample_round_trip": {"type": "resample_round_trip", "low_sr": 8000},
    "resample_round_trip, aliasing": {"type": "resample_round_trip", "low_sr": 8000, "aliasing": True},
    "bit_depth": {"type": "bit_depth", "bits": 8},
    "bit_depth, dither": {"type": "bit_depth", "bits": 8, "dither": "tpdf"},
    "dc_offset": {"type": "dc_offset", "offset": 0.01},
    "hum": {"type": "hum", "level_dbfs": -40.0, "seed": 1},
    "clicks": {"type": "clicks", "rate": 10.0, "seed": 1},
    "dropouts": {"type": "dropouts", "rate": 2.0, "seed": 1},
    "time_mask": {"type": "time_mask", "masks": [[3.0, 1.0]]},
    "frequency_mask": {"type": "frequency_mask", "fmin": 1000.0, "fmax": 2000.0},
    "polarity": {"type": "polarity"},
    "channels, gain": {"type": "channels", "gains_db": [-3.0]},
}
CHANGING = {"air_absorption": "distance", "distance": "distance", "frequency_mask": "fmin"}
"""Parameters that change from call to call, so that no filter is at hand."""


def sound() -> np.ndarray:
    """Return noise at -20 dBFS under a syllable-like envelope."""
    t = np.arange(SR * SECONDS) / SR
    y = np.random.default_rng(1).standard_normal(t.size) * (0.6 - 0.4 * np.cos(2 * np.pi * 4 * t))
    return 0.1 * y / np.sqrt(np.mean(y**2))


def ours(name: str, y: np.ndarray, i: int) -> float:
    """Return the seconds of one call."""
    tree, ctx = dict(CASES[name]), RenderContext(sr=SR)
    if name in CHANGING:
        tree[CHANGING[name]] += i / 16
    effect: Any = registry.create("effects", tree)
    start = time.process_time()
    effect.apply(y[None], ctx)
    return time.process_time() - start


@contextmanager
def peer_of(python: str | None) -> Iterator[Any]:
    """Give a function that asks the peer for one call's seconds; None where it has no such thing."""
    if python is None:
        yield lambda name: None
        return
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([python, PEER], text=True, **pipes) as process:

        def ask(name: str) -> float | None:
            print(name, file=process.stdin, flush=True)
            answer = process.stdout.readline().strip()
            return None if answer == "-" else float(answer)

        yield ask
        process.stdin.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="a Python that has audiomentations 0.43.1")
    parser.add_argument("--rounds", type=int, default=25)
    asked = parser.parse_args()
    y = sound()
    print(f"{'10 s at 16 kHz':34} ours, ms   peer, ms   peer over ours")
    with peer_of(asked.peer) as ask:
        for name in CASES:
            mine, theirs = [], []
            for i in range(asked.rounds + 2):
                mine.append(ours(name, y, i))
                theirs.append(ask(name))
            own = statistics.median(mine[2:]) * 1e3
            line = f"{name:34} {own:8.2f}"
            if None not in theirs:
                other = statistics.median(theirs[2:]) * 1e3
                line += f"   {other:8.2f}   {other / own:6.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
