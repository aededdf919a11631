"""The picture of a response: its beginning, its decay, its spectrogram."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from audiosynth.acoustics.decay import RANGES, decay_curve, measure
from audiosynth.acoustics.octaves import bands_of, octave
from audiosynth.clip import Array
from audiosynth.errors import ParameterError
from audiosynth.report.preview import PALETTE, WIDTH, envelope

FLOOR_DB: Final = -80.0
_BEFORE, _AFTER = 0.005, 0.1
"""Seconds around the direct sound that the first panel shows."""
_POINTS: Final = 2000


def draw_response(h: Array, sr: int, path: Path, *, delay: int, title: str) -> None:
    """Write a PNG of a response: the first 100 ms, the decay with its T30 line and its octaves, the spectrogram.

    Parameters
    ----------
    h
        Shape (n_channels, n_samples); the decay is the first channel's.
    sr
        Rate in Hz.
    path
        Of the PNG; the same picture gives the same bytes with the same version of matplotlib.
    delay
        Sample of the direct sound.
    title
        Above the picture, taken literally.

    Raises
    ------
    ParameterError
        If `h` has no samples or not two dimensions.
    """
    if h.ndim != 2 or h.size == 0:
        raise ParameterError(f"a picture needs samples of shape (n_channels, n_samples), got {h.shape}")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 8.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    start, decay, picture = figure.subplots(3, 1, gridspec_kw={"height_ratios": [1.2, 2.2, 2.0]})
    figure.suptitle(title, fontsize=11, parse_math=False)
    _draw_start(start, h, sr, delay)
    _draw_decay(decay, h, sr, delay)
    _draw_spectrogram(picture, h, sr, delay)
    figure.savefig(path, format="png", metadata={"Software": None})


def _draw_start(axes: Any, h: Array, sr: int, delay: int) -> None:
    first, last = max(0, delay - round(_BEFORE * sr)), min(h.shape[1], delay + round(_AFTER * sr))
    low, high, times = envelope(h[:, first:last], sr)
    ms = 1e3 * (times + (first - delay) / sr)
    axes.fill_between(ms, low, high, color="#404040", linewidth=0.6)
    axes.axvspan(-2.5, 2.5, color=PALETTE[1], alpha=0.25, linewidth=0)
    axes.axvline(50.0, color=PALETTE[0], linewidth=1.0)
    peak = float(np.abs(h[:, first:last]).max()) or 1.0
    axes.set_ylim(-1.1 * peak, 1.1 * peak)
    axes.set_xlim(-1e3 * _BEFORE, 1e3 * _AFTER)
    axes.set_xlabel(
        f"ms after the direct sound (which comes at {1e3 * delay / sr:.1f} ms); shaded: DRR's direct part; line: C50's 50 ms"
    )
    axes.set_ylabel("amplitude")


def _draw_decay(axes: Any, h: Array, sr: int, delay: int) -> None:
    for k, centre in enumerate(bands_of(sr)):
        band, lead = octave(h[:1], centre, sr=sr)
        _plot_curve(axes, band[0], sr, delay + lead, f"{centre:g} Hz", PALETTE[k % len(PALETTE)], 0.9)
    _plot_curve(axes, h[0], sr, delay, "all", "black", 2.0)
    found = measure(h, sr, delay=delay)
    top, bottom = RANGES["t30"]
    if found.t30 is not None:
        level = decay_curve(h[0], sr, delay=delay).level_db
        begin = float(np.argmax(level <= top)) / sr
        t = np.array([begin, begin + found.t30 * (top - bottom) / 60.0])
        axes.plot(t, [top, bottom], color="red", linewidth=1.5, linestyle="--", label=f"T30 = {found.t30:.2f} s")
    axes.set_ylim(FLOOR_DB, 3.0)
    axes.set_xlim(0.0, None)
    axes.set_xlabel("s after the direct sound")
    axes.set_ylabel("energy still to come in dB")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=2, loc="upper right")


def _plot_curve(axes: Any, h: Array, sr: int, delay: int, name: str, colour: str, width: float) -> None:
    if not 0 <= delay < h.size or not h[delay:].any():
        return
    level = decay_curve(h, sr, delay=delay).level_db
    step = max(1, level.size // _POINTS)
    axes.plot(np.arange(level.size)[::step] / sr, level[::step], color=colour, linewidth=width, label=name)


def _draw_spectrogram(axes: Any, h: Array, sr: int, delay: int) -> None:
    import librosa

    n_fft = 2 ** max(5, round(np.log2(0.016 * sr)))
    hop = max(n_fft // 8, h.shape[1] // _POINTS, 1)
    padded = np.pad(h, ((0, 0), (0, max(0, n_fft - h.shape[1]))))
    power = (np.abs(librosa.stft(padded, n_fft=n_fft, hop_length=hop)) ** 2).mean(axis=0)
    level = 10.0 * np.log10(np.maximum(power, 1e-30))
    edges = (-(delay + 0.5 * hop) / sr, (level.shape[1] * hop - delay) / sr, 0.0, sr / 2000)
    top = float(level.max())
    axes.imshow(level, origin="lower", aspect="auto", extent=edges, cmap="magma", vmin=top + FLOOR_DB, vmax=top)
    axes.set_xlim(-_BEFORE, None)
    axes.set_xlabel("s after the direct sound")
    axes.set_ylabel("kHz")
