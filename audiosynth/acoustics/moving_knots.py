"""All images of a moving source but the near ones: responses at knots along its path, faded into each other.

Fades follow the path at the time of emission. The first 100 ms have knots a few centimetres apart; what comes later,
nearly all images and a tenth of the energy at 0.6 s of reverberation, has them 20 cm apart.

Beside images of 3 to 9 reflections all at their own running delays (6×5×3 m, 1.4 m/s, knots 5 cm apart), octaves of noise
have their level within 0.15 dB, where plain linear fades lose 2 dB above 4 kHz and constant power adds 1.6 dB below 1 kHz;
waveforms agree for long waves only. A tone's late sound spreads less than Doppler would have it at high frequencies, and
next to it lies what fading modulates: 100 Hz or more away, at RT60 0.6 s, -91 dB at 1 kHz and 1 m/s, -47 dB at 4 kHz and
4 m/s.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from audiosynth.acoustics import bands, image_source
from audiosynth.acoustics.image_moments import HALF
from audiosynth.acoustics.moving_images import early_gain
from audiosynth.dsp import convolve, fft_size
from audiosynth.errors import ParameterError
from audiosynth.sound import biquads

if TYPE_CHECKING:
    from audiosynth.acoustics.image_scene import Options, Scene
    from audiosynth.clip import Array

LATE_FROM: Final = 0.1
LATE_FADE: Final = 0.01
"""Seconds after emission: late knots take over from there on, within so much."""
LATE_M: Final = 0.2
BLOCK_SECONDS: Final = 0.1
"""Mean time between responses where all images come at fixed delays."""
LEAST_SECONDS: Final = (0.02, 0.05)
"""Early and late knots follow each other by so much on average at least: a fast source has them farther apart."""
MAX_IMAGES: Final = 4 * image_source.MAX_IMAGES


class Room(NamedTuple):
    """What all responses share.

    Attributes
    ----------
    scene
        Checked, at any place of the path.
    duration
        Of a response in seconds.
    envelope
        Gain by samples since emission, as long as the response.
    air
        Exponents per band in 1/m, or None.
    early
        Samples after the direct sound up to which sound is heard, and over how many it fades; None for all.
    """

    scene: Scene
    duration: float
    envelope: Array
    air: Array | None
    early: tuple[float, float] | None = None


class Path(NamedTuple):
    """Where the source is at each of its samples, shape (n, 3), and how far it has gone by then in metres, shape (n,)."""

    places: Array
    way: Array


class _Layer(NamedTuple):
    spacing: float
    duration: float
    window: Array


def path_of(places: Array) -> Path:
    """Return the path through places, with the way behind."""
    steps = np.diff(places, axis=0)
    return Path(places, np.concatenate([[0.0], np.cumsum(np.sqrt(np.sum(steps**2, axis=1)))]))


def add_rest(image: Array, dry: Array, path: Path, room: Room, *, order: int, knot: float) -> tuple[int, int]:
    """Add all images of more than `order` reflections; return the numbers of knots and of images.

    Parameters
    ----------
    image
        Shape (n_channels, n + n_response - 1), added to in place.
    dry
        Shape (n,).
    path, room
        The way and the room.
    order
        Most reflections of an image that is left out. -1 leaves out none: responses of all images, `BLOCK_SECONDS`
        apart on average, or `knot` where that is farther.
    knot
        Metres between early knots.
    """
    if not (math.isfinite(knot) and knot > 0):
        raise ParameterError(f"knots are more than 0 m apart, not {knot}")
    speed = float(path.way[-1]) * room.scene.sr / dry.size
    if order < 0:
        layers = [_Layer(max(knot, BLOCK_SECONDS * speed), room.duration, room.envelope)]
    else:
        layers = _layers(room, knot, speed)
    counts = [_gaps(path, layer) + 1 for layer in layers]
    options = _ready(room, layers, counts)
    total = sum(_add_layer(image, dry, path, (room, layer), options, order) for layer in layers)
    return sum(counts), total


def _layers(room: Room, knot: float, speed: float) -> list[_Layer]:
    """Return the early and the late layer; their windows sum to the envelope."""
    sr, n = room.scene.sr, room.scene.n_samples
    early = max(knot, LEAST_SECONDS[0] * speed)
    until = LATE_FROM + LATE_FADE + (HALF + 2) / sr
    late = max(early, LATE_M, LEAST_SECONDS[1] * speed)
    if until >= room.duration or late <= early:
        return [_Layer(early, room.duration, room.envelope)]
    fade = np.clip((np.arange(n) / sr - LATE_FROM) / LATE_FADE, 0.0, 1.0)
    n_early = max(1, math.floor(until * sr + 0.5))
    window = ((1.0 - fade) * room.envelope)[:n_early]
    return [_Layer(early, until, window), _Layer(late, room.duration, fade * room.envelope)]


def _gaps(path: Path, layer: _Layer) -> int:
    """Return between how many knots the path goes; a whole number of spacings is that, whatever its sum's last bits."""
    return max(0, math.ceil(float(path.way[-1]) / layer.spacing - 1e-6))


