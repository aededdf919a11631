"""Files below data roots: found whatever form their names are encoded in, never outside the root."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

from audiosynth.errors import AssetError, ManifestError
from audiosynth.files.archives import ARCHIVES, Place, bytes_of, holds, place_in

_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

_READ_PLAIN: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, or of what lies in an archive (`archives`), or say why not."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.read()
    except (NotADirectoryError, FileNotFoundError) as error:
        place = place_in(path)
        if place is not None:
            return bytes_of(place)
        raise AssetError(f"{path}: cannot be read ({error.strerror}); check that it is there and may be read") from None
    except OSError as error:
        raise AssetError(
            f"{path}: cannot be read ({error.strerror or error}); check that it is there and may be read"
        ) from None


def is_below(path: str) -> bool:
    r"""Return whether a POSIX path stays below where it begins, on every system.

    Examples
    --------
    >>> [is_below(path) for path in ("a/b.wav", "../b.wav", "/b.wav", "C:/b.wav", "a\\b.wav", "")]
    [True, False, False, False, False, False]
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    drive = bool(parts) and parts[0][1:2] == ":"
    return bool(parts) and not (path.startswith("/") or drive or ".." in parts or "\\" in path or "\0" in path)


def below(root: Path, path: str) -> Path | None:
    """Return the file at POSIX `path` below `root`, or None if there is none.

    An archive may stand where folders do (``shard.tar/a.wav``, ``data.parquet/audio/17``); what comes back then leads into it,
    and `read_bytes` reads it. Names are compared in NFC, so that a file copied from a system that decomposes its names is found.

    Raises
    ------
    AssetError
        If the path leads outside `root`, by ``..``, an absolute path or a link.
    """
    if not is_below(path):
        raise AssetError(f"{path!r}: expected a path below the data root {root}, without '..'")
    target = root / path
    if _is_plain(target):
        if not _stays(str(root), os.path.split(target)[0]):
            require_inside(root, target)
        return target
    if not target.is_file():
        place = place_in(target)
        if place is not None:
            require_inside(root, place.archive)
            return target if holds(place) else None
        target = root
        parts = PurePosixPath(path).parts
        for i, part in enumerate(parts):
            named = [] if not target.is_dir() else sorted(p for p in target.iterdir() if nfc(p.name) == nfc(part))
            if not named:
                return _in_archive(root, target, parts[i:])
            target = named[0]
        if not target.is_file():
            return None
    require_inside(root, target)
    return target


def plain_bytes(root: Path, path: str) -> bytes | None:
    """Return the bytes of the plain file at POSIX `path` below `root`, as most recordings are, at half the cost of looking further.

    None where there is none, it is a link or lies in an archive, or it cannot be read: `below` and `read_bytes` find it, or say why not.
    A file that grows meanwhile is cut where it ended: whoever asks compares its hash.
    """
    if not is_below(path):
        return None
    target = f"{root}/{path}"  # text: to put together a `Path` costs as much as to open the file
    try:
        found = os.lstat(target)
        if not stat.S_ISREG(found.st_mode) or not _stays(str(root), target[: target.rfind("/")]):
            return None
        file = os.open(target, _READ_PLAIN)
        try:
            return os.read(file, found.st_size)
        finally:
            os.close(file)
    except (OSError, ValueError):
        return None


def _is_plain(path: Path) -> bool:
    """Return whether there is such a file, itself and no link."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _in_archive(root: Path, target: Path, rest: tuple[str, ...]) -> Path | None:
    if target.suffix.casefold() not in ARCHIVES or not target.is_file():
        return None
    require_inside(root, target)
    return target.joinpath(*rest) if holds(Place(target, nfc("/".join(rest)))) else None


def require_file(root: Path, path: Path) -> None:
    """Raise `AssetError` if a link leads outside `root`, or to a pipe, a socket or a device, which may be read for ever."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            require_inside(root, path)
            mode = path.stat().st_mode
    except OSError:  # it is gone, which is told by whoever reads it
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise AssetError(f"{path}: is a pipe, socket or device and no file; exclude it, or take it away")


