"""Audio inside tar archives and Parquet files, one piece at a time: nothing is unpacked, and no name in them becomes a path."""

from __future__ import annotations

import posixpath
import tarfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from audiosynth.errors import AssetError
from audiosynth.kept import bounded

ARCHIVES: Final = frozenset({".tar", ".parquet"})
"""What stands in a path like a folder: ``shard.tar/a.wav`` is a member, ``data.parquet/audio/17`` a row of a column."""
MAX_MEMBERS: Final = 1_000_000
MAX_BYTES: Final = 2**30
"""Most of one member, and of one row group, in bytes."""

TABLE_BYTES: Final = 2**28
"""Most memory held by what archives contain, in bytes; one that takes more is held alone."""
BYTES_A_NAME: Final = 200
"""What a name takes beyond its letters: a text, a pair of numbers and their place in a table (CPython on 64 bits)."""


class Place(NamedTuple):
    """A piece of an archive: the archive, and what the piece is called in it."""

    archive: Path
    name: str


class _Version(NamedTuple):
    """An archive as it is now: another one under its name is looked at anew."""

    path: str
    size: int
    time: int


def place_in(path: Path) -> Place | None:
    """Return which archive a path leads into, None if into none."""
    for above in path.parents:
        if above.suffix.casefold() in ARCHIVES and above.is_file():
            return Place(above, path.relative_to(above).as_posix())
    return None


def elsewhere(files: Iterable[Path], like: PurePosixPath) -> Iterator[Path]:
    """Yield what other archives among some files have under the name of a path that leads into one."""
    at = next(
        (i for i, part in enumerate(like.parts, 1) if PurePosixPath(part).suffix.casefold() in ARCHIVES),
        len(like.parts),
    )
    name = "/".join(like.parts[at:])
    for file in files if name else ():
        if file.suffix.casefold() == PurePosixPath(like.parts[at - 1]).suffix.casefold():
            with suppress(AssetError):  # another archive that cannot be read is not the one
                if holds(Place(file, name)):
                    yield file / name


def names_in(archive: Path) -> Mapping[str, tuple[int, int]]:
    """Return the files of a tar by their names (NFC, without ``./``), each with where its bytes begin and how many they are.

    Raises
    ------
    AssetError
        If it is packed or damaged, or two files have one name.
    """
    return _members(_version(archive))


def holds(place: Place) -> bool:
    """Return whether an archive has a piece of that name."""
    if place.archive.suffix.casefold() == ".tar":
        return place.name in names_in(place.archive)
    column, row = _cell(place)
    return 0 <= row < sum(_groups(_version(place.archive), column))


def bytes_of(place: Place) -> bytes:
    """Return the bytes of a piece: read at its place in a tar, or with its row group in a Parquet file, the last of which is kept.

    Raises
    ------
    AssetError
        If it is not there, larger than `MAX_BYTES`, or the archive cannot be read.
    """
    try:
        if place.archive.suffix.casefold() == ".tar":
            return _member(place)
        return _row(place)
    except OSError as error:
        raise AssetError(f"{place.archive}: cannot be read ({error.strerror or error})") from None


def _member(place: Place) -> bytes:
    found = names_in(place.archive).get(place.name)
    if found is None:
        raise AssetError(f"{place.archive}: has no file '{place.name}'")
    first, size = found
    if size > MAX_BYTES:
        raise AssetError(f"{place.archive}: '{place.name}' has {size:,} bytes; at most {MAX_BYTES:,} are read")
    with place.archive.open("rb") as file:
        file.seek(first)
        data = file.read(size)
    if len(data) < size:
        raise AssetError(f"{place.archive}: cut off in '{place.name}'; fetch it again")
    return data


def _version(archive: Path) -> _Version:
    try:
        stat = archive.stat()
    except OSError as error:
        raise AssetError(f"{archive}: cannot be read ({error.strerror or error})") from None
    return _Version(str(archive), stat.st_size, stat.st_mtime_ns)


def _bytes_held(table: Mapping[str, tuple[int, int]]) -> int:
    """Return about what a table takes in memory."""
    return sum(map(len, table)) + BYTES_A_NAME * len(table)


