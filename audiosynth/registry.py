"""Components: what one is, and how a family (synths, noises, rooms, effects, exporters) finds its own.

Adding a component is adding one file to its family's folder: the registry imports every module there and
collects the `Component` classes it defines. Versions live side by side (``chirp.py``, ``chirp_v1.py``). Other installed
packages bring theirs by entry points (`audiosynth.plugins`); their names have the package's in front: ``hornworks:buzzer@1``.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, ClassVar, Final, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from audiosynth import plugins
from audiosynth.errors import PluginError, UsageError, did_you_mean

FAMILIES: Final = ("synths", "noises", "rooms", "effects", "exporters")
NO_PLUGIN: Final = "no_plugin"
"""Kind of pydantic's error where a component of another package is not here."""


class Component(BaseModel):
    """Frozen, strict parameters of one component; subclasses add the few methods their family asks for.

    Attributes
    ----------
    type_name
        Name in recipes (``type: chirp``).
    version
        Goes up whenever a change alters sound; the old class stays, under its old number.
    portability
        ``portable``: same 16-bit samples on any machine. ``pinned``: needs the library named by `needs`.
    drawn
        Draws, as a recipe writes them, for parameters that a recipe leaves out: no two sounds of nature are alike. (In
        Python the fields' plain defaults hold.)
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    type_name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    portability: ClassVar[str] = "portable"
    drawn: ClassVar[Mapping[str, Any]] = {}

    def needs(self) -> tuple[str, ...]:
        """Return what a pinned component needs to give its bits again, as ``library==version``."""
        return ()


def pinned_name(component: Component) -> str:
    """Return the name a spec pins, such as ``chirp@2``."""
    return pinned_name_of(type(component))


@lru_cache(maxsize=4096)
def pinned_name_of(kind: type[Component]) -> str:
    """Return the name of `pinned_name` for the components of a class."""
    return f"{kind.type_name}@{kind.version}"


@cache
def components(family: str) -> Mapping[str, type[Component]]:
    """Return every component of a family by its pinned name (``chirp@1``), sorted.

    Raises
    ------
    UsageError
        If there is no such family.
    """
    if family not in FAMILIES:
        raise UsageError(f"no family {family!r}; there are {', '.join(FAMILIES)}")
    package = importlib.import_module(f"audiosynth.{family}")
    found: dict[str, type[Component]] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda item: item.name):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if issubclass(cls, Component) and cls.__module__ == module.__name__ and cls.type_name:
                found[f"{cls.type_name}@{cls.version}"] = cls
    return dict(sorted(found.items()))


@cache
def installed(family: str) -> Mapping[str, type[Component]]:
    """Return `components`, and after them those of other installed packages that can be loaded."""
    found = dict(components(family))
    for name in dict.fromkeys(offer.name for offer in plugins.offers() if offer.family == family):
        try:
            found.update(_adopted(family, name))
        except PluginError:  # told to whoever uses it
            continue
    return found


def faults(family: str) -> list[str]:
    """Return what is wrong with what other packages offer for a family, and so left out of `installed`."""
    found = []
    for name in dict.fromkeys(offer.name for offer in plugins.offers() if offer.family == family):
        try:
            _adopted(family, name)
        except PluginError as error:
            found.append(str(error))
    return found


@cache
def _adopted(family: str, name: str) -> Mapping[str, type[Component]]:
    """Return the versions of another package's component by their pinned names."""
    found = [_adopt(offer, offer.load()) for offer in plugins.offered(family, name)]
    return {f"{cls.type_name}@{cls.version}": cls for cls in sorted(found, key=lambda cls: cls.version)}


def _adopt(offer: plugins.Offer, cls: Any) -> type[Component]:
    """Return another package's class under the name that has the package in it; its rows need that version of the package."""
    if not (inspect.isclass(cls) and issubclass(cls, Component) and cls.type_name == offer.kind):
        raise PluginError(
            f"'{offer.name}': the entry point '{offer.point.name}' of {offer.pin} should name a Component class whose "
            f"type_name is '{offer.kind}', got {_short(cls)}; upgrade or uninstall that package"
        )

    def needs(self: Component) -> tuple[str, ...]:
        return (*cls.needs(self), offer.pin)

    def __reduce__(self: Component) -> tuple[Any, ...]:  # noqa: N807 - no module has this class by name
        return create, (offer.family, dump(self))

    body = {
        "type_name": offer.name,
        "needs": needs,
        "__reduce__": __reduce__,
        "__doc__": cls.__doc__ or f"A {offer.kind}.",
    }
    return type(cls.__name__, (cls,), {**body, "__module__": cls.__module__, "__qualname__": cls.__qualname__})


@cache
def newest(family: str, *, everywhere: bool = False) -> Mapping[str, type[Component]]:
    """Return the newest version of every component of a family by its plain name; `everywhere`: with those of other packages."""
    latest: dict[str, type[Component]] = {}
    for cls in (installed if everywhere else components)(family).values():
        if cls.type_name not in latest or latest[cls.type_name].version < cls.version:
            latest[cls.type_name] = cls
    return latest


