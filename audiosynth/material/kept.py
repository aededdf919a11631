"""A bounded memory: the most recently used things stay, the others leave."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass
class Kept(Generic[T]):
    """The most recently used of some things, as many as fit in so many bytes (or in so many places)."""

    most: int
    _items: OrderedDict[Any, tuple[T, int]] = field(default_factory=OrderedDict, repr=False)
    held: int = 0

    def get(self, key: Any) -> T | None:
        """Return what stands under `key`."""
        found = self._items.get(key)
        if found is None:
            return None
        self._items.move_to_end(key)
        return found[0]

    def put(self, key: Any, item: T, size: int = 1) -> None:
        """Keep an item; the longest unused ones leave until all fit."""
        self.held -= self._items.pop(key, (None, 0))[1]
        self._items[key] = item, size
        self.held += size
        while self.held > self.most:
            self.held -= self._items.popitem(last=False)[1][1]
