"""From a planned event to its image (source, effects, room), and from a planned bed to its noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from audiosynth.acoustics import responses
from audiosynth.clip import Array, RenderContext, Response
from audiosynth.errors import ParameterError, RenderError
from audiosynth.material.workspace import Workspace
from audiosynth.spaces.places import Position
from audiosynth.spec import ClipSpec, Decisions, Event

Intervals = Sequence[tuple[int, int]]
BEFORE_PEAK: Final = 0.001
AFTER_PEAK: Final = 0.05
"""Seconds of a response that Kaldi's ComputeEarlyReverbEnergy counts, about its peak."""


def round_gain(gain_db: float) -> float:
    """Return a gain on the 1e-6 dB grid.

    Examples
    --------
    >>> round_gain(-3.01029995)
    -3.0103
    """
    return round(gain_db, 6) + 0.0


def amplitude(gain_db: float) -> float:
    """Return the factor of a gain in dB."""
    return float(10.0 ** (gain_db / 20.0))


@dataclass(frozen=True)
class Image:
    """One event after effects and room, before its gains.

    Attributes
    ----------
    dry, y
        Source after effects; what arrives at the microphones. Shape (n_channels, n).
    start
        Sample of the clip at which `y` begins (may be negative).
    direct
        Sample of `y` at which the source's first sample arrives.
    room_gain_db
        Gain of the response.
    response
        The response, if there is a room.
    tail
        Samples that the room goes on sounding after the dry end.
    direction
        Azimuth and elevation in degrees and distance in metres, as the receiver sees the source; empty where unknown. Of a
        moving one those of its start, and `track`: [seconds of the clip, azimuth, elevation, distance] every 0.1 s.
    part
        Makes the direct or the early part of `y` where the source moves: then `response` is that of its start.
    """

    dry: Array
    y: Array
    start: int
    direct: int
    room_gain_db: float = 0.0
    response: Response | None = None
    tail: int = 0
    direction: Mapping[str, Any] = field(default_factory=dict)
    part: Callable[[str], Array] | None = None

    @property
    def shift(self) -> int:
        """Return the sample of the clip at which the source's first sample arrives."""
        return self.start + self.direct


def make_image(spec: ClipSpec, i: int, *, ctx: RenderContext, work: Workspace, decided: Decisions | None) -> Image:
    """Render event `i`: source, effects, room.

    Raises
    ------
    RenderError
        If the source is silent, not finite, or has channels that do not fit the clip.
    """
    event = spec.events[i]
    try:
        dry = _dry(event, ctx)
    except RenderError as error:
        raise RenderError(f"events[{i}]: {error}") from None
    place = event.place
    if place is None or dry.shape[1] != place.n_samples:
        raise RenderError(
            f"events[{i}]: the source gave {dry.shape[1]} samples, the plan says {place and place.n_samples}"
        )
    room: Any = event.room if event.room is not None else spec.room
    if room is None or room.type_name == "none":
        return Image(dry, widened(dry, ctx.n_channels, f"events[{i}]"), place.onset, 0)
    response = work.response(room, ctx, event.position, delay=None if decided is None else decided.direct[i])
    direct = response.delay if decided is None else decided.direct[i]
    gain = response.gain_db if decided is None else decided.room_gain_db[i]
    seen: dict[str, Any] = direction(room, event.position, response)
    tail = work.tail(response, ctx.sr, tail_db=spec.labels.tail_db) if decided is None else decided.tail[i]
    part = None
    if event.motion is not None and event.position is not None:
        try:
            made = room.move(dry, ctx, position=event.position, motion=event.motion)
        except ParameterError as error:
            raise RenderError(f"events[{i}].motion: {error}") from None
        part = _parts_of(room, dry, ctx, event)
        heard, begins = made.y, place.onset / ctx.sr + (0.0 if event.align == "direct" else made.seconds)
        seen["track"] = [[round(begins + t, 4), *rest] for t, *rest in made.track]
    else:
        heard = work.convolve(dry, response)
    y = widened(heard, ctx.n_channels, f"events[{i}].room")
    start = place.onset - (direct if event.align == "direct" else 0)
    return Image(dry, y, start, direct, gain, response, tail, seen, part)


