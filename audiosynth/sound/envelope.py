"""The spectral envelope of sound, moved along the frequency axis: formants without pitch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.synthesis.signals import expm1, log1p, sine

if TYPE_CHECKING:
    from audiosynth.clip import Array

FRAME_S: Final = 0.032
"""Frame in seconds: two periods of the lowest voice (65 Hz) at the least."""
OVERLAP: Final = 4
LIFTER_S: Final = 0.0022
"""Quefrency up to which the cepstrum is envelope; voices up to 450 Hz have their harmonics above it."""
ROUNDS: Final = 12
"""Rounds in which the envelope is raised to the peaks between which the cepstrum alone sags."""
FLOOR: Final = 1e-10
"""Power under the logarithm, against the frame's loudest bin: 100 dB below it nothing is a formant."""
MOST_LN: Final = 2.8
"""Largest change of a bin's amplitude, as a logarithm: 24 dB."""


def shift_formants(y: Array, *, sr: int, ratio: float) -> Array:
    """Return sound whose spectral envelope is stretched by `ratio` along frequency, its pitch and length kept.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples).
    sr
        Rate in Hz.
    ratio
        Factor on the formants' frequencies.

    Returns
    -------
    moved
        Same shape.

    Notes
    -----
    Each frame is filtered by the quotient of the envelope read at f / ratio and the envelope at f. The envelope is the
    cepstrum up to `LIFTER_S`, raised to the harmonics' peaks in rounds: the "true envelope" of Röbel & Rodet (2005,
    "Efficient spectral envelope estimation and its application to pitch shifting and envelope preservation"). Frames are
    weighted by a Hann window before and after.

    Examples
    --------
    >>> bool(np.allclose(shift_formants(np.ones((1, 500)), sr=8000, ratio=1.0), 1.0))
    True
    """
    size = 1 << max(6, int(FRAME_S * sr - 1).bit_length())
    hop = size // OVERLAP
    window = 0.5 - 0.5 * sine(np.arange(size) / size + 0.25)
    n = y.shape[-1]
    padded = np.pad(y, ((0, 0), (size, size + hop)))
    starts = np.arange(0, n + size + 1, hop)
    out = np.zeros(padded.shape)
    weight = np.zeros(padded.shape[-1])
    for a in starts:
        frame = padded[:, a : a + size] * window
        out[:, a : a + size] += _moved(frame, sr=sr, ratio=ratio) * window
        weight[a : a + size] += window * window
    return np.asarray(out[:, size : size + n] / weight[size : size + n])


def _moved(frame: Array, *, sr: int, ratio: float) -> Array:
    """Return one frame with its envelope moved."""
    import scipy.fft

    size = frame.shape[-1]
    spectrum = scipy.fft.rfft(frame)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    peak = power.max(axis=-1, keepdims=True)
    if not np.any(peak > 0.0):
        return frame
    level = 0.5 * log1p(power / np.where(peak > 0.0, peak, 1.0) + FLOOR - 1.0)
    keep = max(2, int(LIFTER_S * sr))
    raised = envelope = level
    for _ in range(ROUNDS):
        cepstrum = scipy.fft.irfft(raised, size)
        cepstrum[:, keep + 1 : size - keep] = 0.0
        envelope = scipy.fft.rfft(cepstrum).real
        raised = np.maximum(raised, envelope)
    bins = np.arange(envelope.shape[-1], dtype=np.float64)
    moved = np.stack([np.interp(bins / ratio, bins, row) for row in envelope])
    gain = 1.0 + expm1(np.clip(moved - envelope, -MOST_LN, MOST_LN))
    return np.asarray(scipy.fft.irfft(spectrum * gain, size))
