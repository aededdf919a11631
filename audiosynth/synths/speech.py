"""Speech: a text in a voice, with the times of its words and phones."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import resample, resampled_length
from audiosynth.errors import ParameterError
from audiosynth.registry import Component
from audiosynth.speech.espeak import RATES
from audiosynth.speech.speaking import needs_of, utter
from audiosynth.speech.utterance import Mark, Order, Utterance
from audiosynth.speech.voices import Voice

MAX_TEXT: Final = 2000
_GAP: Final = 0.01
"""Seconds of libespeak-ng's unit of pauses between words."""
_ENDING: Final = {"question": "?", "command": "!"}
_FASTER: Final = {"hurried": 1.35, "command": 1.1}
"""Rates of speaking styles against the plain one; a hurried speaker also leaves no pauses."""

Text = Annotated[str, Field(max_length=MAX_TEXT)]
Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S+$")]
Pronunciation = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\[\]\n]+$")]


class Context(BaseModel):
    """What is said before and after the phrase, in one breath."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    before: Text = Field("", description="words before")
    after: Text = Field("", description="words after")

    @field_validator("before", "after")
    @classmethod
    def _plain(cls, text: str) -> str:
        return _checked(text)


class Speech(Component):
    """A spoken phrase, with the times of its words and phones as labels below the event's own.

    The event's active part, which its label and its level stand on, is the phrase: from its first audible phone to the
    end of its last, without what `context` puts around it. libespeak-ng gives the same samples for the same numbers,
    whatever was said before (each utterance gets a fresh image of the library), on one version and platform, which the
    row names.

    Parameters
    ----------
    text
        What is said. It names the words.
    phonemes
        Its pronunciation, word for word, in libespeak-ng's mnemonics; for espeak.
    pronounce
        The pronunciation of single words of it, in those mnemonics (``d'eIt@``) or as CMUdict writes them (``D EY1 T AH0``,
        for English); all others are said as the engine knows. For espeak.
    voice
        Who says it: numbers in place, or one of a cast (``voices:``).
    language
        Of this text, where it is not the voice's own: the same speaker in another language or accent. For espeak.
    rate
        Words per minute, 80 to 449. (Beyond, libespeak-ng squeezes the sound but not the times it gives.)
    style
        The tune: as written, as a question, as a command (10 % faster), hurried (35 % faster, no pauses).
    word_gap
        Pause between words, in steps of 10 ms.
    context
        Running speech around the phrase.
    seed
        Of the voice's noises.
    """

    type_name: ClassVar[str] = "speech"
    portability: ClassVar[str] = "pinned"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"text": "hey computer", "seed": 1},
        {"text": "seven", "phonemes": "s'Ev@n", "voice": {"variant": "f3", "vocal_tract": 0.9}, "rate": 220, "seed": 2},
        {
            "text": "stop",
            "style": "command",
            "context": {"before": "please"},
            "voice": {"language": "en-gb"},
            "seed": 3,
        },
    )

    text: str = Field(min_length=1, max_length=MAX_TEXT, description="what is said")
    phonemes: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)] | None = Field(
        None, description="its pronunciation in libespeak-ng's mnemonics"
    )
    pronounce: dict[Word, Pronunciation] = Field(
        default_factory=dict,
        max_length=64,
        description="pronunciation of single words, in mnemonics or CMUdict's phones",
    )
    voice: Voice = Field(Voice(), description="who says it")
    language: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,32}$")] | None = Field(
        None, description="of this text, if not the voice's own (espeak)"
    )
    rate: int = Field(175, ge=RATES[0], le=RATES[1], description="speed", json_schema_extra={"unit": "words/min"})
    style: Literal["statement", "question", "command", "hurried"] = Field("statement", description="tune and haste")
    word_gap: float = Field(0.0, ge=0, le=1, description="pause between words", json_schema_extra={"unit": "s"})
    context: Context | None = Field(None, description="running speech around the phrase")
    seed: int = Field(ge=0, lt=2**53, description="of the voice's noises", json_schema_extra={"unit": ""})

    @field_validator("text")
    @classmethod
    def _speakable(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("expected words, got an empty text")
        return _checked(text)

    @model_validator(mode="after")
    def _pronounced(self) -> Speech:
        if self.phonemes is not None and self.voice.engine != "espeak":
            raise ValueError(f"phonemes: {self.voice.engine} takes none; use the engine espeak, or leave them out")
        if self.pronounce and self.voice.engine != "espeak":
            raise ValueError(f"pronounce: {self.voice.engine} takes none; use the engine espeak, or leave it out")
        if self.pronounce and self.phonemes is not None:
            raise ValueError("pronounce: `phonemes` pronounces the whole text; leave one of the two out")
        if self.language is not None and self.voice.engine != "espeak":
            raise ValueError(
                f"language: a voice of {self.voice.engine} has its own; use the engine espeak, or leave it out"
            )
        if self.phonemes is not None and any(c in self.phonemes for c in "[]\n"):
            raise ValueError("phonemes: expected mnemonics alone, without brackets")
        if self.phonemes is not None and len(self.phonemes.split()) != len(self.text.split()):
            n, given = len(self.text.split()), len(self.phonemes.split())
            raise ValueError(
                f"phonemes: expected one a word, {n} with blanks between for '{self.text[:80]}', got {given}"
            )
        if self.context is not None and self.phonemes is not None:
            raise ValueError("phonemes: a phrase in context is said as it is written; leave one of the two out")
        return self

    def extent(self, sr: int) -> int:
        """Return the length in samples; this speaks, and keeps what was said for `render`."""
        said = self._said()
        return resampled_length(len(said.y), sr_in=said.sr, sr_out=sr)

    def active(self, sr: int) -> tuple[int, int]:
        """Return the phrase: from its first phone to the end of its last."""
        said = self._said()
        words = self._of_phrase(said)
        n = self.extent(sr)
        a, b = (_at(t, said.sr, sr) for t in (words[0].onset, words[-1].offset))
        return min(a, n - 1), min(max(b, a + 1), n)

    def marks(self, sr: int) -> tuple[Mark, ...]:
        """Return words and phones, of the context too, in samples from the start."""
        said = self._said()
        return tuple(m._replace(onset=_at(m.onset, said.sr, sr), offset=_at(m.offset, said.sr, sr)) for m in said.marks)

    def render(self, ctx: RenderContext) -> Array:
        """Return the speech, shape (1, extent)."""
        said = self._said()
        return resample(said.y[None, :], sr_in=said.sr, sr_out=ctx.sr)

    def needs(self) -> tuple[str, ...]:
        """Return the engine's library, data and platform."""
        return needs_of(self.voice)

    def _said(self) -> Utterance:
        rate = min(RATES[1], round(self.rate * _FASTER.get(self.style, 1.0)))
        gap = 0 if self.style == "hurried" else round(self.word_gap / _GAP)
        before, after = ("", "") if self.context is None else (self.context.before, self.context.after)
        text = " ".join(" ".join((before, self.text, after)).split())
        ending = _ENDING.get(self.style, "")
        voice = self.voice if self.language is None else self.voice.model_copy(update={"language": self.language})
        pronounce = tuple(self.pronounce.items())
        return utter(Order(voice, text, self.phonemes, pronounce, ending, rate, gap, self.seed))

    def _of_phrase(self, said: Utterance) -> list[Mark]:
        """Return the words of the phrase itself.

        Raises
        ------
        ParameterError
            If the engine says a word of the phrase and one of its context as one, so that nothing is known between them.
        """
        words = [mark for mark in said.marks if mark.kind == "word"]
        if self.context is None:
            return words
        first = len(self.context.before.split())
        after = first + len(self.text.split())
        known = {mark.token for mark in words}
        for token, neighbour in ((first, self.context.before), (after, self.context.after)):
            if neighbour.strip() and token not in known:
                raise ParameterError(
                    f"context: the engine runs the words around '{self.text}' together with it, so that its bounds are unknown; "
                    f"choose another context than '{neighbour}', or put a comma between"
                )
        return [mark for mark in words if first <= mark.token < after]


def _at(sample: int, sr_in: int, sr_out: int) -> int:
    """Return a position at another rate, rounded half up in exact integers."""
    return (2 * sample * sr_out + sr_in) // (2 * sr_in)


def _checked(text: str) -> str:
    bad = next((c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn")), None)
    if bad is not None:
        raise ValueError(f"expected plain text, got the character U+{ord(bad):04X}")
    return text
