"""A dataset on another machine: built in a local folder, then uploaded by key, ``dataset.json`` last of all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from audiosynth.building.folder import WORK, WRITTEN, locked
from audiosynth.building.state import IDENTITIES, changes
from audiosynth.errors import BuildError, counted
from audiosynth.files.paths import files_below
from audiosynth.files.remote import Remote, remote

Made = TypeVar("Made")
PLACE: Final = "AUDIOSYNTH_STAGING"
"""Environment variable: where the local folders of such builds are made; one that all workers see where a cluster builds."""
LOCK: Final = f"{WORK}/lock"
HEAD: Final = "dataset.json"
BATCH: Final = 64
"""Files uploaded together, at once where the file system can."""
LOOKS: Final = 3
"""How often files are uploaded again that arrived with another size."""


def delivered(
    url: str, make: Callable[[Path], Made], state: Mapping[str, Any], *, fresh: bool, environ: Mapping[str, str]
) -> tuple[Made | None, dict[str, Any]]:
    """Build into a local folder and upload what was made.

    Parameters
    ----------
    url
        Of the dataset's folder, for fsspec.
    make
        Builds into the folder it is given, resuming what is there.
    state
        What decides the bytes of the build.
    fresh
        Replace an earlier build at the URL.
    environ
        May say where local folders are made (`PLACE`).

    Returns
    -------
    made, head
        What `make` returned, None if the whole build was there already; and its ``dataset.json``.

    Raises
    ------
    BuildError
        If something else is at the URL, another build goes there, or uploads fail too often. What was made and uploaded stays; the
        same build goes on from there.

    Notes
    -----
    An object appears whole or not at all, and nothing says that the dataset is whole before ``dataset.json`` is there. A lock
    object, created only if there is none, keeps others out; it names this build's local folder, which takes it up again after a kill.
    """
    there = remote(url, error=BuildError)
    present = there.list(first=True)
    head = _head(there) if HEAD in present else {}
    if head and not fresh:
        changed = changes(head.get("build") or {}, state)
        if changed:
            raise BuildError(
                f"{url}: holds another build; changed: {changed}. Choose another URL with -o, or --fresh to replace it"
            )
        return None, head
    if present and not _is_ours(head, present):
        raise BuildError(f"{url}: is not empty and holds no build; choose an empty folder with -o")
    staging = Path(environ.get(PLACE) or "output/.staging").expanduser() / hashlib.sha256(url.encode()).hexdigest()[:16]
    (staging / WORK).mkdir(parents=True, exist_ok=True)
    with locked(staging):
        if fresh:
            (staging / "sent").unlink(missing_ok=True)
        token = _token(staging)
        with _taken(there, token, fresh=fresh):
            made = make(staging / "set")
            there.remove([HEAD] if head else [])
            _upload(there, staging, token, fresh=fresh)
            head = json.loads((staging / "set" / HEAD).read_bytes())
            there.remove([LOCK])
    shutil.rmtree(staging)
    return made, head


def _head(there: Remote) -> dict[str, Any]:
    try:
        found = json.loads(there.read(HEAD))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BuildError(f"{there.url}: its {HEAD} is not what a build writes; choose another URL with -o")
    return found


def _is_ours(head: Mapping[str, Any], present: Mapping[str, Any]) -> bool:
    """Return whether what is there is a build, whole or begun."""
    return LOCK in present or not set(head.get("build") or ()).isdisjoint(IDENTITIES)


def _token(staging: Path) -> bytes:
    """Return what no other local folder has, wherever it is."""
    file = staging / "token"
    if not file.is_file():
        temporary = staging / "token.tmp"
        temporary.write_text(os.urandom(16).hex(), encoding="ascii")
        temporary.replace(file)
    return file.read_bytes()


@contextmanager
def _taken(there: Remote, token: bytes, *, fresh: bool) -> Iterator[None]:
    """Hold the lock object; it stays after an error, so that nobody else goes on with half a dataset unasked."""
    try:
        there.create(LOCK, token)
    except FileExistsError:
        if there.read(LOCK) != token:
            if not fresh:
                raise BuildError(
                    f"{there.url}: another build goes there, or was ended on its way. Resume that one, from the machine and folder "
                    "it was started in, or take its place with --fresh"
                ) from None
            there.remove([LOCK])
            there.create(LOCK, token)
    yield


def _upload(there: Remote, staging: Path, token: bytes, *, fresh: bool) -> None:
    """Upload what is not there yet, see that all of it is, and say so with the head."""
    folder, journal = staging / "set", staging / "sent"
    names = [path.relative_to(folder).as_posix() for path in files_below(folder)]
    sizes = {name: (folder / name).stat().st_size for name in names if name != HEAD and not name.startswith(f"{WORK}/")}
    if fresh:  # what is there is of another build
        there.remove(
            [name for name in there.list() if name.split("/")[0] in WRITTEN and name not in sizes and name != LOCK]
        )
    sent = set(journal.read_text(encoding="utf-8").splitlines()) if journal.is_file() else set()
    todo = [name for name in sizes if name not in sent]
    for _ in range(LOOKS):
        _send(there, folder, todo, journal)
        arrived = there.list()
        todo = [name for name, size in sizes.items() if arrived.get(name, {}).get("size") != size]
        if not todo:
            if there.read(LOCK) != token:
                raise BuildError(f"{there.url}: another build has taken the place of this one (--fresh)")
            there.put(folder, [HEAD])
            return
    raise BuildError(f"{there.url}: {counted(len(todo), 'file')} not there as sent, {todo[0]} first")


def _send(there: Remote, folder: Path, names: Sequence[str], journal: Path) -> None:
    for first in range(0, len(names), BATCH):
        batch = names[first : first + BATCH]
        there.put(folder, batch)
        with journal.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in batch)
