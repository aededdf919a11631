"""How alike phones and pronunciations sound: a weighted edit distance over articulatory features."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

# Height (0 close, 1 open), backness (0 front, 1 back), rounding: the vowel chart of the International Phonetic
# Association (2020), its seven heights and three columns evenly spaced. R-colour counts as rounding: both lower F3.
_VOWELS: Final = {
    "i": (0, 0, 0), "y": (0, 0, 1), "ɨ": (0, 0.5, 0), "ʉ": (0, 0.5, 1), "ɯ": (0, 1, 0), "u": (0, 1, 1),
    "ɪ": (0.17, 0.2, 0), "ʏ": (0.17, 0.2, 1), "ʊ": (0.17, 0.8, 1), "e": (0.33, 0, 0), "ø": (0.33, 0, 1),
    "ɘ": (0.33, 0.5, 0), "ɵ": (0.33, 0.5, 1), "ɤ": (0.33, 1, 0), "o": (0.33, 1, 1), "ə": (0.5, 0.5, 0),
    "ɚ": (0.5, 0.5, 1), "ᵻ": (0.17, 0.4, 0), "ɛ": (0.67, 0, 0), "œ": (0.67, 0, 1), "ɜ": (0.67, 0.5, 0), "ɝ": (0.67, 0.5, 0),
    "ɞ": (0.67, 0.5, 1), "ʌ": (0.67, 1, 0), "ɔ": (0.67, 1, 1), "æ": (0.83, 0, 0), "ɐ": (0.83, 0.5, 0), "a": (1, 0.2, 0),
    "ɶ": (1, 0, 1), "ɑ": (1, 1, 0), "ɒ": (1, 1, 1),
}  # fmt: skip
# Place (0 lips, 1 glottis, in the order of the chart's columns), manner, voicing.
_CONSONANTS: Final = {
    "p": (0, "plosive", 0), "b": (0, "plosive", 1), "t": (0.3, "plosive", 0), "d": (0.3, "plosive", 1),
    "ʈ": (0.5, "plosive", 0), "ɖ": (0.5, "plosive", 1), "c": (0.6, "plosive", 0), "ɟ": (0.6, "plosive", 1),
    "k": (0.7, "plosive", 0), "ɡ": (0.7, "plosive", 1), "g": (0.7, "plosive", 1), "q": (0.8, "plosive", 0),
    "ɢ": (0.8, "plosive", 1), "ʔ": (1, "plosive", 0), "m": (0, "nasal", 1), "ɱ": (0.1, "nasal", 1), "n": (0.3, "nasal", 1),
    "ɳ": (0.5, "nasal", 1), "ɲ": (0.6, "nasal", 1), "ŋ": (0.7, "nasal", 1), "ɴ": (0.8, "nasal", 1),
    "r": (0.3, "tap", 1), "ɾ": (0.3, "tap", 1), "ʀ": (0.8, "tap", 1), "ɽ": (0.5, "tap", 1),
    "ɸ": (0, "fricative", 0), "β": (0, "fricative", 1), "f": (0.1, "fricative", 0), "v": (0.1, "fricative", 1),
    "θ": (0.2, "fricative", 0), "ð": (0.2, "fricative", 1), "s": (0.3, "fricative", 0), "z": (0.3, "fricative", 1),
    "ʃ": (0.4, "fricative", 0), "ʒ": (0.4, "fricative", 1), "ʂ": (0.5, "fricative", 0), "ʐ": (0.5, "fricative", 1),
    "ç": (0.6, "fricative", 0), "ʝ": (0.6, "fricative", 1), "x": (0.7, "fricative", 0), "ɣ": (0.7, "fricative", 1),
    "χ": (0.8, "fricative", 0), "ʁ": (0.8, "fricative", 1), "ħ": (0.9, "fricative", 0), "ʕ": (0.9, "fricative", 1),
    "h": (1, "fricative", 0), "ɦ": (1, "fricative", 1), "tʃ": (0.4, "affricate", 0), "dʒ": (0.4, "affricate", 1),
    "ts": (0.3, "affricate", 0), "dz": (0.3, "affricate", 1), "pf": (0.1, "affricate", 0), "tɕ": (0.5, "affricate", 0),
    "dʑ": (0.5, "affricate", 1), "ɕ": (0.5, "fricative", 0), "ʑ": (0.5, "fricative", 1), "ʋ": (0.1, "approximant", 1),
    "ɹ": (0.35, "approximant", 1), "ɻ": (0.5, "approximant", 1), "j": (0.6, "approximant", 1), "ɰ": (0.7, "approximant", 1),
    "w": (0.35, "approximant", 1), "l": (0.3, "lateral", 1), "ɫ": (0.35, "lateral", 1), "ʎ": (0.6, "lateral", 1),
}  # fmt: skip
_MANNERS: Final = {
    "plosive": 0.0,
    "affricate": 0.25,
    "fricative": 0.5,
    "nasal": 0.9,
    "tap": 0.8,
    "lateral": 1.2,
    "approximant": 1.3,
}
"""Manners along a line from the most to the least closed vocal tract."""
HEIGHT, BACKNESS, ROUNDING = 0.6, 0.4, 0.15
PLACE, MANNER, VOICING = 0.5, 0.6, 0.2
ACROSS: Final = 1.3
"""A vowel for a consonant: more than leaving one out, less than leaving one out and putting one in."""
GAP_VOWEL, GAP_CONSONANT, GAP_WEAK = 0.9, 0.8, 0.45
"""To leave a phone out or put one in; weak ones are schwa, h and glottal stop, which fluent speech drops."""
_WEAK: Final = frozenset("əɐᵻhʔɚ")
_MARKS: Final = "ˈˌːˑ.‿|"


class Pronounced(NamedTuple):
    """A pronunciation: its phones without stress and length, and which of them is the vowel under primary stress."""

    phones: tuple[str, ...]
    stressed: int | None


def parse(ipa: str) -> Pronounced:
    """Return the phones of a transcription whose phones are separated by underscores and blanks.

    Examples
    --------
    >>> parse("s_ˈɛ_v_ə_n")
    Pronounced(phones=('s', 'ɛ', 'v', 'ə', 'n'), stressed=1)
    """
    phones: list[str] = []
    stressed: int | None = None
    for raw in ipa.replace(" ", "_").split("_"):
        if raw.startswith("(") and raw.endswith(")"):  # libespeak-ng's mark of another language
            continue
        plain = "".join(
            c for c in unicodedata.normalize("NFD", raw) if c not in _MARKS and not unicodedata.combining(c)
        )
        if plain:
            if "ˈ" in raw:
                stressed = len(phones)
            # libespeak-ng has "here" as h_ˈɪɹ
            phones += [plain[:-1], "ɹ"] if len(plain) > 1 and plain[-1] == "ɹ" and plain[0] in _VOWELS else [plain]
    return Pronounced(tuple(phones), stressed)


@cache
def _vowel(phone: str) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Return where a vowel begins and ends."""
    known = [c for c in phone if c in _VOWELS]
    if not known or phone in _CONSONANTS or phone[0] not in _VOWELS:
        return None
    return _VOWELS[known[0]], _VOWELS[known[-1]]


