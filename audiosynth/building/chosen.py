"""Which recordings are meant by a hash, a path or a speaker, and what draws must still know of them once they are gone."""

from __future__ import annotations

from collections.abc import Sequence
from string import hexdigits
from typing import Final

from audiosynth.clip import Recording
from audiosynth.errors import UsageError, did_you_mean, few
from audiosynth.language.draws import Pick
from audiosynth.language.nodes import Const, MapNode, Node
from audiosynth.language.talks import Turns
from audiosynth.material.withdrawn import Gone
from audiosynth.records.loaded import Recipe

SHORTEST: Final = 8
"""Digits of a SHA-256 that name a recording."""
LISTED: Final = 5
"""Recordings that a message names one by one."""


def chosen(recipe: Recipe, assets: Sequence[str], speakers: Sequence[str]) -> tuple[tuple[Gone, ...], tuple[str, ...]]:
    """Return the recordings meant, in every catalogue that has them, and their paths.

    Raises
    ------
    UsageError
        If there are none, or a hash is too short, or a hash or a path is of several.
    """
    everything = [r for catalogue in recipe.catalogues.values() for r in catalogue.recordings]
    hashes: set[str] = set()
    for text in assets:
        hashes.update(_named(text, everything, recipe))
    for who in speakers:
        found = {r.sha256 for r in everything if str(r.meta.get("speaker", "")) == who}
        if not found:
            known = sorted({str(r.meta["speaker"]) for r in everything if "speaker" in r.meta})
            raise UsageError(
                f"--speaker {who}: no recording of the recipe's catalogues is of a speaker '{who}'{did_you_mean(who, known)}"
            )
        hashes |= found
    fields = _asked_for(recipe)
    gone: list[Gone] = []
    paths: dict[str, None] = {}
    for name, catalogue in recipe.catalogues.items():
        for place, member in enumerate(catalogue.drawn_from):
            if isinstance(member, Recording) and member.sha256 in hashes:
                splits = tuple(split for split in recipe.clips if member in recipe.members[name, split])
                meta = {key: value for key, value in member.meta.items() if key in fields}
                gone.append(Gone(catalogue=name, place=place, sha256=member.sha256, splits=splits, fields=meta))
                paths[_place(member)] = None
    return tuple(gone), tuple(paths)


def _named(text: str, everything: list[Recording], recipe: Recipe) -> set[str]:
    """Return the hash of the recording that a hash or a path means; none if it was withdrawn before."""
    here = [r for r in everything if text in (_place(r), r.path)]
    if here:
        return _only(text, here, "give its data root too, as DATA:PATH")
    wanted = text.lower()
    if not set(wanted) <= set(hexdigits):
        raise _unknown(text, everything, recipe)
    if len(wanted) < SHORTEST:
        raise UsageError(
            f"--asset {text}: expected a path, a SHA-256, or its first {SHORTEST} digits at least (`audiosynth assets` lists them)"
        )
    found = [r for r in everything if r.sha256.startswith(wanted)]
    if not found and not any(item.sha256.startswith(wanted) for item in recipe.withdrawn.recordings):
        raise _unknown(text, everything, recipe)
    return _only(text, found, "give more digits")


def _only(text: str, found: list[Recording], way: str) -> set[str]:
    """Return the hash of recordings, which must be one: parts of a file have the same, and so have copies."""
    places = {r.sha256: f"{_place(r)} ({r.sha256[: 2 * SHORTEST]})" for r in found}
    if len(places) > 1:
        raise UsageError(
            f"--asset {text}: means {len(places)} recordings: {few(sorted(places.values()), LISTED)}; {way}, or the SHA-256"
        )
    return {*places}


def _unknown(text: str, everything: list[Recording], recipe: Recipe) -> UsageError:
    places = sorted({_place(r) for r in everything})
    name = text.rpartition("/")[2].rpartition(":")[2]
    alike = [place for place in places if place.replace(":", "/").endswith(f"/{name}")]
    near = f"; did you mean {few(alike, LISTED)}?" if alike else did_you_mean(text, places)
    before = "; what was withdrawn before is known by its SHA-256 alone" if recipe.withdrawn.recordings else ""
    return UsageError(
        f"--asset {text}: the recipe's catalogues have no such recording{near}{before}; expected a path as rows have it (DATA:PATH, or PATH "
        f"below its data root), a SHA-256, or its first {SHORTEST} digits at least; `audiosynth assets DIR` lists those of a set"
    )


def _place(recording: Recording) -> str:
    """Return where a recording is, as rows and `audiosynth assets` have it."""
    return f"{recording.data}:{recording.path}"


def _asked_for(recipe: Recipe) -> set[str]:
    """Return the fields that picks and conversations look at: those of conditions, and what tells speakers apart."""
    fields: set[str] = set()
    todo: list[Node] = [*recipe.lets.values(), recipe.scene]
    seen: set[int] = set()
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        todo += node.children()
        fields.update([node.by] if isinstance(node, Turns) else ())
        for condition in (node.where, node.unless) if isinstance(node, Pick | Turns) else ():
            if isinstance(condition, MapNode):
                fields |= condition.items.keys()
            elif isinstance(condition, Const):
                fields |= condition.value.keys()
    return fields
