"""Backgrounds that somebody recorded, looped without end."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from audiosynth.clip import Array, Recording, RenderContext
from audiosynth.dsp import resampled_length, seconds_to_samples
from audiosynth.errors import ParameterError, RenderError
from audiosynth.material.assets import resampled_active
from audiosynth.material.channels import pick_channels, stretch_of
from audiosynth.registry import Component
from audiosynth.synthesis import signals

_EXAMPLE: dict[str, Any] = {
    "data": "examples", "path": "beds/street.wav", "sha256": "0" * 64,
    "sr": 16000, "n_channels": 1, "n_samples": 160_000, "active": [0, 160_000],
}  # fmt: skip


@lru_cache(maxsize=16)
def _fade_in(n: int) -> Array:
    """Return n samples of sin(π/2·x); reversed it is the fade-out, and their squares add up to 1."""
    curve = signals.sine((np.arange(n, dtype=np.float64) + 0.5) * (0.25 / n)) if n else np.ones(0)
    curve.flags.writeable = False
    return curve


class FileNoise(Component):
    """Recordings one after the other, in an endless loop with equal-power joints.

    Each recording is resampled whole, then joined to the next (and the last to the first) by a cross-fade of `crossfade`
    seconds: sin and cos of a quarter turn, which keep the power where the two sides are unrelated, as different
    moments of a background are. Sample n depends on n alone. The sound keeps its recorded level; the bed sets it.

    Parameters
    ----------
    recording, recordings
        One file, or several in sequence.
    trim
        Leave out leading and trailing silence, as the catalogue index has it, so that no loop has holes.
    crossfade
        Length of the joints; every recording must be at least twice as long.
    start_sample
        Where in the loop sample 0 lies; drawn by the plan if not given.
    channel
        ``mix`` (mean of the channels), the number of one, or ``all``, which must be as many as the clip has.
    """

    type_name: ClassVar[str] = "file"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"recording": _EXAMPLE},
        {"recording": _EXAMPLE, "crossfade": 0.5, "start_sample": 12_345, "channel": 0, "trim": False},
    )

    recording: Recording | None = Field(None, description="the recording, if it is one")
    recordings: tuple[Recording, ...] = Field(
        (), max_length=1000, strict=False, description="the recordings, if several"
    )
    trim: bool = Field(True, description="leave out leading and trailing silence")
    crossfade: Annotated[float, Field(ge=0, le=60)] = Field(
        0.05, description="length of the joints", json_schema_extra={"unit": "s"}
    )
    start_sample: Annotated[int, Field(ge=0, le=2**40)] = Field(
        0, description="where in the loop the clip begins, in its samples", json_schema_extra={"unit": ""}
    )
    channel: Annotated[int, Field(ge=0, le=1023)] | Literal["mix", "all"] = Field(
        "mix", description="mean of the channels, all of them, or the number of one", json_schema_extra={"unit": ""}
    )

    @model_validator(mode="after")
    def _meant(self) -> FileNoise:
        if (self.recording is None) == (not self.recordings):
            raise ValueError("expected either `recording` or `recordings` (one or more)")
        for item in self._files():
            if isinstance(self.channel, int) and self.channel >= item.n_channels:
                raise ValueError(
                    f"channel {self.channel} is not in {item.path}, which has {item.n_channels} (numbered from 0)"
                )
        return self

    def _files(self) -> tuple[Recording, ...]:
        return self.recordings if self.recording is None else (self.recording,)

    def period(self, sr: int) -> int:
        """Return the length of the loop in samples.

        Raises
        ------
        ParameterError
            If a recording is shorter than two joints.
        """
        return self._period(sr, self._pieces(sr))

    def _period(self, sr: int, pieces: list[tuple[int, int, int]]) -> int:
        first, last, at = pieces[-1]
        return at + last - first - seconds_to_samples(self.crossfade, sr)

    def _pieces(self, sr: int) -> list[tuple[int, int, int]]:
        """Return for each recording its first and last sample at `sr`, and where in the loop it begins."""
        n_fade, at, pieces = seconds_to_samples(self.crossfade, sr), 0, []
        for item in self._files():
            n = resampled_length(item.n_samples, sr_in=item.sr, sr_out=sr)
            first, last = resampled_active(item, sr) if self.trim else (0, n)
            if last - first < 2 * n_fade:
                raise ParameterError(
                    f"{item.data}:{item.path} has {(last - first) / sr:.3f} s, less than two joints of {self.crossfade:g} s; "
                    "shorten `crossfade` or choose longer recordings"
                )
            pieces.append((first, last, at))
            at += last - first - n_fade
        return pieces

    def _sounding(self, sr: int, start: int, stop: int, pieces: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
        """Return (piece, its begin) for all that sound in [start, stop), counted from sample 0 of the clip."""
        period = self._period(sr, pieces)
        a, b = start + self.start_sample, stop + self.start_sample
        longest = max(last - first for first, last, _ in pieces)
        turns = range((a - longest) // period - 1, b // period + 1)
        begins = [(i, turn * period + at) for turn in turns for i, (_, _, at) in enumerate(pieces)]
        return [(i, at - self.start_sample) for i, at in begins if at < b and at + pieces[i][1] - pieces[i][0] > a]

    def render(self, ctx: RenderContext, *, start: int, n_samples: int) -> Array:
        """Return samples [start, start + n_samples), shape (1 or n_channels, n_samples).

        Raises
        ------
        RenderError
            If all channels are asked for and the clip has another number, or there are no recordings.
        AssetError
            If a file is missing or changed.
        """
        if ctx.assets is None:
            raise RenderError("the noise is made of recordings, and there are no recordings at hand")
        files, channel, pieces = self._files(), self.channel, self._pieces(ctx.sr)
        fade = _fade_in(seconds_to_samples(self.crossfade, ctx.sr))
        sounding = self._sounding(ctx.sr, start, start + n_samples, pieces)
        out = np.zeros((ctx.n_channels if channel == "all" else 1, n_samples if len(sounding) > 1 else 0))
        for i, at in sounding:
            item, (first, last, _) = files[i], pieces[i]
            a, b = max(at, start), min(at + last - first, start + n_samples)
            y = stretch_of(ctx.assets, item, ctx.sr, channel, (first + a - at, first + b - at))
            y = pick_channels(y, channel, n_channels=ctx.n_channels, name=f"{item.data}:{item.path}")
            if len(sounding) == 1:  # the loop has no gaps: this is all of it, and nothing to add it to
                return _faded(y, fade, a - at, last - first)
            # At most two pieces sound at once, so their order cannot matter.
            out[:, a - start : b - start] += _faded(y, fade, a - at, last - first)
        return out

    def recorded(self, ctx: RenderContext) -> Array:
        """Return all samples of the recordings one after the other, silence at their ends too, shape (1 or n_channels, n)."""
        if ctx.assets is None:
            raise RenderError("the noise is made of recordings, and there are no recordings at hand")
        found = [
            pick_channels(
                ctx.assets.samples(item, ctx.sr),
                self.channel,
                n_channels=ctx.n_channels,
                name=f"{item.data}:{item.path}",
            )
            for item in self._files()
        ]
        return np.concatenate(found, axis=1)

    def annotations(self, sr: int, n_samples: int) -> list[tuple[int, int, str]]:
        """Return the recordings' own events in [0, n_samples) of the clip as (onset, offset, label), through all loops."""
        if not any(item.meta.get("events") for item in self._files()):
            return []
        pieces = self._pieces(sr)
        found = set()
        for i, at in self._sounding(sr, 0, n_samples, pieces):
            first, last, _ = pieces[i]
            for onset, offset, label in self._files()[i].meta.get("events", ()):
                a = max(first, seconds_to_samples(onset, sr)) - first + at
                b = min(last, seconds_to_samples(offset, sr)) - first + at
                found.add((max(0, a), min(n_samples, b), str(label)))
        return sorted((a, b, label) for a, b, label in found if b > a)


def _faded(y: Array, fade: Array, at: int, n: int) -> Array:
    """Apply the fades of a piece of `n` samples to its samples from `at` on; the whole curve is made, then cut."""
    n_fade, m = fade.size, y.shape[1]
    head, tail = max(0, min(m, n_fade - at)), min(m, max(0, n - n_fade - at))
    if not head and tail == m:
        return y
    y = y.copy()
    y[:, :head] *= fade[at : at + head]
    y[:, tail:] *= fade[::-1][at + tail - (n - n_fade) : at + m - (n - n_fade)]
    return y
