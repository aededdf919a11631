"""The parts of the recipe's JSON Schema that say how many events there are, and of which classes."""

from __future__ import annotations

from typing import Any, Final

from audiosynth.language.nodes import MAX_REPEAT
from audiosynth.language.talk import Talk
from audiosynth.loading.schema_parts import closed

Tree = dict[str, Any]
_MOST: Final[Tree] = {"type": "integer", "minimum": 1, "maximum": MAX_REPEAT}
_CHANCE: Final[Tree] = {"type": "number", "minimum": 0}
_SHARES: Final[Tree] = {"type": "object", "additionalProperties": _CHANCE}
_ROW: Final[Tree] = {
    **closed({"probability": _CHANCE, "max_events": _MOST, "classes": _SHARES}), "required": ["max_events", "classes"],
}  # fmt: skip
_ANY_MAP: Final[Tree] = {"type": "object"}
_ROWS: Final[Tree] = {"type": "object", "minProperties": 1, "additionalProperties": _ROW}

_DRAWN_NULL: Final = frozenset({"overlap_ratio", "max_length"})
"""What of a conversation may be null."""


FORMS: Final = ("n", "density", "cooccurrence", "sequence", "timetable", "turns")


def forms(count: Tree, rate: Tree) -> Tree:
    """Return what says how many casts a `repeat` makes: one definition for each form."""
    density = {
        **closed({"per_minute": rate, "kind": {"enum": ["poisson", "fixed"]}, "max": _MOST}),
        "required": ["per_minute"],
    }
    table = {**closed({"first": {}, "table": _ROWS}), "required": ["table"]}
    talk = {key: {} if key in _DRAWN_NULL else rate for key in Talk.model_fields}
    talk = {
        **talk,
        "n": count,
        "speakers": count,
        "pause": {},
        "from": {"type": ["string", "array"]},
        "by": {"type": "string"},
    }
    talk = {
        **closed({**talk, "where": _ANY_MAP, "unless": _ANY_MAP, "let": _ANY_MAP}),
        "required": ["from"],
    }
    chain = {"first": {}, "next": {"type": "object", "additionalProperties": _SHARES}, "max_events": _MOST}
    return {
        "repeat_density": {"if": {"type": "object", "required": ["per_minute"]}, "then": density, "else": rate},
        "repeat_cooccurrence": {"if": {"type": "object", "required": ["table"]}, "then": table, "else": _ROWS},
        "repeat_form": {
            "type": "object",
            "properties": {
                "n": count,
                "density": {"$ref": "#/$defs/repeat_density"},
                "cooccurrence": {"$ref": "#/$defs/repeat_cooccurrence"},
                "sequence": closed(chain),
                "turns": talk,
                "timetable": {"type": "array", "minItems": 1, "maxItems": MAX_REPEAT, "items": {"type": ["array", "object"]}},
            },
            "propertyNames": {"enum": [*FORMS, "of"]},
            "required": ["of"],
            "oneOf": [{"required": [form]} for form in FORMS],
        },
    }  # fmt: skip


def repeated(item: Tree) -> Tree:
    """Return what `repeat` takes: one of the forms, and an item."""
    return {"$ref": "#/$defs/repeat_form", "properties": {"of": item}}
