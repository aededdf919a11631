"""The picture of one clip: its labels in lanes, its waveform and its log-mel spectrogram on one time axis."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from audiosynth.clip import Array, Label
from audiosynth.errors import ParameterError

PALETTE: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442")
"""Okabe and Ito (2008), "Color Universal Design": told apart with any kind of colour vision (their black left out)."""
WIDTH: Final = 10.0
MAX_LANES: Final = 12
_N_MELS: Final = 64
_MAX_FRAMES: Final = 1500
_COLUMNS: Final = 2000
_LETTER: Final = 0.0078
"""Width of a letter of a label's name as a fraction of the time axis, at this size of figure and type."""


class Placed(NamedTuple):
    """A label with its lane (None: no room) and where its name starts, in seconds."""

    label: Label
    lane: int | None
    text: float


def draw_clip(y: Array, sr: int, labels: Sequence[Label], path: Path, *, title: str) -> None:
    """Write a PNG with the labels, waveform and log-mel spectrogram of a clip.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples), full scale 1.0. The waveform shows the envelope over all channels, the
        spectrogram their mean power.
    sr
        Rate in Hz.
    labels
        In samples; inaudible ones are drawn as outlines. What does not fit 12 lanes is counted in a note. Words and phones
        of speech stand in the spectrogram, at its top and bottom.
    path
        Of the PNG; the same picture gives the same bytes with the same version of matplotlib.
    title
        Above the picture, taken literally.

    Raises
    ------
    ParameterError
        If `y` has no samples or not two dimensions.
    """
    if y.ndim != 2 or y.size == 0:
        raise ParameterError(f"a picture needs samples of shape (n_channels, n_samples), got {y.shape}")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    duration = y.shape[1] / sr
    placed = lanes(labels, sr, duration)
    n_lanes = 1 + max((p.lane for p in placed if p.lane is not None), default=-1)
    heights = [max(0.24 * n_lanes, 0.05), 1.3, 2.3]
    figure = Figure(figsize=(WIDTH, sum(heights) + 1.1), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    strip, wave, mel = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": heights})
    figure.suptitle(title, fontsize=11, parse_math=False)
    colours = class_colours(labels)
    _draw_strip(strip, placed, colours, sr, n_lanes)
    _draw_wave(wave, y, sr)
    _draw_mel(mel, y, sr)
    for item in labels:
        if item.audible:
            _draw_span(wave, item, sr, colours[item.label], fill=0.22)
            _draw_span(mel, item, sr, colours[item.label], fill=0.0)
        _draw_marks(mel, readable(item.extra.get("words", ()), sr, duration), high=0.93)
        _draw_marks(mel, readable(item.extra.get("phones", ()), sr, duration), high=0.02)
    mel.set_xlim(0.0, duration)
    mel.set_xlabel("time in s")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # shown as a box; the labels' files have it
        figure.savefig(path, format="png", metadata={"Software": None})


def class_colours(labels: Sequence[Label]) -> Mapping[str, str]:
    """Return a colour for every class, in byte order of their names; beyond seven they repeat.

    Examples
    --------
    >>> class_colours([Label("dog", 0, 1), Label("cat", 0, 1)])
    {'cat': '#0072B2', 'dog': '#E69F00'}
    """
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(sorted({item.label for item in labels}))}


def lanes(labels: Sequence[Label], sr: int, duration: float) -> list[Placed]:
    """Place every label in the first lane where neither its bar nor its name meets another's.

    Examples
    --------
    >>> [p.lane for p in lanes([Label("a", 0, 50), Label("b", 40, 90), Label("c", 60, 90)], 100, 1.0)]
    [0, 1, 0]
    """
    free: list[float] = []
    placed = []
    for item in sorted(labels, key=lambda label: (label.onset, label.offset, label.label)):
        onset, offset = item.onset / sr, item.offset / sr
        width = (len(item.label) + 2) * _LETTER * duration
        text = max(0.0, min(onset, duration - width))
        lane = next((i for i, end in enumerate(free) if end <= min(onset, text)), len(free))
        if lane >= MAX_LANES:
            placed.append(Placed(item, None, text))
            continue
        free[lane : lane + 1] = [max(offset, text + width)]
        placed.append(Placed(item, lane, text))
    return placed


def _draw_strip(axes: Any, placed: Sequence[Placed], colours: Mapping[str, str], sr: int, n_lanes: int) -> None:
    from matplotlib.patches import Rectangle

    axes.set_axis_off()
    axes.set_ylim(max(n_lanes, 1), 0)
    for item, lane, text in placed:
        if lane is None:
            continue
        colour, onset, width = colours[item.label], item.onset / sr, (item.offset - item.onset) / sr
        face, style = (colour, "-") if item.audible else ("none", ":")
        bar = Rectangle(
            (onset, lane + 0.08), width, 0.84, facecolor=face, edgecolor=colour, linestyle=style, alpha=0.55
        )
        axes.add_patch(bar)
        axes.text(text, lane + 0.5, f" {item.label}", va="center", fontsize=8, parse_math=False, clip_on=True)
    hidden = sum(lane is None for _, lane, _ in placed)
    if hidden:
        axes.text(1.0, 1.0, f"and {hidden} more labels", transform=axes.transAxes, ha="right", va="bottom", fontsize=8)


