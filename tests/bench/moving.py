"""Moving sources: time for 10 s, what the knots cost in level and waveform, and pictures to look at.

Run `python tests/bench/moving.py [--figures FOLDER]`. Nothing here decides a test.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from audiosynth.acoustics import moving, moving_knots
from audiosynth.acoustics.absorption import alpha_for_rt60, beta_from_alpha
from audiosynth.acoustics.image_source import Options, warm
from audiosynth.acoustics.moving import Box, render_moving
from audiosynth.acoustics.paths3d import arc, line, through

SR, C, SIZE, MIC = 16000, 343.0, (6.0, 5.0, 3.0), (3.1, 2.4, 1.3)
EDGES = (60, 250, 500, 1000, 2000, 4000, 8000)
WALK = [(1, 1, 1.5), (5, 1, 1.5), (5, 4, 1.5), (2, 4, 1.5)]


def white(n: int) -> np.ndarray:
    """Return noise."""
    return np.random.default_rng(1).standard_normal(n)


def room(rt60: float = 0.6, **kwargs) -> Box:
    """Return a 6×5×3 m room."""
    beta = float(beta_from_alpha(alpha_for_rt60(SIZE, rt60, c=C)))
    known = {"size": SIZE, "mics": MIC, "beta": beta, "sr": SR, "duration": 1.2 * rt60, "c": C}
    return Box(**{**known, **kwargs})


def times(rounds: int) -> None:
    """Print the median time, of one processor, of 10 s of sound on a walk of 10 m."""
    track, y = through(WALK, duration=10.0), white(10 * SR)
    four = tuple((3.1 + 0.04 * a, 2.4 + 0.04 * b, 1.3) for a in (-1, 1) for b in (-1, 1))
    cases = {
        "mono": ({}, True), "mono, no Doppler": ({}, False), "ambisonics": ({"options": Options(foa=True)}, True),
        "4 microphones": ({"mics": four}, True), "7 bands": ({"beta": np.linspace(0.84, 0.9, 42).reshape(7, 6)}, True),
        "near images only": ({"options": Options(max_order=2)}, True), "NumPy": ({"options": Options(engine="numpy")}, True),
    }  # fmt: skip
    for name, (kwargs, doppler) in cases.items():
        taken = []
        for _ in range(rounds):
            start = time.process_time()
            heard = render_moving(y, track=track, box=room(**kwargs), doppler=doppler)
            taken.append(time.process_time() - start)
        print(
            f"{name:18} {statistics.median(taken):6.2f} s  {heard.n_knots:4d} knots  {heard.n_images / 1e6:6.1f} M images"
        )


def levels(y: np.ndarray) -> np.ndarray:
    """Return levels per octave in dB."""
    power, f = np.abs(np.fft.rfft(y)) ** 2, np.fft.rfftfreq(y.size, 1 / SR)
    return np.array([10 * np.log10(power[(f >= a) & (f < b)].sum()) for a, b in pairwise(EDGES)])


def knots_against_truth(order: int = 9) -> None:
    """Print how far knots are from all images of up to `order` reflections at their own running delays."""
    track, y = line((1, 1, 1.5), (4.2, 3.6, 1.2), duration=3.0), white(3 * SR)
    box = room(duration=0.3, options=Options(max_order=order))
    near = render_moving(y, track=track, box=replace(box, options=Options(max_order=2))).y[0]
    usual, moving.NEAR_ORDER = moving.NEAR_ORDER, order
    truth = render_moving(y, track=track, box=box).y[0]
    moving.NEAR_ORDER = usual
    print("octave bands (Hz)", EDGES, "dB re truth: images of 3 and more reflections | all")
    own = moving_knots.alike_share, moving_knots.cubic_fade
    everything = (lambda dry, spacing, scene: dry, own[1])
    plain = (everything[0], lambda u: np.maximum(1.0 - np.abs(u), 0.0))
    nothing = (lambda dry, spacing, scene: 0.0 * dry, own[1])
    for name, knot, fades in (
        ("2.5 cm", 0.025, own), ("5 cm", 0.05, own), ("10 cm", 0.1, own), ("5 cm, linear", 0.05, plain),
        ("5 cm, cubic", 0.05, everything), ("5 cm, power", 0.05, nothing),
    ):  # fmt: skip
        moving_knots.alike_share, moving_knots.cubic_fade = fades
        y_k = render_moving(y, track=track, box=box, knot=knot).y[0]
        rest, whole = levels(y_k - near) - levels(truth - near), levels(y_k) - levels(truth)
        wave = 10 * np.log10(np.sum((y_k - truth) ** 2) / np.sum(truth**2))
        print(f"{name:13} {np.round(rest, 2)} | {np.round(whole, 2)}  waveform {wave:.1f} dB")
    moving_knots.alike_share, moving_knots.cubic_fade = own


def haze() -> None:
    """Print how much of a tone on a circle at RT60 0.6 s lies beside it."""
    n = 2 * SR
    for speed, f in ((1, 1000), (1, 4000), (4, 1000), (4, 4000)):
        track = arc((3, 2.5, 1.5), radius=1.4, azimuth=(0, np.degrees(speed * 2 / 1.4)), duration=2)
        heard = render_moving(np.sin(2 * np.pi * f / SR * np.arange(n)), track=track, box=room()).y[0, 4000:n]
        power = np.abs(np.fft.rfft(heard * np.blackman(heard.size))) ** 2
        beside = np.abs(np.fft.rfftfreq(heard.size, 1 / SR) - f)
        shares = [10 * np.log10(power[beside > w].sum() / power.sum()) for w in (100, 300, 1000)]
        print(f"{speed} m/s, {f} Hz: 100, 300, 1000 Hz beside it and more: {np.round(shares, 1)} dB")


def figures(folder: Path) -> None:
    """Draw spectrograms of a moving tone and of moving noise bursts, with Doppler and without."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    n = 3 * SR
    fade = np.sin(0.5 * np.pi * np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / 800, 0, 1)) ** 2
    tones = sum(np.sin(2 * np.pi * f * np.arange(n) / SR) for f in (500, 2000, 5000)) * fade
    bursts = white(n) * (np.arange(n) % 8000 < 1600)
    passing = line((0.5, 3, 1.5), (29.5, 3, 1.5), duration=3.0)
    street = {"size": (30, 6, 8), "mics": (15.0, 1.5, 1.5), "duration": 0.3}
    free = {**street, "beta": 0.0}
    cases = {
        "free_tones": (tones, passing, free, True), "street_tones": (tones, passing, {**street, "beta": 0.7}, True),
        "street_tones_blocks": (tones, passing, {**street, "beta": 0.7}, False),
        "room_tones": (tones, arc((3, 2.5, 1.5), radius=1.4, azimuth=(0, 540), duration=3), {}, True),
        "room_corner_tones": (tones, through(WALK, duration=3), {}, True),
        "room_noise": (bursts, line((1, 1, 1.5), (5, 4, 1.2), duration=3), {}, True),
        "free_noise": (white(n) * fade, passing, {**street, "beta": (0, 0, 0, 0, 0.9, 0)}, True),
        "free_noise_blocks": (white(n) * fade, passing, {**street, "beta": (0, 0, 0, 0, 0.9, 0)}, False),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, (y, track, kwargs, doppler) in cases.items():
        heard = render_moving(y, track=track, box=room(**kwargs), doppler=doppler).y[0]
        figure, axes = plt.subplots(2, 1, figsize=(11, 8), sharex=True, height_ratios=(1, 3))
        axes[0].plot(np.arange(heard.size) / SR, heard, lw=0.3)
        axes[1].specgram(heard + 1e-12, NFFT=1024, noverlap=896, Fs=SR, vmin=-170, vmax=-50, cmap="magma")
        axes[0].set_title(name)
        figure.savefig(folder / f"moving_{name}.png", dpi=70)
        plt.close(figure)


def main() -> None:
    """Print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    warm()
    if arguments.figures:
        figures(arguments.figures)
    times(arguments.rounds)
    knots_against_truth()
    haze()


if __name__ == "__main__":
    main()
