"""Data roots on other machines: downloaded once, held by content in a cache of bounded size, read as a folder of this one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from audiosynth.errors import AssetError, UsageError
from audiosynth.files.hashes import file_sha256
from audiosynth.files.locks import locked_file
from audiosynth.files.paths import files_below, is_below
from audiosynth.files.remote import Remote, remote
from audiosynth.material.index import default_cache_dir

PLACE: Final = "AUDIOSYNTH_DOWNLOADS"
"""Environment variable: the folder of the cache; one that all workers see where a cluster builds."""
SIZE: Final = "AUDIOSYNTH_DOWNLOADS_GB"
"""Environment variable: its bound."""
DEFAULT_GB: Final = 50.0
_MARKS: Final = ("ETag", "etag", "LastModified", "last_modified", "md5Hash", "mtime", "created")
"""What file systems say of a file that changes with its content."""


def downloaded(url: str, environ: Mapping[str, str]) -> Path:
    """Return a local folder with the files below a URL, downloading what is not there yet.

    Parameters
    ----------
    url
        Of a folder, for fsspec.
    environ
        May say where the cache is and how large (`PLACE`, `SIZE`).

    Raises
    ------
    AssetError
        If there are no files, they cannot be had, or they are larger than the cache may be.

    Notes
    -----
    A file is held under its SHA-256 and linked to its place, so the same content under ten names is held once. It is asked for again
    when the server gives another mark (ETag, time of change) or size; without a mark, each time. Folders that were not used for
    longest make room for new ones.
    """
    place, most = _cache(environ)
    there = remote(url, error=AssetError)
    listing = there.list(first=True)
    if not listing:
        raise AssetError(f"{url}: there are no files; expected a folder of recordings")
    total = sum(info.get("size") or 0 for info in listing.values())
    if total > most:
        raise AssetError(
            f"{url}: {total / 1e9:.1f} GB, and downloads may take {most / 1e9:g} GB; raise {SIZE}, or name a smaller folder"
        )
    tree = place / "trees" / hashlib.sha256(url.encode()).hexdigest()[:32]
    place.mkdir(parents=True, exist_ok=True)
    with locked_file(place / "lock", wait=True):  # what one process links, another must not take for unused
        _fill(there, listing, tree, place)
        _bound(place, most, keep=tree)
    return tree / "files"


def _cache(environ: Mapping[str, str]) -> tuple[Path, float]:
    given, text = environ.get(PLACE), environ.get(SIZE, str(DEFAULT_GB))
    home = default_cache_dir()
    place = Path(given).expanduser() if given else None if home is None else home / "downloads"
    if place is None:
        raise UsageError(f"downloads have no folder: set {PLACE}=DIR")
    try:
        return place.absolute(), float(text) * 1e9
    except ValueError:
        raise UsageError(f"{SIZE}: expected a number of gigabytes, got '{text}'") from None


def _fill(there: Remote, listing: Mapping[str, Mapping[str, Any]], tree: Path, place: Path) -> None:
    """Make a tree what the listing says."""
    index, files = tree / "index.json", tree / "files"
    known = _read(index)
    found: dict[str, list[Any]] = {}
    for path, info in listing.items():
        if not is_below(path):
            raise AssetError(f"{there.url}: {path!r} cannot be a file here")
        size, mark = info.get("size"), [str(info[name]) for name in _MARKS if info.get(name)]
        before = known.get(path, [None, None, ""])
        sha256 = before[2] if mark and before[:2] == [size, mark] else ""
        if not (sha256 and _object(place, sha256).is_file()):
            sha256 = _download(there, path, size, place)
        found[path] = [size, mark, sha256]
        _link(_object(place, sha256), files / path)
    for stray in [path for path in files_below(files) if path.relative_to(files).as_posix() not in found]:
        stray.unlink()
    temporary = index.with_name("index.tmp")
    temporary.write_text(json.dumps(found), encoding="utf-8")
    temporary.replace(index)  # its time says when the tree was last used


def _read(index: Path) -> dict[str, list[Any]]:
    try:
        found: dict[str, list[Any]] = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _object(place: Path, sha256: str) -> Path:
    return place / "objects" / sha256[:2] / sha256


def _download(there: Remote, path: str, size: int | None, place: Path) -> str:
    """Download a file into the cache; return its hash."""
    temporary = place / f"{os.getpid()}.part"
    try:
        there.get(path, temporary, size)
        sha256 = file_sha256(temporary)
        target = _object(place, sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)
    except FileNotFoundError:
        raise AssetError(f"{there.url}: {path} was listed and is not there any more") from None
    finally:
        temporary.unlink(missing_ok=True)
    return sha256


def _link(source: Path, target: Path) -> None:
    """Give an object its place in a tree."""
    if target.is_file() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)


def _bound(place: Path, most: float, *, keep: Path) -> None:
    """Delete the trees that were not used for longest, and objects that are in no tree, until the cache is small enough."""
    trees = sorted((place / "trees").iterdir(), key=lambda tree: (_used(tree), tree.name))
    for tree in [*(tree for tree in trees if tree != keep), None]:
        objects = [(path, path.stat()) for path in files_below(place / "objects")]
        if sum(stat.st_size for _, stat in objects) <= most:
            return
        for path in [path for path, stat in objects if stat.st_nlink == 1]:
            path.unlink()
        if tree is not None and sum(stat.st_size for path, stat in objects if path.exists()) > most:
            shutil.rmtree(tree)


def _used(tree: Path) -> int:
    index = tree / "index.json"
    return index.stat().st_mtime_ns if index.is_file() else 0
