"""The only dice of the package: keyed draws for plans, keyed words for noise; nothing depends on order.

A draw is a pure function of (seed, split, ordinal, path of the recipe node, k), so that clip 731 never depends
on clip 730, on the worker, or on other keys of the recipe. Noise words are a pure function of (seed, stream,
position), so that sample n never depends on block size or length.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from audiosynth.clip import Array

DRAW_BITS: Final = 53
"""Bits of one draw: all that a float64 in [0, 1) can hold evenly spaced."""
MAX_SHORT: Final = 4_096
"""Longest order of which many are kept (11 MB for each hundred at most)."""
MAX_MIDDLING: Final = 65_536
"""Longest order of which some are kept (0.5 MB each)."""
_PIECE: Final = 4_096
"""Words that are transformed at once, for the sake of the processor's cache."""
_SEPARATOR: Final = b"\x1f"
_WORD: Final = Struct(">Q").unpack_from
"""Reads the first 64 bits of a digest."""
_DRAW_DOMAIN: Final = b"audiosynth-dice/1"
_NOISE_DOMAIN: Final = b"audiosynth-noise/1"


class ClipDice:
    """All draws of one clip (or of one dataset-level purpose).

    Parameters
    ----------
    seed
        The recipe's seed.
    split
        Name of the split.
    ordinal
        Number of the clip inside its split; -1 for draws that belong to the whole split.

    Examples
    --------
    >>> dice = ClipDice(1, "train", 0)
    >>> dice.uniform("events[0].onset") == ClipDice(1, "train", 0).uniform("events[0].onset")
    True
    """

    __slots__ = ("_prefix", "ordinal", "seed", "split")

    def __init__(self, seed: int, split: str, ordinal: int) -> None:
        self.seed, self.split, self.ordinal = seed, split, ordinal
        head = _SEPARATOR.join((_DRAW_DOMAIN, str(seed).encode(), split.encode(), str(ordinal).encode(), b""))
        self._prefix = hashlib.sha256(head)

    def bits(self, path: str, k: int = 0) -> int:
        """Return 53 bits for the node at `path`, draw number `k`."""
        state = self._prefix.copy()
        state.update(b"%s\x1f%d" % (path.encode(), k))
        word: int = _WORD(state.digest())[0]
        return word >> (64 - DRAW_BITS)

    def uniform(self, path: str, k: int = 0) -> float:
        """Return a number in [0, 1), a multiple of 2^-53."""
        return self.bits(path, k) * 2.0**-DRAW_BITS


def keyed_fraction(*parts: str) -> float:
    """Return a number in [0, 1) that depends on `parts` alone (used to send groups to splits)."""
    digest = hashlib.sha256(_SEPARATOR.join([b"audiosynth-split/1", *(p.encode() for p in parts)])).digest()
    return (int.from_bytes(digest[:8], "big") >> (64 - DRAW_BITS)) * 2.0**-DRAW_BITS


def permutation(n: int, *, seed: int, split: str, path: str, turn: int) -> Sequence[int]:
    """Return a keyed permutation of range(n): items sorted by their own 53 bits.

    Parameters
    ----------
    n
        Number of items.
    seed, split, path
        As for a draw; `path` is the node's.
    turn
        Which pass over the items; each has an order of its own.

    Notes
    -----
    The latest orders are kept, the fewer the longer they are: an order of a million items takes 8 MB.
    """
    made = _short_order if n <= MAX_SHORT else _middling_order if n <= MAX_MIDDLING else _long_order
    return made(n, seed, split, path, turn)


def _order(n: int, seed: int, split: str, path: str, turn: int) -> array[int]:
    dice = ClipDice(seed, split, -1)
    key = f"{path}#{turn}"
    return array("Q", sorted(range(n), key=lambda item: (dice.bits(key, item), item)))


@lru_cache(maxsize=256)
def _short_order(n: int, seed: int, split: str, path: str, turn: int) -> tuple[int, ...]:
    return tuple(_order(n, seed, split, path, turn))


_middling_order = lru_cache(maxsize=64)(_order)
_long_order = lru_cache(maxsize=8)(_order)


@lru_cache(maxsize=256)
def block_order(counts: tuple[int, ...], *, seed: int, split: str, path: str, block: int) -> tuple[int, ...]:
    """Return a keyed order in which item i stands `counts[i]` times, spread over the block.

    Parameters
    ----------
    counts
        How often each item comes in a block.
    seed, split, path
        As for a draw; `path` is the node's.
    block
        Which block; each has an order of its own.

    Notes
    -----
    The j-th time of item i stands at (j + u) / counts[i], u its own draw: every beginning of a block holds the items
    in nearly the right shares too, which a plain permutation does not.

    Examples
    --------
    >>> order = block_order((3, 1), seed=1, split="train", path="x", block=0)
    >>> order.count(0), order.count(1)
    (3, 1)
    """
    dice = ClipDice(seed, split, -1)
    key = f"{path}#{block}"
    first = [sum(counts[:i]) for i in range(len(counts))]
    stands = [((j + dice.uniform(key, first[i] + j)) / n, i) for i, n in enumerate(counts) for j in range(n)]
    return tuple(i for _, i in sorted(stands))


