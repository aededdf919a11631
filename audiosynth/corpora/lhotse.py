"""Lhotse's manifests as JSON lines: cuts, or recordings and supervisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from audiosynth.corpora.files import Corpus
from audiosynth.corpora.utterance import Mark, Utterance, as_number
from audiosynth.errors import AssetError

FIELDS: Final = ("text", "speaker", "language", "gender")
KINDS: Final = {"word": "words", "words": "words", "phone": "phones", "phones": "phones"}
"""Which alignments are marks of what."""
REFUSED: Final = {
    "command": "a command, and commands are not run; write its output to a file",
    "url": "on a server, and nothing is fetched; download it below the data root",
    "memory": "inside the manifest; write it to a file",
    "shar": "inside a Shar archive; say `layout: lhotse_shar`",
}
"""Sources of recordings that are no files."""


class Source(NamedTuple):
    """A recording's file that holds some channels, as the manifest has it, and where it stands."""

    record: Mapping[str, Any]
    where: str
    path: Path


class Said(NamedTuple):
    """What a manifest says of a stretch of a recording; `end` None is its end."""

    start: float = 0.0
    end: float | None = None
    channel: Any = None
    fields: Mapping[str, Any] = MappingProxyType({})
    words: tuple[Mark, ...] = ()
    phones: tuple[Mark, ...] = ()


def read(corpus: Corpus) -> Iterator[Utterance]:
    """Yield the supervisions of the manifests as utterances, in order; a cut or recording without any is one itself.

    `manifest` names a file of cuts, or files of recordings and of supervisions, packed (``.jsonl.gz``) or not. Only recordings
    in files are read, as they are: mixed cuts and recordings with transforms are refused. Alignments of words and phones are
    carried, custom fields too.

    References
    ----------
    P. Żelasko, D. Povey, J. Trmal, S. Khudanpur, "Lhotse: a speech data representation library for the modern deep learning
    ecosystem", 2021; lhotse 1.33: ``Recording``, ``SupervisionSegment``, ``AlignmentItem``, ``MonoCut``.

    Raises
    ------
    AssetError
        If a manifest is missing or cannot be read.
    """
    recordings: dict[str, Source] = {}
    segments: list[tuple[str, dict[str, Any]]] = []
    for path in corpus.listed(".jsonl or .jsonl.gz"):
        for where, record in corpus.records(path):
            if "sources" in record:
                if recordings.setdefault(str(record.get("id")), Source(record, where, path)).where != where:
                    first = recordings[str(record.get("id"))].where
                    corpus.refuse(where, f"{record.get('id')}: stands in {first} already; ids are unique")
            elif "recording_id" in record:
                segments.append((where, record))
            else:
                yield from guarded(corpus, of_cut, record, path, where)
    heard = set()
    for where, record in segments:
        heard.add(str(record["recording_id"]))
        yield from guarded(corpus, _supervised, record, recordings, where)
    for name, source in recordings.items():
        if name not in heard and not segments:
            yield from guarded(corpus, _whole, name, source, source.where)


def guarded(corpus: Corpus, read_one: Any, record: Any, other: Any, where: str) -> Iterator[Utterance]:
    """Yield what one record holds; what is wrong with it is a problem of its line."""
    name = record if isinstance(record, str) else record.get("id")
    try:
        yield from read_one(corpus, record, other, where)
    except (AssetError, KeyError, TypeError, ValueError) as error:
        told = str(error) if isinstance(error, AssetError) else f"is not as lhotse writes it ({error!r})"
        corpus.refuse(where, f"{name}: {told}")


def _whole(corpus: Corpus, name: str, source: Source, where: str) -> Iterator[Utterance]:
    yield _made(corpus, name, source, where, Said())


def _supervised(
    corpus: Corpus, record: Mapping[str, Any], recordings: Mapping[str, Source], where: str
) -> Iterator[Utterance]:
    source = recordings.get(str(record["recording_id"]))
    if source is None:
        raise AssetError(f"there is no recording '{record['recording_id']}' in the manifests; name its file too")
    yield _segment(corpus, record, source, where, 0.0)