def _ready(room: Room, layers: list[_Layer], counts: list[int]) -> Options:
    """Return the options of all responses, the compiled engine loaded where it pays for all of them."""
    options, each = room.scene.options, room.scene.estimate().n_images
    images = sum(n * each * (layer.duration / room.duration) ** 3 for n, layer in zip(counts, layers, strict=True))
    if images > MAX_IMAGES:
        message = f"{sum(counts)} responses along the path need about {images:.2g} images, more than {MAX_IMAGES:.2g}"
        raise ParameterError(f"{message}; shorten the response or the path, raise the absorption, or take the hybrid")
    if options.engine == "auto" and images > image_source.NUMPY_UNTIL and image_source.warm():
        options = replace(options, engine="numba")
    return replace(options, fade=0.0)  # the envelope has it


def _add_layer(
    image: Array, dry: Array, path: Path, part: tuple[Room, _Layer], options: Options, order: int
) -> int:  # fmt: skip
    room, layer = part
    gaps, whole = _gaps(path, layer), float(path.way[-1])
    at = path.way * (gaps / whole) if gaps else np.zeros(dry.size)
    knots = np.stack([np.interp(np.arange(gaps + 1), at, column) for column in path.places.T], axis=1)
    alike = alike_share(dry, whole / gaps, sr=room.scene.sr, c=room.scene.c) if gaps else dry
    unlike, total = dry - alike, 0
    for k, place in enumerate(knots):
        first, last = int(np.searchsorted(at, k - 2)), int(np.searchsorted(at, k + 2, side="right"))
        u = at[first:last]
        block = knot_weights(u, k, gaps) * alike[first:last] + power_fade(u - k) * unlike[first:last]
        h, count = _response(place, part, options, order)
        heard = convolve(block[None, :], h)
        image[:, first : first + heard.shape[1]] += heard
        total += count
    return total


def _response(place: Array, part: tuple[Room, _Layer], options: Options, order: int) -> tuple[Array, int]:
    """Return the response of images of more than `order` reflections at a place, and how many were summed."""
    (scene, _, _, air, early), layer = part
    full = image_source.simulate(size=scene.size, source=place, mics=scene.mics, beta=scene.beta, sr=scene.sr,
                                 duration=layer.duration, c=scene.c, options=options)  # fmt: skip
    h = full.h
    if order >= 0:
        # No near image is farther than (order + 1) lengths of the room along each axis.
        reach = (order + 1) * math.sqrt(float(np.sum(scene.size**2))) / scene.c + (2 * HALF + 4) / scene.sr
        raw = replace(options, max_order=order, highpass_hz=0.0)
        near = image_source.simulate(size=scene.size, source=place, mics=scene.mics, beta=scene.beta, sr=scene.sr,
                                     duration=min(layer.duration, reach), c=scene.c, options=raw).h  # fmt: skip
        gap = h.shape[-1] - near.shape[-1]
        h = h - highpassed(np.pad(near, [(0, 0)] * (h.ndim - 1) + [(0, gap)]), scene)
    h = h * layer.window
    if early is not None:
        after = np.arange(h.shape[-1]) - full.delay[:, None]
        h = h * early_gain(after, *early)
    if air is not None:
        return bands.with_air(h, sr=scene.sr, c=scene.c, exponents=air), full.n_images
    return h[0] if len(h) == 1 else bands.combine(h, sr=scene.sr), full.n_images


