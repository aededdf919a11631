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

import importlib
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

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
LEAST: Final = 1e-290
"""Energy under the logarithm at least: a normal number, however quiet a sound is."""


def rational(rate: float) -> Fraction:
    """Return `rate` on the grid of 1e-6, exactly."""
    return Fraction(round(rate * RATE_GRID), RATE_GRID)


def stretched_length(n_samples: int, *, rate: Fraction) -> int:
    """Return floor(n / rate + ½) in exact integers, at least 1."""
    return max(1, (2 * n_samples * rate.denominator + rate.numerator) // (2 * rate.numerator))


def require_stretchable(y: Array, *, rate: Fraction) -> None:
    """Refuse what no way of stretching takes.

    Raises
    ------
    ParameterError
        If the rate is outside its range or `y` is not two-dimensional with at least one sample.
    """
    low, high = RATE_LIMITS
    if not low <= rate <= high:
        raise ParameterError(f"a stretch rate must be between {float(low)} and {float(high)}, got {float(rate)}")
    if y.ndim != 2 or y.shape[-1] < 1:
        raise ParameterError(f"expected samples of shape (n_channels, n_samples >= 1), got {y.shape}")


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
    stretched, strikes = _vocode(y, plan=plan, floor=max(LEAST, FLOOR * (peak * plan.size / 4) ** 2))
    _move(strikes, plan=plan, out=stretched)
    return stretched


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
        return 2 * min(max(1, round(SPREADS_HZ * self.size / self.sr / 2)), self.size // 2) + 1


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


class _Track:
    """Samples with a margin of zeros on both sides, to read frames from and to add frames to."""

    def __init__(self, n_channels: int, n: int, *, centres: Ints, size: int) -> None:
        self.size, self.lead = size, 2 * size - min(0, int(centres[0]))
        self.whole = np.zeros((n_channels, self.lead + n + 2 * size + max(0, int(centres[-1]) - n)))
        self.inside = self.whole[:, self.lead : self.lead + n]

    def starts(self, centres: Ints) -> Ints:
        """Return where the frames around `centres` begin."""
        return centres + (self.lead - self.size // 2)

    @property
    def span(self) -> tuple[int, int]:
        """Where the samples are between the margins."""
        return self.lead, self.lead + self.inside.shape[1]


def _kernel(name: str) -> Any:
    """Return compiled loops, loaded when they are first needed."""
    return importlib.import_module(f"audiosynth.sound.{name}_kernel")  # waits where another thread is loading them


def _vocode(y: Array, *, plan: _Plan, floor: float) -> tuple[Array, _Track]:
    """Return what lasts in the sound, stretched, and what strikes as it was.

    A peak of the frame at t goes on where the output left off, one hop ago at the previous frame as turned. So its turn is
    the one there, times the phase from the input one hop before t to the previous frame.
    """
    kernel, tracks = _kernel("frames"), _kernel("tracks")
    sources, targets, silent = _heard(plan)
    mask = kernel.Mask(floor, plan.n_lasts, plan.n_spreads, STRIKES_ABOVE, STEEPNESS, NEW_PEAK)
    frames = kernel.frames_of(plan.size)
    track = _Track(y.shape[0], plan.n_in, centres=plan.sources - plan.hop, size=plan.size)
    track.inside[:] = y
    lasting = _Track(y.shape[0], plan.n_in, centres=plan.sources, size=plan.size)
    stretched = _Track(y.shape[0], plan.n_out, centres=plan.targets, size=plan.size)
    starts = (
        track.starts(sources), track.starts(sources - plan.hop), lasting.starts(sources), stretched.starts(targets),
    )  # fmt: skip
    _kernel("stretch").vocode(track.whole, starts, (frames, mask), silent, lasting.whole, stretched.whole)
    tracks.average(stretched.whole, starts[3], 2.0 * frames.read, stretched.span)
    tracks.average(lasting.whole, starts[2], 2.0 * frames.read, lasting.span)
    tracks.leave(track.whole, track.lead, lasting.whole, lasting.span)
    return stretched.inside, lasting


def _heard(plan: _Plan) -> tuple[Ints, Ints, tuple[bool, bool]]:
    """Return the frames that hold sound or are heard, and whether there were silent ones before and after them."""
    half = plan.size // 2
    within = (plan.sources > -half) & (plan.sources < plan.n_in + half)
    within |= (plan.targets > -half) & (plan.targets < plan.n_out + half)
    first, last = int(np.argmax(within)), within.size - int(np.argmax(within[::-1]))
    return plan.sources[first:last], plan.targets[first:last], (first > 0, last < within.size)


def _move(y: _Track, *, plan: _Plan, out: Array) -> None:
    """Add short pieces of `y` whole to where time maps their middles.

    Overlap-add at even output steps, as in [1]_, would skip strikes (rate > 1) or repeat them (rate < 1).
    """
    taper = max(1, round(STRIKE_S * plan.sr / 5))
    step = 5 * taper
    centres = np.arange(-1, plan.n_in // step + 2, dtype=np.int64) * step
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(taper) + 0.5) / taper)
    window = np.concatenate((rise, np.ones(step - taper), rise[::-1]))
    half = window.size // 2
    tracks = _kernel("tracks")
    tracks.move(y.whole, centres + (y.lead - half), window, _positions(centres, rate=1 / plan.rate) - half, out)
