"""Files put in their place by rename: there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from audiosynth.errors import AudiosynthError, BuildError


def place(path: Path, scratch: Path, make: Callable[[Path], str]) -> str:
    """Make a file beside its place and move it there; returns what making it returned."""
    temporary = scratch / f"{os.getpid()}-{path.name}"
    try:
        digest = make(temporary)
        try:
            temporary.replace(path)
        except FileNotFoundError:  # the first clip of its folder
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(path)
    except (OSError, AudiosynthError):
        temporary.unlink(missing_ok=True)
        raise
    return digest


def put(path: Path, data: bytes, *, scratch: Path) -> None:
    """Write a file by rename: it is there whole or not at all.

    Raises
    ------
    BuildError
        If the disk is full or the folder cannot be written.
    """
    temporary = scratch / f"{os.getpid()}-{path.name}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise disk_error(error, path.parent) from error


def disk_error(error: OSError, folder: Path) -> BuildError:
    """Return what to tell the user about a failed write."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BuildError(
            f"{folder}: the disk is full; free some space and run the same command again, it goes on where it stopped"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BuildError(f"{folder}: cannot be written ({error.strerror}); choose another folder with -o")
    return BuildError(
        f"{folder}: {error.strerror or error}; what is finished stays, the same command goes on where it stopped"
    )
