"""Kill workers, scheduler and client of builds on a Dask cluster at random moments, and compare the tree, byte for byte.

    python tests/bench/dask_kills.py [--kills 12] [--clips 2000]

Each victim is killed with `kill -9` while units are made. A worker's death must go unnoticed; after that of the scheduler the build
must end by itself with one line; after its own it is started again at once, while workers still have its units in hand. Exit code 1
if the trees differ or a build said anything else.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from dask_cluster import ENV, Cluster, until
from material import full_recipe, tree_of

VICTIMS = ("worker", "scheduler", "client")
GONE = ("is gone; what is finished stays", "no Dask scheduler answers")
"""What may be said of a dead scheduler; the second where the build had not reached it yet."""


def units(out: Path) -> int:
    """Return how many units stand."""
    return len(sorted((out / ".build" / "units").glob("*.jsonl")))


def start(recipe: Path, out: Path, clips: int, *more: str) -> subprocess.Popen[bytes]:
    """Start a build."""
    words = ["build", str(recipe), "--clips", str(clips), "-o", str(out), "--quiet", *more]
    with said(out).open("w") as errors:
        return subprocess.Popen([sys.executable, "-m", "audiosynth", *words], env=ENV, stderr=errors)


def said(out: Path) -> Path:
    """Return the file of what the last build of a folder said."""
    return out.with_name(f"{out.name}.said")


def strike(victim: str, cluster: Cluster, out: Path, client: subprocess.Popen[bytes]) -> subprocess.Popen[bytes] | None:
    """Kill one of them and put another in its place; return the build if it must go on, None if it must be started again."""
    if victim == "worker":
        cluster.kill(cluster.workers[0])
        cluster.work()
        return client
    if victim == "client":
        client.kill()
        client.wait()
        return None
    cluster.kill(cluster.scheduler)
    code, lines = client.wait(), said(out).read_text().splitlines()
    if code == 1 and len(lines) == 1 and any(words in lines[0] for words in GONE):
        client = None
    elif code or lines:  # it may have been done before
        raise SystemExit(f"after the scheduler's death: exit code {code}, {lines}")
    for worker in cluster.workers:
        worker.wait()
    cluster.workers.clear()
    cluster.start()
    cluster.work()
    cluster.work()
    return client


def rounds(
    cluster: Cluster, recipe: Path, folder: Path, whole: dict[str, bytes], options: argparse.Namespace
) -> tuple[int, Path]:
    """Build and kill; return what the last build said, its exit code, and its folder."""
    draws, finished = np.random.default_rng(options.seed), 0
    cluster.work()
    cluster.work()
    out, client = folder / "out", None
    for kill in range(options.kills):
        client = client or start(recipe, out, options.clips, "--dask", cluster.address)
        if reached(out, client, units(out) + int(draws.integers(1, 4))):
            time.sleep(draws.uniform(0, 0.2))  # somewhere in a unit
            victim = VICTIMS[int(draws.integers(len(VICTIMS)))]
            print(f"kill {kill + 1:2}: the {victim}, {units(out)} units stand", flush=True)
            client = strike(victim, cluster, out, client)
            continue
        if client.wait() or tree_of(out) != whole:
            raise SystemExit(f"ANOTHER TREE, exit code {client.returncode}: {said(out).read_text()}")
        finished += 1
        out, client = folder / f"out{finished}", None
    client = client or start(recipe, out, options.clips, "--dask", cluster.address)
    return client.wait(), out


def reached(out: Path, client: subprocess.Popen[bytes], goal: int) -> bool:
    """Wait until so many units stand; return False if the build ends before."""
    until(lambda: units(out) >= goal or client.poll() is not None, "the build does not go on")
    return client.poll() is None


def main() -> int:
    """Kill, go on, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--clips", type=int, default=2000, help="clips per split, two splits")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipe = full_recipe(folder / "material")
        began = time.monotonic()
        if start(recipe, folder / "whole", options.clips, "--workers", "2").wait():
            return 1
        whole = tree_of(folder / "whole")
        print(f"undisturbed, two local workers: {time.monotonic() - began:.1f} s, {len(whole)} files")
        cluster = Cluster(folder / "cluster").start()
        try:
            code, out = rounds(cluster, recipe, folder, whole, options)
        finally:
            cluster.close()
        same, words = tree_of(out) == whole, said(out).read_text()
    print(f"exit code {code}; {'the same tree' if same else 'ANOTHER TREE'}, byte for byte {words}")
    return 0 if same and not code and not words else 1


if __name__ == "__main__":
    sys.exit(main())
