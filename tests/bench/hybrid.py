"""Hybrid responses against full-order ones: DRR, C50 and T30 of random rooms, and the time of both.

Run `python tests/bench/hybrid.py [--rooms 40]`. Rooms of 3 to 10 by 3 to 8 by 2.4 to 4 m, reverberation times of 0.2 to 1 s,
source and microphone 0.5 m and more from the walls and from each other. Nothing here decides a test.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from audiosynth.acoustics.decay import measure
from audiosynth.acoustics.image_source import warm
from audiosynth.clip import RenderContext
from audiosynth.errors import ParameterError
from audiosynth.registry import create
from audiosynth.spaces.places import Position

SR = 16_000
TARGETS = {"drr_db": "0.4 dB", "c50_db": "0.8 dB", "t30": "12 %"}


def scenes(n: int):
    """Yield (size, rt60, source, microphone) of rooms that can be."""
    dice = np.random.Generator(np.random.Philox(11))
    while n:
        size = [float(dice.uniform(*span)) for span in ((3, 10), (3, 8), (2.4, 4))]
        rt60 = float(dice.uniform(0.2, 1.0))
        source, mic = ([float(dice.uniform(0.5, length - 0.5)) for length in size] for _ in range(2))
        if np.linalg.norm(np.subtract(source, mic)) >= 0.5:
            n -= 1
            yield size, rt60, source, mic


def respond(method: str, size: list[float], rt60: float, source: list[float], mic: list[float], seed: int):
    """Return the measures of one response and its time in ms."""
    tree = {
        "type": "shoebox",
        "size": size,
        "rt60": rt60,
        "seed": seed,
        "method": method,
        "receiver": {"position": {"point": mic}},
    }
    room = create("rooms", tree)
    start = time.perf_counter()
    response = room.response(RenderContext(SR, 1), position=Position(point=tuple(source)))
    spent = 1e3 * (time.perf_counter() - start)
    return measure(response.h, SR, delay=response.delay), spent


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=40)
    warm()
    off: dict[str, list[float]] = {name: [] for name in TARGETS}
    spent: dict[str, list[float]] = {"image": [], "hybrid": []}
    for seed, scene in enumerate(scenes(parser.parse_args().rooms)):
        try:
            (full, a), (fast, b) = (respond(method, *scene, seed) for method in ("image", "hybrid"))
        except ParameterError as error:
            print(f"left out: {error}")
            continue
        spent["image"].append(a)
        spent["hybrid"].append(b)
        for name in TARGETS:
            mine, theirs = getattr(fast, name), getattr(full, name)
            off[name].append(100 * (mine / theirs - 1) if name == "t30" else mine - theirs)
    print(f"{'hybrid - full order':20} {'5 %':>8} {'median':>8} {'95 %':>8}   target (5 to 95 %)")
    for name, values in off.items():
        low, middle, high = np.percentile(values, [5, 50, 95])
        print(f"{name:20} {low:8.2f} {middle:8.2f} {high:8.2f}   within {TARGETS[name]}   ({len(values)} rooms)")
    for method, times in spent.items():
        print(f"{method:20} median {np.median(times):.1f} ms, longest {max(times):.1f} ms")


if __name__ == "__main__":
    main()
