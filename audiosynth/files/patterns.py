"""File names taken apart by ``{label}_{speaker}_{take}.wav``: linear time, no regular expressions from recipes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from audiosynth.errors import ParameterError

RESERVED: Final = frozenset({"events", "lossy", "path", "sha256"})
"""Names that fields of a catalogue may not have: the scan fills them."""


@dataclass(frozen=True)
class Pattern:
    """A pattern, one part per folder level: literals around the names of fields.

    Attributes
    ----------
    text
        As written.
    parts
        For each level, what alternates: literal, field, literal, …, literal.

    Examples
    --------
    >>> Pattern.parse("{label}_{speaker}_{take}.wav").match("7_jackson_32.wav")
    {'label': '7', 'speaker': 'jackson', 'take': '32'}
    """

    text: str
    parts: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read a pattern.

        Raises
        ------
        ParameterError
            If braces are open, a name is not an identifier, two fields touch, or there is no field at all.
        """
        parts = tuple(_level(level, text) for level in text.split("/"))
        if not any(len(part) > 1 for part in parts):
            raise ParameterError(f"expected a pattern with fields, such as {{label}}_{{take}}.wav; got '{text}'")
        return cls(text, parts)

    @property
    def fields(self) -> frozenset[str]:
        """Return the names of the fields (``{_}`` is passed over)."""
        return frozenset(name for part in self.parts for name in part[1::2] if name != "_")

    def match(self, path: str) -> dict[str, str] | None:
        """Return the fields of a POSIX path, or None if it does not fit.

        A pattern of n levels is held against the last n parts of the path. A field takes one character or more, as few
        as can be (the last of a level takes the rest); a field that stands twice must have one value.
        """
        names = PurePosixPath(path).parts[-len(self.parts) :]
        if len(names) < len(self.parts):
            return None
        found: dict[str, str] = {}
        for part, name in zip(self.parts, names, strict=True):
            values = _values(part, name)
            if values is None:
                return None
            for field, value in zip(part[1::2], values, strict=True):
                if field != "_" and found.setdefault(field, value) != value:
                    return None
        return found


def _level(level: str, text: str) -> tuple[str, ...]:
    literal, *rest = level.split("{")
    out = [literal]
    for piece in rest:
        field, closed, literal = piece.partition("}")
        if not closed or not (field.isidentifier() and field.isascii()) or field in RESERVED:
            raise ParameterError(
                f"pattern '{text}': expected fields like {{label}} (letters, digits, _), got '{{{piece}'"
            )
        if len(out) > 1 and not out[-1]:
            raise ParameterError(
                f"pattern '{text}': '{{{field}}}' touches the field before it; put a character between them"
            )
        out += [field, literal]
    if any("}" in literal for literal in out):
        raise ParameterError(f"pattern '{text}': a '}}' without its '{{'")
    return tuple(out)


def _values(part: tuple[str, ...], name: str) -> list[str] | None:
    """Take a name apart: each literal at the first place it can be, the last one at the end."""
    first, *literals = part[0::2]
    if not name.startswith(first):
        return None
    if not literals:
        return [] if name == first else None
    values, at = [], len(first)
    for literal in literals[:-1]:
        end = name.find(literal, at + 1)
        if end < 0:
            return None
        values.append(name[at:end])
        at = end + len(literal)
    end = len(name) - len(literals[-1])
    if end <= at or not name.endswith(literals[-1]):
        return None
    return [*values, name[at:end]]
