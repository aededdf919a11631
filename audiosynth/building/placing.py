"""Files put in their place by rename: there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from audiosynth.errors import AudiosynthError, BuildError


def place(path: str | Path, scratch: Path, make: Callable[[str], str]) -> str:
    """Make a file beside its place and move it there; returns what making it returned.

    Paths are text here: to put together and take apart `Path`s costs more than to open, move and close the file of a short clip.
    """
    temporary = f"{scratch}{os.sep}{os.getpid()}-{os.path.basename(path)}"  # noqa: PTH119
    try:
        digest = make(temporary)
        try:
            os.replace(temporary, path)  # noqa: PTH105
        except FileNotFoundError:  # the first clip of its folder
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, path)  # noqa: PTH105
    except (OSError, AudiosynthError):
        Path(temporary).unlink(missing_ok=True)
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
