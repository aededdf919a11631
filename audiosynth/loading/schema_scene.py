"""The parts of the recipe's JSON Schema that say how many events there are, and of which classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from audiosynth.language.nodes import MAX_REPEAT
from audiosynth.language.reserved_scene import FORMS
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


def asked() -> Tree:
    """Return the schema of what a conversation is asked to be, without draws."""
    return Talk.model_json_schema()


def forms(either: Callable[[Tree, Tree], Tree], fields: Tree) -> Tree:
    """Return what says how many casts a `repeat` makes: one definition for each form.

    `either` makes "this or a draw of it" of a value, `fields` are those of a conversation.
    """
    count = either({"type": "integer", "minimum": 0, "maximum": MAX_REPEAT}, {})
    rate = either({"type": "number", "minimum": 0}, {})
    density = {
        **closed({"per_minute": rate, "kind": {"enum": ["poisson", "fixed"]}, "max": _MOST}),
        "required": ["per_minute"],
    }
    table = {**closed({"first": {}, "table": _ROWS}), "required": ["table"]}
    names = {"from": {"type": ["string", "array"]}, "by": {"type": "string"}}
    talk = {**closed({**fields, **names, "where": _ANY_MAP, "unless": _ANY_MAP, "let": _ANY_MAP}), "required": ["from"]}
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
