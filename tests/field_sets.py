"""Small built datasets with everything that label files stumble over, for the tests and benches of readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from material import write_recipe

from audiosynth import build, export_labels, load_recipe

AWKWARD = [
    "yes", "no", "on", "dog bark", "Vögel", "犬 und Hund", 'six 6" nails', "it's", "7", "a/b", "#tag", ".hidden", "a;b", "rain, heavy",
]  # fmt: skip
"""Labels that some format somewhere has read as something else."""
PLAIN = ["alarm", "Speech", "dog bark", "on", "it's"]
EVENT: dict[str, Any] = {
    "source": {"type": "tone", "frequency": {"uniform": [300, 900]}, "duration": {"uniform": [0.2, 0.9]}},
    "room": {"type": "statistical", "rt60": 0.3, "drr_db": 5},
    "onset": {"slack": {"uniform": [0, 1]}},
    "snr_db": {"uniform": [0, 20]},
}
HEARD = {"offset": "tail", "tail_db": -20, "drop_below_snr_db": 3}
"""Offsets with their reverberation; a seventh of the events cannot be heard."""
FORMATS = [
    "jams", "rttm", "stm", "ctm", "textgrid", "audacity", "webdataset", "croissant", "audiofolder", "csv", "jsonl",
]  # fmt: skip


def tree(classes: list[str], **changes: Any) -> dict[str, Any]:
    """Return a recipe of up to five events a clip, some of one class overlapping, some clips empty."""
    event = {"label": {"weighted": [[len(classes), "dog bark"], *([1, label] for label in classes)]}, **EVENT}
    return {
        "sr": 8000, "duration": 2.0, "seed": 6, "clips": {"train": 40, "test": 12, "weak": 4, "bare": 4},
        "supervision": {"weak": "weak", "bare": "none"}, "labels": HEARD,
        "noise": {"type": "coloured", "slope_db": -3, "level_dbfs": -50},
        "events": [{"repeat": {"n": {"integers": [0, 5]}, "of": event}}], "export": ["jsonl"], **changes,
    }  # fmt: skip


def awkward_set(folder: Path, *, parquet: bool = True) -> Path:
    """Build a set whose labels are awkward, and export it in every format that takes them."""
    root = build(
        load_recipe(write_recipe(folder / "awkward.yaml", tree(AWKWARD)), cache_dir=folder / "c"), folder / "awkward"
    ).root
    mids = {label: f"/m/{i:05d}" for i, label in enumerate(AWKWARD)}
    export_labels(root, [*FORMATS, {"type": "audioset", "mids": mids}, *(["parquet"] if parquet else [])])
    return root


def desed_set(folder: Path) -> Path:
    """Build a set whose labels the oldest readers of DESED's tables take, and export it for them."""
    root = build(
        load_recipe(write_recipe(folder / "plain.yaml", tree(PLAIN)), cache_dir=folder / "c"), folder / "plain"
    ).root
    export_labels(root, ["desed"])
    return root


def single_set(folder: Path) -> Path:
    """Build a set of one class a clip, or none, in five splits, and export it as ESC-50's table."""
    event = {"maybe": {"p": 0.8, "then": {"label": {"choice": PLAIN}, **EVENT}}}
    recipe = tree(PLAIN, clips={f"fold{i}": 4 for i in range(1, 6)}, events=[event], supervision={})
    root = build(
        load_recipe(write_recipe(folder / "single.yaml", recipe), cache_dir=folder / "c"), folder / "single"
    ).root
    export_labels(root, ["esc50"])
    return root
