"""Parts of files: from what a corpus says of an utterance to whole samples of its file, and those samples."""

from __future__ import annotations

from typing import Final

from audiosynth.clip import Array, Part, Recording
from audiosynth.corpora.utterance import Utterance
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import AssetError
from audiosynth.material.index import Measured

SLACK: Final = 0.01
"""Seconds by which a corpus may be off the end of a file: times are often rounded to that."""

PADDED: Final = 2 * 1152
"""Most samples that an MP3 which tells nothing has behind its sound: what fills its last frame, and one more for the decoder."""


def part_of(utterance: Utterance | None, measured: Measured, *, late: int = 0) -> Part | None:
    """Return the stretch of its file that a recording is, None where it is all of it.

    Parameters
    ----------
    utterance
        What a corpus says of it; None: nothing.
    measured
        What is known of the file.
    late
        Samples by which all sound in the file comes late, whatever a corpus says of it.

    Raises
    ------
    AssetError
        If the corpus states another rate or length than the file has, or the stretch is empty, past the end, or of a channel that
        is not there.
    """
    sr, n = measured.sr, measured.n_samples - late
    if n < 1:
        raise AssetError(f"has {measured.n_samples} samples, and its sound comes {late} late; correct `encoder_delay`")
    if utterance is None:
        return Part(first=late, last=late + n) if late else None
    _hold(utterance, measured, late)
    channel = utterance.channel if measured.n_channels > 1 else None
    if utterance.channel is not None and utterance.channel >= measured.n_channels:
        raise AssetError(f"channel {utterance.channel} of a file of {measured.n_channels} (numbered from 0)")
    first = int(utterance.start) if utterance.in_samples else seconds_to_samples(utterance.start, sr)
    last = n
    if utterance.end is not None:
        last = int(utterance.end) if utterance.in_samples else seconds_to_samples(utterance.end, sr)
    if last > n + SLACK * sr or first >= n:
        raise AssetError(f"goes from {first / sr:g} to {last / sr:g} s, past the end of its file at {n / sr:g} s")
    last = min(last, n)
    if last <= first:
        raise AssetError(f"goes from {first / sr:g} to {last / sr:g} s, which holds no sample; its end has to be later")
    whole = (first, last, channel) == (0, n, None) and not late
    return None if whole else Part(first=first + late, last=last + late, channel=channel)


def _hold(utterance: Utterance, measured: Measured, late: int) -> None:
    """Hold what a corpus states of a file against the file."""
    sr, n = measured.sr, measured.n_samples - late
    spare = PADDED / sr if late else 0.0
    if utterance.sr is not None and utterance.sr != sr:
        raise AssetError(f"is stated at {utterance.sr} Hz, and its file is at {sr} Hz; correct the corpus")
    stated = utterance.n_samples if utterance.n_samples is not None else None
    seconds = utterance.duration if stated is None else stated / sr
    if seconds is not None and not -SLACK <= n / sr - seconds <= SLACK + spare:
        raise AssetError(
            f"its file is stated to have {seconds:g} s, and has {n / sr:g} s; correct that, or say where in the file it begins"
        )


def cut(y: Array, recording: Recording, part: Part) -> Array:
    """Return a part of a file's samples, a copy of shape (n_channels, n_samples).

    Raises
    ------
    AssetError
        If the file has not as many.
    """
    last = y.shape[0] if part.channel is None else part.channel + 1
    found = y[part.channel or 0 : last, part.first : part.last].copy()
    if found.shape != (recording.n_channels, recording.n_samples):
        raise AssetError(
            f"{recording.data}:{recording.path} has {y.shape[0]} channels of {y.shape[1]} samples, and {part.first} to {part.last} "
            f"of {recording.n_channels} are asked for; the row was edited"
        )
    return found