@lru_cache(maxsize=4096)
def known(family: str, name: str) -> type[Component] | None:
    """Return what `lookup` does, or None where there is nothing of that name."""
    try:
        return lookup(family, name)
    except UsageError:
        return None


@lru_cache(maxsize=4096)
def lookup(family: str, name: str) -> type[Component]:
    """Return the component class for ``chirp`` (the newest) or ``chirp@1`` (that version), ``package:type`` of another package.

    Raises
    ------
    UsageError
        If the family has no such component or version.
    """
    plain, at, _ = name.partition("@")
    foreign = ":" in plain
    versions = _adopted(family, plain) if foreign else components(family)
    here = {plain: list(versions.values())[-1]} if foreign else newest(family)
    cls = (versions if at else here).get(name)
    if cls is not None:
        return cls
    if plain in here:
        raise UsageError(
            f"'{name}' is no version of the {family[:-1]} '{plain}' that is here (newest: {plain}@{here[plain].version}); "
            f"install a newer {plain.partition(':')[0] if foreign else 'audiosynth'}"
        )
    hint = did_you_mean(plain, here)
    raise UsageError(f"no {family[:-1]} called '{name}'{hint or '; there are ' + ', '.join(here)}")


@lru_cache(maxsize=4096)
def offers(kind: type, name: str) -> bool:
    """Return whether a class has a method or property that not every component has.

    On an instance, pydantic's models look for what they lack in many places: 3 µs, at several times for each event.

    Examples
    --------
    >>> offers(lookup("rooms", "shoebox"), "place"), offers(lookup("rooms", "none"), "place")
    (True, False)
    """
    return hasattr(kind, name)


def can(component: object, name: str) -> bool:
    """Return whether a component, or None, has a method or property that not every component has; see `offers`."""
    return offers(type(component), name)  # type: ignore[arg-type]  # classes can be hashed


def takes(component: Component, name: str) -> bool:
    """Return whether a component has a parameter of this name.

    Examples
    --------
    >>> takes(create("rooms", {"type": "none"}), "recording")
    False
    """
    return name in _parameters(type(component))


@lru_cache(maxsize=4096)
def _parameters(kind: type[Component]) -> frozenset[str]:
    return frozenset(kind.model_fields)  # which pydantic hands out by way of three calls


@lru_cache(maxsize=4096)
def holding(kind: type[Component], *wanted: type) -> tuple[str, ...]:
    """Return the fields of a component in which values of some types can stand, alone or in a tuple, by their annotations.

    Examples
    --------
    >>> holding(lookup("rooms", "measured"), int), holding(lookup("rooms", "none"), int)
    (('channel', 'measurement'), ())
    """
    names = []
    for name, field in kind.model_fields.items():
        types = [field.annotation]
        for one in types:
            types += get_args(one)
        if any(one is Any or (isinstance(one, type) and issubclass(one, wanted)) for one in types):
            names.append(name)
    return tuple(names)


def create(family: str, tree: Mapping[str, Any]) -> Component:
    """Build a component from ``{"type": name, **parameters}`` without changing the argument.

    Raises
    ------
    UsageError
        If ``type`` is missing or unknown.
    pydantic.ValidationError
        If a parameter is unknown, of the wrong type or out of range.
    """
    name = tree.get("type")
    if not isinstance(name, str):
        raise UsageError(f"a {family[:-1]} needs a `type`; there are {', '.join(newest(family))}")
    parameters = {key: value for key, value in tree.items() if key != "type"}
    made: Component = lookup(family, name).__pydantic_validator__.validate_python(
        parameters
    )  # all `model_validate` does
    return made


def dump(component: Component) -> dict[str, Any]:
    """Return the JSON tree of a component with its pinned type and all defaults written out."""
    return {"type": pinned_name(component), **component.__pydantic_serializer__.to_python(component, mode="json")}


def explain(error: ValidationError, owner: str) -> list[tuple[tuple[str | int, ...], str]]:
    """Turn pydantic's errors into ``(location, message)`` pairs in the words of this project."""
    lines: list[tuple[tuple[str | int, ...], str]] = []
    for item in error.errors(include_url=False):
        loc = tuple(item["loc"])
        if item["type"] == "extra_forbidden":
            message = f"'{owner}' has no such parameter"
        elif item["type"] == "missing":
            message = f"'{owner}' needs this parameter"
        elif item["type"] == NO_PLUGIN:
            message = str(item["msg"])
        elif item["type"] == "value_error":  # our own words, which say what came
            message = str(item["msg"]).removeprefix("Value error, ")
        else:
            message = f"{item['msg'][0].lower()}{item['msg'][1:]}, got {_short(item['input'])}"
        lines.append((loc, message))
    return lines


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
