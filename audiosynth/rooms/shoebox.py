"""Rooms that nobody built: a box, by the image source method, to the last audible echo."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from audiosynth.acoustics import absorption, bands, image_source
from audiosynth.clip import Array, RenderContext, Response
from audiosynth.errors import ParameterError, RenderError
from audiosynth.registry import Component
from audiosynth.spaces.box import Box, Heard, hear, is_hybrid
from audiosynth.spaces.box_moving import Moved, Part, move
from audiosynth.spaces.places import Motion, Position, View, centred, settled
from audiosynth.spaces.receivers import Pattern, ReceiverSpec
from audiosynth.spaces.walls import Absorption, Surfaces, absorption_of, metre_gain_db
from audiosynth.synthesis.signals import Seed

Length = Annotated[float, Field(ge=0.5, le=200.0)]
Alpha = Annotated[float, Field(ge=0.0, le=1.0)]


class Shoebox(Component):
    """A box with absorbing walls: all its images, exact delays, any receiver.

    x runs along the length, y along the width, z up, from a lower corner. Each event says where its source stands
    (`position`); clips and events with equal rooms and places share the response.

    Parameters
    ----------
    size
        Length, width, height.
    rt60
        Broadband T30 without the air's part, by walls that all absorb alike; or
    alpha
        the energy absorption of all walls, or of x0, x1, y0, y1, floor, ceiling; or
    surfaces
        materials per surface, in octaves (``audiosynth describe surfaces`` lists them). One of the three.
    receiver
        What listens; it stands at a point or within a region.
    pattern, facing
        Directivity of every source, and where it looks: to the receiver, or an azimuth in the room's axes.
    temperature, humidity, air
        Of the air; with `air`, it absorbs (ISO 9613-1).
    jitter
        Metres by which echoes of two and more reflections are displaced at random, against sweeping echoes.
    max_order
        Most reflections; all if null.
    method
        ``image``: every image; ``hybrid``: images for 70 ms and more after the direct sound, then diffuse sound of the same decay;
        ``auto``: the hybrid where the sum would be long (30 million images times channels and bands).
    duration
        Of the response; until it is 60 dB down if null.
    normalize
        ``metre``: amplitude 1 at a distance of 1 m, so that far sources are softer; ``direct``: the direct sound is 1 at the
        nearest microphone; ``none``: 1/(4πd).
    seed
        Of the displacement; filled by the plan.

    References
    ----------
    Allen and Berkley, JASA 65 (1979); Lehmann and Johansson, JASA 124 (2008) for the absorption that `rt60` asks for.
    """

    type_name: ClassVar[str] = "shoebox"
    version: ClassVar[int] = 1
    portability: ClassVar[str] = "portable"
    simulated: ClassVar[bool] = True
    needs_place: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"size": [4.0, 3.0, 2.5], "rt60": 0.2, "receiver": {"position": {"point": [2.3, 1.2, 1.1]}}, "seed": 1},
        {
            "size": [5.0, 4.0, 2.6], "alpha": [0.5, 0.6, 0.4, 0.5, 0.7, 0.3], "seed": 2, "jitter": 0.03, "pattern": "cardioid",
            "receiver": {"type": "ambisonic", "position": {"point": [2.0, 2.2, 1.3]}, "yaw": 40.0}, "air": True,
        },
        {
            "size": [3.0, 3.5, 2.4], "surfaces": {"floor": "carpet", "ceiling": "acoustic_tile"}, "seed": 3, "duration": 0.3,
            "receiver": {"type": "linear", "n": 2, "spacing": 0.1, "position": {"point": [1.2, 1.4, 1.0]}},
        },
    )  # fmt: skip

    size: Annotated[tuple[Length, Length, Length], Field(strict=False)] = Field(
        description="length, width, height", json_schema_extra={"unit": "m"}
    )
    receiver: ReceiverSpec = Field(description="what listens, and where")
    rt60: Annotated[float, Field(gt=0.0, le=30.0)] | None = Field(
        None, description="T30 of the broadband response, without the air's part", json_schema_extra={"unit": "s"}
    )
    alpha: Alpha | Annotated[tuple[Alpha, ...], Field(strict=False, min_length=6, max_length=6)] | None = Field(
        None,
        description="energy absorption of all walls, or of x0, x1, y0, y1, floor, ceiling",
        json_schema_extra={"unit": ""},
    )
    surfaces: Surfaces | None = Field(None, description="materials per surface")
    pattern: Pattern = Field(
        "omni", description="directivity of the sources, or p of p + (1 - p)·cos θ", json_schema_extra={"unit": ""}
    )
    facing: Annotated[float, Field(ge=-360.0, le=360.0)] | Literal["receiver"] = Field(
        "receiver",
        description="where sources look: to the receiver, or an azimuth in the room",
        json_schema_extra={"unit": "degrees"},
    )
    temperature: Annotated[float, Field(ge=-20.0, le=50.0)] = Field(
        20.0, description="of the air; sets the speed of sound", json_schema_extra={"unit": "degrees Celsius"}
    )
    humidity: Annotated[float, Field(ge=0.0, le=100.0)] = Field(
        50.0, description="relative, of the air", json_schema_extra={"unit": "%"}
    )
    air: bool = Field(False, description="whether the air absorbs too (ISO 9613-1)")
    jitter: Annotated[float, Field(ge=0.0, le=0.5)] = Field(
        0.0, description="displacement of late echoes", json_schema_extra={"unit": "m"}
    )
    max_order: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        None, description="most reflections; all if null", json_schema_extra={"unit": ""}
    )
    method: Literal["auto", "image", "hybrid"] = Field(
        "auto", description="every image, or diffuse sound after the early ones"
    )
    duration: Annotated[float, Field(gt=0.0, le=30.0)] | None = Field(
        None, description="of the response; until it is 60 dB down if null", json_schema_extra={"unit": "s"}
    )
    normalize: Literal["metre", "direct", "none"] = Field("metre", description="what gets the amplitude 1")
    seed: Seed

    @model_validator(mode="after")
    def _one_absorption(self) -> Shoebox:
        given = [name for name in ("rt60", "alpha", "surfaces") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected exactly one of rt60, alpha, surfaces; got {', '.join(given) or 'none'}")
        if self.receiver.position is None:
            raise ValueError("the receiver of a shoebox needs a `position`: [x, y, z], or {within: {…}}")
        if self.receiver.position.point is not None:
            settled(self.receiver.position, size=self.size, view=None, what="receiver")
        if self.rt60 is not None:
            self._absorption(16_000)
        if self.receiver.hrtf is not None and self.jitter:
            raise ValueError(
                "a binaural receiver hears late sound as noise, so there is nothing to jitter; leave it out"
            )
        if self.max_order is not None and self.method == "hybrid":
            raise ValueError("the hybrid has no last order; leave max_order out, or take method: image")
        return self

    @staticmethod
    def warm() -> None:
        """Load the compiled sums; called by whoever has made many responses and will make more."""
        image_source.warm()

    @property
    def c(self) -> float:
        """Return the speed of sound in m/s."""
        return absorption.speed_of_sound(self.temperature)

    def key(self, sr: int, position: Position | None) -> str:
        """Return all that alters a response; the seed only where something is drawn from it."""
        exact = not self.jitter and self.receiver.hrtf is None and position is not None and position.point is not None
        exact = exact and not is_hybrid(self._box(position.point, self._absorption(sr), sr))  # type: ignore[union-attr]
        return self.model_dump_json(exclude={"seed"} if exact else set())

    def n_channels(self) -> int:
        """Return how many channels the receiver gives."""
        return self.receiver.n_channels()

    def settled(self) -> Shoebox:
        """Return the room with its receiver at a point."""
        place = self.receiver.position
        if place is None or place.point is not None:
            return self
        point = settled(place, size=self.size, view=None, what="receiver")
        return self.model_copy(update={"receiver": self.receiver.model_copy(update={"position": point})})

    def place(self, position: Position) -> Position:
        """Return a source's place as a point of the room.

        Raises
        ------
        ParameterError
            If it is outside the room, or its region is empty.
        """
        return settled(position, size=self.size, view=self.view(), what="source")

    def view(self) -> View:
        """Return where the receiver stands and how it is turned."""
        return self.receiver.view()

    def delay(self, sr: int, position: Position) -> int:
        """Return the delay of the direct sound to the nearest microphone (a head's middle) in samples, rounded."""
        if self.receiver.hrtf is not None:
            return _rounded(math.dist(self.view().origin, position.point or ()) * sr / self.c)
        away = self.receiver.microphones().at(self.view().origin) - np.asarray(position.point)
        return _rounded(float(np.sqrt(np.sum(away**2, axis=1)).min()) * sr / self.c)

    def response(self, ctx: RenderContext, *, position: Position | None = None) -> Response:
        """Return the response from a place to the receiver.

        Raises
        ------
        RenderError
            If the clip has another number of channels, or the event no place.
        ParameterError
            If source and a microphone are less than 1 cm apart, or the sum would take too long.
        """
        if position is None or position.point is None:
            raise RenderError("a shoebox needs the event's `position`: [x, y, z], {distance: …} or {within: {…}}")
        if ctx.n_channels != self.n_channels():
            raise RenderError(
                f"the receiver of the room has {self.n_channels()} channels and the clip {ctx.n_channels}; set `channels: "
                f"{self.n_channels()}` in the recipe, or take another receiver"
            )
        made = self._absorption(ctx.sr)
        found = hear(self._box(position.point, made, ctx.sr), hrtf=self._hrtf(ctx))
        facts = self._facts(position.point, made, found)
        return Response(found.h, _rounded(found.delay), self._gain_db(found.distance), facts=facts)

    def move(
        self, dry: Array, ctx: RenderContext, *, position: Position, motion: Motion, part: Part = "image"
    ) -> Moved:
        """Return the sound of a source that moves while it sounds, in order of arrival: all, its direct or its early part.

        Raises
        ------
        RenderError
            If the source has several channels.
        ParameterError
            If its path leaves the room, meets a microphone or is too fast.
        """
        if dry.shape[0] != 1 or position.point is None:
            raise RenderError(f"a moving source has one channel, not {dry.shape[0]}; take one with `channel: mix`")
        box = self._box(position.point, self._absorption(ctx.sr), ctx.sr)
        return move(box, dry, motion, part=part, hrtf=self._hrtf(ctx))

    def _absorption(self, sr: int) -> Absorption:
        air = None
        if self.air:
            air = absorption.air_exponents(bands.n_bands(sr), temperature=self.temperature, humidity=self.humidity)
        return absorption_of(
            size=self.size, sr=sr, c=self.c, rt60=self.rt60, alpha=self.alpha, surfaces=self.surfaces, air=air
        )

    def _box(self, point: Any, made: Absorption, sr: int) -> Box:
        x, y, z = np.asarray(self.view().origin) - np.asarray(point)
        looks = (float(x), float(y), float(z))
        if self.facing != "receiver":
            looks = (math.cos(math.radians(self.facing)), math.sin(math.radians(self.facing)), 0.0)
        return Box(
            size=self.size, point=point, receiver=self.receiver, made=made, sr=sr, c=self.c, duration=self.duration,
            pattern=self.pattern, axis=looks, jitter=self.jitter, max_order=self.max_order, seed=self.seed, method=self.method,
        )  # fmt: skip

    def _hrtf(self, ctx: RenderContext) -> Any:
        if self.receiver.hrtf is None:
            return None
        if ctx.assets is None:
            raise RenderError("a binaural receiver is a recording of a head, and there are no recordings at hand")
        return ctx.assets.sofa(self.receiver.hrtf)

    def _gain_db(self, distance: float) -> float:
        gain = {"metre": metre_gain_db(), "direct": metre_gain_db() + 20.0 * math.log10(distance), "none": 0.0}
        return round(gain[self.normalize], 6)

    def _facts(self, point: Any, made: Absorption, found: Heard) -> dict[str, Any]:
        middles = {"source": centred(point, self.size), "receiver": centred(self.view().origin, self.size)}
        warnings = [
            f"the {what} stands within 5 cm of the middle of the room's {' and '.join(axes)}: its echoes line up and sweep"
            for what, axes in middles.items()
            if axes
        ]
        mean = made.alpha.mean(axis=1)
        return {
            "distance": round(found.distance, 4),
            "alpha": [round(float(a), 4) for a in mean] if len(mean) > 1 else round(float(mean[0]), 4),
            "n_images": found.n_images,
            **({} if found.mixing is None else {"mixing": round(found.mixing, 6)}),
            **found.more,
            **({"warnings": warnings} if warnings else {}),
        }


def _rounded(samples: float) -> int:
    if not math.isfinite(samples):
        raise ParameterError(f"a delay of {samples} samples")
    return math.floor(samples + 0.5)
