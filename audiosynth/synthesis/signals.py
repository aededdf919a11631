"""What synthesizers share: oscillators, edges, envelopes, and fields most of them have. All pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final

import numpy as np
from pydantic import AfterValidator, Field

from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

_LN2: Final = 0.6931471805599453
_LN2_HIGH: Final = float.fromhex("0x1.62e42feep-1")
"""ln 2 to 33 bits, so that small multiples are exact; the rest is below (Cody and Waite 1980)."""
_LN2_LOW: Final = float.fromhex("0x1.a39ef35793c76p-33")
_SINE: Final = tuple(
    float(Fraction(-1) ** i * Fraction(2.0 * math.pi) ** (2 * i + 1) / math.factorial(2 * i + 1)) for i in range(12)
)
_EXPM1: Final = tuple(1.0 / math.factorial(i + 1) for i in range(15))
_ATANH: Final = tuple(2.0 / (2 * i + 1) for i in range(13))

MAX_SECONDS: Final = 3600.0
"""Longest single synthetic event; recipes may come from strangers."""

Duration = Annotated[
    float, Field(ge=0.001, le=MAX_SECONDS, description="Length of the sound", json_schema_extra={"unit": "s"})
]
Amplitude = Annotated[
    float,
    Field(gt=0, le=1, description="Factor on the waveform, whose peak is at most 1", json_schema_extra={"unit": ""}),
]
Fade = Annotated[
    float,
    Field(ge=0, le=60, description="Raised-cosine edge at each end; 0 for none", json_schema_extra={"unit": "s"}),
]
Seed = Annotated[
    int, Field(ge=0, lt=2**53, description="Key of the noise; filled by the plan", json_schema_extra={"unit": ""})
]


def _in_order(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    for (before, _), (time, _) in pairwise(points):
        if time <= before:
            raise ValueError(
                f"expected points in order of time, each later than the one before; got {before:g}, {time:g}"
            )
    return points


GainPoint = Annotated[
    tuple[Annotated[float, Field(ge=0, le=86_400)], Annotated[float, Field(ge=-120, le=120)]], Field(strict=False)
]
GainPoints = Annotated[
    tuple[GainPoint, ...],
    Field(
        min_length=1, max_length=1000, strict=False, description="[[time, gain in dB], …], in order of time",
        json_schema_extra={"unit": "s, dB"},
    ),
    AfterValidator(_in_order),
]  # fmt: skip


def times(n_samples: int, sr: int) -> Array:
    """Return the times 0, 1/sr, … of `n_samples` samples in seconds, shape (n_samples,)."""
    return np.arange(n_samples, dtype=np.float64) / sr


def sine(cycles: Array) -> Array:
    """Return sin(2π·cycles), the same bits on every machine, within 1e-15.

    Notes
    -----
    The sine, exponential and logarithm of libraries differ in the last bit between machines; in a phase of 10^5
    cycles that bit is 1e-10 of the waveform, enough to flip 16-bit samples. Sums, products and roundings do not
    differ (IEEE 754), so the three functions here are Taylor series of nothing else.

    Examples
    --------
    >>> sine(np.array([0.25, 1e6 + 0.75])).round(12)
    array([ 1., -1.])
    """
    part = cycles - np.rint(cycles)
    quarter = np.copysign(0.25 - np.abs(np.abs(part) - 0.25), part)
    return quarter * _horner(quarter * quarter, _SINE)


def expm1(x: Array) -> Array:
    """Return e^x - 1, the same bits on every machine, within 1e-15 of e^x.

    Examples
    --------
    >>> bool(np.allclose(expm1(np.array([-3.0, 1e-9, 5.0])), np.expm1([-3.0, 1e-9, 5.0]), rtol=1e-14))
    True
    """
    k = np.rint(x / _LN2)
    rest = (x - k * _LN2_HIGH) - k * _LN2_LOW
    scale = np.ldexp(1.0, k.astype(np.int64))
    return np.asarray(scale * (rest * _horner(rest, _EXPM1)) + (scale - 1.0))


def log1p(x: Array) -> Array:
    """Return ln(1 + x) for x > -1, the same bits on every machine, within 1e-15 of its size or of 1e-15·x.

    Examples
    --------
    >>> bool(np.allclose(log1p(np.array([-0.9, 1e-9, 70.0])), np.log1p([-0.9, 1e-9, 70.0]), rtol=1e-14))
    True
    """
    mantissa, k = np.frexp(1.0 + x)
    low = mantissa < 0.5**0.5
    mantissa, k = np.where(low, 2.0 * mantissa, mantissa), k - low
    rest = np.where(k == 0, x, mantissa - 1.0)
    s = rest / (2.0 + rest)
    return np.asarray(s * _horner(s * s, _ATANH) + k * _LN2)


def _horner(x: Array, coefficients: tuple[float, ...]) -> Array:
    """Return Σ coefficients[i]·x^i; one operation at a time, so that no compiler can fuse two."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total *= x
        total += coefficient
    return total


