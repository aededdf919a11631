"""What `vary` and `stats` cost: run `python tests/bench/vary.py`, read the table.

A set is built, varied and counted in the same run, one process; memory is the peak of a process of its own, over a manifest
and over one ten times as long. Nothing here decides a test.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from audiosynth import build, load_recipe, shipped_recipe, stats, vary
from audiosynth.vary import variation

CLIPS = 1000
PEAK = "import resource, sys; from audiosynth import stats; stats(sys.argv[1]); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def seconds(task):
    """Return the process time of a task, and what it gives."""
    start = time.process_time()
    found = task()
    return time.process_time() - start, found


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        recipe = load_recipe(shipped_recipe("quickstart"), clips=CLIPS // 2)
        built, made = seconds(lambda: build(recipe, folder / "set"))
        checked, order = seconds(lambda: variation(made.root, ["events[*].snr_db=+3"]))
        whole, new = seconds(lambda: vary(made.root, folder / "new", set_values=["events[*].snr_db=+3"]))
        counted, _ = seconds(lambda: stats(made.root))
        text = (made.root / "manifest.jsonl").read_text(encoding="utf-8")
        (folder / "long.jsonl").write_text(text * 10, encoding="utf-8")
        peaks = [
            int(subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, check=True, text=True).stdout)
            for path in (str(made.root), str(folder / "long.jsonl"))
        ]
        print(f"build                      {1e3 * built / CLIPS:6.2f} ms a clip")
        print(
            f"vary, all of it            {1e3 * whole / CLIPS:6.2f} ms a clip ({new.clips} clips, {order.changed} changed)"
        )
        print(f"  its check of every row   {1e3 * checked / CLIPS:6.2f} ms a clip")
        print(f"stats                      {1e3 * counted / CLIPS:6.3f} ms a clip, {CLIPS / counted:,.0f} rows/s")
        print(
            f"  peak memory              {peaks[0] / 1024:.0f} MB of {CLIPS:,} rows, {peaks[1] / 1024:.0f} MB of {10 * CLIPS:,}"
        )


if __name__ == "__main__":
    main()
