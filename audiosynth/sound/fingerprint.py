"""Fingerprints of sound: 32 bits every 16 ms, alike for the same sound at another level, place or encoding, or under light noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from audiosynth.errors import ParameterError
from audiosynth.sound.spilled import HELD, Buckets, Rows

Print = npt.NDArray[np.uint32]
"""One number per frame; 0 where there is nothing to tell (silence)."""
WINDOW: Final = 0.128
"""Seconds of a frame's window, long against its hop, so that a shift by half a hop hardly matters (Haitsma and Kalker)."""
HOP: Final = 0.016
"""Seconds from frame to frame."""
FMIN, FMAX, BITS = 300.0, 3000.0, 32
"""Hz: heard through a telephone, below half the lowest usual rate."""
RATE: Final = 8000.0
"""Hz down to which higher rates are brought first, by whole factors."""
QUIET_DB: Final = -30.0
"""Frames this far under the clip's loudest say nothing."""
LAG: Final = 4
"""Frames over which energies are compared in time."""
MOST_PAIRS: Final = 200_000
"""Pairs that are compared in full: of more, those with the most equal frames."""
CROWD: Final = 24
"""A value that more frames than this have tells nobody apart."""
SAME: Final = 0.25
"""Share of different bits up to which two stretches are the same sound; unrelated ones differ in half of them."""
_TINY: Final = 1e-20


