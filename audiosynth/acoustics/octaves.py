"""One octave band of a response, without phase, for measuring it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.acoustics.materials import OCTAVES
from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

SLOPE_OCTAVES: Final = 0.25
"""Half the width of a band's flanks: flat within a quarter octave of the centre, nothing beyond three quarters."""
LEAD_PERIODS: Final = 8.0
"""Zeros around a response before it is filtered, in reciprocals of the bandwidth: the filter's tails die in them."""


def bands_of(sr: int, centres: Sequence[float] = OCTAVES) -> tuple[float, ...]:
    """Return the octaves that lie wholly below half the rate.

    Examples
    --------
    >>> bands_of(16000)
    (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
    """
    return tuple(centre for centre in centres if centre * math.sqrt(2.0) <= sr / 2)


def bandwidth(centre: float) -> float:
    """Return the width of an octave in Hz: its centre over the square root of two."""
    return centre / math.sqrt(2.0)


def octave(h: Array, centre: float, *, sr: int) -> tuple[Array, int]:
    """Return one octave of a response, without phase, and by how many samples it starts earlier.

    Half-cosine flanks of half an octave, -3.01 dB at the edges: the energies of neighbouring bands add up to the whole.

    Parameters
    ----------
    h
        Shape (n_channels, n_samples).
    centre
        In Hz.
    sr
        Rate in Hz.

    Returns
    -------
    band
        Shape (n_channels, n_samples + 2·lead): the filter rings before the sound as it does after it.
    lead
        Sample `lead` of `band` is sample 0 of `h`.

    Raises
    ------
    ParameterError
        If the octave does not lie wholly below half the rate.
    """
    import scipy.fft

    if centre <= 0 or not bands_of(sr, (centre,)):
        raise ParameterError(f"the octave at {centre:g} Hz reaches beyond half of {sr} Hz; measure a lower one")
    lead = math.ceil(LEAD_PERIODS * sr / bandwidth(centre))
    n = h.shape[-1] + 2 * lead
    n_fft = int(scipy.fft.next_fast_len(n, real=True))
    frequency: Array = np.arange(n_fft // 2 + 1, dtype=np.float64) * (sr / n_fft)
    share = _step(frequency, centre * math.sqrt(0.5)) - _step(frequency, centre * math.sqrt(2.0))
    padded = np.zeros((h.shape[0], n))
    padded[:, lead : lead + h.shape[-1]] = h
    spectrum = scipy.fft.rfft(padded, n_fft) * np.sqrt(np.maximum(share, 0.0))
    return np.asarray(scipy.fft.irfft(spectrum, n_fft)[:, :n]), lead


def _step(frequency: Array, edge: float) -> Array:
    """Return the half-cosine step from 0 to 1, over a quarter octave on either side of `edge`."""
    octaves = np.log2(np.maximum(frequency, 1e-6) / edge)
    return np.asarray(0.5 + 0.5 * np.sin(0.5 * np.pi * np.clip(octaves / SLOPE_OCTAVES, -1.0, 1.0)))
