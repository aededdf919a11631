"""Files of a set on their way to another machine: uploaded, seen to have arrived, written down, and let go of here if that is wished."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from audiosynth.building.folder import WORK, WRITTEN
from audiosynth.building.journal import Journal, Sent, folder_of, is_of_clips
from audiosynth.building.pack import mark_of_tar
from audiosynth.building.units import unit_name
from audiosynth.errors import BuildError, counted
from audiosynth.files.paths import files_below
from audiosynth.files.remote import Remote, mark_of
from audiosynth.manifest import CLIPS_PER_SHARD

LOCK: Final = f"{WORK}/lock"
HEAD: Final = "dataset.json"
BATCH: Final = 64
"""Files uploaded together, at once where the file system can."""
STEMS: Final = ".stems"
"""Ending of a clip's folder of stems; empty ones take room too."""
LOOKS: Final = 3
"""How often files are uploaded again that arrived with another size."""


class PlaceTakenError(BuildError):
    """Another build goes to the same URL now."""


@dataclass(frozen=True)
class Shipping:
    """The way of a set from a local folder to its URL.

    Attributes
    ----------
    there
        Where it goes.
    home
        The folder of what is known of this delivery; its ``set`` is the set.
    token
        What the lock object there has to say.
    free
        Delete audio here once it has arrived.

    Notes
    -----
    Only files whose bytes are final are shipped, and each is written down (`Journal`) when the server has taken it, and again with
    its mark when the server lists it with the right size. Nothing is let go of before that.
    """

    there: Remote
    home: Path
    token: bytes
    free: bool = False

    @property
    def folder(self) -> Path:
        """Return the set's folder."""
        return self.home / "set"

    @property
    def journal(self) -> Journal:
        """Return what has arrived."""
        return Journal(self.home / "journal")

    def replace_all(self) -> None:
        """Have what an earlier build left there deleted before the first upload, whatever comes between."""
        self.journal.clear()
        (self.home / "replace").touch()

    def ship(self, folder: str, names: Sequence[str], *, look: bool = False) -> None:
        """Upload those files of one folder that are not there yet.

        Parameters
        ----------
        folder, names
            `folder_of` all of them, and their paths below the set.
        look
            Also see that those are still there that arrived earlier.

        Raises
        ------
        PlaceTakenError
            If the lock there is no longer ours.
        BuildError
            If they cannot be uploaded, do not arrive as they were sent, or are neither here nor there.
        """
        for _ in range(LOOKS):
            known = self.journal.read(folder)
            todo = [name for name in names if name not in known]
            if todo:
                self._begin()
                self._put(folder, todo)
            elif not look and all(known[name].mark is not None for name in names):
                break
            if not self._look(folder, names):
                break
        else:
            raise BuildError(
                f"{self.there.url}: not arrived as sent: {counted(len(todo), 'file')}, {todo[0]} first; everything is still here, run "
                "the same command again"
            )
        if self.free:
            for name in names:
                if name.startswith("audio/"):
                    self._let_go(self.folder / name)

    def _let_go(self, file: Path) -> None:
        file.unlink(missing_ok=True)
        if file.parent.suffix == STEMS:
            with suppress(OSError):  # others are in it still
                file.parent.rmdir()

    def _begin(self) -> None:
        """See that nobody else took this place, and that nothing of an earlier build is left in it."""
        try:
            ours = self.there.read(LOCK) == self.token
        except FileNotFoundError:
            ours = False
        if not ours:
            raise PlaceTakenError(f"{self.there.url}: another build has taken the place of this one (--fresh)")
        if (self.home / "replace").is_file():
            self.there.remove([HEAD])  # first: without it, nobody takes what is left for a set
            self.there.remove([name for name in self.there.list() if name.split("/")[0] in WRITTEN and name != LOCK])
            (self.home / "replace").unlink()

    def _put(self, folder: str, names: Sequence[str]) -> None:
        self._forget(folder, [name for name in names if not (self.folder / name).is_file()])
        for first in range(0, len(names), BATCH):
            batch = names[first : first + BATCH]
            sent = {name: Sent((self.folder / name).stat().st_size) for name in batch}
            self.there.put(self.folder, batch)
            self.journal.add(folder, sent)

    def _look(self, folder: str, names: Sequence[str]) -> bool:
        """Hold what was sent against what is listed; return whether something has to be sent again."""
        known = self.journal.read(folder)
        arrived = self.there.list(folder, deep=_is_deep(folder))
        good = {name: known[name] for name in names if _same(known[name], arrived.get(name))}
        new = {name: Sent(sent.size, mark_of(arrived[name])) for name, sent in good.items() if sent.mark is None}
        bad = [name for name in names if name not in good]
        self.journal.add(folder, new)
        self._forget(folder, bad)
        return bool(bad)

    def _forget(self, folder: str, names: Sequence[str]) -> None:
        """Take files for not uploaded; those that are not here either have to be made again.

        Raises
        ------
        BuildError
            If there are any of those.
        """
        lost = [name for name in names if not (self.folder / name).is_file()]
        self._make_again(lost)  # before the journal forgets them: whoever is killed in between comes back here
        self.journal.drop(folder, names)
        if lost:
            raise BuildError(
                f"{self.there.url}: arrived once, not there any more, and let go of here: {counted(len(lost), 'file')}, {lost[0]} first; "
                "run the same command again, their clips are made again"
            )

    def restore(self) -> None:
        """Have made again what was let go of here and is not there any more: before a build goes on."""
        for folder in self.journal.folders():
            gone = {n: sent for n, sent in self.journal.read(folder).items() if not (self.folder / n).is_file()}
            if gone:
                arrived = self.there.list(folder, deep=_is_deep(folder))
                lost = [name for name, sent in gone.items() if not _same(sent, arrived.get(name))]
                self._make_again(lost)
                self.journal.drop(folder, lost)

    def _make_again(self, names: Sequence[str]) -> None:
        """Forget the units of files, and that the set is whole, so that the build makes them again."""
        work = self.folder / WORK
        for name in [name for name in names if name.startswith("audio/")]:
            if name.endswith(".tar"):
                mark_of_tar(self.folder, name.removesuffix(".tar")).unlink(missing_ok=True)
            for unit in _units_of(name):
                (work / "units" / unit).unlink(missing_ok=True)
                (work / "failed" / unit).unlink(missing_ok=True)
        if names:
            (self.folder / HEAD).unlink(missing_ok=True)

    def complete(self) -> None:
        """Upload all that is left, the files beside the folders after everything in them, and last of all ``dataset.json``."""
        names = (path.relative_to(self.folder).as_posix() for path in files_below(self.folder))
        here = {folder_of(name) for name in names if not name.startswith(f"{WORK}/")}
        for folder in sorted({*here, *self.journal.folders()}, key=lambda folder: (not folder, folder)):
            self.ship(folder, self._files(folder), look=True)
        self._begin()
        self.there.put(self.folder, [HEAD])

    def _files(self, folder: str) -> list[str]:
        """Return the files of a folder, those here and those that were let go of."""
        top = self.folder / folder
        found = files_below(top) if _is_deep(folder) else (path for path in sorted(top.glob("*")) if path.is_file())
        here = {path.relative_to(self.folder).as_posix() for path in found} if top.is_dir() else set()
        return sorted({*here, *self.journal.read(folder)} - {HEAD})


def _is_deep(folder: str) -> bool:
    return is_of_clips(f"{folder}/")


def _same(sent: Sent, info: Mapping[str, Any] | None) -> bool:
    """Return whether a file is there as it was sent."""
    return info is not None and info.get("size") == sent.size and sent.mark in (None, mark_of(info))


def _units_of(name: str) -> Iterator[str]:
    """Yield the names of the units that a file of ``audio/`` has clips of.

    Examples
    --------
    >>> list(_units_of("audio/train/000002/train-000002007.stems/noise.wav"))
    ['train-000000031.jsonl']
    """
    _, split, *rest = name.split("/")
    if len(rest) > 1:
        yield unit_name(split, int(rest[1].partition(".")[0].rpartition("-")[2]))
        return
    first = int(rest[0].removesuffix(".tar")) * CLIPS_PER_SHARD
    yield from dict.fromkeys(unit_name(split, number) for number in range(first, first + CLIPS_PER_SHARD))
