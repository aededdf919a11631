"""What a loaded recipe is: the compiled scene, its recordings by split, and what is built from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from audiosynth.clip import Member, Recording, Withheld
from audiosynth.errors import PlanError, UsageError, WithdrawnError
from audiosynth.kept import Kept
from audiosynth.language.nodes import Node
from audiosynth.material.catalogue import Catalogue
from audiosynth.material.licences import Declared
from audiosynth.material.withdrawn import Withdrawn
from audiosynth.records.output import Output, Packing

MAX_POOLS = 4096
"""Most answers to `where` that are kept; a drawn number in it asks anew for every clip."""


@dataclass(frozen=True)
class Each:
    """One clip per recording of a catalogue and replica."""

    catalogue: str
    name: str
    replicas: int


@dataclass(frozen=True)
class Recipe:
    """A recipe, checked and compiled.

    Attributes
    ----------
    name, description, seed, sr, channels
        As written; rate in Hz.
    clips
        Number of clips per split, in the order of the recipe.
    scene, lets
        Compiled nodes: the scene, and the clip-level names.
    catalogues
        The scanned catalogues by name.
    members
        Recordings of each (catalogue, split), and rows of each (table, split), in order.
    output, exports, supervision
        What is written.
    packing
        How the files of the set are packed.
    each
        Set where clips go through a catalogue.
    tree
        The merged recipe as plain data; its hash is the recipe's identity.
    roots
        Folder of each data root.
    text, warnings
        The merged recipe as YAML; what is allowed but hardly meant, with its place.
    licence
        What it declares of the set's licence and use; None: nothing.
    withdrawn
        Recordings that must not be used any more.
    """

    name: str
    seed: int
    sr: int
    channels: int
    clips: Mapping[str, int]
    scene: Node
    lets: Mapping[str, Node]
    output: Output
    tree: Mapping[str, Any]
    packing: Packing = field(default_factory=Packing)
    description: str = ""
    reference_channel: int = 0
    calibration_db: float | None = None
    catalogues: Mapping[str, Catalogue] = field(default_factory=dict)
    members: Mapping[tuple[str, str], tuple[Member, ...]] = field(default_factory=dict)
    exports: tuple[Mapping[str, Any], ...] = ()
    supervision: Mapping[str, str] = field(default_factory=dict)
    each: Each | None = None
    roots: Mapping[str, Path] = field(default_factory=dict)
    text: str = ""
    warnings: tuple[str, ...] = ()
    licence: Declared | None = None
    withdrawn: Withdrawn = field(default_factory=Withdrawn)
    _pools: Kept[Sequence[Member]] = field(default_factory=lambda: Kept(MAX_POOLS), repr=False, compare=False)

    @cached_property
    def sha256(self) -> str:
        """Return the hash of the merged recipe (with every `--set` in it)."""
        return hashlib.sha256(json.dumps(self.tree, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def fingerprints(self) -> dict[str, str]:
        """Return the content hash of every catalogue."""
        return {name: catalogue.fingerprint for name, catalogue in self.catalogues.items()}

    def pool(self, catalogue: str, split: str, where: Mapping[str, Any], unless: Mapping[str, Any]) -> Sequence[Member]:
        """Return the recordings of a catalogue (rows of a table) of `split` that fit `where` (a value or list per field), and
        none of `unless`.
        """  # noqa: D205
        if not where and not unless:  # as most ask: nothing to write out
            return self._pool((catalogue, split, (), ()), where, unless)
        conditions = (tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in c.items()) for c in (where, unless))
        return self._pool((catalogue, split, *conditions), where, unless)

    def _pool(self, key: tuple[Any, ...], where: Mapping[str, Any], unless: Mapping[str, Any]) -> Sequence[Member]:
        found = self._pools.get(key)
        if found is None:
            members = self.members.get((key[0], key[1]), ())
            found = tuple(
                r for r in members if _fits(r, where) and not any(_fits(r, {k: v}) for k, v in unless.items())
            )
            self._pools.put(key, found)
        return found

    def utterance(self, split: str, ordinal: int) -> Recording:
        """Return the recording of an `each` clip."""
        if self.each is None:
            raise UsageError("this recipe does not go through a catalogue")
        found = self.members[self.each.catalogue, split][ordinal // self.each.replicas]
        if isinstance(found, Withheld):
            raise WithdrawnError(f"clip {split}/{ordinal}: its utterance was withdrawn")
        if not isinstance(found, Recording):
            raise UsageError(f"clips: each goes through a catalogue, not through '{self.each.catalogue}'")
        return found

    def origin(self, split: str, ordinal: int) -> dict[str, Any]:
        """Return what the row of an `each` clip says of where it comes from: the utterance's id, and which replica it is.

        Recordings without an id are called by their file's name, or by its path where names are not unique.
        """
        if self.each is None:
            return {}
        name = self.utterance_id(self.utterance(split, ordinal))
        return {"augmented_from": name, "replica": ordinal % self.each.replicas + 1}

    def utterance_id(self, recording: Recording) -> str:
        """Return what a recording of the catalogue that clips go through is called."""
        given = recording.meta.get("id")
        if given:
            return str(given)
        if self._names_apart:
            return _stem(recording.path)
        return PurePosixPath(recording.path).with_suffix("").as_posix().replace("/", "-")

    @cached_property
    def _names_apart(self) -> bool:
        recordings = self.catalogues[self.each.catalogue].recordings if self.each is not None else ()
        return len({_stem(r.path) for r in recordings}) == len(recordings)

    def require_clip(self, split: str, ordinal: int) -> None:
        """Raise `PlanError` unless the recipe has this clip."""
        if split not in self.clips:
            raise PlanError(f"no split is called '{split}'; there are {', '.join(self.clips)}")
        if not 0 <= ordinal < self.clips[split]:
            raise PlanError(f"split '{split}' has clips 0 to {self.clips[split] - 1}, not {ordinal}")


def _stem(path: str) -> str:
    """Return `PurePosixPath(path).stem` of a file's path, which is asked for every clip, without making one."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    return name[:dot] if 0 < dot < len(name) - 1 else name


def _fits(recording: Member, where: Mapping[str, Any]) -> bool:
    for key, wanted in where.items():
        value = recording.meta.get(key)
        if value not in wanted if isinstance(wanted, list) else value != wanted:
            return False
    return True
