"""The operating system's locks on files: they fall when the process ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EAGAIN
from pathlib import Path
from typing import Any


@contextmanager
def locked_file(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a file, which is made if missing.

    Parameters
    ----------
    path
        The file; what is in it stays.
    wait
        Wait until whoever holds it lets go (on Windows for ten seconds).

    Raises
    ------
    BlockingIOError
        If another process holds it.
    OSError
        If the file cannot be made.
    """
    with path.open("a+b") as file:
        try:
            _lock(file, wait=wait)
        except OSError as error:
            raise BlockingIOError(EAGAIN, f"held by another process ({error.strerror})", str(path)) from None
        yield


@contextmanager
def passing_file(path: Path) -> Iterator[None]:
    """Wait for the lock of a file that is there only while somebody holds it.

    Parameters
    ----------
    path
        The file; what a process left of it that was killed goes too.

    Raises
    ------
    OSError
        If the file cannot be made or locked.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "lock")
    >>> with passing_file(path):
    ...     path.exists()
    True
    >>> path.exists()
    False
    """
    held = False
    while not held:
        with path.open("a+b") as file:
            _lock(file, wait=True)
            held = _is_at(file.fileno(), path)  # whoever held it before has deleted it: then others lock a new one
            if held:
                try:
                    yield
                finally:
                    with suppress(PermissionError):  # Windows, while it is open
                        path.unlink(missing_ok=True)
    if os.name == "nt":
        with suppress(PermissionError):  # somebody waits for it
            path.unlink(missing_ok=True)


def _is_at(number: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(number), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def used_file(path: Path) -> Iterator[None]:
    """Share the lock of a file that is there with all others that use it: nobody can hold it alone meanwhile.

    On Windows, which has no such locks, nothing is held.

    Raises
    ------
    OSError
        If the file is not there, or another process holds it alone.
    """
    with path.open("rb") as file:
        try:
            import fcntl
        except ImportError:  # Windows
            pass
        else:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield


def _lock(file: Any, *, wait: bool) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        mode = "LK_LOCK" if wait else "LK_NBLCK"
        msvcrt.locking(file.fileno(), getattr(msvcrt, mode), 1)  # type: ignore[attr-defined, unused-ignore]
        return
    fcntl.flock(file.fileno(), fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
