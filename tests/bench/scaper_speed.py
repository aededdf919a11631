"""What a soundscape costs here and in scaper 1.6.5: one core, the same machine, the same run, turn by turn.

    TMPDIR=/dev/shm taskset -c 0 python tests/bench/scaper_speed.py --peer ENV/bin/python    # an environment of its own with
    # scaper 1.6.5; files in memory, since what a disk is busy with decides what a file costs there

10 s at 44.1 kHz, mono, a street of scaper's test sounds and four of its events. Ours: plan, render, hash, 16-bit WAV, manifest
row, as in a build of 512 clips and more, whose processes load compiled loops (and without them). scaper's: `generate` with
WAV and JAMS. With effects: pitch shift and time stretch on every event (ours in one pass: `pitch_shift` with a `rate`; `two`
does one after the other; `splice` does what SoX does), and reverberation (ours a new room for every clip, every event
convolved with it; scaper's one SoX reverb on the mix). Medians of processor time: waiting counts for neither, a cache or a core
shared with others for both. scaper and the floors write one file again and again, so ours are deleted once the clock has stopped:
files that pile up take memory that a virtual machine has never touched, which costs 2 ms for each.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import write_recipe

from audiosynth import load_recipe, plan_clip, render
from audiosynth.building.clips import unwrite, write_clip
from audiosynth.building.memory import keep_freed_memory
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.records.text import dumps
from audiosynth.sound import mixing, wsola

PEER = Path(__file__).with_name("scaper_peer.py")
SOUNDS = Path(__file__).parents[3] / "shared" / "data" / "scaper" / "audio"
TARGETS = {"plain": 10.0, "effects": 4.0, "two": 4.0, "splice": 4.0}


def recipe_of(kind: str, folder: Path) -> Path:
    """Return the recipe of the same scenes."""
    event = {
        "label": "x",
        "source": {"type": "file", "recording": {"pick": {"from": "foreground"}}},
        "onset": {"slack": {"uniform": [0, 1]}},
        "snr_db": {"uniform": [0, 20]},
    }
    if kind == "two":
        event["effects"] = [
            {"type": "pitch_shift", "semitones": {"uniform": [-3, 3]}},
            {"type": "time_stretch", "rate": {"uniform": [0.8, 1.25]}},
        ]
    if kind in ("effects", "splice"):
        event["effects"] = [
            {
                "type": "pitch_shift" if kind == "effects" else "splice",
                "semitones": {"uniform": [-3, 3]},
                "rate": {"uniform": [0.8, 1.25]},
            },
        ]
    room = {"type": "statistical", "rt60": {"uniform": [0.3, 0.6]}, "drr_db": {"uniform": [0, 10]}}
    names = ("foreground", "background")
    return write_recipe(
        folder / f"{kind}.yaml",
        {
            **({"room": room} if kind != "plain" else {}),
            "sr": 44_100, "duration": 10.0, "clips": 20_000, "data": {n: str(SOUNDS / n) for n in names},
            "catalogues": {n: {"data": n, "layout": "folders", "group": None} for n in names},
            "events": [{"repeat": {"n": 4, "of": event}}],
            "noise": {"type": "file", "recordings": [{"pick": {"from": "background"}}], "level_dbfs": -35},
        },
    )  # fmt: skip


class Ours:
    """Our side: one clip a call."""

    def __init__(self, kind: str, folder: Path, *, warm: bool = False) -> None:
        keep_freed_memory()  # as every process of a build does
        if warm:
            mixing.load_kernel()
            wsola.LOOPS.for_work(sys.maxsize)
        self.recipe = load_recipe(recipe_of(kind, folder), cache_dir=folder / "cache")
        self.work = Workspace(AssetStore(self.recipe.roots))
        self.root, self.scratch = folder / "out", folder / "scratch"
        self.scratch.mkdir(exist_ok=True)

    def clip(self, i: int) -> float:
        """Make clip `i` and return the seconds it took."""
        start = time.process_time()
        clip = render(plan_clip(self.recipe, "train", i), assets=self.work)
        dumps(write_clip(clip, self.root, scratch=self.scratch, recipe_sha256="0" * 64).row(self.work))
        seconds = time.process_time() - start
        unwrite(clip.spec, self.root)
        return seconds


def raced(peer: str, kind: str, rounds: int, *, warm: bool) -> tuple[float, float]:
    """Return medians in ms: ours and scaper's, one clip in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mine, theirs = Ours(kind, folder, warm=warm), []
        command = [peer, PEER, "clock", SOUNDS, folder, kind]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        ours = []
        with subprocess.Popen(command, text=True, **pipes) as process:
            for i in range(rounds + 3):
                print(file=process.stdin, flush=True)
                theirs.append(float(process.stdout.readline()))
                ours.append(mine.clip(i))
            process.stdin.close()
    return statistics.median(ours[3:]) * 1e3, statistics.median(theirs[3:]) * 1e3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True, help="a Python that has scaper 1.6.5")
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    for kind, warm in (("plain", False), ("plain", True), ("effects", True), ("two", True), ("splice", True)):
        ours, theirs = raced(asked.peer, kind, asked.rounds, warm=warm)
        target, name = TARGETS[kind], kind if warm else f"{kind}, NumPy alone"
        print(
            f"{name}: ours {ours:.1f} ms, scaper {theirs:.1f} ms, {theirs / ours:.1f} times as fast (at least {target:g})"
        )


if __name__ == "__main__":
    main()
