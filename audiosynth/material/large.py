"""Stretches of large recordings, read from disk when they are asked for: what one clip needs, and no more.

A WAV or RF64 file of plain samples is read in place; all others, and those at another rate, from what was decoded once
(`audiosynth.material.decoded`). The recording's own file is hashed once by each process, and again when it is not the same any more.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from audiosynth import dsp
from audiosynth.clip import Array, Recording
from audiosynth.errors import AssetError
from audiosynth.files.stored import DamagedError, Stored, plain_wav, span_of
from audiosynth.kept import Kept
from audiosynth.material.decoded import DecodedFiles
from audiosynth.material.originals import Original, hashed
from audiosynth.material.whereabouts import Whereabouts

LARGE: Final = 2**24
"""Values (samples × channels) from which a recording is large: six minutes of mono at 44.1 kHz, 128 MiB decoded."""
LARGE_FILE: Final = 2**24
"""Bytes from which the file is, of whose parts some are asked for."""
TRIES: Final = 3
MOST_KNOWN: Final = 10_000
"""Files that are known by their hash; a few numbers each."""


def is_large(recording: Recording, sr: int) -> bool:
    """Return whether a recording is large, as it is or at rate `sr`."""
    n = dsp.resampled_length(recording.n_samples, sr_in=recording.sr, sr_out=sr)
    return max(n, recording.n_samples) * recording.n_channels >= LARGE


class LargeRecordings:
    """Where the large recordings of a store are read.

    Parameters
    ----------
    places
        Where their files are.
    decoded
        Where decoded ones are.
    """

    def __init__(self, places: Whereabouts, decoded: DecodedFiles) -> None:
        self._places, self._decoded = places, decoded
        self._known: Kept[tuple[Original, Stored | None]] = Kept(MOST_KNOWN)

    def stretch(self, recording: Recording, sr: int, first: int, last: int) -> Array | None:
        """Return samples [first, last) of a large recording at rate `sr`, shape (n_channels, last - first).

        None if they cannot be read so: all of it has to be decoded, or what is wrong with it is then told.

        Raises
        ------
        AssetError
            If the file is missing or changed.
        """
        part = recording.part
        if part is None:
            return self._read(recording, sr, first, last)
        y = self._read(recording, sr, part.first + first, part.first + last) if sr == recording.sr else None
        return y if y is None or part.channel is None else y[part.channel : part.channel + 1]

    def part(self, recording: Recording) -> Array | None:
        """Return a recording that is a part of a large file, at its rate; None if the file is not large, or as `stretch` does."""
        if self._known.get(recording.sha256) is None:
            span = span_of(self._places.locate(recording))
            if span is None or span.size < LARGE_FILE:
                return None
        return self.stretch(recording, recording.sr, 0, recording.n_samples)

    def _read(self, recording: Recording, sr: int, first: int, last: int) -> Array | None:
        for _ in range(TRIES):
            known = self._original(recording)
            stored = None if known is None else self._stored(known[1], recording, sr)
            if known is None or stored is None or not _is_as_recorded(stored, recording):
                return None
            try:
                y, seen = stored.read(first, last)
            except (DamagedError, OSError):
                if stored is not known[1]:
                    self._decoded.forget(stored)
                continue
            if stored is not known[1]:
                return y
            if seen == known[0].identity:
                return y if np.isfinite(y).all() else None
        raise AssetError(
            f"{recording.data}:{recording.path} cannot be read, or is written to while it is read; let that end, or fetch it again"
        )

    def _original(self, recording: Recording) -> tuple[Original, Stored | None] | None:
        """Return the recording's file and how its samples lie in it; its hash was, and its time and size are, the right ones."""
        known = self._known.get(recording.sha256)
        if known is None or not known[0].unchanged:
            found = self._places.found(recording, hashed)[1]
            if found is None:
                return None
            try:
                known = found, plain_wav(found.span)
            except OSError:
                return None
            self._known.put(recording.sha256, known)
        return known

    def _stored(self, plain: Stored | None, recording: Recording, sr: int) -> Stored | None:
        if plain is not None and sr == recording.sr:
            return plain
        return self._decoded.get(recording.sha256, recording.sr, sr, lambda: self._places.bytes_of(recording)[1])


def _is_as_recorded(stored: Stored, recording: Recording) -> bool:
    part = recording.part
    if part is not None:
        inside = part.last <= stored.n_samples and (part.channel or 0) < stored.n_channels
        return (
            inside
            and stored.sr == recording.sr
            and recording.n_channels == (1 if part.channel is not None else stored.n_channels)
        )
    n = dsp.resampled_length(recording.n_samples, sr_in=recording.sr, sr_out=stored.sr)
    return (stored.n_channels, stored.n_samples) == (recording.n_channels, n)
