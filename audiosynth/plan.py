"""Cast every die of one clip and place its events in whole samples; knows lengths, never sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from audiosynth import registry
from audiosynth.clip import Fit, Recording, Slack
from audiosynth.compiler import path_text
from audiosynth.dice import ClipDice
from audiosynth.dsp import samples_to_seconds, seconds_to_samples
from audiosynth.errors import AudiosynthError, PlanError
from audiosynth.loaded import Recipe
from audiosynth.nodes import Scope
from audiosynth.places import Motion, Position
from audiosynth.registry import Component
from audiosynth.spec import At, Bed, ClipSpec, Event, Labels, Mix, Place, Scene
from audiosynth.timing import fitted, hull, moved, onset_of, require_fit

_MADE = frozenset({"source", "effects", "room", "position", "motion", "onset", "at", "let"})
"""What of an event is not taken as drawn."""


def plan_clip(recipe: Recipe, split: str, ordinal: int) -> ClipSpec:
    """Return the spec of one clip: a pure function of (recipe, split, ordinal).

    Parameters
    ----------
    recipe
        From `audiosynth.load_recipe`.
    split, ordinal
        Which clip; ordinals start at 0 in every split.

    Raises
    ------
    PlanError
        If the clip does not exist, or its draws do not fit together; the message names the clip and the event.

    Examples
    --------
    >>> from audiosynth import load_recipe, plan_clip, shipped_recipe
    >>> recipe = load_recipe(shipped_recipe("quickstart"))
    >>> plan_clip(recipe, "train", 3) == plan_clip(recipe, "train", 3)
    True
    """
    recipe.require_clip(split, ordinal)
    scope = Scope(ClipDice(recipe.seed, split, ordinal), recipe.pool, recipe.lets)
    if "split" not in recipe.lets:
        scope.values["split"] = split
    if recipe.each is not None:
        scope.values[recipe.each.name] = recipe.utterance(split, ordinal)
    try:
        tree = recipe.scene.draw(scope)
        tree["let"] = _shown({name: scope.value(name) for name in recipe.lets})
        return _spec(recipe, scope, tree)
    except ValidationError as error:
        loc, message = registry.explain(error, "clip")[0]
        raise PlanError(f"clip {split}/{ordinal}, {path_text(loc)}: {message}") from None


def _spec(recipe: Recipe, scope: Scope, tree: dict[str, Any]) -> ClipSpec:
    sr = recipe.sr
    fit = tree["duration"] if isinstance(tree["duration"], Fit) else None
    n_clip = None if fit is not None else max(1, seconds_to_samples(_number(tree["duration"], "duration"), sr))
    clip = f"clip {scope.dice.split}/{scope.dice.ordinal}"
    try:
        room = _room(tree.get("room"))
    except AudiosynthError as error:
        raise PlanError(f"{clip}, room: {error}") from None
    events = []
    for i, raw in enumerate(tree.get("events") or ()):
        try:
            events.append(_event(raw, sr=sr, n_clip=n_clip, clip_room=room))
        except ValidationError as error:
            loc, message = registry.explain(error, "event")[0]
            raise PlanError(f"{clip}, events[{i}].{path_text(loc)}: {message}") from None
        except AudiosynthError as error:
            raise PlanError(f"{clip}, events[{i}]: {error}") from None
    n_samples = n_clip or fitted(events, fit, sr=sr)
    bed = None if tree.get("noise") is None else _bed(tree["noise"], scope, sr=sr, room=room)
    mix = tree.get("mix") or {}
    spec = ClipSpec(
        duration=samples_to_seconds(n_samples, sr), events=tuple(events), noise=bed, room=room,
        mix=_mix(mix, scope), labels=Labels.model_validate(tree.get("labels") or {}), let=tree["let"],
        split=scope.dice.split, ordinal=scope.dice.ordinal, sr=sr, channels=recipe.channels, n_samples=n_samples,
        reference_channel=recipe.reference_channel, calibration_db=recipe.calibration_db, output=recipe.output,
    )  # fmt: skip
    _calibrated(spec, clip)
    return spec


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise PlanError(f"{name}: expected seconds > 0, got {value!r}")
    return float(value)


def _built(family: str, raw: Any) -> Component | None:
    if raw is None or isinstance(raw, Component):
        return raw
    built = getattr(raw, "built", None)
    if built is None:
        return registry.create(family, raw)
    if family not in built:
        built[family] = registry.create(family, raw)
    component: Component = built[family]
    return component


def _shown(lets: Mapping[str, Any]) -> dict[str, Any]:
    """Return `let` values as a row shows them: a recording by its name, and so a voice, which stands in full where it speaks."""

    def shown(value: Any) -> Any:
        if isinstance(value, Recording):
            return f"{value.data}:{value.path}"
        return value["name"] if isinstance(value, Mapping) and "engine" in value and "name" in value else value

    return {name: shown(value) for name, value in lets.items()}


def _event(raw: Mapping[str, Any], *, sr: int, n_clip: int | None, clip_room: Component | None) -> Event:
    source = _source(raw.get("source"), sr)
    effects = tuple(e for e in (_built("effects", item) for item in raw.get("effects") or ()) if e is not None)
    n, active, marks = moved(source, effects, sr)
    at = None if raw.get("at") is None else At.model_validate(raw["at"])
    room = _room(raw.get("room"))
    position = _position(raw.get("position"), room or clip_room)
    body = (active[0][0], active[-1][1]) if marks and active and hasattr(source, "marks") else (0, n)
    onset = onset_of(raw.get("onset"), at, n=n, body=body, n_clip=n_clip, sr=sr, cut=raw.get("overrun") == "cut")
    if at is not None and at.anchor == "direct" and raw.get("align") == "causal":
        onset -= _known_delay(room or clip_room, sr, position)
    if raw.get("overrun", "error") == "error":
        require_fit(onset, n, n_clip, sr)
    place = Place(onset=onset, n_samples=n, active=tuple(active), labels=hull(active), marks=marks)
    rest = {key: value for key, value in raw.items() if key not in _MADE}
    return Event(
        source=source, effects=effects, room=room, position=position,
        motion=_motion(raw.get("motion"), room or clip_room, position), onset=samples_to_seconds(onset, sr), at=at,
        place=place, let=_shown(raw.get("let", {})), **rest,
    )  # fmt: skip


def _room(raw: Any) -> Component | None:
    """Return a room, its receiver at a point."""
    room: Any = _built("rooms", raw)
    settled: Component | None = room.settled() if hasattr(room, "settled") else room
    return settled


def _position(raw: Any, room: Any) -> Position | None:
    """Return where the source stands, as a point of its room."""
    if not hasattr(room, "place"):
        if raw is None:
            return None
        name = "no room" if room is None else f"a room of the type '{room.type_name}'"
        raise PlanError(f"position: there are no places in {name}; use a shoebox, or leave the position out")
    if raw is None and getattr(room, "needs_place", False):
        raise PlanError(
            f"position: a {room.type_name} needs to know where the source stands: [x, y, z] in metres, "
            "{distance: …, azimuth: …} from the receiver, or {within: {…}}"
        )
    settled: Position | None = room.place(None if raw is None else Position.model_validate(raw))
    return settled


def _motion(raw: Any, room: Any, position: Position | None) -> Motion | None:
    """Return how the source moves, its places as points of the room."""
    if raw is None:
        return None
    if position is None or position.point is None or not hasattr(room, "move"):
        raise PlanError("motion: a source moves in a shoebox, from a `position`; give both, or leave the motion out")
    motion = Motion.model_validate(raw)
    places = {"to": motion.to and room.place(motion.to), "via": motion.via and tuple(map(room.place, motion.via))}
    return motion.model_copy(update=places)


def _source(raw: Any, sr: int) -> Component:
    if isinstance(raw, dict) and isinstance(raw.get("start_sample"), Slack):  # a `let` that could have been a noise too
        raw = {key: value for key, value in raw.items() if key != "start_sample"}
    if isinstance(raw, dict) and isinstance(raw.get("start"), Slack):
        slack: Slack = raw["start"]
        source = registry.create("synths", {key: value for key, value in raw.items() if key != "start"})
        room = source.slack(sr)  # type: ignore[attr-defined]
        return source.model_copy(update={"start_sample": int(slack.slack * room + 0.5)})
    built = _built("synths", raw)
    if built is None:
        raise PlanError("an event needs a source")
    return built


def _known_delay(room: Any, sr: int, position: Position | None) -> int:
    if room is None:
        return 0
    if not hasattr(room, "delay"):
        raise PlanError(
            f"at.anchor: direct needs a room whose delay is known before rendering, not '{room.type_name}'; use align: direct"
        )
    delay: int = room.delay(sr, position)
    return delay


def _noise(raw: Any, sr: int) -> Component | None:
    """Return a noise; one that begins anywhere in its loop begins at a sample of it."""
    start = raw.get("start_sample") if isinstance(raw, dict) else None
    if not isinstance(start, Slack):
        return _built("noises", raw)
    source: Any = registry.create("noises", {key: value for key, value in raw.items() if key != "start_sample"})
    made: Component = source.model_copy(update={"start_sample": int(start.slack * source.period(sr))})
    return made


def _bed(raw: Mapping[str, Any], scope: Scope, *, sr: int, room: Any) -> Bed:
    layers = [
        {**layer, "source": _noise(layer.get("source"), sr)} if isinstance(layer, dict) else layer
        for layer in raw.get("layers") or ()
    ]
    made = {**raw, "layers": layers, "let": _shown(raw.get("let", {}))}
    if raw.get("spatial") == "diffuse" and "spread_seed" not in raw:
        made["spread_seed"] = scope.dice.bits("noise.spread_seed")
    if raw.get("position") is not None:
        made["position"] = _position(raw["position"], room)
    return Bed(**made)


def _mix(raw: Mapping[str, Any], scope: Scope) -> Mix:
    effects = tuple(e for e in (_built("effects", item) for item in raw.get("effects") or ()) if e is not None)
    filled = {"seed": scope.dice.bits("mix.seed")} if raw.get("dither", "none") != "none" and "seed" not in raw else {}
    return Mix(**{**raw, **filled, "effects": effects})


def _calibrated(spec: Scene, clip: str) -> None:
    wants = [i for i, e in enumerate(spec.events) if e.level is not None and e.level.spl_db_1m is not None]
    if getattr(spec, "calibration_db", None) is None and (
        wants or (spec.noise is not None and spec.noise.spl_db is not None)
    ):
        place = f"events[{wants[0]}].level.spl_db_1m" if wants else "noise.spl_db"
        raise PlanError(f"{clip}, {place}: needs `calibration_db` (dB SPL of 0 dBFS) in the recipe")
