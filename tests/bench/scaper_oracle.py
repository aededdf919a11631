"""Our `scaper-1.6` chain against scaper 1.6.5 itself, scene by scene, in float64 before anything is written.

    python tests/bench/scaper_oracle.py --peer ENV/bin/python        # an environment of its own with scaper 1.6.5

Its three reference files, then 50 random scenes of each kind of its test sounds (up to 8 events, one or two backgrounds, some
of them repeated, odd durations and fades, peaks left, fixed and normalised): plain ones, another rate, time stretch, pitch
shift, and both with reverb. Of each kind: how far mixes differ, and level and onset of the mix and of every event alone.
Exit code 1 if a plain scene differs by more than 1e-9 of full scale, or any level by more than 0.1 dB or onset by 5 ms.
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
from audiosynth.clip import RenderContext
from audiosynth.effects.splice import Splice
from audiosynth.material.assets import AssetStore
from audiosynth.records.rendered import Clip
from audiosynth.scaper.importing import Sources, plan_scene, require_sources
from audiosynth.scaper.jams import read_scene
from audiosynth.spec import Output

PEER = Path(__file__).with_name("scaper_peer.py")
SOUNDS = Path(__file__).parents[3] / "shared" / "data" / "scaper"
ALLOWED = 1e-9
LEVEL_DB, ONSET_MS = 0.1, 5.0
FLOOR_DB = -40.0
"""Where the power in 1 ms first passes this, relative to its largest, is the onset of a sound."""
STRETCHES, SHIFTS, PLACES = (0.8, 0.9, 1.1, 1.25), (-3, -1, 1, 3), (0.0, 0.05, 0.1, 0.2, 0.3, 0.37, 0.5, 0.73)
"""Of the bursts in scaper_peer.py's `lags`."""
KINDS = ("plain", "rates", "stretch", "pitch", "effects")
# largest difference, residual in dB, difference of the mix's level, that without the scaling to the peak, of the mix's onset in ms,
# and of the events' levels and onsets
Row = tuple[float, float, float, float, float, list[tuple[float, float]]]


def ours(jams: Path, roots: dict[str, Path]) -> Clip:
    """Return the clip of a JAMS file, with a stem of every event."""
    scene, sources = read_scene(jams), Sources(roots)
    require_sources([scene], sources)
    spec = plan_scene(scene, sources, split="oracle", ordinal=0, output=Output(subtype="FLOAT"))
    return render(spec, assets=AssetStore(roots), stems=True)


def db(y: np.ndarray) -> float:
    """Return the RMS in dB."""
    return float(10 * np.log10(np.mean(np.square(y)) + 1e-30))


def onset_ms(y: np.ndarray, sr: int) -> float:
    """Return where a sound begins."""
    n = sr // 1000
    power = np.convolve(np.square(y), np.ones(n) / n)[: y.size]
    return 1000 * float(np.argmax(power > power.max() * 10 ** (FLOOR_DB / 10))) / sr


def apart(mine: np.ndarray, theirs: np.ndarray, sr: int) -> tuple[float, float]:
    """Return how much louder (dB) and later (ms) one sound is than another."""
    return db(mine) - db(theirs), onset_ms(mine, sr) - onset_ms(theirs, sr)


def events_apart(clip: Clip, alone: list[np.ndarray], scale: float) -> list[tuple[float, float]]:
    """Return that of every event that is heard, without reverb, and before the mix is scaled to its peak."""
    mine = [y[0] for name, y in clip.stems.items() if name.startswith("event")]
    own = 10 ** (clip.decisions.mix_gain_db / 20)
    pairs = zip(mine, alone[-len(mine) :], strict=True) if mine else ()
    return [apart(np.asarray(a, dtype=float) / own, b / scale, clip.spec.sr) for a, b in pairs if b.any()]


