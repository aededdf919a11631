"""Praat's TextGrid, as forced aligners write it: a tier of words and a tier of phones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from audiosynth.corpora.files import whole
from audiosynth.corpora.utterance import Mark
from audiosynth.errors import AssetError

TIERS: Final = {"words": "words", "word": "words", "phones": "phones", "phone": "phones", "phonemes": "phones"}
"""What tiers are called; the Montreal aligner puts the speaker and `` - `` before it."""
SILENT: Final = frozenset({"", "sil", "sp", "spn", "<eps>", "<sil>", "SIL"})
"""Texts of intervals in which nothing is said."""
_TOKEN: Final = re.compile(r'"(?:[^"]|"")*"|[^\s"]+')
_INTERVALS: Final = "IntervalTier"


def read_marks(path: Path) -> dict[str, tuple[Mark, ...]]:
    """Return the marks of the tiers of words and of phones, each in order of time; intervals of silence are left out.

    Praat reads a text file by its numbers, quoted texts and ``<flags>`` alone, whatever stands between, so the long and the
    short form are one to this reader too.

    References
    ----------
    Praat manual, "TextGrid file formats".

    Raises
    ------
    AssetError
        If it is no TextGrid in UTF-8.
    """
    text = whole(path)
    # What is neither a number, nor quoted, nor a flag, is a comment: `xmin =`, `intervals [3]:`, `item []:`.
    tokens = [t for t in _TOKEN.findall(text) if t[0] == '"' or t[0] == "<" or _is_number(t)]
    if tokens[:2] != ['"ooTextFile"', '"TextGrid"']:
        raise AssetError(f"{path}: is no TextGrid as text; expected 'ooTextFile' and 'TextGrid' first")
    found: dict[str, list[Mark]] = {}
    try:
        at, n_tiers = 6, int(tokens[5])  # behind xmin, xmax and <exists>
        for _ in range(n_tiers):
            at = _tier(tokens, at, found)
    except (ValueError, IndexError):
        raise AssetError(f"{path}: is cut off or damaged as a TextGrid") from None
    return {key: tuple(sorted(marks)) for key, marks in found.items()}


def _tier(tokens: list[str], at: int, found: dict[str, list[Mark]]) -> int:
    """Take in one tier and return where the next begins."""
    kind, name, n = tokens[at].strip('"'), tokens[at + 1].strip('"'), int(tokens[at + 4])
    key = TIERS.get(name.rpartition(" - ")[2].strip().casefold())
    step = 3 if kind == _INTERVALS else 2
    at += 5
    for i in range(at, at + n * step, step):
        if step == 3 and key is not None:
            onset, offset, text = float(tokens[i]), float(tokens[i + 1]), tokens[i + 2]
            if text[:1] != '"':
                raise ValueError(text)
            said = text[1:-1].replace('""', '"').strip()
            if said not in SILENT and offset > onset >= 0:
                found.setdefault(key, []).append((round(onset, 6), round(offset, 6), said))
    end = at + n * step
    if end > len(tokens):
        raise IndexError(end)
    return end


def _is_number(token: str) -> bool:
    return re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", token) is not None
