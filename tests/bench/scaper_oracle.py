"""Our `scaper-1.6` chain against scaper 1.6.5 itself, scene by scene, in float64 before anything is written.

    python tests/bench/scaper_oracle.py --peer ENV/bin/python        # an environment of its own with scaper 1.6.5

50 random scenes of its test sounds (up to 8 events, one or two backgrounds, some of them repeated, odd durations and
fades, peaks left, fixed and normalised), and its three reference files; then scenes with other rates, stretch, pitch and reverb.
Exit code 1 if a plain scene differs by more than 1e-9 of full scale.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from audiosynth import render
from audiosynth.material.assets import AssetStore
from audiosynth.records.rendered import Clip
from audiosynth.scaper.importing import Sources, plan_scene, require_sources
from audiosynth.scaper.jams import read_scene
from audiosynth.spec import Output

PEER = Path(__file__).with_name("scaper_peer.py")
SOUNDS = Path(__file__).parents[3] / "shared" / "data" / "scaper"
ALLOWED = 1e-9
FLOOR_DB = -40.0
"""Where an event's envelope first passes this, relative to its largest, is its onset."""


def ours(jams: Path, roots: dict[str, Path]) -> Clip:
    """Return the clip of a JAMS file."""
    scene, sources = read_scene(jams), Sources(roots)
    require_sources([scene], sources)
    spec = plan_scene(scene, sources, split="oracle", ordinal=0, output=Output())
    return render(spec, assets=AssetStore(roots))


def db(y: np.ndarray) -> float:
    """Return the RMS in dB."""
    return float(10 * np.log10(np.mean(np.square(y)) + 1e-30))


def compared(peer: str, kind: str, count: int) -> list[tuple[float, float, float, str]]:
    """Return (largest difference, residual in dB, difference of levels in dB, file) of scenes of a kind."""
    out = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        command = [peer, PEER, "scenes", SOUNDS / "audio", folder, str(count), kind]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        print(done.stdout, end="")
        for jams in sorted(folder.glob("*.jams")):
            theirs = np.load(jams.with_suffix(".npy"))[:, 0]
            clip = ours(jams, {"audio": SOUNDS / "audio", "short": folder / "short"})
            mine = clip.y[0]
            off = np.abs(mine - theirs).max() if mine.shape == theirs.shape else np.inf
            n = min(mine.size, theirs.size)
            out.append((float(off), db((mine - theirs)[:n]) - db(theirs), db(mine) - db(theirs), jams.name))
    return out


def references() -> None:
    """Print how the three reference files differ: the mix, and each event's level and onset."""
    for name in ("ref1", "ref2", "ref3"):
        folder = SOUNDS / "reference"
        clip = ours(folder / f"{name}.jams", {"audio": SOUNDS / "audio"})
        theirs = soundfile.read(folder / f"{name}.wav")[0]
        print(
            f"{name}: largest difference {np.abs(clip.y[0] - theirs).max():.3g}, level {db(clip.y[0]) - db(theirs):+.4f} dB"
        )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True, help="a Python that has scaper 1.6.5")
    parser.add_argument("--count", type=int, default=50)
    asked = parser.parse_args()
    references()
    worst = 0.0
    for kind in ("plain", "rates", "stretch", "pitch", "effects"):
        rows = compared(asked.peer, kind, asked.count if kind == "plain" else min(asked.count, 12))
        off, residual, level = (np.array([row[i] for row in rows]) for i in range(3))
        worst = max(worst, off.max()) if kind == "plain" else worst
        print(
            f"{kind}: {len(rows)} scenes, largest difference {off.max():.3g} ({rows[int(off.argmax())][3]}), residual median "
            f"{np.median(residual):.1f} dB, worst {residual.max():.1f} dB, level off by at most {np.abs(level).max():.4f} dB"
        )
    return int(worst > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
