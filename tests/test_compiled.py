"""Compiled loops: what numba keeps of them, and what happens where it can keep nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from audiosynth.compiled import Later

OUTER = (
    "from audiosynth.compiled import loop\nfrom inner_kernel import inner\n@loop\ndef outer(x):\n    return inner(x)\n"
)
INNER = "from audiosynth.compiled import loop\n@loop\ndef inner(x):\n    return x + {}\n"
RUN = "from outer_kernel import outer\nprint(outer(1), sum(outer.stats.cache_hits.values()))"
THREADS = """
import threading
from fractions import Fraction
import numpy as np
from audiosynth.sound.stretch import time_stretch

heard = []
def stretch():
    heard.append(time_stretch(np.ones((1, 900)), sr=8000, rate=Fraction(4, 5)).tobytes())

threads = [threading.Thread(target=stretch) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(heard), len(set(heard)))
"""
AT_ONCE = """
import sys, time
from pathlib import Path
from outer_kernel import outer
from inner_kernel import inner
here, name, others = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
(here / f"ready{name}").touch()
while len([*here.glob("ready*")]) < others:
    time.sleep(0.001)
print(outer(1), *(sum(made.stats.cache_misses.values()) for made in (outer, inner)))
"""
NO_LOCKS = """
import audiosynth.compiled as module
def locked_file(path, *, wait):
    raise OSError("no locks here")
module.locked_file = locked_file
"""
LOADING = """
import sys, threading
from audiosynth.sound import mixing

seen = []
class Watcher:
    def find_spec(self, name, path=None, target=None):
        if name == "numba" and mixing._KERNEL in sys.modules:  # which is half loaded now
            seen.append(mixing.kernel())

sys.meta_path.insert(0, Watcher())
print(mixing.load_kernel(), seen, mixing.kernel() is sys.modules[mixing._KERNEL])
"""
FOLLOWED = """
import numpy as np
from audiosynth.sound import dynamics_kernel, tracks_kernel
from audiosynth.sound.dynamics import followed
print(dynamics_kernel.follow.stats.cache_path, followed(np.array([1.0, 1.0, 0.0]), rising=0.5, falling=0.75).tolist())
"""


def run(code: str, **environment: str) -> str:
    """Return what a new process prints."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join([environment.pop("beside", root), root, os.environ.get("PYTHONPATH", "")])
    child = subprocess.run(
        [sys.executable, "-B", "-c", code],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert child.returncode == 0, child.stderr
    assert not child.stderr
    return child.stdout.strip()


def test_a_loop_is_compiled_anew_when_one_that_it_holds_has_changed(tmp_path: Path) -> None:
    """The file of the outer loop stays as it was, and still the new inner one is heard; unchanged, the cache serves."""
    cache = str(tmp_path / "cache")
    (tmp_path / "outer_kernel.py").write_text(OUTER)
    (tmp_path / "inner_kernel.py").write_text(INNER.format(10))
    assert run(RUN, beside=str(tmp_path), NUMBA_CACHE_DIR=cache) == "11 0"
    assert run(RUN, beside=str(tmp_path), NUMBA_CACHE_DIR=cache) == "11 1"
    (tmp_path / "inner_kernel.py").write_text(INNER.format(20))
    assert run(RUN, beside=str(tmp_path), NUMBA_CACHE_DIR=cache) == "21 0"


def test_processes_at_once_compile_a_loop_once(tmp_path: Path) -> None:
    """Three processes call a loop for the first time, at the same moment: one of them compiles it and what it holds, two find it."""
    root = str(Path(__file__).resolve().parent.parent)
    (tmp_path / "outer_kernel.py").write_text(OUTER)
    (tmp_path / "inner_kernel.py").write_text(INNER.format(10))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), root]),
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
    }
    children = [
        subprocess.Popen(
            [sys.executable, "-B", "-c", AT_ONCE, str(tmp_path), str(number), "3"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    told = sorted(child.communicate(timeout=120)[0].split() for child in children)
    assert told == [["11", "0", "0"], ["11", "0", "0"], ["11", "1", "1"]]


def test_loops_run_where_there_are_no_locks(tmp_path: Path) -> None:
    """Each process compiles for itself, and keeps what it compiled."""
    (tmp_path / "outer_kernel.py").write_text(OUTER)
    (tmp_path / "inner_kernel.py").write_text(INNER.format(10))
    for hits in (0, 1):
        assert run(NO_LOCKS + RUN, beside=str(tmp_path), NUMBA_CACHE_DIR=str(tmp_path / "cache")) == f"11 {hits}"


def test_loops_run_where_numba_numba_finds_no_place_for_its_cache() -> None:
    """With the one place that numba may look at not named, as in a read-only installation and home."""
    nowhere = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator", "NUMBA_CACHE_DIR": ""}
    assert run(FOLLOWED, **nowhere) == "None [0.5, 0.75, 0.5625]"


def test_loops_are_loaded_once_there_is_enough_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before, and then for good; another that knows them loaded has them at once; what cannot be loaded is asked for once."""
    (tmp_path / "some_kernel.py").write_text("READY = True")
    (tmp_path / "broken_kernel.py").write_text("TRIED = True\nimport no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    later = Later("some_kernel", after=10)
    assert [later.for_work(4) is None for _ in range(4)] == [True, True, False, False]
    assert Later("some_kernel", after=10).for_work(1) is sys.modules.pop("some_kernel")
    broken = Later("broken_kernel", after=1)
    assert broken.for_work(1) is None
    (tmp_path / "broken_kernel.py").write_text("READY = True")
    assert broken.for_work(1) is None
    assert "broken_kernel" not in sys.modules


def test_threads_that_stretch_first_wait_for_the_loops() -> None:
    """Six threads of a new process stretch at once: each gets its sound, all the same."""
    assert run(THREADS) == "6 1"


def test_loops_that_are_being_loaded_are_not_used_yet() -> None:
    """While numba is imported for them, which takes most of a second: threads go on with NumPy's passes."""
    assert run(LOADING) == "True [None] True"
