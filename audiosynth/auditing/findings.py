"""What an audit finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SHOWN: Final = 5
"""Names that one message has."""
State = Literal["fault", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes
    ----------
    check
        leakage, duplicates, memorised, balance, levels, audio or labels.
    state
        ``fault``: the set should not be used so; ``note``: it may be meant.
    message
        What it is, and the way out.
    clips
        Which clips, if it is some.
    """

    check: str
    state: State
    message: str
    clips: tuple[str, ...] = ()
