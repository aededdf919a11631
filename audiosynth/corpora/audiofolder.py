"""Hugging Face's AudioFolder: audio, and ``metadata.csv`` or ``metadata.jsonl`` beside it, in one folder or one a split."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from audiosynth.corpora.files import Corpus, nfc_below, stem
from audiosynth.corpora.utterance import Utterance
from audiosynth.errors import AssetError

METADATA: Final = ("metadata.csv", "metadata.jsonl")
NAMES: Final = {
    "file_name": "audio", "transcription": "text", "sentence": "text", "transcript": "text", "speaker_id": "speaker",
    "lang": "language",
}  # fmt: skip
"""What columns are called here, by their names there."""
SPLITS: Final = {
    "train": "train", "training": "train", "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
}  # fmt: skip
"""Folders that are splits, and which."""


def read(corpus: Corpus) -> Iterator[Utterance]:
    """Yield the utterances of every metadata file below the folder, in order of their paths.

    ``file_name`` is relative to the file it stands in. What is in a folder called like a split has it as field ``split``.

    References
    ----------
    Hugging Face, datasets, "Create an audio dataset: AudioFolder".

    Raises
    ------
    AssetError
        If there is no metadata file, or one cannot be read.
    """
    found = [Path(place) / name for place, name in _metadata(corpus.root / corpus.folder)]
    if not found:
        raise AssetError(
            f"{corpus.root / corpus.folder}: no metadata.csv or metadata.jsonl; where folders are labels, say `layout: folders`"
        )
    for path in found:
        for where, record in corpus.records(path) if path.suffix == ".jsonl" else corpus.table(path):
            fields = corpus.called(record, NAMES)
            name = fields.pop("audio", None)
            try:
                if not isinstance(name, str) or not name:
                    raise AssetError("no 'file_name'; every row names a file")
                if isinstance(fields.get("text"), str) and not fields["text"].strip():
                    raise AssetError("its text is empty; write what is said, or leave the column out")
                split = next((SPLITS[part] for part in nfc_below(corpus, path).parts if part in SPLITS), None)
                fields = {**({} if split is None else {"split": split}), **fields}
                told = str(fields.pop("id", None) or stem(name))
                yield Utterance(told, corpus.audio(name, beside=path), where, fields=_plain(fields))
            except AssetError as error:
                corpus.refuse(where, f"{name}: {error}")


def _metadata(folder: Path) -> Iterator[tuple[str, str]]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from ((place, name) for name in sorted(files) if name in METADATA)


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != "duration"}
