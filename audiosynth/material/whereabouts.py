"""Where recordings are: at their paths below the data roots, or anywhere below them by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from audiosynth.clip import Recording
from audiosynth.errors import AssetError
from audiosynth.files.archives import elsewhere
from audiosynth.files.paths import below, files_below, nfc, plain_bytes, read_bytes
from audiosynth.material.originals import hashed

T = TypeVar("T")


class Whereabouts:
    """The files below some data roots.

    Parameters
    ----------
    roots
        Folder (or folders) of each data root.
    """

    def __init__(self, roots: Mapping[str, Path | Sequence[Path]]) -> None:
        self._roots: dict[str, tuple[Path, ...]] = {}
        self._hashes: dict[Path, str] = {}
        self._listed: tuple[Path, ...] | None = None
        self.add(roots)

    def add(self, roots: Mapping[str, Path | Sequence[Path]]) -> None:
        """Look in these folders as well."""
        for name, folders in roots.items():
            more = (Path(folders),) if isinstance(folders, str | Path) else tuple(Path(f) for f in folders)
            known = self._roots.get(name, ())
            self._roots[name] = tuple(dict.fromkeys((*known, *more)))
            if self._roots[name] != known:
                self._listed = None

    def bytes_of(self, recording: Recording) -> tuple[str, bytes]:
        """Return where a recording's file is, and its bytes, which are those that were planned with.

        Raises
        ------
        AssetError
            As `found` does.
        """
        for root in self._roots.get(recording.data, ())[:1]:
            plain = plain_bytes(root, recording.path)
            if plain is not None and hashlib.sha256(plain).hexdigest() == recording.sha256:
                return f"{root}/{recording.path}", plain
        path, data = self.found(recording, _bytes_and_hash)
        return str(path), data

    def found(self, recording: Recording, read: Callable[[Path], tuple[str, T]]) -> tuple[Path, T]:
        """Return where a recording's file is, and what `read` gave beside its hash, which is the one that was planned with.

        Raises
        ------
        AssetError
            If it is missing or changed.
        """
        path = self.locate(recording)
        got, what = read(path)
        if got == recording.sha256:
            return path, what
        found = self.find_by_hash(recording.sha256, like=recording.path)
        if found is not None:
            again, what = read(found)
            if again == recording.sha256:
                return found, what
        raise AssetError(
            f"{path}: the file changed: expected sha256 {recording.sha256}, got {got}; bring back the file that was used "
            "(under any name, in any folder given by --data), or plan the dataset again from the recipe"
        )

    def locate(self, recording: Recording) -> Path:
        """Return where the recording's file is.

        Raises
        ------
        AssetError
            If it is at its path under none of the roots, nor anywhere below them by its hash.
        """
        for root in self._roots.get(recording.data, ()):
            path = below(root, recording.path)
            if path is not None:
                return path
        found = self.find_by_hash(recording.sha256, like=recording.path)
        if found is not None:
            return found
        tried = ", ".join(str(p) for paths in self._roots.values() for p in paths) or "no folder at all"
        raise AssetError(
            f"{recording.data}:{recording.path} (sha256 {recording.sha256[:16]}…) is missing; looked in {tried}; say where it "
            f"is with --data {recording.data}=DIR (any folder that holds the file, under whatever name)"
        )

    def find_by_hash(self, sha256: str, *, like: str = "") -> Path | None:
        """Return a file with this hash under any root, or None.

        Parameters
        ----------
        sha256
            Of the file's bytes.
        like
            Its path when it was used: files of that name are tried first, then those of that suffix, then all others.
        """
        for path in self._candidates(PurePosixPath(like)):
            if path not in self._hashes:
                try:
                    self._hashes[path] = hashed(path)[0]
                except AssetError:
                    continue
            if self._hashes[path] == sha256:
                return path
        return None

    def _candidates(self, like: PurePosixPath) -> list[Path]:
        if self._listed is None:
            roots = dict.fromkeys(root for folders in self._roots.values() for root in folders)
            self._listed = tuple(path for root in roots for path in files_below(root))
        name, suffix = nfc(like.name).casefold(), like.suffix.casefold()
        files = sorted(self._listed, key=lambda p: (nfc(p.name).casefold() != name, p.suffix.casefold() != suffix))
        return [*elsewhere(self._listed, like), *files]


def _bytes_and_hash(path: Path) -> tuple[str, bytes]:
    data = read_bytes(path)
    return hashlib.sha256(data).hexdigest(), data
