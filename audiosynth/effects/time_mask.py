"""Stretches of silence at planned times."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.effects._in_place import InPlace
from audiosynth.effects._masks import masked
from audiosynth.quantities import number


class TimeMask(InPlace):
    """Silence stretches of a sound, as SpecAugment does to spectrograms. Labels stay: the sound is masked, not over.

    Parameters
    ----------
    masks
        ``[[onset, duration], …]`` from the start of the sound; what lies past its end does nothing.
    times
        Of the masks: seconds, or fractions of the sound's length.
    fade
        Raised cosine at both ends, inside, in seconds; at most half a mask.

    References
    ----------
    D. S. Park et al., "SpecAugment", Interspeech 2019, for masks over time.
    """

    type_name: ClassVar[str] = "time_mask"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"masks": [[0.05, 0.1], [0.3, 0.02]]},
        {"masks": [[0.25, 0.2]], "times": "fraction", "fade": 0.0},
    )

    masks: Annotated[
        tuple[
            Annotated[tuple[Annotated[float, Field(ge=0, le=86_400)], Annotated[float, Field(ge=0, le=3600)]], Field(strict=False)],
            ...,
        ],
        Field(
            max_length=1000, strict=False, description="[[onset, duration], …]", json_schema_extra={"unit": "s"}
        ),
    ]  # fmt: skip
    times: Annotated[Literal["seconds", "fraction"], Field(description="what the numbers of the masks are of")] = (
        "seconds"
    )
    fade: Annotated[float, number(0, 1, "s", "raised cosine at both ends")] = 0.005

    @model_validator(mode="after")
    def _inside(self) -> TimeMask:
        most = max((value for mask in self.masks for value in mask), default=0.0)
        if self.times == "fraction" and most > 1:
            raise ValueError(f"masks: a fraction of the sound's length is from 0 to 1, got {most:g}")
        return self

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` with its masks."""
        unit = 1.0 if self.times == "seconds" else y.shape[-1] / ctx.sr
        spans = [
            (seconds_to_samples(onset * unit, ctx.sr), seconds_to_samples((onset + duration) * unit, ctx.sr))
            for onset, duration in self.masks
        ]
        return masked(y, spans, sr=ctx.sr, fade=self.fade)
