"""The JSON Schema (2020-12) of a recipe: for editors, and for whoever wants to know what may stand where.

Made from the records and components that recipes are checked with. Wherever a value may stand, so may a draw of it:
`_Schema.either` wraps each kind of value once, under a name of its own in ``$defs``.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from audiosynth import registry
from audiosynth.language.distributions import NUMERIC
from audiosynth.language.reserved import RESERVED
from audiosynth.loading.normalise import LEVEL_KEYS
from audiosynth.loading.schema_parts import (
    CHANCE,
    CLIPS,
    DEFINITION,
    NUMBER,
    SETTINGS,
    TEXT,
    Tree,
    bare,
    closed,
    first_line,
    in_lists,
    inlined,
    numeric,
    pick,
)
from audiosynth.loading.schema_scene import asked, forms, repeated
from audiosynth.material.catalogue import CatalogueSpec
from audiosynth.material.licences import Declared
from audiosynth.material.splits import SplitSpec
from audiosynth.recipe import KEYS
from audiosynth.records.level import Level
from audiosynth.records.output import SetOutput
from audiosynth.spaces.places import Position
from audiosynth.spec import Bed, Event, Scene
from audiosynth.speech.negatives import NegativesSpec

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PICKED: Final = ("#/$defs/Recording", "#/$defs/Voice")
"""Records that are drawn from catalogues and casts."""
_NOT_WRITTEN: Final = frozenset({"place", "start_sample", "spread_seed", "dropped"})  # what the plan writes
_FILLED: Final = frozenset({"seed", "place", "start_sample", "spread_seed", "content"})


def recipe_schema() -> Tree:
    """Return the JSON Schema of a recipe.

    Examples
    --------
    >>> recipe_schema()["properties"]["sr"]["maximum"]
    384000
    """
    schema = _Schema()
    scene = schema.record(Scene.model_json_schema())
    properties: Tree = {
        **SETTINGS,
        "clips": CLIPS,
        "splits": {"if": {"required": ["shares"]}, "then": _plain(SplitSpec), "else": {"type": "object", "additionalProperties": NUMBER}},
        "catalogues": {"type": "object", "additionalProperties": _plain(CatalogueSpec)},
        "voices": {"type": "object", "description": "Voices to draw: {n: 200} with a voice's fields, or casts by name"},
        "negatives": {"if": {"required": ["of"]}, "then": _plain(NegativesSpec), "else": {"type": "object", "additionalProperties": _plain(NegativesSpec)}},
        "output": _plain(SetOutput), "licence": _plain(Declared),
        "export": {"type": "array", "items": {"anyOf": [{"enum": list(registry.newest("exporters", everywhere=True))}, schema.family("exporters", drawn=False)]}},
        **scene["properties"],
    }  # fmt: skip
    properties.update({key: {} for key in KEYS if key not in properties})
    return {
        "$schema": DIALECT,
        "title": "audiosynth recipe",
        "description": "A map with one key that is a distribution (uniform, choice, …) is a draw; $name is a `let` name.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "anyOf": [{"required": ["duration"]}, {"required": ["extends"]}],
        "$defs": dict(sorted(schema.defs.items())),
    }


def _plain(model: Any) -> Tree:
    """Return the schema of a record without draws."""
    tree: Tree = bare(model.model_json_schema())
    inner = tree.pop("$defs", {})
    return {**inlined(tree, inner), "description": first_line(model)}


class _Schema:
    """Collects ``$defs`` while records and components are walked."""

    def __init__(self) -> None:
        one_key = {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "propertyNames": {"enum": sorted(RESERVED)},
        }
        self.defs: dict[str, Tree] = {
            "is_draw": one_key,
            "reference": {"type": "string", "pattern": r"^\$[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$", "description": "A `let` name"},
            **{f"draw_{name}": numeric(name) for name in NUMERIC},
        }  # fmt: skip
        self._names: dict[str, str] = {}
        self.defs.update(forms(self.either, self.record(asked())["properties"]))

    def record(self, raw: Tree, *, within: Tree | None = None) -> Tree:
        """Return the schema of a record whose fields may be drawn."""
        within = raw.get("$defs", within or {})
        fields = {k: self.place(k, v, within) for k, v in raw.get("properties", {}).items() if k not in _NOT_WRITTEN}
        required = [key for key in raw.get("required", ()) if key not in _FILLED]
        if raw.get("title") == Event.__name__:
            levels = Level.model_json_schema()["properties"]
            fields.update({key: self.place(key, levels[key], within) for key in LEVEL_KEYS})
        if raw.get("title") == Level.__name__:
            fields["as"] = DEFINITION
        return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}

    def place(self, key: str, raw: Tree, within: Tree) -> Tree:
        """Return what stands at one key: a value or a draw of it, with its description, unit and default."""
        if key == "let":
            return {
                "type": "object",
                "description": "Names for draws, used as $name",
                "propertyNames": {"pattern": r"^[A-Za-z_]\w*$"},
            }
        said = " ".join(
            part for part in (raw.get("description", ""), f"({raw['unit']})" if raw.get("unit") else "") if part
        )
        told = {"description": (said if said[1:2].isupper() else said[:1].upper() + said[1:])} if said else {}
        given = {"default": raw["default"]} if "default" in raw else {}
        return {**told, **given, **self.either(_core(raw), within, slack=key in ("onset", "start"))}

    def either(self, core: Tree, within: Tree, *, slack: bool = False, item: bool = False) -> Tree:
        """Return a reference to "this value or a draw of it"; a draw in place of a list's `item` may give none or several."""
        identity = json.dumps([core, slack, item], sort_keys=True)
        if identity not in self._names:
            name = self._names[identity] = self._name(core, slack=slack)
            self.defs[name] = {}  # keeps the name while what is inside refers back to it
            me: Tree = {"$ref": f"#/$defs/{name}"}
            me = {"if": {"type": "null"}, "then": True, "else": self.repeated(me)} if item else me
            drawn = {
                "type": "object",
                "properties": self.draws(core, me, slack=slack, item=item),
                "additionalProperties": False,
            }
            self.defs[name] = {"if": {"$ref": "#/$defs/is_draw"}, "then": drawn, "else": self.still(core, within)}
        return {"$ref": f"#/$defs/{self._names[identity]}"}

    def still(self, core: Tree, within: Tree) -> Tree:
        """Return what stands where nothing is drawn: a name, null, or a value.

        Cases rather than alternatives: an error then points into the value, not at the whole of it.
        """
        options = [option for option in _options(core) if option.get("$ref") != "#/$defs/Slack"]
        leaves = [
            leaf for option in options if option != {"type": "null"} and (leaf := self.leaf(option, within)) is not None
        ]
        value: Any = leaves[0] if len(leaves) == 1 else {"anyOf": leaves} if leaves else {"$ref": "#/$defs/reference"}
        if {"type": "null"} in options:
            value = {"if": {"type": "null"}, "then": True, "else": value}
        return {"if": {"type": "string", "pattern": r"^\$[^$]"}, "then": {"$ref": "#/$defs/reference"}, "else": value}

    def draws(self, core: Tree, me: Tree, *, slack: bool, item: bool) -> Tree:
        """Return the draws that can give a value: those that hold such values, and those made for its type."""
        several = {"type": "array", "minItems": 1, "items": me}
        pair = {"type": "array", "prefixItems": [{"type": "number", "minimum": 0}, me], "minItems": 2, "maxItems": 2}
        found: Tree = dict.fromkeys(("choice", "cycle", "deck"), several)
        found["weighted"] = {"type": "array", "minItems": 1, "items": pair}
        found["maybe"] = closed({"p": {"type": "number", "minimum": 0, "maximum": 1}, "then": me})
        found["balance"] = closed({"of": several, "cost": {"type": ["array", "object"]}})
        cases = {"type": "object", "additionalProperties": me}
        found["by"] = {**closed({"on": True, "cases": cases, "default": me}), "required": ["on", "cases"]}
        found["literal"] = {}
        types = {option.get("type") for option in _options(core)}
        if types & {"number", "integer"}:
            found.update({name: {"$ref": f"#/$defs/draw_{name}"} for name in NUMERIC})
            found.update({"sum": {"type": "array", "minItems": 1}, "of": TEXT})
        if "string" in types or any("enum" in option for option in _options(core)):
            found["join"] = {"type": "array", "minItems": 1}
        if slack:
            found["slack"] = self.either({"type": "number", "minimum": 0, "maximum": 1}, {})
            found["follow"] = self.either({"type": "number"}, {})
        if any(option.get("$ref") in _PICKED for option in _options(core)):
            found["pick"] = pick()
        if "array" in types:
            found.update({word: {} for word in ("repeat", "some_of", "sequence")})
        if item:
            found.update(in_lists(several, self.either({"type": "integer", "minimum": 0}, {})))
        known = {
            *NUMERIC,
            *found,
            "sum",
            "of",
            "join",
            "slack",
            "follow",
            "pick",
            "repeat",
            "some_of",
            "sequence",
            "product",
        }
        return {**found, **{word: {} for word in RESERVED if word not in known}}

    def leaf(self, core: Tree, within: Tree) -> Tree | None:
        """Return the schema of a value that stands still; None for a recording, which is always drawn or named."""
        if "x-family" in core:
            return self.family(core["x-family"])
        if "$ref" in core:
            name = core["$ref"].rsplit("/", 1)[1]
            return None if name == "Recording" else self._record(name, within)
        if core.get("type") == "array":
            return self._list(core, within)
        return core

    def _list(self, core: Tree, within: Tree) -> Tree:
        if "prefixItems" in core:
            return {**core, "prefixItems": [self.either(_core(item), within) for item in core["prefixItems"]]}
        return {"type": "array", "items": self.repeated(self.either(_core(core.get("items", {})), within, item=True))}

    def repeated(self, item: Tree) -> Tree:
        """Return an item of a list, or a `repeat` of such items."""
        several = closed({"repeat": repeated(item)})
        return {"if": {"type": "object", "required": ["repeat"]}, "then": several, "else": item}

    def _record(self, name: str, within: Tree) -> Tree:
        key = name.lower()
        if key not in self.defs:
            self.defs[key] = {}
            made = self.record(within[name], within=within)
            self.defs[key] = self._short(name, made)
        return {"$ref": f"#/$defs/{key}"}

    def _short(self, name: str, made: Tree) -> Tree:
        """Return a record with the short form that a recipe may write it in."""
        if name == Position.__name__:
            return {"if": {"type": "array"}, "then": made["properties"]["point"], "else": made}
        return self._bed(made) if name == Bed.__name__ else made

    def _bed(self, layered: Tree) -> Tree:
        """Return the bed: its layers, or (short) one noise and the bed's own keys in one map."""
        more = {key: value for key, value in layered["properties"].items() if key != "layers"}
        return {"if": {"required": ["type"]}, "then": self.family("noises", more=more), "else": layered}

    def family(self, family: str, *, more: Tree | None = None, drawn: bool = True) -> Tree:
        """Return a reference to the components of a family, told apart by `type`; exporters are never `drawn`."""
        key = family if more is None else f"bed_of_{family}"
        if key not in self.defs:
            self.defs[key] = {}
            kinds, extra = [], CHANCE if family == "effects" else more or {}
            for pinned, cls in registry.installed(family).items():
                newest = registry.newest(family, everywhere=True)[cls.type_name] is cls
                names = [cls.type_name, pinned] if newest else [pinned]
                name = f"{key}_{pinned.replace('@', '_v').replace(':', '_')}"
                made = self.record(cls.model_json_schema()) if drawn else _plain(cls)
                properties = {"type": {"enum": names}, **made.get("properties", {}), **extra}
                required = ["type", *made.get("required", ())]
                self.defs[name] = {
                    **made,
                    "description": first_line(cls),
                    "properties": properties,
                    "required": required,
                }
                kinds.append((names, {"$ref": f"#/$defs/{name}"}))
            self.defs[key] = {
                "type": "object", "required": ["type"], "properties": {"type": {"enum": [n for names, _ in kinds for n in names]}},
                "allOf": [{"if": {"properties": {"type": {"enum": names}}}, "then": ref} for names, ref in kinds],
            }  # fmt: skip
        return {"$ref": f"#/$defs/{key}"}

    def _name(self, core: Tree, *, slack: bool) -> str:
        """Return a name for "a value like this or a draw of it" that tells a reader what it is."""
        parts = []
        for option in _options(core):
            words = [
                option.get("x-family") or option.get("$ref", "").rsplit("/", 1)[-1].lower() or option.get("type", "any")
            ]
            words += [
                str(option[k]) for k in ("exclusiveMinimum", "minimum", "exclusiveMaximum", "maximum") if k in option
            ]
            words += [str(word) for word in option.get("enum", ())]
            parts.append("_".join(words))
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", "_or_".join(parts))[:60] + ("_or_slack" if slack else "")
        taken = sum(1 for used in self._names.values() if used == f"any_{name}" or used.startswith(f"any_{name}."))
        return f"any_{name}" + (f".{taken + 1}" if taken else "")


def _core(raw: Tree) -> Tree:
    """Return a field's schema without what only describes it."""
    return {k: v for k, v in raw.items() if k not in ("title", "description", "default", "unit")}


def _options(core: Tree) -> list[Tree]:
    return list(core["anyOf"]) if "anyOf" in core else [core]
