"""The phoneme mnemonics of libespeak-ng, read from its own table: it passes over unknown ones without a word."""

from __future__ import annotations

from functools import cache
from typing import Final

from audiosynth.errors import ParameterError
from audiosynth.speech import espeak

_TABLE_HEAD: Final = 36  # two counts, two bytes unused, a name of 32 bytes
_NAME: Final = 32
_ENTRY: Final = 16  # PHONEME_TAB of phoneme.h; the mnemonic is its first four bytes
_BETWEEN: Final = frozenset(" |")
"""Word break, and what keeps two letters from being read as one mnemonic."""


@cache
def _tables() -> dict[str, tuple[int, tuple[str, ...]]]:
    """Return (number of the table it builds on, own mnemonics) of each phoneme table, in their order."""
    raw = (espeak.files().data / "phontab").read_bytes()
    found: dict[str, tuple[int, tuple[str, ...]]] = {}
    at = 4
    for _ in range(raw[0]):
        count, base = raw[at], raw[at + 1]
        name = raw[at + _TABLE_HEAD - _NAME : at + _TABLE_HEAD].split(b"\0")[0].decode("latin-1")
        at += _TABLE_HEAD
        entries = [raw[at + _ENTRY * i : at + _ENTRY * i + 4] for i in range(count)]
        found[name] = (base, tuple(e.rstrip(b"\0").decode("latin-1") for e in entries))
        at += _ENTRY * count
    return found


@cache
def mnemonics(language: str) -> frozenset[str]:
    """Return the mnemonics that a language knows: those of its own table and of all it builds on.

    Examples
    --------
    >>> not espeak.installed() or {"eI", "tS", "@"} < mnemonics("en-us")
    True
    """
    tables = _tables()
    names = list(tables)
    lines = [line.split() for line in espeak.languages()[language].read_text(encoding="utf-8").splitlines()]
    given = [line[1] for line in lines if line[:1] == ["phonemes"] and len(line) > 1]
    codes = [line[1] for line in lines if line[:1] == ["language"] and len(line) > 1]
    name = next((n for n in (*given[-1:], *codes, language.partition("-")[0]) if n in tables), "base1")
    found: set[str] = set()
    while True:
        base, own = tables[name]
        found.update(m for m in own if m)
        if base == 0 or names[base - 1] == name:
            return frozenset(found)
        name = names[base - 1]


def require_known(phonemes: str, *, language: str, where: str = "phonemes") -> None:
    """Refuse a text of mnemonics with one that the language does not know.

    Raises
    ------
    ParameterError
        Naming the place.

    Examples
    --------
    >>> if espeak.installed():
    ...     require_known("s'Ev@n", language="en-us")
    """
    known = mnemonics(language)
    longest = max(map(len, known))
    at = 0
    while at < len(phonemes):
        size = next((n for n in range(longest, 0, -1) if phonemes[at : at + n] in known), 0)
        if size == 0 and phonemes[at] not in _BETWEEN:
            raise ParameterError(
                f"{where}: '{phonemes[at : at + 4]}' at character {at + 1} of '{phonemes[:80]}' is no phoneme of {language}; "
                "libespeak-ng's mnemonics are ASCII (h'eI k@mpj'u:t3); `espeak-ng -x TEXT` prints them"
            )
        at += max(1, size)
