"""Pronunciations that a recipe gives for single words: in libespeak-ng's mnemonics, or as CMUdict and its kin write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audiosynth.errors import ParameterError

ARPABET: Final = {
    "AA": "A:", "AE": "a", "AH": "V", "AO": "O:", "AW": "aU", "AY": "aI", "B": "b", "CH": "tS", "D": "d", "DH": "D",
    "EH": "E", "ER": "3:", "EY": "eI", "F": "f", "G": "g", "HH": "h", "IH": "I", "IY": "i:", "JH": "dZ", "K": "k", "L": "l",
    "M": "m", "N": "n", "NG": "N", "OW": "oU", "OY": "OI", "P": "p", "R": "r", "S": "s", "SH": "S", "T": "t", "TH": "T",
    "UH": "U", "UW": "u:", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "Z",
}  # fmt: skip
"""Phones of the CMU Pronouncing Dictionary in the mnemonics of libespeak-ng's English."""
UNSTRESSED: Final = {"AH": "@", "ER": "3", "IY": "i"}
"""Vowels that are other sounds where they carry no stress."""
STRESS: Final = {"0": "", "1": "'", "2": ","}
_AROUND: Final = ".,;:!?…\"'“”‘’()"
"""Punctuation at the ends of a written word."""


def mnemonics_of(pronunciation: str) -> str:
    """Return a word's pronunciation in libespeak-ng's mnemonics: as it is, or from the phones of CMUdict.

    Raises
    ------
    ParameterError
        If it has blanks and is not of CMUdict's phones.

    Examples
    --------
    >>> mnemonics_of("D EY1 T AH0"), mnemonics_of("d'eIt@")
    ("d'eIt@", "d'eIt@")
    """
    phones = [(item.rstrip("012"), item[len(item.rstrip("012")) :]) for item in pronunciation.split()]
    if not any(digit for _, digit in phones) or any(name not in ARPABET for name, _ in phones):
        if len(phones) > 1:
            raise ParameterError(
                f"pronounce: '{pronunciation[:80]}' has blanks, so it should be phones as in CMUdict, vowels with their stress "
                "(D EY1 T AH0); the mnemonics of one word have none (d'eIt@)"
            )
        return pronunciation
    return "".join(
        STRESS[digit or "0"] + (UNSTRESSED.get(name, ARPABET[name]) if digit == "0" else ARPABET[name])
        for name, digit in phones
    )


def bare(word: str) -> str:
    """Return a written word without the punctuation around it, in lower case.

    Examples
    --------
    >>> bare("“Data,")
    'data'
    """
    return word.strip(_AROUND).lower()


def pronounced(text: str, pronunciations: Mapping[str, str]) -> str:
    """Return a text for libespeak-ng in which some words stand as mnemonics.

    Raises
    ------
    ParameterError
        If a word that is pronounced is not in the text.

    Examples
    --------
    >>> pronounced("say data, please", {"data": "D AE1 T AH0"})
    "say [[d'at@]], please"
    """
    known = {bare(word): mnemonics_of(how) for word, how in pronunciations.items()}
    words = text.split()
    missing = sorted(set(known) - {bare(word) for word in words})
    if missing:
        raise ParameterError(f"pronounce: the word '{missing[0]}' is not in the text '{text[:80]}'")
    return " ".join(_replaced(word, known) for word in words)


def _replaced(word: str, known: Mapping[str, str]) -> str:
    how = known.get(bare(word))
    if how is None:
        return word
    inner = word.strip(_AROUND)
    before, _, after = word.partition(inner)
    return f"{before}[[{how}]]{after}"
