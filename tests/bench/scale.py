"""What a clip costs, against the field, against its floor, and from a thousand clips to a million: one table.

    python tests/bench/scale.py --scaper ENV/bin/python --audiomentations ENV/bin/python [--rows plain,room] [--clips 100000]

Peers run in environments of their own (scaper 1.6.5; audiomentations 0.43.1 with pyroomacoustics), do the same work in the same run,
one clip in turn, and are timed by their processor time, so that what else runs on the machine counts for neither. The rows of
workers are wall time: they want a quiet machine. All but that row are of one core (`taskset -c 0` keeps them there).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # here and in the peers: what is measured is one core

import augment_speed
import scaper_speed
import spine

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import write_recipe, write_wav

from audiosynth import build, load_recipe, plan_clip, render
from audiosynth.building.index import ManifestIndex
from audiosynth.building.memory import keep_freed_memory
from audiosynth.building.row_files import ManifestWriter
from audiosynth.building.units import write_clip
from audiosynth.manifest import dumps
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.sound import mixing, normals

PEER = Path(__file__).with_name("scale_peer.py")
CHEAP = {
    "sr": 8000, "duration": 0.25, "noise": {"type": "coloured", "colour": "pink", "level_dbfs": -40},
    "events": [{"label": "t", "source": {"type": "tone", "frequency": 500, "duration": 0.1}, "snr_db": 6}],
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    work: str
    ours: str
    other: str
    ratio: str
    target: str


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    scaper: str | None
    audiomentations: str | None
    rounds: int
    clips: int
    index_rows: int
    folder: Path


def soundscapes(asked: Asked) -> Iterator[Row]:
    """Make soundscapes of 10 s, against scaper, plain and with effects."""
    for kind, title, target in (
        ("plain", "10 s soundscape, 4 events, WAV", ">= 10"),
        ("effects", "the same with pitch, stretch, room", ">= 4"),
    ):
        ours, theirs = scaper_speed.raced(asked.scaper, kind, asked.rounds, warm=True)
        yield Row(title, f"{ours:.2f} ms", f"scaper {theirs:.1f} ms", f"{theirs / ours:.1f} x", target)


def floors(asked: Asked) -> Iterator[Row]:
    """Hold both kinds of clip against decode or copy, convolve, write."""
    for title, recipe, wet in (
        ("10 s soundscape over its floor", spine.scape_recipe, False),
        ("1 s word in a room over its floor", spine.word_recipe, True),
    ):
        ours, floor = spine.against_floor(recipe(asked.folder), asked.folder, reverberant=wet)
        yield Row(title, f"{ours:.2f} ms", f"floor {floor:.2f} ms", f"{ours / floor:.2f} x", "<= 1.5")


def augmentation(asked: Asked) -> Iterator[Row]:
    """Augment one second: room, noise, gain, write."""
    augment_speed.make_files(asked.folder)
    found = augment_speed.raced(asked.audiomentations, "mix1", asked.folder)
    ratio = found["peer"] / found["ours"]
    yield Row(
        "1 s: room + noise + gain",
        f"{found['ours']:.2f} ms",
        f"audiomentations {found['peer']:.2f} ms",
        f"{ratio:.2f} x",
        ">= 1.2",
    )
    over = found["ours"] / found["floor"]
    yield Row(
        "the same over its floor",
        f"{found['ours']:.2f} ms",
        f"floor {found['floor']:.2f} ms",
        f"{over:.2f} x",
        "<= 1.5",
    )


def fresh_rooms(asked: Asked) -> Iterator[Row]:
    """Simulate a new room for every clip."""
    for k in range(8):
        write_wav(asked.folder / "words" / f"w{k}.wav", augment_speed.voice(1.0, k), augment_speed.SR)
    inside = {"uniform": [0.5, 2.4]}
    event = {
        "label": "x", "source": {"type": "file", "recording": {"pick": {"from": "words"}}, "trim": False}, "onset": 0.0, "snr_db": 14,
        "position": {"point": [{"uniform": [0.5, 3.5]}, inside, {"uniform": [0.5, 1.9]}]}, "overrun": "cut",
    }  # fmt: skip
    size = [{"uniform": [4, 8]}, {"uniform": [3, 6]}, {"uniform": [2.4, 3.5]}]
    room = {
        "type": "shoebox",
        "size": size,
        "rt60": 0.6,
        "receiver": {"position": {"point": [{"uniform": [0.5, 3.5]}, inside, {"uniform": [0.5, 1.9]}]}},
    }
    tree = {
        "sr": augment_speed.SR, "duration": 1.0, "clips": 20_000, "room": room, "data": {"words": "words"}, "events": [event],
        "catalogues": {"words": {"data": "words", "layout": "flat", "group": None}},
        "noise": {"type": "coloured", "colour": "white", "level_dbfs": -40},
    }  # fmt: skip
    write_recipe(asked.folder / "room.yaml", tree)
    ours = made_in_turn(asked.folder / "room.yaml", asked)
    times, theirs = [], []
    pipes: dict = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([asked.audiomentations or "", PEER, asked.folder], **pipes) as process:
        for i in range(asked.rounds + 3):
            print(file=process.stdin, flush=True)
            theirs.append(float(process.stdout.readline()))
            times.append(augment_speed.timed(ours, i))
        process.stdin.close()
    mine, other = (1e3 * statistics.median(found[3:]) for found in (times, theirs))
    yield Row(
        "a fresh room a clip, RT60 0.6 s",
        f"{mine:.2f} ms",
        f"pyroomacoustics {other:.1f} ms",
        f"{other / mine:.0f} x",
        ">= 30",
    )


def made_in_turn(recipe: Path, asked: Asked) -> Callable[[int], None]:
    """Return what makes clip `i` of a recipe as a build does."""
    loaded = load_recipe(recipe, cache_dir=asked.folder / "cache")
    work, scratch = Workspace(AssetStore(loaded.roots)), asked.folder / "scratch"
    scratch.mkdir()

    def clip(i: int) -> None:
        made = render(plan_clip(loaded, "train", i), assets=work)
        dumps(write_clip(made, asked.folder / "out", scratch=scratch, work=work, recipe_sha256="0" * 64))

    return clip


def warm() -> None:
    """Make of this process what every process of a build of 512 clips and more is."""
    keep_freed_memory()
    mixing.load_kernel()
    normals.load_kernel()


def planning(asked: Asked) -> Iterator[Row]:
    """Plan alone, against scaper without audio."""
    recipe = load_recipe(scaper_speed.recipe_of("plain", asked.folder), cache_dir=asked.folder / "cache")
    command = [asked.scaper or "", scaper_speed.PEER, "clock", scaper_speed.SOUNDS, asked.folder, "plan"]
    pipes: dict = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    ours, theirs = [], []
    with subprocess.Popen(command, **pipes) as process:
        for i in range(asked.rounds + 3):
            print(file=process.stdin, flush=True)
            theirs.append(float(process.stdout.readline()))
            start = time.process_time()
            for k in range(100):
                plan_clip(recipe, "train", 100 * i + k)
            ours.append((time.process_time() - start) / 100)
        process.stdin.close()
    mine, other = statistics.median(ours[3:]), statistics.median(theirs[3:])
    yield Row(
        "planning, 4 events",
        f"{1 / mine:,.0f}/s",
        f"scaper {1 / other:,.0f}/s",
        f"{other / mine:.0f} x",
        ">= 5, 5000/s",
    )


def burn(seconds_of: int) -> float:
    """Return how long a plain loop takes."""
    start = time.perf_counter()
    x = 1
    for _ in range(seconds_of):
        x = x * 1_103_515_245 % 2_147_483_647
    return time.perf_counter() - start


def steady(recipe: object, root: Path, workers: int) -> float:
    """Return clips a second between the first unit of a build and its last."""
    seen: list[tuple[float, int]] = []
    build(recipe, root, workers=workers, progress=lambda done, total: seen.append((time.perf_counter(), done)))
    (start, first), (end, last) = seen[1 if workers == 1 else 2], seen[-1]
    return (last - first) / (end - start)


def workers(asked: Asked) -> Iterator[Row]:
    """Set two workers against one, beside two plain loops of the processor in the same run."""
    recipe = load_recipe(spine.scape_recipe(asked.folder), clips=1600, cache_dir=asked.folder / "cache")
    loops, ours = [], []
    n = 4_000_000
    for turn in range(3):
        alone = burn(n)
        with get_context("spawn").Pool(2) as pool:
            pool.map(burn, [1000, 1000])
            start = time.perf_counter()
            pool.map(burn, [n, n], chunksize=1)
            loops.append(2 * alone / (time.perf_counter() - start))
        rates = [steady(recipe, asked.folder / f"w{turn}-{w}", w) for w in (1, 2)]
        ours.append(rates[1] / rates[0])
    mine, other = statistics.median(ours), statistics.median(loops)
    yield Row(
        "2 workers against 1, 10 s soundscape",
        f"{mine:.2f} x",
        f"two loops {other:.2f} x",
        f"{mine / other:.2f}",
        ">= 0.93",
    )


CODE = """
import json, resource, sys, time
from audiosynth import build, load_recipe
recipe, root, clips = sys.argv[1], sys.argv[2], int(sys.argv[3])
build(load_recipe(recipe, clips=600), root + "-warm")
start = time.process_time()
build(load_recipe(recipe, clips=clips), root)
print(json.dumps([(time.process_time() - start) / clips, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def growth(asked: Asked) -> Iterator[Row]:
    """Go from 1,000 clips to many: processor time a clip and memory, everything that a build does."""
    path = write_recipe(asked.folder / "cheap.yaml", {**CHEAP, "clips": 1000})
    found = {}
    for clips in (1000, asked.clips):
        runs = []
        for turn in range(3 if clips == 1000 else 1):
            command = [sys.executable, "-c", CODE, path, asked.folder / f"grow{clips}-{turn}", str(clips)]
            runs.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        found[clips] = [statistics.median(values) for values in zip(*runs, strict=True)]
    (few, low), (many, high) = found[1000], found[asked.clips]
    size = f"1,000 -> {asked.clips:,} clips"
    yield Row(f"{size}: a clip", f"{1e3 * many:.3f} ms", f"{1e3 * few:.3f} ms", f"{many / few:.3f}", "<= 1.05")
    yield Row(f"{size}: memory", f"{high:.0f} MB", f"{low:.0f} MB", f"{high / low:.3f}", "<= 1.10")


def index(asked: Asked) -> Iterator[Row]:
    """Find any row of a long manifest, plain and packed, against a short one."""
    for packed in (False, True):
        times = {}
        for rows in (10_000, asked.index_rows):
            folder = asked.folder / f"index{rows}{packed}"
            folder.mkdir()
            path = folder / f"manifest.jsonl{'.gz' if packed else ''}"
            with ManifestWriter(path, folder / "manifest.idx", packed=packed) as out:
                for i in range(rows):
                    text = f'{{"clip_id":"train-{i:09d}","split":"train","spec":{{"ordinal":{i}}},"x":"{i * 7919 % 1_000_003:0200d}"}}\n'
                    out.add(text.encode(), "train", i)
            times[rows] = looked_up(path, rows)
            size = path.stat().st_size / 1e9
            path.unlink()
        few, many = times[10_000], times[asked.index_rows]
        kind = "packed" if packed else "plain"
        title = f"a row of {asked.index_rows:,} by id, {kind} ({size:.2f} GB)"
        yield Row(title, f"{1e3 * many:.3f} ms", f"of 10,000: {1e3 * few:.3f} ms", f"{many / few:.2f}", "flat")


def looked_up(path: Path, rows: int) -> float:
    """Return the median time of opening the index and finding a row."""
    times = []
    for k in range(200):
        i = k * 7_919_777 % rows
        start = time.perf_counter()
        opened = ManifestIndex.beside(path)
        (_, row), *_ = opened.find([f"train-{i:09d}"])
        times.append(time.perf_counter() - start)
        assert row["spec"]["ordinal"] == i
    return statistics.median(times)


ROWS: dict[str, tuple[Callable[[Asked], Iterator[Row]], str | None]] = {
    "scaper": (soundscapes, "scaper"), "floors": (floors, None), "augment": (augmentation, "audiomentations"),
    "room": (fresh_rooms, "audiomentations"), "planning": (planning, "scaper"), "workers": (workers, None), "growth": (growth, None),
    "index": (index, None),
}  # fmt: skip
"""What makes each group of rows, and the peer it needs."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scaper", help="a Python that has scaper 1.6.5")
    parser.add_argument("--audiomentations", help="a Python that has audiomentations 0.43.1 and pyroomacoustics")
    parser.add_argument("--rows", default=",".join(ROWS), help="which groups of rows, by name")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--clips", type=int, default=100_000, help="clips of the longest build")
    parser.add_argument("--index-rows", type=int, default=10_000_000)
    parser.add_argument("--scratch", help="folder to work in")
    asked = parser.parse_args()
    warm()
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
    for name in asked.rows.split(","):
        make, needs = ROWS[name]
        if needs is not None and getattr(asked, needs) is None:
            print(f"| {name}: left out, give --{needs} |")
            continue
        with tempfile.TemporaryDirectory(dir=asked.scratch) as folder:
            told = Asked(asked.scaper, asked.audiomentations, asked.rounds, asked.clips, asked.index_rows, Path(folder))
            for row in make(told):
                print(
                    f"| {row.work:<46} | {row.ours:>12} | {row.other:>28} | {row.ratio:>8} | {row.target:>12} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
