"""The parts of the recipe's JSON Schema that say how many events there are, and of which classes."""

from __future__ import annotations

from typing import Any, Final

from audiosynth.nodes import MAX_REPEAT
from audiosynth.schema_parts import closed

Tree = dict[str, Any]
_MOST: Final[Tree] = {"type": "integer", "minimum": 1, "maximum": MAX_REPEAT}
_CHANCE: Final[Tree] = {"type": "number", "minimum": 0}
_SHARES: Final[Tree] = {"type": "object", "additionalProperties": _CHANCE}
_ROW: Final[Tree] = {
    **closed({"probability": _CHANCE, "max_events": _MOST, "classes": _SHARES}), "required": ["max_events", "classes"],
}  # fmt: skip
_ROWS: Final[Tree] = {"type": "object", "minProperties": 1, "additionalProperties": _ROW}


def repeats(count: Tree, rate: Tree, item: Tree) -> Tree:
    """Return what `repeat` takes: `n` casts of an item, or one of the other forms in place of `n`."""
    density = {
        **closed({"per_minute": rate, "kind": {"enum": ["poisson", "fixed"]}, "max": _MOST}),
        "required": ["per_minute"],
    }
    forms: Tree = {
        "n": count,
        "density": {"if": {"type": "object", "required": ["per_minute"]}, "then": density, "else": rate},
        "cooccurrence": {
            "if": {"type": "object", "required": ["table"]},
            "then": {**closed({"first": {}, "table": _ROWS}), "required": ["table"]},
            "else": _ROWS,
        },
        "sequence": closed(
            {"first": {}, "next": {"type": "object", "additionalProperties": _SHARES}, "max_events": _MOST}
        ),
        "timetable": {"type": "array", "minItems": 1, "maxItems": MAX_REPEAT, "items": {"type": ["array", "object"]}},
    }
    one_form = {"oneOf": [{"required": [form]} for form in forms]}
    return {**closed({**forms, "of": item}), "required": ["of"], **one_form}
