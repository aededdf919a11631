"""More numbers than memory should hold: in a temporary file, read again a piece at a time.

As long as they are few they stay in memory; the file has no name and is gone when the process is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

IN_MEMORY: Final = 2**26
"""Bytes up to which nothing is written to disk."""
HELD: Final = 2**20
"""Rows that are collected before they are sorted into buckets, and about as many as one bucket has."""
_MIXER: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: its upper bits spread neighbouring keys evenly (Knuth, The Art of Computer Programming 3, 6.4)."""
Rows = npt.NDArray[np.uint32]


class _Spooled:
    """A temporary file that is closed at the end of a `with` block."""

    def __init__(self) -> None:
        self._file: Any = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _read(self, first: int, last: int) -> npt.NDArray[np.uint32]:
        """Return numbers [first, last)."""
        self._file.seek(4 * first)
        return np.frombuffer(self._file.read(4 * (last - first)), np.uint32)


class Arrays(_Spooled):
    """Arrays of numbers by their place in a row.

    Examples
    --------
    >>> with Arrays() as kept:
    ...     for n in range(3):
    ...         kept.append(np.arange(n, dtype=np.uint32))
    ...     len(kept), kept.total, kept[2].tolist()
    (3, 3, [0, 1])
    """

    def __init__(self) -> None:
        super().__init__()
        self._ends = array("q", [0])

    def __enter__(self) -> Arrays:
        return self

    def append(self, item: npt.NDArray[np.uint32]) -> None:
        """Add an array."""
        self._file.seek(4 * self._ends[-1])
        self._file.write(np.ascontiguousarray(item, np.uint32).data)
        self._ends.append(self._ends[-1] + item.size)

    @property
    def total(self) -> int:
        """Return the number of all their numbers."""
        return self._ends[-1]

    def __len__(self) -> int:
        """Return the number of arrays."""
        return len(self._ends) - 1

    def __getitem__(self, i: int) -> npt.NDArray[np.uint32]:
        """Return array `i`, from 0."""
        if not 0 <= i < len(self):
            raise IndexError(f"array {i} of {len(self)}")
        return self._read(self._ends[i], self._ends[i + 1])

    def __iter__(self) -> Iterator[npt.NDArray[np.uint32]]:
        """Yield all, in order."""
        return (self[i] for i in range(len(self)))


class Buckets(_Spooled):
    """Rows of three numbers, those with equal keys in one bucket, in the order in which they came.

    Parameters
    ----------
    rows
        How many there may be: of as many, a bucket has about `HELD`.
    """

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._n = 1 + rows // HELD
        self._waiting: list[tuple[Rows, npt.NDArray[np.uint64]]] = []
        self._bounds: list[npt.NDArray[np.int64]] = []
        self._end = 0

    def __enter__(self) -> Buckets:
        return self

    def add(self, rows: Rows, keys: npt.NDArray[np.uint64]) -> None:
        """Put rows, shape (n, 3), into the buckets of their keys."""
        for at in range(0, len(rows), HELD):
            self._waiting.append((rows[at : at + HELD], keys[at : at + HELD]))
            if sum(len(some) for some, _ in self._waiting) >= HELD:
                self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows, keys = (np.concatenate(items) for items in zip(*self._waiting, strict=True))
        self._waiting = []
        numbers = ((keys * _MIXER) >> np.uint64(32)) % np.uint64(self._n)
        order = np.argsort(numbers, kind="stable")
        sizes = np.bincount(numbers.astype(np.int64), minlength=self._n)
        self._file.seek(4 * self._end)
        self._file.write(np.ascontiguousarray(rows[order]).data)
        self._bounds.append(self._end + 3 * np.concatenate([[0], np.cumsum(sizes)]))
        self._end += rows.size

    def __iter__(self) -> Iterator[Rows]:
        """Yield the rows of one bucket after the other."""
        self._flush()
        for k in range(self._n):
            places = [(int(bounds[k]), int(bounds[k + 1])) for bounds in self._bounds]
            found = [self._read(a, b).reshape(-1, 3) for a, b in places if b > a]
            if found:
                yield np.concatenate(found)
