"""Which recordings, speakers, voices and rooms are heard in which split: what must be in one split only, and whether it is."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from audiosynth.files import strictyaml

KINDS: Final = ("recording", "speaker", "voice", "room")
_PLACES: Final = frozenset({"receiver", "source", "position", "within", "seed", "let"})
"""Keys of a room that say where in it one stands, not which it is."""


@dataclass
class Leakage:
    """What the rows it was given use, by kind and split.

    Attributes
    ----------
    seen
        Kind → what → split → clips.
    """

    seen: dict[str, dict[str, Counter[str]]] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row of a manifest."""
        for kind, what in sorted(set(used_by(row["spec"]))):
            self.seen[kind].setdefault(what, Counter())[str(row["split"])] += 1

    def shared(self, kind: str) -> dict[str, Counter[str]]:
        """Return what of a kind is in more than one split, with the clips of each."""
        return {what: splits for what, splits in sorted(self.seen[kind].items()) if len(splits) > 1}

    def counts(self, kind: str) -> Counter[str]:
        """Return how many different ones of a kind each split has."""
        return Counter(split for splits in self.seen[kind].values() for split in splits)


def used_by(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (kind, what) for everything in a spec that splits may have to keep apart, repeats included.

    Recordings are called ``data:path``; speakers by the `speaker` of their catalogue; voices of synthesizers by engine and
    name (in a cast), or engine and variant, which are one person each; rooms by their recording, or type and a hash of
    walls and sizes.
    """
    for event in spec.get("events", ()):
        if event.get("room") is not None:
            yield "room", _room(event["room"])
    if spec.get("room") is not None:
        yield "room", _room(spec["room"])
    yield from _inside(spec)


def _inside(tree: Any) -> Iterator[tuple[str, str]]:
    if isinstance(tree, Mapping):
        if {"data", "path", "sha256", "n_samples"} <= tree.keys():
            yield "recording", f"{tree['data']}:{tree['path']}"
            speaker = (tree.get("meta") or {}).get("speaker")
            if speaker not in (None, ""):
                yield "speaker", str(speaker)
            return
        if isinstance(tree.get("voice"), Mapping):
            yield "voice", _voice(tree["voice"])
        for value in tree.values():
            yield from _inside(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _inside(value)


def _voice(voice: Mapping[str, Any]) -> str:
    engine = voice.get("engine", "espeak")
    if engine != "espeak":  # recorded and trained voices are persons, whatever a cast calls them
        return f"{engine} {voice.get('variant', '')}".strip()
    return f"{engine} {voice['name']}" if voice.get("name") else f"{engine} {_digest(voice)}"


def _room(room: Mapping[str, Any]) -> str:
    found = next((what for kind, what in _inside(room) if kind == "recording"), None)
    kind = str(room.get("type", "")).partition("@")[0]
    if found is not None and kind == "measured":
        return found
    return f"{kind} {_digest({key: value for key, value in room.items() if key not in _PLACES})}"


def _digest(tree: Any) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()[:12]


def is_meant(kind: str, what: str, shared: frozenset[str]) -> bool:
    """Return whether a recipe means what is in two splits to be there: of shared data roots, or a simulated room, which is drawn for each clip.

    Examples
    --------
    >>> is_meant("recording", "rooms:hall.wav", frozenset({"rooms"})), is_meant("room", "shoebox 12ab", frozenset())
    (True, True)
    """
    data, colon, _ = what.partition(":")
    return data in shared if colon else kind == "room"


def shared_roots(recipe: Path) -> frozenset[str]:
    """Return the data roots that a set's recipe lets all splits share; none where there is no recipe.

    Those are the roots all of whose catalogues have ``group: null``, and all where it has no `splits`.

    Raises
    ------
    RecipeError
        If the file is not YAML any more.
    """
    if not recipe.is_file():
        return frozenset()
    tree: Any = strictyaml.load_file(recipe).tree
    found = tree.get("catalogues") if isinstance(tree, Mapping) else None
    specs = [spec for spec in found.values() if isinstance(spec, Mapping)] if isinstance(found, Mapping) else []
    kept = {str(spec.get("data")) for spec in specs if spec.get("group", "path") is not None and "splits" in tree}
    return frozenset(str(spec.get("data")) for spec in specs) - kept
