"""A folder aside, in which files are made that are put in their places together; what a kill left of one goes with the next."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from audiosynth.files.locks import locked_file, passing_file

OLD: Final = "old"
"""What is kept there of what stood in the places, until all is done."""
_PREFIX: Final = ".export-"
_LOCK: Final = "lock"
_DOOR: Final = ".export.lock"


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """Give a folder in `folder` that goes again.

    Examples
    --------
    >>> import tempfile
    >>> home = Path(tempfile.mkdtemp())
    >>> with aside(home) as scratch:
    ...     [path.parent == home for path in (scratch,)]
    [True]
    >>> list(home.iterdir())
    []
    """
    with ExitStack() as stack:
        with alone(folder):  # so that none of them is just being made
            for left in sorted(folder.glob(f"{_PREFIX}*")):
                _take_away(left)
            scratch = Path(stack.enter_context(TemporaryDirectory(dir=folder, prefix=_PREFIX)))
            stack.enter_context(locked_file(scratch / _LOCK))
        yield scratch


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep others waiting that put files into their places in `folder`, once they are done with it."""
    with passing_file(folder / _DOOR):
        yield


def _take_away(left: Path) -> None:
    """Delete a folder whose process is gone; what it had moved there, and put nothing in the place of, goes back."""
    if (left / _LOCK).is_file():  # else its process was about to begin, or done and deleting it
        try:
            with locked_file(left / _LOCK):
                for path in sorted((left / OLD).glob("*")):
                    if not (left.parent / path.name).exists():
                        path.rename(left.parent / path.name)
        except OSError:  # it is in use, or not ours
            return
    shutil.rmtree(left, ignore_errors=True)
