"""Kill a build at random moments, resume it each time, and compare the tree with an undisturbed one, byte for byte.

    python tests/bench/kills.py [--kills 10] [--clips 400] [--workers 2]

The moments are drawn so that loading, rendering and the finish are hit. Prints one line a kill (when, how many clips stood) and the verdict; exit code 1 if the trees differ.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import full_recipe, tree_of

BUILD = """
import sys
from pathlib import Path
from audiosynth import build, load_recipe
if __name__ == "__main__":
    recipe, out, clips, workers = sys.argv[1:]
    build(load_recipe(recipe, clips=int(clips), cache_dir=Path(recipe).parent / "cache"), out, workers=int(workers))
"""


def start(script: Path, recipe: Path, out: Path, *, clips: int, workers: int) -> subprocess.Popen[bytes]:
    """Start a build in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([sys.executable, str(script), str(recipe), str(out), str(clips), str(workers)], env=env)


def standing(out: Path) -> int:
    """Return how many clips stand in whole units (or in a finished manifest)."""
    units = sorted((out / ".build" / "units").glob("*.jsonl"))
    if (out / "dataset.json").is_file():
        return len((out / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    return sum(len(unit.read_text(encoding="utf-8").splitlines()) for unit in units)


def main() -> int:
    """Kill, resume, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--clips", type=int, default=1000, help="clips per split, two splits")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    moments = np.random.default_rng(options.seed)
    how = {"clips": options.clips, "workers": options.workers}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "build.py"
        script.write_text(BUILD, encoding="utf-8")
        recipe = full_recipe(folder / "material")
        began = time.monotonic()
        if start(script, recipe, folder / "whole", **how).wait():
            return 1
        took = time.monotonic() - began
        print(f"undisturbed: {took:.1f} s, {standing(folder / 'whole')} clips")
        for kill in range(options.kills):
            pause = moments.uniform(0.3, took / 3)
            process = start(script, recipe, folder / "killed", **how)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.wait()
            print(f"kill {kill + 1:2}: after {pause:5.2f} s, {standing(folder / 'killed'):4} clips stand")
        if start(script, recipe, folder / "killed", **how).wait():
            return 1
        same = tree_of(folder / "whole") == tree_of(folder / "killed")
        whole = json.loads((folder / "whole" / "dataset.json").read_text(encoding="utf-8"))["clips"]
        print(
            f"{'the same tree' if same else 'ANOTHER TREE'}, byte for byte, of {len(tree_of(folder / 'whole'))} files {whole}"
        )
        return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
