"""Sound of a source that moves in a box: near images at their own running delays, the rest cross-faded along the path.

What is emitted at time t from p(t) arrives at t + d/c: the receiver is still, the source moves, and a tone is heard at
f/(1 - v/c) for the speed v towards the receiver. Direct sound and images of one and two reflections are exact
(`moving_images`). All others come as responses at knots along the path, faded into each other at the time of emission.
Amplitudes are 1/(4πd) at the distance of emission, as in a still room; that a moving monopole is louder in front, by
(1 - v/c)^-2 (P. M. Morse, K. U. Ingard, Theoretical Acoustics, 1968, section 11.2), is left out: 0.05 dB at 1 m/s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from audiosynth.acoustics import bands
from audiosynth.acoustics.arrays import FOA_WEIGHTS
from audiosynth.acoustics.image_scene import DEFAULTS, Options, Scene, checked
from audiosynth.acoustics.moving_images import Listening, near_images, read_images
from audiosynth.acoustics.moving_knots import Path, Room, add_rest, highpassed, path_of
from audiosynth.acoustics.paths3d import Track, check_track, positions_at
from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

NEAR_ORDER: Final = 2
"""Most reflections of an image that is read at its own running delay."""
KNOT_M: Final = 0.05
"""Metres between knots of the first 100 ms; `moving_knots` says the rest."""
EARLY_FADE: Final = 0.0025
"""Seconds; as `responses.early_part` has it."""
_OMNI: Final = ((1.0, 0.0, 0.0, 0.0),)


@dataclass(frozen=True, kw_only=True, eq=False)
class Box:
    """The room and how it is heard; arguments as for `audiosynth.acoustics.image_source.simulate`.

    Attributes
    ----------
    size, mics, beta, sr, duration, c, options
        `duration` is that of a response, from emission. `options.max_order` of 2 or less has exact images only; 0 is
        the direct sound alone.
    air
        Exponents of the air's absorption per octave band in 1/m (`absorption.air_exponents`), or None.
    envelope
        Gain by samples since emission, shape (n,), instead of the fade: the early part of a hybrid, say. Sound that
        took longer than n samples is left out. The high-pass of near images follows it: where it, or a response, ends
        within 0.1 s, what the filter rings on beyond (below 100 Hz) stays, unlike in a response that is cut.
    early
        Seconds after the direct sound, as it moves, up to which sound is heard; it fades over `EARLY_FADE`. None for all.
    """

    size: npt.ArrayLike
    mics: npt.ArrayLike
    beta: npt.ArrayLike
    sr: int
    duration: float
    c: float
    options: Options = DEFAULTS
    air: npt.ArrayLike | None = None
    envelope: npt.ArrayLike | None = None
    early: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class MovingImage:
    """What arrives, and what is known exactly of it.

    Attributes
    ----------
    y
        Shape (n_channels, n + n_response - 1); sample 0 is the moment of the first emission.
    distance
        From the source to each microphone at the first emission in metres, shape (n_mics,).
    delay
        Of the direct sound of the first sample, in samples, shape (n_mics,).
    onset
        `delay` rounded down.
    n_knots
        Responses along the path; 0 where all images are exact.
    n_images
        Images summed for them.
    """

    y: Array
    distance: Array
    delay: Array
    onset: npt.NDArray[np.int64]
    n_knots: int
    n_images: int


def render_moving(y: Array, *, track: Track, box: Box, doppler: bool = True, knot: float = KNOT_M) -> MovingImage:
    """Return the sound of a moving source at the microphones.

    Parameters
    ----------
    y
        Dry sound, shape (n,) or (1, n).
    track
        The path; time 0 is the first sample of `y`.
    box
        The room.
    doppler
        False: all images come as responses some 0.1 s apart, each with the delays of its place, faded into each other
        as others do it. In between, two delays are heard at once: sound is combed where its half wavelength is shorter
        than what the source moves meanwhile, and its pitch stays within 1/(2·0.1 s); longer waves still follow Doppler.
    knot
        Metres between responses along the path; more for fast sources (`moving_knots`).

    Raises
    ------
    ParameterError
        For paths that leave the room, meet a microphone or are too fast, and for calls that would take too long.

    Notes
    -----
    Long waves, for which the responses of neighbouring knots are alike, are interpolated by a cubic; short ones, for
    which they are not, are faded with constant power; between the two so that the mean power in a diffuse field is the
    same at every frequency (`moving_knots.alike_share`).

    Examples
    --------
    >>> from audiosynth.acoustics.paths3d import line
    >>> box = Box(size=(6, 5, 3), mics=(4.3, 3.4, 1.3), beta=0.7, sr=16000, duration=0.2, c=343.0)
    >>> heard = render_moving(np.ones(800), track=line((1, 1, 1), (1.05, 1, 1), duration=0.05), box=box)
    >>> heard.y.shape, heard.n_knots, round(float(heard.delay[0]), 3)
    ((1, 3999), 4, 190.855)
    """
    dry = np.asarray(y, dtype=np.float64)
    if dry.ndim > 2 or (dry.ndim == 2 and len(dry) != 1) or not dry.size:
        raise ParameterError(f"a moving source has one channel of sound, not shape {dry.shape}")
    dry = dry.reshape(-1)
    check_track(track, size=box.size, mics=box.mics)
    path = path_of(positions_at(track, np.arange(dry.size) / box.sr))
    room = _room(box, path.places)
    scene, limit = room.scene, room.scene.options.max_order
    order = -1 if not doppler else NEAR_ORDER if limit is None else min(limit, NEAR_ORDER)
    image = np.zeros((len(scene.mics) * (4 if scene.options.foa else 1), dry.size + scene.n_samples - 1))
    if order >= 0:
        image += _near(dry, path, room, order)
    n_knots = n_images = 0
    if order < 0 or limit is None or limit > order:
        n_knots, n_images = add_rest(image, dry, path, room, order=order, knot=knot)
    distance = scene.distances
    delay = distance * (box.sr / box.c)
    onset = np.floor(delay).astype(np.int64)
    return MovingImage(y=image, distance=distance, delay=delay, onset=onset, n_knots=n_knots, n_images=n_images)


def _room(box: Box, places: Array) -> Room:
    """Return the checked room, its scene at the path's start; the direct sound arrives in time all along."""
    away = np.atleast_2d(np.asarray(box.mics, dtype=np.float64))[:, None, :] - places
    farthest = places[int(np.argmax(np.sum(away**2, axis=2).max(axis=0)))]
    for place in (farthest, places[0]):
        scene = checked(size=box.size, source=place, mics=box.mics, beta=box.beta, sr=box.sr,
                        duration=box.duration, c=box.c, options=box.options)  # fmt: skip
    air = None if box.air is None else np.asarray(box.air, dtype=np.float64)
    early = None if box.early is None else (box.early * box.sr, EARLY_FADE * box.sr)
    room = Room(scene, box.duration, _envelope(box, scene), air, early)
    if air is None and len(scene.beta) == 1:
        return room
    n_bands, given = bands.n_bands(box.sr), len(scene.beta) if air is None else air.size
    if given != n_bands or len(scene.beta) not in (1, n_bands):
        raise ParameterError(f"{box.sr} Hz has {n_bands} octave bands, not {given} (walls: {len(scene.beta)})")
    return room


