"""Compiled loops: modules that numba compiles when they are first used, loaded only by those who are about to run them."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

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


def loop(function: Loop) -> Loop:
    """Return a function that numba compiles when it is first called, for loops that have no other form.

    What is compiled is kept in numba's cache; where numba finds no place for one (a read-only installation and home), every
    process compiles anew. No fast maths, and a division by zero gives what NumPy's does.

    Numba takes a loop from its cache as long as the file of that loop is as it was, though it holds what was compiled of the
    files that it imports. So the name it is kept under has a hash of all files of loops beside it.
    """
    import numba

    how: dict[str, Any] = {"fastmath": False, "error_model": "numpy"}
    function.__qualname__ += f"_{_hash_of_loops(Path(function.__code__.co_filename).parent)}"
    made: Loop
    try:
        made = numba.njit(cache=True, **how)(function)
    except RuntimeError:  # it looks for the place here, and says no more than that there is none
        made = numba.njit(**how)(function)
    return made


@lru_cache
def _hash_of_loops(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*_kernel.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
