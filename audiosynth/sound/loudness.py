"""Weighting filters and gated loudness: IEC 61672-1 A-weighting, ITU-R BS.1770 K-weighting."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from audiosynth.clip import Array

LUFS_OFFSET: Final = -0.691
"""BS.1770-5, formula 2: makes a 997 Hz sine of 0 dBFS peak on one channel read -3.01 LUFS."""
BLOCK: Final = 0.4
"""BS.1770-5: seconds of a gating block; blocks overlap by 75 %."""
K_RATE: Final = 48_000
"""BS.1770 gives its filter at this rate, and asks for the same response at others."""
BILINEAR_FROM: Final = 44_100
"""From this rate up, in Hz, bilinear transforms of the filter keep that response within 0.01 dB."""
KEPT_FFT: Final = 2**20
"""Responses up to this size are kept: 8 MB each, four of them."""
ABSOLUTE_GATE: Final = -70.0
RELATIVE_GATE: Final = -10.0
_SURROUND: Final = (1.0, 1.0, 1.0, 1.41, 1.41)
_A_POLES: Final = (20.598997, 107.65265, 737.86223, 12194.217)
"""IEC 61672-1 annex E: pole frequencies of the A curve in Hz."""


@lru_cache(maxsize=16)
def k_sections(sr: int) -> Any:
    """Return BS.1770's two stages at any rate: its 48 kHz coefficients are bilinear transforms of these analogue filters.

    References
    ----------
    Parameters re-derived from BS.1770's 48 kHz coefficients: shelf 1681.97 Hz, +3.99984 dB, Q 0.70718; high-pass 38.135 Hz,
    Q 0.50033, whose numerator is not normalised there: its gain at 48 kHz is the gain at every rate.
    """
    k = math.tan(math.pi * 1681.974450955533 / sr)
    q, high = 0.7071752369554196, 10.0 ** (3.999843853973347 / 20)
    mid = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [
        (high + mid * k / q + k * k) / a0, 2 * (k * k - high) / a0, (high - mid * k / q + k * k) / a0,
        1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0,
    ]  # fmt: skip
    q = 0.5003270373238773
    k, k48 = (math.tan(math.pi * 38.13547087602444 / rate) for rate in (sr, K_RATE))
    a0, a048 = 1 + k / q + k * k, 1 + k48 / q + k48 * k48
    b = a048 / a0
    return np.array([shelf, [b, -2 * b, b, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]])


def a_curve(frequency: Array) -> Array:
    """Return the amplitude of the A-weighting curve, 1 at 1 kHz.

    References
    ----------
    IEC 61672-1:2013, annex E, formula E.6.

    Examples
    --------
    >>> round(20 * math.log10(a_curve(np.array([100.0]))[0]), 1)
    -19.1
    """
    f1, f2, f3, f4 = _A_POLES

    def gain(f: Any) -> Any:
        s = np.square(f)
        return f4**2 * s * s / ((s + f1**2) * np.sqrt((s + f2**2) * (s + f3**2)) * (s + f4**2))

    return np.asarray(gain(frequency) / gain(1000.0))


def a_weight(y: Array, sr: int) -> Array:
    """Return the A-weighted signal: the exact curve at every rate, applied without phase shift in the frequency domain.

    A recursive filter designed at audio rates bends the curve near Nyquist; the span of a level must not be delayed either.
    """
    return _in_frequency(y, sr, _a_response)


def k_weight(y: Array, sr: int) -> Array:
    """Return the K-weighted signal: the response that BS.1770 gives its filter at 48 kHz, at every rate.

    From 44.1 kHz up the filter itself runs. Below, a bilinear transform would bend the shelf (by 0.06 dB at 16 kHz), so the
    response is applied in the frequency domain.
    """
    from scipy.signal import sosfilt

    if sr >= BILINEAR_FROM:
        return np.asarray(sosfilt(k_sections(sr), y, axis=-1))
    return _in_frequency(y, sr, _k_response)


def _k_response(n_fft: int, sr: int) -> Any:
    """Return the K filter's complex response; that of short sounds is kept, as clips of one length ask for it each time."""
    return _kept_k_response(n_fft, sr) if n_fft <= KEPT_FFT else _kept_k_response.__wrapped__(n_fft, sr)


@lru_cache(maxsize=4)
def _kept_k_response(n_fft: int, sr: int) -> Any:
    import scipy.fft
    from scipy.signal import sosfreqz

    weights = sosfreqz(k_sections(K_RATE), scipy.fft.rfftfreq(n_fft, 1.0 / sr), fs=K_RATE)[1]
    weights.flags.writeable = False
    return weights


def _a_response(n_fft: int, sr: int) -> Any:
    import scipy.fft

    return a_curve(scipy.fft.rfftfreq(n_fft, 1.0 / sr))


def _in_frequency(y: Array, sr: int, response: Callable[[int, int], Any]) -> Array:
    """Return `y` under a frequency response, with 100 ms of zeros for what rings: both curves are over by then."""
    import scipy.fft

    n = y.shape[-1]
    n_fft = scipy.fft.next_fast_len(n + sr // 10, real=True)
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(y, n_fft) * response(n_fft, sr), n_fft)[..., :n])


def gated_loudness(weighted: Array, sr: int) -> float:
    """Return the loudness of a K-weighted signal in LUFS.

    Parameters
    ----------
    weighted
        Shape (n_channels, n_samples), K-weighted.
    sr
        Rate in Hz.

    Notes
    -----
    Sounds shorter than one block of 0.4 s are not gated: their own mean square counts (DESIGN 5.4).
    """
    gains = channel_gains(weighted.shape[0])
    block, n = round(BLOCK * sr), weighted.shape[1]
    if n < block:
        return lufs(float(gains @ np.mean(np.square(weighted), axis=1))) if n else -math.inf
    starts = np.rint(np.arange(0.0, n - block + 1, BLOCK * sr / 4)).astype(int)
    starts = starts[starts + block <= n]
    sums = np.concatenate([np.zeros((weighted.shape[0], 1)), np.cumsum(np.square(weighted), axis=1)], axis=1)
    blocks = gains @ (sums[:, starts + block] - sums[:, starts]) / block
    return gated(blocks)


def gated(blocks: Array) -> float:
    """Return the loudness in LUFS of the power of overlapping blocks, without those below the two gates."""
    loud = blocks[blocks > _power(ABSOLUTE_GATE)]
    if not loud.size:
        return -math.inf
    loud = loud[loud > 10 ** (RELATIVE_GATE / 10) * loud.mean()]
    return lufs(float(loud.mean()))


def channel_gains(n_channels: int) -> Array:
    """Return what the power of each channel counts; of five the last two are at the listener's back."""
    return np.asarray(_SURROUND if n_channels == 5 else (1.0,) * n_channels)


def integrated_loudness(y: Array, sr: int) -> float:
    """Return the integrated loudness of a programme in LUFS; five channels are L, R, C, Ls, Rs.

    Examples
    --------
    >>> t = np.arange(48000) / 48000
    >>> round(integrated_loudness(np.sin(2 * np.pi * 997 * t)[None], 48000), 2)
    -3.01
    """
    return gated_loudness(k_weight(y, sr), sr)


def lufs(mean_square: float) -> float:
    """Return the loudness of a weighted mean square."""
    return LUFS_OFFSET + 10 * math.log10(mean_square) if mean_square > 0 else -math.inf


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - LUFS_OFFSET) / 10))
