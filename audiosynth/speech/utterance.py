"""One utterance: what an engine is asked, and what it gives: sound, and when each word and phone is heard."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from audiosynth.clip import Array
from audiosynth.speech.voices import Voice


class Mark(NamedTuple):
    """A word or phone of speech, from its onset to its offset in samples; `token` is the number of its word in the text."""

    kind: Literal["word", "phone"]
    text: str
    onset: int
    offset: int
    token: int


@dataclass(frozen=True)
class Order:
    """What is to be said, and how.

    Attributes
    ----------
    voice
        Who says it.
    text
        The words, which name the marks.
    phonemes
        Their pronunciation in libespeak-ng's mnemonics, word for word; None for the engine's own.
    pronounce
        (word, pronunciation) of single words.
    ending
        Punctuation that sets the tune.
    rate
        Words per minute; for engines without such a scale, against 175.
    word_gap
        Pause between words in units of 10 ms.
    seed
        Of the engine's noises.
    """

    voice: Voice
    text: str
    phonemes: str | None = None
    pronounce: tuple[tuple[str, str], ...] = ()
    ending: str = ""
    rate: int = 175
    word_gap: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Utterance:
    """What was said.

    Attributes
    ----------
    y
        Samples, float64, shape (n_samples,).
    sr
        Their rate in Hz.
    marks
        Words and phones in order of onset, words before their phones.
    """

    y: Array
    sr: int
    marks: tuple[Mark, ...]


def tokens(text: str) -> list[tuple[int, str]]:
    """Return (position, word) of what blanks separate.

    Examples
    --------
    >>> tokens("hey computer")
    [(0, 'hey'), (4, 'computer')]
    """
    found, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        found.append((at, word))
        at += len(word)
    return found


def marks_of(
    words: Sequence[tuple[int, int]],
    phones: Sequence[tuple[int, str]],
    written: Sequence[tuple[int, str]],
    names: Sequence[str] | None = None,
) -> tuple[Mark, ...]:
    """Return words and phones with onsets and offsets from an engine's events.

    Parameters
    ----------
    words
        (sample, position in the text) where a word begins, closure of its first stop included.
    phones
        (sample, IPA) where a phone is first heard; empty for pauses, and at the end.
    written
        (position, word) of the text; events inside one word ("e-mail", "123") are one mark.
    names
        What to call the words instead.

    Examples
    --------
    >>> marks = marks_of([(0, 0), (50, 3)], [(5, "h"), (20, "a"), (60, "b"), (80, "")], [(0, "ha"), (3, "b")])
    >>> [(m.text, m.onset, m.offset) for m in marks]
    [('ha', 5, 50), ('h', 5, 20), ('a', 20, 50), ('b', 60, 80), ('b', 60, 80)]
    """
    starts = [position for position, _ in written]
    borders = sorted({sample for sample, _ in words})
    heard: list[tuple[str, int, int]] = []
    for (onset, phone), (after, _) in pairwise(phones):
        if phone:
            border = bisect_right(borders, onset)
            offset = min(after, borders[border]) if border < len(borders) else after
            heard.append((phone, onset, max(offset, onset)))
    spans: dict[int, list[int]] = {}  # of each token, the numbers of its events
    for k, (_, position) in enumerate(words):
        spans.setdefault(max(0, bisect_right(starts, position) - 1), []).append(k)
    out: list[Mark] = []
    for i, (_, word) in enumerate(written):
        if i not in spans:
            continue
        first, after = words[spans[i][0]][0], spans[i][-1] + 1
        last = max(words[after][0] if after < len(words) else phones[-1][0], first + 1)
        inside = [Mark("phone", *m, i) for m in heard if first <= m[1] < last]
        if inside:
            name = word if names is None else names[i]
            out += [Mark("word", name, inside[0].onset, inside[-1].offset, i), *inside]
    return tuple(out)
