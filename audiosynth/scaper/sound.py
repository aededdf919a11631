"""How scaper 1.6 measures, fades, loops and reverberates: array maths of a foreign chain, kept as it is, faults and all.

Nothing of our own chain uses this; what our chain does instead stands in the README under "Coming from scaper".
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth import dsp
from audiosynth.errors import RenderError
from audiosynth.synthesis.signals import sine

if TYPE_CHECKING:
    from audiosynth.clip import Array

SHORTEST: Final = 0.5
"""Seconds below which a sound is repeated before its loudness is measured."""
LEAST_LUFS: Final = -70.0
"""What silence measures; a sound below it is made as loud as if it had this loudness."""
MOST_CHANNELS: Final = 5
"""Channels that the loudness meter knows weights for."""
_BLOCK: Final = 0.4
_WEIGHTS: Final = (1.0, 1.0, 1.0, 1.41, 1.41)
_OFFSET: Final = -0.691

COMBS: Final = (1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617)
"""Delays of Freeverb's combs at 44.1 kHz, in samples."""
ALLPASSES: Final = (225, 341, 441, 556)
SPREAD: Final = 12
"""By how much the delays of the right channel differ, in turn longer and shorter."""
DAMPING: Final = 0.35
"""Of high frequencies in the combs: 50 % on SoX's scale."""
WET: Final = 0.015
EDGE: Final = 1e-9
"""A mix scaled to a peak of 1 may come out higher by a tenth of this, as its gain is rounded; scaper's comes out lower."""
DECAYED: Final = 1e-10
"""A response that has fallen to this part of a comb's first echo is over."""


def segment(n_samples: int, sr: int, *, start: float, duration: float) -> tuple[int, int]:
    """Return the samples of a file that are read for a sound: both ends cut off to whole samples, the second at the file's end.

    Examples
    --------
    >>> segment(44100, 44100, start=0.1, duration=0.2), segment(1000, 8000, start=0.1, duration=1.0)
    ((4410, 13230), (800, 1000))
    """
    return min(int(start * sr), n_samples), min(int((start + duration) * sr), n_samples)


def looped(y: Array, *, times: int, length: int) -> Array:
    """Return a background repeated without a joint, at most `length` samples of it."""
    return np.tile(y, (1, times))[:, :length]


