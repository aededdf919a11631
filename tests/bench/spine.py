"""What a clip costs against its physical floor: run `python tests/bench/spine.py`, read the table.

Floors are measured in the same run, interleaved with ours, on sound made here; medians of many rounds, so that a noisy
machine moves both. Nothing here decides a test.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import soundfile
from scipy.signal import fftconvolve

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import noise, room, tone, write_recipe, write_wav

from audiosynth import load_recipe, plan_clip, render
from audiosynth.building.clips import write_clip
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.records.text import dumps

ROUNDS = 150
SCAPE_SR, WORD_SR = 44_100, 16_000


def medians(*tasks: Callable[[int], object], rounds: int = ROUNDS) -> list[float]:
    """Return the median time of each task in ms, rounds interleaved."""
    times: list[list[float]] = [[] for _ in tasks]
    for i in range(rounds):
        for task, own in zip(tasks, times, strict=True):
            start = time.perf_counter()
            task(i)
            own.append(1e3 * (time.perf_counter() - start))
    return [statistics.median(own[rounds // 10 :]) for own in times]


def scape_recipe(folder: Path) -> Path:
    """Four recorded events over a recorded background, 10 s at 44.1 kHz."""
    for k in range(8):
        write_wav(folder / "sounds" / f"s{k}.wav", tone(300 + 90 * k, 4.0 + 0.1 * k, SCAPE_SR), SCAPE_SR)
    write_wav(folder / "beds" / "bed.wav", noise(60, SCAPE_SR, seed=1), SCAPE_SR)
    event = {
        "label": "x",
        "source": {"type": "file", "recording": {"pick": {"from": "sounds"}}},
        "onset": {"slack": {"uniform": [0, 1]}},
        "snr_db": {"uniform": [0, 20]},
    }
    return write_recipe(
        folder / "scape.yaml",
        {
            "sr": SCAPE_SR, "duration": 10.0, "clips": 20_000, "data": {"sounds": "sounds", "beds": "beds"},
            "catalogues": {n: {"data": n, "layout": "flat", "group": None} for n in ("sounds", "beds")},
            "events": [{"repeat": {"n": 4, "of": event}}],
            "noise": {"type": "file", "recordings": [{"pick": {"from": "beds"}}], "level_dbfs": -35},
        },
    )  # fmt: skip


def word_recipe(folder: Path) -> Path:
    """One recorded word in a measured room over recorded noise, 1 s at 16 kHz."""
    for k in range(8):
        write_wav(folder / "words" / f"w{k}.wav", tone(300 + 90 * k, 0.6, WORD_SR), WORD_SR)
        write_wav(folder / "rooms" / f"r{k}.wav", room(0.5, WORD_SR, seed=k), WORD_SR)
    write_wav(folder / "hum" / "bed.wav", noise(60, WORD_SR, seed=1), WORD_SR)
    event = {
        "label": "x",
        "source": {"type": "file", "recording": {"pick": {"from": "words"}}},
        "room": {"type": "measured", "recording": {"pick": {"from": "rooms"}}},
        "onset": {"slack": {"uniform": [0, 1]}},
        "snr_db": {"uniform": [0, 20]},
    }
    return write_recipe(
        folder / "word.yaml",
        {
            "sr": WORD_SR, "duration": 1.0, "clips": 20_000, "data": {n: n for n in ("words", "rooms", "hum")},
            "catalogues": {n: {"data": n, "layout": "flat", "group": None} for n in ("words", "rooms", "hum")},
            "events": [event],
            "noise": {"type": "file", "recordings": [{"pick": {"from": "hum"}}], "level_dbfs": -35},
        },
    )  # fmt: skip


def against_floor(path: Path, folder: Path, *, reverberant: bool) -> tuple[float, float]:
    """Return (ours, floor) in ms a clip: plan + render + hash + write + row, against sum (or convolution) + write."""
    recipe = load_recipe(path, cache_dir=folder / "cache")
    work = Workspace(AssetStore(recipe.roots))
    root, scratch = folder / "out", folder / "scratch"
    scratch.mkdir(exist_ok=True)
    specs = [plan_clip(recipe, "train", i) for i in range(ROUNDS)]
    for spec in specs:  # decoded recordings and spectra are warm on both sides
        render(spec, assets=work)

    def ours(i: int) -> None:
        clip = render(plan_clip(recipe, "train", i), assets=work)
        dumps(write_clip(clip, root, scratch=scratch, recipe_sha256="0" * 64).row(work))

    def floor(i: int) -> None:
        spec = specs[i]
        y = spec.noise.layers[0].source.render(_ctx(spec, work), start=0, n_samples=spec.n_samples)[0].copy()
        for event in spec.events:
            source = event.source.render(_ctx(spec, work))[0]
            if reverberant:
                h = work.assets.samples(event.room.recording, spec.sr)[0]
                source = fftconvolve(source, h)[: spec.n_samples - event.place.onset]
            y[event.place.onset : event.place.onset + source.size] += 0.5 * source
        soundfile.write(folder / "floor.wav", y, spec.sr, subtype="PCM_16")

    mine, least = medians(ours, floor)
    return mine, least


def _ctx(spec, work):
    from audiosynth.clip import RenderContext

    return RenderContext(spec.sr, spec.channels, work.assets)


def planning(path: Path, folder: Path) -> float:
    """Return planned clips a second."""
    recipe = load_recipe(path, cache_dir=folder / "cache")
    n = 500
    plan_clip(recipe, "train", 0)
    runs = []
    for _ in range(25):
        start = time.perf_counter()
        for i in range(n):
            plan_clip(recipe, "train", i)
        runs.append(n / (time.perf_counter() - start))
    return statistics.median(runs)


def peak_memory(folder: Path, clips: int) -> float:
    """Return the peak memory in MB of a process that builds `clips` cheap clips."""
    tree = {
        "sr": 8000, "duration": 0.25, "clips": clips, "noise": {"type": "coloured", "colour": "pink", "level_dbfs": -40},
        "events": [{"label": "t", "source": {"type": "tone", "frequency": 500, "duration": 0.1}, "snr_db": 6}],
    }  # fmt: skip
    path = write_recipe(folder / f"cheap{clips}.yaml", tree)
    code = (
        "import sys, resource; from audiosynth import build, load_recipe;"
        "build(load_recipe(sys.argv[1]), sys.argv[2]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(folder / f"cheap{clips}")],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def help_time() -> float:
    """Return the wall time of `audiosynth --help` in s."""
    command = [str(Path(sys.executable).with_name("audiosynth")), "--help"]
    runs = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        runs.append(time.perf_counter() - start)
    return statistics.median(runs)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scape, word = scape_recipe(folder), word_recipe(folder)
        rows = []
        for title, path, wet in (
            ("10 s, 44.1 kHz, 4 events, WAV", scape, False),
            ("1 s, 16 kHz, room + noise, WAV", word, True),
        ):
            ours, floor = against_floor(path, folder, reverberant=wet)
            rows.append((title, f"{ours:.2f} ms", f"{floor:.2f} ms", f"{ours / floor:.2f}", "<= 1.5"))
        rows.append(("planning, 4 events", f"{planning(scape, folder):,.0f} clips/s", "", "", ">= 5000"))
        few, many = peak_memory(folder, 100), peak_memory(folder, 10_000)
        rows.append(("memory, 100 -> 10,000 clips", f"{many:.0f} MB", f"{few:.0f} MB", f"{many / few:.3f}", "flat"))
        rows.append(("audiosynth --help", f"{help_time():.3f} s", "", "", "< 0.3 s"))
    for row in (("work", "ours", "floor", "ratio", "target"), *rows):
        print("| " + " | ".join(f"{cell:<32}" if i == 0 else f"{cell:>14}" for i, cell in enumerate(row)) + " |")


if __name__ == "__main__":
    main()
