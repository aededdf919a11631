"""What the two ears of a head hear of a box: early images through measured responses, then diffuse sound.

Up to the mixing time every image arrives with its exact delay and passes the response measured nearest to its direction,
as the turned head sees it. Later sound comes from everywhere: noise with the decay of the box, the colour of the set of
responses in a diffuse field, and what the ears have in common in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audiosynth.acoustics import absorption, bands
from audiosynth.acoustics.arrays import rotation
from audiosynth.acoustics.binaural_scene import CROSSFADE_SECONDS, BinauralOptions, Listener, checked_head, mixing_time
from audiosynth.acoustics.heads import CHUNK, Head, head_of
from audiosynth.acoustics.image_moments import HALF, P, moment_taps
from audiosynth.acoustics.image_source import finished
from audiosynth.acoustics.image_tables import axis_tables, count_images
from audiosynth.acoustics.tails import diffuse_tail
from audiosynth.dsp import fft_size
from audiosynth.errors import ParameterError

__all__ = ["BinauralOptions", "BinauralResponse", "Listener", "binaural_response"]

if TYPE_CHECKING:
    from audiosynth.acoustics.image_scene import Scene
    from audiosynth.clip import Array

    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class BinauralResponse:
    """What the ears hear, and what is known exactly of it.

    Attributes
    ----------
    h
        Left and right ear, shape (2, n_samples).
    distance
        From the source to the middle of the head in metres.
    delay
        Of the direct sound at the middle of the head in samples: distance·sr/c.
    onset
        Sample at which it begins at the nearer ear: up to 0.3 ms before `delay`.
    n_images
        Images followed one by one.
    mixing
        Seconds from emission at which diffuse sound takes over; None where there is none.
    measurement
        Number in the file of the response that the direct sound passes.
    off
        Degrees between that one's direction and the source's.
    """

    h: Array
    distance: float
    delay: float
    onset: int
    n_images: int
    mixing: float | None
    measurement: int
    off: float


KNOTS: Final = 257
SMALLEST: Final = 1e-300
MOST_IMAGES: Final = 50_000
"""Each takes 81 taps: 0.1 GB."""


class _Images(NamedTuple):
    """Images one by one: how far, what they weigh (n_bands, k), and in which row of the head's responses."""

    distance: Array
    weight: Array
    row: Ints


