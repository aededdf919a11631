"""What a receiver hears in a box: every image, or early images and then diffuse sound, or both through a head."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from audiosynth.acoustics import bands, image_source
from audiosynth.acoustics.absorption import beta_from_alpha
from audiosynth.acoustics.arrays import share
from audiosynth.acoustics.binaural import BinauralOptions, Listener, binaural_response
from audiosynth.acoustics.diffuse import diffuse_mixer
from audiosynth.acoustics.image_moments import HALF
from audiosynth.acoustics.tails import crossfade, diffuse_tail
from audiosynth.spaces.receivers import ReceiverSpec, patterns_of
from audiosynth.spaces.walls import Absorption, Size

if TYPE_CHECKING:
    from audiosynth.clip import Array

CROSSFADE_SECONDS: Final = 0.01
"""Over which images go out and diffuse sound comes in."""
EARLY_SECONDS: Final = 0.07
"""At least so long after the direct sound all images are heard: C50's early part is exact, and most of the late part that counts."""
HYBRID_FROM: Final = 30_000_000
"""Images times channels and bands from which `auto` takes the hybrid: about 0.2 s compiled, which it makes in 0.02 s."""
LATE_DB: Final = -0.16
"""Late energy of a box re the mean over all places in it: sources and receivers stand away from the walls, where sound
doubles. Median of 60 rooms, places 0.5 m and more from the walls (`tests/bench/hybrid.py` shows what is left)."""
HIGHPASS_HZ: Final = 20.0
FADE_SECONDS: Final = 0.005


@dataclass(frozen=True, kw_only=True, eq=False)
class Box:
    """One source and one receiver in a box.

    Attributes
    ----------
    size, point, receiver
        Of the room; of the source; what listens and where.
    made
        Its absorption.
    sr, c
        Rate in Hz; speed of sound in m/s.
    duration
        Of the response in seconds; by the decay if None.
    pattern, axis
        Directivity of the source, and where it looks in the room's axes.
    jitter, max_order, seed
        Displacement of late images in metres; most reflections; the recorded seed.
    method
        ``image``, ``hybrid``, or ``auto``.
    """

    size: Size
    point: tuple[float, float, float]
    receiver: ReceiverSpec
    made: Absorption
    sr: int
    c: float
    duration: float | None
    pattern: str | float
    axis: tuple[float, float, float]
    jitter: float
    max_order: int | None
    seed: int
    method: str


class Heard(NamedTuple):
    """A response (n_channels, n_samples) in the receiver's axes, and what is known of it.

    `delay` is the direct sound's in samples at the nearest microphone (a head's middle), `distance` its way in metres, `mixing`
    the time in seconds from emission at which diffuse sound takes over, None where it never does.
    """

    h: Array
    delay: float
    distance: float
    n_images: int
    mixing: float | None = None
    more: dict[str, Any] = {}  # noqa: RUF012  # nobody writes to it


def hear(box: Box, *, hrtf: Any = None) -> Heard:
    """Return the response.

    Parameters
    ----------
    box
        The scene.
    hrtf
        A head's responses (`sofa.Sofa`), for a binaural receiver.

    Raises
    ------
    ParameterError
        For impossible geometry, and for sums that would take too long.
    AssetError
        If the file is no set of head-related responses.
    """
    if hrtf is not None:
        return _through_head(box, hrtf)
    asked = arguments(box)
    if is_hybrid(box, asked):
        return _hybrid(box, asked)
    found = image_source.simulate(**asked)
    h = turned(_through_air(found.h, box), box.receiver)
    return Heard(h, float(found.delay.min()), float(found.distance.min()), found.n_images)


def is_hybrid(box: Box, asked: dict[str, Any] | None = None) -> bool:
    """Return whether diffuse sound takes the place of late images: where that is asked for, or where the sum would be long.

    `asked` are the box's `arguments`, where they are at hand.
    """
    if box.method != "auto" or _is_short(box):
        return box.method == "hybrid"
    return image_source.estimate(**(asked or arguments(box))).n_images > HYBRID_FROM


def _is_short(box: Box) -> bool:
    """Return whether the sum is short wherever the two stand; its estimate counts the images of a sphere at most."""
    if box.max_order is not None:
        return True
    reach = box.c * (seconds(box, math.hypot(*box.size)) + 1.0 / box.sr)
    sphere = 4.0 / 3.0 * math.pi * reach**3 / math.prod(box.size) + 1.0
    return sphere * len(box.made.alpha) * box.receiver.n_channels() < HYBRID_FROM


def mixing_time(size: Size, *, direct: float) -> float:
    """Return when images give way to diffuse sound, in seconds from emission.

    Notes
    -----
    The longer of 70 ms and 20·V/S + 12 ms after the direct sound (A. Lindau, L. Kosanke, S. Weinzierl, JAES 60 (2012)
    887-898, for shoeboxes).

    Examples
    --------
    >>> round(mixing_time((6.0, 5.0, 3.0), direct=0.008), 4)
    0.083
    """
    x, y, z = size
    return direct + CROSSFADE_SECONDS / 2 + max(EARLY_SECONDS, 0.02 * x * y * z / (2 * (x * y + x * z + y * z)) + 0.012)


