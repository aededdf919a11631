"""Files of which only those parts are fetched that are read."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any


class RangedFile(io.RawIOBase):
    """A file to be read, wherever its bytes are.

    Parameters
    ----------
    part
        Returns bytes [first, last) of it.
    size
        In bytes.

    Examples
    --------
    >>> file = RangedFile(lambda first, last: b"0123456789"[first:last], 10)
    >>> file.seek(-3, io.SEEK_END), file.read(2), file.read()
    (7, b'78', b'9')
    """

    def __init__(self, part: Callable[[int, int], bytes], size: int) -> None:
        self._part, self._size, self._at = part, size, 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that any part can be read."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; return it."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read as many bytes as the buffer holds, or as are left; return their number."""
        first, last = self._at, min(self._at + len(buffer), self._size)
        if first >= last:
            return 0
        buffer[: last - first] = self._part(first, last)
        self._at = last
        return last - first
