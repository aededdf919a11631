"""What the parts of `scale.py` share: a row of its table, what was asked, and clips made one by one as a build makes them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import augment_speed

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import write_recipe, write_wav

from audiosynth import load_recipe, plan_clip, render
from audiosynth.building.clips import write_clip
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.records.text import dumps


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    work: str
    ours: str
    other: str
    ratio: str
    target: str


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    scaper: str | None
    audiomentations: str | None
    lhotse: str | None
    rounds: int
    clips: int
    index_rows: int
    two_core_clips: int
    folder: Path


def made_in_turn(recipe: Path, asked: Asked) -> Callable[[int], None]:
    """Return what makes clip `i` of a recipe as a build does."""
    loaded = load_recipe(recipe, cache_dir=asked.folder / "cache")
    work, scratch = Workspace(AssetStore(loaded.roots)), asked.folder / "scratch"
    scratch.mkdir(exist_ok=True)

    def clip(i: int) -> None:
        made = render(plan_clip(loaded, "train", i), assets=work)
        dumps(write_clip(made, asked.folder / "out", scratch=scratch, recipe_sha256="0" * 64).row(work))

    return clip


def room_recipe(folder: Path) -> Path:
    """Return the recipe of a word of 1 s in a new room for every clip, RT60 0.6 s."""
    for k in range(8):
        write_wav(folder / "words" / f"w{k}.wav", augment_speed.voice(1.0, k), augment_speed.SR)
    inside = [{"uniform": [0.5, 3.5]}, {"uniform": [0.5, 2.4]}, {"uniform": [0.5, 1.9]}]
    event = {
        "label": "x", "source": {"type": "file", "recording": {"pick": {"from": "words"}}, "trim": False}, "onset": 0.0,
        "snr_db": 14, "position": {"point": inside}, "overrun": "cut",
    }  # fmt: skip
    room = {
        "type": "shoebox", "rt60": 0.6, "size": [{"uniform": [4, 8]}, {"uniform": [3, 6]}, {"uniform": [2.4, 3.5]}],
        "receiver": {"position": {"point": inside}},
    }  # fmt: skip
    tree = {
        "sr": augment_speed.SR, "duration": 1.0, "clips": 20_000, "room": room, "data": {"words": "words"}, "events": [event],
        "catalogues": {"words": {"data": "words", "layout": "flat", "group": None}},
        "noise": {"type": "coloured", "colour": "white", "level_dbfs": -40},
    }  # fmt: skip
    return write_recipe(folder / "room.yaml", tree)
