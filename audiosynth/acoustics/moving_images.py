"""The near images of a moving source, each read from the dry sound at its own continuously changing delay.

Sound emitted at time e comes from p(e) and arrives at e + D(e), D = |image of p(e) - microphone|·sr/c. At arrival time n
the dry sound is read at n - τ, τ = D(e), by the fractional delays of `image_moments` turned round: the dry sound is
filtered once with each power's taps, and a reading is a polynomial in the delay's fraction. A source that stands still
gives what the response's convolution gives, to rounding.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from audiosynth.acoustics.image_moments import HALF, moment_taps
from audiosynth.acoustics.image_tables import FIELD_BITS, mixed
from audiosynth.dice import philox_words

if TYPE_CHECKING:
    from audiosynth.acoustics.image_scene import Jitter
    from audiosynth.clip import Array

_PIECE: Final = 8192
"""Samples worked on at once, to stay in a near cache; each is computed alone, so that no bit depends on it."""


class Image(NamedTuple):
    """One image of the source: at sign·p + shift.

    Attributes
    ----------
    sign, shift, moved
        Shape (3,): mirroring, place, and displacement of the delay alone (`Jitter`).
    gain
        Of the walls met, shape (n_bands,).
    """

    sign: Array
    shift: Array
    moved: Array
    gain: Array


class Listening(NamedTuple):
    """What lies between images and samples.

    Attributes
    ----------
    mic
        Place, shape (3,).
    weights
        Patterns of its channels, shape (n_channels, 4).
    source
        Pattern of the source, shape (4,).
    scale
        Samples per metre.
    envelope
        Gain by samples since emission; 0 after its end.
    air
        Exponents per band in 1/m, or None.
    early
        Samples after the direct sound up to which sound is heard, and over how many it fades; None for all.
    """

    mic: Array
    weights: Array
    source: Array
    scale: float
    envelope: Array
    air: Array | None
    early: tuple[float, float] | None = None


def near_images(size: Array, beta: Array, *, max_order: int, jitter: Jitter | None) -> list[Image]:
    """Return the images of up to `max_order` reflections that some band hears, fewest reflections first.

    Examples
    --------
    >>> len(near_images(np.array([6.0, 5.0, 3.0]), np.full((1, 6), 0.8), max_order=2, jitter=None))
    25
    """
    span = range(-max_order, max_order + 1)
    orders = sorted((sum(map(abs, q)), q) for q in itertools.product(span, repeat=3))
    images = []
    for order, q in orders:
        n, odd = (np.array(q) + 1) // 2, np.array(q) % 2
        gain = np.ones(len(beta))
        for a in range(3):
            gain = gain * beta[:, 2 * a] ** abs(int(n[a] - odd[a])) * beta[:, 2 * a + 1] ** abs(int(n[a]))
        if order <= max_order and gain.max() > 0:
            moved = np.zeros(3) if jitter is None or order < 2 else _displacement(q, size, jitter)
            images.append(Image(1.0 - 2.0 * odd, 2.0 * size * n, moved, gain))
    return images


def _displacement(q: tuple[int, ...], size: Array, jitter: Jitter) -> Array:
    """Return an image's displacement as `image_source` has it: axes turned, longest first."""
    turn = sorted(range(3), key=lambda a: -float(size[a]))
    key = np.zeros(1, np.uint64)
    for a in turn:
        place = 2 * q[a] if q[a] >= 0 else -2 * q[a] - 1
        key = key + philox_words(jitter.seed, start=place, n_words=1, stream=f"image-jitter/{a}")
    word = mixed(key)
    moved = np.zeros(3)
    for field, a in enumerate(turn):
        part = (word >> np.uint64(FIELD_BITS * field)) & np.uint64(2**FIELD_BITS - 1)
        moved[a] = jitter.distance * (2.0 ** (1 - FIELD_BITS) * float(part[0]) - 1.0)
    return moved


class Reader:
    """Dry sound to be read between its samples.

    Parameters
    ----------
    y
        Shape (n_samples,).
    """

    def __init__(self, y: Array) -> None:
        from scipy.signal import fftconvolve

        # One zero before and after stands for all time outside.
        powers = np.zeros((len(taps := moment_taps()), y.size + 2 * HALF + 2))
        powers[:, 1:-1] = fftconvolve(np.atleast_2d(y), taps, axes=-1)
        self._powers = powers

    def at(self, n: Array, delay: Array) -> Array:
        """Return 1/4π times the dry sound at n - delay, both in samples, n whole."""
        nearest = np.floor(delay + 0.5)
        x = 2.0 * (delay - nearest)
        at = (n - nearest + (HALF + 1)).astype(np.int64)
        read = np.take(self._powers[-1], at, mode="clip")
        for power in self._powers[-2::-1]:
            read *= x
            read += np.take(power, at, mode="clip")
        return read


