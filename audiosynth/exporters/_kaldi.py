"""Kaldi's tables of the utterances of a corpus, as they were called there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._corpus import Ids, Spoken, spoken_rows
from audiosynth.exporters._text import Tokens, decimal_seconds

WHOLE: Final = ("text", "utt2lang", "spk2gender")
"""Tables that name every utterance or speaker, or are not there."""
GENDERS: Final = {"f": "f", "female": "f", "m": "m", "male": "m"}
Tables = dict[str, dict[str, str]]


def corpus_tables(
    dataset: DatasetView, ids: Ids, tokens: Tokens, *, opened: Callable[[Mapping[str, Any]], str],
    transcript: Callable[[Mapping[str, Any], str], str], places: int,
) -> dict[str, Tables]:  # fmt: skip
    """Return the tables of every split by their names, with ``segments`` only where utterances are parts of clips.

    Parameters
    ----------
    dataset, ids
        What is told, and how utterances are called.
    tokens
        For names that hold no blanks.
    opened, transcript
        How the file of a row is opened, and a text written.
    places
        Decimals of times.

    Raises
    ------
    BuildError
        If two utterances would have one id, or one of several has no text.
    """
    found: dict[str, list[Spoken]] = {split: [] for split in dataset.splits}
    for row, said in spoken_rows(dataset, ids):
        found[row["split"]] += said
    return {
        split: _tables(said, tokens, opened=opened, transcript=transcript, places=places)
        for split, said in found.items()
        if said
    }


def _tables(
    said: list[Spoken], tokens: Tokens, *, opened: Callable[[Mapping[str, Any]], str],
    transcript: Callable[[Mapping[str, Any], str], str], places: int,
) -> Tables:  # fmt: skip
    cut = not all(one.is_clip for one in said)
    names = ("wav.scp", "utt2spk", "spk2utt", "utt2dur", "utt2uniq", "reco2dur", *(["segments"] if cut else []), *WHOLE)
    tables: Tables = {name: {} for name in names}
    for one in said:
        row, sr = one.row, one.row["sr"]
        name = tokens.of(row, one.id)
        speaker = name if one.speaker is None else tokens.of(row, one.speaker)
        heard = str(row["clip_id"]) if cut else name
        tables["wav.scp"][heard] = opened(row)
        tables["reco2dur"][heard] = decimal_seconds(row["n_samples"], sr, places=places)
        if cut:
            ends = (decimal_seconds(n, sr, places=places) for n in (one.first, one.last))
            tables["segments"][name] = f"{heard} {' '.join(ends)}"
        tables["utt2spk"][name] = speaker
        tables["spk2utt"][speaker] = f"{tables['spk2utt'][speaker]} {name}" if speaker in tables["spk2utt"] else name
        tables["utt2dur"][name] = decimal_seconds(one.last - one.first, sr, places=places)
        tables["utt2uniq"][name] = tokens.of(row, one.source or one.id)
        if one.text is not None:
            tables["text"][name] = transcript(row, one.text)
        if "language" in one.fields:
            tables["utt2lang"][name] = tokens.of(row, one.fields["language"])
        if one.fields.get("gender") in GENDERS:
            tables["spk2gender"][speaker] = GENDERS[one.fields["gender"]]
    if tables["text"] and len(tables["text"]) < len(said):
        silent = next(one for one in said if one.text is None)
        raise BuildError(
            f"clip {silent.row['clip_id']}: '{silent.id}' has no text and others have; Kaldi wants one of every utterance"
        )
    wanted = {"utt2lang": len(said), "spk2gender": len(tables["spk2utt"]), "text": 1}
    return {name: table for name, table in tables.items() if len(table) >= wanted.get(name, 0)}
