"""A bounded memory: the most recently used things stay, the others leave."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


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


def bounded(most: int, size: Callable[[Result], int]) -> Callable[[Callable[[Key], Result]], Callable[[Key], Result]]:
    """Return a decorator that keeps what a function of one argument gives: the last, and of those before as many as fit.

    Parameters
    ----------
    most
        Most that all together may take.
    size
        What one takes, in the same unit.

    Examples
    --------
    >>> asked = []
    >>> @bounded(5, len)
    ... def doubled(text):
    ...     asked.append(text)
    ...     return 2 * text
    >>> [doubled(text) for text in ("a", "b", "a", "ccc", "a", "ccc")][-1], asked
    ('cccccc', ['a', 'b', 'ccc', 'a', 'ccc'])
    """

    def decorator(function: Callable[[Key], Result]) -> Callable[[Key], Result]:
        kept: Kept[Result] = Kept(most)

        @wraps(function)
        def remembered(key: Key) -> Result:
            found = kept.get(key)
            if found is None:
                found = function(key)
                kept.put(key, found, min(size(found), most))  # one that is larger stays too, alone
            return found

        return remembered

    return decorator
