"""Which recordings are meant by a hash or a speaker, and what draws must still know of them once they are gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audiosynth.clip import Recording
from audiosynth.errors import UsageError, did_you_mean
from audiosynth.language.draws import Pick
from audiosynth.language.nodes import Const, MapNode, Node
from audiosynth.language.talks import Turns
from audiosynth.material.withdrawn import Gone
from audiosynth.records.loaded import Recipe

SHORTEST: Final = 8
"""Digits of a SHA-256 that name a recording."""


def chosen(recipe: Recipe, assets: Sequence[str], speakers: Sequence[str]) -> tuple[tuple[Gone, ...], tuple[str, ...]]:
    """Return the recordings meant, in every catalogue that has them, and their paths.

    Raises
    ------
    UsageError
        If there are none, or a hash is too short or of several.
    """
    everything = [r for catalogue in recipe.catalogues.values() for r in catalogue.recordings]
    hashes: set[str] = set()
    for text in assets:
        hashes.update(_by_hash(text, everything, recipe))
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
                paths[f"{member.data}:{member.path}"] = None
    return tuple(gone), tuple(paths)


def _by_hash(text: str, everything: list[Recording], recipe: Recipe) -> set[str]:
    wanted = text.lower()
    if len(wanted) < SHORTEST:
        raise UsageError(
            f"--asset {text}: expected a SHA-256, or its first {SHORTEST} digits at least (`audiosynth assets` lists them)"
        )
    found = {r.sha256 for r in everything if r.sha256.startswith(wanted)}
    already = any(item.sha256.startswith(wanted) for item in recipe.withdrawn.recordings)
    if not found and not already:
        raise UsageError(
            f"--asset {text}: the recipe's catalogues have no such recording (`audiosynth assets` lists them)"
        )
    if len(found) > 1:
        raise UsageError(f"--asset {text}: several recordings begin so; give more digits")
    return found


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
