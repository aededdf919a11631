"""Our `scaper-1.6` chain against scaper 1.6.5 itself, scene by scene, in float64 before anything is written.

    python tests/bench/scaper_oracle.py --peer ENV/bin/python        # an environment of its own with scaper 1.6.5

50 random scenes of its test sounds (up to 8 events, one or two backgrounds, some of them repeated, odd durations and
fades, peaks left, fixed and normalised), and its three reference files; then scenes with other rates, stretch, pitch and reverb.
Exit code 1 if a plain scene differs by more than 1e-9 of full scale.
"""

from __future__ import annotations

import argparse
import json
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
from audiosynth.scaper.sound import loudness
from audiosynth.spec import Output

PEER = Path(__file__).with_name("scaper_peer.py")
SOUNDS = Path(__file__).parents[3] / "shared" / "data" / "scaper"
ALLOWED = 1e-9
FLOOR_DB = -40.0
"""Where an event's envelope first passes this, relative to its largest, is its onset."""


SHORT = 0.5
"""Seconds below which scaper repeats a sound before it measures it."""


def ours(jams: Path, roots: dict[str, Path]) -> Clip:
    """Return the clip of a JAMS file, with a stem of every event."""
    scene, sources = read_scene(jams), Sources(roots)
    require_sources([scene], sources)
    spec = plan_scene(scene, sources, split="oracle", ordinal=0, output=Output(subtype="FLOAT"))
    return render(spec, assets=AssetStore(roots), stems=True)


def db(y: np.ndarray) -> float:
    """Return the RMS in dB."""
    return float(10 * np.log10(np.mean(np.square(y)) + 1e-30))


def loudnesses(jams: Path, clip: Clip) -> list[tuple[float, float]]:
    """Return the seconds of each event, and by how many LUFS it is louder here, alone and before the mix is scaled to its peak."""
    scale = json.loads(jams.read_text())["annotations"][0]["sandbox"]["scaper"]["peak_normalization_scale_factor"]
    with np.load(jams.with_suffix(".npz")) as sounds:
        theirs = [sounds[name].T / scale for name in sounds.files][-len(clip.spec.events) :]
    mine = [y * 10 ** (-clip.decisions.mix_gain_db / 20) for name, y in clip.stems.items() if name.startswith("event")]
    out = []
    for event, a, b in zip(clip.spec.events, mine, theirs, strict=True):
        first, last = event.place.onset, event.place.onset + event.place.n_samples
        if last <= clip.spec.n_samples:  # the rest was measured whole, and is heard in part
            levels = [loudness(np.asarray(y[:, first:last], dtype=float), clip.spec.sr) for y in (a, b)]
            out.append((event.place.n_samples / clip.spec.sr, levels[0] - levels[1]))
    return out


def compared(
    peer: str, kind: str, count: int
) -> list[tuple[float, float, float, str, float, list[tuple[float, float]]]]:
    """Return (largest difference, residual in dB, difference of levels in dB, file, that of the peak's gains, each event's) of scenes."""
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
            facts = json.loads(jams.read_text())["annotations"][0]["sandbox"]["scaper"]
            peak = clip.decisions.mix_gain_db - 20 * np.log10(facts["peak_normalization_scale_factor"])
            level = db(mine) - db(theirs)
            out.append(
                (float(off), db((mine - theirs)[:n]) - db(theirs), level, jams.name, peak, loudnesses(jams, clip))
            )
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
        peak, events = np.array([row[4] for row in rows]), [event for row in rows for event in row[5]]
        whole, short = (max((abs(d) for s, d in events if (s >= SHORT) is long), default=0.0) for long in (True, False))
        print(
            f"    without the scaling to the peak: {np.abs(level - peak).max():.4f} dB; events alone: at most {whole:.4f} LUFS from "
            f"{SHORT} s on, {short:.4f} below that, where fades take more (scaper measures before it fades)"
        )
        if kind in ("stretch", "pitch"):
            command = [asked.peer, PEER, "lags", SOUNDS / "audio", ".", kind]
            print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")
    return int(worst > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
