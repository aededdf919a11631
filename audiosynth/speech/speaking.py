"""Speech from any engine, found by the voice's; what was said is kept for a while."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from audiosynth.errors import ParameterError
from audiosynth.speech import espeak
from audiosynth.speech.utterance import Order, Utterance, marks_of, tokens
from audiosynth.speech.voices import Voice, voice_file

KEPT: Final = 128
"""Utterances held: a plan asks for their length, and rendering, soon after, for their sound."""
SEEDS: Final = 2**31
"""Seeds of libespeak-ng are a C long, which is 32 bits wide on some systems."""


@lru_cache(maxsize=KEPT)
def utter(order: Order) -> Utterance:
    """Return an utterance.

    Raises
    ------
    ParameterError
        If there is nothing to say, or phonemes are unknown.
    RenderError
        If the engine is missing, has no such voice, or fails.
    """
    if order.voice.engine == "flite":
        from audiosynth.speech.flite import utter_flite

        made = utter_flite(order)
    elif order.voice.engine == "piper":
        from audiosynth.speech.piper import utter_piper

        made = utter_piper(order)
    else:
        made = _espeak(order)
    if not any(mark.kind == "phone" for mark in made.marks):
        raise ParameterError(f"text: there is nothing to say in {order.text!r} for the voice {order.voice.language}")
    return made


def require_voice(voice: Voice) -> None:
    """Refuse a voice that its engine does not have, as far as that is known without asking it to speak.

    Raises
    ------
    RenderError
        With near names; or if libespeak-ng is not installed.
    """
    if voice.engine == "flite":
        from audiosynth.speech import flite

        flite.name_of(voice)
    elif voice.engine == "espeak":
        voice_file(voice)


def needs_of(voice: Voice) -> tuple[str, ...]:
    """Return what a row names so that this voice can speak again."""
    if voice.engine == "flite":
        from audiosynth.speech import flite

        return flite.needs(flite.name_of(voice))
    if voice.engine == "piper":
        from audiosynth.speech import piper

        return piper.needs(voice)
    return espeak.files().needs


def _espeak(order: Order) -> Utterance:
    said = order.text
    if order.phonemes is not None:
        from audiosynth.speech.espeak_phonemes import require_known

        require_known(order.phonemes, language=order.voice.language)
        said = f"[[{order.phonemes}]]"
    elif order.pronounce:
        said = _pronounced(order)
    request = espeak.Request(
        said + order.ending,
        order.voice.language,
        voice_file(order.voice),
        order.rate,
        order.word_gap,
        order.phonemes is not None or bool(order.pronounce),
        order.seed % SEEDS,
    )
    spoken = espeak.say(request)
    words = [(sample, position - 1) for sample, position, _ in spoken.words]
    names = order.text.split()
    marks = marks_of(words, spoken.phones, tokens(said), names if len(names) == len(tokens(said)) else None)
    return Utterance(spoken.pcm / 32768.0, spoken.sr, marks)


def _pronounced(order: Order) -> str:
    """Return the text with the words that a recipe pronounces itself in mnemonics."""
    from audiosynth.speech.espeak_phonemes import require_known
    from audiosynth.speech.pronunciations import mnemonics_of, pronounced

    for word, how in order.pronounce:
        require_known(mnemonics_of(how), language=order.voice.language, where=f"pronounce.{word}")
    return pronounced(order.text, dict(order.pronounce))
