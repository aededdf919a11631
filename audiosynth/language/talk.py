"""What a conversation is asked to be, and the mark that each of its turns carries until it is placed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from audiosynth import registry
from audiosynth.language.nodes import MAX_REPEAT

MAX_SPEAKERS: Final = 64
MAX_SECONDS: Final = 86_400.0
LOT_BITS: Final = 32
"""Bits of the lot that says how soon a change of turns becomes an overlap."""

Seconds = Annotated[float, Field(ge=0, le=MAX_SECONDS)]


class Talk(BaseModel):
    """What a conversation is asked to be, every die cast.

    The overlap ratio is the time in which two or more of its turns are heard over the time in which at least one is, by the dry
    labels: what LibriCSS and the simulators of meetings call by that name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
    shared: ClassVar[tuple[str, ...]] = ("pause", "share")
    """Drawn anew for each turn, and for each speaker."""

    speakers: int = Field(2, ge=1, le=MAX_SPEAKERS, description="how many take part; each of them speaks")
    n: int = Field(
        MAX_SPEAKERS, ge=1, le=MAX_REPEAT, description="turns; the most of them, where a length is to be kept"
    )
    share: float = Field(1.0, gt=0, le=1e6, description="how readily a speaker takes the next turn; drawn for each")
    again: float = Field(0.0, ge=0, le=1, description="chance that whoever spoke goes on after a pause")
    pause: float = Field(
        0.5,
        ge=-MAX_SECONDS,
        le=MAX_SECONDS,
        description="seconds before a turn; below 0, before the end; drawn for each",
    )
    overlap_ratio: float | None = Field(
        None, ge=0, lt=1, description="time with two speakers or more over time with any; null: as the pauses give it"
    )
    unreachable: Literal["error", "most"] = Field(
        "error", description="where turns cannot overlap so much: an error, or as much as they can, and the row says so"
    )
    at_once: int = Field(2, ge=1, le=MAX_SPEAKERS, description="most who speak at once")
    start: Seconds = Field(0.0, description="seconds before the first turn")
    min_length: Seconds = Field(0.0, description="seconds from the first word to the last, at least")
    max_length: Seconds | None = Field(None, description="at most; the last turns are left out until it holds")

    @model_validator(mode="after")
    def _fits(self) -> Talk:
        if self.n < self.speakers:
            raise ValueError(f"n: {self.n} turns are too few for {self.speakers} speakers, each of whom speaks")
        if self.at_once == 1 and self.overlap_ratio:
            raise ValueError("at_once: 1 leaves no overlap; ask for an overlap_ratio of 0, or allow more at once")
        if self.speakers == 1 and self.overlap_ratio:
            raise ValueError("overlap_ratio: one speaker overlaps with nobody; ask for 0, or for more speakers")
        if self.max_length is not None and self.max_length < self.min_length:
            raise ValueError(f"max_length: expected at least min_length, {self.min_length:g} s, got {self.max_length}")
        return self


@dataclass(frozen=True)
class TurnMark:
    """The place of an event in its conversation, in place of an onset.

    Attributes
    ----------
    talk, group
        What was asked for, and which conversation of the clip it is.
    seat
        Number of the speaker.
    pause
        Seconds after the end of all before, where nothing overlaps.
    lot
        Whole number below 2^32: at which overlap, in these parts of its own length, it begins before that end.
    """

    talk: Talk
    group: str
    seat: int
    pause: float
    lot: int


def message_of(error: ValidationError) -> str:
    """Return the first of a model's complaints, with its key."""
    loc, message = registry.explain(error, "turns")[0]
    return f"{loc[0]}: {message}" if loc else message