class Prints(Protocol):
    """Fingerprints, in memory or not (`audiosynth.sound.spilled.Arrays`)."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, i: int, /) -> Print:
        """Return one by its number."""

    def __iter__(self) -> Iterator[Print]:
        """Yield all, in order."""


class Match(NamedTuple):
    """Two fingerprints that agree.

    Attributes
    ----------
    one, other
        Their numbers.
    offset
        Frame of `other` minus frame of `one` at which the same is heard.
    frames
        Frames that were compared: those in which both have something to tell.
    bit_errors
        Share of their bits that differ: 0 for equal sound, 0.5 for unrelated.
    """

    one: int
    other: int
    offset: int
    frames: int
    bit_errors: float


def fingerprint(y: npt.NDArray[Any], sr: int) -> Print:
    """Return the fingerprint of a sound, one number every `HOP` seconds.

    Parameters
    ----------
    y
        Shape (n_samples,); any scale.
    sr
        Rate in Hz; fingerprints of different rates can be compared.

    Raises
    ------
    ParameterError
        If `y` is not one-dimensional.

    Notes
    -----
    After Haitsma and Kalker (2002), "A highly robust audio fingerprinting system": every bit is the sign of the difference,
    over neighbouring bands and over time, of the energies in 33 bands. Here the bands are equal on the mel scale and energies
    are in dB, so that a fixed filter on the whole cancels as well.

    Examples
    --------
    >>> y = np.random.default_rng(1).standard_normal(16_000)
    >>> one, other = fingerprint(y, 16_000), fingerprint(0.1 * y, 16_000)
    >>> one.shape, bool((one == other).all())
    ((63,), True)
    """
    if y.ndim != 1:
        raise ParameterError(f"a fingerprint is of one channel, shape (n_samples,), got {y.shape}")
    n_frames = 1 + int(y.size / (HOP * sr))
    power = _power(np.asarray(y, np.float32), sr, n_frames)
    level = 10.0 * np.log10(power + _TINY)
    whole = power.sum(axis=1)
    before = np.concatenate([level[:1].repeat(LAG, axis=0), level[:-LAG]])[:n_frames]
    change = np.diff(level, axis=1) - np.diff(before, axis=1)
    bits = np.ascontiguousarray(np.packbits(change > 0, axis=1)).view(">u4").astype(np.uint32)[:, 0]
    bits[whole <= max(float(whole.max()) * 10.0 ** (QUIET_DB / 10), _TINY)] = 0
    return np.asarray(bits)


def _power(y: npt.NDArray[np.float32], sr: int, n_frames: int) -> npt.NDArray[np.float32]:
    """Return the power in the bands in windows around the frames, shape (n_frames, 33)."""
    import scipy.fft
    import scipy.signal

    step = max(1, int(sr / RATE))
    low = scipy.signal.resample_poly(y, 1, step) if step > 1 and y.size else y
    rate = sr / step
    n = scipy.fft.next_fast_len(2 * round(0.5 * WINDOW * rate), real=True)
    padded = np.pad(low, (n // 2, n))
    starts = np.floor(np.arange(n_frames) * HOP * rate + 0.5).astype(np.int64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n)[starts]
    spectra = scipy.fft.rfft(frames * np.hanning(n).astype(np.float32), axis=1)
    return np.asarray((_bands(rate, n) @ (spectra.real**2 + spectra.imag**2).T).T, np.float32)


@lru_cache(maxsize=8)
def _bands(sr: float, n: int) -> Any:
    """Return the weights of bands of equal width in mel (O'Shaughnessy's), sparse, shape (33, n // 2 + 1)."""
    from scipy.sparse import csr_array

    low, high = (2595.0 * math.log10(1 + f / 700.0) for f in (FMIN, FMAX))
    mel = np.linspace(low, high, BITS + 2)
    edges = 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    f = np.fft.rfftfreq(n, 1 / sr)[:, None]
    # Straight flanks, one bin wide: a hard edge would move with the rate.
    inside = np.clip((f - edges[:-1]) * n / sr + 0.5, 0, 1) - np.clip((f - edges[1:]) * n / sr + 0.5, 0, 1)
    return csr_array(inside.T.astype(np.float32))


def same_sound(
    prints: Prints, others: Prints | None = None, *, window: int | None = None, most: float = SAME
) -> list[Match]:
    """Return the pairs of fingerprints in which the same sound is heard, the first number below the second.

    Parameters
    ----------
    prints
        Fingerprints.
    others
        Compared with `prints`, not among each other: a pair is (number in `prints`, number in `others`). None: all of
        `prints` with each other.
    window
        Frames of the stretch that must agree (of all that overlaps, the one that agrees best), not under 45 (0.7 s), which unrelated
        sounds do not share; None: all that overlaps, and
        this must be four fifths of the longer one.
    most
        Largest share of different bits.

    Returns
    -------
    list of Match
        In order of their numbers; each pair once, at its best offset.

    Examples
    --------
    >>> dice = np.random.default_rng(1)
    >>> y, z = dice.standard_normal((2, 16_000))
    >>> prints = [fingerprint(x, 8000) for x in (y, z, np.roll(y, 640))]
    >>> [(m.one, m.other, m.offset) for m in same_sound(prints)]
    [(0, 2, 5)]
    """
    n, more = len(prints), others if others is not None else list[Print]()
    pairs = _seeds(chain(prints, more), sum(p.size for p in chain(prints, more)))
    if others is not None:
        pairs = pairs[(pairs[:, 0] < n) & (pairs[:, 1] >= n)]
    best: dict[tuple[int, int], Match] = {}
    for one, other, offset in pairs.tolist():
        first, second = (prints[i] if i < n else more[i - n] for i in (one, other))
        found = _compare(first, second, offset, window)
        if found is None or found[1] > most:
            continue
        key = (one, other - (0 if others is None else n))
        if key not in best or found[1] < best[key].bit_errors:
            best[key] = Match(*key, offset, *found)
    return [best[key] for key in sorted(best)]


def _seeds(prints: Iterable[Print], frames: int) -> npt.NDArray[np.int64]:
    """Return (one, other, offset) of pairs that have a frame in common at that offset, shape (n, 3), in order.

    Parameters
    ----------
    prints
        Fingerprints.
    frames
        How many they have together.

    Notes
    -----
    In memory are never more than some millions of frames or pairs: first all frames of a value come together in one of many
    buckets on disk, then all finds of a pair.
    """
    with Buckets(frames) as by_value, Buckets(frames * (CROWD - 1) // 2) as by_pair:
        crowded = np.empty(0, np.uint32)
        for rows in _frames(prints):
            values, counts = np.unique(rows[:, 0], return_counts=True)
            crowded = np.union1d(crowded, values[counts > CROWD])
            rows = rows[~np.isin(rows[:, 0], crowded)]  # noqa: PLW2901
            by_value.add(rows, rows[:, 0].astype(np.uint64))
        for rows in by_value:
            for pairs in _alike(rows[~np.isin(rows[:, 0], crowded)]):
                by_pair.add(pairs, (pairs[:, 0].astype(np.uint64) << np.uint64(32)) + pairs[:, 1])
        found = _Most()
        for rows in by_pair:
            found.add(*_counted(np.stack([rows[:, 0], rows[:, 1], rows[:, 2].view(np.int32)], axis=1, dtype=np.int64)))
        return found.rows()


class _Most:
    """The `MOST_PAIRS` most frequent of distinct rows; of equally frequent ones the first in order."""

    def __init__(self) -> None:
        self._rows, self._times = np.empty((0, 3), np.int64), np.empty(0, np.int64)

    def add(self, rows: npt.NDArray[np.int64], times: npt.NDArray[np.int64]) -> None:
        """Take rows and how often each was found."""
        self._rows, self._times = np.concatenate([self._rows, rows]), np.concatenate([self._times, times])
        if len(self._rows) > 4 * MOST_PAIRS:  # not each time: it takes as long for a few more as for many
            self._cut()

    def _cut(self) -> None:
        if len(self._rows) > MOST_PAIRS:
            order = np.lexsort((*self._rows.T[::-1], -self._times))[:MOST_PAIRS]
            self._rows, self._times = self._rows[order], self._times[order]

    def rows(self) -> npt.NDArray[np.int64]:
        """Return them in order."""
        self._cut()
        return self._rows[np.lexsort(self._rows.T[::-1])]


def _frames(prints: Iterable[Print]) -> Iterator[Rows]:
    """Yield all frames that tell something as (value, number of its fingerprint, time), about `HELD` at once."""
    some: list[Rows] = []
    for owner, values in enumerate(prints):
        at = np.flatnonzero(values)
        some.append(np.stack([values[at], np.full(at.size, owner), at], axis=1, dtype=np.uint32, casting="unsafe"))
        if sum(map(len, some)) >= HELD:
            yield np.concatenate(some)
            some = []
    if some:
        yield np.concatenate(some)


def _alike(rows: Rows) -> Iterator[Rows]:
    """Yield (one, other, offset) for each two frames of one value in two fingerprints."""
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    _, counts = np.unique(rows[:, 0], return_counts=True)
    value, owner, time = rows[np.repeat(counts <= CROWD, counts)].T
    for step in range(1, min(CROWD, value.size)):
        equal = np.flatnonzero((value[step:] == value[:-step]) & (owner[step:] != owner[:-step]))
        yield np.stack([owner[equal], owner[equal + step], time[equal + step] - time[equal]], axis=1)


def _counted(rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return distinct rows and how often each is there."""
    rows = rows[np.lexsort(rows.T[::-1])]
    first = np.flatnonzero(np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)]))
    return rows[first], np.diff(np.append(first, len(rows)))


def _compare(one: Print, other: Print, offset: int, window: int | None) -> tuple[int, float] | None:
    """Return (frames compared, share of different bits), or None if too little overlaps."""
    a, b = one[max(0, -offset) :], other[max(0, offset) :]
    n = min(a.size, b.size)
    a, b = a[:n], b[:n]
    telling = (a != 0) & (b != 0)
    wrong = np.unpackbits((a[telling] ^ b[telling]).view(np.uint8).reshape(-1, 4), axis=1).mean(axis=1)
    if window is None:
        longer = max(np.count_nonzero(one), np.count_nonzero(other))
        return (wrong.size, float(wrong.mean())) if wrong.size >= max(1, 0.8 * longer) else None
    if wrong.size < window:
        return None
    total = np.concatenate([[0.0], np.cumsum(wrong)])
    return window, float((total[window:] - total[:-window]).min() / window)
