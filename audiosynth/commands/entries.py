"""What there is to put into a recipe, read off the classes themselves: components, records, distributions, words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from audiosynth import registry
from audiosynth.commands.words import ARGUMENTS, TOP, WORDS, Word
from audiosynth.commands.words_parts import PARTS
from audiosynth.files import strictyaml
from audiosynth.language.distributions import NUMERIC
from audiosynth.language.reserved import RESERVED
from audiosynth.language.talk import Talk
from audiosynth.loading.normalise import LEVEL_KEYS
from audiosynth.loading.schema import recipe_schema
from audiosynth.material.catalogue import CatalogueSpec
from audiosynth.material.licences import Declared
from audiosynth.material.splits import SplitSpec
from audiosynth.records.level import Level
from audiosynth.records.output import SetOutput, Stems
from audiosynth.records.rules import Rules
from audiosynth.registry import FAMILIES
from audiosynth.spaces.places import Position, Region
from audiosynth.spaces.receivers import ReceiverSpec
from audiosynth.spaces.walls import Surfaces
from audiosynth.spec import At, Bed, Event, Labels, Layer, Mix
from audiosynth.speech.negatives import NegativesSpec
from audiosynth.speech.voices import Voice

RECORDS: Final = {
    "event": Event, "scene": Rules, "level": Level, "at": At, "noise": Bed, "layer": Layer, "mix": Mix, "labels": Labels,
    "output": SetOutput, "stems": Stems, "catalogue": CatalogueSpec, "splits": SplitSpec, "position": Position, "within": Region,
    "receiver": ReceiverSpec, "surfaces": Surfaces, "turns": Talk, "voice": Voice, "negatives": NegativesSpec, "licence": Declared,
}  # fmt: skip
GROUPS: Final = (*FAMILIES, "distributions", "words", "records", "recipes")
_PLANNED: Final = frozenset({"place", "start_sample", "spread_seed", "dropped"})
_SHORT: Final = {
    "slack": "{slack: 0..1}",
    "bed": "noise",
    "rules": "scene",
    "rooms": "one of the rooms",
    "receiverspec": "receiver",
    "region": "within",
}
LONGEST_DEFAULT: Final = 48
"""Characters of a draw that still fit into a table."""
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


@dataclass(frozen=True)
class Entry:
    """One thing that may stand in a recipe.

    Attributes
    ----------
    group, name
        Family (or distributions, words, records, recipes), and name there.
    summary, text
        In one line, and in full.
    versions, portability
        Of components; else empty.
    parameters
        Its keys.
    example
        YAML.
    """

    group: str
    name: str
    summary: str
    text: str = ""
    versions: tuple[int, ...] = ()
    portability: str = ""
    parameters: tuple[Parameter, ...] = ()
    example: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as plain data."""
        return asdict(self)


def entries(group: str) -> Iterator[Entry]:
    """Yield the entries of a group, in the order of their names."""
    if group == "recipes":
        yield from _recipes()
    elif group == "records":
        yield _recipe_record()
        yield from (_record(name, model) for name, model in RECORDS.items())
    elif group == "distributions":
        for name, kind in NUMERIC.items():
            yield Entry(group, name, _first(kind), f"Takes {kind.signature}.", example=ARGUMENTS.get(name, ""))
    elif group == "words":
        others = [name for name in RESERVED if name not in NUMERIC]
        for name in [*others, *(name for name in WORDS if name not in RESERVED)]:
            word = WORDS.get(name, Word("", "Draws a value; see the README.", ""))
            first, _, more = word.gives.partition("\n")
            takes = f"Takes {word.takes}." if word.takes else ""
            yield Entry(group, name, first, "\n\n".join(filter(None, (takes, more))), example=word.example)
    else:
        for cls in registry.newest(group, everywhere=True).values():
            yield _component(group, cls)


def _first(cls: Any) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0].replace("``", "`")


