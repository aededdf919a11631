"""What the same work costs in two trees of this package: a process each, which take turns on one core.

    TMPDIR=/dev/shm taskset -c 1 python tests/bench/trees.py OLD NEW [--works room,octaves] [--rounds 60]

OLD and NEW are folders that hold `audiosynth`; the works are this file's own for both. Each turn is some calls of the one tree and
as many, of the same clips or rooms, of the other, whichever was last being first in the next. Medians of processor time a call, and of the turns' ratios.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

Task = Callable[[int], object]
N_WARM = 2
"""Turns that nobody counts."""
CALLS = 10
"""Of a turn."""
RECEIVERS = {
    "mono": {}, "pair": {"type": "linear", "n": 2, "spacing": 0.2}, "cardioids": {"type": "circular", "n": 4, "radius": 0.1, "pattern": "cardioid"},
    "ambisonic": {"type": "ambisonic"},
}  # fmt: skip
WALLS = {
    "even": {"rt60": 0.6}, "octaves": {"surfaces": {"floor": "carpet", "ceiling": "acoustic_tile"}, "duration": 0.4},
    "air": {"rt60": 0.6, "air": True},
}  # fmt: skip


def clips(folder: Path) -> Task:
    """Return what makes a clip in a room of its own, as the table of `scale.py` has it."""
    from scale import warm
    from scale_rows import Asked, made_in_turn, room_recipe

    warm()
    asked = Asked(
        scaper=None, audiomentations=None, lhotse=None, rounds=0, clips=0, index_rows=0, two_core_clips=0, folder=folder
    )
    made = made_in_turn(room_recipe(folder), asked)
    for i in range(10_000, 10_110):  # so many make a build load the compiled sums
        made(i)
    return made


def responses(receiver: str, walls: str, folder: Path) -> Task:
    """Return what makes a room's response alone."""
    from audiosynth.clip import RenderContext
    from audiosynth.rooms.shoebox import Shoebox
    from audiosynth.spaces.places import Position

    Shoebox.warm()

    def made(i: int) -> None:
        dice = np.random.default_rng(i)
        size = dice.uniform([4, 3, 2.4], [8, 6, 3.5]).round(3).tolist()
        points = [dice.uniform(0.5, np.array(size) - 0.5).round(3).tolist() for _ in range(2)]
        heard = {**RECEIVERS[receiver], "position": {"point": points[0]}}
        room = Shoebox.model_validate({"size": size, "receiver": heard, "method": "image", "seed": i, **WALLS[walls]})
        room.response(RenderContext(16_000, room.n_channels(), None), position=Position(point=tuple(points[1])))

    return made


WORKS: dict[str, Callable[[Path], Task]] = {
    "room": clips,
    **{f"{who}/{what}": partial(responses, who, what) for who in RECEIVERS for what in WALLS},
}


def child(work: str) -> None:
    """Answer each line with the seconds of processor time of one more call; first of all say where the package is from."""
    import audiosynth

    print(Path(audiosynth.__file__).parents[1], flush=True)
    with tempfile.TemporaryDirectory() as folder:
        task = WORKS[work](Path(folder))
        for i, _ in enumerate(sys.stdin):
            start = time.process_time()
            task(i)
            print(time.process_time() - start, flush=True)


def raced(trees: list[Path], work: str, rounds: int) -> list[list[float]]:
    """Return the seconds of each turn in each tree: median of its calls.

    Raises
    ------
    RuntimeError
        If a process has the package from elsewhere.
    """
    from augment_speed import Peer

    found: list[list[float]] = [[], []]
    with ExitStack() as stack:
        command = [sys.executable, __file__, "--child", work]
        peers = [stack.enter_context(Peer(["env", f"PYTHONPATH={tree}", *command])) for tree in trees]
        for tree, peer in zip(trees, peers, strict=True):
            if (at := peer.process.stdout.readline().strip()) != str(tree):
                raise RuntimeError(f"the package was taken from {at!r}, not from {tree}")
        for turn in range(rounds + N_WARM):
            for k in (0, 1) if turn % 2 else (1, 0):
                peers[k].ask(CALLS)
                found[k].append(statistics.median(peers[k].answers(CALLS)))
    return [times[N_WARM:] for times in found]


def main() -> None:
    """Print a line for each work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", nargs="*", type=Path, help="two folders that hold the package: the old, the new")
    parser.add_argument("--works", default=",".join(WORKS))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--child", help="work as a process of a tree")
    asked = parser.parse_args()
    if asked.child:
        child(asked.child)
        return
    trees = [tree.resolve() for tree in asked.trees]
    for work in asked.works.split(","):
        old, new = raced(trees, work, asked.rounds)
        ratio = statistics.median(b / a for a, b in zip(old, new, strict=True))
        times = [1e3 * statistics.median(found) for found in (old, new)]
        print(
            f"{work:<20} {times[0]:8.3f} ms {times[1]:8.3f} ms   {times[1] / times[0]:.3f}, of turns {ratio:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
