"""Where each row of a manifest begins: any row of ten million is read without going through the others.

Beside ``manifest.jsonl`` (or ``manifest.jsonl.gz``) stands ``manifest.idx``, in little-endian numbers: a head (magic, rows, size and
SHA-256 of the manifest file, blocks, bytes of the table of splits); for every row, and once more for the end, where it begins
in the text and its clip's number in its split; for every block of a packed manifest, and once more for the end, where it
begins in the file; the splits as JSON: [name, first row, rows, whether clip numbers go 0, 1, 2, …].
"""

from __future__ import annotations

import gzip
import io
import json
import re
import struct
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from audiosynth.building.rows import filled, raw_lines
from audiosynth.errors import ManifestError
from audiosynth.manifest import read_rows

MAGIC: Final = b"audiosynth-idx/1"
HEAD: Final = struct.Struct("<16sQQ32sQI")
RECORD: Final = struct.Struct("<QI")
BLOCK: Final = struct.Struct("<Q")
BLOCK_ROWS: Final = 64
"""Rows of a block of a packed manifest, but the last: some 150 kB of text, which gzip packs nearly as well as all of it."""
_NUMBER: Final = re.compile(r"[0-9]{9}|[1-9][0-9]{9}")
"""How a clip's number stands in its id; others are the number of no clip."""

Opened = Callable[[Path], BinaryIO]
"""Opens a file to read bytes of it."""


def opened_here(path: Path) -> BinaryIO:
    """Open a file of this machine."""
    return path.open("rb")


def index_path(manifest: Path) -> Path:
    """Return where the index of a manifest stands.

    Examples
    --------
    >>> index_path(Path("set/manifest.jsonl.gz")).name, index_path(Path("rows.jsonl")).name
    ('manifest.idx', 'rows.idx')
    """
    return manifest.with_name(f"{manifest.name.removesuffix('.gz').removesuffix('.jsonl')}.idx")


@dataclass(frozen=True)
class Split:
    """Where a split's rows are: number of the first, how many, and whether row i is clip i."""

    first: int
    rows: int
    dense: bool