def _parts_of(room: Any, dry: Array, ctx: RenderContext, event: Event) -> Callable[[str], Array]:
    def part(name: str) -> Array:
        y: Array = room.move(dry, ctx, position=event.position, motion=event.motion, part=name).y
        return y

    return part


def direction(room: Any, position: Position | None, response: Response) -> dict[str, float]:
    """Return where a room's receiver sees a place: azimuth, elevation, distance; empty where that is unknown."""
    if "azimuth" in response.facts:
        return {name: response.facts[name] for name in ("azimuth", "elevation", "distance")}
    if position is None or not hasattr(room, "view"):
        return {}
    if position.point is None:
        return {"azimuth": position.azimuth, "elevation": position.elevation, "distance": position.distance or 0.0}
    seen = room.view().sees(position.point)
    return {name: round(float(value), 4) + 0.0 for name, value in seen._asdict().items()}


def part_of(image: Image, part: str, sr: int, work: Workspace) -> Array:
    """Return the direct or the early sound of an image, in its own time.

    Direct is what arrives within 2.5 ms of the direct sound, of a moving source that sound alone; early goes on to 50 ms.
    """
    if image.response is None:
        return image.y
    if image.part is not None:
        return image.part(part)
    cut = responses.early_part if part == "early" else responses.direct_part
    return work.convolve(image.dry, Response(cut(image.response.h, sr, image.direct), image.response.delay))


def early_at_peak(image: Image, channel: int, sr: int, work: Workspace) -> tuple[Array, int]:
    """Return the sound of one channel through its response from 1 ms before to 50 ms after the largest |h|, and its start.

    The window is that of Kaldi's wav-reverberate (which takes the largest h, sign and all, for the peak).

    Raises
    ------
    RenderError
        If the source moves, and has no one response.
    """
    if image.response is None:
        return image.y[channel], image.start
    if image.part is not None:
        raise RenderError("a source that moves has no response with one peak; use `signal: early`")
    h = image.response.h[min(channel, image.response.h.shape[0] - 1)]
    peak = int(np.argmax(np.abs(h)))
    a, b = max(0, peak - int(BEFORE_PEAK * sr)), min(h.size, peak + int(AFTER_PEAK * sr))
    dry = image.dry[min(channel, image.dry.shape[0] - 1)][None]
    return work.convolve(dry, Response(h[None, a:b], 0))[0], image.start + a


def responses_of(spec: ClipSpec, work: Workspace) -> list[tuple[str, Response]]:
    """Return the response of every event that is heard in a room, with the event's place in the spec."""
    ctx = RenderContext(spec.sr, spec.channels, work.assets)
    out = []
    for i, event in enumerate(spec.events):
        room = event.room if event.room is not None else spec.room
        if room is not None and room.type_name != "none":
            out.append((f"events[{i}]", work.response(room, ctx, event.position)))
    return out


def _dry(event: Event, ctx: RenderContext) -> Array:
    source: Any = event.source
    y: Array = source.render(ctx)
    for effect in event.effects:
        y = effect.apply(y, ctx)  # type: ignore[attr-defined]
    return y


def widened(y: Array, n_channels: int, place: str) -> Array:
    """Give a mono signal to every channel; anything else must fit."""
    if y.shape[0] == n_channels:
        return y
    if y.shape[0] == 1:
        return np.broadcast_to(y, (n_channels, y.shape[1]))
    raise RenderError(
        f"{place}: {y.shape[0]} channels do not fit a clip of {n_channels}; set `channels: {y.shape[0]}` in the recipe "
        "or choose one with `channel:`"
    )