def read_images(y: Array, places: Array, images: list[Image], listening: Listening, n_samples: int) -> Array:
    """Return what the images give at one microphone position.

    Parameters
    ----------
    y
        Dry sound, shape (n,).
    places
        Where the source is at each of its samples, shape (n, 3).
    images, listening
        From `near_images`; the rest.
    n_samples
        Length of the result.

    Returns
    -------
    Array
        Shape (n_bands, n_channels, n_samples).
    """
    n_bands = len(images[0].gain) if listening.air is None else listening.air.size
    out = np.zeros((n_bands, len(listening.weights), n_samples))
    reader = Reader(y)
    plain = listening.source[0] == 1.0 and bool((listening.weights[:, 0] == 1.0).all())
    columns = np.ascontiguousarray(np.concatenate([places, places[-1:]]).T)  # two places or more
    clock = np.arange(columns.shape[1], dtype=np.float64)
    for image in images:
        shift = image.shift - listening.mic
        offset = [s * column + b for s, column, b in zip(image.sign, columns, shift, strict=True)]
        late = [o + m for o, m in zip(offset, image.moved, strict=True)] if image.moved.any() else offset
        delay = _length(late) * listening.scale
        arrival = clock + delay
        share = _early(delay, columns, listening)
        if not share.any():
            continue
        start = max(0, math.floor(arrival[0]) - HALF - 1)
        stop = min(n_samples, math.ceil(arrival[-1]) + HALF + 2)
        for first in range(start, stop, _PIECE):
            n = np.arange(first, min(first + _PIECE, stop), dtype=np.float64)
            tau = np.interp(n, arrival, delay)
            heard = reader.at(n, tau) * _shown(tau, listening.envelope)
            if share.min() < 1.0:
                heard = heard * np.interp(n, arrival, share)
            if plain and not image.moved.any():
                distance = tau * (1.0 / listening.scale)
                channels = [heard / distance] * len(listening.weights)
            else:
                away = _between(offset, n - tau)
                distance = _length(away)
                channels = _patterns(heard / distance, [a / distance for a in away], image.sign, listening)
            _add(out[..., first : first + n.size], channels, distance, image.gain, listening.air)
    return out


def _early(delay: Array, columns: Array, listening: Listening) -> Array:
    """Return the gain of an image at each emission: 1 until `early` after the direct sound, then down a half-cosine."""
    if listening.early is None:
        return np.ones(1)
    direct = _length([c - m for c, m in zip(columns, listening.mic, strict=True)]) * listening.scale
    return early_gain(delay - direct, *listening.early)


def early_gain(after: Array, last: float, fade: float) -> Array:
    """Return 1 up to `last`, 0 from `last` + `fade` on, and a half-cosine between.

    Examples
    --------
    >>> early_gain(np.array([0.0, 10.0, 12.0, 14.0]), 10.0, 4.0).round(3)
    array([1. , 1. , 0.5, 0. ])
    """
    place = np.clip((after - last) / fade, 0.0, 1.0)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * place))


def _add(out: Array, channels: list[Array], distance: Array, gains: Array, air: Array | None) -> None:
    """Add what the channels hear to every band, by the walls met and the air between."""
    for band, gain in enumerate(np.broadcast_to(gains, len(out))):
        through = gain if air is None else gain * np.exp(-0.5 * air[band] * distance)
        for channel, sound in enumerate(channels):
            out[band, channel] += through * sound


def _length(vectors: list[Array]) -> Array:
    x, y, z = vectors
    return np.asarray(np.sqrt(x * x + y * y + z * z))


def _between(columns: list[Array], at: Array) -> list[Array]:
    """Return values at fractional indices, on straight lines."""
    at = np.clip(at, 0.0, columns[0].size - 1.0)
    index = np.minimum(at.astype(np.int64), columns[0].size - 2)
    part = at - index
    return [c[index] + part * (c[index + 1] - c[index]) for c in columns]


def _patterns(heard: Array, u: list[Array], sign: Array, listening: Listening) -> list[Array]:
    """Return what each channel hears of sound from direction u; it left the source the other way, mirrored."""
    source = listening.source
    if source[0] != 1.0:
        left = sum(w * s * v for w, s, v in zip(source[1:], sign, u, strict=True))
        heard = heard * (source[0] - left)
    gains = (w[0] + w[1] * u[0] + w[2] * u[1] + w[3] * u[2] for w in listening.weights)
    return [heard * gain for gain in gains]


def _shown(tau: Array, envelope: Array) -> Array | float:
    """Return the envelope at delays; 1 while all of them lie where it is."""
    changing = np.flatnonzero(envelope != 1.0)
    until = changing[0] if changing.size else envelope.size
    if not tau.size or tau.max() < until - 1:
        return 1.0
    return np.asarray(np.where(tau < envelope.size, np.interp(tau, np.arange(envelope.size), envelope), 0.0))
