"""The recipe's `voices` and `negatives`: made when it is loaded, sent to splits like recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audiosynth.clip import Entry, Member
from audiosynth.errors import AssetError
from audiosynth.language.compiler import Compiler
from audiosynth.language.reserved import RESERVED
from audiosynth.loading.parts import Loader, RecipePath
from audiosynth.material import splits
from audiosynth.material.tables import table_of_negatives, table_of_voices


def tables_of(
    loader: Loader, tree: Mapping[str, Any], *, taken: Mapping[str, Any], seed: int
) -> dict[str, tuple[Entry, ...]]:
    """Return every table of a recipe by name; problems go to the loader."""
    found: list[tuple[RecipePath, str]] = []
    compiler = Compiler(RESERVED, frozenset(), found, folder=loader.source.folder)
    tables: dict[str, tuple[Entry, ...]] = {}
    for name, raw in _named(loader, tree, "voices"):
        tables[name] = table_of_voices(compiler, raw, _path(tree, "voices", name), name=name, seed=seed)
    for name, raw in _named(loader, tree, "negatives"):
        path = _path(tree, "negatives", name)
        tables[name] = table_of_negatives(compiler, raw, path, name=name, seed=seed, folder=loader.source.folder)
    for name in tables:
        if name in taken:
            loader.fail(("catalogues", name), f"'{name}' is also a table (voices or negatives); take another name")
    told: set[str] = set()
    for path, message in found:
        if message not in told:
            loader.fail(path, message)
        told |= {message} if "pip install" in message else set()  # once is enough
    return tables


_SHORT = {"voices": ("n", "cast"), "negatives": ("of", "negatives")}
"""Key that tells one table from a map of several, and what it is then called."""


def _named(loader: Loader, tree: Mapping[str, Any], section: str) -> list[tuple[str, Any]]:
    raw = tree.get(section, {})
    if not isinstance(raw, Mapping):
        loader.fail((section,), f"expected a map of {section} by name, got {raw!r:.80}")
        return []
    key, name = _SHORT[section]
    return [(name, raw)] if key in raw else list(raw.items())


def _path(tree: Mapping[str, Any], section: str, name: str) -> RecipePath:
    return (section,) if _SHORT[section][0] in tree[section] else (section, name)


def members_of(
    tables: Mapping[str, Sequence[Entry]], tree: Mapping[str, Any], split_spec: splits.SplitSpec | None,
    split_names: Sequence[str], loader: Loader,
) -> dict[tuple[str, str], tuple[Member, ...]]:  # fmt: skip
    """Return the rows of each (table, split): voices are groups of the splits, phrases are shared."""
    members: dict[tuple[str, str], tuple[Member, ...]] = {}
    casts = dict(_named(loader, tree, "voices"))
    for name, entries in tables.items():
        group = casts[name].get("group", "path") if name in casts else None
        if split_spec is None or group is None:
            members.update({(name, split): tuple(entries) for split in split_names})
            continue
        sent = splits.assign(
            _as_people(entries), group_fields=("variant",) if group == "variant" else ("person", "path"),
            shares=split_spec.shares, seed=split_spec.seed, frozen=split_spec.frozen(loader.source.folder), name=name,
        )  # fmt: skip
        for split in split_names:
            members[name, split] = tuple(entry for entry in entries if sent[entry.path] == split)
            if not members[name, split]:
                raise AssetError(
                    f"voices '{name}': split '{split}' gets none of the {len(entries)} voices; draw more of them"
                )
    return members


def _as_people(entries: Sequence[Entry]) -> list[Entry]:
    """Return voices as splits tell them apart: formant voices each by itself, those of one recorded speaker as one person."""

    def person(voice: Mapping[str, Any]) -> dict[str, str]:
        name = voice["variant"] or "plain"
        return (
            {"variant": name}
            if voice["engine"] == "espeak"
            else {"variant": name, "person": f"{voice['engine']} {name}"}
        )

    return [Entry(entry.data, entry.path, entry.sha256, person(entry.meta)) for entry in entries]
