"""The lines of a manifest, packed or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, AnyStr

from audiosynth.errors import ManifestError
from audiosynth.manifest import read_rows


def is_packed(manifest: Path) -> bool:
    """Return whether a manifest file is gzip-compressed: its name says so."""
    return manifest.suffix == ".gz"


@contextmanager
def raw_lines(manifest: Path) -> Iterator[Iterable[bytes]]:
    """Open a manifest file, packed or not, and give its lines as bytes."""
    if is_packed(manifest):
        with gzip.open(manifest, "rb") as file:
            yield _whole(file, manifest)
    else:
        with manifest.open("rb") as plain:
            yield plain


@contextmanager
def lines_of(manifest: Path) -> Iterator[Iterator[str]]:
    """Open a manifest file, packed or not, and give its lines.

    Raises
    ------
    ManifestError
        If a packed one is cut or damaged.
    """
    if is_packed(manifest):
        with gzip.open(manifest, "rt", encoding="utf-8") as file:
            yield _whole(file, manifest)
    else:
        with manifest.open(encoding="utf-8") as plain:
            yield plain


def filled(lines: Iterable[AnyStr]) -> Iterator[AnyStr]:
    r"""Yield the lines that hold something: blank ones are no rows, wherever rows are read.

    Examples
    --------
    >>> [*filled(["{}", "\n", " \r\n", "{}\n"])]
    ['{}', '{}\n']
    """
    return (line for line in lines if line.strip())


def _whole(file: Any, manifest: Path) -> Iterator[Any]:
    try:
        yield from file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ManifestError(f"{manifest}: is cut or damaged ({error}); copy it again") from None


def rows_of(manifest: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row tree) for every line of a manifest file.

    Raises
    ------
    ManifestError
        If the file is damaged, or a line is no row.
    """
    with lines_of(manifest) as lines:
        yield from read_rows(lines, name=str(manifest))
