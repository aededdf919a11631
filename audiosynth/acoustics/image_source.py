"""Impulse responses of a box by the full-order image source method, exact to the window of its fractional delays.

Every image nearer than c·T is summed in float64, in one order, whatever the threads; a microphone of an array gets the
bits it would get alone. The method's parts: `image_scene` (what is asked), `image_tables` (axes), `image_kernel`,
`image_taps_kernel` and `image_moments` (the sum).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.acoustics import image_moments, knees
from audiosynth.acoustics.image_scene import (
    DEFAULTS,
    MAX_BYTES,
    MAX_IMAGES,
    Estimate,
    Jitter,
    Options,
    Pattern,
    Scene,
    checked,
)
from audiosynth.acoustics.image_tables import Axis, Rule, axis_tables
from audiosynth.compiled import compiled
from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

__all__ = ["MAX_IMAGES", "Estimate", "ImageResponse", "Jitter", "Options", "Pattern", "estimate", "simulate", "warm"]

_KERNEL: Final = "audiosynth.acoustics.image_kernel"
NUMPY_UNTIL: Final = 30_000_000
"""Images up to which NumPy (40 ns each) is done before numba (6 ns each) has been loaded (1.2 s)."""
_OMNI: Final = np.array([[1.0, 0.0, 0.0, 0.0]])
_FOA: Final = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]])
_LEAVING: Final = np.array([1.0, -1.0, -1.0, -1.0])


@dataclass(frozen=True, kw_only=True)
class ImageResponse:
    """Impulse responses and what is known exactly of them.

    Attributes
    ----------
    h
        Shape (n_channels, n_samples), or (n_bands, n_channels, n_samples) for coefficients per band.
    distance
        From the source to each microphone position in metres, shape (n_mics,).
    delay
        Of the direct sound in samples, shape (n_mics,): distance·sr/c.
    onset
        `delay` rounded down.
    n_images
        Images summed, over all microphone positions.
    """

    h: Array
    distance: Array
    delay: Array
    onset: npt.NDArray[np.int64]
    n_images: int


def simulate(
    *, size: npt.ArrayLike, source: npt.ArrayLike, mics: npt.ArrayLike, beta: npt.ArrayLike,
    sr: int, duration: float, c: float, options: Options = DEFAULTS,
) -> ImageResponse:  # fmt: skip
    """Return the impulse responses from a source to microphones in a box.

    Parameters
    ----------
    size
        Length, width, height in metres; the room is [0, Lx]×[0, Ly]×[0, Lz].
    source
        Position in metres, shape (3,).
    mics
        Positions in metres, shape (3,) or (n_mics, 3); one for ambisonics.
    beta
        Pressure reflection coefficients 0..1 of the walls x0, x1, y0, y1, z0, z1: one number, shape (6,), or
        (n_bands, 6).
    sr
        Sampling rate in Hz.
    duration
        Of the response in seconds, from the moment of emission.
    c
        Speed of sound in m/s.
    options
        Patterns, ambisonics, displacement, order, filter, fade, engine.

    Returns
    -------
    ImageResponse
        Sample n is heard n/sr after emission; an image at distance d arrives with amplitude 1/(4πd) at d·sr/c.

    Raises
    ------
    ParameterError
        For impossible geometry or coefficients, and for calls that would take too long or too much memory.

    References
    ----------
    Allen and Berkley (1979); windowed-sinc delays: P. M. Peterson, JASA 80(5), 1986.

    Examples
    --------
    >>> room = simulate(size=(6, 5, 3), source=(2.1, 1.7, 1.5), mics=(4.3, 3.4, 1.3), beta=0.0, sr=16000,
    ...                 duration=0.05, c=343.0)
    >>> room.h.shape, round(float(room.delay[0]), 6), room.n_images
    ((1, 800), 130.027847, 1)
    """
    scene = checked(size=size, source=source, mics=mics, beta=beta, sr=sr, duration=duration, c=c, options=options)
    expected = scene.estimate()
    _refuse(expected, options.max_images)
    engine = _engine(options.engine, expected.n_images)
    parts = [_at_position(scene, k, engine) for k in range(len(scene.mics))]
    h = parts[0][0] if len(parts) == 1 else np.concatenate([part for part, _ in parts], axis=1)
    distance = scene.distances
    delay = distance * (sr / c)
    return ImageResponse(
        h=h[0] if np.ndim(beta) < 2 else h,
        distance=distance,
        delay=delay,
        onset=np.floor(delay).astype(np.int64),
        n_images=sum(count for _, count in parts),
    )


def estimate(
    *, size: npt.ArrayLike, source: npt.ArrayLike, mics: npt.ArrayLike, beta: npt.ArrayLike,
    sr: int, duration: float, c: float, options: Options = DEFAULTS,
) -> Estimate:  # fmt: skip
    """Return what `simulate` would take, without running it; arguments as there."""
    scene = checked(size=size, source=source, mics=mics, beta=beta, sr=sr, duration=duration, c=c, options=options)
    return scene.estimate()


def warm() -> bool:
    """Load the compiled kernels (about a second; seconds the first time ever); return whether there are any."""
    kernel = compiled(_KERNEL)
    if kernel is not None:
        knees.Decay(1).remaining(np.ones(1))  # what is measured of responses
        for foa in (False, True):  # the plain sum, and that with patterns
            simulate(size=(3, 3, 3), source=(1, 1, 1), mics=(2, 2, 2), beta=0.5, sr=8000, duration=0.02, c=343.0,
                     options=Options(engine="numba", foa=foa))  # fmt: skip
    return kernel is not None


def _refuse(expected: Estimate, max_images: int) -> None:
    if expected.n_images > max_images or expected.n_bytes > MAX_BYTES:
        message = f"about {expected.n_images:.2g} images (times channels and bands) and {expected.n_bytes / 1e6:.0f} MB"
        limits = f"more than {max_images:.2g} images or {MAX_BYTES / 1e6:.0f} MB"
        way_out = "shorten the response, lower max_order, raise the absorption, or take the hybrid method"
        raise ParameterError(f"this response needs {message}, {limits}; {way_out}")


def _engine(asked: str, n_images: float) -> Any:
    """Return the module whose `responses` sums the images."""
    if asked not in ("auto", "numba", "numpy"):
        raise ParameterError(f"the engine is 'auto', 'numba' or 'numpy', not {asked!r}")
    loaded = "numba" in sys.modules or n_images > NUMPY_UNTIL
    kernel = compiled(_KERNEL) if asked == "numba" or (asked == "auto" and loaded) else None
    if kernel is None and asked == "numba":
        raise ParameterError("numba cannot be loaded here; install it, or take engine='numpy' (the same to 1e-12)")
    return image_moments if kernel is None else kernel


def _at_position(scene: Scene, k: int, engine: Any) -> tuple[Array, int]:
    """Return the responses at one position, shape (n_bands, n_channels, n_samples), and the images summed."""
    options = scene.options
    # Longer axes have fewer images and stand outside; by size alone, so that every microphone has the same order.
    size = scene.size.tolist()
    turn = sorted(range(3), key=lambda a: -size[a])
    tables = _tables(scene, scene.mics[k], turn)
    patterns = _FOA if options.foa else _OMNI
    if options.mic_patterns is not None:
        patterns = options.mic_patterns[k].weights()[None, :]
    source = _OMNI if options.source_pattern is None else options.source_pattern.weights()[None, :]
    columns = [0, *(1 + a for a in turn)]
    # Sound leaves against the offset (image minus microphone).
    source = (_LEAVING * source)[0, columns]
    h, count = engine.responses(
        tables, np.ascontiguousarray(patterns[:, columns]), source, _rule(scene), scene.n_samples
    )
    return finished(h, sr=scene.sr, highpass_hz=options.highpass_hz, fade=options.fade), count


def _rule(scene: Scene) -> Rule:
    jitter = 0.0 if scene.options.jitter is None else float(scene.options.jitter.distance)
    max_order = -1 if scene.options.max_order is None else scene.options.max_order
    return Rule(scale=scene.sr / scene.c, reach=scene.reach() ** 2, max_order=max_order, jitter=jitter)


def _tables(scene: Scene, mic: Array, turn: list[int]) -> tuple[Axis, Axis, Axis]:
    jitter = scene.options.jitter
    tables = axis_tables(
        size=scene.size.tolist(), source=scene.source.tolist(), mic=mic.tolist(), beta=scene.beta,
        reach=scene.reach(), seed=None if jitter is None else jitter.seed,
    )  # fmt: skip
    x, y, z = (tables[a] for a in turn)
    return x, y, z


@lru_cache(maxsize=16)
def _highpass(corner: float, sr: int) -> tuple[Array, Array]:
    from scipy.signal import butter

    b, a = butter(2, corner, "highpass", fs=sr)
    return b, a


@lru_cache(maxsize=16)
def _fade(n: int) -> Array:
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * (np.arange(n) + 1) / n))


def finished(h: Array, *, sr: int, highpass_hz: float, fade: float) -> Array:
    """Take away what is below hearing, causally, and end smoothly over `fade` seconds; may alter `h`."""
    if highpass_hz > 0:
        from scipy.signal import lfilter  # one section of order 2: the same as sosfilt, with less around it

        h = np.asarray(lfilter(*_highpass(highpass_hz, sr), h, axis=-1))
    n = min(h.shape[-1], round(fade * sr))
    if n > 0:
        h[..., -n:] *= _fade(n)
    return h
