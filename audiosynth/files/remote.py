"""Files of other machines, by URL: S3, Google, Azure, SFTP, HTTP and what else fsspec knows (extra ``[storage]``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import UnsupportedOperation
from pathlib import Path
from threading import Event
from typing import Any, Final, TypeVar

from audiosynth.errors import AudiosynthError, UsageError
from audiosynth.files.ranged import RangedFile

Result = TypeVar("Result")
WHOLE: Final = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "memory")
"""Protocols whose objects appear whole or not at all; elsewhere a file is uploaded under another name and renamed."""
PAUSES: Final = (0.2, 0.5, 1.0, 2.0)
"""Seconds between tries; one more try than pauses."""
BATCH: Final = 1000
"""Files deleted with one request where the file system can."""
FINAL: Final = (
    FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError, UnsupportedOperation,
)  # fmt: skip
"""Errors that another try would meet again."""
MARKS: Final = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created")
"""What file systems say of a file that changes with its content; those that follow the bytes themselves before times."""
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.")
_PARTIAL: Final = ".partial"
_WILD: Final = frozenset("*?[")
"""What makes a pattern of a path where fsspec deletes several at once: it would find files of other folders."""


def is_url(text: object) -> bool:
    r"""Return whether a text is a URL and no path.

    Examples
    --------
    >>> [is_url(text) for text in ("s3://bucket/set", "file:///a", "C:\\a", "a/b", "s3:")]
    [True, True, False, False, False]
    """
    return isinstance(text, str) and bool(_URL.match(text))


@dataclass(frozen=True)
class Remote:
    """A folder of another machine.

    Attributes
    ----------
    url
        As given.
    fs
        The file system, from fsspec.
    root
        The folder, as the file system calls it.
    error
        Raised where something cannot be had or put.
    """

    url: str
    fs: Any
    root: str
    error: type[AudiosynthError]

    def at(self, path: str) -> str:
        """Return how the file system calls a path below the folder."""
        return f"{self.root.rstrip('/')}/{path}"

    def list(self, below: str = "", *, deep: bool = True, first: bool = False) -> dict[str, dict[str, Any]]:
        """Return all files with what is known of them, by their path below the folder, in order.

        Parameters
        ----------
        below
            Only those of this folder in it.
        deep
            With those of its own folders.
        first
            Try once (S3's client alone tries several times): an address that is wrong is wrong the next time too.
        """
        top = self.root if not below else self.at(below)

        def find() -> Any:
            self.fs.invalidate_cache()
            return self.fs.find(top, detail=True, **({} if deep else {"maxdepth": 1}))

        try:
            found = self.tried(find, "listed", pauses=() if first else PAUSES)
        except FileNotFoundError:
            return {}
        start = len(self.root.rstrip("/")) + 1
        return {name[start:]: found[name] for name in sorted(found) if len(name) > start}

    def is_empty(self) -> bool:
        """Return whether there is no file at all; asked first, so it is tried once (see `list`)."""

        def look() -> bool:
            self.fs.invalidate_cache()
            return not any(files for _, _, files in self.fs.walk(self.root, on_error="raise"))

        try:
            return self.tried(look, "listed", pauses=())
        except FileNotFoundError:
            return True

    def holds(self, path: str) -> bool:
        """Return whether there is such a file."""
        self.fs.invalidate_cache()
        return bool(self.tried(lambda: self.fs.isfile(self.at(path)), f"{path} looked for"))

    def read(self, path: str) -> bytes:
        """Return a small file's bytes."""
        found: bytes = self.tried(lambda: self.fs.cat_file(self.at(path)), f"{path} read")
        return found

    def open(self, path: str) -> RangedFile:
        """Open a file to read parts of it.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """
        self.fs.invalidate_cache()
        size = int(self.tried(lambda: self.fs.info(self.at(path)), f"{path} looked for")["size"])
        return RangedFile(lambda first, last: self.part(path, first, last), size)

    def part(self, path: str, first: int, last: int) -> bytes:
        """Return bytes [first, last) of a file.

        Raises
        ------
        io.UnsupportedOperation
            If the server sends all of it whatever is asked for, as plain web servers do.
        """

        def fetch() -> bytes:
            data: bytes = self.fs.cat_file(self.at(path), start=first, end=last)
            if len(data) > last - first:
                raise UnsupportedOperation(f"{self.url}: the server gives no parts of files")
            if len(data) != last - first:
                raise OSError(f"{len(data)} of {last - first} bytes came")
            return data

        return self.tried(fetch, f"{path} read")

    def get_all(self, paths: Sequence[str], folder: Path) -> Sequence[str]:
        """Download files into a folder, many at once where the file system can; return those that are not there."""
        found = {path: folder / path for path in paths}
        for target in found.values():
            target.parent.mkdir(parents=True, exist_ok=True)

        def fetch() -> None:
            self.fs.get([self.at(path) for path in found], [str(target) for target in found.values()])

        try:
            self.tried(fetch, f"{paths[0]} read")
        except FileNotFoundError:
            for path, target in found.items():
                target.unlink(missing_ok=True)
                with suppress(FileNotFoundError):
                    self.get(path, target, None)
        return [path for path, target in found.items() if not target.is_file()]

    def get(self, path: str, local: Path, size: int | None) -> None:
        """Download a file; it is as long as was said, or it is tried again."""

        def fetch() -> None:
            self.fs.get_file(self.at(path), str(local))
            if size is not None and local.stat().st_size != size:
                raise OSError(f"{local.stat().st_size} of {size} bytes came")

        try:
            self.tried(fetch, f"{path} read")
        except FileNotFoundError:
            local.unlink(missing_ok=True)  # SFTP's client makes the local file before it asks for the other
            raise

    def create(self, path: str, data: bytes) -> None:
        """Write a file that must not be there (atomic on S3, memory and disks).

        Raises
        ------
        FileExistsError
            If it is.
        """
        if "s3" not in self.protocols and self.fs.exists(self.at(path)):
            raise FileExistsError(path)
        self.fs.makedirs(self.at(path).rpartition("/")[0], exist_ok=True)
        self.tried(lambda: self.fs.pipe_file(self.at(path), data, mode="create"), f"{path} written")

    def put(self, folder: Path, paths: Sequence[str]) -> None:
        """Upload files of a local folder to the same paths; each of them is there whole or not at all."""
        local = [str(folder / path) for path in paths]

        def send() -> None:
            if self.protocols & {*WHOLE}:
                self.fs.put(local, [self.at(path) for path in paths])
                return
            for source, path in zip(local, paths, strict=True):
                self.fs.makedirs(self.at(path).rpartition("/")[0], exist_ok=True)
                self.fs.put_file(source, self.at(path) + _PARTIAL)
                self.fs.mv(self.at(path) + _PARTIAL, self.at(path))

        self.tried(send, f"{paths[0]} written")

    def remove(self, paths: Sequence[str]) -> None:
        """Delete files, those that are there; many at once where the file system can."""
        for first in range(0, len(paths), BATCH):
            batch = [self.at(path) for path in paths[first : first + BATCH]]
            plain = [path for path in batch if _WILD.isdisjoint(path)]
            single = [path for path in batch if not _WILD.isdisjoint(path)]
            try:
                if plain:
                    self.tried(lambda plain=plain: self.fs.rm(plain), f"{paths[first]} deleted")  # type: ignore[misc]
            except FileNotFoundError:
                single = batch
            for path in single:
                with suppress(FileNotFoundError):
                    self.tried(lambda path=path: self.fs.rm_file(path), f"{path} deleted")  # type: ignore[misc]

    def remove_empty(self, folder: str) -> None:
        """Delete a folder in which nothing is left, where folders are more than a part of objects' names; one that stays does no harm."""
        if not self.protocols & {*WHOLE} and not self.list(folder):  # some delete what is in it too
            with suppress(Exception):  # every file system has errors of its own
                self.fs.rmdir(self.at(folder))

    @property
    def protocols(self) -> set[str]:
        """Return the names of the file system's protocol."""
        names = self.fs.protocol
        return {names} if isinstance(names, str) else {*names}

    def tried(self, call: Callable[[], Result], what: str, *, pauses: Sequence[float] | None = None) -> Result:
        """Return what a call gives, tried a bounded number of times.

        Raises
        ------
        AudiosynthError
            Of the kind asked for, if it never works.
        """
        failed: Exception | None = None
        pauses = PAUSES if pauses is None else pauses
        for pause in (0.0, *pauses):
            if pause:
                Event().wait(pause)
            try:
                return call()
            except PermissionError as error:
                raise self.error(f"{self.url}: {what}? It is not allowed ({error}); check the credentials") from None
            except FINAL:
                raise
            except Exception as error:  # every file system has errors of its own
                failed = error
        times = f"{len(pauses) + 1} times, at last" if pauses else "once,"
        raise self.error(
            f"{self.url}: {what}? It failed {times} with {type(failed).__name__}: {failed}; what is done stays, run the same command "
            "again when the connection is better"
        ) from failed


def mark_of(info: Mapping[str, Any]) -> str:
    """Return what a file system says of a file that changes with its content; empty if it says nothing.

    Examples
    --------
    >>> mark_of({"size": 3, "mtime": 12.5}), mark_of({"size": 3})
    ('12.5', '')
    """
    return next((str(info[name]) for name in MARKS if info.get(name)), "")


def remote(url: str, *, error: type[AudiosynthError]) -> Remote:
    """Return the folder of a URL.

    Raises
    ------
    UsageError
        If nothing installed reads such URLs.
    """
    try:
        import fsspec
    except ImportError:
        raise UsageError(f"{url}: URLs need fsspec: pip install 'audiosynth[storage]'") from None
    protocol = url.partition("://")[0]
    try:
        fs, root = fsspec.url_to_fs(url)
    except ImportError as missing:
        raise UsageError(f"{url}: {missing} (pip install 'audiosynth[storage]' brings fsspec alone)") from None
    except ValueError as unknown:
        raise UsageError(f"{url}: no file system is called '{protocol}' ({unknown})") from None
    return Remote(url, fs, root, error)
