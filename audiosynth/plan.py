"""Cast every die of one clip and place its events in whole samples; knows lengths, never sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from audiosynth import registry
from audiosynth.clip import Fit, Recording
from audiosynth.dice import ClipDice
from audiosynth.dsp import samples_to_seconds, seconds_to_samples
from audiosynth.errors import AudiosynthError, PlanError
from audiosynth.language.compiler import path_text
from audiosynth.language.draws import REFILLED
from audiosynth.language.draws_time import Placing
from audiosynth.language.nodes import ConstMap, Scope
from audiosynth.planning.afterwards import require_rules
from audiosynth.planning.arrange import arrange
from audiosynth.planning.built import effects_of, known_delay, motion_of, noise_of, position_of, room_of, source_of
from audiosynth.planning.conversations import hold
from audiosynth.planning.drafts import Draft, Standing, chain, stand
from audiosynth.planning.timing import fitted, moved, require_length, require_whole
from audiosynth.records.loaded import Recipe
from audiosynth.records.rules import Rules, rules_of
from audiosynth.registry import Component
from audiosynth.spec import At, Bed, ClipSpec, Event, Labels, Mix, Scene

Item = TypeVar("Item")
Made = TypeVar("Made")
_MADE = frozenset({"source", "effects", "room", "position", "motion", "onset", "at", "overrun", "let"})
"""What of an event is not taken as drawn."""
_UNMIXED: Final = Mix()
_LABELS: Final = Labels()


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
    return planned(recipe, split, ordinal)[0]


def planned(recipe: Recipe, split: str, ordinal: int) -> tuple[ClipSpec, bool]:
    """Return the spec of one clip, and whether something else was taken for a recording that was withdrawn; see `plan_clip`."""
    recipe.require_clip(split, ordinal)
    scope = Scope(ClipDice(recipe.seed, split, ordinal), recipe.pool, recipe.lets)
    if "split" not in recipe.lets:
        scope.values["split"] = split
    if recipe.each is not None:
        scope.values[recipe.each.name] = recipe.utterance(split, ordinal)
    try:
        tree = recipe.scene.draw(scope)
        tree["let"] = _shown({name: scope.value(name) for name in recipe.lets})
        return _spec(recipe, scope, tree), REFILLED in scope.values
    except ValidationError as error:
        loc, message = registry.explain(error, "clip")[0]
        raise PlanError(f"clip {split}/{ordinal}, {path_text(loc)}: {message}") from None


def _spec(recipe: Recipe, scope: Scope, tree: dict[str, Any]) -> ClipSpec:
    sr = recipe.sr
    fit = tree["duration"] if isinstance(tree["duration"], Fit) else None
    n_clip = None if fit is not None else max(1, seconds_to_samples(_number(tree["duration"], "duration"), sr))
    clip = f"clip {scope.dice.split}/{scope.dice.ordinal}"
    try:
        room = room_of(tree.get("room"))
    except AudiosynthError as error:
        raise PlanError(f"{clip}, room: {error}") from None
    rules = rules_of(tree.get("scene"))
    drafts = _each(clip, tree.get("events") or (), partial(_draft, sr=sr, n_clip=n_clip, clip_room=room, rules=rules))
    mix = _mix(tree.get("mix") or {}, scope)
    try:
        held = hold(drafts, n_clip=n_clip, sr=sr)
        drafts = held.drafts
        chain(drafts)
        places = arrange(drafts, rules, scope.dice, n_clip=n_clip, sr=sr, mix=mix.effects)
        placed = [(draft, stands) for draft, stands in zip(drafts, places, strict=True) if stands is not None]
        talks = held.records([draft for draft, _ in placed])
    except PlanError as error:
        raise PlanError(f"{clip}, {error}", _as_json(error.event)) from None
    events = _each(clip, placed, partial(_event, clip_room=room))
    if rules is not None and len(events) < len(drafts):
        rules = rules.model_copy(update={"dropped": len(drafts) - len(events)})
    n_samples = n_clip or fitted(events, fit, sr=sr)
    bed = None if tree.get("noise") is None else _bed(tree["noise"], scope, sr=sr, room=room)
    spec = ClipSpec(
        duration=samples_to_seconds(n_samples, sr), events=tuple(events), scene=rules, noise=bed, room=room,
        mix=mix, labels=Labels.model_validate(tree["labels"]) if tree.get("labels") else _LABELS, let=tree["let"],
        split=scope.dice.split, ordinal=scope.dice.ordinal, sr=sr, channels=recipe.channels, n_samples=n_samples,
        reference_channel=recipe.reference_channel, calibration_db=recipe.calibration_db, output=recipe.output, conversations=talks,
    )  # fmt: skip
    require_calibration(spec, clip)
    try:
        require_length(mix.effects, n_samples, sr)
        if rules is not None and n_clip is None:
            require_rules(rules, drafts, places, n_samples=n_samples, sr=sr, mix=mix.effects)
    except PlanError as error:
        raise PlanError(f"{clip}, {error}") from None
    return spec


def _as_json(item: Any) -> dict[str, Any] | None:
    """Return an event as drawn, for whoever wants to know what could not be planned; an event that stands is its draft's."""
    raw = item[0].raw if isinstance(item, tuple) else item
    if raw is None:
        return None
    told = {key: value.value() if isinstance(value, Placing) else value for key, value in raw.items()}
    return dict(to_jsonable_python(told, fallback=str))


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise PlanError(f"{name}: expected seconds > 0, got {value!r}")
    return float(value)


