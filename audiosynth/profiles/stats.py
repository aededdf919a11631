"""What a noise profile keeps of a sound, measured: third-octave levels, how they waver, lines, impulses, tonality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from audiosynth.profiles.profile import CENTRES
from audiosynth.synthesis import signals

if TYPE_CHECKING:
    from audiosynth.clip import Array

GROUPS: Final = ((0.0, 300.0), (300.0, 2500.0), (2500.0, 24_000.0))
"""Bands whose levels are followed together, in Hz."""
RATES: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Octaves of modulation in Hz."""
FRAME_HZ: Final = 64
TOP: Final = 0.45
"""Of the sampling rate: what lies above is the recorder's filter."""
PERIODS: Final = 3.0
"""Fewest periods of a modulation that a recording must hold to know its depth."""
LINE_DB: Final = 10.0
"""A line stands out of its neighbours by so much, in windows of 1 s, half of the time at least."""
MEDIAN_BIAS: Final = float(np.log(2.0))
"""Medians of noise are made up for by 1/ln 2, which steady lines do not need."""
MAX_LINES: Final = 16
IMPULSE_DB: Final = 12.0
"""An impulse stands out of the second around it by so much."""
HOP: Final = 0.0025
PEAK_DB: Final = 13.0
"""Bins of noise pass their neighbours' median by so much once in 10⁶."""


class Stats(NamedTuple):
    """Measured statistics.

    Attributes
    ----------
    bands
        (centre in Hz, level in dB re the whole) up to 0.45 of the rate.
    modulation
        Standard deviation of levels in dB, shape (n_groups, n_rates); NaN where the sound is too short for a rate.
    crest_db
        Peak over RMS.
    sr, seconds
        Rate in Hz and length of the sound that was measured.
    """

    bands: tuple[tuple[float, float], ...]
    modulation: Array
    crest_db: float
    sr: int
    seconds: float


def mean(many: Sequence[Stats]) -> Stats:
    """Return the mean of statistics of equally long sounds: of powers in bands, of the rest in dB."""
    bands = [
        (f, 10.0 * float(np.log10(np.mean([10.0 ** (one.bands[i][1] / 10.0) for one in many]))))
        for i, (f, _) in enumerate(many[0].bands)
    ]
    modulations = np.mean([one.modulation for one in many], axis=0)
    return many[0]._replace(
        bands=tuple(bands), modulation=modulations, crest_db=float(np.mean([one.crest_db for one in many]))
    )


