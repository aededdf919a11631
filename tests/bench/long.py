"""An hour in one clip: `python tests/bench/long.py [seconds]`: memory and time of a build, in blocks; prints against the floor.

Each scene is built in a process of its own, whose highest resident memory is told beside that of one that builds a clip of 10 s,
and its row is made again in another.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from material import write_recipe

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
LIMIT_MB = 500
KINDS = [
    {"type": "dog_bark", "n_barks": 3}, {"type": "bell"}, {"type": "tone", "frequency": 800.0, "duration": 4.0},
    {"type": "footsteps"}, {"type": "noise_burst", "duration": 2.0},
]  # fmt: skip
ROOM = {"type": "shoebox", "size": [6.0, 5.0, 3.0], "rt60": 0.4}
PINK = {"type": "coloured", "colour": "pink"}


def scene(name: str, *, sr: int, channels: int, room: bool, bed: dict, container: str) -> dict:
    """Return a recipe with ten events a minute, in a room or none, over a bed."""
    event: dict = {
        "label": {"choice": ["a", "b", "c"]}, "source": {"choice": KINDS}, "onset": {"slack": {"uniform": [0, 1]}}, "overrun": "cut",
        "snr_db": {"uniform": [0, 20]},
    }  # fmt: skip
    tree: dict = {
        "name": name, "sr": sr, "channels": channels, "duration": SECONDS, "clips": 1, "noise": bed, "export": [],
        "output": {"format": container},
    }  # fmt: skip
    if room:
        array = {"type": "linear", "n": channels, "spacing": 0.2} if channels > 1 else {}
        tree["room"] = {**ROOM, "receiver": {**array, "position": [2.1, 2.2, 1.3]}}
        event["position"] = {"within": {"distance": [0.5, 2.0]}}
    tree["events"] = [{"repeat": {"n": max(1, round(min(600.0, SECONDS / 6))), "of": event}}]
    return tree


SCENES = {
    "hour16": scene("hour16", sr=16000, channels=1, room=True, bed={**PINK, "level_dbfs": -45.0}, container="wav"),
    "hour44": scene("hour44", sr=44100, channels=1, room=False, container="flac",
                    bed={"type": "profile", "profile": "cafe", "level_dbfs": -45.0}),
    "hour44stereo": scene("hour44stereo", sr=44100, channels=2, room=True, container="wav",
                          bed={**PINK, "level_dbfs": -45.0, "spatial": "independent"}),
}  # fmt: skip


def one(step: str, path: str, root: str) -> None:
    """Build or reproduce in this process and print seconds and the highest memory."""
    from audiosynth import build, load_recipe, reproduce

    begun = time.perf_counter()
    told: dict[str, object] = {}
    if step == "build":
        build(load_recipe(path), root)
    else:
        told["same"] = all(again.same for again in reproduce(root))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"s": round(time.perf_counter() - begun, 1), "mb": round(peak), **told}))


def child(*words: str) -> dict:
    """Run a step in a process of its own."""
    done = subprocess.run([sys.executable, __file__, str(SECONDS), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Print a line a scene."""
    failed = False
    with tempfile.TemporaryDirectory() as name:
        for label, tree in SCENES.items():
            short = {**tree, "duration": 10.0, "events": [{"repeat": {**tree["events"][0]["repeat"], "n": 2}}]}
            paths = {
                k: write_recipe(Path(name) / f"{label}-{k}.yaml", t) for k, t in (("short", short), ("long", tree))
            }
            floor = child("build", str(paths["short"]), f"{name}/{label}-short")
            made = child("build", str(paths["long"]), f"{name}/{label}-long")
            again = child("reproduce", "", f"{name}/{label}-long")
            failed |= made["mb"] > LIMIT_MB or again["mb"] > LIMIT_MB or not again["same"]
            print(
                f"{label}: {SECONDS:g} s, {tree['events'][0]['repeat']['n']} events: {made['s']} s, {made['mb']} MB (10 s clip: "
                f"{floor['mb']} MB); again {again['s']} s, {again['mb']} MB, same: {again['same']}", flush=True
            )  # fmt: skip
    sys.exit(failed)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        one(*sys.argv[2:])
    else:
        main()
