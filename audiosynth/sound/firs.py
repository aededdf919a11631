"""Filters without delay: symmetric impulse responses designed from a gain over frequency, centred on every sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from audiosynth.clip import Array

OVERSAMPLING: Final = 8
"""Points of the design's frequency grid per tap: what the filter would ring beyond its length does not fold back."""


def symmetric_taps(gain: Callable[[Array], Array], *, sr: int, reach: float, beta: float = 6.0) -> Array:
    """Return a filter of odd length whose frequency response is `gain`, as near as its length allows.

    Parameters
    ----------
    gain
        Called with frequencies in Hz from 0 to sr / 2: factors, same shape.
    sr
        Rate in Hz.
    reach
        Seconds on either side of the centre: details of `gain` finer than about 2 / reach Hz are smoothed.
    beta
        Of Kaiser's window (1974): 6 keeps what the smoothing lets through below -63 dB.

    Returns
    -------
    taps
        Shape (2·half + 1,), symmetric, read-only.

    Notes
    -----
    The window method on an oversampled frequency grid (Oppenheim and Schafer, "Discrete-Time Signal Processing", 7.5).

    Examples
    --------
    >>> symmetric_taps(lambda f: np.full(f.shape, 0.5), sr=8000, reach=0.00025).round(12)
    array([0. , 0. , 0.5, 0. , 0. ])
    """
    import scipy.fft

    half = max(1, round(reach * sr))
    n_fft = 1 << (OVERSAMPLING * (2 * half + 1) - 1).bit_length()
    h = scipy.fft.irfft(gain(scipy.fft.rfftfreq(n_fft, 1.0 / sr)), n_fft)
    taps = np.concatenate([h[half:0:-1], h[: half + 1]]) * np.kaiser(2 * half + 1, beta)
    taps.flags.writeable = False  # designs are kept: the cache hands the same array to everybody
    return np.asarray(taps)


def centred(y: Array, taps: Array) -> Array:
    """Return `y` through a symmetric filter, its delay taken out, same shape.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples); silence lies before and after it.
    taps
        Shape (odd,), from `symmetric_taps`.

    Examples
    --------
    >>> centred(np.array([[0.0, 1.0, 0.0]]), np.array([0.25, 0.5, 0.25])).round(12)
    array([[0.25, 0.5 , 0.25]])
    """
    import scipy.signal

    half = len(taps) // 2
    full = scipy.signal.oaconvolve(y, np.broadcast_to(taps, (y.shape[0], len(taps))), axes=-1)
    return np.array(full[:, half : half + y.shape[-1]])
