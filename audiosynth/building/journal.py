"""What of a set has arrived elsewhere: small files of lines, one for each of the set's folders, that outlive every kind of end."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

_AUDIO: Final = 3
"""Parts of the path of a folder of clips: audio/<split>/<number>."""
_SUFFIX: Final = ".jsonl"
_LONGEST: Final = 255
"""Bytes of a file's name, with most file systems."""
_PLAIN: Final = quote("/", safe="")
"""How the names begin that say which folder a file is of; a hash stands in place of one that is too long, and the lines say it."""


@dataclass(frozen=True)
class Sent:
    """A file that was uploaded.

    Attributes
    ----------
    size
        In bytes.
    mark
        What the file system there said of it once it had arrived (`audiosynth.files.remote.mark_of`); None until it was looked for.
    """

    size: int
    mark: str | None = None


@dataclass(frozen=True)
class Journal:
    """The files of a set that were uploaded, by folder.

    Attributes
    ----------
    place
        Where its own files are.

    Notes
    -----
    A line is ``[path, size, mark]``, a later one outdoes an earlier one, and size null means that the file is there no more. A
    line that was cut by a kill says nothing.
    """

    place: Path

    def folders(self) -> list[str]:
        """Return the folders of the set of which anything was written down."""
        files = sorted(self.place.glob(f"*{_SUFFIX}")) if self.place.is_dir() else []
        found = (unquote(f.stem).removeprefix("/") if f.stem.startswith(_PLAIN) else _folder_in(f) for f in files)
        return [folder for folder in found if folder is not None]

    def read(self, folder: str) -> dict[str, Sent]:
        """Return the files of a folder that were uploaded, by their path below the set."""
        found: dict[str, Sent] = {}
        file = self._file(folder)
        for name, size, mark in _lines(file) if file.is_file() else ():
            if size is None:
                found.pop(name, None)
            else:
                found[name] = Sent(size, mark)
        return found

    def add(self, folder: str, sent: Mapping[str, Sent]) -> None:
        """Write down files that were uploaded."""
        self._append(folder, ([name, one.size, one.mark] for name, one in sent.items()))

    def drop(self, folder: str, names: Iterable[str]) -> None:
        """Write down that files are not there any more."""
        self._append(folder, ([name, None, None] for name in names))

    def clear(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.place, ignore_errors=True)

    def _file(self, folder: str) -> Path:
        name = quote(f"/{folder}", safe="")
        if len(name) + len(_SUFFIX) > _LONGEST:  # three letters for a byte: of names that are not Latin, too many
            name = hashlib.sha256(name.encode()).hexdigest()[:32]
        return self.place / f"{name}{_SUFFIX}"

    def _append(self, folder: str, lines: Iterable[list[object]]) -> None:
        """Add lines; they are on the disk before what they are about is deleted."""
        text = "".join(json.dumps(line) + "\n" for line in lines).encode()
        if not text:
            return
        self.place.mkdir(parents=True, exist_ok=True)
        with self._file(folder).open("a+b") as file:
            if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read())[1] != b"\n":
                file.write(b"\n")
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def _lines(file: Path) -> Iterator[tuple[str, int | None, str | None]]:
    for line in file.read_bytes().splitlines():
        try:
            name, size, mark = json.loads(line)
        except (ValueError, TypeError):
            continue
        yield name, size, mark


def _folder_in(file: Path) -> str | None:
    """Return the folder whose files are written down in a file; None if a kill left no line of it."""
    return next((folder_of(name) for name, _, _ in _lines(file)), None)


def folder_of(name: str) -> str:
    """Return the folder of a set that a file is counted with: its own, or for stems that of the clip.

    Examples
    --------
    >>> folder_of("audio/train/000002/train-000002007.stems/noise.wav"), folder_of("manifest.jsonl")
    ('audio/train/000002', '')
    """
    parts = name.split("/")
    return "/".join(parts[: _AUDIO if is_of_clips(name) else -1])


def is_of_clips(name: str) -> bool:
    """Return whether a path leads into a folder of clips, which has folders of stems.

    Examples
    --------
    >>> is_of_clips("audio/train/000002/a.wav"), is_of_clips("audio/train/000002.tar")
    (True, False)
    """
    return name.startswith("audio/") and name.count("/") >= _AUDIO
