"""The picture of a noise profile: third octaves, modulation, spectrogram of ten seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from audiosynth.profiles import sound as profile_sound
from audiosynth.profiles import stats as profile_stats
from audiosynth.profiles.profile import Profile
from audiosynth.profiles.stats import GROUPS, RATES, Stats
from audiosynth.report.preview import PALETTE, WIDTH, log_mel

SECONDS: Final = 60.0
SHOWN: Final = 10.0
SEED: Final = 1


def draw_profile(profile: Profile, path: Path, *, sr: int, title: str, real: Stats | None = None) -> Stats:
    """Write a PNG of what a profile asks for and what its noise measures; returns the latter.

    Parameters
    ----------
    profile
        What is drawn.
    path
        Of the PNG.
    sr
        Rate in Hz of the noise that is measured, a minute of it.
    title
        Above the picture, taken literally.
    real
        Statistics of recordings, drawn beside.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    y = profile_sound.render(profile, seed=SEED, sr=sr, channel=0, start=0, n_samples=int(SECONDS * sr))
    found = profile_stats.measure(y, sr)
    figure = Figure(figsize=(WIDTH, 8.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    bands, waver, picture = figure.subplots(3, 1, gridspec_kw={"height_ratios": [2.0, 1.6, 1.6]})
    figure.suptitle(title, fontsize=11, parse_math=False)
    _draw_bands(bands, profile, found, real)
    _draw_modulation(waver, found, real)
    level, hop = log_mel(y[None, : int(SHOWN * sr)], sr)
    top = float(level.max())
    extent = (0.0, level.shape[1] * hop / sr, 0.0, float(level.shape[0]))
    picture.imshow(level, origin="lower", aspect="auto", cmap="magma", vmin=top - 70.0, vmax=top, extent=extent)
    picture.set_yticks([])
    picture.set_ylabel(f"mel, to {sr / 2000:g} kHz")
    picture.set_xlabel("time in s")
    figure.savefig(path, format="png", metadata={"Software": None})
    return found


def _draw_bands(axes: Any, profile: Profile, found: Stats, real: Stats | None) -> None:
    axes.plot(*zip(*profile.bands, strict=True), "o-", color=PALETTE[0], markersize=3, label="profile")
    axes.plot(*zip(*found.bands, strict=True), color=PALETTE[3], linewidth=1.0, label="its noise, one minute")
    if real is not None:
        axes.plot(*zip(*real.bands, strict=True), ":", color="#404040", label="recordings")
    for tone in profile.tones:
        axes.plot([tone.frequency], [tone.level_db], "v", color=PALETTE[2], markersize=4)
    axes.set_xscale("log")
    ticks = [31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000]
    axes.set_xticks(ticks, [f"{t:g}" if t < 1000 else f"{t / 1000:g}k" for t in ticks])
    axes.minorticks_off()
    top = max(level for _, level in found.bands)
    axes.set_ylim(top - 70.0, top + 5.0)
    axes.set_ylabel("third octaves, dB re the whole")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


def _draw_modulation(axes: Any, found: Stats, real: Stats | None) -> None:
    for g, (low, high) in enumerate(GROUPS):
        if np.isfinite(found.modulation[g]).any():
            axes.plot(RATES, found.modulation[g], "o-", markersize=3, color=PALETTE[g], label=f"{low:g} to {high:g} Hz")
            if real is not None:
                axes.plot(RATES, real.modulation[g], ":", color=PALETTE[g])
    axes.set_xscale("log")
    axes.set_xticks(RATES, [f"{r:g}" for r in RATES])
    axes.minorticks_off()
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("rate in Hz")
    axes.set_ylabel("level changes, dB")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
