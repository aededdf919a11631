"""How fast conversations are planned, and that they are what was asked: `python tests/bench/talks.py [--clips 10000] [--speech DIR]`.

Every kind of tests/talk_check.py is planned in turn; each spec is then judged by counting sample by sample (which is not timed). With a
folder of speech (files called SPEAKER-CHAPTER-UTTERANCE), also the meetings of the shipped recipe, at 16 kHz. Times are CPU times of one core.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import write_recipe
from scene_check import heard
from talk_check import TALKS, ratio_by_counting, recipe_of, talk_faults

from audiosynth import load_recipe, plan_clip, shipped_recipe
from audiosynth.errors import PlanError


def planned(recipe: Any, talk: dict[str, Any], clips: int) -> tuple[float, int, int, int, list[float]]:
    """Return clips a second, how many broke what was asked, could not be planned, fell short, and errors of the ratio in samples."""
    plan_clip(recipe, "train", 0)
    seconds, broken, impossible, short, off = 0.0, 0, 0, 0, []
    for i in range(clips):
        start = time.process_time()
        try:
            spec = plan_clip(recipe, "train", i)
        except PlanError:
            impossible += 1
            continue
        finally:
            seconds += time.process_time() - start
        tree, one = spec.to_json(), spec.conversations[0]
        broken += bool(talk_faults(tree, talk))
        short += one.asked is not None
        if one.overlap_ratio is not None:
            masks = [heard(event, tree["n_samples"]) for event in tree["events"]]
            off.append(abs(ratio_by_counting(masks) - one.overlap_ratio))
    return clips / seconds, broken, impossible, short, off


def main() -> None:
    """Print one line for each kind of conversation."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--speech", default="", help="folder of utterances for the shipped meetings")
    parser.add_argument("--speakers", default="{integers: [2, 4]}", help="of the shipped meetings")
    parser.add_argument("--meetings", type=int, default=1000)
    args = parser.parse_args()
    heads = ("clips/s", "broken", "impossible", "short", "mean error", "largest")
    print(f"{'kind':34}" + "".join(f"{head:>12}" for head in heads))

    def told(kind: str, found: tuple[float, int, int, int, list[float]]) -> None:
        rate, broken, impossible, short, off = found
        print(
            f"{kind:34}{rate:12.0f}{broken:12d}{impossible:12d}{short:12d}{np.mean(off):12.1e}{np.max(off):12.1e}",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as name:
        for kind, talk in TALKS.items():
            recipe = load_recipe(write_recipe(Path(name) / "talk.yaml", recipe_of(talk, clips=args.clips)))
            told(kind, planned(recipe, talk, args.clips))
    if args.speech:
        asked = {"speakers": [2, 8], "n": [10, 16], "again": 0.1, "pause": [0.1, 1.5], "max_length": 180}
        sets = [f"let.speakers={args.speakers}"]
        recipe = load_recipe(
            shipped_recipe("speech_meetings"), data={"speech": args.speech}, set_values=sets, clips=args.meetings
        )
        told("speech_meetings", planned(recipe, asked, args.meetings))


if __name__ == "__main__":
    main()