def repeats(duration: float, n_samples: int, sr: int) -> int:
    """Return how often a background of `n_samples` is repeated under a scene of `duration` seconds.

    Examples
    --------
    >>> repeats(10.0, 5 * 16000, 16000), repeats(10.0, 11 * 16000, 16000)
    (3, 1)
    """
    return max(1, int(duration // (n_samples / sr) + 1))


def with_channels(y: Array, n_channels: int) -> Array:
    """Return `y` with so many channels: fewer by means of every n-th one, more by repeating them in turn."""
    if y.shape[0] == n_channels:
        return y
    if y.shape[0] < n_channels:
        return np.asarray(y[np.arange(n_channels) % y.shape[0]])
    return np.stack([y[i::n_channels].mean(axis=0) for i in range(n_channels)])


def faded(y: Array, *, n_in: int, n_out: int) -> Array:
    """Return `y` with a quarter sine at each end, from 0 to 1 and from 1 to 0, both included.

    Raises
    ------
    RenderError
        If the sound is shorter than a fade.
    """
    if y.shape[1] < max(n_in, n_out):
        raise RenderError(
            f"a sound of {y.shape[1]} samples is shorter than its fade of {max(n_in, n_out)}; scaper 1.6.5 fails on it too: "
            "lengthen the event, or lower fade_in_len and fade_out_len in the JAMS file"
        )
    out = np.array(y)
    if n_in:
        out[:, :n_in] *= _quarter(n_in)
    if n_out:
        out[:, y.shape[1] - n_out :] *= _quarter(n_out)[::-1]
    return out


@lru_cache(maxsize=16)
def _quarter(n: int) -> Array:
    return sine(np.arange(n, dtype=np.float64) * (0.25 / max(1, n - 1)))


def loudness(y: Array, sr: int) -> float:
    """Return the integrated loudness in LUFS as scaper 1.6 takes it: short sounds repeated up to half a second, at least -70.

    Notes
    -----
    pyloudnorm's meter (0.1 and 0.2): a shelf of +4 dB at 1500 Hz and a high-pass at 38 Hz by the cookbook of Bristow-Johnson,
    so not quite BS.1770's; the last block may be cut short by the end and is divided by a whole block all the same.
    """
    n = y.shape[1]
    if n == 0:
        raise RenderError("a sound without samples has no loudness; see `source_time` and `event_duration`")
    if n / sr < SHORTEST:
        y = np.tile(y, (1, math.ceil(SHORTEST / (n / sr))))
    blocks = _block_powers(y, sr)
    lufs = _lufs(blocks.sum(axis=0))
    loud = blocks[:, lufs >= LEAST_LUFS]
    if not loud.shape[1]:
        return LEAST_LUFS
    gate = float(_lufs(loud.mean(axis=1).sum()[None])[0]) - 10.0
    kept = blocks[:, (lufs > gate) & (lufs > LEAST_LUFS)]
    return max(float(_lufs(kept.mean(axis=1).sum()[None])[0]), LEAST_LUFS) if kept.shape[1] else LEAST_LUFS


def _lufs(power: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(_OFFSET + 10.0 * np.log10(power))


def _block_powers(y: Array, sr: int) -> Array:
    """Return the weighted mean square of each block of 0.4 s, a quarter of one apart, shape (n_channels, n_blocks)."""
    from scipy.signal import sosfilt

    n = y.shape[1]
    step = 0.25
    count = int(np.round((n / sr - _BLOCK) / (_BLOCK * step)) + 1)
    first = np.array([int(_BLOCK * (j * step) * sr) for j in range(count)])
    last = np.minimum([int(_BLOCK * (j * step + 1) * sr) for j in range(count)], n)
    squares = np.square(sosfilt(_meter(sr), y, axis=-1))
    sums = np.concatenate([np.zeros((y.shape[0], 1)), np.cumsum(squares, axis=1)], axis=1)
    weights = np.asarray(_WEIGHTS[: y.shape[0]])[:, None]
    return np.asarray(weights * (sums[:, last] - sums[:, first]) / (_BLOCK * sr))


@lru_cache(maxsize=16)
def _meter(sr: int) -> Array:
    """Return the meter's shelf and high-pass as second-order sections."""
    a, w = 10.0 ** (4.0 / 40.0), 2.0 * math.pi * 1500.0 / sr
    c, alpha = math.cos(w), math.sin(w) / math.sqrt(2.0)
    root = 2.0 * math.sqrt(a) * alpha
    shelf = [
        a * ((a + 1) + (a - 1) * c + root), -2 * a * ((a - 1) + (a + 1) * c), a * ((a + 1) + (a - 1) * c - root),
        (a + 1) - (a - 1) * c + root, 2 * ((a - 1) - (a + 1) * c), (a + 1) - (a - 1) * c - root,
    ]  # fmt: skip
    w = 2.0 * math.pi * 38.0 / sr
    c, alpha = math.cos(w), math.sin(w)  # Q 1/2
    high = [(1 + c) / 2, -(1 + c), (1 + c) / 2, 1 + alpha, -2 * c, 1 - alpha]
    return np.array([np.array(shelf) / shelf[3], np.array(high) / high[3]])


def wrapped(y: Array) -> Array:
    """Return `y` as scaper hands it to SoX: what is 1 or more, or less than -1, becomes -1.

    Its bindings cast to 32-bit integers, and on x86 a number that none of them holds is cast to the least one.
    """
    return np.where((y > 1.0 + EDGE) | (y < -1.0), -1.0, y)


def reverberated(y: Array, sr: int, *, reverb: float) -> Array:
    """Return a mix under SoX's reverb with all settings but one at their defaults; as long as it was.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples). A single channel becomes two sides, which are averaged; more than two are each a
        left side of their own. What comes out beyond full scale is clipped; see `wrapped` for what goes in.
    sr
        Rate in Hz.
    reverb
        From 0 to 1.

    References
    ----------
    Freeverb by "Jezar at Dreampoint", 2000, in the public domain: eight combs side by side, four all-passes in a row.
    """
    n = y.shape[1]
    h = response(sr, reverb=reverb)[:, :n]
    source = y.mean(axis=0, keepdims=True) if y.shape[0] == 2 else y
    wet = dsp.convolve(source, h if y.shape[0] <= 2 else h[:1])[:, :n]
    heard = np.clip(y + wet, -1.0, 1.0)
    return heard.mean(axis=0, keepdims=True) if y.shape[0] == 1 else heard


@lru_cache(maxsize=4)
def response(sr: int, *, reverb: float) -> Array:
    """Return the reverberation of the left and right side until it has died away, shape (2, n_samples)."""
    sides = [_side(side, sr, reverb) for side in (0, 1)]
    out = np.zeros((2, max(len(side) for side in sides)))
    for row, side in zip(out, sides, strict=True):
        row[: len(side)] = WET * side
    out.flags.writeable = False
    return out


def _side(side: int, sr: int, reverb: float) -> Array:
    low, high = math.log(1 - 0.3), math.log(1 - 0.98)
    feedback = 1.0 - math.exp(low + (high - low) * reverb)
    echoes = [_comb(_delay(delay, i, side, sr), feedback) for i, delay in enumerate(COMBS)]
    total = np.zeros(max(len(y) for y in echoes))
    for y in echoes:
        total[: len(y)] += y
    for i, delay in enumerate(ALLPASSES):
        total = _allpass(total, _delay(delay, i, side, sr))
    return total


def _delay(delay: int, i: int, side: int, sr: int) -> int:
    return int((delay + side * SPREAD * (-1) ** i) * sr / 44100 + 0.5)


def _comb(delay: int, feedback: float) -> Array:
    """Return the echoes of an impulse, each `delay` after the last, duller and `feedback` as loud."""
    from scipy.signal import lfilter

    echo = np.zeros(delay)
    echo[0] = 1.0
    state = np.zeros(1)
    found = [np.zeros(delay)]
    while np.abs(echo).max() > DECAYED:
        found.append(echo)
        dull, state = lfilter([1 - DAMPING], [1, -DAMPING], echo, zi=state)
        echo = feedback * dull
    return np.concatenate(found)


def _allpass(y: Array, delay: int) -> Array:
    """Return a sound through Freeverb's all-pass: what was held `delay` samples ago, less the input; half of it is held on."""
    n_echoes = math.ceil(math.log2(1 / DECAYED))
    out = np.zeros(len(y) + n_echoes * delay)
    out[: len(y)] -= y
    held = y
    for k in range(1, n_echoes + 1):
        out[k * delay : k * delay + len(held)] += held * 0.5 ** (k - 1)
    return out
