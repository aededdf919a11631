"""The rows of `scale.py` about whole builds: workers, two cores, how cost and memory grow, rows of long manifests."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import scaper_speed
import spine
from augment_speed import Peer
from scale_rows import Asked, Row

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import write_recipe

from audiosynth import build, load_recipe
from audiosynth.building.index import ManifestIndex
from audiosynth.building.row_files import ManifestWriter

N_WARM = 3
CHEAP = {
    "sr": 8000, "duration": 0.25, "noise": {"type": "coloured", "colour": "pink", "level_dbfs": -40},
    "events": [{"label": "t", "source": {"type": "tone", "frequency": 500, "duration": 0.1}, "snr_db": 6}],
}  # fmt: skip


def burn(seconds_of: int) -> float:
    """Return how long a plain loop takes."""
    start = time.perf_counter()
    x = 1
    for _ in range(seconds_of):
        x = x * 1_103_515_245 % 2_147_483_647
    return time.perf_counter() - start


@dataclass(frozen=True)
class Rate:
    """How fast clips were made.

    Attributes
    ----------
    clips
        A second, once all were under way: start-up is left out.
    start
        Seconds of start-up: all the time less what the clips take at that rate.
    """

    clips: float
    start: float


def steady(recipe: object, root: Path, workers: int) -> Rate:
    """Return the rate of a build between its first unit and its last; its sound is deleted."""
    seen: list[tuple[float, int]] = []
    begun = time.perf_counter()
    build(recipe, root, workers=workers, progress=lambda done, total: seen.append((time.perf_counter(), done)))
    ended = time.perf_counter()
    shutil.rmtree(root)
    (start, first), (end, last) = seen[1 if workers == 1 else 2], seen[-1]
    rate = (last - first) / (end - start)
    return Rate(rate, ended - begun - last / rate)


def scaper_rate(python: str | None, folder: Path, *, processes: int, clips: int) -> Rate:
    """Return the rate of so many scaper processes at once, each of which makes `clips` clips and `N_WARM` before them."""
    begun = time.perf_counter()
    with ExitStack() as stack:
        peers = []
        for k in range(processes):
            out = folder / f"scaper{k}"
            out.mkdir(exist_ok=True)
            command = [python, scaper_speed.PEER, "clock", scaper_speed.SOUNDS, out, "plain"]
            peers.append(stack.enter_context(Peer(command)))
        made = [asked_of(peers, count) for count in (N_WARM, clips)]
    rate = processes * clips / (made[1] - made[0])
    return Rate(rate, made[0] - begun - processes * N_WARM / rate)


def asked_of(peers: list[Peer], clips: int) -> float:
    """Have every peer make so many clips, all at once, and return when the last was made."""
    for peer in peers:
        peer.ask(clips)
    for peer in peers:
        peer.answers(clips)
    return time.perf_counter()


def two_cores(asked: Asked) -> Iterator[Row]:
    """Set a build of two workers against one scaper process and against two at once: wall time, in turn, medians of three.

    scaper has no workers, so one process is its own way, on one core; two processes are what a user can start by hand.
    """
    path = scaper_speed.recipe_of("plain", asked.folder)
    recipe = load_recipe(path, clips=asked.two_core_clips, cache_dir=asked.folder / "cache")
    ours, one, two = [], [], []
    for turn in range(3):
        ours.append(steady(recipe, asked.folder / f"two{turn}", 2))
        one.append(scaper_rate(asked.scaper, asked.folder, processes=1, clips=2 * asked.rounds))
        two.append(scaper_rate(asked.scaper, asked.folder, processes=2, clips=2 * asked.rounds))
    for others, title, target in (
        (one, "2 workers against one scaper, 10 s, wall", ">= 18"),
        (two, "2 workers against two scapers at once", ""),
    ):
        mine, other = (statistics.median(1e3 / rate.clips for rate in rates) for rates in (ours, others))
        ratio = statistics.median(a.clips / b.clips for a, b in zip(ours, others, strict=True))
        yield Row(title, f"{mine:.2f} ms", f"scaper {other:.1f} ms", f"{ratio:.1f} x", target)
    mine, other = (statistics.median(rate.start for rate in rates) for rates in (ours, one))
    yield Row("their start-up, not counted above", f"{mine:.1f} s", f"scaper {other:.1f} s", "", "")


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
        ours.append(rates[1].clips / rates[0].clips)
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
    """Go from 1,000 clips to many: processor time a clip and memory, everything that a build does.

    A shared machine is half as fast again in one minute as in the next: short builds are made before the long one and after it.
    """
    path = write_recipe(asked.folder / "cheap.yaml", {**CHEAP, "clips": 1000})
    runs: dict[int, list[list[float]]] = {1000: [], asked.clips: []}
    for turn, clips in enumerate((1000, 1000, 1000, asked.clips, 1000, 1000, 1000)):
        command = [sys.executable, "-c", CODE, path, asked.folder / f"grow{turn}", str(clips)]
        runs[clips].append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        shutil.rmtree(asked.folder / f"grow{turn}")
    (few, low), (many, high) = (
        [statistics.median(values) for values in zip(*made, strict=True)] for made in runs.values()
    )
    before, after = (
        1e3 * statistics.median(seconds for seconds, _ in part) for part in (runs[1000][:3], runs[1000][3:])
    )
    size = f"1,000 -> {asked.clips:,} clips"
    short = f"{1e3 * few:.3f} ms ({before:.3f} before, {after:.3f} after)"
    yield Row(f"{size}: a clip", f"{1e3 * many:.3f} ms", short, f"{many / few:.3f}", "<= 1.05")
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