def _shown(lets: Mapping[str, Any]) -> dict[str, Any]:
    """Return `let` values as a row shows them: a recording by its name, and so a voice, which stands in full where it speaks."""
    return {name: _shown_value(value) for name, value in lets.items()}


def _shown_value(value: Any) -> Any:
    if isinstance(value, Recording):
        return f"{value.data}:{value.path}"
    return value["name"] if isinstance(value, Mapping) and "engine" in value and "name" in value else value


def event_of(raw: Mapping[str, Any], *, sr: int, n_clip: int | None, clip_room: Component | None) -> Event:
    """Return an event as a spec has it, placed in whole samples where it says, whatever the scene's rules."""
    draft = _draft(raw, sr=sr, n_clip=n_clip, clip_room=clip_room, rules=None)
    return _event((draft, stand(draft, None)), clip_room=clip_room)


def _draft(
    raw: Mapping[str, Any], *, sr: int, n_clip: int | None, clip_room: Component | None, rules: Rules | None
) -> Draft:
    source = source_of(raw.get("source"), sr)
    effects = effects_of(raw.get("effects"))
    n, active, marks = moved(source, effects, sr)
    room = room_of(raw.get("room"))
    position = position_of(raw.get("position"), room or clip_room)
    protected = rules is not None and raw.get("label") in rules.protected
    if protected:
        require_whole(source)
    cut = raw.get("overrun", "error") == "cut" and not protected
    draft = Draft(raw, source, effects, room, position, n, active, marks, tuple(active), n_clip, sr, cut)
    if draft.key == "at" and raw.get("align") == "causal" and At.model_validate(draft.value()).anchor == "direct":
        draft.early = known_delay(room or clip_room, sr, position)
    return draft


def _event(placed: tuple[Draft, Standing], *, clip_room: Component | None) -> Event:
    draft, stands = placed
    raw, room = draft.raw, draft.room
    place: Any = {
        "onset": stands.onset, "n_samples": draft.n, "active": draft.heard, "labels": draft.heard, "marks": draft.marks
    }  # fmt: skip
    rest = {key: value for key, value in raw.items() if key not in _MADE}
    level = rest.get("level")
    if isinstance(level, ConstMap):  # without draws: checked once
        rest["level"] = level.built.get("level", level)
    event = Event(
        source=draft.source, effects=draft.effects, room=room, position=draft.position,
        motion=motion_of(raw.get("motion"), room or clip_room, draft.position), onset=samples_to_seconds(stands.onset, draft.sr),
        at=draft.at(stands.onset, stands.value), overrun="cut" if draft.cut else "error", place=place,
        let=_shown(raw["let"]) if "let" in raw else {}, **rest,
    )  # fmt: skip
    if isinstance(level, ConstMap):
        level.built["level"] = event.level
    return event


def _each(clip: str, items: Iterable[Item], make: Callable[[Item], Made]) -> list[Made]:
    """Make something of each event, and name the event in what goes wrong."""
    out = []
    for i, item in enumerate(items):
        try:
            out.append(make(item))
        except ValidationError as error:
            loc, message = registry.explain(error, "event")[0]
            raise PlanError(f"{clip}, events[{i}].{path_text(loc)}: {message}", _as_json(item)) from None
        except AudiosynthError as error:
            raise PlanError(f"{clip}, events[{i}]: {error}", _as_json(item)) from None
    return out


def _bed(raw: Mapping[str, Any], scope: Scope, *, sr: int, room: Any) -> Bed:
    layers = [
        {**layer, "source": noise_of(layer.get("source"), sr)} if isinstance(layer, dict) else layer
        for layer in raw.get("layers") or ()
    ]
    made = {**raw, "layers": layers, "let": _shown(raw.get("let", {}))}
    if raw.get("spatial") == "diffuse" and "spread_seed" not in raw:
        made["spread_seed"] = scope.dice.bits("noise.spread_seed")
    if raw.get("position") is not None:
        made["position"] = position_of(raw["position"], room)
    return Bed(**made)


def _mix(raw: Mapping[str, Any], scope: Scope) -> Mix:
    if not raw:
        return _UNMIXED
    effects = effects_of(raw.get("effects"))
    filled = {"seed": scope.dice.bits("mix.seed")} if raw.get("dither", "none") != "none" and "seed" not in raw else {}
    return Mix(**{**raw, **filled, "effects": effects})


def require_calibration(spec: Scene, clip: str) -> None:
    """Refuse levels in dB SPL where nothing says what full scale is."""
    wants = [i for i, e in enumerate(spec.events) if e.level is not None and e.level.spl_db_1m is not None]
    if getattr(spec, "calibration_db", None) is None and (
        wants or (spec.noise is not None and spec.noise.spl_db is not None)
    ):
        place = f"events[{wants[0]}].level.spl_db_1m" if wants else "noise.spl_db"
        raise PlanError(f"{clip}, {place}: needs `calibration_db` (dB SPL of 0 dBFS) in the recipe")