@bounded(TABLE_BYTES, _bytes_held)
def _members(version: _Version) -> Mapping[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    try:
        with tarfile.open(
            version.path, "r:"
        ) as tar:  # "r:" takes no packed ones, in which nothing can be read at a place
            for number, member in enumerate(tar):
                if number >= MAX_MEMBERS:
                    raise AssetError(f"{version.path}: more than {MAX_MEMBERS:,} files; split the archive")
                name = unicodedata.normalize("NFC", posixpath.normpath(member.name))
                if not member.isreg() or member.issparse() or name.startswith(("/", "..")):
                    continue  # links and devices are no sound, and a path below an archive cannot lead out of it
                if name in found:
                    raise AssetError(f"{version.path}: two files are called '{name}'; which is meant?")
                found[name] = member.offset_data, member.size
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise AssetError(
            f"{version.path}: is no tar archive that can be read at any place ({error}); unpack a packed one, fetch a damaged one again"
        ) from None
    except OSError as error:
        raise AssetError(f"{version.path}: cannot be read ({error.strerror or error})") from None
    return found


def _cell(place: Place) -> tuple[str, int]:
    column, _, row = place.name.rpartition("/")
    if not column or not (row.isascii() and row.isdigit() and len(row) < 12):
        raise AssetError(f"{place.archive}: expected a column and a row, FILE.parquet/audio/17, got '{place.name}'")
    return column, int(row)


def parquet_file(path: Path | str) -> Any:
    """Return a Parquet file, opened; nothing of it is read but its footer.

    Raises
    ------
    AssetError
        If pyarrow is missing, or it is no Parquet file.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise AssetError(
            f"{path}: needs pyarrow, which is not installed; run `pip install audiosynth[parquet]`"
        ) from None
    try:
        return pyarrow.parquet.ParquetFile(str(path))
    except (pyarrow.ArrowException, OSError) as error:
        raise AssetError(f"{path}: is no Parquet file ({str(error).splitlines()[0]}); fetch it again") from None


def _require_small(path: str, group: Any, number: int) -> None:
    """Refuse a row group that is larger than `MAX_BYTES` unpacked: a reader has to take it at once."""
    if group.total_byte_size > MAX_BYTES:
        raise AssetError(
            f"{path}: its row group {number} has {group.total_byte_size:,} bytes; at most {MAX_BYTES:,} are read at once; write smaller ones"
        )


@lru_cache(maxsize=64)
def _groups(version: _Version, column: str) -> tuple[int, ...]:
    """Return the rows of each row group of a file that has a column of audio."""
    with parquet_file(version.path) as file:
        held = file.schema_arrow
        if column not in held.names or not is_audio(held.field(column).type):
            raise AssetError(f"{version.path}: has no column '{column}' of audio (a struct of bytes and path)")
        return tuple(file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups))


def is_audio(kind: Any) -> bool:
    """Return whether a type of Arrow is what Hugging Face's ``Audio`` is stored as: a struct of ``bytes`` and ``path``."""
    import pyarrow.types

    if not pyarrow.types.is_struct(kind):
        return False
    held = {kind.field(i).name: kind.field(i).type for i in range(kind.num_fields)}
    tests = (pyarrow.types.is_binary, pyarrow.types.is_large_binary, pyarrow.types.is_null)  # null: all are by path
    return {"bytes", "path"} <= held.keys() and any(test(held["bytes"]) for test in tests)


def _row(place: Place) -> bytes:
    column, row = _cell(place)
    version, number = _version(place.archive), 0
    groups = _groups(version, column)
    if row >= sum(groups):
        raise AssetError(f"{place.archive}: has no row {row}; it has {sum(groups)}")
    while row >= groups[number]:
        row, number = row - groups[number], number + 1
    data = _group(version, column, number)[row].as_py()
    if not isinstance(data, bytes):
        raise AssetError(f"{place.archive}: has no audio in row {place.name}")
    return data


def audio_of_group(path: Path, column: str, number: int) -> Any:
    """Return the bytes of a row group's audio as an array of Arrow, null where there are none.

    Raises
    ------
    AssetError
        If the file is damaged, or the group larger than `MAX_BYTES`.
    """
    return _group(_version(path), column, number)


@lru_cache(maxsize=1)  # rows are asked for in their order, and a group may be large
def _group(version: _Version, column: str, number: int) -> Any:
    import pyarrow

    with parquet_file(version.path) as file:
        _require_small(version.path, file.metadata.row_group(number), number)
        try:
            table = file.read_row_group(number, columns=[f"{column}.bytes"], use_threads=False)
        except pyarrow.ArrowException as error:
            raise AssetError(f"{version.path}: damaged ({str(error).splitlines()[0]}); fetch it again") from None
    return table.column(0).combine_chunks().field("bytes")
