"""What an augmented utterance costs here, in audiomentations 0.43.1, in lhotse 1.33 and at least: one core, one run, turn by turn.

    TMPDIR=/dev/shm taskset -c 0 python tests/bench/augment_speed.py --peer ENV/bin/python --lhotse ENV/bin/python
    # environments of their own, with audiomentations 0.43.1 and with lhotse 1.33.0, torch, urllib3 and soundfile; files in memory,
    # since what a disk is busy with decides what a file costs there

Utterances of 1 s and of 10 s at 16 kHz, each its own WAV file that is decoded for its clip, an impulse response of 0.5 s, a
stretch of background at 0 to 20 dB, a gain, 16-bit WAV in a file of its own, as sets have them. Ours: plan, render, hash, WAV, manifest row. The floor: read, one
`fftconvolve`, mix, round and write with soundfile, no level of any kind but the SNR. Then pitch (±4 semitones) and stretch (0.8 to
1.25) alone. Impulse responses are decoded once on all sides but lhotse's, backgrounds once here and in the floor (peers read the
stretch that they use). lhotse's side is its offline path, `lhotse_peer.py`: as it comes, and at its fastest. Medians of processor time, so that what else runs on the machine counts for none. `--profile` tells where our time goes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import fftconvolve

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import noise, room, write_recipe, write_wav

from audiosynth import load_recipe
from audiosynth.building.memory import collect_seldom, keep_freed_memory, spare_what_is_loaded
from audiosynth.building.orders import RecipeOrder
from audiosynth.building.units import Unit, render_unit, unit_name
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.records.text import dumps
from audiosynth.sound import mixing

LHOTSE = Path(__file__).with_name("lhotse_peer.py")
PEERS = {"peer": (Path(__file__).with_name("augment_peer.py"),), "plain": (LHOTSE, "--plain"), "lhotse": (LHOTSE,)}
"""audiomentations' side, lhotse's as it comes and lhotse's at its fastest, by what they are called in what `raced` finds."""
SR = 16_000
N_UTTERANCES = {"short": 640, "long": 256}
SECONDS = {"short": 1.0, "long": 10.0}
KINDS = ("mix1", "mix10", "pitch1", "pitch10", "stretch1", "stretch10")
"""What is done, and to utterances of how many seconds."""
FASTER, OVER_FLOOR = {"mix": 1.2, "pitch": 1.0, "stretch": 1.0}, 1.3
"""At least so many times as fast as audiomentations; at most so many times the floor."""
OVER_LHOTSE = 3.0
"""At least so many times as fast as lhotse's offline path."""
TURN = 64
"""Clips that each makes in a row before the next does: a set is made in a row, with what the processor keeps at hand."""


def voice(seconds: float, seed: int) -> np.ndarray:
    """Return something with the envelope and spectrum of speech: bursts of buzz and noise, 4 a second."""
    n = round(seconds * SR)
    t = np.arange(n) / SR
    f0 = 100 + 10 * (seed % 12)
    buzz = sum(np.sin(2 * np.pi * f0 * k * t + k * seed) / k for k in range(1, 30))
    y = (buzz + 0.3 * noise(seconds, SR, seed=seed, level=1.0)[0]) * np.maximum(0.0, np.sin(2 * np.pi * 2 * t)) ** 0.7
    return (0.1 * y / np.sqrt(np.mean(y**2)))[None]


def make_files(folder: Path) -> None:
    """Write utterances, impulse responses and noises."""
    for name, count in N_UTTERANCES.items():
        for k in range(count):
            write_wav(folder / name / f"u{k:03d}.wav", voice(SECONDS[name], k), SR)
    for k in range(12):
        write_wav(folder / "rirs" / f"r{k:02d}.wav", room(0.5, SR, seed=k), SR)
    for k in range(4):
        write_wav(folder / "noises" / f"n{k}.wav", noise(30.0, SR, seed=100 + k), SR)


