"""Phrases that are not the keyword: near to it in sound, parts of it, and ordinary speech, each with why and how near."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, permutations, product
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from audiosynth.errors import ParameterError
from audiosynth.speech.lexicons import sentences, words_of
from audiosynth.speech.phones import Pronounced, contains, distances, parse

Kind = Literal["alike", "prefix", "rhyme", "partial", "shuffled", "random", "sentence", "foreign"]
MAX_COMBINED: Final = 20_000
"""Most phrases put together from near words before they are ranked."""
MAX_SHUFFLED: Final = 5_000
NEAR: Final = 0.75
"""Farthest that a word may be and still be called alike: beyond, next to nothing of the sound is shared."""


Transcribe = Callable[[Sequence[str], str], Sequence[str]]
"""(texts, language) → the IPA of each."""


class NegativesSpec(BaseModel):
    """The negatives of a recipe: of which phrases, and which kinds.

    Attributes
    ----------
    of
        The phrases to be told apart from.
    kinds
        ``alike``: nearest in sound, word for word; ``prefix``: words that begin like one of the phrase's; ``rhyme``: words
        that end like its last; ``partial``: some of its words, or the beginning of a single one; ``shuffled``: its words in
        another order; ``random``: words of the lexicon; ``sentence``, ``foreign``: sentences of this language or others.
    n
        Most of each kind.
    language
        Whose pronunciation counts; a language or accent of libespeak-ng.
    lexicon
        A text file of words, one a line, below the recipe's folder; for English, common words come along.
    nearest
        Leaves out what is nearer than this (0 the same sound, 1 as far as silence).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    of: tuple[str, ...] = Field(min_length=1, max_length=100, strict=False)
    kinds: tuple[Kind, ...] = Field(("alike", "partial", "random", "sentence"), min_length=1, strict=False)
    n: int = Field(100, ge=1, le=5000)
    language: str = Field("en-us", pattern=r"^[A-Za-z0-9-]{1,32}$")
    lexicon: str | None = None
    nearest: float = Field(0.0, ge=0, le=1)

    @field_validator("of")
    @classmethod
    def _words(cls, of: tuple[str, ...]) -> tuple[str, ...]:
        if any(not phrase.strip() or len(phrase) > 200 for phrase in of):
            raise ValueError("expected phrases of 1 to 200 characters")
        return of