def highpassed(y: Array, scene: Scene) -> Array:
    """Take away what is below hearing, as responses have it."""
    corner = scene.options.highpass_hz
    return y if corner <= 0 else biquads.run(y, biquads.butterworth("highpass", (corner,), order=2, sr=scene.sr))


def cubic_fade(u: Array) -> Array:
    """Return the weight of a knot `u` knots away: cubic convolution, exact for parabolas and without kinks.

    References
    ----------
    R. G. Keys, "Cubic convolution interpolation for digital image processing", IEEE Transactions on Acoustics, Speech,
    and Signal Processing 29(6), 1981.

    Examples
    --------
    >>> cubic_fade(np.array([0.0, 0.5, 1.0, 1.5, 2.0]))
    array([ 1.    ,  0.5625,  0.    , -0.0625,  0.    ])
    """
    v = np.minimum(np.abs(u), 2.0)
    return np.asarray(np.where(v < 1.0, (1.5 * v - 2.5) * v * v + 1.0, ((2.5 - 0.5 * v) * v - 4.0) * v + 2.0))


def power_fade(u: Array) -> Array:
    """Return the weight of a knot `u` knots away whose squares sum to 1, without kinks.

    Examples
    --------
    >>> power_fade(np.array([0.0, 0.5, 1.0])).round(4) + 0.0
    array([1.    , 0.7071, 0.    ])
    """
    v = np.minimum(np.abs(u), 1.0)
    return np.asarray(np.cos(0.5 * np.pi * (v * v * (3.0 - 2.0 * v))))


def knot_weights(u: Array, k: int, gaps: int) -> Array:
    """Return the cubic weight of knot `k` of 0..gaps; knots beyond the ends lie on straight lines through the last two."""
    weight = cubic_fade(u - k)
    for beyond, end, inner in ((-1, 0, 1), (gaps + 1, gaps, gaps - 1)):
        weight += ((k == end) * 2.0 - (k == inner) * 1.0) * cubic_fade(u - beyond)
    return weight


@lru_cache(maxsize=1)
def _products() -> tuple[Array, Array, Array]:
    """Return, by the distance of two knots 0..3, the mean over u of products of weights: cubic², cubic·power, power²."""
    u = (np.arange(256) + 0.5) / 256
    knots = range(-1, 3)
    cubic, power = [cubic_fade(u - k) for k in knots], [power_fade(u - k) for k in knots]
    means = np.zeros((3, 4))
    for i, j in itertools.product(range(4), repeat=2):
        for row, (a, b) in enumerate(((cubic, cubic), (cubic, power), (power, power))):
            means[row, abs(i - j)] += np.mean(a[i] * b[j])
    return means[0], means[1], means[2]


def alike_share(dry: Array, spacing: float, *, sr: int, c: float) -> Array:
    """Return the part of the dry sound for which neighbours' responses are alike and interpolate; the rest fades by power.

    Notes
    -----
    In a diffuse field, responses l·`spacing` metres apart correlate as ρ_l = sinc(2·f·l·spacing/c). A knot has the weight
    g·cubic + (1 - g)·power, and the mean power over u in 0..1, Σ_ij w_i·w_j·ρ_|i-j|, is a parabola in g. It is 1 for
    the g taken here: 1 for long waves, 0 for short ones.

    Examples
    --------
    >>> slow, fast = (np.sin(np.arange(1600) * f) for f in (0.05, 3.0))
    >>> [round(float(np.std(alike_share(y, 0.05, sr=16000, c=343.0)[400:1200]) / np.std(y)), 1) for y in (slow, fast)]
    [1.0, 0.2]
    """
    import scipy.fft

    n_fft = fft_size(dry.size + sr // 50)
    per_knot = 2.0 * scipy.fft.rfftfreq(n_fft, 1.0 / sr) * spacing / c
    rho = [np.sinc(per_knot * lag) for lag in range(4)]
    cubic, crossed, power = (sum(m * r for m, r in zip(row, rho, strict=True)) for row in _products())
    quadratic, linear, constant = cubic - 2.0 * crossed + power, crossed - power, power - 1.0
    root = np.sqrt(np.maximum(linear * linear - quadratic * constant, 0.0))
    g = constant / (root - linear)
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(dry, n_fft) * g, n_fft)[: dry.size])