def recipe_of(kind: str, folder: Path) -> Path:
    """Return the recipe of the same work."""
    names = ("short", "long", "rirs", "noises")
    event: dict = {"label": "speech", "source": {"type": "file", "recording": "$utt", "trim": False}, "onset": 0.0}
    rest: dict = {}
    if kind.startswith("mix"):
        event |= {"room": {"type": "measured", "recording": {"pick": {"from": "rirs"}}}, "snr_db": {"uniform": [0, 20]}}
        rest["noise"] = {"type": "file", "recordings": [{"pick": {"from": "noises"}}], "level_dbfs": -40}
        rest["mix"] = {"level_dbfs": {"uniform": [-32, -20]}}
    elif kind.startswith("pitch"):
        event["effects"] = [{"type": "pitch_shift", "semitones": {"uniform": [-4, 4]}}]
    else:
        event |= {"effects": [{"type": "time_stretch", "rate": {"uniform": [0.8, 1.25]}}], "overrun": "cut"}
    tree = {
        "sr": SR, "duration": {"of": "utt"}, "data": {n: n for n in names},
        "clips": {"each": {"from": "long" if kind.endswith("10") else "short", "as": "utt"}},
        "catalogues": {n: {"data": n, "layout": "flat", "label": "x", "group": None} for n in names},
        "events": [event], **rest,
    }  # fmt: skip
    return write_recipe(folder / f"{kind}.yaml", tree)


class Ours:
    """Our side: clips as a build's worker makes them, in a row."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.recipe = load_recipe(recipe_of(kind, folder), cache_dir=folder / "cache")
        self.work = Workspace(AssetStore(self.recipe.roots))
        self.order, self.root = RecipeOrder(self.recipe), folder / "out"
        (self.root / ".build" / "tmp").mkdir(parents=True, exist_ok=True)
        keep_freed_memory()  # as workers do
        mixing.load_kernel()  # as builds of 512 clips and more do
        collect_seldom()

    def clips(self, numbers: range) -> None:
        """Make clips: plan, render, hash, write, rows."""
        render_unit(self.order, Unit("train", numbers.start, numbers.stop), self.root, self.work)
        spare_what_is_loaded()

    def row(self) -> dict[str, Any]:
        """Return the row of the first clip."""
        self.clips(range(1))
        return json.loads((self.root / ".build" / "units" / unit_name("train", 0)).read_text())


class Floor:
    """The least that the work can be done with; `vowed`: and what bit-exact rows cannot do without.

    That is the hashes of the recording, the samples and the file, and a row of the usual size as JSON, whose values are there
    already. No draw, no level, no measure.
    """

    def __init__(self, kind: str, folder: Path, row: dict[str, Any] | None = None) -> None:
        self.row, self.folder = row, folder / ("floor" if row is None else "vowed")
        self.folder.mkdir(exist_ok=True)
        self.utterances = sorted((folder / ("long" if kind.endswith("10") else "short")).glob("*.wav"))
        self.rirs, self.noises = (
            [soundfile.read(path)[0] for path in sorted((folder / name).glob("*.wav"))] for name in ("rirs", "noises")
        )

    def clip(self, i: int) -> None:
        """Make clip `i`."""
        y, sr = soundfile.read(self.utterances[i % len(self.utterances)])
        heard = fftconvolve(y, self.rirs[i % len(self.rirs)])[: y.size]
        under = self.noises[i % len(self.noises)]
        start = (i * 7919) % (under.size - y.size)
        under = under[start : start + y.size]
        gain = np.sqrt(np.dot(heard, heard) / np.dot(under, under)) * 10 ** (-(i % 21) / 20)
        mixed = (heard + gain * under) * 0.5
        samples = np.rint(mixed * 32767).clip(-32768, 32767).astype(np.int16)
        soundfile.write(self.folder / f"{i}.wav", samples, sr, subtype="PCM_16")
        if self.row is not None:
            for _ in ("recording", "samples", "file"):
                hashlib.sha256(samples.data).hexdigest()
            dumps(self.row)


def timed(task: Callable[[Any], object], what: Any) -> float:
    """Return the seconds of processor time of a task: one clip, or several."""
    start = time.process_time()
    task(what)
    return time.process_time() - start


class Peer:
    """Another tool's side: a process of its own that makes a clip for each line and answers with its seconds."""

    def __init__(self, command: list[object]) -> None:
        pipes: dict = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen([str(word) for word in command], **pipes)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):  # it has ended, which `answers` tells
            self.process.stdin.close()
        self.process.wait()

    def ask(self, clips: int = 1) -> None:
        """Have so many clips made."""
        with suppress(BrokenPipeError):
            self.process.stdin.write("\n" * clips)
            self.process.stdin.flush()

    def answers(self, clips: int = 1) -> list[float]:
        """Return the seconds of so many clips that were asked for.

        Raises
        ------
        RuntimeError
            If the process has ended, as it does where its environment lacks something.
        """
        lines = [self.process.stdout.readline() for _ in range(clips)]
        if "" in lines:
            raise RuntimeError(f"a peer ended before its clip was made; run it alone to see why: {self.process.args}")
        return [float(line) for line in lines]

    def clip(self) -> float:
        """Have a clip made and return its seconds."""
        self.ask()
        return self.answers()[0]


