"""The keys of a record or component, as its JSON Schema tells them: type, unit, range, default, and what each is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_PLANNED: Final = frozenset({"place", "start_sample", "spread_seed", "dropped"})
_SHORT: Final = {
    "slack": "{slack: 0..1}",
    "bed": "noise",
    "rules": "scene",
    "rooms": "one of the rooms",
    "receiverspec": "receiver",
    "region": "within",
}
_BOUNDS: Final = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}


@dataclass(frozen=True)
class Parameter:
    """One key: what may stand there; `draw` is what a component draws by itself where a recipe leaves it out."""

    name: str
    type: str
    unit: str
    range: str
    default: str
    description: str
    draw: str = ""


def parameters(schema: Mapping[str, Any]) -> Iterator[Parameter]:
    """Yield the keys of a record's JSON Schema."""
    required = set(schema.get("required", ()))
    for name, raw in schema.get("properties", {}).items():
        if name in _PLANNED:
            continue
        options = [option for option in raw.get("anyOf", [raw]) if option.get("type") != "null"]
        shown = "default" in raw and not isinstance(raw["default"], Mapping)
        default = "required" if name in required else json.dumps(raw["default"]) if shown else ""
        if name == "seed" and name in required:
            default = "drawn"
        yield Parameter(
            name, " or ".join(dict.fromkeys(_type(name, option) for option in options)), raw.get("unit", ""),
            "; ".join(dict.fromkeys(r for r in map(_range, options) if r)), default, _sentence(raw.get("description", "")),
        )  # fmt: skip


def _sentence(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def _type(name: str, option: Mapping[str, Any]) -> str:
    if "x-family" in option:
        return f"one of the {option['x-family']}"
    if "enum" in option or "const" in option:
        return "word"
    if "$ref" in option:
        kind: str = option["$ref"].rsplit("/", 1)[1].lower().removeprefix("any_").removesuffix("_or_null")
        return _SHORT.get(kind, kind.partition("_")[0])
    if "prefixItems" in option:
        return f"list of {len(option['prefixItems'])} numbers"
    if option.get("type") == "array":
        return f"list of {_plural(_type(name, option.get('items', {})))}"
    if name == "effects":
        return "list of effects"
    words = {
        "number": "number",
        "integer": "whole number",
        "string": "text",
        "boolean": "true or false",
        "object": "map",
    }
    kinds = option.get("type", "anything")
    return words.get(kinds, kinds) if isinstance(kinds, str) else str(kinds[0])


def _plural(kind: str) -> str:
    return (
        kind.removeprefix("one of the ")
        if kind.startswith("one of")
        else "values"
        if kind == "anything"
        else kind.replace("list", "lists", 1)
        if kind.startswith("list")
        else f"{kind}s"
    )


def _range(option: Mapping[str, Any]) -> str:
    if "enum" in option:
        return " | ".join(str(word) for word in option["enum"])
    if "const" in option:
        return str(option["const"])
    inner = option.get("items", {}) if option.get("type") == "array" else option
    return ", ".join(text.format(_number(inner[key])) for key, text in _BOUNDS.items() if key in inner)


def _number(value: float) -> str:
    powers = {2**53: "2^53", 2**63: "2^63", 2**63 - 1: "2^63 - 1"}
    return powers.get(int(value)) or f"{value:.10g}"
