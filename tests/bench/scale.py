"""What a clip costs, against the field, against its floor, and from a thousand clips to a million: one table.

    python tests/bench/scale.py --scaper ENV/bin/python --audiomentations ENV/bin/python --lhotse ENV/bin/python \
        [--rows scaper,room] [--clips 100000]

Peers run in environments of their own (scaper 1.6.5; audiomentations 0.43.1 with pyroomacoustics; lhotse 1.33.0 with torch,
urllib3 and soundfile), do the same work in the same run, one clip in turn, and are timed by their processor time, so that what else
runs on the machine counts for neither. The rows of workers and of two cores are wall time: they want a quiet machine. All but
those are of one core (`taskset -c 0` keeps them there). What a floor is, `scale_floors.py` says.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # here and in the peers: what is measured is one core

from scale_builds import growth, index, two_cores, workers
from scale_floors import floors
from scale_races import augmentation, fresh_rooms, planning, soundscapes
from scale_rows import Asked, Row

from audiosynth.building.memory import keep_freed_memory
from audiosynth.sound import mixing, normals


def warm() -> None:
    """Make of this process what every process of a build of 512 clips and more is."""
    keep_freed_memory()
    mixing.load_kernel()
    normals.load_kernel()


ROWS: dict[str, tuple[Callable[[Asked], Iterator[Row]], tuple[str, ...]]] = {
    "scaper": (soundscapes, ("scaper",)), "floors": (floors, ()), "augment": (augmentation, ("audiomentations", "lhotse")),
    "room": (fresh_rooms, ("audiomentations",)), "planning": (planning, ("scaper",)), "workers": (workers, ()),
    "two": (two_cores, ("scaper",)), "growth": (growth, ()), "index": (index, ()),
}  # fmt: skip
"""What makes each group of rows, and its peers, of which one must be there."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scaper", help="a Python that has scaper 1.6.5")
    parser.add_argument("--audiomentations", help="a Python that has audiomentations 0.43.1 and pyroomacoustics")
    parser.add_argument("--lhotse", help="a Python that has lhotse 1.33.0")
    parser.add_argument("--rows", default=",".join(ROWS), help="which groups of rows, by name")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--clips", type=int, default=100_000, help="clips of the longest build")
    parser.add_argument("--index-rows", type=int, default=10_000_000)
    parser.add_argument(
        "--two-core-clips", type=int, default=4000, help="clips of each build on two cores (0.9 MB each)"
    )
    parser.add_argument("--scratch", help="folder to work in")
    asked = parser.parse_args()
    warm()
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
    for name in asked.rows.split(","):
        make, needs = ROWS[name]
        missing = [peer for peer in needs if getattr(asked, peer) is None]
        for peer in missing:
            print(f"| {name}: without {peer}, give --{peer} |")
        if needs and len(missing) == len(needs):
            continue
        with tempfile.TemporaryDirectory(dir=asked.scratch) as folder:
            told = Asked(
                scaper=asked.scaper, audiomentations=asked.audiomentations, lhotse=asked.lhotse, rounds=asked.rounds,
                clips=asked.clips, index_rows=asked.index_rows, two_core_clips=asked.two_core_clips, folder=Path(folder),
            )  # fmt: skip
            for row in make(told):
                print(
                    f"| {row.work:<46} | {row.ours:>12} | {row.other:>28} | {row.ratio:>8} | {row.target:>12} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