def accumulated(frequency: Array, sr: int) -> Array:
    """Return the phase in cycles at samples 0, 1, …, for a frequency in Hz given *between* samples, at (n + ½)/sr.

    Notes
    -----
    The midpoint rule: its error is f''/(24 sr²) cycles a second, 1e-8 for any vibrato a voice can make.

    Examples
    --------
    >>> accumulated(np.array([1.0, 1.0, 2.0]), 4)
    array([0.  , 0.25, 0.5 ])
    """
    cycles = np.zeros(frequency.shape[-1])
    np.cumsum(frequency[:-1] / sr, out=cycles[1:])
    return cycles


def rise(u: Array) -> Array:
    """Return the raised cosine that goes from 0 at u ≤ 0 to 1 at u ≥ 1.

    Examples
    --------
    >>> rise(np.array([-1.0, 0.5, 2.0])).round(12)
    array([0. , 0.5, 1. ])
    """
    return sine(0.25 * np.clip(u, 0.0, 1.0)) ** 2


def edges(n_samples: int, sr: int, *, fade: float) -> Array:
    """Return a window of ones with raised-cosine ends of `fade` seconds, shape (n_samples,), symmetric.

    Examples
    --------
    >>> edges(6, 2, fade=1.0).round(3)
    array([0.146, 0.854, 1.   , 1.   , 0.854, 0.146])
    """
    window = np.ones(n_samples)
    if fade > 0:
        n_edge = min(n_samples, int(np.ceil(fade * sr)))
        ramp = rise((times(n_edge, sr) + 0.5 / sr) / fade)
        window[:n_edge] *= ramp
        window[n_samples - n_edge :] *= ramp[::-1]
    return window


def adsr(
    n_samples: int, sr: int, *, attack: float, decay: float = 0.0, sustain: float = 1.0, release: float = 0.0
) -> Array:
    """Return an envelope: up to 1 in `attack` s, down to `sustain` in `decay` s, to 0 in the last `release` s.

    Parameters
    ----------
    n_samples, sr
        Length in samples, rate in Hz.
    attack, decay, release
        Seconds; each is a raised cosine, so that no corner clicks.
    sustain
        Level between decay and release, 0 to 1.

    Returns
    -------
    envelope
        Shape (n_samples,), within [0, 1].

    Examples
    --------
    >>> adsr(8, 1, attack=2, decay=2, sustain=0.5, release=2).round(2)
    array([0.15, 0.85, 0.93, 0.57, 0.5 , 0.5 , 0.43, 0.07])
    """
    t = times(n_samples, sr) + 0.5 / sr
    envelope = np.ones(n_samples)
    if attack > 0:
        envelope *= rise(t / attack)
    if sustain < 1:
        envelope *= 1.0 - (1.0 - sustain) * rise((t - attack) / max(decay, 0.5 / sr))
    if release > 0:
        envelope *= rise((n_samples / sr - t) / release)
    return envelope


def gain_curve(points: Sequence[tuple[float, float]], *, rate: float, start: int, n_samples: int) -> Array:
    """Return the factors of samples [start, start + n_samples) under a gain that goes in straight lines in decibels.

    Parameters
    ----------
    points
        (time, gain in dB), in order of time; before the first and after the last the gain stays.
    rate
        Samples in a unit of time.
    start, n_samples
        Which samples.

    Examples
    --------
    >>> gain_curve([(0.0, 0.0), (1.0, -40.0)], rate=2, start=0, n_samples=4).round(12)
    array([1.  , 0.1 , 0.01, 0.01])
    """
    time, gain_db = zip(*points, strict=True)
    db = np.interp(np.arange(start, start + n_samples, dtype=np.float64) / rate, time, gain_db)
    return 1.0 + expm1(db * (math.log(10.0) / 20.0))


def require_fit(duration: float, **parts: float) -> None:
    """Raise ValueError unless the named parts (seconds) fit into `duration` one after the other."""
    # half a microsecond of mercy: 0.1 + 0.2 fits into 0.3
    if sum(parts.values()) > duration + 0.5e-6:
        named = ", ".join(f"{name} {value:g}" for name, value in parts.items() if value)
        raise ValueError(f"{named} s do not fit into duration {duration:g} s; shorten them or lengthen the sound")


def require_below_nyquist(sr: int, **frequencies: float) -> None:
    """Raise unless every named frequency is below sr/2.

    Raises
    ------
    ParameterError
        Naming the frequency and the rate.
    """
    for name, value in frequencies.items():
        if value >= sr / 2:
            raise ParameterError(
                f"expected {name} below half the sampling rate ({sr / 2:g} Hz at sr {sr}), got {value:g} Hz; "
                f"lower {name} or raise sr"
            )
