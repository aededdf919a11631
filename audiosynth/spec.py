"""The records that travel: a clip's draft (the recipe with every die cast), its spec, and its decisions.

A `ClipSpec` has the recipe's keys and nesting, numbers where distributions stood, all defaults written out, and the
integers that planning found (`place`). It is JSON, and enough to render the clip again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from audiosynth.clip import Recording, Slack
from audiosynth.dsp import seconds_to_samples
from audiosynth.records.conversation import Conversation
from audiosynth.records.fields import Effect, Noise, Room, Strict, Synth
from audiosynth.records.level import Level
from audiosynth.records.output import Output
from audiosynth.records.rules import Role, Rules, without_unused
from audiosynth.registry import Component, holding, offers
from audiosynth.spaces.places import Motion, Position
from audiosynth.spaces.receivers import ReceiverSpec
from audiosynth.synthesis.signals import GainPoints

FORMAT: Final = 1
"""Layout of manifest rows; goes up with a migration in `manifest`."""
ENGINE: Final = 1
"""Chain, levels and dsp; goes up when they alter sound."""
MAX_VALUES: Final = 2**28
"""Most samples of a clip that is made in memory, over all channels: 2 GiB as float64, 100 minutes at 44.1 kHz."""
MAX_STREAMED: Final = 2**31
"""Most samples of a clip that is made in blocks: what a WAV file of 16 bits holds."""
MAX_DURATION: Final = 24 * 3600.0
"""Longest clip in seconds; recipes may come from strangers."""


class At(Strict):
    """Where an event stands: which of its points, and when."""

    anchor: Literal["onset", "centre", "offset", "direct"] = "onset"
    time: float = Field(
        ge=-MAX_DURATION,
        le=MAX_DURATION,
        description="seconds from the start of the clip; negative counts from its end",
    )


# JSON knows lists only; the numbers inside stay strict.
Interval = Annotated[tuple[int, int], Field(strict=False)]
Tie = Annotated[tuple[int, int, int], Field(strict=False)]
Said = Annotated[tuple[Literal["word", "phone", "sub_event", "text"], str, int, int], Field(strict=False)]


class Place(Strict):
    """What planning found, in samples of the clip: all integers, so that rendering decides nothing.

    `onset` is where the event's first sample falls (dry), `active` and `labels` are half-open intervals relative to it; so
    are `marks`, the words and phones of speech, and what the annotations of a recording say of the stretch that is heard.
    """

    onset: int
    n_samples: int
    active: tuple[Interval, ...] = Field(strict=False)
    labels: tuple[Interval, ...] = Field(strict=False)
    marks: tuple[Said, ...] = Field((), strict=False)


class Event(Strict):
    """One event of a clip; `place` is empty in a draft and full in a spec."""

    name: str | None = None
    label: str | None = Field(None, min_length=1, max_length=200, description="null: heard but not labeled")
    role: Role = Field("foreground", description="the others are heard, and never labeled; limits count no background")
    source: Synth
    effects: tuple[Effect, ...] = Field((), strict=False)
    room: Room | None = None
    position: Position | None = Field(None, description="where the source stands in the room")
    motion: Motion | None = Field(None, description="how the source moves from its position on")
    align: Literal["direct", "causal"] = "direct"
    onset: float | Slack | None = Field(None, description="seconds, or {slack: 0..1}")
    at: At | None = None
    overrun: Literal["error", "cut"] = "error"
    level: Level | None = None
    let: dict[str, Any] = Field(default_factory=dict)
    place: Place | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Event:
        if self.onset is not None and self.at is not None and self.place is None:
            raise ValueError("onset and at both say where the event stands; keep one")
        return self


class Layer(Strict):
    """One noise of the bed."""

    source: Noise
    level_dbfs: float | None = Field(
        None, ge=-200, le=60, description="RMS over the clip before the bed's own level, dB re full scale"
    )
    envelope: GainPoints | None = Field(
        None, description="gain over the clip, [[seconds, dB], …]; level_dbfs is where it is 0, before the envelope"
    )


class Bed(Strict):
    """The noise under everything: one or more layers, and the level of their sum."""

    layers: tuple[Layer, ...] = Field(min_length=1, max_length=64, strict=False)
    level_dbfs: float | None = Field(None, ge=-200, le=60, description="RMS over the clip, dB re full scale")
    spl_db: float | None = Field(None, ge=-100, le=200, description="dB SPL over the clip; needs `calibration_db`")
    snr_db: float | None = Field(None, ge=-200, le=200, description="moves the bed under the sum of all events")
    measure: Literal["rms", "a_weighted", "lufs", "active_speech"] = "rms"
    spatial: Literal["point", "diffuse", "duplicate", "independent"] | None = Field(
        None,
        description="how a mono noise fills the channels: from a place, from everywhere, the same in all, or a new one in each",
    )
    position: Position | None = Field(None, description="where a `spatial: point` noise stands in the clip's room")
    spread_seed: int = Field(0, ge=0, lt=2**53, description="of a diffuse field made from one short recording")
    let: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_place(self) -> Bed:
        if (self.position is not None) != (self.spatial == "point"):
            raise ValueError("`spatial: point` and `position` belong together; give both or neither")
        return self

    @model_validator(mode="after")
    def _one_level(self) -> Bed:
        levels = (("level_dbfs", self.level_dbfs), ("spl_db", self.spl_db), ("snr_db", self.snr_db))
        given = [name for name, value in levels if value is not None]
        if len(given) > 1:
            raise ValueError(f"expected one of level_dbfs, spl_db, snr_db; got {', '.join(given)}")
        if not given and any(layer.level_dbfs is None for layer in self.layers):
            raise ValueError("the bed needs a level: level_dbfs, spl_db or snr_db (or a level_dbfs for every layer)")
        return self


class Mix(Strict):
    """What happens to the sum."""

    effects: tuple[Effect, ...] = Field((), strict=False)
    level_dbfs: float | None = Field(None, ge=-200, le=0, description="RMS of the mix over the clip")
    guard: Literal["scale", "scale_all", "clip", "error"] = Field(
        "scale", description="above full scale: scale the mix, scale until its stems fit too, clip, or stop"
    )
    dither: Literal["none", "tpdf"] = "none"
    seed: int = Field(0, ge=0, lt=2**53)


class Labels(Strict):
    """How labels follow the sound."""

    offset: Literal["dry", "tail"] = "dry"
    tail_db: float = Field(-30.0, ge=-120, le=-1)
    drop_below_snr_db: float | None = Field(None, ge=-200, le=200, description="events below are marked audible: false")


class Scene(Strict):
    """Everything of a recipe that can differ between clips, with every die cast."""

    duration: float = Field(gt=0, le=MAX_DURATION, description="seconds")
    events: tuple[Event, ...] = Field((), max_length=1000, strict=False)
    scene: Rules | None = Field(None, description="limits that the places of the events keep")
    noise: Bed | None = None
    room: Room | None = None
    mix: Mix = Mix()
    labels: Labels = Labels()
    let: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _levels_fit(self) -> Scene:
        for i, level in enumerate([event.level for event in self.events]):
            wants = level is not None and level.snr_db is not None
            if wants and self.noise is None:
                raise ValueError(f"events[{i}] has an snr_db but the clip has no noise; add `noise:` or use level_dbfs")
            if wants and self.noise is not None and self.noise.snr_db is not None:
                raise ValueError(
                    f"events[{i}].snr_db and noise.snr_db exclude each other: one of the two must stand still"
                )
            if level is not None and level.span == "noise" and self.noise is None:
                raise ValueError(f"events[{i}].level: `span: noise` needs a noise, and the clip has none")
            if wants and level is not None and level.noise_span == "recording":
                self._one_recording(f"events[{i}].level")
        return self

    def _one_recording(self, place: str) -> None:
        """Refuse beds that are more than a recording, or heard otherwise than it is."""
        bed = self.noise
        plain = bed is not None and len(bed.layers) == 1 and bed.spatial in (None, "duplicate")
        if bed is None or not plain or bed.layers[0].source.type_name != "file" or bed.layers[0].envelope is not None:
            raise ValueError(
                f"{place}: `noise_span: recording` needs a bed that is one `type: file`, without envelope or place; "
                "use `noise_span: clip`"
            )


class ClipSpec(Scene):
    """One clip, every die cast: JSON, and enough to render it."""

    split: str
    ordinal: int = Field(ge=0)
    sr: int = Field(ge=1000, le=384_000)
    channels: int = Field(ge=1, le=64)
    n_samples: int = Field(ge=1)
    reference_channel: int = Field(0, ge=0)
    calibration_db: float | None = None
    output: Output = Output()
    conversations: tuple[Conversation, ...] = Field((), strict=False)

    @model_validator(mode="after")
    def _sizes_fit(self) -> ClipSpec:
        if self.n_samples != max(1, seconds_to_samples(self.duration, self.sr)):
            raise ValueError(f"n_samples {self.n_samples} is not the duration of {self.duration} s at {self.sr} Hz")
        streamed = self.n_samples * self.channels > MAX_VALUES and self.in_blocks and not self.output.stems
        if self.n_samples * self.channels > (MAX_STREAMED if streamed else MAX_VALUES):
            how = f"{MAX_STREAMED:.2g} are made" if streamed else f"{MAX_VALUES:.2g} are made in memory, which it needs"
            raise ValueError(
                f"{self.duration:g} s at {self.sr} Hz in {self.channels} channels are {self.n_samples * self.channels:.2g} samples; "
                f"at most {how}; shorten it, or lower sr or channels"
            )
        if self.reference_channel >= self.channels:
            raise ValueError(
                f"reference_channel {self.reference_channel} is not in a clip of {self.channels} channels (numbered from 0)"
            )
        return self

    @property
    def in_blocks(self) -> bool:
        """Return whether nothing needs a whole signal at once: effects on the mix that know more than a sample and its place, a
        guard over stems, noise from a point of a room, levels of the bed in weighted measures, and events' levels over the clip do.
        """  # noqa: D205
        bed, asked = self.noise, [event.level for event in self.events if event.level is not None]
        whole = bed is not None and (bed.measure != "rms" or bed.spatial == "point")
        whole |= any(
            level.span not in ("active", "event", "whole")
            or level.noise_span == "recording"
            or (level.snr_db is not None and level.measure != "rms")
            for level in asked
        )
        whole |= any(not offers(type(effect), "stretch") for effect in self.mix.effects)
        return not (whole or self.mix.guard == "scale_all")

    @property
    def clip_id(self) -> str:
        """Return ``<split>-<ordinal, nine digits>``."""
        return f"{self.split}-{self.ordinal:09d}"

    def to_json(self) -> dict[str, Any]:
        """Return the JSON tree."""
        return without_unused(self.model_dump(mode="json"))


GainDb = Annotated[float, Field(ge=-400.0, le=400.0)]
"""Gains of rows, which anybody may have edited: beyond these no sound is left, or nothing else is."""


class Decisions(Strict):
    """What rendering must measure on float data, made once and used verbatim on replay.

    Gains in dB are on the 1e-6 dB grid; `direct` is the delay of each event's response in samples;
    `ties` are [channel, sample, value] of samples that rounding could flip.
    """

    event_gain_db: tuple[GainDb, ...] = Field((), strict=False)
    room_gain_db: tuple[GainDb, ...] = Field((), strict=False)
    direct: tuple[int, ...] = Field((), strict=False)
    tail: tuple[int, ...] = Field((), strict=False)
    audible: tuple[bool, ...] = Field((), strict=False)
    layer_gain_db: tuple[GainDb, ...] = Field((), strict=False)
    bed_gain_db: GainDb = 0.0
    mix_gain_db: GainDb = 0.0
    guard_gain_db: GainDb = 0.0
    ties: tuple[Tie, ...] = Field((), strict=False)


def recordings(components: Iterable[Component]) -> list[Recording]:
    """Return every recording that some components hold (`parts` of a scene), each once, in order of first use."""
    found: dict[str, Recording] = {}
    for component in components:
        for name in holding(type(component), Recording, ReceiverSpec):
            value = getattr(component, name)
            if isinstance(value, ReceiverSpec):
                value = value.hrtf
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Recording):
                    found.setdefault(item.sha256, item)
    return list(found.values())


def parts(spec: Scene) -> list[Component]:
    """Return every component of a scene, in order."""
    out: list[Component | None] = []
    for event in spec.events:
        out += [event.source, *event.effects, event.room]
    if spec.noise is not None:
        out += [layer.source for layer in spec.noise.layers]
    out.append(spec.room)
    return [part for part in out if part is not None] + list(spec.mix.effects)
