"""Stems that add up: `python tests/bench/separation.py [clips]`: the set of recipes/separation.yaml, read back by FUSS's rules.

Prints how many mixtures the 16-bit files of their sources sum to without error, what the same sum is where sources are rounded
on their own (as FUSS's own scripts write them), and what the stems cost.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from material import read_wav

from audiosynth import build, load_recipe, plan_clip, render, shipped_recipe

CLIPS = int(sys.argv[1]) if len(sys.argv) > 1 else 20


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        took = {}
        plain = ["output.stems=false", "export=[]"]
        for label, values in (("first", plain), ("without", plain), ("with", [])):  # the first one compiles
            recipe = load_recipe(
                shipped_recipe("separation"), clips=CLIPS, set_values=values, cache_dir=Path(name) / "cache"
            )
            begun = time.process_time()
            root = build(recipe, Path(name) / label).root
            took[label] = (time.process_time() - begun) / (3 * CLIPS)
        exact, sources, off = 0, 0, 0
        lists = sorted((root / "labels" / "fuss").glob("*_example_list.txt"))
        lines = [(path.parent, line.split("\t")) for path in lists for line in path.read_text().splitlines()]
        for folder, (mixture, *files) in lines:
            parts = [read_wav(folder / file)[0].astype(int) for file in files]
            exact += np.array_equal(np.sum(parts, axis=0), read_wav(folder / mixture)[0])
            sources += len(files)
        recipe = load_recipe(shipped_recipe("separation"), set_values=["output.subtype=FLOAT", "output.stems={}"])
        for ordinal in range(min(CLIPS, 10)):
            clip = render(plan_clip(recipe, "train", ordinal), stems=True)
            rounded = [np.rint(y.astype(np.float64) * 32768) for y in clip.stems.values()]
            off += not np.array_equal(np.sum(rounded, axis=0), clip.pcm16)
        size = soundfile.info(folder / mixture).frames
    print(
        f"{exact} of {len(lines)} mixtures are the sum of their 16-bit files exactly ({sources} files, {size} samples each)"
    )
    print(f"rounded each on its own: {min(CLIPS, 10) - off} of {min(CLIPS, 10)}")
    print(
        f"processor time a clip: {1e3 * took['without']:.0f} ms without stems, {1e3 * took['with']:.0f} ms with wet and dry ones"
    )
    sys.exit(exact != len(lines))


if __name__ == "__main__":
    main()
