"""Periodic sounds without aliases: fixed waveforms from a table of their partials, moving ones partial by partial.

Phases are in cycles of the fundamental. A partial fades out between 0.40 and 0.45 of the sampling rate, so that nothing
folds back and nothing switches off while a frequency glides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.synthesis import signals

if TYPE_CHECKING:
    import numpy.typing as npt

    from audiosynth.clip import Array

FULL: Final = 0.40
"""Partials below this fraction of the rate sound as they are."""
GONE: Final = 0.45
"""Partials above this fraction of the rate are silent."""
OVERSAMPLING: Final = 16
"""Table points per period of the highest partial: six-point interpolation then errs by less than -90 dB of it."""
MAX_PARTIALS: Final = 8192
KNOT_SECONDS: Final = 0.0025
"""Amplitudes of moving partials run straight between points so far apart."""
SHAPES: Final = ("square", "sawtooth", "triangle", "pulse")


def taper(frequency: npt.ArrayLike, sr: int) -> Array:
    """Return the factor on a partial: 1 below 0.40·sr, 0 above 0.45·sr, a raised cosine between.

    Examples
    --------
    >>> taper([1000.0, 3400.0, 4000.0], 8000).round(3)
    array([1. , 0.5, 0. ])
    """
    return np.asarray(signals.rise((GONE * sr - np.asarray(frequency, dtype=np.float64)) / ((GONE - FULL) * sr)))


def partials(shape: str, n: int, *, duty: float = 0.5) -> tuple[Array, Array]:
    """Return the sine and cosine amplitudes of partials 1 … n of a waveform between -1 and 1, without its mean.

    Parameters
    ----------
    shape
        `square`, `sawtooth` (rising), `triangle`, `pulse` (of `duty`, high first).
    n
        Number of partials.
    duty
        Fraction of the period in which a pulse is high.

    Notes
    -----
    Fourier series as in any text, such as A. V. Oppenheim and A. S. Willsky, "Signals and Systems", 1997, chapter 3.

    Examples
    --------
    >>> partials("square", 3)[0].round(4)
    array([1.2732, 0.    , 0.4244])
    """
    k = np.arange(1, n + 1, dtype=np.float64)
    odd = (np.arange(1, n + 1) % 2).astype(np.float64)
    nothing = np.zeros(n)
    if shape == "square":
        return odd * 4.0 / (np.pi * k), nothing
    if shape == "sawtooth":
        return (2.0 * odd - 1.0) * 2.0 / (np.pi * k), nothing
    if shape == "triangle":
        sign = 1.0 - 2.0 * ((np.arange(1, n + 1) // 2) % 2)
        return odd * sign * 8.0 / (np.pi * k) ** 2, nothing
    turned = 2.0 / (np.pi * k)
    return turned * (1.0 - signals.sine(duty * k + 0.25)), turned * signals.sine(duty * k)


def periodic(cycles: Array, sines: Array, cosines: Array | None = None) -> Array:
    """Return Σ sines[k-1]·sin(2πk·cycles) + cosines[k-1]·cos(2πk·cycles), from a table.

    Parameters
    ----------
    cycles
        Phase of the fundamental, shape (n_samples,).
    sines, cosines
        Amplitudes of the partials, shape (n_partials,); up to 8192 partials.

    Examples
    --------
    >>> periodic(np.array([0.125, 0.25]), np.array([1.0, 0.0, 0.5])).round(6)
    array([1.06066, 0.5    ])
    """
    size = 1 << max(8, (OVERSAMPLING * len(sines) - 1).bit_length())
    spectrum = np.zeros(size // 2 + 1, dtype=np.complex128)
    spectrum[1 : len(sines) + 1] = -0.5j * size * sines
    if cosines is not None:
        spectrum[1 : len(cosines) + 1] += 0.5 * size * cosines
    table = np.fft.irfft(spectrum, size)
    return _interpolated(np.concatenate([table[-2:], table, table[:4]]), (cycles - np.floor(cycles)) * size)


def _interpolated(padded: Array, at: Array) -> Array:
    """Return a table's values between its points, by the six-point Lagrange polynomial; two points stand before point 0."""
    first = at.astype(np.int64)
    x = at - first + 2.0
    out = np.zeros(len(at))
    for i in range(6):
        weight = np.ones(len(at))
        for j in range(6):
            if j != i:
                weight *= (x - j) * (1.0 / (i - j))
        out += weight * padded[first + i]
    return out


