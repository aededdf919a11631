"""Changing tempo by splicing: pieces of the sound are moved and cross-faded where its waveforms agree (WSOLA [1]_).

The output is a row of pieces of one length that overlap. Where a piece would come from if time ran evenly, the offsets
around are searched, all of them, for the one whose waveform is nearest to what would have followed the piece before: the
least sum of squared differences over the overlap, of all channels together, the earliest of equals. The two are cross-faded
linearly. Everything between two joints is the sound itself, sample by sample, so it is displaced: by up to half the search,
and within a piece by up to |rate - 1| times its length.

This is the method of SoX's ``tempo`` and ``pitch``, whose manual [2]_ tells it. The lengths of the presets are those that
``sox -V3`` prints. What is rounded how, where the first piece begins, and which of two equals is taken was found by giving
sox 14.4.2 noise, ramps and bursts: ``tests/test_wsola.py`` does it where there is a sox, and every joint is where sox has it.

A flipped choice would be heard, so the choice is made on whole numbers: samples are rounded to so many bits that float64
holds every product and sum of them exactly, in whatever order, fused or not, a library takes them.

References
----------
.. [1] W. Verhelst, M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA) for high quality time-scale
   modification of speech", IEEE ICASSP, 1993.
.. [2] sox(1), effects ``tempo`` and ``pitch``, SoX 14.4.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from audiosynth.compiled import Later
from audiosynth.errors import ParameterError
from audiosynth.sound.convolving import rows_of, tables_of
from audiosynth.sound.stretch import require_stretchable, stretched_length

if TYPE_CHECKING:
    from audiosynth.clip import Array

Preset = Literal["speech", "music", "wide"]

LOOPS: Final = Later("audiosynth.sound.wsola_kernel", after=1 << 22)
"""Loaded after so many offsets were tried without, which takes about a second, as loading does."""
EXACT_BITS: Final = 51
"""Bits that a sum of squares may have: with twice the product and the signs, float64's 53 hold every step."""
LEAN: Final = 1 / 3
"""Part of a step at which samples are rounded up; halves come from gains of 2 and means, thirds from nothing usual."""
SHORTEST_OVERLAP: Final = 16
OVERLAP_STEP: Final = 8
"""Overlaps are a multiple of this many samples."""


@dataclass(frozen=True)
class Pieces:
    """Lengths in samples.

    Parameters
    ----------
    length
        Of a piece with both its overlaps.
    search
        Offsets that are tried.
    overlap
        Of a piece and the next, at most half its length.

    Raises
    ------
    ParameterError
        If that cannot be.
    """

    length: int
    search: int
    overlap: int

    def __post_init__(self) -> None:
        if not (self.search >= 1 and 1 <= self.overlap <= self.hop):
            raise ParameterError(
                f"pieces need a search of at least 1 and two overlaps that find room in them, got {self.length} samples with "
                f"overlaps of {self.overlap} and a search of {self.search}"
            )

    @property
    def hop(self) -> int:
        """Return the samples from the start of a piece to that of the next, in the output."""
        return self.length - self.overlap


