"""What a receiver hears of a source that moves in a box: all of it, or its direct or early part."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from audiosynth.acoustics.moving import Box as MovingBox
from audiosynth.acoustics.moving import render_moving
from audiosynth.acoustics.paths3d import Track, arc, directions, line, through
from audiosynth.acoustics.responses import EARLY_SECONDS
from audiosynth.spaces.box import Box, arguments, turned
from audiosynth.spaces.box_moving_head import render_at_ears

if TYPE_CHECKING:
    from audiosynth.clip import Array
    from audiosynth.spaces.places import Motion

Part = Literal["image", "direct", "early"]

TICK: Final = 0.1
"""Seconds from direction to direction of a moving source's labels."""


class Moved(NamedTuple):
    """The sound of a moving source: `y` from the first emission on, its first sample's direct delay in samples and in seconds,
    and (seconds after the onset, azimuth, elevation, distance) every 0.1 s as it is heard.
    """  # noqa: D205

    y: Array
    delay: int
    seconds: float
    track: tuple[tuple[float, ...], ...]


def move(box: Box, dry: Array, motion: Motion, *, part: Part = "image", hrtf: Any = None) -> Moved:
    """Return the sound of a source that moves.

    Parameters
    ----------
    box
        The scene; `point` is where the source begins.
    dry
        Shape (1, n).
    motion
        Its way, in points of the room.
    part
        All of the sound, the direct sound without any reflection, or what arrives up to 50 ms after it (C50's limit).
    hrtf
        A head's responses (`sofa.Sofa`), for a binaural receiver.

    Raises
    ------
    ParameterError
        If the path leaves the room, meets a microphone or is too fast.
    """
    track = _track(box, motion, dry.shape[-1] / box.sr)
    if hrtf is None:
        asked = arguments(box, **({"max_order": 0} if part == "direct" else {}))
        room = MovingBox(
            size=box.size, mics=asked["mics"], beta=asked["beta"], sr=box.sr, duration=asked["duration"], c=box.c,
            options=asked["options"], air=box.made.air, early=EARLY_SECONDS if part == "early" else None,
        )  # fmt: skip
        found = render_moving(dry, track=track, box=room, doppler=motion.doppler)
        y, delay = turned(found.y, box.receiver), float(found.delay.min())
    else:
        y, delay = render_at_ears(box, dry[0], track, hrtf=hrtf, doppler=motion.doppler, part=part)
    return Moved(y, math.floor(delay + 0.5), delay / box.sr, _seen(box, track))


def _seen(box: Box, track: Track) -> tuple[tuple[float, ...], ...]:
    """Return time, azimuth, elevation and distance as the receiver has them."""
    view = box.receiver.view()
    ticks = np.arange(math.floor(track.duration / TICK) + 1) * TICK
    seen = directions(track, centre=view.origin, c=box.c, times=ticks, yaw=view.yaw, pitch=view.pitch)
    rows = np.stack([ticks, seen.azimuth, seen.elevation, seen.distance], axis=1)
    return tuple(tuple(round(float(v), 4) + 0.0 for v in row) for row in rows)


def _track(box: Box, motion: Motion, duration: float) -> Track:
    x, y, z = box.point
    if motion.to is not None:
        return line(box.point, motion.to.point or box.point, duration=duration)
    if motion.via is not None:
        return through([box.point, *(place.point or box.point for place in motion.via)], duration=duration)
    cx, cy, _ = box.receiver.view().origin
    start = math.degrees(math.atan2(y - cy, x - cx))
    return arc(
        (cx, cy, z), radius=math.hypot(x - cx, y - cy), azimuth=(start, start + (motion.turn or 0.0)), duration=duration
    )
