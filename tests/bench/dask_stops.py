"""Stop builds on Dask workers at random moments, time each stop, and compare the tree in the end, byte for byte.

    python tests/bench/dask_stops.py [--stops 20] [--clips 2000] [--workers 2] [--scheduler | --pool]

SIGINT and SIGTERM in turn, to the build alone or (as Ctrl-C does) to all its processes, at any moment from 0.4 s after its start: while
it loads, while workers start, while they render. A stopped build must say its one line, end with the signal's exit code and leave no
process behind; the next one goes on in the same folder, and one that is finished is compared and begun again. With `--scheduler` the
workers are those of a cluster of its own, which must be there afterwards; with `--pool` there is no Dask, for comparison. Exit code 1
where any of this is not so.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from dask_cluster import ENV, Cluster
from material import full_recipe, tree_of

SAID = "stopped; run the same command again to go on\n"
EARLIEST = 0.4
"""Seconds after which Python has started and the program answers signals."""
LEAVING = 0.5
"""Seconds that a process may need to see that its parent is gone."""
Start = Callable[[Path, list[str]], subprocess.Popen[str]]


def session_of(pid: int) -> list[str]:
    """Return the command lines of the processes of a session that still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(session) == pid and state != "Z":
                found.append((folder / "cmdline").read_text().replace("\0", " ").strip())
    return found


def left_by(pid: int) -> list[str]:
    """Return what is left of a session: what waits for its parent's end, as multiprocessing's tracker does, has a moment for that."""
    deadline = time.monotonic() + LEAVING
    while (found := session_of(pid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def starter(recipe: Path, clips: int) -> Start:
    """Return what starts a build, in a session of its own."""

    def start(out: Path, how: list[str]) -> subprocess.Popen[str]:
        words = ["build", str(recipe), "--clips", str(clips), "-o", str(out), "--quiet", *how]
        return subprocess.Popen(
            [sys.executable, "-m", "audiosynth", *words], env=ENV, stderr=subprocess.PIPE, text=True,
            start_new_session=True, restore_signals=True,
        )  # fmt: skip

    return start


def stop(process: subprocess.Popen[str], number: int, *, everybody: bool) -> tuple[float, list[str]]:
    """Stop a build; return how long it took to end, and what is wrong with its end."""
    began = time.monotonic()
    os.killpg(process.pid, number) if everybody else process.send_signal(number)
    said = process.communicate()[1]
    took = time.monotonic() - began
    wrong = []
    if process.returncode not in (0, 128 + number):  # it may have been done before
        wrong.append(f"exit code {process.returncode}")
    if said != (SAID if process.returncode else ""):
        wrong.append(f"said {said!r}")
    if left := left_by(process.pid):
        wrong.append(f"left processes {left}")
    return took, wrong


def units(out: Path) -> int:
    """Return how many units stand."""
    return len(list((out / ".build" / "units").glob("*")))


def finished(process: subprocess.Popen[str], out: Path, whole: dict[str, bytes]) -> bool:
    """Wait for a build to the end; return whether it is as it must be, and say what is not."""
    said = process.communicate()[1]
    wrong = [f"exit code {process.returncode}"] * bool(process.returncode) + [f"said {said!r}"] * bool(said)
    if not wrong and (tree := tree_of(out)) != whole:
        other = sorted(name for name in tree.keys() | whole.keys() if tree.get(name) != whole.get(name))
        wrong.append(f"ANOTHER TREE: {other[:9]}")
    if wrong:
        print(f"finished: {'; '.join(wrong)}", flush=True)
    return not wrong


def stops(start: Start, how: list[str], folder: Path, whole: dict[str, bytes], options: argparse.Namespace) -> bool:
    """Stop and go on; return whether all went well."""
    draws, out, builds, fine = np.random.default_rng(options.seed), folder / "out0", 0, True
    times: list[float] = []
    longest = options.longest
    while len(times) < options.stops:
        stood, process = units(out), start(out, how)
        time.sleep(draws.uniform(EARLIEST, longest))
        if process.poll() is None:
            number = (signal.SIGINT, signal.SIGTERM)[len(times) % 2]
            everybody = number == signal.SIGINT and bool(draws.integers(2))
            where = f"{units(out) - stood} more"
            took, wrong = stop(process, number, everybody=everybody)
            times.append(took)
            fine = fine and not wrong
            whom = "all" if everybody else "build"
            print(
                f"stop {len(times):2}: {number.name:7} to {whom:5} {where:8} {took:5.2f} s {'; '.join(wrong)}",
                flush=True,
            )
            continue
        fine = finished(process, out, whole) and fine
        builds += 1
        out = folder / f"out{builds}"
    fine = finished(start(out, how), out, whole) and fine
    print(
        f"median {statistics.median(times):.2f} s, longest {max(times):.2f} s, {builds + 1} builds, all as they must be: {fine}"
    )
    return fine


def main() -> int:
    """Stop, go on, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, default=20)
    parser.add_argument("--clips", type=int, default=2000, help="clips per split, two splits")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=8.0, help="seconds before a stop, at most")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--scheduler", action="store_true", help="on a cluster that was there before")
    which.add_argument("--pool", action="store_true", help="without Dask")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = starter(full_recipe(folder / "material"), options.clips)
        if start(folder / "whole", ["--workers", options.workers]).wait():
            return 1
        whole = tree_of(folder / "whole")
        if not options.scheduler:
            how = [*([] if options.pool else ["--dask", "local"]), "--workers", options.workers]
            return 0 if stops(start, how, folder, whole, options) else 1
        cluster = Cluster(folder / "cluster").start()
        try:
            for _ in range(int(options.workers)):
                cluster.work()
            fine = stops(start, ["--dask", cluster.address], folder, whole, options)
            ended = cluster.ended()
            print(f"the cluster is still there: {not ended} {'; '.join(ended)}")
        finally:
            cluster.close()
    return 0 if fine and not ended else 1


if __name__ == "__main__":
    sys.exit(main())
