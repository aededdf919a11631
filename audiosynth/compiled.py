"""Compiled loops: modules that numba compiles when they are first used, loaded only by those who are about to run them."""

from __future__ import annotations

import importlib
from typing import Any


def compiled(name: str) -> Any:
    """Return a module of compiled loops, or None where numba is missing or finds no place for its cache.

    Loading numba takes most of a second.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError):
        return None
