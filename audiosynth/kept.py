"""A bounded memory: the most recently used things stay, the others leave."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import wraps
from threading import Lock
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


MAX_LEFT: Final = 100_000
"""Most things of which it is remembered that they were here."""


@dataclass
class Kept(Generic[T]):
    """The most recently used of some things, as many as fit in so many bytes (or in so many places).

    Parameters
    ----------
    most
        Most bytes.
    first
        Bytes to begin with, `most` unless given: they double, up to `most`, whenever something is asked for that had to leave and
        would be here if there were as many. So what passes by once, as the utterances of a corpus do, takes little memory, and
        always the same.

    Examples
    --------
    >>> kept = Kept(4, first=2)
    >>> for name in "abcad":
    ...     if kept.get(name) is None:
    ...         kept.put(name, name.upper())
    >>> kept.room, [kept.get(name) for name in "abcd"]
    (4, ['A', 'B', 'C', 'D'])
    """

    most: int
    first: int | None = None
    _items: OrderedDict[Any, tuple[T, int]] = field(default_factory=OrderedDict, repr=False)
    _left: OrderedDict[Any, int] = field(default_factory=OrderedDict, repr=False)
    held: int = 0
    room: int = 0
    _gone: int = 0

    def __post_init__(self) -> None:
        self.room = self.most if self.first is None else min(self.first, self.most)

    def get(self, key: Any) -> T | None:
        """Return what stands under `key`."""
        found = self._items.get(key)
        if found is None:
            if key in self._left:
                self._gone -= self._left.pop(key)
                self.room = min(self.most, 2 * self.room)
            return None
        self._items.move_to_end(key)
        return found[0]

    def put(self, key: Any, item: T, size: int = 1) -> None:
        """Keep an item; the longest unused ones leave until all fit."""
        self.held -= self._items.pop(key, (None, 0))[1]
        self._items[key] = item, size
        self.held += size
        self.room = max(self.room, min(size, self.most))
        while self.held > self.room:
            key, (_, size) = self._items.popitem(last=False)
            self.held -= size
            if self.room < self.most:
                self._left[key] = size
                self._gone += size
        while len(self._left) > MAX_LEFT or self._gone > self.most:
            self._gone -= self._left.popitem(last=False)[1]


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
        alone = Lock()  # what is kept serves all threads

        @wraps(function)
        def remembered(key: Key) -> Result:
            with alone:
                found = kept.get(key)
            if found is None:
                found = function(key)
                with alone:
                    kept.put(key, found, min(size(found), most))  # one that is larger stays too, alone
            return found

        return remembered

    return decorator
