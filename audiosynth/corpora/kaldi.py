"""Kaldi's data directory: ``wav.scp``, ``segments``, ``text``, ``utt2spk`` and what else begins with ``utt2``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from audiosynth.corpora.ctm import marks_by_id
from audiosynth.corpora.files import Corpus
from audiosynth.corpora.utterance import Mark, Utterance, between
from audiosynth.errors import AssetError

Rows = Mapping[str, tuple[str, str]]
"""Place and rest of the line, by the line's first field."""
NAMES: Final = {"lang": "language", "uniq": "augmented_from"}
"""Fields whose tables are called otherwise: ``utt2lang`` and so on."""
NEEDED: Final = ("text", "utt2spk")
"""Tables that name every utterance where they are there."""
NOT_FIELDS: Final = frozenset({"utt2dur", "utt2num_frames", "utt2num_samples", "spk2utt"})
_ARCHIVE: Final = re.compile(r".*\.ark:\d+(\[.*\])?")


def read(corpus: Corpus) -> Iterator[Utterance]:
    """Yield the utterances of a data directory, in the order of ``segments``, or of ``wav.scp`` where there is none.

    Commands in ``wav.scp`` are refused and never run. Every line of ``utt2NAME`` (``utt2lang``, ``utt2accent``, …) and
    ``spk2gender`` is a field; ``utt2dur`` is not held against the audio. A ``ctm`` beside them gives words, by utterance or
    by recording.

    References
    ----------
    Kaldi, "Data preparation"; ``utils/validate_data_dir.sh``; ``featbin/extract-segments.cc``.

    Raises
    ------
    AssetError
        If there is no ``wav.scp``, or a file of the directory cannot be read.
    """
    waves = _table(corpus, "wav.scp", needed=True)
    segments = _table(corpus, "segments")
    tables = _fields(corpus)
    for name in ("text", "utt2spk"):
        for where, _ in (row for key, row in tables.get(name, {}).items() if key not in (segments or waves)):
            corpus.refuse(
                where, f"an utterance that is not in {'segments' if segments else 'wav.scp'}; remove the line"
            )
    words = _words(corpus)
    for key, (where, rest) in (segments or waves).items():
        try:
            reco, start, end, channel = _segment(rest) if segments else (key, 0.0, None, None)
            if reco not in waves:
                raise AssetError(f"recording '{reco}' is not in wav.scp")
            audio = _audio(corpus, *waves[reco], named=where)
            fields = {name: _cell(table, name, key) for name, table in tables.items() if name in NEEDED or key in table}
            yield Utterance(
                key, audio, where, start, end, channel=channel, fields=_named(fields, tables), words=_part(words, key, reco, start, end)
            )  # fmt: skip
        except AssetError as error:
            corpus.refuse(where, f"{key}: {error}")


def _table(corpus: Corpus, name: str, *, needed: bool = False) -> dict[str, tuple[str, str]]:
    path = corpus.needed(name, "a Kaldi data directory has one") if needed else corpus.file(name)
    rows: dict[str, tuple[str, str]] = {}
    for where, line in () if path is None else corpus.lines(path):
        key, *rest = line.split(maxsplit=1)
        if key in rows:
            corpus.refuse(where, f"'{key}' stands in {rows[key][0]} already; ids are unique, remove one of the lines")
        else:
            rows[key] = where, rest[0].strip() if rest else ""
    return rows


def _fields(corpus: Corpus) -> dict[str, Rows]:
    """Return the tables of fields by file name, those of speakers too."""
    folder = corpus.root / corpus.folder
    found = sorted(path.name for path in folder.iterdir() if re.fullmatch(r"(utt2|spk2)[A-Za-z]\w*", path.name))
    names = ["text", *(name for name in found if name not in NOT_FIELDS)]
    return {name: _table(corpus, name) for name in names if corpus.file(name) is not None}


def _cell(table: Rows, name: str, key: str) -> str:
    if key not in table:
        raise AssetError(f"has no line in {name}; add one, or leave the utterance out everywhere")
    where, value = table[key]
    if not value:
        raise AssetError(f"{where}: nothing stands behind the id in {name}; give it a value or remove the utterance")
    return value


def _named(fields: Mapping[str, str], tables: Mapping[str, Rows]) -> dict[str, Any]:
    """Return the fields of an utterance under their names here, with what is known of its speaker."""
    speaker = fields.get("utt2spk", "")
    out: dict[str, Any] = {"text": fields.get("text"), "speaker": speaker or None}
    out |= {NAMES.get(name[4:], name[4:]): value for name, value in fields.items() if name not in NEEDED}
    of_speaker = {name[4:]: rows[speaker][1] for name, rows in tables.items() if name[:4] == "spk2" and speaker in rows}
    return {key: value for key, value in {**of_speaker, **out}.items() if value is not None}


def _segment(rest: str) -> tuple[str, float, float | None, int | None]:
    """Return recording, start, end (None: its own end) and channel of a line of ``segments``."""
    try:
        reco, start, end, *channel = rest.split()
        found = reco, float(start), float(end), int(channel[0]) if channel else None
    except ValueError:
        raise AssetError(f"expected recording, start and end in seconds, got {rest[:80]!r}") from None
    if len(channel) > 1 or not 0 <= found[1] < 1e6 or not found[2] < 1e6:
        raise AssetError(f"expected recording, start and end in seconds, got {rest[:80]!r}")
    return reco, found[1], None if found[2] < 0 else found[2], found[3]  # extract-segments: -1 is the end


def _audio(corpus: Corpus, where: str, written: str, *, named: str) -> str:
    problem = ""
    if written.endswith("|") or written.startswith("|"):
        problem = f"a command ({written[:60]!r}), and commands are not run; write its output to a file, and name that"
    elif written in ("-", ""):
        problem = "no file; name one"
    elif _ARCHIVE.fullmatch(written):
        problem = f"a place in an archive ({written[:60]!r}); unpack it to files, and name these"
    try:
        if problem:
            raise AssetError(problem)
        return corpus.audio(written)
    except AssetError as error:
        raise AssetError(str(error) if where == named else f"{where}: {error}") from None


def _words(corpus: Corpus) -> Mapping[str, tuple[Mark, ...]]:
    path = corpus.file("ctm")
    return {} if path is None else marks_by_id(corpus, path)


def _part(
    words: Mapping[str, tuple[Mark, ...]], key: str, reco: str, start: float, end: float | None
) -> tuple[Mark, ...]:
    """Return an utterance's words: its own, or those of its recording that begin in it."""
    if key in words or reco not in words:
        return words.get(key, ())
    return between(words[reco], start, end)
