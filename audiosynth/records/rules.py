"""The recipe's `scene:` block: limits that the places of a clip's events keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from audiosynth.language.nodes import ConstMap
from audiosynth.records.fields import Strict

MAX_EVENTS: Final = 1_000
Count = Annotated[int, Field(ge=1, le=MAX_EVENTS)]
Seconds = Annotated[float, Field(ge=0, le=86_400.0)]
Role = Literal["foreground", "interference", "background"]


class Rules(Strict):
    """What holds between the events of a clip, wherever they stand; planning draws their onsets until it does.

    Times are those of the labels: an event's silence before, between and after what is heard of it does not count, nor does
    the decay of its room. Events of the role background never count.
    """

    max_overlap: Count | None = Field(None, description="most events that sound at once")
    min_overlap: Count | None = Field(None, description="so many events sound at once somewhere in the clip")
    max_overlap_per_label: Count | dict[str, Count] | None = Field(
        None, description="most events of one label at once: for every label, or {label: count}"
    )
    min_overlap_per_label: dict[str, Count] = Field(
        default_factory=dict, description="{label: count}: so many events of the label sound at once somewhere"
    )
    min_overlap_duration: Seconds = Field(
        0.0, description="for how long, in all, min_overlap and min_overlap_per_label hold (s)"
    )
    min_gap: Seconds | None = Field(None, description="silence between any two events (s); none overlap then")
    min_gap_per_label: Seconds | dict[str, Seconds] | None = Field(
        None, description="silence between two events of one label (s): for every label, or {label: seconds}"
    )
    roles: Annotated[tuple[Literal["foreground", "interference"], ...], Field(strict=False, min_length=1)] = Field(
        ("foreground", "interference"), description="which events the limits count"
    )
    protected: Annotated[tuple[str, ...], Field(strict=False, max_length=MAX_EVENTS)] = Field(
        (), description="labels whose events are never cut, neither by the clip nor out of their recording"
    )
    when_full: Literal["error", "drop"] = Field(
        "error",
        description="what becomes of an event for which no place is left: an error, or it is left out (and counted)",
    )
    dropped: int = Field(0, ge=0, description="events left out; written by the plan")

    @model_validator(mode="after")
    def _agree(self) -> Rules:
        found = contradiction(self)
        if found:
            raise ValueError(found)
        return self


def rules_of(raw: Any) -> Rules | None:
    """Return the rules of a scene as drawn; those without any draw are checked once."""
    if raw is None or not isinstance(raw, ConstMap):
        return None if raw is None else Rules.model_validate(raw)
    if "scene" not in raw.built:
        raw.built["scene"] = Rules.model_validate(raw)
    rules: Rules = raw.built["scene"]
    return rules


def without_unused(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a spec's JSON tree in which `scene`, conversations and roles stand only where a recipe uses them."""
    for key in unused_in_spec(tree):
        del tree[key]
    for event in tree["events"]:
        for key in unused_in_event(event):
            del event[key]
    return tree


def unused_in_spec(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of a spec that do not stand in its row; those of its events apart."""
    talks = () if fields["conversations"] else ("conversations",)
    return (*talks, "scene") if fields["scene"] is None else talks


def unused_in_event(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of an event that do not stand in a row."""
    return ("role",) if fields["role"] == "foreground" else ()


def of_label(limit: Any, label: str | None) -> Any:
    """Return a limit per label (a number for every label, or a map) for one label; None if it has none."""
    if label is None or limit is None:
        return None
    return limit.get(label) if isinstance(limit, Mapping) else limit


def contradiction(rules: Rules) -> str:
    """Return which two limits cannot hold together, whatever the events; empty if all can."""
    most, least = rules.max_overlap, rules.min_overlap
    if most is not None and least is not None and least > most:
        return f"min_overlap: {least} and max_overlap: {most} contradict each other; the least must not exceed the most"
    if rules.min_gap is not None:
        wanted = {
            "max_overlap": most,
            "min_overlap": least,
            **_each("max_overlap_per_label", rules.max_overlap_per_label),
        }
        wanted.update(_each("min_overlap_per_label", rules.min_overlap_per_label))
        for name, count in wanted.items():
            if count is not None and count > 1:
                return (
                    f"min_gap keeps all events apart, so {name}: {count} cannot be meant; drop one of the two, or use "
                    "min_gap_per_label"
                )
    for label, least in rules.min_overlap_per_label.items():
        found = _label_contradiction(rules, label, least)
        if found:
            return found
    return ""


def _each(name: str, limit: Any) -> dict[str, int]:
    return {f"{name}.{k}": v for k, v in limit.items()} if isinstance(limit, Mapping) else {name: limit}


def _label_contradiction(rules: Rules, label: str, least: int) -> str:
    limits = {
        "max_overlap": rules.max_overlap,
        f"max_overlap_per_label ('{label}')": of_label(rules.max_overlap_per_label, label),
    }
    for name, most in limits.items():
        if most is not None and least > most:
            return f"min_overlap_per_label.{label}: {least} and {name}: {most} contradict each other"
    if least > 1 and of_label(rules.min_gap_per_label, label) is not None:
        return (
            f"min_gap_per_label keeps events of '{label}' apart, so min_overlap_per_label.{label}: {least} cannot be meant; "
            "drop one of the two"
        )
    return ""
