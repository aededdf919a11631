"""The fixed pieces of the recipe's JSON Schema: settings that are never drawn, and what the distributions take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from audiosynth.language.distributions import NUMERIC
from audiosynth.loading.normalise import DEFINITIONS

Tree = dict[str, Any]
NUMBER: Final[Tree] = {"type": "number"}
TEXT: Final[Tree] = {"type": "string"}
_DRAWNNUMBERS: Final[Mapping[str, Tree]] = {
    "uniform": {"n": (2, 2)}, "log_uniform": {"n": (2, 2)}, "normal": {"n": (2, 2)}, "truncnorm": {"n": (4, 4)},
    "integers": {"n": (2, 2), "type": "integer"}, "poisson": {"n": (2, 2)}, "beta": {"n": (2, 4)},
}  # fmt: skip
SETTINGS: Final[Mapping[str, Tree]] = {
    "extends": {**TEXT, "description": "Recipe that this one changes: a file in the same folder, or the name of one that comes along"},
    "name": {**TEXT, "description": "Name of the dataset; the file's name if missing"},
    "description": TEXT,
    "seed": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1, "default": 0, "description": "Key of all draws"},
    "sr": {"type": "integer", "minimum": 1000, "maximum": 384_000, "default": 16_000, "description": "Sampling rate (Hz)"},
    "channels": {"type": "integer", "minimum": 1, "maximum": 64, "default": 1},
    "reference_channel": {"type": "integer", "minimum": 0, "maximum": 63, "default": 0, "description": "Where levels are measured"},
    "calibration_db": {"type": ["number", "null"], "default": None, "description": "dB SPL of 0 dBFS"},
    "data": {"type": "object", "additionalProperties": TEXT, "description": "Folder of each data root; see --data"},
    "supervision": {
        "type": "object", "additionalProperties": {"enum": ["strong", "weak", "none"]},
        "description": "What the label files of each split tell",
    },
}  # fmt: skip
DEFINITION: Final[Tree] = {
    "enum": list(DEFINITIONS),
    "description": "The definition of another tool, for the keys that are left out",
}
_COUNT: Final[Tree] = {"type": "integer", "minimum": 0, "maximum": 100_000_000}
CLIPS: Final[Tree] = {
    "description": "Number of clips, in all or per split, or one for each recording of a catalogue",
    "if": {"type": "object", "required": ["each"]},
    "then": {
        "properties": {
            "each": {
                "type": "object", "properties": {"from": TEXT, "as": TEXT}, "required": ["from"], "additionalProperties": False,
            },
            "replicas": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1},
        },
        "additionalProperties": False,
    },
    "else": {"anyOf": [_COUNT, {"type": "object", "additionalProperties": _COUNT}]},
}  # fmt: skip


def first_line(model: Any) -> str:
    """Return the summary line of a docstring."""
    return (model.__doc__ or "").strip().splitlines()[0]


def closed(properties: Tree) -> Tree:
    """Return the schema of a map that has all of these keys and no other."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def pick() -> Tree:
    """Return what `pick` takes."""
    how = {"enum": ["random", "cycle", "deck"], "default": "random"}
    full = {
        **closed({"from": TEXT, "where": {"type": "object"}, "unless": {"type": "object"}, "how": how}),
        "required": ["from"],
    }
    return {"anyOf": [TEXT, full], "description": "A recording of a catalogue"}


CHANCE: Final[Tree] = {
    "p": {"type": "number", "minimum": 0, "maximum": 1, "description": "Probability that this effect is there"}
}


def in_lists(several: Tree, count: Tree) -> Tree:
    """Return the draws that stand for items of a list."""
    some_of = {**closed({"n": count, "of": several, "order": {"enum": ["kept", "random"]}}), "required": ["n", "of"]}
    return {"one_of": several, "sequence": several, "some_of": some_of}


def numeric(name: str) -> Tree:
    """Return the arguments of a numeric distribution: in order, or by name."""
    words = {"description": f"{NUMERIC[name].signature}: {first_line(NUMERIC[name])}"}
    if name not in _DRAWNNUMBERS:
        return {"type": ["array", "object"], **words}
    low, high = _DRAWNNUMBERS[name]["n"]
    item = {"type": _DRAWNNUMBERS[name].get("type", "number")}
    return {
        "type": ["array", "object"],
        "minItems": low,
        "maxItems": high,
        "items": item,
        "additionalProperties": item,
        **words,
    }


def inlined(tree: Any, inner: Tree) -> Any:
    """Return a schema with the records that it refers to in their places."""
    if isinstance(tree, Mapping):
        if "$ref" in tree:
            return inlined(inner[tree["$ref"].rsplit("/", 1)[1]], inner)
        return {key: inlined(value, inner) for key, value in tree.items()}
    return [inlined(item, inner) for item in tree] if isinstance(tree, list) else tree


def bare(tree: Any) -> Any:
    """Return a schema without pydantic's titles."""
    if isinstance(tree, Mapping):
        return {k: bare(v) for k, v in tree.items() if not (k == "title" and isinstance(v, str))}
    return [bare(item) for item in tree] if isinstance(tree, list) else tree
