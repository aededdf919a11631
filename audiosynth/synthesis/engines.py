"""Combustion engines: partials of the working cycle, strongest where cylinders fire, and noise in step with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.synthesis import shaped, signals, voice, waves

if TYPE_CHECKING:
    from audiosynth.clip import Array

MAX_ORDERS: Final = 400
"""Partials of the working cycle at most."""
SLOWEST: Final = 0.05
"""Revolutions a second, at least: a standing engine is not an engine."""
UNSTEADY_HZ: Final = 6.0


def speed(rpm: tuple[float, ...], *, n_samples: int, sr: int, chances: shaped.Chances, unsteady: float) -> Array:
    """Return the speed in revolutions a second at each sample: through evenly spaced values, wavering by `unsteady`.

    Parameters
    ----------
    rpm
        Revolutions a minute, evenly spaced over the whole.
    n_samples, sr
        Length and rate.
    chances
        Random numbers of the sound.
    unsteady
        Relative standard deviation.

    Examples
    --------
    >>> revs = speed((600.0, 1200.0), n_samples=5, sr=4, chances=shaped.Chances(1, "engine"), unsteady=0.0)
    >>> revs.round(2)
    array([10.  , 11.46, 15.  , 18.54, 20.  ])
    """
    step = (n_samples - 1) / sr / max(1, len(rpm) - 1)
    revs = shaped.curve([(i * step, r / 60.0) for i, r in enumerate(rpm)], n_samples=n_samples, sr=sr)
    if unsteady > 0:
        revs = revs * (
            1.0 + unsteady * np.clip(chances.wander("speed", UNSTEADY_HZ, n_samples=n_samples, sr=sr), -3, 3)
        )
    return np.asarray(np.maximum(revs, SLOWEST))


def combustion(
    revs: Array, *, n_cylinders: int, strokes: int, resonances: voice.Formants, tilt_db: float, uneven_db: float, sr: int,
    chances: shaped.Chances,
) -> Array:  # fmt: skip
    """Return the tonal part of an engine, RMS 1 at any speed, shape (n_samples,).

    Parameters
    ----------
    revs
        Revolutions a second at each sample.
    n_cylinders, strokes
        A four-stroke cylinder fires every second revolution, a two-stroke one every time.
    resonances, tilt_db
        Of exhaust and body, as `voice.tract` takes them.
    uneven_db
        Partials of the cycle that are no multiples of the firing rate, re those that are; each drawn up to 6 dB about it.
    sr
        Rate in Hz.
    chances
        Random numbers of the sound.

    Notes
    -----
    An engine whose cylinders were all alike would sound at multiples of the firing rate only; real ones differ, which
    fills in the other orders of the cycle (half the crankshaft's speed with four strokes).
    """
    cycle = revs * (2.0 / strokes)
    n_partials = min(MAX_ORDERS, int(waves.GONE * sr / float(cycle.min())) + 1)
    numbers = np.arange(1, n_partials + 1)
    uneven = np.power(10.0, (uneven_db + chances.spread("orders", MAX_ORDERS, low=-6.0, high=6.0)[:n_partials]) / 20.0)
    weights = np.where(numbers % n_cylinders == 0, 1.0, uneven)
    weights = weights * np.where(chances.uniform("signs", MAX_ORDERS)[:n_partials] < 0.5, -1.0, 1.0)

    def envelope(f: Array, _: Array) -> Array:
        gain = voice.tract(f, resonances, tilt_db=tilt_db)
        power = 0.5 * np.sum((gain * waves.taper(f, sr) * weights[: len(f), None]) ** 2, axis=0)
        return np.asarray(gain / np.sqrt(np.maximum(power, 1e-30)))

    return waves.moving(cycle, envelope, sr=sr, n_partials=n_partials, weights=weights)


def loudness(revs: Array) -> Array:
    """Return the amplitude of an engine over its speed, 1 at its fastest: 30·log10 of the speed.

    Engine noise rises by 30 (diesel) to 50 (petrol) times the logarithm of the speed: T. Priede, "Origins of automotive
    vehicle noise", J. Sound and Vibration 15, 1971.

    Examples
    --------
    >>> loudness(np.array([10.0, 40.0]))
    array([0.125, 1.   ])
    """
    return np.asarray((revs / float(revs.max())) ** 1.5)


def pulsing(frequency: Array, *, sr: int, sharpness: int = 4) -> Array:
    """Return a train of smooth pulses between 0 and 1, `frequency` a second, shape (n_samples,)."""
    return (0.5 + 0.5 * signals.sine(signals.accumulated(frequency, sr))) ** sharpness


def unit(y: Array) -> Array:
    """Return a sound at RMS 1; a silent one as it is."""
    rms = float(np.sqrt(np.mean(y * y)))
    return y / rms if rms > 0 else y
