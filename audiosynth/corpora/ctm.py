"""CTM: the time of every word, ``<id> <channel> <begin> <duration> <word> [confidence]``."""

from __future__ import annotations

from pathlib import Path

from audiosynth.corpora.files import Corpus
from audiosynth.corpora.utterance import Mark


def marks_by_id(corpus: Corpus, path: Path) -> dict[str, tuple[Mark, ...]]:
    """Return the words of a CTM file by the id they stand under, in order of time; lines that are none are problems.

    Comments (``;;``) are passed over, and so are words without length, which aligners write for what they could not find.

    References
    ----------
    NIST, SCTK, "CTM hypothesis file format" (``doc/infmts.htm``).
    """
    found: dict[str, list[Mark]] = {}
    for where, line in corpus.lines(path):
        if line.startswith(";;"):
            continue
        cells = line.split()
        try:
            begin, duration = float(cells[2]), float(cells[3])
            word = cells[4]
        except (ValueError, IndexError):
            corpus.refuse(where, f"expected id, channel, begin, duration and word, got {line[:80]!r}")
            continue
        if not (0 <= begin < 1e6 and 0 <= duration < 1e6):
            corpus.refuse(where, f"expected a begin and a duration in seconds, got {cells[2]} and {cells[3]}")
        elif duration > 0:
            found.setdefault(cells[0], []).append((round(begin, 6), round(begin + duration, 6), word))
    return {key: tuple(sorted(marks)) for key, marks in found.items()}
