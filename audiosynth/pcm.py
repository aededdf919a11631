"""Quantise and hash: where float64 becomes the integers that are a clip's identity."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.errors import ParameterError, RenderError
from audiosynth.files.containers import BITS
from audiosynth.sound import mixing

if TYPE_CHECKING:
    from audiosynth.clip import Array

GRID: Final = 2.0**20
"""Steps of the first rounding in one LSB: absorbs differences of float64 arithmetic between machines (DESIGN 5.7)."""
WOBBLE: Final = 2.0**-24
"""How far, in LSB, a sample may move elsewhere; those whose integer could change by that are reported as ties."""
_NEAR: Final = 0.5 - 1.0 / GRID
_BLOCK: Final = 32_768
_SUBTYPES: Final = {np.dtype(np.int16): "PCM_16", np.dtype(np.int32): "PCM_24", np.dtype(np.float32): "FLOAT"}
PCM_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "PCM_16": np.dtype("<i2"),
    "PCM_24": np.dtype("<i4"),
    "FLOAT": np.dtype("<f4"),
}
Pcm = npt.NDArray[Any]
"""Samples as written, shape (n_channels, n_samples): int16, int32 (24-bit values) or floats."""


@dataclass(frozen=True)
class Quantised:
    """Integers of a clip and what a replay must know of how they came about.

    Attributes
    ----------
    pcm
        Shape (n_channels, n_samples); int16, or int32 within ±2^23 for 24 bits.
    clipped
        Samples that were out of range and saturated.
    ties
        ``[channel, index, value]`` of samples that a change of 2^-24 LSB would move to the other integer.
    """

    pcm: Pcm
    clipped: int = 0
    ties: list[list[int]] = field(default_factory=list)


def quantise(
    y: Array, *, bits: int = 16, ties: Sequence[Sequence[int]] | None = None, dither: npt.NDArray[Any] | None = None
) -> Quantised:
    """Round to a grid of 2^-20 LSB, then to integers, half to even both times; saturate and count what is out of range.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples); full scale 1.0 becomes 2^(bits-1), one more than the largest integer.
    bits
        16 or 24.
    ties
        Of an earlier quantisation (a manifest row): these samples take the values given there.
    dither
        Integers in units of 2^-20 LSB, shape of `y`, added after the first rounding; see `tpdf`.

    Raises
    ------
    RenderError
        If a sample is not finite.
    ParameterError
        If `bits`, a shape or a tie is out of range.

    Examples
    --------
    >>> quantise(np.array([[0.5, 1.5, 2.5, 40000.0]]) / 32768)
    Quantised(pcm=array([[    0,     2,     2, 32767]], dtype=int16), clipped=1, ties=[])
    """
    if bits not in (16, 24):
        raise ParameterError(f"samples are quantised to 16 or 24 bits, not {bits}")
    y = np.asarray(y, dtype=np.float64)
    if y.ndim != 2 or (dither is not None and dither.shape != y.shape):
        raise ParameterError(f"expected (n_channels, n_samples), dither alike; got {y.shape}")
    out = np.empty(y.shape, np.int16 if bits == 16 else np.int32)
    scratch = np.empty((2, min(_BLOCK, y.shape[1])))
    clipped, found = 0, []
    with np.errstate(over="ignore", invalid="ignore"):
        for channel in range(y.shape[0]):
            for start in range(0, y.shape[1], _BLOCK):
                part = slice(start, start + _BLOCK)
                steps = None if dither is None else dither[channel, part]
                over, near = _block(y[channel, part], out[channel, part], scratch, steps, bits)
                clipped += over
                found += [[channel, start + i, value] for i, value in near]
    if ties is not None:
        found = [list(tie) for tie in ties]
        _replay(out, found, bits)
    return Quantised(out, clipped, found)


def _block(
    y: Array, out: Pcm, scratch: Array, steps: npt.NDArray[Any] | None, bits: int
) -> tuple[int, list[tuple[int, int]]]:
    """Fill `out`; return how many samples were out of range, and ties as (index in the block, value)."""
    v, whole = scratch[0, : y.size], scratch[1, : y.size]
    top, compiled = 2.0 ** (bits - 1), mixing.kernel()
    if compiled is not None and steps is None and y.flags.c_contiguous:
        furthest, largest = compiled.rounded(y, top, out)
        if furthest < _NEAR and largest < top:  # false where a NaN came in
            return 0, []
    if steps is None:
        np.multiply(y, top, out=v)  # a power of two: exact
    else:
        np.rint(np.multiply(y, top * GRID, out=v), out=v)
        np.multiply(np.add(v, steps, out=v), 1.0 / GRID, out=v)
    np.rint(v, out=whole)
    np.subtract(v, whole, out=v)
    ties = []
    # further than _NEAR from a half, the grid moves no sample to another integer: one rounding is as good as two
    if not (v.max() < _NEAR and v.min() > -_NEAR):  # true where a NaN came in
        _refuse_non_finite(y)
        near = np.flatnonzero(np.abs(v) >= _NEAR)
        exact, extra = y[near] * top, 0 if steps is None else steps[near]
        whole[near] = _two_step(exact, extra)
        low, high = (np.clip(_two_step(exact + d, extra), -top, top - 1.0) for d in (-WOBBLE, WOBBLE))
        ties = near[low != high].tolist()
    over = 0
    if not (whole.min() >= -top and whole.max() < top):
        over = int(np.count_nonzero((whole < -top) | (whole >= top)))
        np.clip(whole, -top, top - 1.0, out=whole)
    out[:] = whole
    return over, [(i, int(out[i])) for i in ties]


def _two_step(v: Array, extra: Any) -> Array:
    """Return the integers for `v` in LSB, `extra` in steps of the grid: the same arithmetic as the fast path."""
    return np.asarray(np.rint((np.rint(v * GRID) + extra) / GRID))


def _refuse_non_finite(y: Array) -> None:
    bad = np.flatnonzero(~np.isfinite(y))
    if bad.size:
        raise RenderError(f"cannot quantise: {bad.size} samples are not finite, the first is {y[bad[0]]}")


def _replay(out: Pcm, ties: Sequence[Sequence[int]], bits: int) -> None:
    top = 2 ** (bits - 1)
    for channel, index, value in ties:
        if not (0 <= channel < out.shape[0] and 0 <= index < out.shape[1] and -top <= value < top):
            raise ParameterError(f"tie {[channel, index, value]} is outside {out.shape} samples of {bits} bits")
        out[channel, index] = value


def tpdf(first: Array, second: Array) -> npt.NDArray[np.int32]:
    """Return triangular dither within ±1 LSB, in integer steps of 2^-20 LSB, from two uniform arrays in [0, 1).

    Notes
    -----
    The caller takes both from `dice.uniform_at` under a recorded seed. Triangular of 2 LSB width makes mean and
    variance of the error independent of the signal (Lipshitz, Wannamaker and Vanderkooy 1992).

    Examples
    --------
    >>> tpdf(np.array([[0.75]]), np.array([[0.25]])) / GRID
    array([[0.5]])
    """
    return np.floor(first * GRID).astype(np.int32) - np.floor(second * GRID).astype(np.int32)


def pcm_sha256(pcm: Pcm, sr: int) -> str:
    """Return the identity of a clip (int16), or the hash of what was written (int32 for 24 bits, float32).

    Notes
    -----
    SHA-256 over a header of 48 bytes and the samples. Header: the 16 ASCII bytes ``audiosynth-pcm/1``, then four
    unsigned 64-bit little-endian integers: rate in Hz, channels, bits (16, 24; 32 for float32), samples per
    channel. Samples: interleaved by channel, little-endian, int16, int32 (24 bits) or float32.

    Examples
    --------
    >>> pcm_sha256(np.zeros((1, 2), np.int16), 8000)[:16]
    '954d0d2f7663a5f5'
    """
    digest = PcmHash(sr, pcm.shape[0], pcm.shape[1], subtype_of(pcm))
    digest.update(pcm)
    return digest.hexdigest()


class PcmHash:
    """`pcm_sha256` of samples that come in parts."""

    def __init__(self, sr: int, n_channels: int, n_samples: int, subtype: str) -> None:
        self._subtype = subtype
        self._digest = hashlib.sha256(
            b"audiosynth-pcm/1" + struct.pack("<4Q", sr, n_channels, BITS[subtype], n_samples)
        )

    def update(self, pcm: Pcm) -> None:
        """Take in the next samples."""
        self._digest.update(interleaved(pcm, self._subtype).data)

    def hexdigest(self) -> str:
        """Return the hash."""
        return self._digest.hexdigest()


def subtype_of(pcm: Pcm) -> str:
    """Return the subtype whose samples have this type.

    Raises
    ------
    ParameterError
        If there is none.
    """
    subtype = _SUBTYPES.get(pcm.dtype)
    if subtype is None or pcm.ndim != 2:
        raise ParameterError(f"samples are int16, int32 (24 bits) or float32 in two dimensions; got {pcm.dtype}")
    return subtype


def interleaved(pcm: Pcm, subtype: str) -> npt.NDArray[Any]:
    """Return samples as a file has them, shape (n_samples, n_channels), little-endian."""
    return np.ascontiguousarray(pcm.T, dtype=PCM_DTYPES[subtype])
