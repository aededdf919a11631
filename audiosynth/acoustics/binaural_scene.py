"""What is asked of a binaural response: options, the checked scene, and when diffuse sound takes over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.acoustics import bands
from audiosynth.acoustics.image_scene import Options, Pattern, Scene, checked, vector
from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.acoustics.sofa import Sofa

NEAREST_M: Final = 0.1
"""A source comes no nearer to the middle of the head: it would stand inside."""
CROSSFADE_SECONDS: Final = 0.01
EARLIEST_SECONDS: Final = 0.05
"""At least so long after the direct sound, images are followed one by one."""
DIRECT_SECONDS: Final = 0.0025


@dataclass(frozen=True, kw_only=True, eq=False)
class Listener:
    """A head in a room.

    Attributes
    ----------
    hrtf
        Its responses (`heads.head_of` says which), as `sofa.read_sofa` gives them; prepared once, while the same object
        comes again.
    position
        Of its middle in metres, shape (3,).
    yaw, pitch
        Where it looks, in degrees: anticlockwise from x seen from above, then up.
    """

    hrtf: Sofa
    position: npt.ArrayLike
    yaw: float = 0.0
    pitch: float = 0.0


@dataclass(frozen=True, kw_only=True)
class BinauralOptions:
    """How a response is computed.

    Attributes
    ----------
    seed
        The recorded seed of the diffuse sound.
    mixing
        Seconds after the direct sound at which diffuse sound takes over; by rule if None.
    max_images
        Images followed one by one; the rule's mixing time comes earlier where there are more.
    max_order
        Most reflections of an image; if given, there is no diffuse sound.
    source_pattern
        The source's directivity.
    air
        m of `absorption.air_exponents` per octave in 1/m, or None.
    highpass_hz, fade
        As for `image_scene.Options`.
    """

    seed: int
    mixing: float | None = None
    max_images: int = 8000
    max_order: int | None = None
    source_pattern: Pattern | None = None
    air: npt.ArrayLike | None = None
    highpass_hz: float = 20.0
    fade: float = 0.005


def checked_head(listener: Listener, options: BinauralOptions, *, size: npt.ArrayLike, **given: Any) -> Scene:
    """Return the scene with the middle of the head as its microphone, or say which argument cannot be."""
    room, place = vector(size, "the room's size"), vector(listener.position, "the head's position")
    if (room > 0).all() and not ((place > 0) & (place < room)).all():
        raise ParameterError(f"the head at {place.tolist()} m is outside the room of {room.tolist()} m; move it inside")
    if not (math.isfinite(listener.yaw) and math.isfinite(listener.pitch)):
        turned = f"{listener.yaw} and {listener.pitch}"
        raise ParameterError(f"a head is turned by a finite yaw and pitch in degrees, not {turned}")
    heard = Options(
        source_pattern=options.source_pattern, max_order=options.max_order, highpass_hz=options.highpass_hz,
        fade=options.fade,
    )  # fmt: skip
    scene = checked(size=size, mics=place, options=heard, **given)
    if len(scene.beta) not in (1, bands.n_bands(scene.sr)):
        raise ParameterError(
            f"{scene.sr} Hz has {bands.n_bands(scene.sr)} octaves: coefficients are one row or as many, "
            f"not {len(scene.beta)}"
        )
    if scene.distances[0] < NEAREST_M:
        raise ParameterError(
            f"the source is {scene.distances[0]:.3f} m from the head's middle, less than {NEAREST_M} m"
        )
    return scene


def mixing_time(scene: Scene, options: BinauralOptions) -> float | None:
    """Return when diffuse sound takes over, in seconds from emission; None if it never does."""
    closed = np.minimum(scene.beta[:, 0::2], scene.beta[:, 1::2]).max() > 0
    duration = scene.n_samples / scene.sr
    if options.max_order is not None or not closed:
        return None
    direct, half = float(scene.distances[0]) / scene.c, CROSSFADE_SECONDS / 2
    x, y, z = scene.size.tolist()
    volume, surface = x * y * z, 2 * (x * y + x * z + y * z)
    if options.mixing is None:
        after = max(EARLIEST_SECONDS, 0.02 * volume / surface + 0.012)
        allowed = (3.0 * options.max_images * volume / (4.0 * math.pi)) ** (1 / 3) / scene.c - half
        when = max(min(direct + after, allowed), direct + DIRECT_SECONDS + half)
    elif math.isfinite(options.mixing) and options.mixing >= DIRECT_SECONDS + half:
        when = direct + options.mixing
    else:
        raise ParameterError(f"a mixing time is 0.0075 s after the direct sound or later, not {options.mixing} s")
    return when if when + half < duration else None
