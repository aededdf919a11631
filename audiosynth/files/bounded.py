"""What functions gave, kept within a bound on its size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


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
        kept: OrderedDict[Key, tuple[Result, int]] = OrderedDict()

        @wraps(function)
        def remembered(key: Key) -> Result:
            if key not in kept:
                made = function(key)
                kept[key] = made, size(made)
                while len(kept) > 1 and sum(taken for _, taken in kept.values()) > most:
                    kept.popitem(last=False)
            kept.move_to_end(key)
            return kept[key][0]

        return remembered

    return decorator
