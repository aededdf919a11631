"""How fast scenes are planned, and that their rules hold: `python tests/bench/scenes.py [--clips 10000] [--kind WORD]`.

Every kind of rule of tests/scene_check.py is planned in turn; each spec is then judged by counting sample by sample (which is not
timed). Beside it, the same scenes by rejection, as users of generators without overlap control do: whole scenes drawn until one
happens to hold, by the same planner without rules. Times are CPU times of one core.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import write_recipe
from scene_check import KINDS, faults

from audiosynth import load_recipe, plan_clip
from audiosynth.errors import PlanError

REJECTIONS = 300
"""Scenes that are drawn at most until one holds."""


def planned(tree: dict, folder: Path, clips: int) -> tuple[float, int, int]:
    """Return scenes a second, how many broke a rule, and how many could not be planned."""
    recipe = load_recipe(write_recipe(folder / "scene.yaml", {**tree, "clips": clips}))
    plan_clip(recipe, "train", 0)
    seconds, broken, impossible = 0.0, 0, 0
    for i in range(clips):
        start = time.process_time()
        try:
            spec = plan_clip(recipe, "train", i)
        except PlanError:
            impossible += 1
            continue
        finally:
            seconds += time.process_time() - start
        tree_of = spec.to_json()
        broken += bool(faults(tree_of, {k: v for k, v in tree_of["scene"].items() if v is not None}))
    return clips / seconds, broken, impossible


def rejected(tree: dict, folder: Path, clips: int) -> tuple[float, float]:
    """Return scenes a second by rejection, and the share that is found within `REJECTIONS` draws."""
    free = {key: value for key, value in tree.items() if key != "scene"}
    recipe = load_recipe(write_recipe(folder / "free.yaml", {**free, "clips": clips * REJECTIONS}))
    seconds, found = 0.0, 0
    for i in range(clips):
        for k in range(REJECTIONS):
            start = time.process_time()
            try:
                spec = plan_clip(replace(recipe, seed=k), "train", i)
            except PlanError:
                continue
            finally:
                seconds += time.process_time() - start
            if not faults(spec.to_json(), tree["scene"]):
                found += 1
                break
    return found / seconds, found / clips


def may_be_rejected(rules: dict) -> bool:
    """Return whether rejection means the same: not where limits are drawn or events left out."""
    drawn = any(isinstance(value, dict) and "integers" in value for value in rules.values())
    return not drawn and "when_full" not in rules


def main() -> None:
    """Print one line for each kind of rule."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--rejected", type=int, default=10, help="scenes to find by rejection; 0: none")
    parser.add_argument("--kind", default="")
    args = parser.parse_args()
    print(f"{'kind':42} {'scenes/s':>9} {'broken':>7} {'impossible':>10} {'by rejection':>13} {'found':>6}")
    for kind, tree in KINDS.items():
        if args.kind not in kind:
            continue
        with tempfile.TemporaryDirectory() as name:
            rate, broken, impossible = planned(tree, Path(name), args.clips)
            told = f"{'-':>13} {'-':>6}"
            if args.rejected and may_be_rejected(tree["scene"]):
                other, share = rejected(tree, Path(name), args.rejected)
                told = f"{other:13.1f} {100 * share:5.0f}%"
        print(f"{kind:42} {rate:9.0f} {broken:7d} {impossible:10d} {told}", flush=True)


if __name__ == "__main__":
    main()
