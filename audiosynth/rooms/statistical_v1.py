"""Rooms that are numbers only: a direct sound, and noise that dies away in every octave; version 1, as rows of old manifests have it."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field, model_validator

from audiosynth.acoustics import absorption, bands, image_source
from audiosynth.acoustics.arrays import unit
from audiosynth.acoustics.diffuse import diffuse_mixer
from audiosynth.acoustics.image_moments import HALF
from audiosynth.acoustics.tails import statistical_response
from audiosynth.clip import RenderContext, Response
from audiosynth.dice import gaussians_at
from audiosynth.errors import ParameterError, RenderError
from audiosynth.registry import Component
from audiosynth.spaces.places import Position, View
from audiosynth.spaces.receivers import ReceiverSpec, patterns_of
from audiosynth.spaces.walls import metre_gain_db
from audiosynth.synthesis.signals import Seed

Time = Annotated[float, Field(ge=0.02, le=30.0)]
_NOWHERE: Final = Position(distance=1.5)
"""Where a source is that has no place: in front, at the distance of a talk."""
_FAR: Final = 10_000.0
"""Metres to the walls of the box without echoes that the direct sound is taken from."""


class StatisticalRoom(Component):
    """A room after Polack: exponentially decaying noise with a set reverberation time and direct-to-reverberant ratio.

    No walls and no echoes one could count, so thousands of rooms cost little. Microphones of an array hear the tail with
    the coherence of a diffuse field. A source's place is a distance and a direction from the receiver.

    Parameters
    ----------
    rt60
        Reverberation time of all octaves, or of each from 125 Hz to 8 kHz (7 numbers).
    drr_db
        Energy of the direct sound over that of all that follows, at the first channel, exact.
    receiver
        What listens; it has no position here, only its kind, yaw and pitch.
    temperature
        Of the air; sets the speed of sound.
    seed
        Of the tail; filled by the plan.

    References
    ----------
    J.-D. Polack, "La transmission de l'énergie sonore dans les salles", thèse, Université du Maine (1988).
    """

    type_name: ClassVar[str] = "statistical"
    version: ClassVar[int] = 1
    portability: ClassVar[str] = "portable"
    simulated: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"rt60": 0.4, "drr_db": 3.0, "seed": 1},
        {"rt60": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], "drr_db": -5.0, "seed": 2, "receiver": {"type": "tetrahedral", "radius": 0.042}},
        {"rt60": 0.3, "drr_db": 0.0, "seed": 3, "receiver": {"type": "ambisonic", "yaw": 30.0}},
    )  # fmt: skip

    rt60: Time | Annotated[tuple[Time, ...], Field(strict=False, min_length=7, max_length=7)] = Field(
        description="of all octaves, or of each from 125 Hz to 8 kHz", json_schema_extra={"unit": "s"}
    )
    drr_db: Annotated[float, Field(ge=-40.0, le=60.0)] = Field(
        description="direct sound over what follows, first channel", json_schema_extra={"unit": "dB"}
    )
    receiver: ReceiverSpec = Field(ReceiverSpec(), description="what listens")
    temperature: Annotated[float, Field(ge=-20.0, le=50.0)] = Field(
        20.0, description="of the air; sets the speed of sound", json_schema_extra={"unit": "degrees Celsius"}
    )
    seed: Seed

    @model_validator(mode="after")
    def _no_place(self) -> StatisticalRoom:
        if self.receiver.position is not None:
            raise ValueError("a statistical room has no walls, so its receiver has no position; leave it out")
        return self

    @property
    def c(self) -> float:
        """Return the speed of sound in m/s."""
        return absorption.speed_of_sound(self.temperature)

    def key(self, sr: int, position: Position | None) -> str:  # noqa: ARG002
        """Return all that alters its responses."""
        return self.model_dump_json()

    def n_channels(self) -> int:
        """Return how many channels the receiver gives."""
        return self.receiver.n_channels()

    def view(self) -> View:
        """Return how the receiver is turned; it stands at the origin."""
        return self.receiver.view()

    def place(self, position: Position | None) -> Position:
        """Return a source's place: a distance and a direction.

        Raises
        ------
        ParameterError
            If it is a point or a region, which need walls.
        """
        if position is None:
            return _NOWHERE
        if position.distance is None:
            raise ParameterError("a statistical room has no walls: give the source a distance, azimuth and elevation")
        return position

    def response(self, ctx: RenderContext, *, position: Position | None = None) -> Response:
        """Return the response from a direction; the direct sound has the amplitude 1 at a distance of 1 m.

        Raises
        ------
        RenderError
            If the clip has another number of channels.
        """
        if ctx.n_channels != self.n_channels():
            raise RenderError(
                f"the receiver of the room has {self.n_channels()} channels and the clip {ctx.n_channels}; set `channels: "
                f"{self.n_channels()}` in the recipe, or take another receiver"
            )
        c = self.c
        found = self._direct(self.place(position), ctx.sr, c)
        delay = int(np.floor(found.delay.min() + 0.5))
        rt60 = self.rt60 if isinstance(self.rt60, float) else self.rt60[: bands.n_bands(ctx.sr)]
        h = statistical_response(
            found.h, sr=ctx.sr, delay=int(np.floor(found.delay[0] + 0.5)), rt60=rt60, drr_db=self.drr_db, seed=self.seed,
            mixer=diffuse_mixer(self.receiver.straight(), sr=ctx.sr, c=c), white=gaussians_at,
        )  # fmt: skip
        return Response(h, delay, round(metre_gain_db(), 6), facts={"distance": round(float(found.distance.min()), 4)})

    def _direct(self, position: Position, sr: int, c: float) -> image_source.ImageResponse:
        return _direct_sound(self.receiver.model_dump_json(), position.model_dump_json(), sr, c)


@lru_cache(maxsize=64)
def _direct_sound(receiver_json: str, position_json: str, sr: int, c: float) -> image_source.ImageResponse:
    """Return the direct sound: the image method in a box whose walls take everything; kept, as many clips share a place."""
    receiver, position = ReceiverSpec.model_validate_json(receiver_json), Position.model_validate_json(position_json)
    microphones, foa = receiver.straight(), receiver.type == "ambisonic"
    middle = np.full(3, _FAR / 2)
    source = middle + (position.distance or 0.0) * unit(position.azimuth, position.elevation)
    mics = middle[np.newaxis] if foa else microphones.at(middle)
    farthest = float(np.sqrt(np.sum((mics - source) ** 2, axis=1)).max())
    found = image_source.simulate(
        size=(_FAR, _FAR, _FAR), source=source, mics=mics, beta=0.0, sr=sr, duration=farthest / c + HALF / sr + 0.001,
        c=c, options=image_source.Options(foa=foa, mic_patterns=None if foa else patterns_of(microphones), fade=0.0),
    )  # fmt: skip
    found.h.flags.writeable = False
    return found
