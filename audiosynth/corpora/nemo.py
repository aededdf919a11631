"""NeMo's manifests: one JSON object a line, ``{"audio_filepath", "duration", "text", "offset"?, "speaker"?, "lang"?}``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from audiosynth.corpora.files import Corpus, stem
from audiosynth.corpora.utterance import Utterance, as_number
from audiosynth.errors import AssetError

NAMES: Final = {
    "audio_filepath": "audio", "audio_file": "audio", "lang": "language", "command": "label", "utt_id": "id", "uniq_id": "id",
}  # fmt: skip
"""What fields are called here, by their names there."""


def read(corpus: Corpus) -> Iterator[Utterance]:
    """Yield the utterances of the manifests, in order.

    With an ``offset`` an utterance is that stretch of its file, as long as ``duration``; without one it is the file, which has to
    be that long. Without an ``id`` it is called by its file, and where it begins.

    References
    ----------
    NeMo, "Preparing custom ASR data"; ``nemo.collections.common.parts.preprocessing.manifest``.

    Raises
    ------
    AssetError
        If a manifest is missing or cannot be read.
    """
    for path in corpus.listed("JSON lines"):
        for where, record in corpus.records(path):
            fields = corpus.called(record, NAMES)
            name = str(fields.get("id") or fields.get("audio"))
            try:
                audio = fields.pop("audio", None)
                if not isinstance(audio, str):
                    raise AssetError('no "audio_filepath"; every line names a file')
                offset, duration = (
                    as_number(fields.pop("offset", None), "offset"),
                    as_number(fields.pop("duration", None), "duration"),
                )
                if isinstance(fields.get("text"), str) and not fields["text"].strip():
                    raise AssetError("its text is empty; write what is said, or leave the field out")
                cut = offset is not None
                yield Utterance(
                    _id(fields, audio, offset), corpus.audio(audio, beside=path), where, offset or 0.0,
                    None if not cut or duration is None else round((offset or 0.0) + duration, 9),
                    duration=None if cut else duration, fields={k: v for k, v in fields.items() if k != "id"},
                )  # fmt: skip
            except AssetError as error:
                corpus.refuse(where, f"{name}: {error}")


def _id(fields: dict[str, Any], audio: str, offset: float | None) -> str:
    """Return the name of an utterance; a stretch is called after where it begins, in milliseconds."""
    given = fields.get("id")
    return str(given) if given else stem(audio) + ("" if offset is None else f"-{round(1000 * offset):08d}")