def seconds(box: Box, distance: float) -> float:
    """Return the length of a response over a distance in metres."""
    return box.duration or box.made.seconds(box.size, c=box.c, distance=distance)


def source_pattern(box: Box) -> image_source.Pattern | None:
    """Return the source's directivity; None where it has none."""
    p = share(box.pattern)
    return None if p == 1.0 else image_source.Pattern(omni=p, axis=box.axis)


def arguments(box: Box, **changes: Any) -> dict[str, Any]:
    """Return the arguments of the image sum; `changes` are to its options."""
    foa = box.receiver.type == "ambisonic"
    microphones, origin = box.receiver.microphones(), np.asarray(box.receiver.view().origin)
    mics = origin[np.newaxis] if foa else microphones.at(origin)
    distance = float(np.sqrt(np.sum((mics - np.asarray(box.point)) ** 2, axis=1)).max())
    beta = beta_from_alpha(box.made.alpha)
    options = {
        "mic_patterns": None if foa else patterns_of(microphones), "source_pattern": source_pattern(box), "foa": foa,
        "jitter": image_source.Jitter(distance=box.jitter, seed=box.seed) if box.jitter else None,
        "max_order": box.max_order, "highpass_hz": HIGHPASS_HZ, "fade": FADE_SECONDS, **changes,
    }  # fmt: skip
    return {
        "size": box.size, "source": box.point, "mics": mics, "beta": beta if len(beta) > 1 else beta[0], "sr": box.sr,
        "duration": seconds(box, distance), "c": box.c, "options": image_source.Options(**options),
    }  # fmt: skip


def _hybrid(box: Box, asked: dict[str, Any]) -> Heard:
    """Return early images and then diffuse sound of the same decay."""
    away = np.asarray(asked["mics"]) - np.asarray(box.point)
    direct = float(np.sqrt(np.sum(away**2, axis=1)).max()) / box.c
    n, start = round(asked["duration"] * box.sr), round(mixing_time(box.size, direct=direct) * box.sr)
    width = round(CROSSFADE_SECONDS * box.sr)
    until = (start + width // 2 + HALF + 1) / box.sr
    if until >= asked["duration"]:
        return hear(_only_images(box))
    early = image_source.simulate(**{**arguments(box, highpass_hz=0.0, fade=0.0), "duration": until})
    whole = np.zeros((*early.h.shape[:-1], n))
    whole[..., : early.h.shape[-1]] = early.h * crossfade(early.h.shape[-1], centre=start, width=width)[0]
    power = box.made.powers(box.size, c=box.c, n_samples=n, sr=box.sr)
    power *= _radiated(box) * 10.0 ** (LATE_DB / 10.0)
    mixer = diffuse_mixer(box.receiver.straight(), sr=box.sr, c=box.c)
    tail = diffuse_tail(power, sr=box.sr, seed=box.seed, mixer=mixer, start=start, width=width, stream="hybrid")
    h = turned(_through_air(whole, box), box.receiver) + tail
    h = image_source.finished(h, sr=box.sr, highpass_hz=HIGHPASS_HZ, fade=FADE_SECONDS)
    return Heard(h, float(early.delay.min()), float(early.distance.min()), early.n_images, start / box.sr)


def _only_images(box: Box) -> Box:
    from dataclasses import replace

    return replace(box, method="image")


def _radiated(box: Box) -> float:
    """Return the mean square of the source's pattern over all directions: what it gives to the diffuse field."""
    p = share(box.pattern)
    return p * p + (1.0 - p) ** 2 / 3.0


def _through_head(box: Box, hrtf: Any) -> Heard:
    """Return what two ears hear."""
    view = box.receiver.view()
    distance = math.dist(view.origin, box.point)
    beta = beta_from_alpha(box.made.alpha)
    found = binaural_response(
        listener=Listener(hrtf=hrtf, position=view.origin, yaw=view.yaw, pitch=view.pitch), size=box.size,
        source=box.point, beta=beta if len(beta) > 1 else beta[0], sr=box.sr, duration=seconds(box, distance), c=box.c,
        options=BinauralOptions(
            seed=box.seed, max_order=box.max_order, source_pattern=source_pattern(box), air=box.made.air
        ),
    )  # fmt: skip
    more = {"measurement": found.measurement, "off": round(found.off, 3)}
    return Heard(found.h, found.delay, found.distance, found.n_images, found.mixing, more)


def turned(h: Array, receiver: ReceiverSpec) -> Array:
    """Turn ambisonic channels from the room's axes to the receiver's."""
    if receiver.type != "ambisonic" or (receiver.yaw == 0.0 and receiver.pitch == 0.0):
        return h
    weights = receiver.microphones().weights  # W, then left, up and front of the turned receiver
    w, y, z, x = (h[..., k, :] for k in range(4))
    return np.stack([g[0] * w + g[1] * x + g[2] * y + g[3] * z for g in weights], axis=-2)


def _through_air(h: Array, box: Box) -> Array:
    if box.made.air is not None:
        stack = h if h.ndim == 3 else h[np.newaxis]
        return bands.with_air(stack, sr=box.sr, c=box.c, exponents=box.made.air)
    return bands.combine(h, sr=box.sr) if h.ndim == 3 else h