def _envelope(box: Box, scene: Scene) -> Array:
    """Return the gain by samples since emission, as long as the response."""
    if box.envelope is not None:
        given = np.asarray(box.envelope, dtype=np.float64)
        if given.ndim != 1 or not given.size or not np.isfinite(given).all():
            raise ParameterError(f"an envelope is finite numbers of shape (n,), not of shape {given.shape}")
        whole = np.zeros(scene.n_samples)
        whole[: given.size] = given[: scene.n_samples]
        return whole
    n = min(scene.n_samples, round(box.options.fade * scene.sr))
    whole = np.ones(scene.n_samples)
    if n:
        whole[-n:] = 0.5 + 0.5 * np.cos(np.pi * (np.arange(n) + 1) / n)
    return whole


def _near(dry: Array, path: Path, room: Room, order: int) -> Array:
    """Return what the near images give, shape (n_channels, n)."""
    scene, options = room.scene, room.scene.options
    images = near_images(scene.size, scene.beta, max_order=order, jitter=options.jitter)
    source = _OMNI[0] if options.source_pattern is None else options.source_pattern.weights()
    parts = []
    for k, mic in enumerate(scene.mics):
        weights = np.asarray(FOA_WEIGHTS if options.foa else _OMNI)
        if options.mic_patterns is not None:
            weights = options.mic_patterns[k].weights()[None, :]
        scale = scene.sr / scene.c
        listening = Listening(mic, weights, np.asarray(source), scale, room.envelope, room.air, room.early)
        parts.append(read_images(dry, path.places, images, listening, dry.size + scene.n_samples - 1))
    whole = np.concatenate(parts, axis=1)
    return highpassed(whole[0] if len(whole) == 1 else bands.combine(whole, sr=scene.sr), scene)
