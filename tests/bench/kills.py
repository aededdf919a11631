"""Kill a build at random moments, resume it each time, and compare the tree with an undisturbed one, byte for byte.

    python tests/bench/kills.py [--kills 100] [--clips 1000] [--workers 2] [--packed]

The moments are drawn so that loading, rendering and the finish are hit; who is hit is drawn too: the build (kill -9, SIGTERM, SIGINT) or one of its
workers (kill -9). A build that was finished between two kills is compared and begun again in another folder. Prints one line a kill
(who, when, how long it took to end, how many clips stood) and the verdict; exit code 1 if a tree differs. With `--warm` builds are forked
from this process, which has loaded everything, and have one worker: most of their time is work, and 100 kills take minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import full_recipe, tree_of

from audiosynth import build, load_recipe

PACKED = ("output.audio=tar", "output.manifest=gzip")
BUILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.default_int_handler)
from pathlib import Path
from audiosynth import build, load_recipe
if __name__ == "__main__":
    recipe, out, clips, workers, *values = sys.argv[1:]
    loaded = load_recipe(recipe, clips=int(clips), set_values=values, cache_dir=Path(recipe).parent / "cache")
    build(loaded, out, workers=int(workers))
"""


def start(
    script: Path, recipe: Path, out: Path, *, clips: int, workers: int, values: Sequence[str]
) -> subprocess.Popen[bytes]:
    """Start a build in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, str(script), str(recipe), str(out), str(clips), str(workers), *values]
    return subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL)


class Forked:
    """A build in a process that is forked from this one."""

    def __init__(self, recipe: Path, out: Path, *, clips: int, values: Sequence[str]) -> None:
        self._process = get_context("fork").Process(target=_build, args=(recipe, out, clips, values))
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end and return the exit code."""
        self._process.join(timeout)
        return self._process.exitcode

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _build(recipe: Path, out: Path, clips: int, values: Sequence[str]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        loaded = load_recipe(recipe, clips=clips, set_values=values, cache_dir=recipe.parent / "cache")
        build(loaded, out, workers=1)
    except KeyboardInterrupt:
        os._exit(130)


def standing(out: Path) -> int:
    """Return how many clips stand in whole units; all of them in a finished build."""
    if (out / "dataset.json").is_file():
        return sum(json.loads((out / "dataset.json").read_text(encoding="utf-8"))["clips"].values())
    units = sorted((out / ".build" / "units").glob("*.jsonl"))
    return sum(len(unit.read_text(encoding="utf-8").splitlines()) for unit in units)


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def strike(process: Any, who: str, moments: np.random.Generator) -> float:
    """Kill the build or one of its workers; return how long the build took to end."""
    began = time.monotonic()
    if who == "worker":
        workers = children(process.pid)
        if workers:
            with suppress(ProcessLookupError):
                os.kill(int(moments.choice(workers)), signal.SIGKILL)
        else:
            process.kill()
    else:
        process.send_signal({"parent": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}[who])
    try:
        process.wait(timeout=30)
    except (
        subprocess.TimeoutExpired
    ):  # the process that was hit does not matter to the build (multiprocessing's tracker)
        process.kill()
        process.wait()
    return time.monotonic() - began


def main() -> int:
    """Kill, resume, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--clips", type=int, default=1000, help="clips per split, two splits")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--longest", type=float, help="seconds before a kill, at most; by default what an undisturbed build takes"
    )
    parser.add_argument("--warm", action="store_true", help="fork builds of one worker from this process")
    parser.add_argument("--packed", action="store_true", help="audio in tar files, the manifest in gzip")
    options = parser.parse_args()
    moments = np.random.default_rng(options.seed)
    how = {"clips": options.clips, "values": PACKED if options.packed else ()}
    who_dies = ["parent", "SIGTERM", "SIGINT"] if options.warm else ["parent", "worker", "SIGTERM", "SIGINT"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "build.py"
        script.write_text(BUILD, encoding="utf-8")
        recipe = full_recipe(folder / "material")

        def begin(out: Path) -> Any:
            if options.warm:
                return Forked(recipe, out, **how)
            return start(script, recipe, out, workers=options.workers, **how)

        if options.warm:  # loads what there is to load
            build(load_recipe(recipe, clips=600, cache_dir=recipe.parent / "cache"), folder / "first")
        began = time.monotonic()
        if begin(folder / "whole").wait():
            return 1
        took = time.monotonic() - began
        whole = tree_of(folder / "whole")
        print(f"undisturbed: {took:.1f} s, {standing(folder / 'whole')} clips, {len(whole)} files", flush=True)
        out, rounds, slowest = folder / "killed", 0, 0.0
        for kill in range(options.kills):
            pause = moments.uniform(0.3, min(took, options.longest or took))
            who = str(moments.choice(who_dies))
            process = begin(out)
            time.sleep(pause)
            running = process.poll() is None
            ended = strike(process, who, moments)
            if running and who.startswith("SIG") and (out / ".build" / "units").is_dir():
                slowest = max(slowest, ended)
            print(
                f"kill {kill + 1:3}: {who:7} after {pause:5.2f} s, ended in {ended:4.2f} s, {standing(out):5} clips stand",
                flush=True,
            )
            if (out / "dataset.json").is_file() or kill == options.kills - 1:
                if begin(out).wait() or tree_of(out) != whole:
                    print("ANOTHER TREE")
                    return 1
                rounds += 1
                shutil.rmtree(out)
        print(
            f"{options.kills} kills in {rounds} builds, each ended in the same tree, byte for byte; a signal ended one within {slowest:.2f} s"
        )
        return 0


if __name__ == "__main__":
    sys.exit(main())
