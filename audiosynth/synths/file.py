"""Sounds that somebody recorded: a recording of a catalogue, or a stretch of it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from audiosynth.clip import Array, Recording, RenderContext
from audiosynth.dsp import resampled_length, seconds_to_samples
from audiosynth.errors import ParameterError, RenderError
from audiosynth.material.assets import resampled_active
from audiosynth.material.channels import pick_channels, stretch_of
from audiosynth.registry import Component

_EXAMPLE: dict[str, Any] = {
    "data": "examples", "path": "words/yes.wav", "sha256": "0" * 64,
    "sr": 16000, "n_channels": 2, "n_samples": 16000, "active": [800, 12000],
}  # fmt: skip
_KINDS: Final = {"events": "sub_event", "words": "word", "phones": "phone"}
"""What each kind of annotation is called where it stands beside a label."""


class File(Component):
    """A recording, from a file: trimmed to its active part, or a stretch of it.

    The whole recording is resampled to the clip's rate (soxr VHQ, float64) and then cut at whole samples, so that a
    stretch holds the same samples wherever it begins. Levels stay as recorded.

    Parameters
    ----------
    recording
        The file.
    trim
        Leave out leading and trailing silence, as the catalogue index has it.
    start, duration
        The stretch, from the start of what `trim` left; without a `duration`, to its end.
    start_sample
        In place of `start`, in samples of the clip; filled by the plan for ``start: {slack: …}``.
    channel
        ``mix`` (mean of the channels), the number of one, or ``all``, which must be as many as the clip has.
    """

    type_name: ClassVar[str] = "file"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"recording": _EXAMPLE},
        {"recording": _EXAMPLE, "trim": False, "start": 0.1, "duration": 0.25, "channel": 1},
        {"recording": _EXAMPLE, "start_sample": 100, "duration": 0.3, "channel": "all"},
    )

    recording: Recording = Field(description="the recording")
    trim: bool = Field(True, description="leave out leading and trailing silence")
    start: Annotated[float, Field(ge=0, le=360_000)] = Field(
        0.0, description="where the stretch begins", json_schema_extra={"unit": "s"}
    )
    duration: Annotated[float, Field(gt=0, le=360_000)] | None = Field(
        None, description="length of the stretch; to the end if null", json_schema_extra={"unit": "s"}
    )
    start_sample: Annotated[int, Field(ge=0, le=2**40)] | None = Field(
        None, description="in place of start: samples of the clip", json_schema_extra={"unit": ""}
    )
    channel: Annotated[int, Field(ge=0, le=1023)] | Literal["mix", "all"] = Field(
        "mix", description="mean of the channels, all of them, or the number of one", json_schema_extra={"unit": ""}
    )

    @model_validator(mode="after")
    def _channel_exists(self) -> File:
        if isinstance(self.channel, int) and self.channel >= self.recording.n_channels:
            message = f"channel {self.channel} is not in {self.recording.path}, which has {self.recording.n_channels}"
            raise ValueError(f"{message} (numbered from 0)")
        return self

    def extent(self, sr: int) -> int:
        """Return the length in samples.

        Raises
        ------
        ParameterError
            If the stretch goes past the end of the recording.
        """
        first, last = self._stretch(sr)
        return last - first

    def active(self, sr: int) -> tuple[int, int]:
        """Return the active part: all of it where trimmed, else what of the recording's active part is in the stretch.

        Raises
        ------
        ParameterError
            If there is none.
        """
        first, last = self._stretch(sr)
        if self.trim:
            return 0, last - first
        a, b = resampled_active(self.recording, sr)
        inside = max(a, first) - first, min(b, last) - first
        if inside[1] <= inside[0]:
            raise ParameterError(
                f"{self._name()}: the stretch lies in the silence before {a / sr:.3f} or after {b / sr:.3f} s; choose another "
                "`start`, or say `trim: true`"
            )
        return inside

    def carried(self, sr: int) -> list[tuple[str, str, int, int]]:
        """Return what is known to happen in the stretch: (kind, text, onset, offset) in its samples, cut at its ends.

        Kinds are ``sub_event``, ``word`` and ``phone``, from the recording's annotations, and ``text``: what is said in all of
        it, where the stretch holds all of it or the times of its words are known (those that are half inside count).
        """
        meta = self.recording.meta
        if "text" not in meta and meta.keys().isdisjoint(_KINDS):  # as of most recordings
            return []
        first, last = self._stretch(sr)
        found, said = [], []
        for key, kind in _KINDS.items():
            for onset, offset, text in meta.get(key, ()):
                whole = seconds_to_samples(onset, sr) - first, seconds_to_samples(offset, sr) - first
                a, b = max(0, whole[0]), min(last - first, whole[1])
                if b > a:
                    found.append((kind, str(text), a, b))
                    said += [str(text)] if kind == "word" and 2 * (b - a) >= whole[1] - whole[0] else []
        active = resampled_active(self.recording, sr)
        if isinstance(meta.get("text"), str) and first <= active[0] and active[1] <= last:
            said = [meta["text"]]
        return [*found, *([("text", " ".join(said), 0, last - first)] if said else [])]

    def slack(self, sr: int) -> int:
        """Return by how many samples `start` can move; 0 without a `duration`.

        Raises
        ------
        ParameterError
            If the recording is shorter than `duration`.
        """
        if self.duration is None:
            return 0
        first, last = self._whole(sr)
        room = last - first - seconds_to_samples(self.duration, sr)
        if room < 0:
            raise self._too_short(sr)
        return room

    def render(self, ctx: RenderContext) -> Array:
        """Return the stretch, shape (1 or n_channels, extent).

        Raises
        ------
        RenderError
            If all channels are asked for and the clip has another number, or there are no recordings.
        AssetError
            If the file is missing or changed.
        """
        if ctx.assets is None:
            raise RenderError(f"{self._name()} is a recording, and there are no recordings at hand")
        y = stretch_of(ctx.assets, self.recording, ctx.sr, self.channel, self._stretch(ctx.sr))
        return pick_channels(y, self.channel, n_channels=ctx.n_channels, name=self._name())

    def _name(self) -> str:
        return f"{self.recording.data}:{self.recording.path}"

    def _whole(self, sr: int) -> tuple[int, int]:
        """Return what `trim` leaves, in samples of the whole recording at `sr`."""
        if self.trim:
            return resampled_active(self.recording, sr)
        return 0, resampled_length(self.recording.n_samples, sr_in=self.recording.sr, sr_out=sr)

    def _stretch(self, sr: int) -> tuple[int, int]:
        a, b = self._whole(sr)
        first = a
        if self.start_sample is not None:
            first += self.start_sample
        elif self.start:
            first += seconds_to_samples(self.start, sr)
        last = b if self.duration is None else first + seconds_to_samples(self.duration, sr)
        if last > b or first >= b:
            raise self._too_short(sr)
        if last <= first:
            raise ParameterError(
                f"{self._name()}: {self.duration} s are less than one sample at {sr} Hz; lengthen `duration`"
            )
        return first, last

    def _too_short(self, sr: int) -> ParameterError:
        a, b = self._whole(sr)
        start = self.start if self.start_sample is None else self.start_sample / sr
        wanted = f"from {start:g} s on" if self.duration is None else f"{self.duration:g} s from {start:g} s on"
        return ParameterError(
            f"{self._name()} has {(b - a) / sr:.6f} s{' of active sound' if self.trim else ''}, and the recipe asks for {wanted}; "
            "shorten `duration`, begin earlier, or choose longer recordings"
        )
