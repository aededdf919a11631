"""Which split a recording belongs to: a threshold on a keyed hash of its group, so that growing catalogues move nobody."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from audiosynth.clip import Member, Recording
from audiosynth.dice import keyed_fraction
from audiosynth.errors import AssetError, did_you_mean
from audiosynth.files.paths import read_bytes


class SplitSpec(BaseModel):
    """The recipe's `splits`: shares by name, or those with a seed and groups that stand fixed.

    Attributes
    ----------
    shares
        Weight of each split, in order; they need not add up to 1. A split of share 0 gets only what is assigned.
    seed
        Another seed gives other groups to each split.
    assign
        Split of a group: by its key (``speaker:jackson``) or its value alone (``jackson``).
    file
        JSON file below the recipe's folder that holds such a map too; `assign` wins.

    Examples
    --------
    >>> SplitSpec.model_validate({"train": 3, "test": 1}).shares
    {'train': 3.0, 'test': 1.0}
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    shares: dict[str, float] = Field(min_length=1)
    seed: int = Field(0, ge=0, lt=2**63)
    assign: dict[str, str] = {}
    file: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: Any) -> Any:
        return {"shares": dict(raw)} if isinstance(raw, Mapping) and "shares" not in raw else raw

    @field_validator("shares")
    @classmethod
    def _positive(cls, shares: dict[str, float]) -> dict[str, float]:
        if min(shares.values()) < 0 or sum(shares.values()) <= 0:
            raise ValueError("expected shares of 0 or more, at least one of them above 0")
        return shares

    @model_validator(mode="after")
    def _known(self) -> SplitSpec:
        for group, split in self.assign.items():
            if split not in self.shares:
                raise ValueError(f"assign.{group}: no split is called '{split}'; there are {', '.join(self.shares)}")
        return self

    def frozen(self, folder: Path) -> dict[str, str]:
        """Return the groups that stand fixed, from `file` (below `folder`) and `assign`.

        Raises
        ------
        AssetError
            If the file is outside the folder, cannot be read, or is not a map from groups to splits.
        """
        return {**({} if self.file is None else self._read(folder, self.file)), **self.assign}

    def _read(self, folder: Path, name: str) -> dict[str, str]:
        path = folder / name
        if PurePosixPath(name).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
            raise AssetError(f"splits.file: expected a path below the recipe's folder, got '{name}'")
        try:
            tree = json.loads(read_bytes(path))
        except (ValueError, RecursionError) as error:
            raise AssetError(f'{path}: not JSON ({error}); expected a map such as {{"speaker:ann": "train"}}') from None
        if not isinstance(tree, dict):
            raise AssetError(f"{path}: expected a map from groups to splits, got a {type(tree).__name__}")
        for group, split in tree.items():
            if not isinstance(split, str) or split not in self.shares:
                raise AssetError(
                    f"{path}: '{group}' is sent to {split!r}; there are the splits {', '.join(self.shares)}"
                )
        return tree


