"""Work in steps, so that many pieces of it can take each step one after the other: what does the same finds a processor's caches full."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

Made = TypeVar("Made")
Steps = Generator[None, None, Made]
"""Yields between two steps, and returns what was made."""


def advance(steps: Steps[Made]) -> Made | None:
    """Take the next step; returns what was made if it was the last, else None.

    Examples
    --------
    >>> def work():
    ...     yield
    ...     return "done"
    >>> steps = work()
    >>> advance(steps), advance(steps)
    (None, 'done')
    """
    try:
        next(steps)
    except StopIteration as end:
        made: Made = end.value
        return made
    return None


def run(steps: Steps[Made]) -> Made:
    """Take all steps."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: Made = end.value
            return made
