"""What a build is asked to make: the clips of a recipe here; `audiosynth.vary` asks for those of a manifest, changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from audiosynth.building.state import state_of
from audiosynth.clip import Recording
from audiosynth.errors import WithdrawnError
from audiosynth.material.assets import AssetStore
from audiosynth.material.withdrawn import NAME
from audiosynth.plan import planned
from audiosynth.records.loaded import Recipe
from audiosynth.records.output import Packing
from audiosynth.spec import ClipSpec, Decisions

ORIGIN: Final = ("augmented_from", "replica")
"""What a row says where clips go through a corpus: the id of its utterance, and the number of the replica, from 1."""
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
    def made_from(self) -> Sequence[Path]:
        """Return the files and folders without which it cannot be made."""
        ...

    @property
    def exports(self) -> Sequence[Mapping[str, Any]]:
        """Return the exporters' trees."""
        ...

    @property
    def supervision(self) -> Mapping[str, str]:
        """Return which splits are weakly labeled or not at all."""
        ...

    @property
    def packing(self) -> Packing:
        """Return how the files of the set are packed."""
        ...

    def job(self, split: str, number: int) -> Job | None:
        """Return clip `number` of a split: a pure function of the order; None if there can be no such clip any more."""
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
    def made_from(self) -> Sequence[Path]:
        """Return the folders of the data roots."""
        return [*self.roots.values()]

    @property
    def exports(self) -> Sequence[Mapping[str, Any]]:
        """Return the exporters' trees."""
        return self.recipe.exports

    @property
    def supervision(self) -> Mapping[str, str]:
        """Return which splits are weakly labeled or not at all."""
        return self.recipe.supervision

    @property
    def packing(self) -> Packing:
        """Return how the files of the set are packed."""
        return self.recipe.packing

    def job(self, split: str, number: int) -> Job | None:
        """Plan a clip; one whose recording was withdrawn and cannot be replaced is left out."""
        try:
            spec, refilled = planned(self.recipe, split, number)
        except WithdrawnError:
            return None
        extra = {**self.recipe.origin(split, number), **({"refilled": True} if refilled else {})}
        return Job(spec, self.recipe.sha256, extra=extra)

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
            "output": {**recipe.output.model_dump(mode="json"), **recipe.packing.told()},
            **({} if recipe.licence is None else {"licence": recipe.licence.model_dump(mode="json")}),
        }

    def texts(self) -> Mapping[str, str]:
        """Return the recipe with everything merged in, and a table of what its catalogues had to leave out."""
        failures = failures_of(self.recipe)
        withdrawn = {NAME: self.recipe.withdrawn.text} if self.recipe.withdrawn.recordings else {}
        return {"recipe.yaml": self.recipe.text, **withdrawn, **({"failures.tsv": failures} if failures else {})}

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


def failures_of(recipe: Recipe) -> str:
    """Return the table of recordings that could not be used: catalogue, place below its data root, why; empty if none."""
    rows = []
    for name, catalogue in sorted(recipe.catalogues.items()):
        for problem in catalogue.problems:
            text = " ".join(problem.split())
            for data, root in recipe.roots.items():
                text = text.replace(f"{root}/", f"{data}:")
            place, _, why = text.partition(": ")
            rows.append(f"{name}\t{place}\t{why}\n")
    return "".join(["catalogue\tplace\tproblem\n", *rows]) if rows else ""


def origin_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row says of the utterance it was made from, for the row of what is made from it."""
    return {key: row[key] for key in ORIGIN if key in row}


def by_place(used: Collection[Used]) -> list[Used]:
    """Return recordings in the order of data roots and paths."""
    return sorted(used, key=lambda key: (key[0], key[1].encode()))


def packing_of(head: Mapping[str, Any]) -> Packing:
    """Return how the set of a `dataset.json` is packed."""
    output = head.get("output")
    told = output if isinstance(output, Mapping) else {}
    return Packing(**{key: told[key] for key in Packing.model_fields if key in told})
