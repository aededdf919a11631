"""Rooms that somebody measured: an impulse response from a catalogue."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from audiosynth.acoustics.responses import direct_part, fade_out, find_direct, find_onsets
from audiosynth.clip import Array, AssetReader, Recording, RenderContext, Response
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import AssetError, ParameterError, RenderError
from audiosynth.registry import Component
from audiosynth.spaces.places import Position

FADE_SECONDS: Final = 0.005


class Measures(NamedTuple):
    """Delay in samples; size of the direct sound's peak, and energy of the kept response, at the earliest channel."""

    delay: int
    peak: float
    energy: float


@lru_cache(maxsize=256)
def _gain_db(measures: Measures, normalize: str) -> float:
    """Return the gain at which what `normalize` names becomes 1."""
    power = {"direct": measures.peak**2, "energy": measures.energy, "none": 1.0}[normalize]
    return round(-10.0 * math.log10(power), 6) + 0.0


@lru_cache(maxsize=32)
def _slot(key: tuple[object, ...]) -> list[Measures]:  # noqa: ARG001
    """Return the place for what was measured on a response, empty at first; it never holds the samples."""
    return []


class MeasuredRoom(Component):
    """A measured impulse response: a recording of one or more channels, or one measurement of a SOFA file.

    The direct sound is each channel's first |h| at -20 dB re its peak and above its noise; the earliest channel rules
    (ISO 3382-1:2009, A.3.4; `audiosynth.acoustics.responses.find_direct`). All channels get one gain and one shift, so they keep
    their levels and delays among each other. A mono response serves clips of any number of channels.

    Parameters
    ----------
    recording
        The response's file; a SOFA file needs the `sofa` extra.
    measurement
        Of a SOFA file: which one. Without it, an event's `position` (distance, azimuth, elevation) takes the nearest.
    channel
        ``all`` channels, their ``mix`` (mean), or the number of one.
    normalize
        ``direct``: the peak |h| within ±2.5 ms of the direct sound becomes 1; ``energy``: the energy of the kept
        response becomes 1; both at the earliest channel (of equally early ones, the first). ``none``: as recorded.
    max_duration
        Seconds kept after the direct sound, the last 5 ms of them under a half-cosine fade.
    """

    type_name: ClassVar[str] = "measured"
    version: ClassVar[int] = 1
    portability: ClassVar[str] = "portable"
    examples: ClassVar[tuple[dict[str, Any], ...]] = tuple(
        {
            "recording": {
                "data": "examples", "path": "rooms/hall.wav", "sha256": "0" * 64,
                "sr": 16000, "n_channels": 2, "n_samples": 16000, "active": [0, 16000],
            },
            **rest,
        }
        for rest in ({}, {"channel": 1, "normalize": "energy", "max_duration": 0.3}, {"channel": "mix"})
    )  # fmt: skip

    recording: Recording = Field(description="the impulse response")
    channel: Annotated[int, Field(ge=0, le=1023)] | Literal["all", "mix"] = Field(
        "all", description="all channels, their mix, or the number of one", json_schema_extra={"unit": ""}
    )
    normalize: Literal["direct", "energy", "none"] = Field(
        "direct", description="what of the earliest channel becomes 1", json_schema_extra={"unit": ""}
    )
    measurement: Annotated[int, Field(ge=0, le=10_000_000)] | None = Field(
        None, description="of a SOFA file: which measurement", json_schema_extra={"unit": ""}
    )
    max_duration: Annotated[float, Field(ge=0.01, le=60.0)] | None = Field(
        None, description="time kept after the direct sound", json_schema_extra={"unit": "s"}
    )

    @model_validator(mode="after")
    def _channel_exists(self) -> MeasuredRoom:
        if isinstance(self.channel, int) and self.channel >= self.recording.n_channels:
            message = f"channel {self.channel} is not in {self.recording.path}, which has {self.recording.n_channels}"
            raise ValueError(f"{message} (numbered from 0)")
        count = self.recording.meta.get("measurements", 0)
        if self.measurement is not None and not self.measurement < count:
            had = f"has {count} (numbered from 0)" if count else "is one response, no SOFA file"
            raise ValueError(f"measurement {self.measurement}: {self.recording.path} {had}")
        return self

    def n_channels(self) -> int:
        """Return how many channels the response has."""
        return self.recording.n_channels if self.channel == "all" else 1

    def place(self, position: Position | None) -> Position | None:
        """Return where the source stands: a direction that chooses a measurement of a SOFA file, or None.

        Raises
        ------
        ParameterError
            If the file has one response only, or what is given does not choose one of several.
        """
        count = self.recording.meta.get("measurements", 0)
        if position is None:
            if count > 1 and self.measurement is None:
                raise ParameterError(
                    f"{self._name()} holds {count} measurements; choose one with `measurement`, or by the event's "
                    "`position: {distance: …, azimuth: …}`"
                )
            return None
        if not count or self.measurement is not None or position.distance is None:
            raise ParameterError(
                f"position: {self._name()} is one response, made where it was made; leave the position out (of a SOFA file "
                "without `measurement`, a distance and direction choose one)"
            )
        return position

    def response(self, ctx: RenderContext, *, position: Position | None = None, delay: int | None = None) -> Response:
        """Return the response at the clip's rate, unscaled, with its measured delay and its gain.

        Parameters
        ----------
        ctx
            Of the clip.
        position
            Of the source, where that chooses a measurement.
        delay
            As decided when the clip was first made; measured if not given.

        Raises
        ------
        RenderError
            If the response has several channels and the clip another number of them, or there are no recordings.
        AssetError
            If the recording is silent, holds NaN or infinity, or has no direct sound above its noise.
        """
        self._check(ctx.n_channels)
        if ctx.assets is None:
            raise RenderError(f"the room {self._name()} is a recording, and there are no recordings at hand")
        number, facts = self._chosen(ctx.assets, position)
        if number is None:
            h = ctx.assets.samples(self.recording, ctx.sr)
        else:
            h = ctx.assets.measurement(self.recording, ctx.sr, number)
        if isinstance(self.channel, int):
            h = h[self.channel : self.channel + 1]
        elif self.channel == "mix":
            h = h.mean(axis=0, keepdims=True)
        slot = _slot((self.recording.sha256, ctx.sr, self.channel, self.max_duration, number))
        if not slot:
            slot.append(self._measure(h, ctx.sr))
        at = slot[0].delay if delay is None else delay
        key = (self.recording.sha256, ctx.sr, self.channel, self.max_duration, number, at)
        return Response(self._cut(h, ctx.sr, at), at, _gain_db(slot[0], self.normalize), key, facts)

    def _chosen(self, assets: AssetReader, position: Position | None) -> tuple[int | None, dict[str, Any]]:
        """Return which measurement of a SOFA file this is, and where its source stood; None for other files."""
        if not self.recording.meta.get("measurements"):
            return None, {}
        file = assets.sofa(self.recording)
        number = self.measurement or 0
        if self.measurement is None and position is not None:
            number = file.nearest(azimuth=position.azimuth, elevation=position.elevation, distance=position.distance)
        seen = file.directions()
        facts = {name: round(float(values[number]), 4) + 0.0 for name, values in seen._asdict().items()}
        return number, {"measurement": number, **facts}

    def _name(self) -> str:
        return f"{self.recording.data}:{self.recording.path}"

    def _check(self, n_channels: int) -> None:
        mine = self.n_channels()
        if mine not in (1, n_channels):
            message = f"the room {self._name()} has {mine} channels and the clip {n_channels}"
            raise RenderError(f"{message}; give the room `channel: 0` or `channel: mix`, or the clip {mine} channels")

    def _cut(self, h: Array, sr: int, delay: int) -> Array:
        if self.max_duration is None:
            return h
        stop = delay + seconds_to_samples(self.max_duration, sr)
        return fade_out(h, stop=stop, n_fade=seconds_to_samples(FADE_SECONDS, sr))

    def _measure(self, h: Array, sr: int) -> Measures:
        try:
            delay = find_direct(h, sr)
        except ParameterError as error:
            raise AssetError(f"{self._name()}: {error}") from None
        earliest = find_onsets(h, sr).index(delay)
        channel = h[earliest : earliest + 1]
        peak = float(np.abs(direct_part(channel, sr, delay)).max())
        return Measures(delay, peak, float(np.square(self._cut(channel, sr, delay)).sum()))
