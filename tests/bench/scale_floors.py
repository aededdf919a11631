"""What the works of `scale.py` cost over their floors, clip by clip in one run, processor time on one core.

A floor is the least that the same work can be done with, of the same clips (recordings, places, rooms and values as our plans
draw them), with NumPy, SciPy and soundfile, on decoded sound that lies ready. It measures and sets no level but the SNR of the
augmentation, hashes nothing, keeps no label and writes no row. In particular:

plain: copy the background, add the four events, write 16 bits.

effects: the same, each event changed in length by overlap-add of Hann frames of 50 ms at half their length, wherever they fall, and in
pitch by linear interpolation, the two steps that every way of doing it contains, at no quality; one response a clip, drawn as noise
under an exponential, with which each event is convolved. Ours are `splice`, overlap-add at joints that are searched for, which is what
scaper has SoX do, and the phase vocoder, another way: it transforms every frame four times, so its row has no target.

augmentation: `augment_speed.Floor`, which decodes an utterance from its file: decode, convolve, mix, round, write.

fresh room: every image that our response sums, once, at its nearest sample, in a compiled loop over the same room, without
fractional delays; convolve, add white noise drawn for the clip, write.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import augment_speed
import numba
import numpy as np
import scaper_speed
import soundfile
from scale_rows import Asked, Row, made_in_turn, room_recipe
from scipy.signal import fftconvolve

from audiosynth import load_recipe, plan_clip
from audiosynth.clip import RenderContext
from audiosynth.material.assets import AssetStore

TARGET = "<= 1.5"
N_WARM = 3


@dataclass(frozen=True)
class Ready:
    """What a floor makes a clip from: decoded sounds and what the plan says of it, fetched before the clock runs.

    Attributes
    ----------
    bed
        The background, shape (n_samples,), or nothing where it is drawn.
    events
        Each event's dry sound, shape (n,), with where it begins.
    spec
        The plan.
    """

    bed: np.ndarray | None
    events: list[tuple[np.ndarray, int]]
    spec: Any


def ready(recipe: Path, count: int, cache: Path) -> list[Ready]:
    """Return what the first clips of a recipe are made from."""
    loaded = load_recipe(recipe, cache_dir=cache)
    assets = AssetStore(loaded.roots)
    found = []
    for i in range(count):
        spec = plan_clip(loaded, "train", i)
        ctx = RenderContext(spec.sr, spec.channels, assets)
        source = spec.noise.layers[0].source
        bed = source.render(ctx, start=0, n_samples=spec.n_samples)[0].copy() if source.type_name == "file" else None
        events = [(event.source.render(ctx)[0].copy(), event.place.onset) for event in spec.events]
        found.append(Ready(bed, events, spec))
    return found


def plain(clips: list[Ready], out: Path, i: int) -> None:
    """Make a soundscape: copy, add, write."""
    y = clips[i].bed.copy()
    for source, onset in clips[i].events:
        y[onset : onset + source.size] += 0.5 * source[: y.size - onset]
    soundfile.write(out, y, clips[i].spec.sr, subtype="PCM_16")


def effects(clips: list[Ready], out: Path, i: int) -> None:
    """Make a soundscape with pitch, length and a room."""
    spec, y = clips[i].spec, clips[i].bed.copy()
    h = decay(spec.room.rt60, spec.sr, np.random.default_rng(i))
    for (source, onset), event in zip(clips[i].events, spec.events, strict=True):
        change = event.effects[0]
        heard = fftconvolve(changed(source, spec.sr, 2 ** (change.semitones / 12), change.rate), h)[: y.size - onset]
        y[onset : onset + heard.size] += 0.5 * heard
    soundfile.write(out, y, spec.sr, subtype="PCM_16")


def decay(rt60: float, sr: int, dice: np.random.Generator) -> np.ndarray:
    """Return noise that falls by 60 dB in `rt60` seconds, after a direct sound of 1, shape (rt60·sr,)."""
    n = round(rt60 * sr)
    h = dice.standard_normal(n) * np.exp(np.arange(n) * (-3 * np.log(10) / n)) * 0.02
    h[0] = 1.0
    return h


def changed(y: np.ndarray, sr: int, pitch: float, rate: float) -> np.ndarray:
    """Return a sound `pitch` times as high and `rate` times as fast: overlap-add to another length, read at another rate."""
    size = round(0.025 * sr) * 2
    hop, ratio = size // 2, pitch / rate
    n_frames = max(1, round(y.size * ratio) // hop)
    starts = np.minimum(np.round(np.arange(n_frames) * (hop / ratio)).astype(int), max(0, y.size - size))
    padded = np.pad(y, (0, max(0, size - y.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[starts] * np.hanning(size)
    long = np.zeros((n_frames + 1) * hop)
    long[:-hop] += frames[:, :hop].ravel()
    long[hop:] += frames[:, hop:].ravel()
    return np.interp(np.arange(0.0, long.size - 1, pitch), np.arange(long.size), long)


@numba.njit
def sum_images(squares: tuple, gains: tuple, scale: float, reach: float, h: np.ndarray) -> int:
    """Add every image of a box nearer than `reach` metres to `h` at its nearest sample; returns how many there are.

    `squares` and `gains` hold, for each axis, the squared distances along it and the gains of their reflections; `scale` is
    samples a metre.
    """
    count, limit = 0, reach * reach
    for i in range(squares[0].size):
        for j in range(squares[1].size):
            flat, gain = squares[0][i] + squares[1][j], gains[0][i] * gains[1][j]
            if flat > limit:
                continue
            for k in range(squares[2].size):
                square = flat + squares[2][k]
                if square < limit:
                    distance = np.sqrt(square)
                    h[int(distance * scale)] += gain * gains[2][k] / distance
                    count += 1
    return count


def images(room: Any, point: tuple[float, ...], facts: dict, n: int, sr: int) -> tuple[np.ndarray, int]:
    """Return a box's response of `n` samples and how many images it sums: (n,), count.

    Image m of an axis lies at m·L + x for even m and at (m + 1)·L - x for odd m, after abs(m) reflections (Allen and
    Berkley, JASA 65, 1979).
    """
    reach, beta = room.c * n / sr, np.sqrt(1 - facts["alpha"])
    squares, gains = [], []
    for length, x, ear in zip(room.size, point, room.receiver.position.point, strict=True):
        m = np.arange(-int(reach / length) - 2, int(reach / length) + 3)
        squares.append((np.where(m % 2 == 0, m * length + x, (m + 1) * length - x) - ear) ** 2)
        gains.append(beta ** np.abs(m))
    h = np.zeros(n + 1)
    count = sum_images(tuple(squares), tuple(gains), sr / room.c, reach, h)
    return h, count


def fresh_room(clips: list[Ready], rooms: list[tuple[dict, int]], out: Path, i: int) -> None:
    """Make a word in a room: images, convolve, noise, write."""
    spec = clips[i].spec
    (source, onset), event = clips[i].events[0], spec.events[0]
    h, _ = images(spec.room, event.position.point, *rooms[i], spec.sr)
    y = np.random.default_rng(i).standard_normal(spec.n_samples)
    y *= 0.01
    y[onset:] += 0.5 * fftconvolve(source, h)[: y.size - onset]
    soundfile.write(out, y, spec.sr, subtype="PCM_16")


def responses(clips: list[Ready]) -> list[tuple[dict, int]]:
    """Return of each clip's own response what is known of it, and its length in samples.

    Raises
    ------
    RuntimeError
        If the floor's room is another one than ours: if it sums other images.
    """
    found = []
    for clip in clips:
        spec = clip.spec
        ctx, point = RenderContext(spec.sr, spec.channels, None), spec.events[0].position
        made = spec.room.response(ctx, position=point)
        _, count = images(spec.room, point.point, made.facts, made.h.shape[-1], spec.sr)
        if abs(count / made.facts["n_images"] - 1) > 0.01:
            raise RuntimeError(f"the floor sums {count} images, the response {made.facts['n_images']}")
        found.append((made.facts, made.h.shape[-1]))
    return found


def floors(asked: Asked) -> Iterator[Row]:
    """Hold each work of the table against its floor."""
    count, out = asked.rounds + N_WARM, asked.folder / "floor.wav"
    for kind, title, made, target in (
        ("plain", "10 s soundscape over its floor", plain, TARGET),
        ("splice", "with pitch, stretch, room over its floor", effects, TARGET),
        ("effects", "by phase vocoder over the same floor", effects, ""),
    ):
        ours = scaper_speed.Ours(kind, asked.folder, warm=True)
        clips = ready(asked.folder / f"{kind}.yaml", count, asked.folder / "cache")
        yield over(title, ours.clip, timer(partial(made, clips, out)), count, target)
    augment_speed.make_files(asked.folder)
    found = augment_speed.raced({}, "mix1", asked.folder)
    yield row("1 s: room + noise + gain over its floor", found["ours"], found["floor"])
    path = room_recipe(asked.folder)
    clips = ready(path, count, asked.folder / "cache")
    floor = timer(partial(fresh_room, clips, responses(clips), out))
    yield over("a fresh room a clip over its floor", timer(made_in_turn(path, asked)), floor, count)


def timer(task: Callable[[int], object]) -> Callable[[int], float]:
    """Return what tells the seconds of processor time that a clip of `task` takes."""
    return partial(augment_speed.timed, task)


def over(
    title: str, ours: Callable[[int], float], floor: Callable[[int], float], count: int, target: str = TARGET
) -> Row:
    """Return the row of two that make a clip in turn and tell their seconds."""
    times = np.array([(ours(i), floor(i)) for i in range(count)])[N_WARM:]
    mine, least = (1e3 * statistics.median(column) for column in times.T)
    return row(title, mine, least, target)


def row(title: str, ours: float, floor: float, target: str = TARGET) -> Row:
    """Return the row of two medians in ms."""
    return Row(title, f"{ours:.2f} ms", f"floor {floor:.2f} ms", f"{ours / floor:.2f} x", target)
