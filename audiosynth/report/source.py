"""The set that a report is of: its rows in order, whole or as far as a build has come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from audiosynth.building.finish import read_assets
from audiosynth.building.folder import WORK
from audiosynth.building.index import row_count
from audiosynth.building.rows import lines_of
from audiosynth.building.units import KEPT
from audiosynth.errors import ManifestError, UsageError
from audiosynth.exports import read_head
from audiosynth.manifest import NAMES, named, open_manifest, read_rows

MAX_ROWS: Final = 100_000
"""Rows that are read; of a longer manifest so many, evenly spread."""


@dataclass(frozen=True)
class Source:
    """A folder with rows.

    Attributes
    ----------
    root
        The folder.
    name, description
        Of the set.
    files
        Those that hold rows, in the set's order.
    n_rows
        In all of them.
    planned
        Clips that an unfinished build is to have; None for a finished one.
    head
        ``dataset.json``, empty if the build is not finished.
    """

    root: Path
    name: str
    description: str
    files: tuple[Path, ...]
    n_rows: int
    planned: int | None
    head: Mapping[str, Any]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows, or `MAX_ROWS` of them evenly spread.

        Raises
        ------
        ManifestError
            If a line is no row, or one of a later version.
        """
        number = -1
        for path in self.files:
            with lines_of(path) as file:
                for place, line in _lines(file, str(path)):
                    number += 1
                    if self.reads(number):
                        yield from _row(place, line)

    def reads(self, number: int) -> bool:
        """Return whether row `number` is among those that are read."""
        return taken(number, self.n_rows, MAX_ROWS)

    def assets(self) -> list[dict[str, Any]]:
        """Return what is known of the recordings that went in; nothing before the build is finished."""
        path = self.root / "assets.jsonl"
        return list(read_assets(path)) if path.is_file() else []


def taken(number: int, n: int, most: int) -> bool:
    """Return whether `number` of `n` is among `most` evenly spread ones.

    Examples
    --------
    >>> [i for i in range(10) if taken(i, 10, 4)], sum(taken(i, 3, 4) for i in range(3))
    ([0, 3, 5, 8], 3)
    """
    return n <= most or (number == 0 and most > 0) or number * most // n != (number - 1) * most // n


def _lines(file: Iterable[str], name: str) -> Iterator[tuple[str, str]]:
    """Yield (place, line) of the lines that hold something, which are parsed only if they are read."""
    try:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield f"{name}:{number}", line
    except UnicodeDecodeError as error:
        raise ManifestError(
            f"{name}: not UTF-8 (byte 0x{error.object[error.start]:02x}); was the file edited?"
        ) from None


def _row(place: str, line: str) -> Iterator[dict[str, Any]]:
    name, _, number = place.rpartition(":")
    for _, tree in read_rows([line], name=name):
        named(tree, place=f"{name}:{number}")
        yield tree


def open_source(root: Path) -> Source:
    """Open the set in a folder: a finished build, or one that was stopped on its way.

    Raises
    ------
    UsageError
        If there is no such folder.
    ManifestError
        If it holds neither.
    """
    if not root.is_dir():
        kind = "is a file; give the folder of the dataset" if root.exists() else "there is no such folder"
        raise UsageError(f"{root}: {kind}")
    state = root / WORK / "state.json"
    if any((root / name).is_file() for name in NAMES) and (root / "dataset.json").is_file():
        head, manifest = read_head(root), open_manifest(root)
        return Source(
            root, head["name"], str(head.get("description") or ""), (manifest,), row_count(manifest), None, head
        )
    if not state.is_file():
        raise ManifestError(
            f"{root}: no dataset here: neither a manifest.jsonl with its dataset.json nor a build that was begun; "
            "give a folder that `audiosynth build` wrote"
        )
    clips = _planned(state)
    files = tuple(chain.from_iterable(_standing(root / WORK, name) for name in clips))
    return Source(root, root.resolve().name, "", files, sum(map(row_count, files)), sum(clips.values()), {})


def _standing(work: Path, split: str) -> list[Path]:
    """Return the files of the rows that stand: of a unit that is made, or what a withdrawal that was interrupted left of it."""
    found = {path.name: path for folder in (KEPT, "units") for path in (work / folder).glob(f"{split}-[0-9]*.jsonl")}
    return [found[name] for name in sorted(found)]


def _planned(state: Path) -> dict[str, int]:
    """Return the clips per split that a build is to have."""
    try:
        clips = json.loads(state.read_text(encoding="utf-8"))["clips"]
        return {str(name): int(n) for name, n in clips.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ManifestError(f"{state}: is not what a build writes; was it edited? Build again with --fresh") from None