def philox_words(seed: int, *, start: int, n_words: int, stream: str = "") -> npt.NDArray[np.uint64]:
    """Return words [start, start + n_words) of an endless keyed sequence of 64-bit words.

    Parameters
    ----------
    seed
        The component's recorded seed.
    start, n_words
        Position of the first word (≥ 0) and how many.
    stream
        Name that separates independent sequences of one seed (channels, say).

    Notes
    -----
    Philox4x64-10 (Salmon et al. 2011) in counter mode, four words a counter. NumPy promises that the raw words
    of a bit generator stay the same across versions and machines (NEP 19).

    Examples
    --------
    >>> bool((philox_words(7, start=5, n_words=3) == philox_words(7, start=0, n_words=8)[5:]).all())
    True
    """
    head = _SEPARATOR.join((_NOISE_DOMAIN, str(seed).encode(), stream.encode()))
    key = int.from_bytes(hashlib.sha256(head).digest()[:16], "big")
    block, skip = divmod(start, 4)
    generator = _generator(get_ident())
    generator.state = _state(key, block)
    words: npt.NDArray[np.uint64] = generator.random_raw(n_words + skip)
    return words[skip:]


@lru_cache(maxsize=32)
def _generator(thread: int) -> np.random.Philox:  # noqa: ARG001 - one for each thread, as its state is set and then used
    """Return a generator to set: making a new one takes ten times as long."""
    return np.random.Philox(key=0)


def _state(key: int, block: int) -> Any:
    """Return the state of a generator of a key that goes on with a block of four words."""

    def parts(value: int, n: int) -> npt.NDArray[np.uint64]:
        return np.array([(value >> (64 * i)) & 0xFFFFFFFFFFFFFFFF for i in range(n)], dtype=np.uint64)

    return {
        "bit_generator": "Philox",
        "state": {"counter": parts(block, 4), "key": parts(key, 2)},
        "buffer": np.zeros(4, dtype=np.uint64), "buffer_pos": 4, "has_uint32": 0, "uinteger": 0,
    }  # fmt: skip


def uniform_at(seed: int, *, start: int, n_samples: int, stream: str = "") -> Array:
    """Return samples [start, start + n_samples) of an endless sequence uniform in [0, 1)."""
    words = philox_words(seed, start=start, n_words=n_samples, stream=stream)
    return np.asarray((words >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def gaussian_at(seed: int, *, start: int, n_samples: int, stream: str = "") -> Array:
    """Return samples [start, start + n_samples) of endless white Gaussian noise of variance 1.

    Notes
    -----
    Box and Muller (1958): one 64-bit word gives a radius (upper half) and an angle (lower half), hence samples
    2i and 2i + 1; the largest value is sqrt(66 ln 2) = 6.76. Not NumPy's `normal`, whose stream may change.
    """
    return np.asarray(gaussians_at(seed, start=start, n_samples=n_samples, streams=(stream,))[0])


def gaussians_at(seed: int, *, start: int, n_samples: int, streams: Sequence[str]) -> Array:
    """Return `gaussian_at` of several streams, shape (len(streams), n_samples); one transform for all of them."""
    first, skip = divmod(start, 2)
    n_words = (skip + n_samples + 1) // 2
    words = np.concatenate([philox_words(seed, start=first, n_words=n_words, stream=stream) for stream in streams])
    pairs = np.empty((len(words), 2))
    for at in range(0, len(words), _PIECE):
        _box_muller(words[at : at + _PIECE], out=pairs[at : at + _PIECE])
    return pairs.reshape(len(streams), -1)[:, skip : skip + n_samples]


def _box_muller(words: npt.NDArray[np.uint64], *, out: Array) -> None:
    """Write two Gaussian values for each word, shape (n, 2)."""
    radius = (words >> np.uint64(32)).astype(np.float64)
    radius += 0.5
    radius *= 2.0**-32
    np.log(radius, out=radius)
    radius *= -2.0
    np.sqrt(radius, out=radius)
    angle = (words & np.uint64(0xFFFFFFFF)).astype(np.float64)
    angle *= 2.0 * np.pi * 2.0**-32
    np.multiply(radius, np.cos(angle), out=out[:, 0])
    np.multiply(radius, np.sin(angle, out=angle), out=out[:, 1])
