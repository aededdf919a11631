"""Recordings that were withdrawn from a set: never used again, yet their places in the draws stay, so that no other clip changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audiosynth.clip import Member, Withheld
from audiosynth.errors import AssetError
from audiosynth.files.paths import read_bytes
from audiosynth.material.catalogue import Catalogue, fingerprint

NAME: Final = "withdrawn.json"
"""The list's file; one beside a recipe is always obeyed."""


class Gone(BaseModel):
    """One recording that was withdrawn: where it stood, by its hash, and no more of it than draws ask for.

    Attributes
    ----------
    catalogue, place
        Which catalogue, and its number there.
    sha256
        Of the file's bytes; all parts of a file go together.
    splits
        Those it was in.
    fields
        What conditions of the recipe (`where`, `unless`) look at.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    catalogue: str
    place: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    splits: tuple[str, ...] = Field((), strict=False)
    fields: dict[str, Any] = {}


class Withdrawn(BaseModel):
    """What was withdrawn from a set; the content of ``withdrawn.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal[1] = 1
    recordings: tuple[Gone, ...] = Field((), strict=False)

    def with_more(self, more: Sequence[Gone]) -> Withdrawn:
        """Return the list with more on it, each once, in order of catalogues and places."""
        found = {(gone.catalogue, gone.place): gone for gone in (*self.recordings, *more)}
        return Withdrawn(recordings=tuple(found[key] for key in sorted(found)))

    @property
    def text(self) -> str:
        """Return the file's text."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def read_withdrawn(folder: Path) -> Withdrawn:
    """Return the list beside a recipe; an empty one if there is none.

    Raises
    ------
    AssetError
        If it is not such a list.
    """
    path = folder / NAME
    if not path.is_file():
        return Withdrawn()
    try:
        return Withdrawn.model_validate(json.loads(read_bytes(path)))
    except (ValueError, RecursionError, ValidationError) as error:
        why = " ".join(str(error).split())[:200]
        raise AssetError(
            f"{path}: is not what `audiosynth withdraw` writes ({why}); bring back the file that was written"
        ) from None


def withhold(found: Catalogue, withdrawn: Withdrawn) -> Catalogue:
    """Return a catalogue without the recordings that were withdrawn, whether their files are still there or not."""
    gone = [item for item in withdrawn.recordings if item.catalogue == found.name]
    if not gone:
        return found
    hashes = {item.sha256 for item in gone}
    kept = [(r, p) for r, p in zip(found.recordings, found.places, strict=True) if r.sha256 not in hashes]
    line: list[Member] = [recording for recording, _ in kept]
    for item in sorted(gone, key=lambda item: item.place):
        line.insert(item.place, Withheld(item.sha256, item.fields, item.splits))
    return replace(
        found, recordings=tuple(r for r, _ in kept), places=tuple(p for _, p in kept), line=tuple(line),
        fingerprint=fingerprint(line),
    )  # fmt: skip
