"""Parquet with the schema of Hugging Face's `datasets`: a column of audio, its text and speaker beside it, a row an utterance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from audiosynth.corpora.audiofolder import NAMES, SPLITS
from audiosynth.corpora.files import Corpus, nfc_below, stem
from audiosynth.corpora.utterance import Utterance
from audiosynth.errors import AssetError
from audiosynth.files.archives import audio_of_group, is_audio, parquet_file

SUFFIX: Final = ".parquet"


def read(corpus: Corpus) -> Iterator[Utterance]:
    """Yield the rows of every Parquet file below the folder, or of those that `manifest` names, in their order.

    The audio is the first column that holds any (``columns: {audio: NAME}`` names another) and stays in the file: its path is
    ``FILE.parquet/audio/17``. Where a row has no bytes, but a path, that is the audio, below the file's folder. Of the other columns
    texts and numbers are fields, texts of `datasets` under our names; what a file is called says its split
    (``train-00000-of-00004.parquet``). An utterance is called by its ``id``, else by the name of its audio.

    References
    ----------
    Hugging Face, datasets: ``Audio``, "Structure your repository"; Apache Parquet, ``parquet.thrift``.

    Raises
    ------
    AssetError
        If there are no files. One that cannot be read, or has no audio, is a problem of the corpus.
    """
    for path in _files(corpus):
        yield from corpus.rest(_file(corpus, path))


def _file(corpus: Corpus, path: Path) -> Iterator[Utterance]:
    with parquet_file(path) as file:
        column = _audio(corpus, file.schema_arrow, path)
        split = SPLITS.get(path.stem.partition("-")[0].partition(".")[0])
        for row, record in _rows(file, path, column):
            where = f"{path}:{row + 1}"
            try:
                yield _utterance(corpus, record, column, path, row, split, where)
            except AssetError as error:
                corpus.refuse(where, str(error))


def _files(corpus: Corpus) -> list[Path]:
    if corpus.manifests:
        return corpus.listed(SUFFIX)
    folder = corpus.root / corpus.folder
    names = sorted(nfc_below(corpus, path).as_posix() for path in folder.rglob(f"*{SUFFIX}"))
    found = [path for path in map(corpus.file, names) if path is not None]
    if not found:
        raise AssetError(f"{folder}: no {SUFFIX} files; correct `folder`")
    return found


def _audio(corpus: Corpus, schema: Any, path: Path) -> str:
    """Return the name of the column of audio."""
    wanted = corpus.columns.get("audio")
    held = [field.name for field in schema if is_audio(field.type) and not set("./") & set(field.name)]
    if not held or (wanted is not None and wanted not in held):
        raise AssetError(
            f"{path}: has no column {'' if wanted is None else repr(wanted) + ' '}of audio (a struct of bytes and path), but "
            f"{', '.join(schema.names)}; `columns: {{audio: NAME}}` says which it is"
        )
    return held[0] if wanted is None else wanted


def _rows(file: Any, path: Path, column: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number and fields of every row, of the audio its path and whether it has bytes."""
    import pyarrow

    plain = [field.name for field in file.schema_arrow if field.name != column and _is_plain(field.type)]
    row = 0
    try:
        for number in range(file.metadata.num_row_groups):
            empty = audio_of_group(path, column, number).is_null()
            table = file.read_row_group(number, columns=[*plain, f"{column}.path"], use_threads=False)
            for i, record in enumerate(table.to_pylist()):
                yield row, {**record, column: ((record[column] or {}).get("path"), empty[i].as_py())}
                row += 1
    except pyarrow.ArrowException as error:
        raise AssetError(f"{path}: damaged ({str(error).splitlines()[0]}); fetch it again") from None


def _is_plain(kind: Any) -> bool:
    from pyarrow import types

    tests = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean)
    return any(test(kind) for test in tests)


def _utterance(
    corpus: Corpus, record: dict[str, Any], column: str, path: Path, row: int, split: str | None, where: str
) -> Utterance:
    (written, empty) = record.pop(column)
    fields = {**({} if split is None else {"split": split}), **corpus.called(record, NAMES)}
    fields = {key: value for key, value in fields.items() if key not in ("audio", "duration") and value is not None}
    name = str(fields.pop("id", None) or (stem(written) if written else f"{path.stem}-{row}"))
    if isinstance(fields.get("text"), str) and not fields["text"].strip():
        raise AssetError(f"{name}: its text is empty; write what is said, or null")
    if empty and not written:
        raise AssetError(f"{name}: has neither bytes nor a path as its audio")
    inner = written if empty else f"{path.name}/{column}/{row}"
    try:
        return Utterance(name, corpus.audio(inner, beside=path), where, fields=fields)
    except AssetError as error:
        raise AssetError(f"{name}: {error}") from None