def binaural_response(
    *, listener: Listener, size: npt.ArrayLike, source: npt.ArrayLike, beta: npt.ArrayLike,
    sr: int, duration: float, c: float, options: BinauralOptions,
) -> BinauralResponse:  # fmt: skip
    """Return the responses from a source in a box to the ears of a head.

    Parameters
    ----------
    listener
        Whose head, where it is, where it looks.
    size, source, beta, sr, duration, c
        As for `image_source.simulate`; bands are those of `bands.n_bands(sr)`.
    options
        The seed and the rest.

    Returns
    -------
    BinauralResponse
        Sample n is heard n/sr after emission. The set's own level and time are taken away (`heads.head_of`): sound
        from everywhere is as strong as at an omnidirectional microphone, and the direct sound passes the head's middle
        at `delay`. Between the ears, delays are those measured.

    Raises
    ------
    ParameterError
        For impossible geometry or coefficients, a source less than 10 cm from the middle of the head, or too many images.
    AssetError
        For a file that is no set of head-related responses.

    Notes
    -----
    The rule for the mixing time, after the direct sound: the longer of 50 ms and 20·V/S + 12 ms [1]_, or what
    `max_images` allow. Images go out and noise comes in over 10 ms around it; images by their arrival, so that no
    response is cut. A box whose images come to an end (no two opposite walls reflect) has no diffuse sound.

    References
    ----------
    .. [1] A. Lindau, L. Kosanke, S. Weinzierl, "Perceptual evaluation of model- and signal-based predictors of the
       mixing time in binaural room impulse responses", JAES 60 (2012) 887-898.

    Examples
    --------
    A head that hears the pulse alone, and half of it behind itself:

    >>> from audiosynth.acoustics.sofa import Sofa
    >>> sides, zero, ir = np.array([[0, 1.0, 0], [0, -1.0, 0]]), np.zeros((2, 3)), np.zeros((2, 2, 1, 16))
    >>> ir[:, :, 0, 8] = [[1.0, 0.5], [0.5, 1.0]]
    >>> head = Sofa("two.sofa", "SimpleFreeFieldHRIR", 16000, 2, ir, np.zeros((2, 2, 1)), sides, zero,
    ...             zero + [1, 0, 0], zero + [0, 0, 1], np.stack([sides, sides]), zero[:, None])
    >>> left = binaural_response(listener=Listener(hrtf=head, position=(3, 2, 1)), size=(6, 5, 3), source=(3, 4, 1),
    ...                          beta=0.7, sr=16000, duration=0.3, c=343.0, options=BinauralOptions(seed=1))
    >>> left.h.shape, round(left.delay, 2), left.measurement, round(float(left.h[0, 93] / left.h[1, 93]), 1)
    ((2, 4800), 93.29, 0, 2.0)
    """
    scene = checked_head(listener, options, size=size, source=source, beta=beta, sr=sr, duration=duration, c=c)
    ears = head_of(listener.hrtf, sr)
    turn = rotation(yaw=listener.yaw, pitch=listener.pitch)
    mixing = mixing_time(scene, options)
    images = _images(scene, ears, turn, mixing)
    h = _summed(_early(images, ears, scene), scene, options)
    if mixing is not None:
        h += _tail(scene, ears, options, mixing)
    distance = float(scene.distances[0])
    towards = _turned((scene.source - scene.mics[0]) / distance, turn)
    direct = int(ears.nearest(towards)[0])
    delay = distance * (sr / c)
    chord = float(np.sqrt(np.sum((towards[0] - ears.axes[direct]) ** 2)))
    return BinauralResponse(
        h=finished(h, sr=sr, highpass_hz=options.highpass_hz, fade=options.fade), distance=distance, delay=delay,
        onset=max(0, math.floor(delay + float(ears.onset[direct].min()))),
        n_images=len(images.distance), mixing=mixing, measurement=int(ears.measurement[direct]),
        off=math.degrees(2.0 * math.asin(min(1.0, chord / 2.0))),
    )  # fmt: skip


def _images(scene: Scene, ears: Head, turn: Array, mixing: float | None) -> _Images:
    """Return all images until they have gone out."""
    end = scene.n_samples / scene.sr if mixing is None else mixing + CROSSFADE_SECONDS / 2
    reach = end * scene.c
    most = -1 if scene.options.max_order is None else scene.options.max_order
    expected = count_images(scene.size, scene.beta, reach=reach, max_order=most)
    if expected > MOST_IMAGES:
        way_out = "take an earlier mixing time, a shorter response or a lower order"
        raise ParameterError(f"about {expected:.2g} images one by one, more than {MOST_IMAGES}; {way_out}")
    tables = axis_tables(
        size=scene.size.tolist(), source=scene.source.tolist(), mic=scene.mics[0].tolist(), beta=scene.beta, reach=reach
    )
    x, y, z = tables
    near = x.offset[:, None, None] ** 2 + y.offset[:, None] ** 2 + z.offset**2 < reach * reach
    if most >= 0:
        near &= x.order[:, None, None] + y.order[:, None] + z.order <= most
    found = list(zip(tables, np.nonzero(near), strict=True))
    away = np.stack([t.offset[i] for t, i in found], axis=1)
    distance = np.sqrt(away[:, 0] ** 2 + away[:, 1] ** 2 + away[:, 2] ** 2)
    heard = 1.0 / distance
    if mixing is not None:
        place = np.clip((distance / scene.c - mixing) / CROSSFADE_SECONDS + 0.5, 0.0, 1.0)
        heard *= np.sin(0.5 * np.pi * (1.0 - place))
    if scene.options.source_pattern is not None:
        w = scene.options.source_pattern.weights()
        fx, fy, fz = (t.flipped[i] for t, i in found)
        heard *= w[0] - (w[1] * fx + w[2] * fy + w[3] * fz) / distance
    (gx, ix), (gy, iy), (gz, iz) = ((t.gain, i) for t, i in found)
    row = ears.nearest(_turned(away / distance[:, None], turn))
    return _Images(distance, gx[:, ix] * gy[:, iy] * gz[:, iz] * heard, row)