def raced(peers: Mapping[str, str | None], kind: str, folder: Path) -> dict[str, float]:
    """Return ms a clip: ours, the floor's, the floor's with hashes and a row, each peer's; medians of turns of `TURN` clips each.

    `peers` are names of `PEERS` and the Python of each, if there is one; lhotse's mix only, as it has no pitch or stretch.
    """
    ours, floor = Ours(kind, folder), Floor(kind, folder)
    vowed = Floor(kind, folder, ours.row())
    found: dict[str, list[float]] = {"ours": [], "floor": [], "vowed": [], **{name: [] for name in PEERS}}
    count = N_UTTERANCES["long" if kind.endswith("10") else "short"]
    mixes = kind.startswith("mix")
    with ExitStack() as stack:
        others = {
            name: stack.enter_context(Peer([python, PEERS[name][0], folder, kind, *PEERS[name][1:]]))
            for name, python in peers.items()
            if python and (mixes or name == "peer")
        }
        for turn in (range(first, first + TURN) for first in range(0, count, TURN)):
            found["ours"].append(timed(ours.clips, turn) / TURN)
            if mixes:
                found["floor"].append(statistics.mean(timed(floor.clip, i) for i in turn))
                found["vowed"].append(statistics.mean(timed(vowed.clip, i) for i in turn))
            for name, peer in others.items():
                found[name].append(statistics.mean(peer.clip() for _ in turn))
    return {name: 1e3 * statistics.median(times[1:]) for name, times in found.items() if times}


def profile(kind: str, folder: Path) -> None:
    """Print what our functions take of a clip, by their own time."""
    import cProfile
    import pstats

    ours = Ours(kind, folder)
    count = N_UTTERANCES["long" if kind.endswith("10") else "short"]
    ours.clips(range(TURN))
    watch = cProfile.Profile()
    watch.enable()
    for first in range(TURN, count, TURN):
        ours.clips(range(first, first + TURN))
    watch.disable()
    print(f"{kind}: {count - TURN} clips")
    pstats.Stats(watch).sort_stats("cumulative").print_stats("audiosynth", 60)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="a Python that has audiomentations 0.43.1")
    parser.add_argument("--lhotse", help="a Python that has lhotse 1.33.0")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--profile", action="store_true", help="where our own time goes, instead of a race")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder)
        for kind in asked.kinds:
            if asked.profile:
                profile(kind, folder)
                continue
            found = raced({"peer": asked.peer, "plain": asked.lhotse, "lhotse": asked.lhotse}, kind, folder)
            line = f"{kind}: " + ", ".join(f"{who} {ms:.2f} ms" for who, ms in found.items())
            if "floor" in found:
                line += f"; {found['ours'] / found['floor']:.2f} times the floor (at most {OVER_FLOOR})"
            if "peer" in found:
                least = FASTER[kind.rstrip("01")]
                line += f"; {found['peer'] / found['ours']:.2f} times as fast as audiomentations (at least {least})"
            if "lhotse" in found:
                plain, tuned = (found[name] / found["ours"] for name in ("plain", "lhotse"))
                line += f"; {plain:.2f} times as fast as lhotse as it comes (at least {OVER_LHOTSE:g}), {tuned:.2f} at its fastest"
            print(line, flush=True)


if __name__ == "__main__":
    main()
