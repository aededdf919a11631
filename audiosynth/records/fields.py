"""Fields that hold components, and the base of the records that travel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from audiosynth import registry
from audiosynth.errors import AudiosynthError, PluginError
from audiosynth.language.nodes import ConstMap
from audiosynth.registry import Component


class Family:
    """Marks a field as a component of a family (for the static checks and the JSON Schema)."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """Mark the place; `audiosynth.loading.schema` puts the family's components there."""
        return {"x-family": self.name}

    def build(self, value: Any) -> Component:
        """Return the component for a map with `type`; constant maps are built once."""
        if isinstance(value, Component):
            return value
        if not isinstance(value, dict):
            raise ValueError(f"expected a map with `type:`, got {value!r}")
        try:
            return built_once(self.name, value)
        except PluginError as error:
            raise PydanticCustomError(registry.NO_PLUGIN, "{text}", {"text": str(error)}) from None
        except AudiosynthError as error:
            raise ValueError(str(error)) from None


def built_once(family: str, tree: Mapping[str, Any]) -> Component:
    """Return the component for a map with `type`; of a map without draws always the same one.

    Raises
    ------
    UsageError, pydantic.ValidationError
        As `registry.create`.
    """
    if not isinstance(tree, ConstMap):
        return registry.create(family, tree)
    if family not in tree.built:
        tree.built[family] = registry.create(family, tree)
    built: Component = tree.built[family]
    return built


_SYNTHS, _NOISES, _ROOMS, _EFFECTS = Family("synths"), Family("noises"), Family("rooms"), Family("effects")
_DUMP = PlainSerializer(registry.dump)
Synth = Annotated[Component, PlainValidator(_SYNTHS.build), _DUMP, _SYNTHS]
Noise = Annotated[Component, PlainValidator(_NOISES.build), _DUMP, _NOISES]
Room = Annotated[Component, PlainValidator(_ROOMS.build), _DUMP, _ROOMS]
Effect = Annotated[Component, PlainValidator(_EFFECTS.build), _DUMP, _EFFECTS]


class Strict(BaseModel):
    """Base of all records here: frozen, strict, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
