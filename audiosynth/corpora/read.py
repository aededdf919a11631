"""The utterances of a corpus in any of the layouts that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from audiosynth.corpora import (
    audiofolder,
    commonvoice,
    kaldi,
    lhotse,
    lhotse_shar,
    librispeech,
    nemo,
    parquet,
    rttm,
    speechbrain,
)
from audiosynth.corpora.ctm import marks_by_id
from audiosynth.corpora.files import Corpus, stem
from audiosynth.corpora.textgrid import read_marks
from audiosynth.corpora.utterance import Mark, Utterance, between
from audiosynth.errors import AssetError

LAYOUTS: Final[Mapping[str, Callable[[Corpus], Iterator[Utterance]]]] = {
    "audiofolder": audiofolder.read,
    "commonvoice": commonvoice.read,
    "kaldi": kaldi.read,
    "lhotse": lhotse.read,
    "lhotse_shar": lhotse_shar.read,
    "librispeech": librispeech.read,
    "nemo": nemo.read,
    "parquet": parquet.read,
    "rttm": rttm.read,
    "speechbrain": speechbrain.read,
}
"""Readers by the name of the layout: adding one is a file and a line here."""


def read_corpus(layout: str, corpus: Corpus, *, alignments: str | None = None) -> list[Utterance]:
    """Return the utterances of a corpus that can be used, in order of file, place in it and id.

    Parameters
    ----------
    layout
        One of `LAYOUTS`.
    corpus
        Where it is; what cannot be used is noted in its `problems`.
    alignments
        Below the corpus's folder: a CTM file, or a folder of TextGrids called by utterance or by audio file.

    Raises
    ------
    AssetError
        If a file that the layout needs is missing or cannot be read.
    """
    found: dict[str, Utterance] = {}
    for utterance in LAYOUTS[layout](corpus):
        first = found.setdefault(utterance.id, utterance)
        if first is not utterance:
            corpus.refuse(utterance.where, f"{utterance.id}: is the id of {first.where} already; ids are unique")
    aligned = _aligned(corpus, found.values(), alignments) if alignments else found.values()
    return sorted(aligned, key=_place)


def _place(utterance: Utterance) -> tuple[bytes, float, int, bytes]:
    channel = -1 if utterance.channel is None else utterance.channel
    return utterance.audio.encode(), utterance.start, channel, utterance.id.encode()


def _aligned(corpus: Corpus, utterances: Iterable[Utterance], name: str) -> Iterator[Utterance]:
    """Yield utterances with the words and phones that stand apart from the corpus."""
    folder = corpus.root / corpus.folder / name
    if folder.is_dir():
        grids = {path.stem: path for path in sorted(folder.rglob("*.TextGrid"))}
        for utterance in utterances:
            path = grids.get(utterance.id, grids.get(stem(utterance.audio)))
            marks = {} if path is None else read_marks(path)
            yield _marked(utterance, marks, own=path is None or path.stem == utterance.id)
        return
    marks = marks_by_id(corpus, corpus.needed(name, "`alignments` is a CTM file, or a folder of TextGrids"))
    for utterance in utterances:
        own = utterance.id in marks
        key = utterance.id if own else stem(utterance.audio)
        yield _marked(utterance, {"words": marks.get(key, ())}, own=own)


def _marked(utterance: Utterance, marks: Mapping[str, tuple[Mark, ...]], *, own: bool) -> Utterance:
    """Return an utterance with marks: its own, or those of its recording that begin in it.

    Raises
    ------
    AssetError
        If marks of a whole recording are given for utterances that are told in samples.
    """
    if not any(marks.values()):
        return utterance
    if utterance.in_samples and not own:
        raise AssetError(
            f"{utterance.where}: {utterance.id} is told in samples, so its words cannot be found among those of its recording; "
            "give alignments by utterance"
        )
    start, end = (0.0, None) if own else (utterance.start, utterance.end)
    cut = {kind: between(found, start, end) for kind, found in marks.items()}
    return replace(utterance, words=cut.get("words") or utterance.words, phones=cut.get("phones") or utterance.phones)
