"""The files of a corpus: read line by line within bounds, never outside the data root, and nothing in them is run."""

from __future__ import annotations

import csv
import gzip
import json
import posixpath
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, TypeVar

from audiosynth.errors import AssetError
from audiosynth.files.paths import below, is_below, nfc
from audiosynth.material.listing import walk

T = TypeVar("T")
MAX_BYTES: Final = 2**30
"""Most that is read of one file, uncompressed."""
MAX_LINE: Final = 2**24
"""Longest line in bytes."""
MAX_RATIO: Final = 200
"""Most that gzip may have made of one byte, beyond `RATIO_FROM` bytes: manifests reach 50, bombs 1,000."""
RATIO_FROM: Final = 2**24


@dataclass(frozen=True)
class Corpus:
    """Where a corpus is, and what was found wrong with it so far.

    Attributes
    ----------
    root
        The data root; nothing outside it is opened.
    folder
        Of the corpus, below the root (POSIX).
    manifests
        Files below `folder` that list the utterances, for formats in which these have no fixed names.
    moved
        Folder below the root for what paths in the corpus begin with: ``{"/export/corpora": "."}``.
    columns
        What tables and records call fields, by their names here: ``{text: transcript}``.
    problems
        One text for each utterance that cannot be used, with its place; readers append to it.
    """

    root: Path
    folder: str = "."
    manifests: tuple[str, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _located: dict[tuple[Path | None, bool, str], str] = field(default_factory=dict, repr=False, compare=False)
    _files: dict[str, Path] = field(default_factory=dict, repr=False, compare=False)

    def refuse(self, where: str, why: str) -> None:
        """Note an utterance that cannot be used."""
        self.problems.append(f"{where}: {why}")

    def rest(self, found: Iterator[T]) -> Iterator[T]:
        """Yield what one file of several holds; where it cannot be read further, that is a problem, and the others are not lost."""
        try:
            yield from found
        except AssetError as error:
            self.problems.append(str(error))

    def file(self, name: str) -> Path | None:
        """Return a file of the corpus, or None if it has none of that name.

        Raises
        ------
        AssetError
            If the name leads outside the data root.
        """
        return below(self.root, posixpath.normpath(posixpath.join(self.folder, name)))

    def needed(self, name: str, why: str) -> Path:
        """Return a file of the corpus.

        Raises
        ------
        AssetError
            If it is not there; `why` says what it is for.
        """
        path = self.file(name)
        if path is None:
            raise AssetError(f"{self.root / self.folder / name}: there is no such file; {why}")
        return path

    def listed(self, kind: str) -> list[Path]:
        """Return the manifests.

        Raises
        ------
        AssetError
            If none are named, or one is missing.
        """
        if not self.manifests:
            raise AssetError(
                f"{self.root / self.folder}: say which file lists the utterances, `manifest: FILE` ({kind})"
            )
        return [self.needed(name, f"`manifest` is {kind} below `folder`") for name in self.manifests]

    def lines(self, path: Path) -> Iterator[tuple[str, str]]:
        """Yield (``file:line``, text) of every line that is not blank, unpacked where the name ends in ``.gz``."""
        for number, line in _lines(path):
            if line.strip():
                yield f"{path}:{number}", line

    def records(self, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (``file:line``, object) of a file of JSON lines; lines that are none are problems."""
        for where, line in self.lines(path):
            tree = self.parsed(where, line)
            if isinstance(tree, dict):
                yield where, tree
            elif tree is not None:
                self.refuse(where, f"expected a JSON object, got {line.strip()[:40]!r}")

    def table(self, path: Path, *, delimiter: str = ",", quoted: bool = True) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield (``file:line``, cells by column) of a table with a header; rows that do not fit it are problems.

        Raises
        ------
        AssetError
            If quotes are not closed.
        """
        texts = (f"{line}\n" for _, line in _lines(path))
        reader = csv.reader(
            texts, delimiter=delimiter, strict=True, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, skipinitialspace=quoted
        )  # fmt: skip
        try:
            header = next(reader, [])
            for row in reader:
                where = f"{path}:{reader.line_num}"
                if len(row) == len(header):
                    yield where, dict(zip(header, row, strict=True))
                elif row:
                    self.refuse(where, f"{len(row)} values for {len(header)} columns; complete the row")
        except csv.Error as error:
            raise AssetError(f"{path}:{reader.line_num}: {error}; check the quotes") from None

    def called(self, record: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
        """Return a record's fields by their names here: those of `columns`, then those of the format."""
        ours = {theirs: name for name, theirs in self.columns.items()}
        known = {theirs: name for theirs, name in names.items() if theirs not in ours and name not in self.columns}
        out: dict[str, Any] = {}
        for key, value in record.items():
            out.setdefault(ours.get(key, known.get(key, key)), value)
        return out

    def parsed(self, where: str, text: str) -> Any:
        """Return what a text of JSON says; None, and a problem, if it is none."""
        try:
            tree = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
            json.dumps(tree, ensure_ascii=False).encode()  # half of a surrogate pair is JSON, yet no text
        except (ValueError, RecursionError) as error:
            self.refuse(where, f"not JSON ({error})")
            return None
        return tree

    def audio(self, written: str, *, beside: Path | None = None, at_root: bool = False) -> str:
        """Return the path below the data root of an audio file as a corpus writes it.

        Parameters
        ----------
        written
            Absolute, or relative to the folder of the file it stands in, or to the data root (the first that exists).
        beside
            The file it stands in.
        at_root
            Relative paths are below the data root alone.

        Raises
        ------
        AssetError
            If there is no such file, it is no local file, or it lies outside the data root.
        """
        key = (beside, at_root, written)
        if key not in self._located:
            here = "." if at_root else self.folder if beside is None else _inner(self.root, beside.parent)
            self._located[key] = self._locate(written, here)
        return self._located[key]

    def place(self, audio: str) -> Path:
        """Return where an audio file below the data root is; on systems that decompose accents its name may be another."""
        if audio not in self._files:
            self._files[audio] = below(self.root, audio) or self.root / audio
        return self._files[audio]

    def _locate(self, written: str, here: str) -> str:
        name = nfc(written.strip())
        if "://" in name:
            raise AssetError(f"'{written}' is no local file, and nothing is fetched; download it below the data root")
        for old, new in self.moved.items():
            if name == old or name.startswith(old.rstrip("/") + "/"):
                return self._found([posixpath.join(new, name[len(old) :].lstrip("/"))], written)
        if posixpath.isabs(name):
            inner = _inner(self.root, Path(name))
            if inner.startswith(".."):
                raise AssetError(
                    f"'{written}' lies outside the data root {self.root}; give the folder it is in as data root, or say "
                    f"where it is now with `moved: {{{posixpath.dirname(name)}: FOLDER}}`"
                )
            return self._found([inner], written)
        return self._found([posixpath.join(here, name), name], written)

    def _found(self, names: list[str], written: str) -> str:
        inside = [name for name in map(posixpath.normpath, names) if is_below(name)]
        if not inside:
            raise AssetError(f"'{written}' leads outside the data root {self.root}")
        for name in inside:
            file = below(self.root, name)
            if file is not None:
                self._files[name] = file
                return name
        raise AssetError(f"there is no file '{written}' (looked for {' and '.join(inside)} below {self.root})")


def _inner(root: Path, path: Path) -> str:
    """Return a path relative to the data root; it begins with ``..`` where it lies outside."""
    for base, target in ((root, path), (root.absolute(), path), (root.resolve(), path.resolve())):
        if target.is_relative_to(base):
            return nfc(target.relative_to(base).as_posix())
    return ".."


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    packed = path.stat().st_size
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            yield from _bounded(file, path, packed if path.suffix == ".gz" else None)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise AssetError(f"{path}: damaged gzip ({error}); fetch it again") from None
    except OSError as error:
        raise AssetError(f"{path}: cannot be read ({error.strerror or error})") from None


def _bounded(file: BinaryIO | gzip.GzipFile, path: Path, packed: int | None) -> Iterator[tuple[int, str]]:
    size, number = 0, 0
    while line := file.readline(MAX_LINE + 1):
        number, size = number + 1, size + len(line)
        if len(line) > MAX_LINE:
            raise AssetError(f"{path}:{number}: a line of more than {MAX_LINE:,} bytes; is this the right file?")
        if size > MAX_BYTES:
            raise AssetError(f"{path}: more than {MAX_BYTES:,} bytes unpacked; split the file")
        if packed is not None and size > max(RATIO_FROM, MAX_RATIO * packed):
            raise AssetError(f"{path}: unpacks to more than {MAX_RATIO} times its size, as no list of utterances does")
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise AssetError(f"{path}:{number}: not UTF-8 (byte {line[error.start]:#04x}); save it as UTF-8") from None


def audio_below(corpus: Corpus) -> list[tuple[Path, str]]:
    """Return the audio files below the corpus's folder, each with its path below the root, in order of these.

    Raises
    ------
    AssetError
        If the folder lies outside the root.
    """
    found = walk(corpus.root, corpus.folder, include=(), exclude=(), problems=corpus.problems)
    return [(item.file, item.path) for item in found]


def nfc_below(corpus: Corpus, path: Path) -> PurePosixPath:
    """Return a path below the corpus's folder."""
    return PurePosixPath(nfc(path.relative_to(corpus.root / corpus.folder).as_posix()))


def whole(path: Path) -> str:
    """Return the text of a file, within the bounds of `Corpus.lines`; a line end after every line."""
    return "".join(f"{line}\n" for _, line in _lines(path))


def stem(path: str) -> str:
    """Return a file's name without its suffix.

    Examples
    --------
    >>> stem("a/b.c.wav")
    'b.c'
    """
    return PurePosixPath(path).stem


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"'{twice}' stands in it twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
