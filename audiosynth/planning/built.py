"""What a clip is made of, built from its draws: sources, effects, rooms and places in them, noises."""

from __future__ import annotations

from typing import Any, Final

from audiosynth import registry
from audiosynth.clip import Slack
from audiosynth.errors import PlanError
from audiosynth.records.fields import built_once
from audiosynth.registry import Component, can
from audiosynth.spaces.places import Motion, Position

_STARTS: Final = ("start", "start_sample")


def _built(family: str, raw: Any) -> Component | None:
    return built_once(family, raw) if isinstance(raw, dict) else raw


def effects_of(raw: Any) -> tuple[Component, ...]:
    """Return effects, without those whose draw gives none."""
    if not raw:
        return ()
    return tuple([built for built in [_built("effects", item) for item in raw] if built is not None])


def room_of(raw: Any) -> Component | None:
    """Return a room, its receiver at a point."""
    room: Any = _built("rooms", raw)
    settled: Component | None = room.settled() if can(room, "settled") else room
    return settled


def position_of(raw: Any, room: Any) -> Position | None:
    """Return where the source stands, as a point of its room."""
    if not can(room, "place"):
        if raw is None:
            return None
        name = "no room" if room is None else f"a room of the type '{room.type_name}'"
        raise PlanError(f"position: there are no places in {name}; use a shoebox, or leave the position out")
    if raw is None and can(room, "needs_place") and room.needs_place:
        raise PlanError(
            f"position: a {room.type_name} needs to know where the source stands: [x, y, z] in metres, "
            "{distance: …, azimuth: …} from the receiver, or {within: {…}}"
        )
    settled: Position | None = room.place(None if raw is None else Position.model_validate(raw))
    return settled


def motion_of(raw: Any, room: Any, position: Position | None) -> Motion | None:
    """Return how the source moves, its places as points of the room."""
    if raw is None:
        return None
    if position is None or position.point is None or not can(room, "move"):
        raise PlanError("motion: a source moves in a shoebox, from a `position`; give both, or leave the motion out")
    motion = Motion.model_validate(raw)
    places = {"to": motion.to and room.place(motion.to), "via": motion.via and tuple(map(room.place, motion.via))}
    return motion.model_copy(update=places)


def source_of(raw: Any, sr: int) -> Component:
    """Return a source; one that begins anywhere in its recording begins at a sample of it."""
    moving = isinstance(raw, dict) and not raw.keys().isdisjoint(_STARTS)
    if moving and isinstance(raw.get("start_sample"), Slack):  # a `let` that could have been a noise too
        raw = {key: value for key, value in raw.items() if key != "start_sample"}
    if moving and isinstance(raw.get("start"), Slack):
        slack: Slack = raw["start"]
        source = registry.create("synths", {key: value for key, value in raw.items() if key != "start"})
        room = source.slack(sr)  # type: ignore[attr-defined]
        return source.model_copy(update={"start_sample": int(slack.slack * room + 0.5)})
    built = _built("synths", raw)
    if built is None:
        raise PlanError("an event needs a source")
    return built


def known_delay(room: Any, sr: int, position: Position | None) -> int:
    """Return the samples after which the direct sound arrives."""
    if room is None:
        return 0
    if not can(room, "delay"):
        raise PlanError(
            f"at.anchor: direct needs a room whose delay is known before rendering, not '{room.type_name}'; use align: direct"
        )
    delay: int = room.delay(sr, position)
    return delay


def noise_of(raw: Any, sr: int) -> Component | None:
    """Return a noise; one that begins anywhere in its loop begins at a sample of it."""
    start = raw.get("start_sample") if isinstance(raw, dict) else None
    if not isinstance(start, Slack):
        return _built("noises", raw)
    source: Any = registry.create("noises", {key: value for key, value in raw.items() if key != "start_sample"})
    made: Component = source.model_copy(update={"start_sample": int(start.slack * source.period(sr))})
    return made
