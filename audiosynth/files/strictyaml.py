"""YAML 1.2 (core schema) meaning on PyYAML's parser: strict, bounded, and every node knows its line.

PyYAML's own constructors read YAML 1.1: ``yes`` is a boolean, ``1e-3`` a string, ``12:30:45`` the number 45045, and the
second of two equal keys wins in silence. Here only its pure Python parser is used (one reader on every machine); what
scalars mean (`yamlvalues`), what may be repeated and how large a text may grow (`yamlnodes`) is decided by us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from audiosynth.errors import Problem, RecipeError
from audiosynth.files.yamlnodes import Composer, Mark, Node
from audiosynth.files.yamlvalues import LINE_BREAK, REFUSED_CHARACTER, NodePath, dump, format_path, resolve

__all__ = ["Document", "Mark", "NodePath", "dump", "format_path", "load", "load_file", "parse_scalar", "resolve"]

MAX_BYTES: Final = 2**20
_HINTS: Final = (
    ("expected '<document start>'", "put quotes around a text that begins with {, [ or a quote and goes on behind it"),
    ("'\\t'", "indent and separate with spaces, not with tabs"),
    ("mapping values are not allowed", "check the indentation; a text with ': ' in it needs quotes"),
    ("cannot start any token", "a text that starts with this character needs quotes"),
    ("expected <block end>", "check the indentation: this line fits no list or map above it"),
    ("could not find expected ':'", "a key needs ': ' after it; check the indentation"),
    ("unknown escape character", "write \\\\ for a backslash, or use single quotes"),
)


@dataclass(frozen=True)
class Document:
    """A text's tree of plain values, and where each of them stands.

    Attributes
    ----------
    tree
        Dicts with string keys, lists, strings, ints, finite floats, booleans and None; no two parts are one object.
    marks
        Mark of the value at each path; what an alias brings keeps the place where it was written.
    keys
        Mark of the key at each path that ends in a key.
    """

    tree: Any
    marks: Mapping[NodePath, Mark]
    keys: Mapping[NodePath, Mark] = field(default_factory=dict)

    def where(self, path: NodePath, *, key: bool = False) -> str:
        r"""Return ``file:line:column`` of the value at `path` (of its key, if `key`), or of its nearest ancestor.

        Examples
        --------
        >>> load("a:\n  b: 1", name="x.yaml").where(("a", "b", "c"))
        'x.yaml:2:6'
        """
        path = tuple(path)
        if key and path in self.keys:
            return str(self.keys[path])
        while path and path not in self.marks:
            path = path[:-1]
        return str(self.marks[path])


def load(text: str, *, name: str, base: str = "") -> Document:
    r"""Read one YAML document.

    Parameters
    ----------
    text
        At most 1 MiB of it; at most 200,000 values and 64 levels once aliases are written out.
    name
        What to call the text in marks: the file's name, or ``--set``.
    base
        Path in the recipe at which this text's root will stand, set before the paths of problems.

    Raises
    ------
    RecipeError
        With every problem found: syntax, repeated keys, keys that are no strings, tags, merge keys, numbers that are
        not finite or not clear, unknown or endless aliases, too large a text, a second document.

    Examples
    --------
    >>> load("word: yes\nsnr_db: 1e-3", name="x.yaml").tree
    {'word': 'yes', 'snr_db': 0.001}
    """
    _check_text(text, name)
    composer = Composer(text, name, base)
    try:
        root = composer.document()
    except yaml.YAMLError as error:
        raise RecipeError([*composer.problems, _syntax_problem(error, name)]) from None
    if composer.problems:
        raise RecipeError(composer.problems)
    marks: dict[NodePath, Mark] = {}
    keys: dict[NodePath, Mark] = {}
    return Document(_expand(root, (), marks, keys), marks, keys)


def _expand(node: Node, path: NodePath, marks: dict[NodePath, Mark], keys: dict[NodePath, Mark]) -> Any:
    marks[path] = node.mark
    if isinstance(node.value, list):
        return [_expand(child, (*path, i), marks, keys) for i, child in enumerate(node.value)]
    if isinstance(node.value, dict):
        keys.update({(*path, key): mark for key, mark in node.keys.items()})
        return {key: _expand(child, (*path, key), marks, keys) for key, child in node.value.items()}
    return node.value


def load_file(path: Path) -> Document:
    """Read a YAML file in UTF-8 (a byte order mark is dropped); see `load`.

    Raises
    ------
    RecipeError
        As `load`; also if the file cannot be read or is not UTF-8.
    """
    name = path.as_posix()
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RecipeError([Problem(name, "", f"cannot be read: {error.strerror or error}")]) from None
    _check_size(len(raw), name)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place(raw[: error.start].decode("utf-8"), name)
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise RecipeError([Problem(place, "", message)]) from None
    return load(text.removeprefix("\ufeff"), name=name)


def parse_scalar(text: str, *, name: str = "--set", base: str = "") -> Any:
    """Return the value that `text` writes in YAML, as ``--set path=value`` gives it.

    Examples
    --------
    >>> parse_scalar("{uniform: [0, 1e1]}"), parse_scalar("off"), parse_scalar("-6")
    ({'uniform': [0, 10.0]}, 'off', -6)
    """
    return load(text, name=name, base=base).tree


def _check_size(n_bytes: int, name: str) -> None:
    if n_bytes > MAX_BYTES:
        raise RecipeError([Problem(name, "", "is larger than 1 MiB; lists of recordings belong into a catalogue")])


def _check_text(text: str, name: str) -> None:
    _check_size(len(text), name)
    if refused := REFUSED_CHARACTER.search(text):
        message = f"character U+{ord(refused[0]):04X} must be written as an escape in double quotes"
        raise RecipeError([Problem(_place(text[: refused.start()], name), "", message)])
    _check_size(len(text.encode()), name)


def _place(before: str, name: str) -> str:
    lines = LINE_BREAK.split(before)
    return f"{name}:{len(lines)}:{len(lines[-1]) + 1}"


def _syntax_problem(error: yaml.YAMLError, name: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    text = str(getattr(error, "problem", None) or error)
    context = getattr(error, "context", None)
    hint = next((advice for sign, advice in _HINTS if sign in text), "")
    return Problem(place, "", f"not YAML: {f'{context}, ' if context else ''}{text}{f'; {hint}' if hint else ''}")
