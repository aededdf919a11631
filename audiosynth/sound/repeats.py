"""How much of a recording is new: loops say the same thing again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.dsp import fft_size

if TYPE_CHECKING:
    from audiosynth.clip import Array

LOOKED_AT: Final = 60.0
"""Seconds at the start that are looked at."""
N_PROBES: Final = 24
PROBE: Final = 0.2
"""Seconds of a piece that is looked for elsewhere."""
SAME: Final = 0.95
"""Correlation of a piece with its copy: a loop whose period is no whole number of samples has a little less than 1."""
APART: Final = 0.1
"""Seconds between copies at least; what repeats faster than that is a tone."""
SOFT_DB: Final = 40.0
"""Pieces so far under the loudest are pauses and tell nothing."""


def new_share(y: Array, sr: int) -> float:
    """Return the share of a sound that is not a copy of something else in it, y of shape (n_samples,); 1 for all of it.

    Each of some pieces counts by one over the number of its copies, itself among them; their mean is the share of distinct
    pieces. Pieces that are tones, which are alike everywhere, count in full.

    Examples
    --------
    >>> from audiosynth.dice import gaussian_at
    >>> once = gaussian_at(1, start=0, n_samples=4000)
    >>> round(new_share(np.tile(once, 10), 8000), 2), new_share(np.repeat(once, 10), 8000)
    (0.1, 1.0)
    """
    y = y[: int(LOOKED_AT * sr)]
    n = int(PROBE * sr)
    if len(y) < 2 * n:
        return 1.0
    starts = np.linspace(0, len(y) - n, N_PROBES).astype(np.int64)
    energies = np.array([float(np.sum(y[s : s + n] ** 2)) for s in starts])
    loud = starts[energies > float(energies.max()) * 10.0 ** (-SOFT_DB / 10.0)]
    return float(np.mean([1.0 / copies for copies in _copies(y, loud, n, int(APART * sr))])) if len(loud) else 1.0


def _copies(y: Array, starts: Array, n: int, apart: int) -> list[int]:
    """Return how often each piece of n samples is found."""
    import scipy.fft
    import scipy.signal

    n_fft = fft_size(len(y) + n)
    spectrum = scipy.fft.rfft(y, n_fft)
    sums = np.concatenate([[0.0], np.cumsum(y * y)])
    norms = np.sqrt(np.maximum(sums[n:] - sums[:-n], 1e-12 * sums[-1] + 1e-30))
    counts = []
    for start in starts.tolist():
        piece = y[start : start + n]
        r = scipy.fft.irfft(spectrum * np.conj(scipy.fft.rfft(piece, n_fft)), n_fft)[: len(norms)]
        r /= norms * float(np.sqrt(np.sum(piece * piece)))
        near = np.abs(r[max(0, start - apart) : start + apart])
        # the rise to the piece itself ends where the correlation has gone; a tone comes back within a period
        at, _ = scipy.signal.find_peaks(near, height=SAME)
        found, _ = scipy.signal.find_peaks(np.concatenate([[0.0], r, [0.0]]), height=SAME, distance=apart)
        counts.append(1 if len(at) > 1 else max(1, len(found)))
    return counts
