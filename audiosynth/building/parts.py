"""One of several parts of a build, each made on a machine of its own without a word to the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audiosynth.building.orders import Order
from audiosynth.building.units import Unit
from audiosynth.errors import UsageError
from audiosynth.records.output import Packing


@dataclass(frozen=True)
class Shard:
    """Shard `number` (from 1) of `of`: every `of`-th unit of a build.

    Units take turns, so that a recipe whose clips grow longer or dearer with their number still gives equal shares.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``3/64``.

        Raises
        ------
        UsageError
            If it is not K/N with K from 1 to N.

        Examples
        --------
        >>> Shard.parse("3/64")
        Shard(number=3, of=64)
        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(
                f"expected K/N with K from 1 to N, such as 3/64, got '{text}'; a Slurm array of 64 is --array=1-64"
            )
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def folder(self) -> str:
        """Return a name for the part's folder that sorts by number."""
        width = len(str(self.of))
        return f"{self.number:0{width}d}-of-{self.of:0{width}d}"

    def units(self, units: Sequence[Unit]) -> list[Unit]:
        """Return this shard's units."""
        return [*units[self.number - 1 :: self.of]]


@dataclass(frozen=True)
class PartOrder:
    """A shard of an order: a dataset of its own without labels, which says what it is part of.

    Every clip is held against the formats of the labels all the same, so that none is found at the end that they cannot hold.
    """

    whole: Order
    shard: Shard

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "whole":  # asked by pickle before there is anything to ask
            raise AttributeError(name)
        return getattr(self.whole, name)

    @property
    def packing(self) -> Packing:
        """Return how the part is packed: audio never, since its units are not those of whole folders."""
        return Packing(manifest=self.whole.packing.manifest)

    def state(self) -> dict[str, Any]:
        """Return everything that decides the bytes of the part."""
        return {**self.whole.state(), "shard": str(self.shard)}

    def head(self) -> dict[str, Any]:
        """Return what `dataset.json` says first, and what the whole one will say."""
        head = self.whole.head()
        exports = [dict(tree) for tree in self.whole.exports]
        return {**head, "part": {"head": head, "export": exports}}
