"""Second-order shelves and peaks, and Butterworth filters, as second-order sections.

References
----------
.. [1] R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients"; W3C Working Group Note
   "Audio EQ Cookbook", 2021.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from audiosynth.clip import Array

PASSES: Final = {"lowpass": "low", "highpass": "high", "bandpass": "bandpass", "bandstop": "bandstop"}
"""Kinds that are Butterworth filters, with the words of `scipy.signal.butter`."""


@lru_cache(maxsize=256)
def butterworth(kind: str, edges: tuple[float, ...], *, order: int, sr: int) -> Array:
    """Return the sections of a Butterworth filter: -3.01 dB at every edge, 6·order dB per octave beyond it.

    Parameters
    ----------
    kind
        `lowpass`, `highpass`, `bandpass` or `bandstop`.
    edges
        One or two frequencies in Hz, below sr / 2.
    order
        Order of each slope.
    sr
        Sampling rate in Hz.
    """
    import scipy.signal

    edge = edges[0] if len(edges) == 1 else list(edges)
    sections = np.asarray(scipy.signal.butter(order, edge, PASSES[kind], fs=sr, output="sos"))
    sections.flags.writeable = False  # kept, as designing costs as much as filtering some seconds
    return sections


def bandwidth_term(frequency: float, *, sr: int, gain_db: float, q: float | None, slope: float | None) -> float:
    """Return the cookbook's α from Q, or from the shelf slope S where one is given."""
    sine = math.sin(2 * math.pi * frequency / sr)
    if slope is None:
        return sine / (2 * (math.sqrt(0.5) if q is None else q))
    a = 10 ** (gain_db / 40)
    return sine / 2 * math.sqrt((a + 1 / a) * (1 / slope - 1) + 2)


def equalizer(kind: str, frequency: float, *, gain_db: float, alpha: float, sr: int) -> Array:
    """Return the one section of a `peaking`, `lowshelf` or `highshelf` filter of the cookbook.

    Examples
    --------
    >>> equalizer("peaking", 1000.0, gain_db=0.0, alpha=0.1, sr=16000)[0, :3].round(3)
    array([ 1.   , -1.68 ,  0.818])
    """
    a = 10 ** (gain_db / 40)
    cosine = math.cos(2 * math.pi * frequency / sr)
    if kind == "peaking":
        b = (1 + alpha * a, -2 * cosine, 1 - alpha * a)
        d = (1 + alpha / a, -2 * cosine, 1 - alpha / a)
        return _section(b, d)
    # A high shelf is a low shelf mirrored in frequency: cosines change sign, and so do the odd coefficients.
    m = 1.0 if kind == "lowshelf" else -1.0
    c, root = m * cosine, 2 * math.sqrt(a) * alpha
    b = (
        a * ((a + 1) - (a - 1) * c + root),
        m * 2 * a * ((a - 1) - (a + 1) * c),
        a * ((a + 1) - (a - 1) * c - root),
    )
    d = (
        (a + 1) + (a - 1) * c + root,
        m * -2 * ((a - 1) + (a + 1) * c),
        (a + 1) + (a - 1) * c - root,
    )
    return _section(b, d)


def _section(b: tuple[float, float, float], a: tuple[float, float, float]) -> Array:
    return np.array([[b[0] / a[0], b[1] / a[0], b[2] / a[0], 1.0, a[1] / a[0], a[2] / a[0]]])


def run(y: Array, sections: Array) -> Array:
    """Return `y` filtered along time from rest, same length."""
    import scipy.signal

    return np.asarray(scipy.signal.sosfilt(np.array(sections), y, axis=-1))
