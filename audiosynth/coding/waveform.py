"""Speech codecs in integers of our own: G.711, IMA ADPCM, G.722. The same samples on every machine."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from audiosynth import pcm
from audiosynth.coding.lossy import fitted, nearest_rate
from audiosynth.dsp import resample

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiosynth.clip import Array

Law = Literal["mu", "a"]
Codes = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int64]
SEGMENTS: Final = 8
STEPS: Final = 16
"""Both laws of G.711 have eight segments of sixteen steps on each side of zero."""
FULL_SCALE: Final = 32_768
G722_DELAY: Final = 22
"""Samples by which both filters of G.722 together are late: 24 taps each, less the pair that is given at once (G.722, 1.4.4)."""


@cache
def _law(law: Law) -> tuple[Samples, Samples]:
    """Return the decision levels and the outputs of one side of a law (G.711, tables 1a and 2a), in steps of 16 bits."""
    if law == "mu":  # 14 bits, in which segment s begins at 32·2^s - 33 and has steps of 2·2^s
        begins = [32 * 2**s - 33 for s in range(SEGMENTS)]
        lower = np.array([begins[s] + k * 2 ** (s + 1) for s in range(SEGMENTS) for k in range(STEPS)])
        return 4 * lower, 4 * np.array([lower[16 * s + k] + 2**s for s in range(SEGMENTS) for k in range(STEPS)])
    # 13 bits, in which segments 0 and 1 have steps of 2 and every further one steps twice as wide
    width = [2 * 2 ** max(0, s - 1) for s in range(SEGMENTS)]
    begins = [0 if s == 0 else 32 * 2 ** (s - 1) for s in range(SEGMENTS)]
    lower = np.array([begins[s] + k * width[s] for s in range(SEGMENTS) for k in range(STEPS)])
    return 8 * lower, 8 * np.array([lower[16 * s + k] + width[s] // 2 for s in range(SEGMENTS) for k in range(STEPS)])


def g711_encode(samples: Samples, law: Law) -> Codes:
    """Return the bytes of 16-bit samples as they are sent: all bits inverted (mu), or every other one (A).

    Parameters
    ----------
    samples
        Whole numbers within ±32768.
    law
        ``mu`` or ``a``.

    Examples
    --------
    >>> g711_encode(np.array([0, 32767, -32768]), "mu").tolist()
    [255, 128, 0]
    """
    lower, _ = _law(law)
    size = np.where(samples < 0, ~samples, samples)  # one's complement, so that -1 is as near to zero as 0
    step = np.searchsorted(lower, size, side="right") - 1
    codes = step | np.where(samples < 0, 0x80, 0) if law == "mu" else step | np.where(samples < 0, 0, 0x80)
    return np.asarray(codes ^ (0xFF if law == "mu" else 0x55), dtype=np.uint8)


def g711_decode(codes: Codes, law: Law) -> Samples:
    """Return the 16-bit samples that bytes stand for.

    Examples
    --------
    >>> g711_decode(np.array([255, 128, 0], np.uint8), "mu").tolist()
    [0, 32124, -32124]
    """
    _, outputs = _law(law)
    plain = codes.astype(np.int64) ^ (0xFF if law == "mu" else 0x55)
    negative = (plain & 0x80 != 0) if law == "mu" else (plain & 0x80 == 0)
    size = outputs[plain & 0x7F]
    return np.asarray(np.where(negative, -size, size))


def ima_decode(codes: Codes, *, predicted: int = 0, index: int = 0) -> Samples:
    """Return the 16-bit samples that 4-bit codes of IMA ADPCM stand for, from a state of the decoder.

    Examples
    --------
    >>> ima_decode(np.array([7, 7, 15], np.uint8)).tolist()
    [11, 41, -22]
    """
    from audiosynth.coding import kernel

    samples = np.zeros(codes.size, np.int64)
    kernel.ima_decode(codes, predicted, index, samples)
    return samples


def ima_encode(samples: Samples) -> Codes:
    """Return the 4-bit codes of 16-bit samples, one a byte."""
    from audiosynth.coding import kernel

    codes = np.zeros(samples.size, np.uint8)
    kernel.ima_encode(samples, codes)
    return codes


def g722_encode(samples: Samples) -> Codes:
    """Return the bytes of 16-bit samples at 16 kHz, at 64 kbit/s (mode 1): one for each pair; an odd one out is left out."""
    from audiosynth.coding import kernel

    codes = np.zeros(samples.size // 2, np.uint8)
    kernel.g722_encode(samples, codes)
    return codes


def g722_decode(codes: Codes) -> Samples:
    """Return the 16-bit samples at 16 kHz that bytes stand for, with the delay of both filters."""
    from audiosynth.coding import kernel

    samples = np.zeros(2 * codes.size, np.int64)
    kernel.g722_decode(codes, samples)
    return samples


def g711(samples: Samples, law: Law) -> Samples:
    """Return one channel encoded and decoded."""
    return g711_decode(g711_encode(samples, law), law)


def ima(samples: Samples) -> Samples:
    """Return one channel encoded and decoded."""
    return ima_decode(ima_encode(samples))


def g722(samples: Samples) -> Samples:
    """Return one channel encoded and decoded, the delay of the filters taken away."""
    padded = np.concatenate([samples, np.zeros(G722_DELAY + samples.size % 2, np.int64)])
    return g722_decode(g722_encode(padded))[G722_DELAY : G722_DELAY + samples.size]


def round_trip(y: Array, *, sr: int, rates: tuple[int, ...] | None, code: Callable[[Any], Any]) -> Array:
    """Return `y` through a codec of 16-bit samples, of the same shape and at the same place.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples); each channel is coded alone. Beyond full scale it is clipped.
    sr
        Its rate in Hz.
    rates
        Those the codec runs at, rising; None for any.
    code
        From the samples of one channel to what is heard of them.
    """
    rate = sr if rates is None else nearest_rate(sr, rates)
    samples = pcm.quantise(resample(y, sr_in=sr, sr_out=rate)).pcm.astype(np.int64)
    heard = np.stack([code(channel) for channel in samples]) / FULL_SCALE
    return fitted(resample(heard, sr_in=rate, sr_out=sr), y.shape[1])
