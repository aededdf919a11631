"""Words and sentences that come along, and the lexicons of users."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from audiosynth.errors import ParameterError
from audiosynth.files.paths import below, is_below

MAX_LEXICON: Final = 200_000
_LEXICON: Final = Path(__file__).with_name("lexicon")


def words_of(language: str, lexicon: str | None, folder: Path | None) -> tuple[str, ...]:
    """Return the words that negatives are looked for in.

    Raises
    ------
    ParameterError
        If there is no such file below the folder, or none comes along for the language.
    """
    base = language.partition("-")[0]
    path = _LEXICON / f"words_{base}.txt"
    if lexicon is not None:
        inside = below(folder, lexicon) if folder is not None and is_below(lexicon) else None
        if inside is None or not inside.is_file():
            raise ParameterError(f"negatives: lexicon: there is no file '{lexicon}' below the recipe's folder")
        path = inside
    elif not path.is_file():
        raise ParameterError(
            f"negatives: no words of '{language}' come along; give a `lexicon`: a text file of words, one a line"
        )
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"negatives: lexicon: {path.name} cannot be read as UTF-8 text ({error})") from None
    words = dict.fromkeys(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    if not words or len(words) > MAX_LEXICON:
        raise ParameterError(f"negatives: lexicon: expected 1 to {MAX_LEXICON:,} words, got {len(words)}")
    return tuple(words)


def sentences() -> tuple[tuple[str, str], ...]:
    """Return (language, sentence) of those that come along."""
    text = (_LEXICON / "sentences.tsv").read_text(encoding="utf-8")
    pairs = (line.split("\t") for line in text.splitlines())
    return tuple((language, sentence) for language, sentence in pairs)
