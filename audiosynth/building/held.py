"""The files of a set as `verify` asks for them: their hashes and names, in a folder or at a URL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from audiosynth.errors import ManifestError
from audiosynth.files.hashes import file_sha256
from audiosynth.files.paths import files_below, is_inside
from audiosynth.files.remote import Remote


class Held(Protocol):
    """Files by their POSIX paths below a set."""

    def digests(self, names: Sequence[str]) -> dict[str, str]:
        """Return the SHA-256 of those files that are there."""
        ...

    def below(self, folder: str) -> Iterator[str]:
        """Yield the files below a folder, in order."""
        ...

    def bring(self, name: str) -> None:
        """Have a file in the folder that the set is read from."""
        ...


@dataclass(frozen=True)
class HeldHere:
    """Files of a folder."""

    root: Path

    def digests(self, names: Sequence[str]) -> dict[str, str]:
        """Return the SHA-256 of those files that are there.

        Raises
        ------
        ManifestError
            If a link leads out of the folder.
        """
        found = {}
        for name in names:
            target = self.root / name
            if not is_inside(self.root, target):
                raise ManifestError(f"{self.root}: {name} leads outside the dataset through a link")
            if target.is_file():
                found[name] = file_sha256(target)
        return found

    def below(self, folder: str) -> Iterator[str]:
        """Yield the files below a folder, in order."""
        yield from (p.relative_to(self.root).as_posix() for p in sorted((self.root / folder).rglob("*")) if p.is_file())

    def bring(self, name: str) -> None:
        """Leave a file where it is."""


@dataclass(frozen=True)
class HeldThere:
    """Files at a URL: downloaded some at a time, hashed and deleted.

    Attributes
    ----------
    there
        Where they are.
    root
        The folder of this machine that the set is read from.
    """

    there: Remote
    root: Path

    def digests(self, names: Sequence[str]) -> dict[str, str]:
        """Return the SHA-256 of those files that are there."""
        if not names:
            return {}
        with TemporaryDirectory(prefix="audiosynth-") as scratch:
            folder = Path(scratch)
            self.there.get_all(names, folder)
            return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files_below(folder)}

    def below(self, folder: str) -> Iterator[str]:
        """Yield the files below a folder, in order."""
        yield from self.there.list(folder)

    def bring(self, name: str) -> None:
        """Download a file into the folder that the set is read from."""
        self.there.get_all([name], self.root)
