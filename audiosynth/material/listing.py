"""Which files a catalogue has, and what folders, names, tables and sidecars say of them; nothing is decoded here."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, Final

from audiosynth.clip import ANNOTATIONS
from audiosynth.corpora.utterance import Utterance, as_number
from audiosynth.errors import AssetError
from audiosynth.files.decoding import AUDIO_SUFFIXES, UNREADABLE_SUFFIXES
from audiosynth.files.paths import below, is_below, nfc, read_bytes, require_file, require_inside
from audiosynth.files.patterns import RESERVED

MAX_TABLE_BYTES: Final = 2**30
STRETCH: Final = ("start", "end", "channel")
"""Columns that make a row a stretch of its file, where `columns` names one of them."""
_HEADER: Final = ("onset", "offset")


@dataclass
class Found:
    """One file of a catalogue.

    Attributes
    ----------
    path
        POSIX, NFC, below the data root.
    inner
        The same below the catalogue's folder.
    file
        Where it is.
    fields
        What is known of it so far.
    where
        How messages name it: the file, or the table's line.
    utterance
        Where a corpus or table says more of it: which stretch of the file it is.
    """

    path: str
    inner: str
    file: Path
    fields: dict[str, Any] = field(default_factory=dict)
    where: str = ""
    utterance: Utterance | None = None


def selects(inner: str, patterns: Sequence[str]) -> bool:
    """Return whether a path fits any pattern: a suffix (``.wav``), or `fnmatch` on the path or the name, in any case.

    Examples
    --------
    >>> selects("takes/A.WAV", ["*.wav"]), selects("takes/a.flac", [".flac"]), selects("b/a.wav", ["takes/*"])
    (True, True, False)
    """
    path = inner.casefold()
    name = path.rpartition("/")[2]
    for pattern in (p.casefold() for p in patterns):
        if pattern.startswith(".") and not set("*?[/") & set(pattern):
            if path.endswith(pattern):
                return True
        elif fnmatchcase(path, pattern) or fnmatchcase(name, pattern):
            return True
    return False


def walk(
    root: Path, folder: str, *, include: Sequence[str], exclude: Sequence[str], problems: list[str]
) -> list[Found]:
    """Return the audio files below a folder in order of their paths (UTF-8 bytes in NFC).

    Names that begin with a dot are passed over, and so is what does not end like audio unless a pattern of `include`
    names the suffix. Links to folders are not followed.
    """
    require_inside(root, root / folder)
    found: dict[str, Found] = {}
    for file, inner in _files(root / folder, exclude, problems):
        if selects(inner, exclude) or (include and not selects(inner, include)) or not _is_audio(inner, include):
            continue
        path = PurePosixPath(folder, inner).as_posix()
        if not is_below(path):
            problems.append(
                f"{file}: a name with a backslash or like a drive's means another file elsewhere; rename it"
            )
            continue
        try:
            require_file(root, file)  # the folders on the way are real, and the first one is checked above
        except AssetError as error:
            problems.append(str(error))
            continue
        if path in found:
            problems.append(
                f"{file}: its name differs from another only in how accents are encoded; rename one of them"
            )
        else:
            found[path] = Found(path, inner, file, where=str(file))
    return [found[path] for path in sorted(found, key=str.encode)]


def _files(folder: Path, exclude: Sequence[str], problems: list[str]) -> Iterator[tuple[Path, str]]:
    def unreadable(error: OSError) -> None:
        problems.append(f"{error.filename}: cannot be read ({error.strerror}); allow it, or exclude it")

    for place, folders, files in os.walk(folder, onerror=unreadable):
        here = Path(place)
        for name in sorted(folders):
            inner = nfc((here / name).relative_to(folder).as_posix())
            if (here / name).is_symlink() and not selects(inner, exclude):
                problems.append(
                    f"{here / name}: a link to a folder, which is not followed; exclude it or copy the folder there"
                )
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not (here / name).is_symlink())
        for name in sorted(files):
            if name.startswith("."):
                continue
            inner = nfc((here / name).relative_to(folder).as_posix())
            try:
                inner.encode()
            except UnicodeEncodeError:
                problems.append(f"{os.fsencode(here / name)!r}: the name is not UTF-8; rename the file")
                continue
            yield here / name, inner


def _is_audio(inner: str, include: Sequence[str]) -> bool:
    suffix = PurePosixPath(inner).suffix.casefold()
    named = {(PurePosixPath(p).suffix or p).casefold() for p in include}
    return suffix in AUDIO_SUFFIXES or suffix in UNREADABLE_SUFFIXES or suffix in named


def read_table(root: Path, folder: str, table: str, *, columns: Mapping[str, str], problems: list[str]) -> list[Found]:
    """Return the files a table names, with its other columns as fields; `columns` gives its names for ours.

    The table is below the data root, the paths in it below the catalogue's folder. If `columns` names a start, an end or a
    channel, a row is that stretch of its file, called by its ``id``, or by its file and line.

    Raises
    ------
    AssetError
        If the table is missing, not UTF-8, has no column for `path`, or no rows.
    """
    file, text = _table(root, table)
    ours = {theirs: name for name, theirs in columns.items()}
    seen: dict[str, str] = {}
    found, cut = [], bool(columns.keys() & set(STRETCH))
    for line, row in _json_rows(text, file) if file.suffix == ".jsonl" else _csv_rows(text, file, ours):
        where = f"{file}:{line}"
        fields = {ours.get(key, key): value for key, value in row.items() if value not in (None, "")}
        try:
            item = _named(root, folder, fields, where)
            if cut:
                item.utterance = _stretch(item)
            key = item.path if item.utterance is None else item.utterance.id
            if key in seen:
                raise AssetError(f"{where}: '{key}' stands in line {seen[key]} already; remove one of the rows")
            seen[key] = str(line)
            found.append(item)
        except AssetError as error:
            problems.append(str(error))
    if not (found or problems):
        what = "has a header and no rows" if text.strip() else "is empty"
        raise AssetError(f"{file}: the table {what}; expected a row for each file, with its name as 'path'")
    return sorted(found, key=lambda item: (item.path.encode(), 0 if item.utterance is None else item.utterance.start))


def _table(root: Path, table: str) -> tuple[Path, str]:
    """Return where a table is, and its text."""
    file = below(root, table)
    if file is None:
        kind = "is a folder" if (root / table).is_dir() else "no such table"
        raise AssetError(f"{root / table}: {kind}; `table` is a file below the data root")
    data = read_bytes(file)
    if len(data) > MAX_TABLE_BYTES:
        raise AssetError(f"{file}: {len(data):,} bytes; at most {MAX_TABLE_BYTES:,} are read; split the table")
    try:
        return file, data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise AssetError(f"{file}:{line}: not UTF-8 (byte {data[error.start]:#04x}); save the table as UTF-8") from None


def _stretch(item: Found) -> Utterance:
    """Return which stretch of its file a row is, and take it out of the row's fields."""
    try:
        start, end, channel = (as_number(item.fields.pop(name, None), name) for name in STRETCH)
    except AssetError as error:
        raise AssetError(f"{item.where}: {error}") from None
    name = str(item.fields.setdefault("id", f"{PurePosixPath(item.path).stem}-{item.where.rpartition(':')[2]}"))
    return Utterance(name, item.path, item.where, start or 0.0, end, channel=None if channel is None else int(channel))