@cache
def difference(a: str, b: str) -> float:
    """Return how unlike two phones are: 0 the same, up to about 1.3.

    Examples
    --------
    >>> difference("s", "z") < difference("s", "m") < difference("s", "ɑ")
    True
    """
    if a == b:
        return 0.0
    first, second = _vowel(a), _vowel(b)
    if first is not None and second is not None:
        weights = (HEIGHT, BACKNESS, ROUNDING)
        ends = zip(first, second, strict=True)
        moved = sum(w * abs(x - y) for p, q in ends for w, x, y in zip(weights, p, q, strict=True)) / 2.0
        return max(0.05, moved)
    if first is not None or second is not None:
        return ACROSS
    one, two = (_CONSONANTS.get(p) or _CONSONANTS.get(p[:1]) for p in (a, b))
    if one is None or two is None:
        return 1.0
    manner = abs(_MANNERS[one[1]] - _MANNERS[two[1]])
    return max(0.05, PLACE * min(1.0, 1.5 * abs(one[0] - two[0])) + MANNER * manner + VOICING * abs(one[2] - two[2]))


@cache
def gap(phone: str) -> float:
    """Return what leaving a phone out costs."""
    if phone in _WEAK:
        return GAP_WEAK
    return GAP_VOWEL if _vowel(phone) is not None else GAP_CONSONANT


def distances(
    target: Sequence[str], others: Sequence[Sequence[str]], *, within: bool = False
) -> npt.NDArray[np.float64]:
    """Return the weighted edit distance of a pronunciation to each of several.

    Parameters
    ----------
    target, others
        Phones, as `parse` gives them.
    within
        To the nearest stretch of each (Sellers 1980) instead of the whole.

    Returns
    -------
    distance
        Shape (len(others),): the least sum of differences and gaps (Wagner & Fischer 1974), divided by the sum of the
        target's gaps, so that 0 is the same and 1 as far as saying nothing.

    Examples
    --------
    >>> seven, heaven, dog = (parse(x).phones for x in ("s_ɛ_v_ə_n", "h_ɛ_v_ə_n", "d_ɔ_ɡ"))
    >>> near, far = distances(seven, [heaven, dog])
    >>> bool(near < 0.3 < far)
    True
    """
    inventory = sorted({p for other in others for p in other})
    number = {p: i for i, p in enumerate(inventory)}
    longest = max(map(len, others), default=0)
    codes = np.zeros((len(others), longest), dtype=np.intp)
    for row, other in enumerate(others):
        codes[row, : len(other)] = [number[p] for p in other]
    gaps = np.array([gap(p) for p in inventory] or [0.0])
    lengths = np.array([len(other) for other in others], dtype=np.intp)
    before = np.concatenate([[0.0], np.cumsum([gap(p) for p in target])])
    column = np.tile(before, (len(others), 1))
    best = np.where(lengths == 0, column[:, -1], np.inf)
    costs = [np.array([difference(t, p) for p in inventory] or [0.0]) for t in target]
    for j in range(longest):
        code = codes[:, j]
        fresh = np.empty_like(column)
        fresh[:, 0] = 0.0 if within else column[:, 0] + gaps[code]
        for i, t in enumerate(target):
            replaced = column[:, i] + costs[i][code]
            fresh[:, i + 1] = np.minimum(np.minimum(fresh[:, i] + gap(t), column[:, i + 1] + gaps[code]), replaced)
        column = fresh
        if within:
            best = np.where(lengths > j, np.minimum(best, column[:, -1]), best)
        else:
            best = np.where(lengths == j + 1, column[:, -1], best)
    return np.asarray(best / max(before[-1], 1e-9))


def contains(phones: Sequence[str], part: Sequence[str]) -> bool:
    """Return whether a pronunciation holds another one whole.

    Examples
    --------
    >>> contains(("b", "ɪ", "h", "eɪ", "v"), ("h", "eɪ"))
    True
    """
    n = len(part)
    return any(tuple(phones[i : i + n]) == tuple(part) for i in range(len(phones) - n + 1))