def _draw_span(axes: Any, item: Label, sr: int, colour: str, *, fill: float) -> None:
    onset, offset = item.onset / sr, item.offset / sr
    if fill:
        axes.axvspan(onset, offset, facecolor=colour, alpha=fill, linewidth=0)
    for edge in (onset, offset):
        axes.axvline(edge, color=colour, linewidth=1.0, alpha=0.9)
    bottom, top = axes.get_ylim()
    line = top - 0.015 * (top - bottom)  # a bar along the top tells which edges belong together
    axes.plot([onset, offset], [line, line], color=colour, linewidth=3, solid_capstyle="butt")


def readable(marks: Sequence[tuple[str, int, int]], sr: int, duration: float) -> list[tuple[float, str]]:
    """Return (onset in seconds, name) of words or phones, the names of those that are too short to be written empty.

    Examples
    --------
    >>> readable([("hey", 0, 50), ("computer", 50, 55)], 100, 1.0)
    [(0.0, 'hey'), (0.5, '')]
    """
    fits = [(offset - onset) / sr >= 0.9 * len(name) * _LETTER * duration for name, onset, offset in marks]
    return [(onset / sr, name if fit else "") for (name, onset, _), fit in zip(marks, fits, strict=True)]


def _draw_marks(axes: Any, marks: Sequence[tuple[float, str]], *, high: float) -> None:
    """Draw where words or phones begin, and their names at a height of the axes; nothing where no name has room."""
    if not any(name for _, name in marks):
        return
    box = {"facecolor": "black", "alpha": 0.45, "linewidth": 0, "pad": 0.5}
    for onset, name in marks:
        axes.axvline(onset, max(0.0, high - 0.02), high + 0.06, color="white", linewidth=0.8, alpha=0.9)
        if name:
            axes.text(
                onset, high, f" {name}", transform=axes.get_xaxis_transform(), color="white", fontsize=7,
                va="bottom", parse_math=False, clip_on=True, bbox=box,
            )  # fmt: skip


def _draw_wave(axes: Any, y: Array, sr: int) -> None:
    low, high, times = envelope(y, sr)
    peak = float(np.max(np.abs(y)))
    axes.fill_between(times, low, high, color="#404040", linewidth=0.4)
    axes.set_ylim(-1.05 * max(peak, 1e-4), 1.05 * max(peak, 1e-4))
    axes.set_ylabel("amplitude")
    level = f"peak {20 * np.log10(peak):.1f} dBFS" if peak > 0 else "silence"
    box = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1}
    axes.text(0.995, 0.04, level, transform=axes.transAxes, ha="right", va="bottom", fontsize=8, bbox=box)


def envelope(y: Array, sr: int) -> tuple[Array, Array, Array]:
    """Return lowest and highest value over all channels in at most 2,000 columns, and the columns' times in s."""
    starts = np.unique(np.linspace(0, y.shape[1], min(_COLUMNS, y.shape[1]), endpoint=False).astype(np.int64))
    low = np.minimum.reduceat(y.min(axis=0), starts)
    high = np.maximum.reduceat(y.max(axis=0), starts)
    return low, high, starts / sr


def _draw_mel(axes: Any, y: Array, sr: int) -> None:
    level, hop = log_mel(y, sr)
    n_mels, n_frames = level.shape
    edges = (-0.5 * hop / sr, (n_frames - 0.5) * hop / sr, 0, n_mels)
    top = float(level.max())
    axes.imshow(level, origin="lower", aspect="auto", extent=edges, cmap="magma", vmin=top - 80.0, vmax=top + 1e-9)
    marks = mel_ticks(sr)
    axes.set_yticks([n_mels * high for _, high in marks], [f"{f / 1000:g}" for f, _ in marks])
    axes.set_ylim(0, n_mels)
    axes.set_ylabel("kHz (mel)")


def mel_ticks(sr: int) -> list[tuple[int, float]]:
    """Return (Hz, how high on a mel axis from 0 to half the rate: 0 to 1) of round frequencies.

    Examples
    --------
    >>> [(f, round(high, 3)) for f, high in mel_ticks(8000)][-2:]
    [(2000, 0.713), (4000, 1.0)]
    """
    import librosa

    top = float(librosa.hz_to_mel(sr / 2))
    shown = (200, 500, 1000, 2000, 4000, 8000, 16_000, 32_000)
    return [(f, float(librosa.hz_to_mel(f)) / top) for f in shown if f <= 0.5 * sr]


def log_mel(y: npt.NDArray[Any], sr: int, *, most: int = _MAX_FRAMES) -> tuple[Array, int]:
    """Return a log-mel spectrogram in dB, shape (64, n_frames), and the samples from frame to frame.

    Notes
    -----
    Windows of about 46 ms, a quarter of it apart or as far as `most` frames need; 80 dB under the loudest bin is
    the floor. For looking at: nothing else depends on it.
    """
    import librosa

    n_fft = 2 ** max(5, round(np.log2(0.046 * sr)))
    hop = max(n_fft // 4, -(-y.shape[1] // most))
    padded = np.pad(y, ((0, 0), (0, max(0, n_fft - y.shape[1]))))
    spectra = librosa.stft(padded, n_fft=n_fft, hop_length=hop)
    n_frames = 1 + y.shape[1] // hop
    mean = (spectra.real**2 + spectra.imag**2).mean(axis=0)[:, :n_frames]
    return np.asarray(10.0 * np.log10(np.maximum(_mel_bank(sr, n_fft) @ mean, 1e-12))), hop


@lru_cache(maxsize=8)
def _mel_bank(sr: int, n_fft: int) -> Any:
    """Return the bank, sparse: most of it is zero, and threads of a dense product would only wait for each other."""
    import librosa
    from scipy.sparse import csr_array

    return csr_array(librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=_N_MELS, dtype=np.float64))
