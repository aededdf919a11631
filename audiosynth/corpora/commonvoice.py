"""Mozilla Common Voice: ``train.tsv`` and its like, and the folder ``clips`` beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from audiosynth.corpora.files import Corpus, stem
from audiosynth.corpora.utterance import Utterance
from audiosynth.errors import AssetError

NAMES: Final = {"client_id": "speaker", "sentence": "text", "locale": "language", "path": "audio"}
"""What columns are called here, by their names there."""
CLIPS: Final = "clips"


def read(corpus: Corpus) -> Iterator[Utterance]:
    """Yield the utterances of the tables, in order; columns without a value are left out.

    Tables have tabs and no quoting: a quote is part of a sentence. Names without a suffix, as the first releases have them,
    are of MP3 files.

    References
    ----------
    R. Ardila et al., "Common Voice: a massively-multilingual speech corpus", LREC 2020; common-voice/cv-dataset, README.

    Raises
    ------
    AssetError
        If a table is missing or has not the columns.
    """
    for path in corpus.listed("train.tsv, dev.tsv, …"):
        for where, record in corpus.table(path, delimiter="\t", quoted=False):
            fields = corpus.called(record, NAMES)
            name = fields.pop("audio", None)
            if not isinstance(name, str) or not isinstance(fields.get("text"), str):
                raise AssetError(f"{path}: has no columns 'path' and 'sentence', so it is no table of Common Voice")
            file = name if PurePosixPath(name).suffix else f"{name}.mp3"
            try:
                if not fields["text"].strip():
                    raise AssetError("its sentence is empty; remove the row")
                yield Utterance(stem(name), corpus.audio(f"{CLIPS}/{file}", beside=path), where, fields=fields)
            except AssetError as error:
                corpus.refuse(where, f"{stem(name)}: {error}")