def of_cut(corpus: Corpus, record: Mapping[str, Any], path: Path, where: str) -> Iterator[Utterance]:
    """Yield the utterances of a cut that stands in `path`."""
    if record.get("type") not in ("MonoCut", "MultiCut"):
        raise AssetError(f"a {record.get('type') or 'record'} is neither a cut, a recording nor a supervision")
    if not isinstance(record.get("recording"), Mapping):
        raise AssetError("a cut without its recording; write cuts with recordings, not with features alone")
    source, start = Source(record["recording"], where, path), _seconds(record["start"], "start")
    for item in record.get("supervisions") or ():
        yield _segment(corpus, item, source, where, start)
    if not record.get("supervisions"):
        end = round(start + _seconds(record["duration"], "duration"), 9)
        said = Said(start, end, record.get("channel"), record.get("custom") or {})
        yield _made(corpus, str(record["id"]), source, where, said)


def _segment(corpus: Corpus, record: Mapping[str, Any], source: Source, where: str, shift: float) -> Utterance:
    start = _seconds(record["start"], "start", least=-1e6)
    end = round(shift + start + _seconds(record["duration"], "duration"), 9)
    if isinstance(record.get("text"), str) and not record["text"].strip():
        raise AssetError("its text is empty; write what is said, or leave the field out")
    fields = {**(record.get("custom") or {}), **{key: record[key] for key in FIELDS if record.get(key) is not None}}
    marks = {
        kind: _marks(items, start)
        for name, items in (record.get("alignment") or {}).items()
        if (kind := KINDS.get(name))
    }
    begin = round(shift + start, 9)
    said = Said(begin, end, record.get("channel"), fields, **marks)
    return _made(corpus, str(record["id"]), source, where, said)


def _marks(items: Sequence[Sequence[Any]], start: float) -> tuple[Mark, ...]:
    """Return alignments, (symbol, start, duration, score) each, from the start of their supervision."""
    found = [(round(float(a) - start, 6), round(float(a) - start + float(n), 6), str(text)) for text, a, n, *_ in items]
    return tuple(sorted(mark for mark in found if mark[2].strip() and mark[1] > mark[0]))


def _made(corpus: Corpus, name: str, source: Source, where: str, said: Said) -> Utterance:
    recording = source.record
    if recording.get("transforms"):
        raise AssetError(
            f"recording '{recording.get('id')}' is to be changed while it is read (transforms); save it first"
        )
    if said.start < 0:
        raise AssetError(f"begins at {said.start:g} s, before its recording")
    channel = said.channel if said.channel is None or isinstance(said.channel, list) else [said.channel]
    written, channel_in = _file(recording, None if channel is None else {int(c) for c in channel})
    whole = said.start == 0 and said.end is not None and abs(said.end - float(recording["duration"])) < 1e-6
    return Utterance(
        name, corpus.audio(written, beside=source.path), where, said.start, None if whole else said.end, channel=channel_in,
        sr=int(recording["sampling_rate"]), n_samples=int(recording["num_samples"]), fields=said.fields, words=said.words,
        phones=said.phones,
    )  # fmt: skip


def _file(recording: Mapping[str, Any], wanted: set[int] | None) -> tuple[str, int | None]:
    """Return the file that holds the channels, and the number of the channel in it where not all are meant."""
    sources = recording["sources"]
    holding = [s for s in sources if wanted is None or wanted & set(s["channels"])]
    if len(holding) != 1:
        raise AssetError(f"its channels are in {len(holding)} files, and an utterance is of one file")
    (source,) = holding
    if source["type"] != "file":
        raise AssetError(f"the recording is {REFUSED.get(source['type'], 'in no file')}")
    if wanted is None or wanted == set(source["channels"]):
        return str(source["source"]), None
    if len(wanted) > 1:
        raise AssetError(f"channels {sorted(wanted)} of {source['channels']}; one channel or all are read")
    return str(source["source"]), list(source["channels"]).index(*wanted)


def _seconds(value: Any, name: str, *, least: float = 0.0) -> float:
    found = as_number(value, name, least=least)
    if found is None:
        raise AssetError(f"has no {name}")
    return found
