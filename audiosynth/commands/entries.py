"""What there is to put into a recipe, read off the classes themselves: components, records, distributions, words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Final

from audiosynth import registry
from audiosynth.commands.parameters import Parameter, parameters
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
LONGEST_DEFAULT: Final = 48
"""Characters of a draw that still fit into a table."""


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


def entries(group: str, *, name: str | None = None) -> Iterator[Entry]:
    """Yield the entries of a group in the order of their names, or only those of one name; the others are not read."""
    for found, entry in _offers(group):
        if name in (None, found):
            yield entry()


def summaries(group: str) -> Iterator[Entry]:
    """Yield the entries of a group without parameters, text and example, of which reading takes a second for all groups."""
    if group in FAMILIES:
        yield from (_outline(group, cls) for cls in registry.newest(group, everywhere=True).values())
    else:
        yield from entries(group)


def _offers(group: str) -> Iterator[tuple[str, Callable[[], Entry]]]:
    """Yield each name of a group with what reads its entry."""
    if group == "recipes":
        from audiosynth.files.shipped import shipped_recipes

        yield from ((name, partial(_recipe, name)) for name in shipped_recipes())
    elif group == "records":
        yield "recipe", _recipe_record
        yield from ((name, partial(_record, name, model)) for name, model in RECORDS.items())
    elif group == "distributions":
        yield from ((name, partial(_distribution, name, kind)) for name, kind in NUMERIC.items())
    elif group == "words":
        others = [name for name in RESERVED if name not in NUMERIC]
        names = [*others, *(name for name in WORDS if name not in RESERVED)]
        yield from ((name, partial(_word, name)) for name in names)
    else:
        found = registry.newest(group, everywhere=True)
        yield from ((name, partial(_component, group, cls)) for name, cls in found.items())


def _distribution(name: str, kind: Any) -> Entry:
    return Entry("distributions", name, _first(kind), f"Takes {kind.signature}.", example=ARGUMENTS.get(name, ""))


def _word(name: str) -> Entry:
    word = WORDS.get(name, Word("", "Draws a value; see the README.", ""))
    first, _, more = word.gives.partition("\n")
    takes = f"Takes {word.takes}." if word.takes else ""
    return Entry("words", name, first, "\n\n".join(filter(None, (takes, more))), example=word.example)


def _first(cls: Any) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0].replace("``", "`")


def _outline(family: str, cls: Any) -> Entry:
    versions = tuple(c.version for c in registry.installed(family).values() if c.type_name == cls.type_name)
    return Entry(family, cls.type_name, _first(cls), versions=versions, portability=cls.portability)


def _component(family: str, cls: Any) -> Entry:
    found = tuple(_with_draws(cls.drawn, parameters(cls.model_json_schema())))
    return replace(_outline(family, cls), text=_prose(cls), parameters=found, example=_example(family, cls))


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


def _recipe(name: str) -> Entry:
    from audiosynth.files.shipped import shipped_recipe

    tree = strictyaml.load_file(shipped_recipe(name)).tree
    needs = ", ".join(f"--data {root}=DIR" for root in tree.get("data", {}))
    more = f" Needs {needs}." if needs else " Needs no recordings."
    return Entry("recipes", name, f"{tree.get('description', '')}{more}", example=f"audiosynth build {name}")