@dataclass(frozen=True)
class ManifestIndex:
    """A manifest with its index: rows by number or by clip id. Files are opened for each question; it can be pickled.

    Attributes
    ----------
    manifest
        The file of the rows.
    rows
        Their number.
    splits
        In the order of the manifest.
    made
        The index itself, where it was made in memory for want of a file.
    """

    manifest: Path
    rows: int
    splits: Mapping[str, Split]
    _blocks: int = field(default=0, repr=False)
    made: bytes | None = field(default=None, repr=False)
    _opened: Opened = field(default=opened_here, repr=False)

    @classmethod
    def beside(cls, manifest: Path, opened: Opened = opened_here) -> ManifestIndex | None:
        """Return the index of a manifest; None if there is none, or one of another manifest (another size, or another hash than
        the ``dataset.json`` beside it names). Files that are not of this machine are `opened` in another way.
        """  # noqa: D205
        path = index_path(manifest)
        try:
            with opened(path) as file, opened(manifest) as rows:
                index, size, digest = _head(file, manifest, None)
                stale = size != rows.seek(0, io.SEEK_END)
        except (OSError, struct.error, ValueError, TypeError):
            return None
        stale = stale or _told(manifest, opened) not in (None, digest.hex())
        return None if stale else replace(index, _opened=opened)

    @classmethod
    def of(cls, made: bytes, manifest: Path) -> ManifestIndex:
        """Return the index whose bytes these are."""
        return _head(io.BytesIO(made), manifest, made)[0]

    def _file(self) -> BinaryIO:
        return self._opened(index_path(self.manifest)) if self.made is None else io.BytesIO(self.made)

    def line(self, number: int) -> bytes:
        """Return row `number` as it stands, with its newline.

        Raises
        ------
        ManifestError
            If what is there is not a line.
        """
        if not 0 <= number < self.rows:
            there = f"rows 0 to {self.rows - 1}, not {number}" if self.rows else f"no rows, so none is number {number}"
            raise ManifestError(f"{self.manifest}: has {there}")
        with self._file() as file:
            (first, _), (last, _) = self._record(file, number), self._record(file, number + 1)
            if not self._blocks:
                with self._opened(self.manifest) as rows:
                    rows.seek(first)
                    line = rows.read(last - first)
            else:
                begin, _ = self._record(file, number // BLOCK_ROWS * BLOCK_ROWS)
                line = self._block(file, number // BLOCK_ROWS)[first - begin : last - begin]
        ended = line.endswith(b"\n") or number == self.rows - 1  # a last line need not be
        found = [*filled(line.split(b"\n"))]  # with a row go the blank lines around it
        if not ended or len(found) != 1:
            raise ManifestError(
                f"{self.manifest}: row {number} is not where {index_path(self.manifest).name} says; was the manifest edited? "
                "Delete the index, or write it anew with `audiosynth index`"
            )
        return found[0] + b"\n"

    def _record(self, file: BinaryIO, number: int) -> tuple[int, int]:
        file.seek(HEAD.size + RECORD.size * number)
        offset, ordinal = RECORD.unpack(file.read(RECORD.size))
        return offset, ordinal

    def _block(self, file: BinaryIO, number: int) -> bytes:
        file.seek(HEAD.size + RECORD.size * (self.rows + 1) + BLOCK.size * number)
        (first,), (last,) = BLOCK.iter_unpack(file.read(2 * BLOCK.size))
        with self._opened(self.manifest) as rows:
            rows.seek(first)
            packed = rows.read(last - first)
        try:
            return gzip.decompress(packed)
        except (EOFError, OSError, zlib.error) as error:
            raise ManifestError(f"{self.manifest}: is damaged ({error}); copy it again") from None

    def number(self, clip_id: str) -> int | None:
        """Return the number of a clip's row; None if it has none."""
        name, _, digits = clip_id.rpartition("-")
        split = self.splits.get(name)
        if split is None or not _NUMBER.fullmatch(digits):
            return None
        ordinal = int(digits)
        if split.dense:
            return split.first + ordinal if ordinal < split.rows else None
        low, high = split.first, split.first + split.rows
        with self._file() as file:
            while low < high:
                middle = (low + high) // 2
                if self._record(file, middle)[1] < ordinal:
                    low = middle + 1
                else:
                    high = middle
            found = low < split.first + split.rows and self._record(file, low)[1] == ordinal
        return low if found else None

    def row(self, number: int) -> tuple[str, dict[str, Any]]:
        """Return (place, row tree) of row `number`."""
        place = f"{self.manifest}:{number + 1}"
        try:
            return place, next(tree for _, tree in read_rows([self.line(number).decode()], name=place))
        except (UnicodeDecodeError, StopIteration):
            raise ManifestError(f"{place}: not a row of JSON; was the file edited or cut?") from None

    def find(self, clips: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (place, row tree) of the clips that are there, in the order of the manifest.

        Raises
        ------
        ManifestError
            If a row is of another clip than the index says.
        """
        numbers = {number: clip for clip in sorted(clips) if (number := self.number(clip)) is not None}
        for number, clip in sorted(numbers.items()):
            place, tree = self.row(number)
            if tree.get("clip_id") != clip:
                raise ManifestError(
                    f"{place}: expected {clip} by {index_path(self.manifest).name}, got {tree.get('clip_id')!r}; was the "
                    "manifest edited? Delete the index, or write it anew with `audiosynth index`"
                )
            yield place, tree


def row_count(manifest: Path) -> int:
    """Return the number of rows of a manifest file: its index knows it; without one, lines that hold something are counted.

    Raises
    ------
    ManifestError
        If a packed one is cut or damaged.
    """
    index = ManifestIndex.beside(manifest)
    if index is not None:
        return index.rows
    with raw_lines(manifest) as lines:
        return sum(1 for _ in filled(lines))


def _head(file: BinaryIO, manifest: Path, made: bytes | None) -> tuple[ManifestIndex, int, bytes]:
    """Return an index, and of which size and hash its manifest is."""
    magic, rows, size, digest, blocks, length = HEAD.unpack(file.read(HEAD.size))
    if magic != MAGIC:
        raise ValueError("no index")
    file.seek(HEAD.size + RECORD.size * (rows + 1) + BLOCK.size * blocks)
    splits = {name: Split(*span) for name, *span in json.loads(file.read(length))}
    return ManifestIndex(manifest, rows, splits, blocks, made), size, digest


def _told(manifest: Path, opened: Opened) -> str | None:
    """Return the hash that the `dataset.json` beside a manifest has for it, if it has one."""
    try:
        with opened(manifest.parent / "dataset.json") as file:
            found = json.loads(file.read())["files"][manifest.name]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return str(found)