def measure(y: Array, sr: int, *, stretch: float | None = None) -> Stats:
    """Measure a mono sound, shape (n_samples,); the crest factor of `stretch` seconds at a time if given, their mean.

    The longer noise lasts, the higher its highest peak: what is compared has to be equally long.
    """
    # hard ends would leak from the lows into highs 90 dB below them
    power = np.abs(_rfft(y * signals.edges(len(y), sr, fade=min(0.25, 0.1 * len(y) / sr)))) ** 2
    power[1:-1] *= 2.0
    frequency: Array = np.arange(len(power), dtype=np.float64) * (sr / len(y))
    bands = _thirds(power, frequency, sr)
    n = len(y) if stretch is None else min(len(y), int(stretch * sr))
    parts = y[: len(y) // n * n].reshape(-1, n)
    crest = 20.0 * np.log10(np.max(np.abs(parts), axis=1) / np.sqrt(np.mean(parts * parts, axis=1)))
    return Stats(tuple(bands), modulation(y, sr), float(np.mean(crest)), sr, len(y) / sr)


def _thirds(power: Array, frequency: Array, sr: int) -> list[tuple[float, float]]:
    """Return (centre, level in dB re the whole) of third octaves up to 0.45 of the rate."""
    edge = 10.0**0.05
    whole = float(power[frequency >= CENTRES[0] / edge].sum())
    bands = []
    for centre in CENTRES:
        exact = 1000.0 * 10.0 ** (round(10.0 * float(np.log10(centre / 1000.0))) / 10.0)
        if exact * edge > TOP * sr:
            break
        a, b = np.searchsorted(frequency, [exact / edge, exact * edge])
        bands.append((centre, 10.0 * float(np.log10(max(float(power[a:b].sum()) / whole, 1e-12)))))
    return bands


def modulation(y: Array, sr: int) -> Array:
    """Return how levels waver, in dB, per group of bands and octave of rates, shape (n_groups, n_rates)."""
    spectrum = _rfft(y)
    frequency = np.arange(len(spectrum)) * (sr / len(y))
    out = np.full((len(GROUPS), len(RATES)), np.nan)
    for g, (low, high) in enumerate(GROUPS):
        if low >= TOP * sr:
            continue
        inside = (frequency >= max(low, 20.0)) & (frequency < min(high, TOP * sr))
        level = levels(_irfft(spectrum * inside, len(y)), sr)
        n = len(level)
        deviation = np.abs(_rfft(level - level.mean())) ** 2 * (2.0 / n**2)
        rate = np.arange(len(deviation)) * (FRAME_HZ / n)
        for r, centre in enumerate(RATES):
            if n / FRAME_HZ * centre >= PERIODS:
                octave = (rate >= centre / 2**0.5) & (rate < centre * 2**0.5)
                out[g, r] = float(np.sqrt(deviation[octave].sum()))
    return out


def levels(y: Array, sr: int) -> Array:
    """Return the level of frames 64 a second in dB, not below 60 dB under the mean, shape (n_frames,)."""
    edges = (np.arange(int(len(y) / sr * FRAME_HZ) + 1) * (sr / FRAME_HZ)).astype(np.int64)
    sums = np.add.reduceat(y * y, np.minimum(edges[:-1], len(y) - 1)) / np.diff(edges)
    return np.asarray(10.0 * np.log10(np.maximum(sums, float(sums.mean()) * 1e-6) + 1e-30))


def lines(y: Array, sr: int) -> list[tuple[float, float]]:
    """Return (frequency, share of the whole power) of steady lines, the strongest first."""
    import scipy.ndimage
    import scipy.signal

    _, frames = scipy.signal.welch(y, sr, nperseg=sr, average="median")
    power = np.asarray(frames)
    # the median over an octave's sixth to each side, 31 Hz at least: a straight grid is near enough where lines live
    around = scipy.ndimage.median_filter(power, size=61, mode="nearest")
    found = []
    for i in scipy.signal.argrelmax(power, order=3)[0].tolist():
        if 20 < i < TOP * sr - 3 and power[i] > around[i] * 10.0 ** (LINE_DB / 10.0):
            a, b, c = np.log(power[i - 1 : i + 2] + 1e-300)
            shift = 0.5 * (a - c) / (a - 2.0 * b + c)
            share = float(np.sum(power[i - 2 : i + 3] - around[i - 2 : i + 3])) / float(np.mean(y * y))
            found.append((float(i + shift), max(share * MEDIAN_BIAS, 1e-9)))
    return sorted(found, key=lambda line: -line[1])[:MAX_LINES]


def impulses(y: Array, sr: int) -> dict[str, Any] | None:
    """Return rate, power, law and spectrum of impulses as a profile has them; None if there are hardly any."""
    import scipy.ndimage
    import scipy.signal

    hop = max(1, int(HOP * sr))
    power = np.add.reduceat(y * y, np.arange(0, len(y) - hop, hop)) / hop
    quiet = scipy.ndimage.median_filter(power, size=int(1.0 / HOP), mode="nearest") + 1e-20
    over = 10.0 * np.log10(np.maximum(power / quiet, 1e-9))
    at, _ = scipy.signal.find_peaks(over, height=IMPULSE_DB, distance=int(0.04 / HOP))
    seconds = len(y) / sr
    if len(at) < max(5, 0.1 * seconds):
        return None
    span = int(0.25 / HOP)
    heights = np.sqrt(power[at])
    energy, falls = 0.0, []
    for i in at.tolist():
        part = np.maximum(power[i : i + span] - quiet[i : i + span], 0.0)
        below = np.flatnonzero(part < 0.01 * power[i])
        stop = int(below[0]) if len(below) else len(part)
        energy += float(part[: max(stop, 1)].sum())
        falls.append(3.0 * max(stop, 1) * HOP)
    low = float(np.percentile(heights, 5))
    ratio = np.log(np.maximum(heights / low, 1.0 + 1e-9))
    return {
        "rate": float(np.clip(len(at) / seconds, 0.05, 60.0)),
        "level_db": float(np.clip(10.0 * np.log10(energy / float(power.sum())), -40.0, -3.0)),
        # Hill's estimate of the exponent of a power law
        "exponent": float(np.clip(1.0 / np.mean(ratio), 0.4, 5.0)),
        "range_db": float(np.clip(20.0 * np.log10(heights.max() / low), 3.0, 50.0)),
        "t60": float(np.clip(np.median(falls), 0.01, 0.4)), "bands": _spectrum(y, sr, at * hop),
    }  # fmt: skip


def _spectrum(y: Array, sr: int, starts: Array) -> list[list[float]]:
    """Return third-octave levels of stretches of 50 ms."""
    n = int(0.05 * sr)
    kept = [y[int(s) : int(s) + n] for s in starts if int(s) + n <= len(y)][:500]
    power = np.mean([np.abs(np.fft.rfft(part * np.hanning(n), sr)) ** 2 for part in kept], axis=0)
    return [[f, level] for f, level in _thirds(power, np.arange(len(power), dtype=np.float64), sr)]


def tonal(y: Array, sr: int) -> float:
    """Return the share of frames most of whose power between 100 Hz and 5 kHz stands in peaks that come and go.

    Peaks: bins 13 dB above the median of their neighbours in windows of 64 ms; steady lines are not counted.
    """
    import scipy.ndimage
    import scipy.signal

    n = int(0.064 * sr)
    f, _, z = scipy.signal.stft(y, sr, nperseg=n, noverlap=n // 2)
    power = np.abs(z) ** 2
    inside = (f >= 100.0) & (f <= 5000.0)
    for line, _ in lines(y, sr):
        inside &= np.abs(f - line) > 40.0
    around = scipy.ndimage.median_filter(power, size=(15, 1), mode="nearest")
    peaks = (power > around * 10.0 ** (PEAK_DB / 10.0)) & inside[:, None]
    spread = scipy.ndimage.binary_dilation(peaks, structure=np.ones((3, 1)))
    total = power[inside].sum(axis=0) + 1e-20
    share = (power * (spread & inside[:, None])).sum(axis=0) / total
    loud = total > 0.03 * np.percentile(total, 95)
    return float(np.mean((share > 0.5) & loud))


def _rfft(x: Array) -> Any:
    import scipy.fft

    return scipy.fft.rfft(x)


def _irfft(x: Any, n: int) -> Array:
    import scipy.fft

    return np.asarray(scipy.fft.irfft(x, n))
