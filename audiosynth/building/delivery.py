"""A dataset on another machine: built in a local folder, uploaded by key while it is made, ``dataset.json`` last of all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from audiosynth.building.folder import WORK, locked
from audiosynth.building.orders import Order
from audiosynth.building.sender import Sender
from audiosynth.building.shipping import HEAD, LOCK, Shipping
from audiosynth.building.state import IDENTITIES, changes
from audiosynth.errors import BuildError, UsageError
from audiosynth.exports import reads_audio
from audiosynth.files.remote import Remote, remote

Made = TypeVar("Made")
Take = Callable[[Sequence[str]], None]
PLACE: Final = "AUDIOSYNTH_STAGING"
"""Environment variable: where the local folders of such builds are made; one that all workers see where a cluster builds."""


@dataclass(frozen=True)
class Upload:
    """Where a set goes that is not for a folder of this machine.

    Attributes
    ----------
    url
        Of the dataset's folder, for fsspec.
    free_local
        Delete audio here as soon as it has arrived there, for sets larger than the disk: what is here at a time is some units (of
        64 clips) more than are being made. Formats of labels that read the audio (`reads_audio`) cannot be written then.

    Examples
    --------
    >>> Upload("s3://bucket/set", free_local=True).url
    's3://bucket/set'
    """

    url: str
    free_local: bool = False

    def require_fit(self, order: Order) -> None:
        """Refuse to let go of audio that the labels are made from.

        Raises
        ------
        UsageError
            If a format reads it.
        """
        for tree in order.exports if self.free_local else ():
            if reads_audio(tree):
                raise UsageError(
                    f"--free-local: the labels as {str(tree['type']).partition('@')[0]} are made from all of the audio, at the end; "
                    "leave that format out, or keep the audio here until the set is whole"
                )


def delivered(
    target: Upload,
    make: Callable[[Path, Take], Made],
    state: Mapping[str, Any],
    *,
    fresh: bool,
    environ: Mapping[str, str],
) -> tuple[Made | None, dict[str, Any]]:
    """Build into a local folder and upload what is made, while it is made.

    Parameters
    ----------
    target
        Where to.
    make
        Builds into the folder it is given, resuming what is there, keeping its ``.build``; hands over what is final.
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
    url = target.url
    home = staging_of(url, environ)
    there = remote(url, error=BuildError)
    empty = there.is_empty()
    head = _head(there) if not empty and there.holds(HEAD) else {}
    if head and not fresh:
        changed = changes(head.get("build") or {}, state)
        if changed:
            raise BuildError(
                f"{url}: holds another build; changed: {changed}. Choose another URL with -o, or --fresh to replace it"
            )
        _tidy(there, home)
        return None, head
    if not empty and not _is_ours(head, there):
        raise BuildError(f"{url}: is not empty and holds no build; choose an empty folder with -o")
    (home / WORK).mkdir(parents=True, exist_ok=True)
    with locked(home):
        shipping = Shipping(there, home, _token(home), target.free_local)
        _take_place(there, shipping.token, fresh=fresh)
        if fresh:
            shipping.replace_all()
        shipping.restore()
        with Sender(shipping).running() as take:
            made = make(shipping.folder, take)
        shipping.complete()
        head = json.loads((shipping.folder / HEAD).read_bytes())
        _unlock(there)
    shutil.rmtree(home)
    return made, head


def staging_of(url: str, environ: Mapping[str, str]) -> Path:
    """Return the local folder of a delivery; its ``set`` is the set until it has arrived."""
    return Path(environ.get(PLACE) or "output/.staging").expanduser() / hashlib.sha256(url.encode()).hexdigest()[:16]


def _head(there: Remote) -> dict[str, Any]:
    try:
        found = json.loads(there.read(HEAD))
    except ValueError:
        found = None
    if not (isinstance(found, dict) and isinstance(found.get("build") or {}, dict)):
        raise BuildError(f"{there.url}: its {HEAD} is not what a build writes; choose another URL with -o")
    return found


def _is_ours(head: Mapping[str, Any], there: Remote) -> bool:
    """Return whether what is there is a build, whole or begun."""
    return there.holds(LOCK) or not set(head.get("build") or ()).isdisjoint(IDENTITIES)


def _token(staging: Path) -> bytes:
    """Return what no other local folder has, wherever it is."""
    file = staging / "token"
    if not file.is_file():
        temporary = staging / "token.tmp"
        temporary.write_text(os.urandom(16).hex(), encoding="ascii")
        temporary.replace(file)
    return file.read_bytes()


def _take_place(there: Remote, token: bytes, *, fresh: bool) -> None:
    """Make the lock object; it stays after an error, so that nobody else goes on with half a dataset unasked."""
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


def _tidy(there: Remote, home: Path) -> None:
    """Take away the lock and the local folder, or what is left of it, of a build that was killed when nothing else was left to do."""
    if not home.is_dir():
        return
    (home / WORK).mkdir(exist_ok=True)
    with locked(home):
        if (home / "token").is_file() and there.holds(LOCK) and there.read(LOCK) == _token(home):
            _unlock(there)
    shutil.rmtree(home)


def _unlock(there: Remote) -> None:
    """Take the lock away, and the folder that was made for it."""
    there.remove([LOCK])
    there.remove_empty(WORK)
