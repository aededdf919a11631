"""Simulated rooms: time against the peers, error against the image sum as defined, and T30 against the request.

Run `python tests/bench/rooms.py --peer-python PYTHON`, where PYTHON has pyroomacoustics 0.10 and rir-generator 0.3; left
out, our own figures remain. One process each on one core, calls interleaved, medians. Nothing here decides a test.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from exact_images import MIC, ROOM, SIZE, SOURCE, SR, C, db, exact
from test_absorption import measured_t30, random_rooms

from audiosynth.acoustics.absorption import alpha_for_rt60, beta_from_alpha, sabine
from audiosynth.acoustics.image_source import Options, simulate, warm

NUMBA = Options(engine="numba")
RAW = Options(engine="numba", highpass_hz=0.0, fade=0.0)
TIMES = (0.3, 0.6, 1.0)
BAR = {"pyroomacoustics": (60, 90, 100), "rir-generator": (200, 200, 200)}


def milliseconds(task: Callable[[], object]) -> float:
    """Return the time of one call."""
    start = time.perf_counter()
    task()
    return 1e3 * (time.perf_counter() - start)


def by_sabine(rt60: float) -> float:
    """Return the reflection coefficient that Sabine's formula gives, as the peers take it."""
    return float(beta_from_alpha(sabine(size=SIZE, alpha=1.0, c=C) / rt60))


class Peers:
    """The process with the peers."""

    def __init__(self, python: str) -> None:
        script = Path(__file__).with_name("rooms_peers.py")
        env = {**os.environ, "PRA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )

    def ask(self, peer: str, rt60: float, *, samples: bool = False) -> dict:
        job = {
            "peer": peer,
            "rt60": rt60,
            "samples": samples,
            "size": SIZE,
            "source": SOURCE,
            "mic": MIC,
            "sr": SR,
            "c": C,
        }
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def against_peers(python: str, rounds: int) -> None:
    """Print times, ratios and differences of waveforms."""
    peers = Peers(python)
    print(f"{'RT60':>5} {'peer':16} {'ours ms':>8} {'peer ms':>9} {'ratio':>7} {'target':>7} {'waveform dB':>12}")
    for peer, bars in BAR.items():
        for rt60, bar in zip(TIMES, bars, strict=True):
            ours, theirs = [], []
            for _ in range(max(3, round(rounds * 0.3 / rt60))):
                theirs.append(peers.ask(peer, rt60)["ms"])
                args = {**ROOM, "beta": by_sabine(rt60), "duration": rt60}
                ours += [milliseconds(lambda a=args: simulate(**a, options=NUMBA)) for _ in range(30)]
            a, b = statistics.median(ours), statistics.median(theirs)
            error = waveform(peers.ask(peer, rt60, samples=True), peer, rt60)
            print(f"{rt60:5} {peer:16} {a:8.2f} {b:9.1f} {b / a:6.0f}x {bar:6}x {error:12.1f}")
    peers.process.stdin.close()
    peers.process.wait()


def waveform(answer: dict, peer: str, rt60: float) -> float:
    """Return the difference in dB, after pyroomacoustics' 40 samples of delay and its missing 4π; ends left out."""
    n = round(rt60 * SR) - 160
    theirs = np.array(answer["h"])
    theirs = theirs[40 : 40 + n] / (4 * np.pi) if peer == "pyroomacoustics" else theirs[:n]
    ours = simulate(**ROOM, beta=(1 - answer["alpha"]) ** 0.5, duration=rt60, options=RAW).h[0, :n]
    return float(db(theirs - ours, ours))


def accuracy() -> None:
    """Print the error against the image sum as defined."""
    for rt60 in TIMES[:2]:
        args = {**ROOM, "beta": by_sabine(rt60), "duration": rt60}
        reference = exact(**args)
        print(
            f"RT60 {rt60} s against the sum as defined: {db(simulate(**args, options=RAW).h[0] - reference, reference):.1f} dB"
        )


def requests(n: int) -> None:
    """Print T30 over the request in random rooms."""
    ratios = []
    for size, rt60, source, mic in random_rooms(n):
        beta = beta_from_alpha(alpha_for_rt60(size, rt60, c=C))
        args = {"size": size, "source": source, "mics": mic, "sr": SR, "c": C, "duration": 1.3 * rt60}
        ratios.append(measured_t30(simulate(**args, beta=beta, options=NUMBA).h[0], SR) / rt60)
    low, median, high = np.percentile(ratios, [5, 50, 95])
    print(
        f"T30 over request, {n} rooms: median {median:.3f}, 5 to 95 % {low:.3f} to {high:.3f} (targets 0.97-1.03, 0.95-1.12)"
    )


def shapes() -> None:
    """Print what ambisonics, bands, displacement-free NumPy and one inversion cost beside mono."""
    rt60 = 0.6
    args = {**ROOM, "beta": by_sabine(rt60), "duration": rt60}
    octaves = {**args, "beta": np.full((7, 6), args["beta"])}
    tasks = {
        "mono": lambda: simulate(**args, options=NUMBA),
        "ambisonics (target 4x)": lambda: simulate(**args, options=Options(engine="numba", foa=True)),
        "7 octaves": lambda: simulate(**octaves, options=NUMBA),
        "NumPy": lambda: simulate(**args, options=Options(engine="numpy")),
        "alpha_for_rt60": lambda: alpha_for_rt60(SIZE, rt60, c=C),
    }
    times = {name: [] for name in tasks}
    for _ in range(15):
        for name, task in tasks.items():
            times[name].append(milliseconds(task))
    mono = statistics.median(times["mono"])
    for name, own in times.items():
        print(f"RT60 0.6 s {name:24} {statistics.median(own):7.2f} ms {statistics.median(own) / mono:6.2f}x")


MEMORY = """
import numpy, scipy.signal
from audiosynth.acoustics.image_source import Options, simulate, warm
def peak():
    status = open("/proc/self/status").read()  # ru_maxrss would hold the parent's peak
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
bare = peak()
if ENGINE == "numba":
    warm()
loaded = peak()
r = simulate(size=(8, 7, 3.5), source=(2, 3, 1.5), mics=(6, 4, 1.2), beta=0.93, sr=16000, duration=1.5, c=343.0,
             options=Options(engine=ENGINE))
print(f"{ENGINE}: {r.n_images} images, peak {peak() - loaded:.1f} MB above what was loaded, numba itself {loaded - bare:.1f} MB")
"""


def memory() -> None:
    """Print the peak above the interpreter for 8x7x3.5 m and 1.5 s."""
    for engine in ("numpy", "numba"):
        script = MEMORY.replace("ENGINE", repr(engine))
        print(
            "memory,",
            subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip(),
        )


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", help="a Python with pyroomacoustics and rir-generator")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--rooms", type=int, default=200)
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(f"numba and kernels loaded in {milliseconds(warm):.0f} ms")
    if asked.peer_python:
        against_peers(asked.peer_python, asked.rounds)
    accuracy()
    shapes()
    memory()
    requests(asked.rooms)


if __name__ == "__main__":
    main()
