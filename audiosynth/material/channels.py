"""Which channels of a recording are heard."""

from __future__ import annotations

from typing import Final, Literal

from audiosynth import dsp
from audiosynth.clip import Array, AssetReader, Recording
from audiosynth.errors import RenderError

LONGEST_MIXED: Final = 2**22
"""Samples up to which the mean of a recording's channels is kept beside it: 32 MiB."""

Channel = int | Literal["mix", "all"]


def pick_channels(y: Array, channel: Channel, *, n_channels: int, name: str) -> Array:
    """Return one channel by number, the ``mix`` (mean) of all, or ``all`` as they are, shape (1 or n_channels, n).

    Raises
    ------
    RenderError
        If ``all`` are not as many as the clip has, or there is no such channel.
    """
    if channel == "all":
        if y.shape[0] != n_channels:
            raise RenderError(
                f"{name} has {y.shape[0]} channels and the clip {n_channels}; say `channel: mix`, choose one with "
                f"`channel: 0`, or give the clip {y.shape[0]} channels"
            )
        return y
    if channel == "mix":
        return y if y.shape[0] == 1 else mean(y)
    if channel >= y.shape[0]:
        raise RenderError(f"{name} has {y.shape[0]} channels (numbered from 0), so there is no channel {channel}")
    return y[channel : channel + 1]


def mean(y: Array) -> Array:
    """Return the mean of all channels, one after the other: the same bits however the recording is cut."""
    total = y[:1].copy()
    for row in y[1:]:
        total += row
    total /= y.shape[0]
    return total


def stretch_of(assets: AssetReader, recording: Recording, sr: int, channel: Channel, span: tuple[int, int]) -> Array:
    """Return samples [first, last) of a recording at rate `sr` for `pick_channels`; not to be written to.

    Where the mean of short recordings is asked for, it is mixed already: that is kept. Long ones are mixed as they are heard.
    """
    first, last = span
    n = dsp.resampled_length(recording.n_samples, sr_in=recording.sr, sr_out=sr)
    if channel == "mix" and recording.n_channels > 1 and n <= LONGEST_MIXED:
        return assets.mono(recording, sr)[:, first:last]
    return assets.stretch(recording, sr, first, last)
