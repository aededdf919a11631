"""What the image source method is asked: patterns, options, and the checked scene with its size in images and bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from audiosynth.acoustics.image_moments import HALF, P
from audiosynth.acoustics.image_tables import count_images
from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

Vector = tuple[float, float, float]
Engine = Literal["auto", "numba", "numpy"]

MAX_IMAGES: Final = 1_000_000_000
"""Images times channels and bands of one call: about 6 s with numba, 40 s with NumPy."""
MAX_BYTES: Final = 2 << 30
NEAREST_M: Final = 0.01
"""A source and a microphone come no nearer than this: 1/distance grows without bound."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A directivity of the cardioid family: gain = omni + (1 - omni)·cos θ.

    Attributes
    ----------
    omni
        0..1: 1 omnidirectional, 0.5 cardioid, 0.25 hypercardioid, 0 figure of eight.
    axis
        Where it looks (θ = 0), in the room's axes; any length but zero.
    """

    omni: float = 1.0
    axis: Vector = (1.0, 0.0, 0.0)

    def weights(self) -> Array:
        """Return (omni, (1 - omni)·unit axis), shape (4,)."""
        axis = vector(self.axis, "a pattern's axis")
        norm = math.sqrt(float(axis @ axis))
        if not (0.0 <= self.omni <= 1.0 and norm > 0):
            message = (
                f"a pattern has omni in 0..1 and an axis other than zero, not omni {self.omni} and axis {self.axis}"
            )
            raise ParameterError(message)
        return np.concatenate([[self.omni], (1.0 - self.omni) / norm * axis])


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """Displacement of late images, against the sweeping echoes of a box's regular lattice.

    Only the delay of images of two or more reflections moves, never the direct sound's or a first reflection's; the
    displacement is a vector per image, uniform within ±distance along each axis, the same for all microphones.

    Attributes
    ----------
    distance
        Metres, 0..0.5; 0.02 to 0.04 suits rooms.
    seed
        The recorded seed.
    """

    distance: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a response is computed and heard.

    Attributes
    ----------
    mic_patterns
        A pattern for each microphone; None for omnidirectional ones.
    source_pattern
        The source's; its images mirror the axis.
    foa
        First-order ambisonics at one position: channels W, Y, Z, X (ACN) with SN3D gains 1, uy, uz, ux.
    jitter
        Displacement of late images.
    max_order
        Most reflections of an image; None for all.
    highpass_hz
        Corner of the causal Butterworth filter of order 2 against the build-up of DC; 0 for none.
    fade
        Seconds of half-cosine at the end.
    engine
        ``auto``: numba where it is loaded or pays, NumPy otherwise; they agree to 1e-12.
    max_images
        Images times channels and bands above which a call is refused.
    """

    mic_patterns: tuple[Pattern, ...] | None = None
    source_pattern: Pattern | None = None
    foa: bool = False
    jitter: Jitter | None = None
    max_order: int | None = None
    highpass_hz: float = 20.0
    fade: float = 0.005
    engine: Engine = "auto"
    max_images: int = MAX_IMAGES


DEFAULTS: Final = Options()


class Estimate(NamedTuple):
    """Images times channels and bands, and bytes, of a call."""

    n_images: float
    n_bytes: float


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The checked arguments of a call; see `audiosynth.acoustics.image_source.simulate`.

    Attributes
    ----------
    size, source, mics, beta
        Shapes (3,), (3,), (n_mics, 3), (n_bands, 6).
    sr, n_samples, c, options
        Rate, length, speed of sound, the rest.
    """

    size: Array
    source: Array
    mics: Array
    beta: Array
    sr: int
    n_samples: int
    c: float
    options: Options

    def reach(self) -> float:
        """Return the distance in metres that sound goes in the response's length."""
        return self.n_samples / self.sr * self.c

    @cached_property
    def distances(self) -> Array:
        """The distance from the source to each microphone in metres."""
        away = self.mics - self.source
        squares = away * away
        return np.asarray(np.sqrt(squares[:, 0] + squares[:, 1] + squares[:, 2]))

    def estimate(self) -> Estimate:
        """Return about how many images times channels and bands there are, and bytes."""
        limit = -1 if self.options.max_order is None else self.options.max_order
        images = count_images(self.size, self.beta, reach=self.reach(), max_order=limit)
        n_bands, per_position = len(self.beta), 4 if self.options.foa else 1
        moments = n_bands * per_position * P * (self.n_samples + 2 * HALF)
        spectra = 4 * P * (self.n_samples + 2 * HALF)
        results = 2 * n_bands * per_position * len(self.mics) * self.n_samples
        n_bytes = 8.0 * (moments + spectra + results)
        return Estimate(images * len(self.mics) * per_position * n_bands, n_bytes)


