"""What a build is asked to make: the clips of a recipe here; `audiosynth.vary` asks for those of a manifest, changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from audiosynth.building.state import state_of
from audiosynth.clip import Recording
from audiosynth.material.assets import AssetStore
from audiosynth.plan import plan_clip
from audiosynth.records.loaded import Recipe
from audiosynth.spec import ClipSpec, Decisions

Used = tuple[str, str, str]
"""A recording that went in: data root, path, sha256."""


@dataclass(frozen=True)
class Job:
    """One clip to be rendered.

    Attributes
    ----------
    spec
        What it is.
    recipe_sha256
        Of the recipe it goes back to; empty where that is not known.
    decisions, kept
        As `audiosynth.render` takes them.
    extra
        What its row says beyond that of a clip that was planned.
    """

    spec: ClipSpec
    recipe_sha256: str
    decisions: Decisions | None = None
    kept: Decisions | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Order(Protocol):
    """A set to be built; handed to every worker process."""

    @property
    def name(self) -> str:
        """Return the dataset's name."""
        ...

    @property
    def clips(self) -> Mapping[str, int]:
        """Return the number of clips per split, in the order of the manifest."""
        ...

    @property
    def roots(self) -> Mapping[str, Path]:
        """Return the folder of each data root."""
        ...

    @property
    def exports(self) -> Sequence[Mapping[str, Any]]:
        """Return the exporters' trees."""
        ...

    @property
    def supervision(self) -> Mapping[str, str]:
        """Return which splits are weakly labeled or not at all."""
        ...

    def job(self, split: str, number: int) -> Job:
        """Return clip `number` of a split: a pure function of the order."""
        ...

    def state(self) -> dict[str, Any]:
        """Return everything that decides the bytes of the build."""
        ...

    def head(self) -> dict[str, Any]:
        """Return what `dataset.json` says first."""
        ...

    def texts(self) -> Mapping[str, str]:
        """Return the files that stand beside the manifest, by name."""
        ...

    def assets(self, used: Collection[Used]) -> list[dict[str, Any]]:
        """Return the rows of `assets.jsonl` for the recordings that were used, each content once."""
        ...


@dataclass(frozen=True)
class RecipeOrder:
    """The clips of a recipe."""

    recipe: Recipe

    @property
    def name(self) -> str:
        """Return the recipe's name."""
        return self.recipe.name

    @property
    def clips(self) -> Mapping[str, int]:
        """Return the number of clips per split."""
        return self.recipe.clips

    @property
    def roots(self) -> Mapping[str, Path]:
        """Return the folder of each data root."""
        return self.recipe.roots

    @property
    def exports(self) -> Sequence[Mapping[str, Any]]:
        """Return the exporters' trees."""
        return self.recipe.exports

    @property
    def supervision(self) -> Mapping[str, str]:
        """Return which splits are weakly labeled or not at all."""
        return self.recipe.supervision

    def job(self, split: str, number: int) -> Job:
        """Plan a clip."""
        return Job(plan_clip(self.recipe, split, number), self.recipe.sha256)

    def state(self) -> dict[str, Any]:
        """Return everything that decides the bytes of the build."""
        return state_of(self.recipe)

    def head(self) -> dict[str, Any]:
        """Return what `dataset.json` says first."""
        recipe = self.recipe
        return {
            "name": recipe.name,
            "description": recipe.description,
            "sr": recipe.sr,
            "channels": recipe.channels,
            "output": recipe.output.model_dump(mode="json"),
        }

    def texts(self) -> Mapping[str, str]:
        """Return the recipe with everything merged in."""
        return {"recipe.yaml": self.recipe.text}

    def assets(self, used: Collection[Used]) -> list[dict[str, Any]]:
        """Return a row for every recording used, with all that its catalogue knows."""
        known = {
            (r.data, r.path, r.sha256): r
            for _, catalogue in sorted(self.recipe.catalogues.items())
            for r in catalogue.recordings
        }
        found: dict[str, Recording] = {}
        for key in by_place(used):
            found.setdefault(key[2], known[key])
        return AssetStore(self.recipe.roots).rows(found.values())


def by_place(used: Collection[Used]) -> list[Used]:
    """Return recordings in the order of data roots and paths."""
    return sorted(used, key=lambda key: (key[0], key[1].encode()))
