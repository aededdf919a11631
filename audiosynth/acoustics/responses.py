"""Measured impulse responses: where the direct sound is, what is early, and how long the tail lasts.

Simulated rooms know their direct delay and need none of the detection here. What is found on a measured response is a
decision: made once, written into the row, used verbatim on replay.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.acoustics.knees import NOISE_SHARE, find_knee, sounding
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

ONSET_RATIO: Final = 0.1
"""-20 dB re the peak: ISO 3382-1:2009, A.3.4."""
ABOVE_NOISE: Final = 6.0
"""Times the noise's standard deviation; Gaussian noise passes it once in 5e8 samples."""
NOISE_MIN_SECONDS: Final = 0.02
"""A response shorter than this (a head-related one, say) says nothing about its noise."""
MAD_TO_SIGMA: Final = 1.4826
"""1 / Φ⁻¹(3/4): median |x| of Gaussian noise to its standard deviation."""
DIRECT_SECONDS: Final = 0.0025
EARLY_SECONDS: Final = 0.05
FADE_SECONDS: Final = 0.0025


def check_response(h: Array) -> None:
    """Refuse what is not of shape (n_channels, n_samples), is empty or silent, or holds NaN or infinity."""
    if h.ndim != 2 or h.size == 0:
        raise ParameterError(f"an impulse response has the shape (n_channels, n_samples), got {h.shape}")
    peak = float(np.abs(h).max())
    if not math.isfinite(peak):
        raise ParameterError("the impulse response holds NaN or infinity")
    if peak == 0.0:
        raise ParameterError("the impulse response is silent throughout")


def noise_floor(h: Array, sr: int) -> Array:
    """Estimate the standard deviation of each channel's background noise.

    The smaller of two robust estimates (1.4826 median |h|): over the first and over the last tenth. The one tenth may
    hold the direct sound and the other a tail that was cut before it sank into the noise, but hardly both.

    Parameters
    ----------
    h
        Shape (n_channels, n_samples).
    sr
        Rate in Hz.

    Returns
    -------
    sigma
        Shape (n_channels,); 0 for responses shorter than 20 ms.

    References
    ----------
    A. Lundeby et al., "Uncertainties of measurements in room acoustics", Acustica 81 (1995) 344-355.
    """
    n = h.shape[-1]
    if n < seconds_to_samples(NOISE_MIN_SECONDS, sr):
        return np.zeros(h.shape[0])
    share = max(1, round(n * NOISE_SHARE))
    ends = _medians(np.abs(np.concatenate([h[:, :share], h[:, -share:]])))
    return np.asarray(MAD_TO_SIGMA * np.minimum(ends[: h.shape[0]], ends[h.shape[0] :]))


def _medians(rows: Array) -> Array:
    """Return each row's median, as `np.median` does for finite rows, at a third of its cost."""
    middle, odd = divmod(rows.shape[-1], 2)
    places = [middle] if odd else [middle - 1, middle]
    ordered = np.partition(rows, places, axis=-1)
    return np.asarray(0.5 * (ordered[:, places[0]] + ordered[:, places[-1]]))


def find_onsets(h: Array, sr: int) -> list[int | None]:
    """Return each channel's first sample at -20 dB re its peak and above its noise; None for a channel without one."""
    size = np.abs(h)
    peaks = size.max(axis=-1)
    thresholds = np.maximum(ONSET_RATIO * peaks, ABOVE_NOISE * noise_floor(h, sr))
    found = peaks > 0
    found &= peaks >= thresholds
    return [int(np.argmax(row >= t)) if ok else None for row, t, ok in zip(size, thresholds, found, strict=True)]


def find_direct(h: Array, sr: int) -> int:
    """Return the sample of the direct sound: the first |h| at -20 dB re the channel's peak, at the earliest channel.

    A channel counts from the first sample whose |h| reaches both a tenth of that channel's peak and six standard
    deviations of its noise (`noise_floor`).

    Parameters
    ----------
    h
        Shape (n_channels, n_samples).
    sr
        Rate in Hz.

    Raises
    ------
    ParameterError
        If `h` is no response (see `check_response`), or no channel rises above its noise.

    References
    ----------
    ISO 3382-1:2009, A.3.4: the start is where the signal first rises significantly above the background but is more
    than 20 dB below the maximum.

    Examples
    --------
    >>> find_direct(np.array([[0, 0, 0.01, 1, 0.5], [0, 0.2, 1, 0, 0]]), 16000)
    1
    """
    check_response(h)
    onsets = [onset for onset in find_onsets(h, sr) if onset is not None]
    if not onsets:
        raise ParameterError("no direct sound: no channel has a peak 15.6 dB above its noise; is it a response?")
    return min(onsets)