def is_there(path: Path) -> bool:
    """Return whether there is such a file, or something like it in an archive."""
    place = None if path.is_file() else place_in(path)
    try:
        return path.is_file() if place is None else holds(place)
    except AssetError:  # of an archive that cannot be read
        return False


def stat_of(path: Path) -> tuple[int, int]:
    """Return size and time (ns) of a file, or of the archive that a path leads into.

    Raises
    ------
    AssetError
        If there is none.
    """
    place = None if path.is_file() else place_in(path)
    try:
        found = (path if place is None else place.archive).stat()
    except OSError as error:
        raise AssetError(f"{path}: cannot be read ({error.strerror or error})") from None
    return found.st_size, found.st_mtime_ns


def nearest_folder(path: Path) -> Path:
    """Return the folder, or the nearest one above it that is there: what may be written, and how much, is known by it.

    Examples
    --------
    >>> nearest_folder(Path("/none/such")) == Path("/none/such").absolute().parents[1]
    True
    """
    whole = path.absolute()
    return next(folder for folder in (whole, *whole.parents) if folder.is_dir())


def is_inside(root: Path, target: Path) -> bool:
    """Return whether a file is below a folder where its links lead; a link in a circle leads nowhere."""
    return Path(os.path.realpath(target)).is_relative_to(
        os.path.realpath(root)
    )  # Path.resolve fails in a circle until 3.13


def require_inside(root: Path, target: Path) -> None:
    """Raise `AssetError` if a link leads `target` outside `root`."""
    folder, name = os.path.split(target)
    if _stays(str(root), folder) and not target.is_symlink() and name != "..":
        return
    if not is_inside(root, target):
        raise AssetError(
            f"{target}: a link that leads outside the data root {root}; copy the file there, or give the folder it leads "
            "to as a data root"
        )


@lru_cache(maxsize=4096)  # a corpus has thousands of files a folder, and asking costs as much as reading one
def _stays(root: str, folder: str) -> bool:
    return Path(folder).resolve().is_relative_to(Path(root).resolve())


def nfc(name: str) -> str:
    """Return a name with its accents composed (Unicode NFC), as paths stand in rows."""
    return unicodedata.normalize("NFC", name)


def files_below(root: Path) -> Iterator[Path]:
    """Yield the files below a folder, in order of their names: no links, and no pipes, sockets or devices, which may never end."""
    for folder, names, files in os.walk(root):
        names.sort()
        yield from (path for path in (Path(folder) / name for name in sorted(files)) if _is_plain(path))


def plain_name(name: object) -> bool:
    """Return whether this can name a split or an event: a file name on every system.

    Examples
    --------
    >>> [plain_name(name) for name in ("train", "test-2", "../x", "con", "", 3)]
    [True, True, False, False, False, False]
    """
    return isinstance(name, str) and bool(_PLAIN.fullmatch(name)) and not reserved_name(name)


def reserved_name(name: str) -> bool:
    """Return whether Windows keeps a file name for itself, whatever its ending, or cannot hold it.

    Examples
    --------
    >>> reserved_name("aux.wav"), reserved_name("auxiliary.wav"), reserved_name("a.")
    (True, False, True)
    """
    return bool(_RESERVED.fullmatch(name)) or name.endswith((" ", "."))


def safe_path(path: Any, *, place: str) -> str:
    """Return `path` if it stays inside its folder on every system.

    Raises
    ------
    ManifestError
        If it is absolute, climbs out, or uses a name that some system reserves.
    """
    text = path if isinstance(path, str) else ""
    pieces = PurePosixPath(text).parts
    bad = (
        not text or text.startswith("/") or "\\" in text or ":" in text or "\0" in text or ".." in pieces
        or any(reserved_name(piece) for piece in pieces)
    )  # fmt: skip
    if bad:
        raise ManifestError(f"{place}: path should be relative and stay inside the dataset, got {path!r}")
    return text
