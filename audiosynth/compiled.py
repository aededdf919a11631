"""Compiled loops: modules that numba compiles when they are first used, loaded only by those who are about to run them."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from audiosynth.files.locks import locked_file

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(name: str) -> Any:
    """Return a module of compiled loops, or None where numba is missing or finds no place for its cache.

    Loading numba takes most of a second.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError):
        return None


def loaded(name: str) -> Any:
    """Return a module of compiled loops that has been loaded to its last line, which sets `READY`, or None.

    A thread that asks while another one loads it goes on without.
    """
    module = sys.modules.get(name)
    return module if getattr(module, "READY", False) else None


class Later:
    """A module of compiled loops that is loaded once so much was to do that it pays.

    Parameters
    ----------
    name
        Of the module.
    after
        How much work this process does without.

    Examples
    --------
    >>> Later("audiosynth.no_such_kernel", after=10).for_work(100) is None
    True
    """

    def __init__(self, name: str, *, after: int) -> None:
        self.name, self._left = name, after

    def for_work(self, amount: int) -> Any:
        """Return the module, or None where numba is missing or so far too little was to do."""
        module = loaded(self.name)
        if module is not None or self._left <= 0:
            return module  # not there after it was asked for: then it never is
        self._left -= amount
        return compiled(self.name) if self._left <= 0 else None


def loop(function: Loop) -> Loop:
    """Return a function that numba compiles when it is first called, for loops that have no other form.

    What is compiled is kept in numba's cache, and compiled by one process while others that need it wait; where numba finds no place
    for a cache (a read-only installation and home), every process compiles anew. No fast maths, and a division by zero gives what NumPy's does.

    Numba takes a loop from its cache as long as the file of that loop is as it was, though it holds what was compiled of the
    files that it imports. So the name it is kept under has a hash of all files of loops beside it, and of those of `audiosynth.sound`.
    """
    import numba

    how: dict[str, Any] = {"fastmath": False, "error_model": "numpy"}
    function.__qualname__ += f"_{_hash_of_loops(Path(function.__code__.co_filename).parent)}"
    made: Loop
    try:
        made = _in_turn(numba.njit(cache=True, **how)(function))
    except RuntimeError:  # it looks for the place here, and says no more than that there is none
        made = numba.njit(**how)(function)
    return made


@lru_cache
def _hash_of_loops(folder: Path) -> str:
    digest = hashlib.sha256()
    folders = {folder, Path(__file__).parent / "sound"}
    for path in sorted({path for place in folders for path in place.glob("*_kernel.py")}):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _in_turn(made: Any) -> Any:
    """Have processes that find a loop in no cache compile it one at a time: all but the first find it there then."""
    if hasattr(getattr(made, "_cache", None), "load_overload") and made.stats.cache_path:  # known by no other name
        turn = _Turn(made)
        made._cache.load_overload, made.compile = turn.load, turn.compile
    return made


class _Turn:
    """Stands between numba and its cache of a loop: whoever finds nothing there holds the loop's lock until it is compiled.

    A process waits for a loop while it holds the locks of those that call it, and none calls itself, so no two wait for each other.
    """

    def __init__(self, made: Any) -> None:
        self._load, self._compile = made._cache.load_overload, made.compile
        self._file = Path(made.stats.cache_path, f"{made.__qualname__}.lock")
        self._lock, self._held = ExitStack(), False

    def load(self, signature: Any, target: Any) -> Any:
        """Return what is in the cache, once nobody else compiles it; None if it is for this process to compile."""
        found = self._load(signature, target)
        if found is None and not self._held:
            with suppress(OSError):  # a place without locks: then each compiles for itself
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._lock.enter_context(locked_file(self._file, wait=True))
                self._held = True
            found = self._load(signature, target)
        return found

    def compile(self, signature: Any) -> Any:
        """Load or compile the loop, and let others do so."""
        try:
            return self._compile(signature)
        finally:
            self._lock.close()
            self._held = False
