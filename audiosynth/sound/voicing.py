"""Voices in a recording: short voiced stretches whose pitch glides, as syllables have them and machines have not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.dsp import resample

if TYPE_CHECKING:
    from audiosynth.clip import Array

SR: Final = 8000
BAND: Final = (150.0, 1500.0)
"""Hz in which periods are looked for: the first formants, above most rumble."""
PITCH: Final = (70.0, 400.0)
"""Hz, from low men to children."""
TALKERS: Final = 290.0
"""Hz; above it stand subharmonics of birds and whistles."""
FRAME, HOP = 400, 80
VOICED, ENDED = 0.8, 0.5
"""Correlation over a period inside a syllable, and where it ends."""
FIRST_PEAK: Final = 0.85
"""The shortest period whose peak comes so near to the highest is the pitch: multiples of it correlate as well."""
SYLLABLE: Final = (0.08, 0.9)
"""Seconds; engines and whales go on for longer."""
FEWEST: Final = 5
"""Voiced frames of a syllable."""
GLIDE: Final = 0.05
"""Octaves that a pitch moves in 10 ms at most."""
STEADY: Final = 0.8
"""Share of frames in which it does so."""
STANDS_OUT_DB: Final = 6.0
"""Level over the quiet quarter of the 3 s around it."""
AROUND: Final = 3.0


def syllables(y: Array, sr: int) -> int:
    """Return how many stretches of a sound are like voiced syllables, y of shape (n_samples,).

    Voiced for 80 ms to 0.9 s, the pitch between 70 and 290 Hz and gliding, 6 dB over the quiet parts around.

    Notes
    -----
    The correlation over a period, with the window's own taken out, is that of P. Boersma, "Accurate short-term analysis of the
    fundamental frequency and the harmonics-to-noise ratio of a sampled sound", Proc. Institute of Phonetic Sciences 17, 1993.

    Examples
    --------
    >>> t = np.arange(16000) / 8000
    >>> vowel = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 12))
    >>> syllables(vowel * (t % 0.5 < 0.25) + 1e-3 * np.sin(17 * t * t * 1e4), 8000), syllables(vowel, 8000)
    (4, 0)
    """
    import scipy.ndimage

    strength, pitch, level = _periods(y, sr)
    if not len(strength):
        return 0
    quiet = scipy.ndimage.percentile_filter(level, 25, size=int(AROUND * SR / HOP))
    ends = np.flatnonzero(np.diff(np.concatenate([[0], (strength > ENDED).astype(int), [0]]))).reshape(-1, 2)
    long_enough = [e for e in ends.tolist() if SYLLABLE[0] <= (e[1] - e[0]) * HOP / SR <= SYLLABLE[1]]
    return sum(_is_syllable(strength[a:b], pitch[a:b], (level - quiet)[a:b]) for a, b in long_enough)


def _is_syllable(strength: Array, pitch: Array, over_db: Array) -> bool:
    at = np.flatnonzero(strength > VOICED)
    if len(at) < FEWEST or np.median(pitch[at]) > TALKERS or np.median(over_db[at]) < STANDS_OUT_DB:
        return False
    step = np.abs(np.diff(np.log2(pitch[at])))[np.diff(at) == 1]
    return len(step) >= FEWEST - 1 and bool(np.mean(step < GLIDE) >= STEADY)


def _periods(y: Array, sr: int) -> tuple[Array, Array, Array]:
    """Return correlation over a period, pitch in Hz and level in dB of frames 100 a second, each (n_frames,)."""
    import scipy.signal

    y = resample(y[None], sr_in=sr, sr_out=SR)[0] if sr != SR else y
    if len(y) < FRAME:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    y = scipy.signal.sosfilt(scipy.signal.butter(4, BAND, "band", fs=SR, output="sos"), y)
    frames = np.lib.stride_tricks.sliding_window_view(y, FRAME)[::HOP]
    first, last = int(SR / PITCH[1]), int(SR / PITCH[0])
    window = np.hanning(FRAME)
    parts = [_correlation(frames[i : i + 1024] * window)[:, : last + 2] for i in range(0, len(frames), 1024)]
    r = np.concatenate(parts)
    own = _correlation(window[None])[0, : last + 2]
    c = r / np.maximum(r[:, :1], 1e-20) / (own / own[0])
    middle = c[:, first : last + 1]
    peak = (middle >= c[:, first - 1 : last]) & (middle >= c[:, first + 1 : last + 2])
    top = np.where(peak, middle, 0.0).max(axis=1)
    lag = first + np.argmax(peak & (middle >= FIRST_PEAK * top[:, None]), axis=1)
    return top, SR / lag, 10.0 * np.log10(r[:, 0] + 1e-12 * float(r[:, 0].max()) + 1e-30)


def _correlation(frames: Array) -> Array:
    n = 1024
    return np.asarray(np.fft.irfft(np.abs(np.fft.rfft(frames, n, axis=1)) ** 2, axis=1))
