"""Sound and recipes that the tests make for themselves."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import yaml


def tone(frequency: float, seconds: float, sr: int, *, level: float = 0.3) -> np.ndarray:
    """Return a sine of RMS `level`, shape (1, n)."""
    t = np.arange(round(seconds * sr)) / sr
    return level * np.sqrt(2) * np.sin(2 * np.pi * frequency * t)[None]


def noise(seconds: float, sr: int, *, seed: int, channels: int = 1, level: float = 0.1) -> np.ndarray:
    """Return Gaussian noise of RMS `level`."""
    return level * np.random.default_rng(seed).standard_normal((channels, round(seconds * sr)))


def room(seconds: float, sr: int, *, seed: int, channels: int = 1, delay: int = 37) -> np.ndarray:
    """Return an exponentially decaying response with a clear direct sound after `delay` samples."""
    n = round(seconds * sr)
    decay = 10.0 ** (-3.0 * np.arange(n) / n)
    h = 0.05 * np.random.default_rng(seed).standard_normal((channels, n)) * decay
    h = np.concatenate([np.zeros((channels, delay)), h], axis=1)
    h[:, delay] = 0.8
    return h


def write_wav(path: Path, y: np.ndarray, sr: int) -> Path:
    """Write 16-bit WAV with the standard library: a writer that is not ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pcm = np.clip(np.rint(y * 32768), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(pcm.shape[0])
        file.setsampwidth(2)
        file.setframerate(sr)
        file.writeframes(np.ascontiguousarray(pcm.T).tobytes())
    return path


def read_wav(path: Path) -> tuple[np.ndarray, int]:
    """Read 16-bit WAV with the standard library; integers, shape (n_channels, n)."""
    with wave.open(str(path), "rb") as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return raw.reshape(-1, file.getnchannels()).T, file.getframerate()


def write_recipe(path: Path, tree: dict) -> Path:
    """Write a recipe with PyYAML's own writer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def sounds(folder: Path) -> Path:
    """Write a small bank: two labels × three speakers × two takes, 8 kHz, with silence at both ends."""
    for i, label in enumerate(("yes", "no")):
        for j, speaker in enumerate(("ann", "bob", "cleo")):
            for take in range(2):
                y = tone(300 + 200 * i + 40 * j + 7 * take, 0.3 + 0.05 * take, 8000)
                quiet = np.zeros((1, 800))
                write_wav(folder / f"{label}_{speaker}_{take}.wav", np.concatenate([quiet, y, quiet], axis=1), 8000)
    return folder


def full_recipe(folder: Path, **changes: object) -> Path:
    """Write recordings and a recipe that uses all of them: keywords in rooms over a recorded background."""
    sounds(folder / "words")
    for k in range(2):
        write_wav(folder / "rooms" / f"room{k}.wav", room(0.2, 16000, seed=k), 16000)
        write_wav(folder / "beds" / f"bed{k}.wav", noise(3.0, 16000, seed=10 + k), 16000)
    tree = {
        "name": "full",
        "seed": 3,
        "sr": 16000,
        "duration": 1.5,
        "clips": {"train": 6, "test": 3},
        "data": {"words": "words", "rooms": "rooms", "beds": "beds"},
        "catalogues": {
            "words": {
                "data": "words",
                "pattern": "{label}_{speaker}_{take}.wav",
                "group": "speaker",
                "licence": "CC0-1.0",
            },
            "rooms": {"data": "rooms", "layout": "flat", "group": None},
            "beds": {"data": "beds", "layout": "flat", "group": None},
        },
        "splits": {"shares": {"train": 2, "test": 1}, "assign": {"ann": "train", "bob": "train", "cleo": "test"}},
        "events": [
            {
                "repeat": {
                    "n": {"integers": [1, 2]},
                    "of": {
                        "let": {"take": {"pick": {"from": "words"}}},
                        "label": "$take.label",
                        "source": {"type": "file", "recording": "$take"},
                        "onset": {"slack": {"uniform": [0, 1]}},
                        "room": {"type": "measured", "recording": {"pick": {"from": "rooms"}}},
                        "snr_db": {"uniform": [0, 20]},
                    },
                }
            }
        ],
        "noise": {"type": "file", "recordings": [{"pick": {"from": "beds"}}], "level_dbfs": {"uniform": [-40, -30]}},
        "export": ["desed", "jsonl"],
    }
    tree.update(changes)
    return write_recipe(folder / "full.yaml", tree)


def tree_of(root: Path) -> dict[str, bytes]:
    """Return every file of a folder with its bytes."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}
