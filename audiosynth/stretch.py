"""Changing how long a sound lasts without its pitch, in float64 that comes out alike on every machine.

The sound is parted softly into what lasts and what strikes [1]_. What lasts goes through a phase vocoder: spectral
peaks carry the phase and the bins around a peak turn with it (identity phase locking [2]_). The turn is measured on
two frames exactly one output hop apart [3]_, so no phase is ever unwrapped. What strikes is moved whole, in pieces of
a few milliseconds. All channels share mask, peaks and turns, so the phases between channels stay as they are.

Two choices compare floats. Peaks are picked on energies rounded to 32 bits of mantissa, so that the ties a signal has
by structure (the flat spectrum of a click, silence) fall the same way everywhere; where a near-tie did flip, both
candidates lie in one main lobe and turn alike. Whether a peak is new compares two energies with a ratio that no
structure hits. Both are stable as the turn of a peak only ever adds the phases measured there: rounding does not grow.
The parting mask is a smooth function, without a threshold.

References
----------
.. [1] J. Driedger, M. Müller, S. Ewert, "Improving time-scale modification of music signals using harmonic-percussive
   separation", IEEE Signal Processing Letters 21(1), 2014. Means of logarithms stand here in place of medians.
.. [2] J. Laroche, M. Dolson, "Improved phase vocoder time-scale modification of audio", IEEE Transactions on Speech
   and Audio Processing 7(3), 1999.
.. [3] M. Puckette, "Phase-locked vocoder", IEEE ASSP Workshop on Applications of Signal Processing to Audio, 1995.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

    Complex = npt.NDArray[np.complex128]
    Ints = npt.NDArray[np.int64]

RATE_GRID: Final = 1_000_000
RATE_LIMITS: Final = (Fraction(1, 8), Fraction(8))

# Chosen by the measurements of tests/bench/stretch_quality.py, which also compares other ways and libraries.
FRAME_S: Final = 0.050
"""Shortest frame of the vocoder: resolves voices and chords down to about 60 Hz."""
STRIKE_S: Final = 0.004
"""Length of the pieces of what strikes; a strike is displaced by at most 0.6 of it times |1 - 1/rate|."""
LASTS_S: Final = 0.100
"""Span of the mean along time; longer than a frame, or a single strike fills it and seems to last."""
SPREADS_HZ: Final = 500.0
"""Span of the mean along frequency: what is even over that band strikes."""
STRIKES_ABOVE: Final = 4.0
"""Nepers of energy by which the mean over frequency must exceed the mean over time where the mask is one half."""
STEEPNESS: Final = 2.0  # of the mask, per neper
NEW_PEAK: Final = 0.0123
"""A peak whose energy rose by more than 1/this keeps the phase it came with."""

FLOOR: Final = 1e-12
"""Energy under the logarithm, relative to a full-level sine: what lies 120 dB down neither lasts nor strikes."""
BLOCK: Final = 256  # frames held in memory at a time


def rational(rate: float) -> Fraction:
    """Return `rate` on the grid of 1e-6, exactly."""
    return Fraction(round(rate * RATE_GRID), RATE_GRID)


def stretched_length(n_samples: int, *, rate: Fraction) -> int:
    """Return floor(n / rate + ½) in exact integers, at least 1."""
    return max(1, (2 * n_samples * rate.denominator + rate.numerator) // (2 * rate.numerator))


def time_stretch(y: Array, *, sr: int, rate: Fraction) -> Array:
    """Play a sound `rate` times as fast without changing its pitch.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples), any length from 1.
    sr
        Sampling rate in Hz; frames are set in seconds.
    rate
        2 is twice as fast and half as long, 1 gives an exact copy; 1/8 to 8.

    Returns
    -------
    stretched
        Shape (n_channels, `stretched_length`); what was at sample i is at i / rate, without delay.

    Raises
    ------
    ParameterError
        If the rate is outside its range or `y` is not two-dimensional with at least one sample.

    Examples
    --------
    >>> time_stretch(np.ones((2, 1000)), sr=8000, rate=Fraction(2)).shape
    (2, 500)
    """
    low, high = RATE_LIMITS
    if not low <= rate <= high:
        raise ParameterError(f"a stretch rate must be between {float(low)} and {float(high)}, got {float(rate)}")
    if y.ndim != 2 or y.shape[-1] < 1:
        raise ParameterError(f"expected samples of shape (n_channels, n_samples >= 1), got {y.shape}")
    if rate == 1:
        return np.array(y, dtype=np.float64)
    plan = _plan(y.shape[-1], sr=sr, rate=rate)
    peak = float(np.max(np.abs(y)))
    if peak == 0.0:
        return np.zeros((y.shape[0], plan.n_out))
    stretched, lasting = _vocode(y, plan=plan, floor=FLOOR * (peak * plan.size / 4) ** 2)
    return stretched + _move(y - lasting, plan=plan)


@dataclass(frozen=True)
class _Plan:
    """Where the frames lie: centred on sample `sources` of the input and `targets` of the output."""

    n_in: int
    n_out: int
    sr: int
    rate: Fraction
    size: int
    hop: int
    targets: Ints
    sources: Ints

    @property
    def n_lasts(self) -> int:
        """Frames, odd, that the mean along time spans."""
        return 2 * max(1, round(LASTS_S * self.sr / (self.hop * float(self.rate)) / 2)) + 1

    @property
    def n_spreads(self) -> int:
        """Bins, odd, that the mean along frequency spans."""
        return 2 * max(1, round(SPREADS_HZ * self.size / self.sr / 2)) + 1


def _plan(n_in: int, *, sr: int, rate: Fraction) -> _Plan:
    size = _frame_size(FRAME_S * sr)
    # A quarter frame or less on both sides, so that frames overlap enough in the input as well.
    hop = max(1, size // max(4, -(-4 * rate.numerator // rate.denominator)))
    n_out = stretched_length(n_in, rate=rate)
    reach = size // 2 // hop + 2
    targets = np.arange(-reach, -(-n_out // hop) + reach, dtype=np.int64) * hop
    return _Plan(n_in, n_out, sr, rate, size, hop, targets, _positions(targets, rate=rate))


def _positions(targets: Ints, *, rate: Fraction) -> Ints:
    """Return floor(target · rate + ½) in integers."""
    return (2 * targets * rate.numerator + rate.denominator) // (2 * rate.denominator)


def _frame_size(shortest: float) -> int:
    """Return the least 4, 5, 6 or 7 times a power of two that is no shorter: lengths with fast transforms."""
    size = 4
    while True:
        for factor in (4, 5, 6, 7):
            if size * factor >= shortest:
                return size * factor
        size *= 2


def _hann(n: int) -> Array:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n))


class _Track:
    """Samples with a margin of zeros on both sides, to read frames from and to add frames to."""

    def __init__(self, samples: Array, *, centres: Ints, size: int) -> None:
        self.size, self.n = size, samples.shape[-1]
        self.lead = 2 * size - min(0, int(centres[0]))
        trail = 2 * size + max(0, int(centres[-1]) - self.n)
        self.samples = np.pad(samples, ((0, 0), (self.lead, trail)))
        self.weights = np.zeros(self.samples.shape[-1])

    def read(self, centres: Ints) -> Array:
        """Return the frames around `centres`, shape (n_channels, n_frames, size)."""
        windows = np.lib.stride_tricks.sliding_window_view(self.samples, self.size, axis=-1)
        return np.asarray(windows[:, centres + (self.lead - self.size // 2)])

    def add(self, frames: Array, *, centres: Ints, weight: Array) -> None:
        """Add frames around `centres`, and what each weighs."""
        for i, start in enumerate((centres + (self.lead - self.size // 2)).tolist()):
            self.samples[:, start : start + self.size] += frames[:, i]
            self.weights[start : start + self.size] += weight

    def mean(self) -> Array:
        """Return the weighted mean of the frames added, without the margins."""
        inside = slice(self.lead, self.lead + self.n)
        return np.asarray(self.samples[:, inside] / self.weights[inside])


def _vocode(y: Array, *, plan: _Plan, floor: float) -> tuple[Array, Array]:
    """Return what lasts in the sound, stretched and as it was."""
    import scipy.fft

    window = _hann(plan.size)
    track = _Track(y, centres=plan.sources - plan.hop, size=plan.size)
    lasting = _Track(np.zeros_like(y), centres=plan.sources, size=plan.size)
    stretched = _Track(np.zeros((y.shape[0], plan.n_out)), centres=plan.targets, size=plan.size)
    half, n_frames = plan.n_lasts // 2, plan.targets.size
    turn = np.ones(plan.size // 2 + 1, dtype=np.complex128)
    for first in range(0, n_frames, BLOCK):
        last = min(first + BLOCK, n_frames)
        around = plan.sources[np.clip(np.arange(first - half, last + half), 0, n_frames - 1)]
        spectra = scipy.fft.rfft(track.read(around) * window)
        earlier = scipy.fft.rfft(track.read(plan.sources[first:last] - plan.hop) * window)
        energy = np.sum(spectra.real**2 + spectra.imag**2, axis=0)
        inside = slice(half, half + last - first)
        kept = spectra[:, inside] * _mask(energy, plan=plan, floor=floor)
        before = spectra[:, half - 1 : half - 1 + last - first]
        turns = _turns(before, earlier, energy=energy[inside], turn=turn)
        turn = turns[-1]
        frames = scipy.fft.irfft(np.stack((kept, kept * turns)), plan.size) * window
        lasting.add(frames[0], centres=plan.sources[first:last], weight=window**2)
        stretched.add(frames[1], centres=plan.targets[first:last], weight=window**2)
    return stretched.mean(), lasting.mean()


def _mask(energy: Array, *, plan: _Plan, floor: float) -> Array:
    """Return how far each bin lasts (1) rather than strikes (0), for the frames that have all neighbours in time."""
    loudness = np.log(energy + floor)
    half = plan.n_lasts // 2
    along_time = _running_mean(loudness, plan.n_lasts)
    mirrored = np.pad(loudness[half : len(loudness) - half].T, ((plan.n_spreads // 2,) * 2, (0, 0)), mode="symmetric")
    along_frequency = _running_mean(mirrored, plan.n_spreads).T
    return np.asarray(1 / (1 + np.exp(-STEEPNESS * (along_time - along_frequency + STRIKES_ABOVE))))


def _running_mean(rows: Array, width: int) -> Array:
    """Return the mean of every `width` successive rows; sums of 1, 2, 4, … rows, so no long sum gathers rounding."""
    n = len(rows) - width + 1
    total, done, power = np.zeros((n, *rows.shape[1:])), 0, rows
    for bit in range(width.bit_length()):
        if width >> bit & 1:
            total += power[done : done + n]
            done += 1 << bit
        power = power[: -(1 << bit)] + power[1 << bit :] if width >> (bit + 1) else power
    return np.asarray(total / width)


def _turns(before: Complex, earlier: Complex, *, energy: Array, turn: Complex) -> Complex:
    """Return the unit phasor that turns each bin of each frame; `turn` is that of the frame before the first.

    A peak of the frame at t goes on where the output left off, one hop ago at the previous frame as turned. So its turn
    is the one there, times the phase from `earlier` (the input one hop before t) to `before` (the previous frame).
    """
    n_frames, n_bins = energy.shape
    places, lengths = _peaks(energy)
    frame, k = np.divmod(places, n_bins)
    steps = np.sum(before[:, frame, k] * np.conj(earlier[:, frame, k]), axis=0)
    size = np.abs(steps)
    new = size <= NEW_PEAK * energy[frame, k]
    steps = np.where(new, 1.0, steps / np.where(new, 1.0, size))
    turns = np.empty((n_frames, n_bins), dtype=np.complex128)
    bounds = np.searchsorted(frame, np.arange(n_frames + 1)).tolist()
    for i in range(n_frames):
        mine = slice(bounds[i], bounds[i + 1])
        carried = np.where(new[mine], 1.0, turn[k[mine]])
        turn = np.repeat(carried * steps[mine], lengths[mine])
        turns[i] = turn
    return turns


def _peaks(energy: Array) -> tuple[Ints, Ints]:
    """Return the flat positions of the spectral peaks of every frame, and how many bins turn with each.

    A peak exceeds two neighbours on either side (the first of equals counts), so every frame has one.
    """
    n_frames, n_bins = energy.shape
    rounded = np.full((n_frames, n_bins + 4), -1, dtype=np.int64)
    rounded[:, 2:-2] = (np.ascontiguousarray(energy).view(np.int64) + (1 << 19)) >> 20
    centre = rounded[:, 2:-2]
    peak = (centre > rounded[:, 1:-3]) & (centre >= rounded[:, 3:-1])
    peak &= (centre > rounded[:, :-4]) & (centre >= rounded[:, 4:])
    places = np.flatnonzero(peak)
    frame = places // n_bins
    ends = np.append((places[1:] + places[:-1] + 1) // 2, n_frames * n_bins)
    final = np.append(frame[1:] != frame[:-1], True)
    ends = np.where(final, (frame + 1) * n_bins, ends)
    return places, np.diff(ends, prepend=0)


def _move(y: Array, *, plan: _Plan) -> Array:
    """Move short pieces whole to where time maps their middles.

    Overlap-add at even output steps, as in [1]_, would skip strikes (rate > 1) or repeat them (rate < 1).
    """
    taper = max(1, round(STRIKE_S * plan.sr / 5))
    step = 5 * taper
    centres = np.arange(-1, plan.n_in // step + 2, dtype=np.int64) * step
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(taper) + 0.5) / taper)
    window = np.concatenate((rise, np.ones(step - taper), rise[::-1]))
    pieces = _Track(y, centres=centres, size=window.size).read(centres) * window
    targets = _positions(centres, rate=1 / plan.rate)
    moved = _Track(np.zeros((y.shape[0], plan.n_out)), centres=targets, size=window.size)
    moved.add(pieces, centres=targets, weight=window)
    return np.asarray(moved.samples[:, moved.lead : moved.lead + plan.n_out])
