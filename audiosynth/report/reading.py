"""What the report takes from one audio file, in bounded memory: its outline, its picture, its fingerprint and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from audiosynth.report.preview import log_mel
from audiosynth.sound import fingerprint
from audiosynth.sound.quality import Quality, measure

COLUMNS: Final = 480
"""Of outline and picture: about the pixels that they are shown on."""
WHOLE: Final = 2**23
"""Values (samples × channels) that are held at once; longer files are read in blocks."""
PRINTED: Final = 60
"""Seconds from the start that the fingerprint is of."""
RANGE_DB: Final = 80.0
"""What the picture's colours span, from the loudest point down."""
SHADES: Final = 32
"""Colours of the picture: steps of 2.5 dB, half the bytes that 256 take."""

EFFORT: Final = 3
"""Of zlib, 1 to 9: from here on files hardly shrink, but take twice as long."""


@dataclass(frozen=True)
class Look:
    """One audio file, looked at.

    Attributes
    ----------
    low, high
        Lowest and highest value over all channels of `COLUMNS` equal stretches, full scale 1.0.
    mel
        Log-mel spectrogram in dB, shape (n_mels, n_frames).
    reach
        From where to where its frames reach, the file from 0 to 1: the first is centred on the first sample.
    quality
        What its samples are like.
    print
        Fingerprint of the first channel.
    """

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    mel: npt.NDArray[np.float64]
    reach: tuple[float, float]
    quality: Quality
    print: fingerprint.Print


def look(path: Path | BinaryIO) -> Look:
    """Read an audio file once.

    Parameters
    ----------
    path
        A file, or its bytes opened, of any format that libsndfile reads.

    Raises
    ------
    OSError
        If it cannot be opened.
    soundfile.LibsndfileError
        If it is not audio.
    ValueError
        If it holds no samples.
    """
    import soundfile

    with soundfile.SoundFile(path) as file:
        n, sr = file.frames, int(file.samplerate)
        if n < 1:
            raise ValueError("it holds no samples")
        starts = (np.arange(COLUMNS + 1) * n) // COLUMNS
        columns = COLUMNS if n * file.channels <= WHOLE else max(1, int(COLUMNS * WHOLE / (n * file.channels)))
        seen = _Seen(starts, sr)
        quality = measure(seen.through(_blocks(file, starts[::columns])), sr)
    head = np.concatenate(seen.head)
    mel = np.concatenate(seen.mel, axis=1)
    return Look(np.array(seen.low), np.array(seen.high), mel, seen.reach, quality, fingerprint.fingerprint(head, sr))


def _blocks(file: Any, starts: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.float32]]:
    """Yield a file from one start to the next, shape (n_channels, n)."""
    for length in np.diff(np.append(starts[starts < file.frames], file.frames)):
        yield file.read(int(length), dtype="float32", always_2d=True).T


class _Seen:
    """Collects outline, spectrum and the first channel's beginning while the blocks go by."""

    def __init__(self, starts: npt.NDArray[np.int64], sr: int) -> None:
        self._starts, self._sr, self._at = starts, sr, 0
        self.low: list[float] = []
        self.high: list[float] = []
        self.mel: list[npt.NDArray[np.float64]] = []
        self.head: list[npt.NDArray[np.float32]] = []
        self.reach = (0.0, 1.0)

    def through(self, blocks: Iterator[npt.NDArray[np.float32]]) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the blocks again."""
        for block in blocks:
            y = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0) if not np.isfinite(block).all() else block
            end = self._at + y.shape[1]
            whole = self._at == 0 and end == self._starts[-1]
            inside = self._starts[(self._starts >= self._at) & (self._starts < end)] - self._at
            cuts = np.minimum(inside, y.shape[1] - 1)
            self.low += np.minimum.reduceat(y.min(axis=0), cuts).tolist()
            self.high += np.maximum.reduceat(y.max(axis=0), cuts).tolist()
            level, hop = log_mel(y, self._sr, most=COLUMNS)
            if whole:
                self.reach = (-0.5 * hop / end, (level.shape[1] - 0.5) * hop / end)
            # Of a long file one spectrum a column, the mean power over it: its frames would be too many, and no pixel shows them.
            self.mel.append(level if whole else _pooled(level, len(cuts)))
            if self._at < PRINTED * self._sr:
                self.head.append(y[0, : PRINTED * self._sr - self._at])
            self._at = end
            yield block


def _pooled(level: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.float64]:
    starts = (np.arange(n) * level.shape[1]) // n
    power = np.add.reduceat(10.0 ** (level / 10), starts, axis=1) / np.diff(np.append(starts, level.shape[1]))
    return np.asarray(10.0 * np.log10(power))


def outline(seen: Look) -> tuple[bytes, float]:
    """Return the outline as 8-bit steps of its largest magnitude, lows then highs, and that magnitude."""
    peak = max(float(np.max(np.abs(seen.low))), float(np.max(np.abs(seen.high))))
    steps = np.concatenate([np.floor(seen.low / peak * 127), np.ceil(seen.high / peak * 127)]) if peak > 0 else 0.0
    values = np.zeros(2 * COLUMNS) + steps
    return (values + 128).astype(np.uint8).tobytes(), peak


@lru_cache(maxsize=1)
def _palette() -> list[int]:
    from matplotlib import colormaps

    shades = colormaps["magma"](np.linspace(0, 1, SHADES), bytes=True)[:, :3]
    return [int(v) for v in shades.reshape(-1)]


def save_picture(mel: npt.NDArray[np.float64], path: Path) -> None:
    """Write a spectrogram as PNG, one pixel a value: `RANGE_DB` down from its loudest point, low frequencies at the bottom."""
    from PIL import Image

    steps = (mel[::-1] - float(mel.max()) + RANGE_DB) / RANGE_DB * (SHADES - 1)
    image = Image.fromarray(np.clip(np.rint(steps), 0, SHADES - 1).astype(np.uint8), mode="L")
    image.putpalette(_palette())
    image.save(path, format="PNG", compress_level=EFFORT)