def _turned(u: Array, turn: Array) -> Array:
    """Return directions of the room in the head's axes, shape (k, 3)."""
    u = np.atleast_2d(u)
    return np.asarray(u[:, :1] * turn[0] + u[:, 1:2] * turn[1] + u[:, 2:] * turn[2])


@lru_cache(maxsize=1)
def _taps() -> Array:
    return moment_taps()


def _early(images: _Images, ears: Head, scene: Scene) -> Array:
    """Return images through their responses, shape (n_bands, 2, n_samples).

    All images of one measurement add up in one row first, and each row meets its pair of responses once.
    """
    import scipy.fft

    delay = images.distance * (scene.sr / scene.c) - ears.zero
    nearest = np.floor(delay + 0.5).astype(np.int64)
    x = (2.0 * (delay - nearest))[:, None]
    taps = np.zeros((len(x), 2 * HALF + 1))
    for p in reversed(range(P)):
        taps = taps * x + _taps()[p]
    origin = HALF + math.ceil(ears.zero) + 1
    length = int(nearest.max()) + origin + HALF + 1
    n_fft = fft_size(length + ears.rows.shape[-1] - 1)
    used, place = np.unique(images.row, return_inverse=True)
    spectra = np.zeros((len(scene.beta), 2, n_fft // 2 + 1), dtype=np.complex128)
    for first in range(0, len(used), CHUNK):
        rows = used[first : first + CHUNK]
        mine = np.flatnonzero((place >= first) & (place < first + CHUNK))
        at = (place[mine] - first) * length + nearest[mine] + origin - HALF
        index = (at[:, None] + np.arange(2 * HALF + 1)).ravel()
        heads = scipy.fft.rfft(ears.rows[rows], n_fft)
        for band, weight in enumerate(images.weight):
            sums = np.bincount(index, (taps[mine] * weight[mine, None]).ravel(), minlength=len(rows) * length)
            arriving = scipy.fft.rfft(sums.reshape(len(rows), length), n_fft)
            spectra[band] += np.sum(arriving[:, None] * heads, axis=0)
    whole = scipy.fft.irfft(spectra, n_fft)[..., origin : origin + scene.n_samples]
    h = np.zeros((len(scene.beta), 2, scene.n_samples))
    h[..., : whole.shape[-1]] = whole
    return h


def _summed(h: Array, scene: Scene, options: BinauralOptions) -> Array:
    """Add the bands, through the air."""
    if options.air is not None:
        return bands.with_air(h, sr=scene.sr, c=scene.c, exponents=options.air)
    return bands.combine(h, sr=scene.sr) if len(h) > 1 else h[0]


def _tail(scene: Scene, ears: Head, options: BinauralOptions, mixing: float) -> Array:
    """Return the diffuse sound of both ears."""
    air = np.zeros(1) if options.air is None else np.asarray(options.air, dtype=np.float64)
    n = max(len(air), len(scene.beta))
    rows = zip(np.broadcast_to(scene.beta, (n, 6)), np.broadcast_to(air, n), strict=True)
    # A decay is nearly straight in dB: between so many knots lines are within 0.001 dB, and take a hundredth of the time.
    knots = np.linspace(0.0, scene.n_samples / scene.sr, KNOTS)
    curves = [absorption.decay(size=scene.size, alpha=1.0 - b**2, c=scene.c, air=float(m)) for b, m in rows]
    levels = [np.log(np.maximum(curve.density(knots) / scene.sr, SMALLEST)) for curve in curves]
    t = np.arange(scene.n_samples) / scene.sr
    power = np.exp(np.stack([np.interp(t, knots, level) for level in levels]))
    if scene.options.source_pattern is not None:
        w = scene.options.source_pattern.weights()
        power *= float(w[0] ** 2 + np.sum(w[1:] ** 2) / 3.0)
    if n > 1:  # each octave has as much of the noise as the set lets through there
        power *= ears.octaves[:, None]
    width = round(CROSSFADE_SECONDS * scene.sr)
    start = round(mixing * scene.sr)
    return diffuse_tail(
        power, sr=scene.sr, seed=options.seed, mixer=ears.mixer, start=start, width=width, stream="binaural"
    )
