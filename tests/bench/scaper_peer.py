"""scaper's side of scaper_oracle.py and scaper_speed.py, run by a Python that has scaper 1.6.5 (numpy < 2).

    PEER tests/bench/scaper_peer.py scenes AUDIO OUT COUNT KIND   # random scenes: OUT/nn.jams, nn.npy and nn.npz (float64)
    PEER tests/bench/scaper_peer.py again AUDIO OUT FILE.jams…    # the same of files that are there
    PEER tests/bench/scaper_peer.py lags AUDIO OUT KIND           # how late onsets are after SoX's tempo or pitch
    PEER tests/bench/scaper_peer.py clock AUDIO OUT KIND          # one clip per line of input; answers its seconds

KIND is plain (same rate, no effects), plan (the same without audio), rates (16 kHz), effects (pitch, stretch, reverb), stretch or pitch.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import numpy as np
import scaper
import soundfile

warnings.simplefilter("ignore")


def short_background(audio: Path, out: Path) -> Path:
    """Return a folder with a background of 2.3 s, which must be repeated: the start of the street."""
    file = out / "short" / "street" / "short.wav"
    if not file.is_file():
        file.parent.mkdir(parents=True)
        y, sr = soundfile.read(next((audio / "background" / "street").glob("*.wav")), dtype="int16")
        soundfile.write(file, y[: int(2.3 * sr)], sr, subtype="PCM_16")
    return out / "short"


def scene(audio: Path, out: Path, i: int, kind: str) -> scaper.Scaper:
    """Return a random scene: of its background, events, times, levels, fades and what is done about its peak."""
    rng = np.random.RandomState(1000 + i)
    short = i % 3 == 2
    duration = float(np.round(rng.uniform(3.0, 12.0), int(rng.randint(0, 5))))
    background = short_background(audio, out) if short else audio / "background"
    sc = scaper.Scaper(duration, str(audio / "foreground"), str(background), random_state=i)
    sc.sr = 16_000 if kind == "rates" else 44_100
    sc.n_channels = 1
    sc.ref_db = float(rng.uniform(-50, -10)) if i % 2 else -20
    sc.fade_in_len, sc.fade_out_len = (0.01, 0.01) if i % 4 else (float(rng.uniform(0, 0.2)), 0.0)
    for _ in range(1 + (i % 5 == 4 and not short)):
        sc.add_background(("choose", []), ("choose", []), ("uniform", 0, 30) if not short else ("const", 0))
    for _ in range(rng.randint(1, 9)):
        sc.add_event(
            ("choose", []), ("choose", []), ("uniform", 0, 0.5), ("uniform", 0, duration), ("uniform", 0.02, 2.0),
            ("uniform", -5, 20), ("uniform", -3, 3) if kind in ("effects", "pitch") else None,
            ("uniform", 0.8, 1.2) if kind in ("effects", "stretch") else None,
        )  # fmt: skip
    return sc


def generate(sc: scaper.Scaper, name: str | None, i: int, kind: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the mix in float64, as it is before it is written, and every sound of it alone."""
    y, _, _, alone = sc.generate(
        audio_path=f"{name}.wav" if name else None, jams_path=f"{name}.jams" if name else None,
        reverb=0.3 if kind == "effects" else None, fix_clipping=i % 3 == 0, peak_normalization=i % 7 == 6,
    )  # fmt: skip
    return y, alone


def lags(kind: str) -> None:
    """Print by how many ms SoX moves the onset of a burst that begins so many seconds into a sound, against the stretch asked for."""
    import sox

    sr, places = 44_100, (0.0, 0.05, 0.1, 0.2, 0.3, 0.37, 0.5, 0.73)
    rng = np.random.RandomState(0)
    for value in (0.8, 0.9, 1.1, 1.25) if kind == "stretch" else (-3, -1, 1, 3):
        moved = []
        for place in places:
            y, n = np.zeros(int(1.5 * sr)), int(0.3 * sr)
            y[int(place * sr) :][:n] = rng.standard_normal(n) * 0.1 * np.exp(-np.arange(n) / (0.1 * sr))
            tfm = sox.Transformer()
            if kind == "stretch":
                tfm.tempo(1 / value, audio_type="s")
            else:
                tfm.pitch(value)
            made = np.abs(tfm.build_array(input_array=y, sample_rate_in=sr))
            onset = np.flatnonzero(made > 0.1 * made.max())[0] / sr
            moved.append(1000 * (onset - place * (value if kind == "stretch" else 1.0)))
        print(f"SoX, {kind} {value:g}: a burst at {places} s is late by", " ".join(f"{ms:.1f}" for ms in moved), "ms")


def clocked(audio: Path, i: int, kind: str) -> scaper.Scaper:
    """Return the scene whose time is taken: 10 s, 44.1 kHz, four events of 1 s at most."""
    sc = scaper.Scaper(10.0, str(audio / "foreground"), str(audio / "background"), random_state=i)
    sc.sr, sc.n_channels, sc.ref_db = 44_100, 1, -30
    sc.add_background(("choose", []), ("choose", []), ("uniform", 0, 30))
    effects = (("uniform", -3, 3), ("uniform", 0.8, 1.2)) if kind != "plain" else (None, None)
    for _ in range(4):
        sc.add_event(
            ("choose", []), ("choose", []), ("const", 0), ("uniform", 0, 9), ("const", 4), ("uniform", 0, 20), *effects
        )
    return sc


def clock(audio: Path, out: Path, kind: str) -> None:
    """Generate a clip (WAV and JAMS) for every line of input and answer with the seconds it took."""
    for i, _ in enumerate(iter(sys.stdin.readline, "")):
        start = time.process_time()
        clocked(audio, i, "plain" if kind == "plan" else kind).generate(
            audio_path=str(out / "peer.wav"),
            jams_path=str(out / "peer.jams"),
            reverb=0.2 if kind not in ("plain", "plan") else None,
            no_audio=kind == "plan",
        )
        print(time.process_time() - start, flush=True)


def main(command: str, audio: Path, out: Path, *rest: str) -> None:
    """Do what the command line says."""
    if command == "clock":
        clock(audio, out, rest[0])
    elif command == "scenes":
        i = 0
        while len(list(out.glob("*.npy"))) < int(rest[0]):
            name, i = str(out / f"{i:02d}"), i + 1
            try:
                y, alone = generate(scene(audio, out, i, rest[1]), name, i, rest[1])
            except ValueError as error:
                print(f"scaper fails on scene {i}: {error}")
                Path(f"{name}.jams").unlink(missing_ok=True)
                continue
            np.save(f"{name}.npy", y)
            np.savez(f"{name}.npz", *alone)
    elif command == "lags":
        lags(rest[0])
    else:
        for file in rest:
            roots = {"fg_path": str(audio / "foreground"), "bg_path": str(audio / "background")}
            y = scaper.generate_from_jams(file, str(out / "again.wav"), **roots)[0]
            np.save(out / f"{Path(file).stem}.npy", y)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
