"""A spec with some values changed becomes a spec again: what follows from them is worked out, and no die is thrown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from audiosynth import registry
from audiosynth.dsp import samples_to_seconds, seconds_to_samples
from audiosynth.errors import AudiosynthError, PlanError
from audiosynth.language.compiler import path_text
from audiosynth.plan import event_of, require_calibration
from audiosynth.planning.built import position_of, room_of
from audiosynth.planning.conversations import require_ratios
from audiosynth.planning.drafts import Draft, heard_of
from audiosynth.planning.limits import Limits
from audiosynth.planning.timing import require_length, require_whole
from audiosynth.scaper.spec import ScaperSpec
from audiosynth.sound.spans import Span, shifted, within
from audiosynth.spec import ClipSpec, Event

_MOVES: Final = ("source", "effects", "room", "position", "motion", "align", "onset", "at", "overrun")
"""What of an event its place follows from, beside the clip's length and room."""


def replan(spec: ClipSpec, tree: Mapping[str, Any]) -> ClipSpec:
    """Return the spec that the changed tree of another spec stands for.

    Lengths in samples are worked out from those in seconds, and events are placed anew where anything changed that their
    places follow from; all other places stay as they are.

    Parameters
    ----------
    spec
        As it was planned.
    tree
        Its JSON tree (``spec.model_dump(mode="json")``) with changed values; events are as many as they were.

    Raises
    ------
    PlanError
        If what was changed does not fit together.
    pydantic.ValidationError
        If a value is not allowed where it stands.

    Examples
    --------
    >>> from audiosynth import load_recipe, plan_clip, shipped_recipe
    >>> spec = plan_clip(load_recipe(shipped_recipe("quickstart")), "train", 0)
    >>> replan(spec, spec.model_dump(mode="json")) == spec
    True
    """
    if isinstance(spec, ScaperSpec):
        return spec.replanned(tree)
    before = spec.model_dump(mode="json")
    n_samples = max(1, seconds_to_samples(_seconds(tree["duration"]), spec.sr))
    made = {**tree, "n_samples": n_samples, "duration": samples_to_seconds(n_samples, spec.sr)}
    made["room"] = spec.room if tree["room"] == before["room"] else room_of(tree["room"])
    anew = tree["room"] != before["room"] or n_samples != spec.n_samples
    made["events"] = tuple(
        _event(i, raw, old, made, sr=spec.sr, anew=anew)
        for i, (raw, old) in enumerate(zip(tree["events"], before["events"], strict=True))
    )
    bed = tree["noise"]
    if isinstance(bed, Mapping) and bed.get("position") is not None and bed != before["noise"]:
        made["noise"] = {**bed, "position": position_of(bed["position"], made["room"])}
    changed = ClipSpec.model_validate(made)
    _require_seeds(spec, changed)
    _require_rules(changed)
    _require_ratios(changed)
    require_calibration(changed, f"clip {spec.clip_id}")
    require_length(changed.mix.effects, changed.n_samples, changed.sr)
    return changed


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise PlanError(f"duration: expected seconds > 0, got {value!r}")
    return float(value)


def _event(
    i: int, raw: Mapping[str, Any], old: Mapping[str, Any], clip: Mapping[str, Any], *, sr: int, anew: bool
) -> Event | Mapping[str, Any]:
    if not anew and all(raw[key] == old[key] for key in _MOVES):
        return raw
    if raw["at"] is not None and raw["onset"] != old["onset"]:
        raise PlanError(
            f"events[{i}].onset: `at` says where this event stands; set events[{i}].at.time, or set events[{i}].at to null as well"
        )
    unplaced = {key: value for key, value in raw.items() if key != "place"}
    try:
        Event.model_validate(
            {**unplaced, "onset": None if raw["at"] is not None else raw["onset"]}
        )  # names the place of an error
        return event_of(unplaced, sr=sr, n_clip=clip["n_samples"], clip_room=clip["room"])
    except ValidationError as error:
        loc, message = registry.explain(error, "event")[0]
        raise PlanError(f"{path_text(('events', i, *loc))}: {message}") from None
    except AudiosynthError as error:
        raise PlanError(f"events[{i}]: {error}") from None


def _require_rules(spec: ClipSpec) -> None:
    """Refuse a clip whose events break the scene's rules: those were met by drawing places again, and no die is thrown here."""
    if spec.scene is None:
        return
    limits = Limits(spec.scene, spec.n_samples, spec.sr)
    way_out = "change less, or set scene to null, so that the spec claims no rule that does not hold"
    for i, event in enumerate(spec.events):
        place = event.place
        if place is None:
            continue
        if event.label in spec.scene.protected:
            require_whole(event.source)
        raw = {"label": event.label, "role": event.role, "onset": event.onset}
        active = list(place.active)
        draft = Draft(
            raw, event.source, event.effects, event.room, event.position, place.n_samples, active, place.marks,
            heard_of(active, place.n_samples), spec.n_samples, spec.sr, event.overrun == "cut",
        )  # fmt: skip
        for name, taken in limits.taken(draft):
            if any(first <= place.onset < last for first, last in taken):
                raise PlanError(f"events[{i}]: scene.{name} does not hold with this event where it is now; {way_out}")
        limits.add(draft, place.onset)
    missing = limits.missing()
    if missing is not None:
        raise PlanError(f"scene.{missing.name} does not hold any more; {way_out}")


def _require_ratios(spec: ClipSpec) -> None:
    """Refuse a clip whose turns overlap more or less than it says."""

    def heard(i: int) -> list[Span]:
        place = spec.events[i].place
        if place is None:
            return []
        return within(shifted(heard_of(list(place.active), place.n_samples), place.onset), spec.n_samples)

    require_ratios(spec.conversations, heard, spec.n_samples)


def _require_seeds(old: ClipSpec, new: ClipSpec) -> None:
    """Refuse what would need a die that was never thrown for this clip."""
    if new.mix.dither != "none" and old.mix.dither == "none" and new.mix.seed == old.mix.seed:
        raise PlanError("mix.dither: its noise needs a seed, and none was drawn for this clip; set mix.seed too")
    bed, before = new.noise, old.noise
    if bed is None or before is None or bed.spatial != "diffuse" or before.spatial == "diffuse":
        return
    if bed.spread_seed == before.spread_seed:
        raise PlanError(
            "noise.spatial: a diffuse bed needs a seed, and none was drawn for this clip; set noise.spread_seed too"
        )
