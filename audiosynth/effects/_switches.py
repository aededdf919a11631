"""What the codecs share whose rate may change while they run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Final

from pydantic import Field

After = Annotated[float, Field(gt=0, le=86_400)]
"""Seconds from the start of the sound."""
MOST: Final = 1000
"""Changes in one sound."""


def require_rising(switches: Sequence[tuple[float, float]]) -> None:
    """Refuse changes that are not in order of time.

    Raises
    ------
    ValueError
        Naming the first.
    """
    for (a, _), (b, _) in pairwise(switches):
        if b <= a:
            raise ValueError(f"switches: {b:g} s stands behind {a:g} s; give them in order of time, each once")
