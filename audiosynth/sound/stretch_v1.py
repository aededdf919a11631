"""Changing how long a sound lasts without its pitch; version 1, as rows of old manifests have it.

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

import importlib
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.sound.stretch import require_stretchable, stretched_length

if TYPE_CHECKING:
    from audiosynth.clip import Array

    Complex = npt.NDArray[np.complex128]
    Ints = npt.NDArray[np.int64]

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
BLOCK: Final = 32  # frames at a time: they stay in the cache


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
    require_stretchable(y, rate=rate)
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
        self.samples = np.zeros((samples.shape[0], self.lead + self.n + trail))
        self.samples[:, self.lead : self.lead + self.n] = samples

    def starts(self, centres: Ints) -> Ints:
        """Return where the frames around `centres` begin."""
        return centres + (self.lead - self.size // 2)

    def read(self, centres: Ints, window: Array) -> Array:
        """Return the frames around `centres` under a window, shape (n_channels, n_frames, size)."""
        out = np.empty((self.samples.shape[0], centres.size, self.size))
        _kernel().gather(self.samples, self.starts(centres), window, out)
        return out

    def add(self, frames: Array, *, centres: Ints, window: Array) -> None:
        """Add frames around `centres` under a window."""
        _kernel().add(self.samples, self.starts(centres), window, frames)

    def inside(self) -> Array:
        """Return the sum of what was added, without the margins."""
        return self.samples[:, self.lead : self.lead + self.n]

    def mean(self, centres: Ints, window: Array) -> Array:
        """Return the mean of the frames that were added around `centres`, by the squares of the window."""
        weights = np.zeros(self.samples.shape[-1])
        _kernel().weigh(weights, self.starts(centres), window)
        return np.asarray(self.inside() / weights[self.lead : self.lead + self.n])


def _pairs(z: npt.NDArray[np.complex128]) -> Array:
    """Return complex numbers as pairs along a last axis."""
    return z.view(np.float64).reshape(*z.shape, 2)


def _kernel() -> Any:
    """Return the compiled loops, loaded when they are first needed."""
    return importlib.import_module("audiosynth.sound.stretch_v1_kernel")  # waits where another thread is loading them


def _vocode(y: Array, *, plan: _Plan, floor: float) -> tuple[Array, Array]:
    """Return what lasts in the sound, stretched and as it was.

    A peak of the frame at t goes on where the output left off, one hop ago at the previous frame as turned. So its turn is
    the one there, times the phase from the input one hop before t to the previous frame.
    """
    import scipy.fft

    window = _hann(plan.size)
    track = _Track(y, centres=plan.sources - plan.hop, size=plan.size)
    lasting = _Track(np.zeros_like(y), centres=plan.sources, size=plan.size)
    stretched = _Track(np.zeros((y.shape[0], plan.n_out)), centres=plan.targets, size=plan.size)
    half, n_frames = plan.n_lasts // 2, plan.targets.size
    around = plan.sources[np.clip(np.arange(-half, n_frames + half), 0, n_frames - 1)]
    turn = np.array([[1.0], [0.0]]).repeat(plan.size // 2 + 1, axis=1)
    seen: list[npt.NDArray[Any]] = []
    for first in range(0, n_frames, BLOCK):
        last = min(first + BLOCK, n_frames)
        seen = _seen(track, around[first : last + 2 * half], window, floor, seen, 2 * half)
        spectra, energy, loudness = seen
        earlier = scipy.fft.rfft(track.read(plan.sources[first:last] - plan.hop, window))
        struck = np.empty((last - first, turn.shape[1]))
        _kernel().contrast(loudness, plan.n_lasts, plan.n_spreads, struck)
        struck += STRIKES_ABOVE
        struck *= -STEEPNESS
        np.exp(struck, out=struck)
        kept = np.empty((2, *earlier.shape), dtype=np.complex128)
        _kernel().turn_frames(_pairs(spectra), half, _pairs(earlier), energy, struck, turn, NEW_PEAK, _pairs(kept))
        frames = scipy.fft.irfft(kept, plan.size)
        lasting.add(frames[0], centres=plan.sources[first:last], window=window)
        stretched.add(frames[1], centres=plan.targets[first:last], window=window)
    return stretched.mean(plan.targets, window), lasting.mean(plan.sources, window)


def _seen(
    track: _Track, centres: Ints, window: Array, floor: float, before: list[npt.NDArray[Any]], overlap: int
) -> list[npt.NDArray[Any]]:
    """Return the spectra of frames, the energy of their bins over all channels, and its logarithm.

    The first `overlap` frames are the last ones of the block `before`, if there was one.
    """
    import scipy.fft

    spectra = scipy.fft.rfft(track.read(centres[overlap if before else 0 :], window))
    energy, loudness = np.empty(spectra.shape[1:]), np.empty(spectra.shape[1:])
    _kernel().energies(spectra, floor, energy, loudness)
    np.log(loudness, out=loudness)
    fresh = [spectra, energy, loudness]
    if not before:
        return fresh
    return [np.concatenate((a[..., -overlap:, :], b), axis=-2) for a, b in zip(before, fresh, strict=True)]


def _move(y: Array, *, plan: _Plan) -> Array:
    """Move short pieces whole to where time maps their middles.

    Overlap-add at even output steps, as in [1]_, would skip strikes (rate > 1) or repeat them (rate < 1).
    """
    taper = max(1, round(STRIKE_S * plan.sr / 5))
    step = 5 * taper
    centres = np.arange(-1, plan.n_in // step + 2, dtype=np.int64) * step
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(taper) + 0.5) / taper)
    window = np.concatenate((rise, np.ones(step - taper), rise[::-1]))
    pieces = _Track(y, centres=centres, size=window.size).read(centres, window)
    targets = _positions(centres, rate=1 / plan.rate)
    moved = _Track(np.zeros((y.shape[0], plan.n_out)), centres=targets, size=window.size)
    moved.add(pieces, centres=targets, window=np.ones(window.size))
    return moved.inside()
