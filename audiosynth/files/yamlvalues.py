"""Plain values in YAML: what an unquoted scalar means, and a writer whose text means the same to every reader.

The bottom half of `audiosynth.files.strictyaml`, which reads whole documents.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

import yaml

from audiosynth.errors import ParameterError

MAX_NODES: Final = 200_000
MAX_DEPTH: Final = 64
INT_BOUND: Final = 2**63

NodePath = tuple[str | int, ...]

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]+")
_INT: Final = re.compile(r"[-+]?[0-9]+")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# What YAML 1.2 calls printable (5.1), less the line breaks that only YAML 1.1 knows (U+0085, U+2028, U+2029).
REFUSED_CHARACTER: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
SURROGATE: Final = re.compile("[\ud800-\udfff]")
LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_READ_BY_1_1_ONLY: Final = frozenset("yYnN")


def format_path(path: NodePath) -> str:
    """Return a path as recipes write it.

    Examples
    --------
    >>> format_path(("events", 0, "source", "fmin"))
    'events[0].source.fmin'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def resolve(text: str) -> str | int | float | bool | None:
    """Return what a plain (unquoted) scalar means by the core schema of YAML 1.2.2 (section 10.3.2).

    Narrower in three places, where a silent reading would do harm: leading zeros (``007`` is 7 in YAML 1.2, an octal
    number in 1.1 and a name to people), infinities and NaN, and integers beyond 64 bits are refused.

    Raises
    ------
    ParameterError
        If the scalar is refused; the message says what to write instead.

    Examples
    --------
    >>> [resolve(t) for t in ("yes", "1e-3", "12:30:45", "0x1F", "~", "1_000", "true")]
    ['yes', 0.001, '12:30:45', 31, None, '1_000', True]
    """
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _LEADING_ZERO.fullmatch(text):
        raise ParameterError(f"{text} has leading zeros; write the number without, or '{text}' in quotes for a name")
    for pattern, base in ((_INT, 10), (_HEX, 16), (_OCTAL, 8)):
        if pattern.fullmatch(text):
            return _integer(text, base)
    if _NOT_FINITE.fullmatch(text):
        raise ParameterError(f"{text} is not a finite number; give a number, or quote it if it is a name")
    return _finite(text) if _FLOAT.fullmatch(text) else text


def _integer(text: str, base: int) -> int:
    value = INT_BOUND if len(text) > 30 else int(text, 0 if base != 10 else 10)
    if not -INT_BOUND <= value < INT_BOUND:
        raise ParameterError(f"{text[:30]} does not fit into 64 bits; give a smaller one, or quote it if it is a name")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ParameterError(f"{text[:30]} is not a finite number: it is beyond 1.8e308; give a smaller one")
    return value


class _Dumper(yaml.SafeDumper):
    """Writes strings so that both YAML 1.1 and 1.2 read them as strings, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write equal parts out, each time."""
        return True

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        """Represent a list: on one line if it holds scalars only."""
        node = super().represent_sequence(tag, sequence, flow_style)
        node.flow_style = all(isinstance(item, yaml.ScalarNode) for item in node.value)
        return node

    def text(self, data: str) -> yaml.ScalarNode:
        """Represent a string, quoted wherever any reader could take it for something else."""
        style = None
        if LINE_BREAK.search(data) or REFUSED_CHARACTER.search(data):
            style = '"'
        elif data in _READ_BY_1_1_ONLY or not _stays_text(data):
            style = "'"
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.text)


def _stays_text(data: str) -> bool:
    try:
        return isinstance(resolve(data), str)
    except ParameterError:
        return False


def dump(tree: Any) -> str:
    """Return `tree` as YAML that `load` reads back equal: keys in order, lists of scalars on a line.

    Raises
    ------
    ParameterError
        If the tree holds what a recipe cannot: keys that are no strings, numbers that are not finite, other objects.

    Examples
    --------
    >>> print(dump({"labels": ["yes", "1e-3", "go"], "snr_db": 1e-5}), end="")
    labels: ['yes', '1e-3', go]
    snr_db: 1.0e-05
    """
    _check_tree(tree, ())
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)


def _check_tree(tree: Any, path: NodePath) -> int:
    """Return how many values `tree` holds."""
    if len(path) >= MAX_DEPTH:
        raise ParameterError(f"{format_path(path[:3])}: nested deeper than {MAX_DEPTH} levels")
    n = 1
    if isinstance(tree, dict):
        for key, value in tree.items():
            if not (isinstance(key, str) and _is_plain(key)):
                raise ParameterError(f"{format_path(path)}: a key must be a string, got {key!r}")
            n += _check_tree(value, (*path, key))
    elif isinstance(tree, (list, tuple)):
        n += sum(_check_tree(value, (*path, i)) for i, value in enumerate(tree))
    elif not _is_plain(tree):
        raise ParameterError(f"{format_path(path)}: cannot be written as YAML: {type(tree).__name__} {tree!r}")
    if n > MAX_NODES:
        raise ParameterError(f"{format_path(path[:3])}: more than {MAX_NODES} values")
    return n


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return type(value) is float and math.isfinite(value)
    if type(value) is int:
        return -INT_BOUND <= value < INT_BOUND
    if type(value) is str:
        return not SURROGATE.search(value)
    return value is None or type(value) is bool