def _named(root: Path, folder: str, fields: dict[str, Any], where: str) -> Found:
    name = fields.pop("path", None)
    if not isinstance(name, str):
        raise AssetError(f"{where}: no 'path'; a table needs that column, or `columns: {{path: its name}}`")
    taken = RESERVED & fields.keys()
    nested = [k for k, v in fields.items() if isinstance(v, dict) or (isinstance(v, list) and k not in ANNOTATIONS)]
    if taken or nested:
        raise AssetError(
            f"{where}: column '{min(taken or nested)}' cannot be a field; rename it with `columns` or remove it"
        )
    inner = nfc(PurePosixPath(name).as_posix())
    path = PurePosixPath(folder, inner).as_posix()
    try:
        file = below(root, path)
    except AssetError as error:
        raise AssetError(f"{where}: {error}") from None
    if file is None:
        raise AssetError(f"{where}: there is no file '{name}' in {root / folder}; fetch it or remove the row")
    return Found(path, inner, file, fields, where)


def _csv_rows(text: str, file: Path, ours: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if file.suffix == ".tsv" else ",", strict=True)
    try:
        header = next(reader, [])
        if header and not any(ours.get(name, name) == "path" for name in header):
            raise AssetError(
                f"{file}:1: no 'path' among the columns {', '.join(header):.80}; a table needs it, or `columns: {{path: its name}}`"
            )
        for row in reader:
            if row and len(row) != len(header):
                raise AssetError(
                    f"{file}:{reader.line_num}: {len(row)} values for {len(header)} columns; complete the row"
                )
            if row:
                yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise AssetError(f"{file}:{reader.line_num}: {error}; check the quotes") from None


def _json_rows(text: str, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_no_constant)
            json.dumps(row, ensure_ascii=False).encode()  # half of a surrogate pair is JSON, yet no text
        except (ValueError, RecursionError) as error:
            raise AssetError(f"{file}:{number}: not JSON ({error})") from None
        if not isinstance(row, dict):
            raise AssetError(f'{file}:{number}: expected an object such as {{"path": …}}, got {line[:40]!r}')
        yield number, row


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def read_events(root: Path, item: Found, suffix: str, *, duration: float) -> list[list[Any]]:
    """Return the events of a recording from the file beside it: ``onset offset label`` in seconds, split by tabs.

    Audacity's label files are such; their frequency lines (which begin with a backslash) are passed over, and so is a
    header that begins with ``onset``.

    Raises
    ------
    AssetError
        If there is no such file, or a line of it is not an event within the recording.
    """
    path = PurePosixPath(item.path).with_suffix(suffix).as_posix()
    file = below(root, path)
    if file is None:
        raise AssetError(
            f"{item.file}: no annotations '{path}' beside it; write an empty file if nothing happens in it"
        )
    try:
        lines = read_bytes(file).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise AssetError(f"{file}: not UTF-8 ({error.reason}); save it as UTF-8") from None
    events = []
    for number, line in enumerate(lines, 1):
        cells = line.split("\t")
        if line.strip() and not line.startswith("\\") and not (number == 1 and cells[0].strip().casefold() in _HEADER):
            events.append(_event(cells, f"{file}:{number}", duration))
    return events


def _event(cells: list[str], where: str, duration: float) -> list[Any]:
    try:
        onset, offset = (float(cell) for cell in cells[:2])
        label = cells[2].strip()
    except (ValueError, IndexError):
        raise AssetError(f"{where}: expected onset, offset and label between tabs, got {' '.join(cells)!r}") from None
    # 10 ms: annotations are often rounded to that, and may then end a little after the file.
    if not (0 <= onset < offset <= duration + 0.01) or not label:
        raise AssetError(
            f"{where}: expected 0 <= onset < offset <= {duration:.3f} s and a label, got {onset:g}, {offset:g}, {label!r}"
        )
    return [round(onset, 6), round(min(offset, duration), 6), label]