def steady(shape: str, frequency: float, n_samples: int, sr: int, *, duty: float = 0.5, start: float = 0.0) -> Array:
    """Return a band-limited waveform of constant frequency, shape (n_samples,).

    Parameters
    ----------
    shape, duty
        As for `partials`.
    frequency
        Hz.
    n_samples, sr
        Length and rate.
    start
        Phase of the first sample in cycles.

    Examples
    --------
    >>> (steady("triangle", 100.0, 4, 400) + 1.0).round(1)  # partial 1 alone fits below 180 Hz
    array([1. , 1.8, 1. , 0.2])
    """
    k = max(1, min(MAX_PARTIALS, int(GONE * sr / frequency)))
    sines, cosines = partials(shape, k, duty=duty)
    kept = taper(frequency * np.arange(1, k + 1), sr)
    return periodic(start + frequency * signals.times(n_samples, sr), sines * kept, cosines * kept)


def moving(
    frequency: Array,
    envelope: Callable[[Array, Array], Array],
    *,
    sr: int,
    n_partials: int,
    weights: Array | None = None,
) -> Array:
    """Return a harmonic tone whose frequency and partials' amplitudes move, shape (n_samples,).

    Parameters
    ----------
    frequency
        Of the fundamental in Hz at each sample, shape (n_samples,).
    envelope
        Called with the partials' frequencies (n_partials, n_knots) and the knots' times (n_knots,): the amplitudes of
        the sines, same shape.
    sr
        Rate in Hz.
    n_partials
        Most partials.
    weights
        Factor on each partial, shape (n_partials,); 1 if None.

    Notes
    -----
    Sines of multiples of one phase by the recurrence sin((k+1)φ) = 2·cos φ·sin(kφ) - sin((k-1)φ), whose rounding error
    grows as k², 1e-12 at a few hundred partials.

    Examples
    --------
    >>> flat = lambda f, t: np.full(f.shape, 0.5)
    >>> moving(np.full(800, 100.0), flat, sr=8000, n_partials=3).shape
    (800,)
    """
    n = len(frequency)
    step = max(1, int(KNOT_SECONDS * sr))
    at = np.minimum(np.arange(0, n + step, step), n - 1)
    factors = np.ones(n_partials) if weights is None else weights[:n_partials]
    numbers = np.flatnonzero(factors) + 1
    numbers = numbers[numbers * float(frequency.min()) < GONE * sr]
    heights = numbers[:, None] * frequency[at][None, :]
    amplitudes = envelope(heights, at / sr) * taper(heights, sr) * factors[numbers - 1, None]
    return _recurrent(signals.accumulated(frequency, sr), numbers, amplitudes, step)


def _recurrent(cycles: Array, numbers: npt.NDArray[np.int64], amplitudes: Array, step: int) -> Array:
    n, n_knots = len(cycles), amplitudes.shape[1]
    padded = np.zeros((n_knots - 1) * step)
    padded[:n] = cycles
    first = signals.sine(padded).reshape(-1, step)
    twice = 2.0 * signals.sine(padded + 0.25).reshape(-1, step)
    before, now = np.zeros_like(first), first
    ramp = (np.arange(step) / step)[None, :]
    wanted = {int(k): a for k, a in zip(numbers, amplitudes, strict=True)}
    out = np.zeros_like(first)
    for k in range(1, max(wanted, default=0) + 1):
        if k > 1:
            before, now = now, twice * now - before
        if k in wanted:
            a = wanted[k]
            out += now * (a[:-1, None] + np.diff(a)[:, None] * ramp)
    return np.asarray(out.ravel()[:n])