def pieces_for(preset: Preset, *, rate: Fraction, sr: float) -> Pieces:
    """Return the lengths of a preset of SoX's.

    Parameters
    ----------
    preset
        ``speech``: pieces of 35 ms, shorter the faster (``tempo -s``). ``music``: 82 ms, likewise (``tempo -m``). ``wide``:
        82 ms at any rate (``pitch``, and ``tempo`` without a flag).
    rate
        2 is twice as fast.
    sr
        In Hz.

    Examples
    --------
    >>> pieces_for("speech", rate=Fraction(5, 4), sr=44100)
    Pieces(length=1434, search=670, overlap=576)
    """
    faster = max(1.0, float(rate))
    length, search, overlap = {
        "speech": (35.0 * faster**-0.33, 1 / 2.14, 0.4),
        "music": (82.0 / faster, 1 / 6, 1 / 7),
        "wide": (82.0, 1 / 5.587, 1 / 6.833),
    }[preset]
    steps = (_samples(length * overlap, sr) + OVERLAP_STEP // 2) // OVERLAP_STEP
    shared = max(SHORTEST_OVERLAP, steps * OVERLAP_STEP)
    # At rates of a few kHz and less, which SoX's lengths were not made for, two overlaps must find room in a piece.
    return Pieces(max(_samples(length, sr), 2 * shared), max(1, _samples(length * search, sr)), shared)


def _samples(ms: float, sr: float) -> int:
    return math.floor(ms * 1e-3 * sr + 0.5)


def splice(y: Array, *, rate: Fraction, pieces: Pieces) -> Array:
    """Play a sound `rate` times as fast without changing its pitch.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples), any length from 1.
    rate
        2 is twice as fast and half as long, 1 gives an exact copy; 1/8 to 8.
    pieces
        From `pieces_for`.

    Returns
    -------
    spliced
        Shape (n_channels, `stretched_length`); what is at sample j was at j · rate, give or take half of `pieces.search` and
        |rate - 1| · `pieces.length`.

    Raises
    ------
    ParameterError
        If the rate is outside its range or `y` is not two-dimensional with at least one sample.

    Examples
    --------
    >>> splice(np.ones((2, 1000)), rate=Fraction(2), pieces=Pieces(80, 40, 16)).shape
    (2, 500)
    """
    require_stretchable(y, rate=rate)
    if rate == 1:
        return np.array(y, dtype=np.float64)
    n_out = stretched_length(y.shape[-1], rate=rate)
    count = -(-n_out // pieces.hop)
    # Where pieces would begin if time ran evenly, rounded in whole numbers, counted from the start of the padded sound.
    due = (2 * np.arange(count) * pieces.hop * rate.numerator + rate.denominator) // (
        2 * rate.denominator
    ) + pieces.search
    padded = np.zeros((y.shape[0], max(pieces.search + y.shape[-1], int(due[-1]) + pieces.search + 2 * pieces.length)))
    padded[:, pieces.search : pieces.search + y.shape[-1]] = y
    factor, loops = _fineness(y, pieces), LOOPS.for_work(count * pieces.search)
    if loops is None:
        return _joined(padded, _starts(np.floor(padded * factor + LEAN), due, pieces), pieces)[:, :n_out]
    return _spliced(padded, due, pieces, factor=factor, loops=loops)[:, :n_out]


def _fineness(y: Array, pieces: Pieces) -> float:
    """Return what `y` times which has as many bits as exact sums allow: 20 and a sign for speech at 44.1 kHz."""
    terms = (pieces.search + pieces.overlap) * y.shape[0]
    bits = (EXACT_BITS - math.ceil(math.log2(terms))) // 2
    _, exponent = math.frexp(float(max(y.max(), -y.min())))
    return math.ldexp(1.0, bits - max(exponent, -900))


def _spliced(y: Array, due: npt.NDArray[np.int64], pieces: Pieces, *, factor: float, loops: Any) -> Array:
    """Return the pieces of `y` in a row, by the compiled loops."""
    coarse, squares = np.empty_like(y), np.empty(y.shape[-1] + 1, dtype=np.int64)
    loops.whole(y, factor, LEAN, coarse, squares)
    starts = np.empty_like(due)
    tables = tables_of(rows_of(pieces.search - 1 + pieces.overlap))
    loops.find(coarse, squares, due, (pieces.hop, pieces.search, pieces.overlap), tables, starts)
    out = np.empty((y.shape[0], starts.size * pieces.hop))
    loops.join(y, starts, pieces.hop, np.arange(pieces.overlap) / pieces.overlap, out)
    return out


def _starts(y: Array, due: npt.NDArray[np.int64], pieces: Pieces) -> npt.NDArray[np.int64]:
    """Return where each piece begins: the first where it is due, each other where it agrees with what the last runs on to."""
    starts = np.array(due)
    for k in range(1, due.size):
        follows = starts[k - 1] + pieces.hop
        first = due[k] - pieces.search // 2
        window = y[:, first : first + pieces.search - 1 + pieces.overlap]
        starts[k] = first + _nearest(y[:, follows : follows + pieces.overlap], window)
    return starts


def _nearest(target: Array, window: Array) -> int:
    """Return the offset in a window where it differs least from a target, by the sum of squares; whole numbers in, so exact."""
    n = target.shape[-1]
    power = np.cumsum(np.square(window).sum(axis=0))
    energy = power[n - 1 :].copy()
    energy[1:] -= power[: energy.size - 1]
    for channel, part in zip(window, target, strict=True):
        energy -= 2.0 * np.correlate(channel, part, "valid")
    return int(np.argmin(energy))


def _joined(y: Array, starts: npt.NDArray[np.int64], pieces: Pieces) -> Array:
    """Return the pieces of `y` in a row, each faded over into the next along its overlap."""
    hop, overlap = pieces.hop, pieces.overlap
    out: npt.NDArray[Any] = np.empty((y.shape[0], starts.size * hop))
    share = np.arange(overlap) / overlap
    for k, start in enumerate(starts):
        piece = out[:, k * hop : (k + 1) * hop]
        piece[:] = y[:, start : start + hop]
        if k:
            before = y[:, starts[k - 1] + hop :][:, :overlap]
            # In this form a piece that goes on where the last ended is the sound itself, bit for bit.
            piece[:, :overlap] = before + (piece[:, :overlap] - before) * share
    return out
