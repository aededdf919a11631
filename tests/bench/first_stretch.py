"""How long the first stretch takes: compiled into an empty cache of numba, then taken from there.

Run: ``python tests/bench/first_stretch.py``. Seconds of the clock and of the processor, of a new process each, imports counted.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

EFFECTS = {
    "time_stretch": "from audiosynth.effects.time_stretch import TimeStretch as Effect; effect = Effect(rate=0.8)",
    "time_stretch@1": "from audiosynth.effects.time_stretch_v1 import TimeStretch as Effect; effect = Effect(rate=0.8)",
    "splice": "from audiosynth.effects.splice import Splice as Effect; effect = Effect(rate=0.8)",
}
CODE = """
import numpy as np
from audiosynth.clip import RenderContext
{}
effect.apply(np.random.default_rng(0).uniform(-1, 1, (1, 16000)), RenderContext(sr=16000))
"""


def spent(code: str, cache: str) -> tuple[float, float]:
    """Return the seconds of a process by the clock and by its processors."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "NUMBA_CACHE_DIR": cache}, check=True)
    clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line for each effect."""
    for name, made in EFFECTS.items():
        with tempfile.TemporaryDirectory() as cache:
            for state in ("compiled", "from the cache"):
                clock, processor = spent(CODE.format(made), cache)
                print(f"{name}, {state}: {clock:.1f} s, processor {processor:.1f} s", flush=True)


if __name__ == "__main__":
    main()
