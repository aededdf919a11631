"""Lhotse Shar: shards of cuts, ``cuts.NNNNNN.jsonl.gz``, and their recordings in ``recording.NNNNNN.tar`` beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from audiosynth.corpora.files import MAX_LINE, Corpus
from audiosynth.corpora.lhotse import guarded, of_cut
from audiosynth.corpora.utterance import Utterance
from audiosynth.errors import AssetError
from audiosynth.files.archives import Place, bytes_of, names_in

LISTS: Final = ("cuts*.jsonl", "cuts*.jsonl.gz")
NO_AUDIO: Final = frozenset({".nodata", ".nometa"})
"""Suffixes of what stands in for a cut without a recording."""


def read(corpus: Corpus) -> Iterator[Utterance]:
    """Yield the supervisions of the cuts as utterances, shard by shard; a cut without any is one itself.

    The shards are those in `folder`, or those that `manifest` names. The audio stays in the archive and is read at its place
    there: its path is ``recording.000000.tar/<cut>.flac``. What the archive says of a recording (``<cut>.json``) counts before what
    the cut says of it, as in lhotse; other fields with archives of their own (features, targets) are passed over.

    References
    ----------
    lhotse 1.33: ``lhotse.shar.readers.lazy``, ``lhotse.shar.readers.tar``.

    Raises
    ------
    AssetError
        If there are no shards. One without an archive, or with one that cannot be read, is a problem of the corpus.
    """
    for path in _shards(corpus):
        yield from corpus.rest(_shard(corpus, path))


def _shard(corpus: Corpus, path: Path) -> Iterator[Utterance]:
    audio = _archive(corpus, path)
    held = _pairs(audio)
    for where, record in corpus.records(path):
        yield from guarded(corpus, _cut, record, (path, audio, held), where)


def _shards(corpus: Corpus) -> list[Path]:
    if corpus.manifests:
        return corpus.listed("cuts.NNNNNN.jsonl.gz")
    folder = corpus.root / corpus.folder
    names = sorted(path.name for pattern in LISTS for path in folder.glob(pattern))
    found = [path for path in map(corpus.file, names) if path is not None]
    if not found:
        raise AssetError(
            f"{folder}: no cuts.000000.jsonl.gz or the like; correct `folder`, which is that of the shards"
        )
    return found


def _archive(corpus: Corpus, cuts: Path) -> Path:
    """Return the recordings of a shard: ``cuts`` in its name is ``recording`` there."""
    name = cuts.name.removeprefix("cuts").removesuffix(".gz").removesuffix(".jsonl")
    path = cuts.with_name(f"recording{name}.tar")
    place = PurePosixPath(cuts.relative_to(corpus.root / corpus.folder).as_posix()).with_name(path.name)
    found = corpus.file(place.as_posix())
    if found is None:
        raise AssetError(f"{cuts}: there is no {path.name} beside it; fetch it, or name other shards with `manifest`")
    return found


def _pairs(audio: Path) -> Mapping[str, tuple[str, str | None]]:
    """Return by cut the names of its audio, and of what the archive says of it."""
    data: dict[str, str] = {}
    told: dict[str, str] = {}
    for name in names_in(audio):
        path = PurePosixPath(name)
        (told if path.suffix == ".json" else data)[path.with_suffix("").as_posix()] = name
    return {key: (name, told.get(key)) for key, name in data.items()}


def _cut(
    corpus: Corpus,
    record: Mapping[str, Any],
    shard: tuple[Path, Path, Mapping[str, tuple[str, str | None]]],
    where: str,
) -> Iterator[Utterance]:
    path, audio, held = shard
    name, about = held.get(str(record.get("id")), ("", None))
    if not name or PurePosixPath(name).suffix in NO_AUDIO:
        raise AssetError(f"there is no audio of it in {audio.name}; write shards with recordings")
    heard = record.get("recording")
    if about is not None:
        heard = _about(Place(audio, about))
    if not isinstance(heard, Mapping):
        raise AssetError(f"nothing says what its recording is, neither the cut nor {audio.name}")
    (source,) = heard["sources"]
    inside = {**heard, "sources": [{**source, "type": "file", "source": f"{audio.name}/{name}"}]}
    yield from of_cut(corpus, {**record, "recording": inside}, path, where)


def _about(place: Place) -> Any:
    _, size = names_in(place.archive)[place.name]
    if size > MAX_LINE:
        raise AssetError(f"{place.name} in {place.archive.name} has {size:,} bytes; at most {MAX_LINE:,} are read")
    try:
        return json.loads(bytes_of(place))
    except (ValueError, RecursionError) as error:
        raise AssetError(f"{place.name} in {place.archive.name} is not JSON ({error})") from None
