"""What a corpus says of one utterance: which stretch of which file, who speaks, what is said, and when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from audiosynth.errors import AssetError

Mark = tuple[float, float, str]
"""Onset and offset in seconds from the start of the utterance, and what happens between them."""

STANDARD: Final = ("text", "speaker", "language", "gender", "label")
"""What fields are called here, whatever a format calls them; all others keep their names."""
MAX_NUMBER: Final = 1e12
"""More samples or seconds than any recording has."""
FILLED: Final = frozenset({"id", "path", "sha256", "lossy", "measurements", "events", "words", "phones"})
"""Names that fields of a corpus cannot have, because a catalogue fills them."""


@dataclass(frozen=True)
class Utterance:
    """One utterance.

    Attributes
    ----------
    id
        As the corpus has it.
    audio
        POSIX path of its file below the data root.
    where
        ``file:line``, for messages.
    start, end
        The stretch of the file in seconds; to its end if None.
    in_samples
        `start` and `end` are samples of the file.
    channel
        Number of its channel, from 0; None: all of them.
    sr, n_samples
        Rate in Hz and length that the corpus states for the file; None where it does not.
    duration
        Seconds that the corpus states for the file where it does not state samples.
    fields
        Text, speaker, language and whatever else is known of it.
    words, phones
        Marks, in order.
    """

    id: str
    audio: str
    where: str
    start: float = 0.0
    end: float | None = None
    in_samples: bool = False
    channel: int | None = None
    sr: int | None = None
    n_samples: int | None = None
    duration: float | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[Mark, ...] = ()
    phones: tuple[Mark, ...] = ()

    def meta(self) -> dict[str, Any]:
        """Return what a catalogue holds of it, with lists for marks."""
        marks = {"words": self.words, "phones": self.phones}
        told = {key: [list(mark) for mark in found] for key, found in marks.items() if found}
        return {**own_names(self.fields), **told, "id": self.id}


def own_names(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields without those that are empty; a name that a catalogue fills itself gets ``custom_`` before it.

    Examples
    --------
    >>> own_names({"text": "yes", "path": "/a", "age": None})
    {'text': 'yes', 'custom_path': '/a'}
    """
    return {
        f"custom_{key}" if key in FILLED else key: value for key, value in fields.items() if value not in (None, "")
    }


def between(marks: Iterable[Mark], start: float, end: float | None) -> tuple[Mark, ...]:
    """Return the marks that begin in a stretch, in seconds from its start.

    Examples
    --------
    >>> between([(0.1, 0.2, "a"), (0.5, 0.75, "b")], 0.25, None)
    ((0.25, 0.5, 'b'),)
    """
    mine = (mark for mark in marks if mark[0] >= start and (end is None or mark[0] < end))
    return tuple((round(a - start, 6), round(b - start, 6), text) for a, b, text in mine)


def as_number(value: Any, name: str, *, least: float = 0.0) -> float | None:
    """Return a number of seconds or samples, also one written as text; None for none.

    Raises
    ------
    AssetError
        If it is no number, or less than `least`.

    Examples
    --------
    >>> as_number("1.5", "offset"), as_number(None, "offset"), as_number("", "offset")
    (1.5, None, None)
    """
    if value in (None, ""):
        return None
    try:
        found = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        found = math.nan
    if not least <= found < MAX_NUMBER:
        raise AssetError(f"expected a number from {least:g} as {name}, got {value!r:.40}")
    return found
