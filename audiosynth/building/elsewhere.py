"""Sets at URLs, read by what reads folders: the one place where a URL becomes a folder of this machine, with what is needed in it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from audiosynth.building.folder import WRITTEN
from audiosynth.building.index import ManifestIndex, index_path
from audiosynth.errors import BuildError, ManifestError, UsageError
from audiosynth.files.remote import Remote, is_url, remote
from audiosynth.manifest import NAMES
from audiosynth.material.downloads import downloaded

HEAD = "dataset.json"


@contextmanager
def near(place: str, *, clips: Collection[str] = (), audio: bool = False) -> Iterator[Path]:
    """Give the folder or manifest file of a set, wherever it is.

    Parameters
    ----------
    place
        A path, which is given as it is, or a URL of a dataset's folder or manifest: the files beside the manifest are downloaded
        into a folder that goes again.
    clips
        Of a set at a URL, only the rows of these clips are asked for: with an index beside the manifest, no other bytes of it come.
    audio
        All files are needed: those of a set at a URL are downloaded into the cache of recordings, which is bounded
        (`audiosynth.material.downloads`).

    Raises
    ------
    ManifestError
        If no finished set is at the URL.
    """
    if not is_url(place):
        yield Path(place)
        return
    url, name = _parted(place)
    if audio:
        yield downloaded(url, os.environ)
        return
    there = remote(url, error=ManifestError)
    with TemporaryDirectory(prefix="audiosynth-") as scratch:
        folder = Path(scratch)
        try:
            if not (clips and _few(there, name, clips, folder)):
                _rows(there, name, folder)
            yield folder if clips or name in ("", *NAMES) else folder / name
        except (ManifestError, BuildError) as error:
            raise type(error)(str(error).replace(scratch, url)) from error.__cause__


def clip_at(place: str, clip: str) -> str:
    """Return the id of a clip of a set at a URL that may be given by the number of its row."""
    if not (is_url(place) and clip.isascii() and clip.isdigit()):
        return clip
    url, name = _parted(place)
    index = _index(remote(url, error=ManifestError), name)
    if index is None:
        raise UsageError(f"{place}: has no index for row {clip}; give the clip's id, such as train-{int(clip):09d}")
    return str(index.row(int(clip))[1].get("clip_id"))


def require_here(place: str, command: str) -> None:
    """Refuse a URL where a set is changed, or files are named that must stay where they are.

    Raises
    ------
    UsageError
        Which names the way out.
    """
    if is_url(place):
        raise UsageError(
            f"{place}: `audiosynth {command}` works on folders of this machine; copy the set here first, with what your store brings or "
            f"python -c \"import fsspec; fs, root = fsspec.url_to_fs('{place}'); fs.get(root, 'DIR', recursive=True)\""
        )


def require_folder(place: str | None, option: str = "-o") -> None:
    """Refuse a URL where files are written.

    Raises
    ------
    UsageError
        Which names the way out.
    """
    if is_url(place):
        raise UsageError(
            f"{option} {place}: this is written to folders of this machine; give one, and upload it afterwards"
        )


def _parted(place: str) -> tuple[str, str]:
    """Return the URL of a set's folder, and the name of the manifest file if one was given.

    Examples
    --------
    >>> _parted("s3://bucket/set/"), _parted("s3://bucket/set/manifest.jsonl.gz")
    (('s3://bucket/set', ''), ('s3://bucket/set', 'manifest.jsonl.gz'))
    """
    place = place.rstrip("/")
    url, _, name = place.rpartition("/")
    return (url, name) if name.endswith((".jsonl", ".jsonl.gz")) else (place, "")


def _rows(there: Remote, name: str, folder: Path) -> None:
    """Download what stands beside the audio and the labels of a set, or a manifest file and what belongs to it."""
    listed = there.list(deep=False, first=True)
    beside = {name, index_path(Path(name)).name, HEAD, "assets.jsonl"} if name else {*WRITTEN}
    wanted = {path: info.get("size") for path, info in listed.items() if path in beside}
    if not (name in wanted if name else HEAD in wanted):
        raise ManifestError(
            f"{there.url}: no {name or 'finished set'} is there; a set is whole once its {HEAD} is, which `audiosynth build -o URL` "
            "uploads last"
        )
    for path, size in wanted.items():
        there.get(path, folder / path, size)


def _few(there: Remote, name: str, clips: Collection[str], folder: Path) -> bool:
    """Write a manifest of the rows of some clips alone; return whether there was an index to find them by."""
    index = _index(there, name)
    if index is None:
        return False
    numbers = sorted(number for clip in clips if (number := index.number(clip)) is not None)
    (folder / NAMES[0]).write_bytes(b"".join(map(index.line, numbers)))
    if there.holds(HEAD):
        (folder / HEAD).write_bytes(there.read(HEAD))
    return True


def _index(there: Remote, name: str) -> ManifestIndex | None:
    """Return the index of a set's manifest, read through the net; None if there is none that belongs to it."""

    def opened(path: Path) -> BinaryIO:
        return BufferedReader(there.open(path.name), 1)

    found = (ManifestIndex.beside(Path(manifest), opened) for manifest in ((name,) if name else NAMES))
    return next((index for index in found if index is not None), None)
