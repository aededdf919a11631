"""What decides the bytes of a build, and what changed when two builds differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from audiosynth.clip import Recording
from audiosynth.plugins import versions
from audiosynth.records.loaded import Recipe
from audiosynth.spec import ENGINE, FORMAT
from audiosynth.versions import libraries, version

IDENTITIES: Final = ("recipe_sha256", "parent_sha256", "jams_sha256")
"""What a state is of: a recipe, a manifest, or files of scaper."""


def state_of(recipe: Recipe) -> dict[str, Any]:
    """Return everything that decides the bytes of a build."""
    others = versions([recipe.tree, recipe.exports])
    return {
        "recipe_sha256": recipe.sha256,
        "seed": recipe.seed,
        "clips": dict(recipe.clips),
        "audiosynth": version(),
        "format": FORMAT,
        "engine": ENGINE,
        "catalogues": recipe.fingerprints(),
        "members": _members(recipe),
        "libraries": libraries(),
        **({"plugins": others} if others else {}),
        **({"withdrawn": _digest(recipe.withdrawn.text)} if recipe.withdrawn.recordings else {}),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _members(recipe: Recipe) -> str:
    """Return the hash of which recording is in which split: a file may freeze that (`splits.file`)."""
    rows = [
        [name, split, [r.path if isinstance(r, Recording) else f"{r.path} {r.sha256}" for r in found]]
        for (name, split), found in sorted(recipe.members.items())
    ]
    return _digest(json.dumps(rows, ensure_ascii=False))


_WORDS: Final = {
    "members": "which recordings or voices are in which split",
    "recipe_sha256": "the recipe",
    "parent_sha256": "the manifest",
    "jams_sha256": "the JAMS files",
    "shard": "the shard",
    "set": "what is set",
    "labels": "how the parent is labeled",
    "seed": "the seed",
    "clips": "the number of clips",
    "audiosynth": "the version of audiosynth",
    "format": "the manifest format",
    "engine": "the engine",
    "libraries": "the libraries",
    "withdrawn": "which recordings were withdrawn",
}


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return what differs between two states, in words."""
    found = []
    for key in dict.fromkeys((*new, *old)):
        value, before = new.get(key), old.get(key)
        if before == value:
            continue
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            names = [name for name in sorted({*value, *before}) if value.get(name) != before.get(name)]
            word = {"catalogues": "catalogue", "clips": "clips of", "libraries": "library", "plugins": "plugin"}.get(
                key, key
            )
            found += [f"{word} {name} ({_short(before.get(name))} → {_short(value.get(name))})" for name in names]
        else:
            found.append(f"{_WORDS.get(key, key)} ({_short(before)} → {_short(value)})")
    return ", ".join(found)


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 24 else text[:12] + "…"
