"""Clips over long recordings: `python tests/bench/large_recordings.py [seconds] [files] [clips]`: time and memory of two workers.

Recordings of an hour are made, as WAV and as FLAC, and clips of 10 s over stretches of them: at their rate, and at another. Two
processes make the clips, half each; told are clips a second (the first use of every recording included), processor time, the most
memory that is theirs (the sum of their proportional set sizes, PSS, in which shared pages count once), and a hash of all samples.
"again" are two new processes, which find what the first ones decoded.
"""

from __future__ import annotations

import hashlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from material import write_recipe

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
FILES = int(sys.argv[2]) if len(sys.argv) > 2 else 10
CLIPS = int(sys.argv[3]) if len(sys.argv) > 3 else 200
RATE = 44100
CASES = {
    "wav": ("wav", RATE),
    "flac": ("flac", RATE),
    "wav at 16 kHz": ("wav", 16000),
    "flac at 16 kHz": ("flac", 16000),
}


def recordings(folder: Path, suffix: str) -> None:
    """Write recordings of noise that waxes and wanes, 16 bits, a minute at a time."""
    (folder / suffix).mkdir(parents=True)
    for k in range(FILES):
        rng, left = np.random.default_rng(k), round(SECONDS * RATE)
        with soundfile.SoundFile(folder / suffix / f"{k}.{suffix}", "w", RATE, 1, "PCM_16") as file:
            while left:
                n = min(left, 60 * RATE)
                slow = 0.5 + 0.4 * np.sin(np.arange(n, dtype=np.float32) * np.float32(2 * np.pi / RATE / 7))
                file.write(np.float32(0.05) * slow * rng.standard_normal(n, dtype=np.float32))
                left -= n


def recipe(folder: Path, suffix: str, sr: int) -> Path:
    """Write a recipe of clips over a stretch of any of the recordings."""
    tree = {
        "name": "long", "sr": sr, "duration": 10.0, "clips": CLIPS, "data": {"d": str(folder)}, "export": [],
        "catalogues": {"beds": {"data": "d", "folder": suffix, "layout": "flat"}},
        "noise": {"type": "file", "recordings": [{"pick": {"from": "beds"}}], "level_dbfs": -30.0},
    }  # fmt: skip
    return write_recipe(folder / f"{suffix}-{sr}.yaml", tree)


def mapped_or_read(path: Path) -> tuple[float, float]:
    """Return the median milliseconds that a stretch of 10 s takes as floats: from the mapped file, and read from it."""
    from audiosynth.files.stored import Span, plain_wav

    stored = plain_wav(Span(path, 0, path.stat().st_size))
    whole = np.memmap(path, "<i2", "r", stored.first)
    n, took = 10 * RATE, ([], [])
    for start in np.random.default_rng(1).integers(0, stored.n_samples - n, 200).tolist():
        begun = time.perf_counter()
        mapped = whole[start : start + n].astype(np.float64) * 2.0**-15
        between = time.perf_counter()
        read, _ = stored.read(start, start + n)
        took[0].append(between - begun)
        took[1].append(time.perf_counter() - between)
        if not np.array_equal(mapped, read[0]):
            sys.exit("not the same samples")
    return float(np.median(took[0]) * 1e3), float(np.median(took[1]) * 1e3)


def pss_mb(pid: int) -> float:
    """Return a process's proportional set size in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def one(path: str, first: int) -> None:
    """Make every second clip in this process, once told to begin; print how long it took, and the clips' hashes."""
    from audiosynth import load_recipe, plan_clip
    from audiosynth.material.assets import AssetStore
    from audiosynth.material.workspace import Workspace
    from audiosynth.render import render

    loaded = load_recipe(path)
    if first < 0:  # only to have the recordings measured, as planning does once
        return
    work = Workspace(AssetStore(loaded.roots))
    print("ready", flush=True)
    sys.stdin.readline()
    cpu = time.process_time()
    hashes = [render(plan_clip(loaded, "train", i), assets=work).pcm_sha256 for i in range(first, CLIPS, 2)]
    print(json.dumps({"cpu": time.process_time() - cpu, "hashes": hashes}), flush=True)
    sys.stdin.readline()


def measured(path: Path) -> dict:
    """Return seconds, memory in MB, and a hash of all clips, made by two processes."""
    words = [sys.executable, __file__, str(SECONDS), str(FILES), str(CLIPS), str(path)]
    subprocess.run([*words, "-1"], check=True)
    pipe = subprocess.PIPE
    pair = [subprocess.Popen([*words, str(k)], stdin=pipe, stdout=pipe, text=True, bufsize=1) for k in (0, 1)]
    for process in pair:
        process.stdout.readline()
    begun, most = time.perf_counter(), 0.0
    for process in pair:
        process.stdin.write("go\n")
    selector = selectors.DefaultSelector()
    for process in pair:
        selector.register(process.stdout, selectors.EVENT_READ, process)
    said: dict[int, dict] = {}
    while len(said) < len(pair):
        for key, _ in selector.select(0.05):
            said[key.data.args[-1]] = json.loads(key.data.stdout.readline())
            selector.unregister(key.fileobj)
        most = max(most, sum(pss_mb(process.pid) for process in pair))
    took = time.perf_counter() - begun
    for process in pair:
        process.communicate("end\n")
    hashes = hashlib.sha256("".join(said["0"]["hashes"] + said["1"]["hashes"]).encode()).hexdigest()
    cpu = sum(one["cpu"] for one in said.values())
    return {"s": took, "cpu": cpu, "mb": most, "sha256": hashes}


def main() -> None:
    """Print a line a case; recordings lie in a folder of the current one, which is deleted at the end."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".large-") as name:
        folder = Path(name).absolute()
        os.environ["AUDIOSYNTH_CACHE"] = str(folder / "cache")
        for label, (suffix, sr) in CASES.items():
            if not (folder / suffix).is_dir():
                recordings(folder, suffix)
            if label == "wav":
                print(
                    "10 s mapped, read: {:.2f} ms, {:.2f} ms".format(*mapped_or_read(folder / "wav" / "0.wav")),
                    flush=True,
                )
            path = recipe(folder, suffix, sr)
            for turn in ("first", "again"):
                got = measured(path)
                print(
                    f"{label}, {turn}: {CLIPS / got['s']:.1f} clips/s, {got['cpu'] / CLIPS:.3f} s of processor a clip, "
                    f"{got['mb']:.0f} MB, {got['sha256'][:12]}",
                    flush=True,
                )


if __name__ == "__main__":
    if len(sys.argv) > 4:
        one(sys.argv[4], int(sys.argv[5]))
    else:
        main()