def checked(
    *, size: npt.ArrayLike, source: npt.ArrayLike, mics: npt.ArrayLike, beta: npt.ArrayLike,
    sr: int, duration: float, c: float, options: Options,
) -> Scene:  # fmt: skip
    """Return the scene, or say which argument cannot be.

    Raises
    ------
    ParameterError
        With the argument, what came, and what may.
    """
    dimensions = vector(size, "the room's size")
    if not (dimensions > 0).all():
        raise ParameterError(f"a room has three sizes above 0 m, not {_text(dimensions)}")
    places = np.atleast_2d(_numbers(mics, "the microphones' positions"))
    if places.ndim != 2 or places.shape[1] != 3 or not len(places):
        raise ParameterError(f"microphones have positions of shape (n_mics, 3), not {places.shape}")
    if not (sr > 0 and math.isfinite(duration) and duration > 0 and math.isfinite(c) and c > 0):
        message = f"a rate, a duration and a speed of sound lie above 0, not {sr} Hz, {duration} s, {c} m/s"
        raise ParameterError(message)
    n_samples = max(1, math.floor(duration * sr + 0.5))
    scene = Scene(
        size=dimensions, source=vector(source, "the source's position"), mics=places, beta=reflections(beta),
        sr=sr, n_samples=n_samples, c=c, options=options,
    )  # fmt: skip
    _check_places(scene)
    _check_options(scene)
    return scene


def _check_places(scene: Scene) -> None:
    size = scene.size.tolist()
    for k, place in enumerate([scene.source.tolist(), *scene.mics.tolist()]):
        if not all(0 < p < length for p, length in zip(place, size, strict=True)):
            name = f"microphone {k - 1}" if k else "source"
            message = f"the {name} at {_text(place)} m is outside the room of {_text(size)} m"
            raise ParameterError(f"{message}; positions lie between 0 and the size, not on a wall")
    distances = scene.distances.tolist()
    nearest = distances.index(min(distances))
    if distances[nearest] < NEAREST_M:
        message = f"source and microphone {nearest} are {distances[nearest]:.4f} m apart, less than {NEAREST_M} m"
        raise ParameterError(f"{message}; move one of them")
    if max(distances) >= scene.reach():
        needed = max(distances) / scene.c
        message = f"the direct sound arrives at {needed:.4f} s, after the response of {scene.n_samples / scene.sr} s"
        raise ParameterError(f"{message} has ended; ask for a longer one")


def _check_options(scene: Scene) -> None:
    options, n_mics = scene.options, len(scene.mics)
    if options.foa and (n_mics != 1 or options.mic_patterns is not None):
        raise ParameterError(f"ambisonics have one position and no patterns of their own, not {n_mics} positions")
    if options.mic_patterns is not None and len(options.mic_patterns) != n_mics:
        raise ParameterError(f"{n_mics} microphones need {n_mics} patterns, not {len(options.mic_patterns)}")
    if options.jitter is not None and not 0 <= options.jitter.distance <= 0.5:
        raise ParameterError(f"images are displaced by 0..0.5 m, not {options.jitter.distance}")
    if options.max_order is not None and options.max_order < 0:
        raise ParameterError(f"an order is 0 (direct sound alone) or more, not {options.max_order}")
    if not (0 <= options.highpass_hz < scene.sr / 2 and 0 <= options.fade < math.inf):
        message = f"the filter's corner lies in 0..{scene.sr / 2} Hz and the fade is 0 s or more"
        raise ParameterError(f"{message}, not {options.highpass_hz} Hz and {options.fade} s")


def reflections(beta: npt.ArrayLike) -> Array:
    """Return reflection coefficients as (n_bands, 6)."""
    values = _numbers(beta, "reflection coefficients")
    if values.ndim == 0:
        values = np.full(6, values)
    if values.ndim > 2 or values.shape[-1] != 6 or not values.size:
        message = "reflection coefficients are one number, six (x0, x1, y0, y1, z0, z1) or (n_bands, 6)"
        raise ParameterError(f"{message}, not of shape {values.shape}")
    if values.min() < 0 or values.max() > 1:
        raise ParameterError(f"reflection coefficients lie in 0..1, not {_text(values.ravel())}")
    return np.atleast_2d(values)


def _numbers(values: npt.ArrayLike, what: str) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if not all(map(math.isfinite, array.ravel().tolist())):
        raise ParameterError(f"{what} must be finite numbers, not {_text(array.ravel())}")
    return array


def vector(values: npt.ArrayLike, what: str) -> Array:
    """Return three finite numbers."""
    array = _numbers(values, what)
    if array.shape != (3,):
        raise ParameterError(f"{what} is three numbers (x, y, z), not of shape {array.shape}")
    return array


def _text(values: Iterable[float]) -> str:
    return "(" + ", ".join(f"{v:g}" for v in values) + ")"