def direct_part(h: Array, sr: int, delay: int) -> Array:
    """Return `h` with all but the direct sound (±2.5 ms around `delay`) silenced, cut after it; sample 0 stays 0.

    References
    ----------
    P. Zahorik, "Direct-to-reverberant energy ratio sensitivity", JASA 112 (2002) 2110-2117: the 2.5 ms.
    """
    width = seconds_to_samples(DIRECT_SECONDS, sr)
    part = h[:, : delay + width + 1].copy()
    part[:, : max(0, delay - width)] = 0.0
    return part


def early_part(h: Array, sr: int, delay: int) -> Array:
    """Return `h` from -2.5 to 50 ms (C50's) re the direct sound, faded out over 2.5 ms and cut; sample 0 stays 0."""
    before = seconds_to_samples(DIRECT_SECONDS, sr)
    stop = delay + seconds_to_samples(EARLY_SECONDS, sr) + 1
    part = fade_out(h, stop=stop + seconds_to_samples(FADE_SECONDS, sr), n_fade=seconds_to_samples(FADE_SECONDS, sr))
    part[:, : max(0, delay - before)] = 0.0
    return part


def fade_out(h: Array, *, stop: int, n_fade: int) -> Array:
    """Return a copy of `h` that ends at sample `stop`, its last `n_fade` samples under a falling half-cosine.

    A response that is over before `stop` is copied as it is.

    Examples
    --------
    >>> fade_out(np.ones((1, 9)), stop=6, n_fade=3).round(3)
    array([[1.   , 1.   , 1.   , 0.854, 0.5  , 0.146]])
    """
    part = h[:, :stop].copy()
    start = stop - n_fade
    n = part.shape[-1] - start
    if h.shape[-1] > stop and n > 0:
        part[:, start:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, n + 1) / (n_fade + 1))
    return part


def tail_offset(h: Array, sr: int, *, tail_db: float, delay: int | None = None) -> int:
    """Return how many samples after the direct sound the rest of the response has fallen under `tail_db`.

    The smallest t such that the energy of all channels *after* sample delay + t is less than `tail_db` re the energy
    from `delay` on. So an impulse gives 0, and a label that ends with the dry sound ends t samples later with its tail.

    Parameters
    ----------
    h
        Shape (n_channels, n_samples).
    sr
        Rate in Hz.
    tail_db
        Below 0, in dB.
    delay
        Sample of the direct sound, if known; else `find_direct`.

    Returns
    -------
    offset
        0 … n_samples - delay - 1. A response whose noise hides `tail_db` is continued along its fitted decay.

    References
    ----------
    M. R. Schroeder, "New method of measuring reverberation time", JASA 37 (1965) 409-412: backward integration;
    ISO 3382-1:2009, 5.3.3: cut at the noise, with the missing tail added (`find_knee`); M. Guski, M. Vorländer,
    "Comparison of noise compensation methods", Acta Acustica u. Acustica 100 (2014) 320-327: and the noise subtracted.

    Examples
    --------
    >>> tail_offset(np.array([[0, 1, 0, 0.1, 0.0]]), 16000, tail_db=-30)
    2
    """
    if not tail_db < 0.0:
        raise ParameterError(f"tail_db is below 0 dB re the whole response, got {tail_db:g}")
    check_response(h)
    start = find_direct(h, sr) if delay is None else delay
    energy = np.square(h[:, start:]).sum(axis=0)
    size = max(1, sounding(energy))
    decay = find_knee(energy[:size], sr)
    left = decay.remaining(energy)
    limit = float(left[0]) * 10.0 ** (tail_db / 10.0)
    if decay.rest >= limit:
        return min(decay.knee - 1 + round(decay.tau * math.log(decay.rest / limit)), size - 1)
    under = left < limit
    return max(int(np.argmax(under)) if under.any() else decay.knee, 1) - 1
