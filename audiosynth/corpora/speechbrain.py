"""SpeechBrain's data files: CSV with ``ID``, ``duration`` and ``wav``, or JSON with an object for every id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from audiosynth.corpora.files import Corpus, whole
from audiosynth.corpora.utterance import Utterance, as_number
from audiosynth.errors import AssetError

NAMES: Final = {
    "ID": "id", "wav": "audio", "spk_id": "speaker", "spk": "speaker", "wrd": "text", "words": "text", "transcript": "text",
    "transcription": "text", "lang": "language", "length": "duration",
}  # fmt: skip
"""What fields are called here, by their names there."""
ROOTS: Final = ("$data_root", "{data_root}", "$data_folder", "{data_folder}", "$root", "{root}")
"""What stands for the data root at the start of paths."""


def read(corpus: Corpus) -> Iterator[Utterance]:
    """Yield the utterances of the data files, in order.

    ``start`` and ``stop``, in columns or in the object of ``wav``, are samples of the file. ``$data_root`` is the data root
    unless `moved` says otherwise.

    References
    ----------
    SpeechBrain, "Data loading: DynamicItemDataset"; ``speechbrain.dataio.dataio``: ``load_data_csv``, ``load_data_json``,
    ``read_audio``.

    Raises
    ------
    AssetError
        If a data file is missing or cannot be read.
    """
    for path in corpus.listed("SpeechBrain's .csv or .json"):
        for where, record in _objects(corpus, path) if path.suffix == ".json" else corpus.table(path):
            fields = corpus.called(record, NAMES)
            name = fields.get("id")
            try:
                yield _utterance(corpus, fields, path, where)
            except AssetError as error:
                corpus.refuse(where, f"{name}: {error}")


def _objects(corpus: Corpus, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the entries of a JSON file, each with the line that its id stands in."""
    text = whole(path)
    tree = corpus.parsed(str(path), text)
    if tree is None:
        return  # which is a problem by now
    if not isinstance(tree, Mapping):
        raise AssetError(f"{path}: expected a JSON object with an object for every id")
    line, at = 1, 0
    for key, record in tree.items():
        place = text.find(f'"{key}"', at)
        if place >= 0:  # an id with escapes is told of at the line of the one before it
            line, at = line + text.count("\n", at, place), place
        if isinstance(record, Mapping):
            yield f"{path}:{line}", {**record, "ID": key}
        else:
            corpus.refuse(f"{path}:{line}", f"{key}: expected an object, got {record!r:.40}")


def _utterance(corpus: Corpus, fields: dict[str, Any], path: Path, where: str) -> Utterance:
    name, wave = fields.pop("id", None), fields.pop("audio", None)
    if not isinstance(name, str) or not name:
        raise AssetError("no ID; every line has one")
    spans = (
        wave
        if isinstance(wave, Mapping)
        else {"file": wave, "start": fields.pop("start", None), "stop": fields.pop("stop", None)}
    )
    written = spans.get("file")
    if not isinstance(written, str) or not written:
        raise AssetError("no file in 'wav'; `columns: {audio: NAME}` says which column has it")
    start, stop = as_number(spans.get("start"), "start"), as_number(spans.get("stop"), "stop")
    seconds = as_number(fields.pop("duration", None), "duration")
    if isinstance(fields.get("text"), str) and not fields["text"].strip():
        raise AssetError("its text is empty; write what is said, or leave the column out")
    cut = start is not None or stop is not None
    return Utterance(
        name, _located(corpus, written, path), where, start or 0.0, stop, in_samples=cut, duration=None if cut else seconds, fields=fields
    )  # fmt: skip


def _located(corpus: Corpus, written: str, path: Path) -> str:
    for root in ROOTS:
        if written.startswith(f"{root}/") and root not in corpus.moved:
            return corpus.audio(written[len(root) + 1 :], at_root=True)
    return corpus.audio(written, beside=path)