def group_keys(recording: Member, fields: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of a recording, ``field:value`` for each field it has.

    Raises
    ------
    AssetError
        If it has none of them.
    """
    values = {**recording.meta, "path": recording.path}
    keys = tuple(f"{field}:{values[field]}" for field in fields if values.get(field) not in (None, ""))
    if not keys:
        raise AssetError(
            f"{recording.data}:{recording.path} has no {' nor '.join(repr(f) for f in fields)} to group it by; "
            "give the catalogue such a field, another `group`, or `group: null` to share it among splits"
        )
    return keys


def groups(recordings: Sequence[Member], fields: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the groups: recordings that share any key, or their bytes, are in one; every key by the id of its group.

    The id is the smallest of the group's keys (in UTF-8 order).

    Examples
    --------
    >>> rows = [{"speaker": "ann", "room": "a"}, {"speaker": "bob", "room": "a"}, {"speaker": "cleo", "room": "c"}]
    >>> made = [Recording(data="d", path=f"{i}.wav", sha256=f"{i:064x}", sr=8000, n_channels=1, n_samples=1, active=(0, 1),
    ...                   meta=row) for i, row in enumerate(rows)]
    >>> groups(made, ["speaker", "room"])
    {'room:a': ('room:a', 'speaker:ann', 'speaker:bob'), 'room:c': ('room:c', 'speaker:cleo')}
    """
    parent: dict[str, str] = {}

    def find(key: str) -> str:
        while parent[key] != key:
            parent[key] = key = parent[parent[key]]
        return key

    copies: dict[str, str] = {}
    for recording in recordings:
        first, *others = group_keys(recording, fields)
        parent.setdefault(first, first)
        # The same bytes under another name are the same sound: a copy goes where its original goes.
        for other in (*others, copies.setdefault(recording.sha256, first)):
            parent.setdefault(other, other)
            a, b = sorted((find(first), find(other)), key=str.encode)
            parent[b] = a
    members: dict[str, list[str]] = {}
    for key in sorted(parent, key=str.encode):
        members.setdefault(find(key), []).append(key)
    return {keys[0]: tuple(keys) for keys in members.values()}


def assign(
    recordings: Sequence[Member],
    *,
    group_fields: Sequence[str],
    shares: Mapping[str, float],
    seed: int = 0,
    frozen: Mapping[str, str] | None = None,
    name: str = "",
    empty_ok: Collection[str] = (),
) -> dict[str, str]:
    """Send every recording to a split; all of a group go to the same one.

    Parameters
    ----------
    recordings
        Of one catalogue.
    group_fields
        Fields whose values may not cross splits; ``path`` is the recording itself.
    shares
        Weight of each split, in order.
    seed
        Another seed gives other groups to each split.
    frozen
        Split of a group by its key (``speaker:jackson``) or value (``jackson``); they win.
    name
        What messages call the catalogue.
    empty_ok
        Splits that may be left without a group.

    Returns
    -------
    sent
        Split by path.

    Raises
    ------
    AssetError
        If a group is sent to two splits, or a split gets no group.

    Notes
    -----
    A group goes where `dice.keyed_fraction` of seed and id falls among the shares: neither other groups nor other
    catalogues have a say, so a speaker found in two catalogues goes to the same split, and a catalogue that grows moves
    nobody (unless a new recording joins two groups into one, of which one then moves).
    """
    found = groups(recordings, group_fields)
    split_of: dict[str, str] = {}
    for group, keys in found.items():
        split = _frozen(keys, frozen or {}) or _drawn(keyed_fraction(str(seed), group), shares)
        split_of.update(dict.fromkeys(keys, split))
    used = set(split_of.values())
    for split, share in shares.items():
        if share > 0 and split not in used and split not in empty_ok and recordings:
            catalogue = name or recordings[0].data
            shown = ", ".join(list(found)[:10]) + (" …" if len(found) > 10 else "")
            raise AssetError(
                f"catalogue '{catalogue}': a split with too few groups: '{split}' gets none of the {len(found)} ({shown}); "
                f"send one there with `splits: {{shares: …, assign: {{GROUP: {split}}}}}`, or set the catalogue's "
                "`group: null` to share its recordings among all splits"
            )
    return {recording.path: split_of[group_keys(recording, group_fields)[0]] for recording in recordings}


def require_apart(members: Mapping[tuple[str, str], Sequence[Member]]) -> None:
    """Refuse splits that share a recording through two catalogues.

    Parameters
    ----------
    members
        Recordings of each (catalogue, split), without catalogues that are shared on purpose.

    Raises
    ------
    AssetError
        Naming one such recording, both places and the way out.
    """
    seen: dict[str, tuple[str, str, str]] = {}
    for (catalogue, split), recordings in members.items():
        for recording in recordings:
            other, where, path = seen.setdefault(recording.sha256, (split, catalogue, recording.path))
            if other != split:
                raise AssetError(
                    f"'{path}' is in split '{other}' through catalogue '{where}', and the same sound ('{recording.path}') in "
                    f"'{split}' through '{catalogue}'; give both catalogues the same `group`, send the group to one split with "
                    "`splits: {assign: …}`, or set `group: null` to share a catalogue"
                )


def require_known(
    assign: Mapping[str, str], catalogues: Mapping[str, tuple[Sequence[Recording], Sequence[str]]]
) -> None:
    """Refuse `assign` for groups that no recording of any catalogue (with its group's fields) has.

    Raises
    ------
    AssetError
        With the nearest group there is.
    """
    keys = {
        key for found, fields in catalogues.values() for recording in found for key in group_keys(recording, fields)
    }
    known = keys | {key.partition(":")[2] for key in keys}
    for group in assign:
        if group not in known:
            raise AssetError(
                f"splits.assign: no recording is of the group '{group}'{did_you_mean(group, sorted(known))}"
            )


def _drawn(fraction: float, shares: Mapping[str, float]) -> str:
    total, passed, last = math.fsum(shares.values()), 0.0, ""
    for split, share in shares.items():
        if share > 0:
            last = split
            passed += share / total
            if fraction < passed:
                break
    return last


def _frozen(keys: Sequence[str], frozen: Mapping[str, str]) -> str | None:
    sent = {name: frozen[name] for key in keys for name in (key, key.partition(":")[2]) if name in frozen}
    if len(set(sent.values())) > 1:
        shown = ", ".join(f"'{name}' to '{split}'" for name, split in sent.items())
        raise AssetError(
            f"one group of recordings is sent to several splits: {shown}; they share values, so send them to one, or group "
            "the catalogue by fewer fields"
        )
    return next(iter(sent.values()), None)
