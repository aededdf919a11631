"""Repetition: a part of a sound, over and over."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.dsp import samples_to_seconds, seconds_to_samples
from audiosynth.errors import ParameterError
from audiosynth.registry import Component
from audiosynth.synthesis.signals import rise


class Repeat(Component):
    """Play a part of a sound again, as a buffer that is read twice or a stutter does.

    Every repetition carries the labels, words and phones of what it repeats.

    Parameters
    ----------
    start, duration
        The part; what of it lies past the end of the sound is not there.
    n
        How often it is played again.
    mode
        ``insert`` puts the repetitions in and the rest later; ``replace`` plays them in place of what follows, so that the
        length stays.
    crossfade
        At each joint the sound goes over into what came before the place it jumps to, in equal amplitudes; lengths do not change.
    """

    type_name: ClassVar[str] = "repeat"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"start": 0.1, "duration": 0.05},
        {"start": 0.0, "duration": 0.06, "n": 3, "mode": "replace", "crossfade": 0.004},
    )

    start: Annotated[
        float, Field(ge=0, le=86_400, description="where the part begins", json_schema_extra={"unit": "s"})
    ] = 0.0
    duration: Annotated[
        float, Field(ge=0.001, le=3600, description="length of the part", json_schema_extra={"unit": "s"})
    ]
    n: Annotated[
        int, Field(ge=1, le=1000, description="how often it is played again", json_schema_extra={"unit": ""})
    ] = 1
    mode: Annotated[
        Literal["insert", "replace"], Field(description="repetitions put the rest later, or take its place")
    ] = "insert"
    crossfade: Annotated[
        float, Field(ge=0, le=1, description="at each joint; 0 for none", json_schema_extra={"unit": "s"})
    ] = 0.0

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` with the part repeated."""
        pieces = self.segments(y.shape[-1], ctx.sr)
        out = np.zeros((y.shape[0], self.extent(y.shape[-1], ctx.sr)))
        for piece in pieces:
            out[:, piece.out0 : piece.out1] = y[:, piece.in0 : piece.in1]
        n_fade = seconds_to_samples(self.crossfade, ctx.sr)
        for before, piece in pairwise(pieces):
            if before.in1 != piece.in0:
                _soften(out, y, before, piece, n_fade)
        return out

    def extent(self, n_samples: int, sr: int) -> int:
        """Return the length with the repetitions.

        Raises
        ------
        ParameterError
            If the part begins after the sound's end.
        """
        a, b = self._part(n_samples, sr)
        return n_samples + (self.n * (b - a) if self.mode == "insert" else 0)

    def segments(self, n_samples: int, sr: int) -> list[Segment]:
        """Return the sound up to the end of the part, each repetition, and the rest."""
        a, b = self._part(n_samples, sr)
        n_out = self.extent(n_samples, sr)
        out = [Segment(0, b, 0, b)]
        for k in range(self.n):
            at = b + k * (b - a)
            length = min(b - a, n_out - at)
            if length > 0:
                out.append(Segment(a, a + length, at, at + length))
        rest = b if self.mode == "insert" else b + self.n * (b - a)
        at = b + self.n * (b - a)
        return [*out, Segment(rest, n_samples, at, n_out)] if rest < n_samples else out

    def _part(self, n_samples: int, sr: int) -> tuple[int, int]:
        a = seconds_to_samples(self.start, sr)
        b = min(n_samples, a + max(1, seconds_to_samples(self.duration, sr)))
        if b <= a:
            raise ParameterError(
                f"repeat: start {self.start:g} s is past the end of a sound of {samples_to_seconds(n_samples, sr):g} s; begin earlier"
            )
        return a, b


def _soften(out: Array, y: Array, before: Segment, piece: Segment, n_fade: int) -> None:
    """Fade the last samples before a joint into those that stand before the place it jumps to."""
    n = min(n_fade, before.out1 - before.out0)
    if n == 0:
        return
    coming = np.zeros((y.shape[0], n))
    known = min(n, piece.in0)
    coming[:, n - known :] = y[:, piece.in0 - known : piece.in0]
    ramp = rise((np.arange(n) + 0.5) / n)
    joint = slice(piece.out0 - n, piece.out0)
    out[:, joint] = (1.0 - ramp) * out[:, joint] + ramp * coming