@dataclass(frozen=True)
class Negative:
    """One phrase.

    Attributes
    ----------
    text, language
        What is said, and in which language (None: the voice's own).
    kind, of
        Why it is a negative, and of which phrase.
    distance
        `phones.distances` to that phrase; of sentences, that of their nearest stretch.
    """

    text: str
    kind: str
    of: str
    distance: float
    language: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a recipe sees them."""
        return {
            "text": self.text, "kind": self.kind, "of": self.of, "distance": self.distance, "language": self.language,
        }  # fmt: skip


def find_negatives(
    spec: NegativesSpec,
    *,
    transcribe: Transcribe,
    folder: Path | None = None,
    seed: int = 0,
) -> tuple[Negative, ...]:
    """Return the negatives of some phrases, nearest first within a kind, each text once.

    Parameters
    ----------
    spec
        As a recipe writes it.
    transcribe
        Gives the IPA of each text in a language (`espeak.transcribe`).
    folder
        Where a `lexicon` stands.
    seed
        Of the order of random words and sentences.

    Raises
    ------
    ParameterError
        If a kind has nothing to offer, such as a phrase whose only near words are homophones.
    """
    return tuple(_Finder(spec, transcribe, folder, seed).all())


class _Finder:
    def __init__(self, spec: NegativesSpec, transcribe: Transcribe, folder: Path | None, seed: int) -> None:
        self.spec, self.transcribe, self.folder, self.seed = spec, transcribe, folder, seed
        self.targets = dict(zip(spec.of, self.said(spec.of), strict=True))
        self.homophones: list[str] = []

    def said(self, texts: Sequence[str], language: str | None = None) -> list[Pronounced]:
        """Return pronunciations, in the phrases' language if no other is given."""
        return [parse(ipa) for ipa in self.transcribe(texts, language or self.spec.language)] if texts else []

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Return the words of the lexicon."""
        return words_of(self.spec.language, self.spec.lexicon, self.folder)

    @cached_property
    def sounds(self) -> list[Pronounced]:
        """Return their pronunciations."""
        return self.said(self.words)

    def all(self) -> Iterator[Negative]:
        """Yield the negatives, kind by kind."""
        makers = {
            "alike": self.alike, "prefix": self.prefix, "rhyme": self.rhyme, "partial": self.partial,
            "shuffled": self.shuffled, "random": self.random, "sentence": self.sentence, "foreign": self.foreign,
        }  # fmt: skip
        used: set[str] = set()
        empty: list[str] = []
        for kind in self.spec.kinds:
            self.homophones = []
            texts = {phrase: makers[kind](phrase) for phrase in self.spec.of}
            found = [n for phrase, some in texts.items() for n in self.kept(some, kind, phrase) if n.text not in used]
            if not found and self.homophones:
                raise ParameterError(self.only_homophones(kind))
            if not found:
                empty.append(kind)
                continue
            best = sorted(found, key=lambda n: (n.distance, n.text)) if kind in ("alike", "prefix", "rhyme") else found
            chosen = list(islice(_once(best), self.spec.n))
            used.update(n.text for n in chosen)
            yield from chosen
        if empty:
            raise ParameterError(self.nothing(empty))

    def phrases(self) -> str:
        """Return the phrases as messages name them."""
        return ", ".join(f"'{p}'" for p in self.spec.of)

    def only_homophones(self, kind: str) -> str:
        """Return why a kind is empty whose phrases are there and are no negatives."""
        same = ", ".join(sorted(set(self.homophones))[:8])
        return (
            f"negatives: all that is '{kind}' for {self.phrases()} sounds just like it or holds it ({same}); add kinds, or a "
            "larger lexicon"
        )

    def nothing(self, empty: Sequence[str]) -> str:
        """Return which kinds are empty, all at once, and which are left."""
        kinds = " or ".join(f"'{kind}'" for kind in empty)
        left = [kind for kind in self.spec.kinds if kind not in empty]
        out = f"leave {'this kind' if len(empty) == 1 else 'these kinds'} out"
        rest = f" (kinds: [{', '.join(left)}])" if left else " and name others"
        return f"negatives: nothing is {kinds} for {self.phrases()}; {out}{rest}, or give a larger `lexicon`"

    def kept(self, texts: Sequence[tuple[str, str | None]], kind: str, phrase: str) -> Iterator[Negative]:
        """Yield what does not sound like, or hold, any of the phrases."""
        said: dict[str, Pronounced] = {}
        for language in dict.fromkeys(language for _, language in texts):
            some = [text for text, other in texts if other == language]
            said.update(zip(some, self.said(some, language), strict=True))
        phones = [said[text].phones for text, _ in texts]
        far = distances(self.targets[phrase].phones, phones, within=kind in ("sentence", "foreign"))
        for (text, language), heard, distance in zip(texts, phones, far, strict=True):
            if any(contains(heard, target.phones) for target in self.targets.values()):
                self.homophones.append(text)
            elif heard and distance >= self.spec.nearest:
                yield Negative(text, kind, phrase, round(float(distance), 4), language)

    def alike(self, phrase: str) -> list[tuple[str, str | None]]:
        """Return phrases with one or all words replaced by near ones."""
        words = phrase.split()
        most = max(2, int(MAX_COMBINED ** (1.0 / len(words))))
        near = [[word, *self.near(word, most - 1)] for word in words]
        own = phrase.lower()
        found = [" ".join(some) for some in islice(product(*near), MAX_COMBINED)]
        return [(text, None) for text in found if text.lower() != own]

    def near(self, word: str, most: int) -> list[str]:
        """Return the words of the lexicon nearest in sound."""
        far = distances(self.said([word])[0].phones, [p.phones for p in self.sounds])
        order = sorted(range(len(self.words)), key=lambda i: (far[i], self.words[i]))
        return [self.words[i] for i in order if far[i] <= NEAR and self.words[i] != word.lower()][:most]

    def prefix(self, phrase: str) -> list[tuple[str, str | None]]:
        """Return words that share at least the first half of a word's phones, and two."""
        heads = [p.phones[: max(2, (len(p.phones) + 1) // 2)] for p in self.said(phrase.split()) if len(p.phones) > 1]
        found = [w for w, p in zip(self.words, self.sounds, strict=True) if any(p.phones[: len(h)] == h for h in heads)]
        return [(w, None) for w in found if w not in phrase.lower().split()]

    def rhyme(self, phrase: str) -> list[tuple[str, str | None]]:
        """Return words that are the same from the stressed vowel of the last word on."""
        last = self.said(phrase.split()[-1:])[0]
        tail = last.phones[last.stressed or 0 :]
        found: list[tuple[str, str | None]] = []
        for word, p in zip(self.words, self.sounds, strict=True):
            if p.stressed is not None and p.phones[p.stressed :] == tail and p.phones != last.phones:
                found.append((word, None))
        return found

    def partial(self, phrase: str) -> list[tuple[str, str | None]]:
        """Return runs of the phrase's words, and the beginnings of those that are long enough."""
        words = phrase.split()
        n = len(words)
        runs = [" ".join(words[a:b]) for a in range(n) for b in range(a + 1, n + 1) if b - a < n]
        heads = []
        for i, (word, said) in enumerate(zip(words, self.said(words), strict=True)):
            cuts = [word[:k] for k in range(3, len(word) - 1)] if len(said.phones) > 3 else []
            heads += [" ".join([*words[:i], cut]) for cut in cuts]
        return [(text, None) for text in dict.fromkeys([*runs, *heads])]

    def shuffled(self, phrase: str) -> list[tuple[str, str | None]]:
        """Return the words in every other order."""
        words = phrase.split()
        orders = islice(permutations(words), MAX_SHUFFLED)
        return [(text, None) for text in dict.fromkeys(map(" ".join, orders)) if text != phrase]

    def random(self, phrase: str) -> list[tuple[str, str | None]]:
        """Return as many words as the phrase has, dealt from the lexicon."""
        dealt = self.dealt(self.words, "random")
        n = len(phrase.split())
        groups = [" ".join(dealt[i : i + n]) for i in range(0, len(dealt) - n + 1, n)]
        return [(text, None) for text in groups[: 2 * self.spec.n]]

    def sentence(self, phrase: str) -> list[tuple[str, str | None]]:  # noqa: ARG002
        """Return sentences of the language."""
        return [(text, None) for text in self.dealt([t for lang, t in sentences() if lang == self.base()], "sentence")]

    def foreign(self, phrase: str) -> list[tuple[str, str | None]]:  # noqa: ARG002
        """Return sentences of other languages."""
        others = {text: lang for lang, text in sentences() if lang != self.base()}
        return [(text, others[text]) for text in self.dealt(list(others), "foreign")]

    def base(self) -> str:
        """Return the language without its accent."""
        return self.spec.language.partition("-")[0]

    def dealt(self, items: Sequence[str], what: str) -> list[str]:
        """Return items in an order that depends on the seed alone."""
        return sorted(items, key=lambda item: hashlib.sha256(f"{self.seed}\0{what}\0{item}".encode()).digest())


def _once(found: Sequence[Negative]) -> Iterator[Negative]:
    seen: set[str] = set()
    for item in found:
        if item.text not in seen:
            seen.add(item.text)
            yield item