def compared(peer: str, kind: str, count: int) -> tuple[list[Row], list[str]]:
    """Return how scenes differ, and their files."""
    rows, names = [], []
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
            scale = facts["peak_normalization_scale_factor"]
            level, onset = apart(mine, theirs, clip.spec.sr)
            unscaled = level - clip.decisions.mix_gain_db + 20 * np.log10(scale)
            with np.load(jams.with_suffix(".npz")) as sounds:
                events = events_apart(clip, [sounds[name][:, 0] for name in sounds.files], scale)
            rows.append((float(off), db((mine - theirs)[:n]) - db(theirs), level, unscaled, onset, events))
            names.append(jams.name)
    return rows, names


def lags(kind: str) -> None:
    """Print what scaper_peer.py's `lags` prints, of our effect: onsets move, and they move as SoX's do."""
    rng, sr = np.random.RandomState(0), 44_100
    for value in STRETCHES if kind == "stretch" else SHIFTS:
        effect = Splice(rate=1 / value) if kind == "stretch" else Splice(semitones=value)
        moved = []
        for place in PLACES:
            y, n = np.zeros(int(1.5 * sr)), int(0.3 * sr)
            y[int(place * sr) :][:n] = rng.standard_normal(n) * 0.1 * np.exp(-np.arange(n) / (0.1 * sr))
            made = np.abs(effect.apply(y[None], RenderContext(sr=sr))[0])
            onset = np.flatnonzero(made > 0.1 * made.max())[0] / sr
            moved.append(1000 * (onset - place * (value if kind == "stretch" else 1.0)))
        print(f"here, {kind} {value:g}: " + " ".join(f"{ms:.1f}" for ms in moved), "ms")


def references() -> bool:
    """Print how the three reference files differ: the mix, and each event's level and onset; return whether all are near."""
    near = True
    for name in ("ref1", "ref2", "ref3"):
        folder = SOUNDS / "reference"
        clip = ours(folder / f"{name}.jams", {"audio": SOUNDS / "audio"})
        theirs = soundfile.read(folder / f"{name}.wav")[0]
        files = sorted((folder / f"{name}_events").glob("foreground*.wav"))
        level, onset = apart(clip.y[0], theirs, clip.spec.sr)
        events = events_apart(clip, [soundfile.read(file)[0] for file in files], 1.0)
        print(
            f"{name}: largest difference {np.abs(clip.y[0] - theirs).max():.3g}, level {level:+.4f} dB, onset {onset:+.3f} ms; "
            f"{len(events)} events alone: {told(events)}"
        )
        near = near and within([(level, onset), *events])
    return near


def told(pairs: list[tuple[float, float]]) -> str:
    """Return the largest differences in words."""
    level, onset = (max((abs(pair[i]) for pair in pairs), default=0.0) for i in (0, 1))
    return f"levels within {level:.4f} dB, onsets within {onset:.3f} ms"


def within(pairs: list[tuple[float, float]]) -> bool:
    """Return whether levels and onsets are as near as they should be."""
    return all(abs(level) <= LEVEL_DB and abs(onset) <= ONSET_MS for level, onset in pairs)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True, help="a Python that has scaper 1.6.5")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    asked = parser.parse_args()
    good = references()
    for kind in asked.kinds:
        rows, names = compared(asked.peer, kind, asked.count)
        off, residual, unscaled = (np.array([row[i] for row in rows]) for i in (0, 1, 3))
        mixes, events = [(row[2], row[4]) for row in rows], [event for row in rows for event in row[5]]
        good = good and within(mixes) and within(events) and (kind != "plain" or off.max() <= ALLOWED)
        print(
            f"{kind}: {len(rows)} scenes, largest difference {off.max():.3g} ({names[int(off.argmax())]}), residual median "
            f"{np.median(residual):.1f} dB, worst {residual.max():.1f} dB; mixes: {told(mixes)}, without the scaling to the peak "
            f"{np.abs(unscaled).max():.4f} dB; {len(events)} events alone: {told(events)}"
        )
        if kind in ("stretch", "pitch"):
            command = [asked.peer, PEER, "lags", SOUNDS / "audio", ".", kind]
            print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")
            lags(kind)
    print(f"levels within {LEVEL_DB} dB and onsets within {ONSET_MS} ms: {'yes' if good else 'NO'}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