def _component(family: str, cls: Any) -> Entry:
    versions = tuple(c.version for c in registry.installed(family).values() if c.type_name == cls.type_name)
    return Entry(
        family, cls.type_name, _first(cls), _prose(cls), versions, cls.portability,
        tuple(_with_draws(cls.drawn, parameters(cls.model_json_schema()))), _example(family, cls),
    )  # fmt: skip


def _with_draws(drawn: Mapping[str, Any], found: Iterable[Parameter]) -> Iterator[Parameter]:
    """Yield parameters, in place of the default the draw that a component makes by itself."""
    for p in found:
        draw = _flow(drawn[p.name]) if p.name in drawn else ""
        text = draw or p.default
        yield replace(p, default=text if len(text) <= LONGEST_DEFAULT else "drawn", draw=draw)


def _prose(cls: Any) -> str:
    """Return a docstring without its first line and without the sections for programmers."""
    import inspect

    lines = (inspect.getdoc(cls) or "").splitlines()[1:]
    kept: list[str] = []
    skipping = False
    for line, after in zip(lines, [*lines[1:], ""], strict=False):
        if after.startswith("---"):
            skipping = line.strip() not in ("References", "Notes")
        if not skipping:
            kept.append(line)
    return "\n".join(kept).strip().replace("``", "`")


def _example(family: str, cls: Any) -> str:
    tree = {
        key: _shown(value) for key, value in dict(next(iter(getattr(cls, "examples", ())), {})).items() if key != "seed"
    }
    plain = {"type": cls.type_name, **tree}
    where = {"synths": "source", "noises": "noise", "rooms": "room", "effects": "effects", "exporters": "export"}[
        family
    ]
    if family == "noises":
        plain["level_dbfs"] = -45
    flow = f"{{{', '.join(f'{key}: {_flow(value)}' for key, value in plain.items())}}}"
    return f"{where}: [{flow}]" if family in ("effects", "exporters") else f"{where}: {flow}"


def _shown(value: Any) -> Any:
    """Return an example's value as a recipe has it: recordings are picked."""
    if isinstance(value, Mapping) and "sha256" in value:
        return {"pick": {"from": "mine"}}
    return [_shown(item) for item in value] if isinstance(value, list | tuple) else value


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(item) for item in value)}]"
    return strictyaml.dump({"x": value}).strip().removeprefix("x: ")


def _record(name: str, model: Any) -> Entry:
    schema = model.model_json_schema()
    found = list(parameters(schema))
    if name == "event":
        found += [p for p in parameters(Level.model_json_schema()) if p.name in LEVEL_KEYS]
    text = PARTS[name].gives or _attributes(model)
    return Entry(
        "records", name, PARTS[name].takes or _first(model), text, parameters=tuple(found), example=PARTS[name].example
    )


def _attributes(model: Any) -> str:
    """Return what a docstring says of its attributes."""
    import inspect

    _, _, attributes = (inspect.getdoc(model) or "").partition("Attributes\n----------\n")
    return attributes.partition("\nExamples\n")[0].strip().replace("``", "`")


def _recipe_record() -> Entry:
    found = []
    for p in parameters(recipe_schema()):
        kind, said = TOP.get(p.name, (p.type, p.description))
        default = "required" if p.name == "duration" else p.default
        found.append(replace(p, type=kind, description=said, default=default))
    example = PARTS["recipe"].example
    return Entry("records", "recipe", "The top level of a recipe.", parameters=tuple(found), example=example)


def _recipes() -> Iterator[Entry]:
    from audiosynth.files.shipped import shipped_recipe, shipped_recipes

    for name in shipped_recipes():
        tree = strictyaml.load_file(shipped_recipe(name)).tree
        needs = ", ".join(tree.get("data", {}))
        more = (
            f" Needs --data {', '.join(f'{root}=DIR' for root in tree['data'])}." if needs else " Needs no recordings."
        )
        yield Entry("recipes", name, f"{tree.get('description', '')}{more}", example=f"audiosynth build {name}")


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
