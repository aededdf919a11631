"""The manifest as it is written: row by row, packed or not, its index beside it, in memory that does not grow."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from audiosynth.building.index import BLOCK, BLOCK_ROWS, HEAD, MAGIC, RECORD, ManifestIndex, index_path
from audiosynth.building.rows import is_packed
from audiosynth.errors import ManifestError
from audiosynth.files.whole import appearing

PACKED_LEVEL: Final = 6
"""gzip's own default: of the nine, the last that gains more than a percent."""


@dataclass
class _Span:
    """A split's rows while they are counted."""

    first: int
    rows: int = 0
    dense: bool = True
    last: int = -1


class IndexWriter:
    """Writes the index of a manifest row by row, in memory that does not grow with it (8 bytes for a block of 64 rows)."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._file.write(b"\0" * HEAD.size)
        self._spans: dict[str, _Span] = {}
        self._last = ""
        self._rows = self._end = 0
        self.blocks = array("Q")

    def add(self, split: str, ordinal: int, length: int) -> None:
        """Note the next row: its clip, and how many bytes of text it takes.

        Raises
        ------
        ManifestError
            If the rows of a split do not stand together, in the order of their clips, each once.
        """
        if split != self._last and split in self._spans:
            raise ManifestError(
                f"row {self._rows + 1}: split '{split}' comes back; an index needs a split's rows together"
            )
        span = self._spans.setdefault(split, _Span(self._rows))
        if ordinal <= span.last:
            raise ManifestError(
                f"row {self._rows + 1}: clip {ordinal} of split '{split}' comes after clip {span.last}; an index needs the order of a build"
            )
        span.dense, span.last = span.dense and ordinal == span.rows, ordinal
        self._file.write(RECORD.pack(self._end, ordinal))
        self._last, self._end = split, self._end + length
        span.rows, self._rows = span.rows + 1, self._rows + 1

    def close(self, *, size: int, sha256: bytes) -> None:
        """Write the end, and the head last: of a file of `size` bytes with this hash."""
        splits = json.dumps([[name, s.first, s.rows, s.dense] for name, s in self._spans.items()]).encode()
        self._file.write(RECORD.pack(self._end, 0))
        self._file.write(b"".join(map(BLOCK.pack, self.blocks)))
        self._file.write(splits)
        self._file.seek(0)
        self._file.write(HEAD.pack(MAGIC, self._rows, size, sha256, len(self.blocks), len(splits)))


class ManifestWriter:
    """Writes the rows of a manifest, packed or not, and its index.

    Parameters
    ----------
    manifest, index
        Files to write; the caller moves them to their places.
    packed
        In blocks of `BLOCK_ROWS` rows, each a gzip member of its own, without names or times.
    """

    def __init__(self, manifest: Path, index: Path, *, packed: bool) -> None:
        self._out, self._index_file = manifest.open("wb"), index.open("wb")
        self._index = IndexWriter(self._index_file)
        self._packed, self._waiting = packed, list[bytes]()
        self._digest, self._size = hashlib.sha256(), 0

    def __enter__(self) -> ManifestWriter:
        return self

    def add(self, line: bytes, split: str, ordinal: int) -> None:
        """Write a row with its newline."""
        self._index.add(split, ordinal, len(line))
        if not self._packed:
            self._put(line)
            return
        self._waiting.append(line)
        if len(self._waiting) == BLOCK_ROWS:
            self._pack()

    def _pack(self) -> None:
        self._index.blocks.append(self._size)
        self._put(_member(b"".join(self._waiting)))
        self._waiting.clear()

    def _put(self, data: bytes) -> None:
        self._out.write(data)
        self._digest.update(data)
        self._size += len(data)

    def __exit__(self, kind: object, *exc: object) -> None:
        with self._out, self._index_file:
            if kind is None:
                if self._packed:
                    if self._waiting or not self._size:  # no rows at all are a gzip file too
                        self._pack()
                    self._index.blocks.append(self._size)
                self._index.close(size=self._size, sha256=self._digest.digest())


def _member(data: bytes) -> bytes:
    raw = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=PACKED_LEVEL, fileobj=raw, mtime=0) as file:
        file.write(data)
    return raw.getvalue()


def index_of(manifest: Path) -> ManifestIndex:
    """Return the index of a manifest; where none belongs to it, one that is made now, in memory.

    Raises
    ------
    ManifestError
        If a line is no row, the rows are not in the order of a build, or a packed manifest is damaged.
    """
    found = ManifestIndex.beside(manifest)
    if found is not None:
        return found
    file = io.BytesIO()
    _scan(manifest, file)
    return ManifestIndex.of(file.getvalue(), manifest)


def write_index(manifest: Path) -> Path:
    """Write the index of a manifest file beside it, as a build does; return where.

    Raises
    ------
    ManifestError
        As `index_of`.
    """
    path = index_path(manifest)
    with appearing(path) as part, part.open("wb") as file:
        _scan(manifest, file)
    return path


def _scan(manifest: Path, file: BinaryIO) -> None:
    """Write the index of a manifest that is there."""
    index, digest, size, number = IndexWriter(file), hashlib.sha256(), 0, 0
    for packed, lines in _blocks(manifest):
        if is_packed(manifest):
            index.blocks.append(size)
        size += len(packed)
        digest.update(packed)
        for line in lines:
            try:
                row = json.loads(line.strip())
                split, ordinal = str(row["split"]), int(row["spec"]["ordinal"])
            except (ValueError, KeyError, TypeError):
                number += line[: -len(line.lstrip())].count(b"\n") + 1
                raise ManifestError(
                    f"{manifest}:{number}: not a row; was the file edited or cut? `audiosynth verify` tells what else is amiss"
                ) from None
            index.add(split, ordinal, len(line))
            number += line.count(b"\n")
    if is_packed(manifest):
        index.blocks.append(size)
    index.close(size=size, sha256=digest.digest())


def _blocks(manifest: Path) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield what stands in a manifest file piece by piece, each with its rows."""
    with manifest.open("rb") as file:
        if not is_packed(manifest):
            yield from ((row, [row]) for row in _with_blanks(file))
            return
        short = False
        for packed, text in _members(file, manifest):
            lines = [*_with_blanks(io.BytesIO(text))]
            if short or len(lines) > BLOCK_ROWS:
                raise ManifestError(
                    f"{manifest}: its blocks are not of {BLOCK_ROWS} rows, so that no index finds them; unpack it (gunzip)"
                )
            short = len(lines) != BLOCK_ROWS
            yield packed, lines


def _with_blanks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield rows with the blank lines after them, the first with those before it too, so that together they are all of it (but of a file without rows)."""
    found: list[bytes] = []
    filled = False
    for line in lines:
        if line.strip():
            if filled:
                yield b"".join(found)
                found = []
            filled = True
        found.append(line)
    if filled:
        yield b"".join(found)


def _members(file: io.BufferedReader, manifest: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the members of a gzip file, packed and unpacked; each has to fit into memory."""
    rest = b""
    while rest or file.peek(1):
        unpacker, packed, text = (
            zlib.decompressobj(wbits=31),
            bytearray(),
            bytearray(),
        )  # 31: with gzip's head and check
        while not unpacker.eof:
            piece = rest or file.read(1 << 16)
            rest = b""
            try:
                text += unpacker.decompress(piece)
            except zlib.error as error:
                raise ManifestError(f"{manifest}: is damaged ({error}); copy it again") from None
            if not piece:
                raise ManifestError(f"{manifest}: is cut; copy it again")
            packed += piece
        rest = unpacker.unused_data
        yield bytes(packed[: len(packed) - len(rest)]), bytes(text)
