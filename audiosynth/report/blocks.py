"""Pictures made of characters, for a terminal: what a sound or a response looks like in time and frequency."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from audiosynth.clip import Array
from audiosynth.errors import ParameterError

SHADES: Final = " ░▒▓█"
"""From nothing to the loudest, in equal steps of dB."""
BARS: Final = " ▁▂▃▄▅▆▇█"
RANGE_DB: Final = 60.0
"""How far under the loudest place of a picture nothing is shown any more."""
TICKS: Final = (100, 200, 500, 1000, 2000, 4000, 8000, 16_000)
_WINDOW: Final = 0.032
"""Seconds of a frame: shows pitch and clicks alike."""
_PER_COLUMN: Final = 4


class Blocks(NamedTuple):
    """A picture: levels in dB under the loudest (0 to -60), shape (rows, columns), the top row first; the frequency in Hz where each row
    begins (from below); the peak in each column; the seconds of all columns.
    """  # noqa: D205

    levels: Array
    bottoms: Array
    peaks: Array
    seconds: float


def blocks(y: Array, sr: int, *, rows: int = 12, columns: int = 64) -> Blocks:
    """Return a sound as a grid of levels over mel frequency and time.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples); channels are averaged as powers.
    sr
        Rate in Hz.
    rows, columns
        Of the picture.

    Raises
    ------
    ParameterError
        If `y` has no samples or not two dimensions.

    Notes
    -----
    Hann windows of about 32 ms, four a column at least half overlapping or spread evenly; powers are averaged over a column and over
    the bins of a row (the nearest bin where none lies in it), and shown from 0 to 60 dB under the loudest. mel = 2595·log10(1 + f/700)
    (D. O'Shaughnessy, Speech Communication, 1987). For looking at: nothing else depends on it.

    Examples
    --------
    >>> t = np.arange(16000) / 16000
    >>> picture = blocks(np.sin(2 * np.pi * 1000 * t)[None], 16000, rows=8, columns=4)
    >>> loudest = int(np.argmax(picture.levels[:, 1]))
    >>> bool(picture.bottoms[loudest] <= 1000 < picture.bottoms[loudest - 1])
    True
    """
    if y.ndim != 2 or y.size == 0:
        raise ParameterError(f"a picture needs samples of shape (n_channels, n_samples), got {y.shape}")
    edges = 700.0 * (10.0 ** (np.linspace(0.0, np.log10(1.0 + 0.5 * sr / 700.0), rows + 1)) - 1.0)
    power = _by_row(_power(y, sr, columns), edges, sr)
    top = float(power.max())
    levels = 10.0 * np.log10(np.maximum(power / top, 10.0 ** (-RANGE_DB / 10.0))) if top > 0 else power - RANGE_DB
    starts = np.linspace(0, y.shape[1], columns, endpoint=False).astype(np.int64)
    peaks = np.maximum.reduceat(np.abs(y).max(axis=0), starts)
    return Blocks(levels[::-1], edges[:-1][::-1], peaks, y.shape[1] / sr)


def _power(y: Array, sr: int, columns: int) -> Array:
    """Return the power spectrum of each column, shape (bins, columns)."""
    size = 2 ** max(5, round(np.log2(_WINDOW * sr)))
    window = np.hanning(size + 2)[1:-1]
    padded = np.pad(y, ((0, 0), (size // 2, size)))
    inside = (np.arange(columns * _PER_COLUMN) + 0.5) / (columns * _PER_COLUMN)
    starts = (inside * y.shape[1]).astype(np.int64)  # of frames centred there: half a frame is padded before
    frames = padded[:, starts[:, None] + np.arange(size)] * window
    spectrum = (np.abs(np.fft.rfft(frames, axis=-1)) ** 2).mean(axis=0)
    return np.asarray(spectrum.reshape(columns, _PER_COLUMN, -1).mean(axis=1).T)


def _by_row(power: Array, edges: Array, sr: int) -> Array:
    """Return the mean power between edges in Hz, shape (rows, columns)."""
    centres = np.linspace(0.0, 0.5 * sr, power.shape[0])
    rows = []
    for low, high in pairwise(edges):
        chosen = (centres >= low) & (centres < high)
        nearest = int(np.argmin(np.abs(centres - 0.5 * (low + high))))
        rows.append(power[chosen].mean(axis=0) if chosen.any() else power[nearest])
    return np.asarray(rows)


def shaded(picture: Blocks) -> list[str]:
    """Return the rows as shades, the top one first.

    Examples
    --------
    >>> shaded(blocks(np.ones((1, 800)), 8000, rows=3, columns=5))[-1]
    '█████'
    """
    steps = np.clip((picture.levels + RANGE_DB) / RANGE_DB * len(SHADES), 0, len(SHADES) - 1).astype(int)
    return ["".join(SHADES[step] for step in row) for row in steps]


def bars(picture: Blocks) -> str:
    """Return one row of bars as high as the peaks, the highest one full."""
    top = float(picture.peaks.max())
    steps = np.ceil(picture.peaks / (top if top > 0 else 1.0) * (len(BARS) - 1)).astype(int)
    return "".join(BARS[step] for step in steps)


def ticks(picture: Blocks) -> list[str]:
    """Return what stands left of each row: the frequency in kHz that lies in it, or nothing."""
    names = [""] * len(picture.bottoms)
    for frequency in TICKS:
        row = int(np.sum(picture.bottoms > frequency))
        above = row == 0 and frequency >= 2 * picture.bottoms[0]
        if not above and not names[row]:
            names[row] = f"{frequency / 1000:g}"
    return names


def framed(rows: Sequence[str], picture: Blocks) -> list[str]:
    """Return rows with their axis: kHz on the left, the peaks below, seconds under them."""
    width = max(3, *(len(name) for name in ticks(picture)))
    lines = [f"{name:>{width}} │{row}" for name, row in zip(ticks(picture), rows, strict=True)]
    last = f"{picture.seconds:.3g} s"
    times = "0" + last.rjust(len(rows[0]) - 1)
    return [*lines, f"{'':{width}} │{bars(picture)}", f"{'kHz':>{width}}  {times}"]
