"""Are the hashes of a build the same everywhere? Build each recipe once, then give every clip back under other conditions.

    python tests/bench/everywhere.py [--clips 300] [--data NAME=DIR …] [--python INTERPRETER …]

Conditions: another process; one and two workers; shuffled order; NumPy's SIMD paths off (names from NumPy's own dispatch
list, and the child checks that they are off); every interpreter given that has audiosynth installed. Prints one line a
recipe and condition with the number of clips whose hash is the recorded one. Recipes whose data roots are not given are
left out, and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from audiosynth import build, load_recipe, shipped_recipe
from audiosynth.errors import AssetError
from audiosynth.files.shipped import shipped_recipes

CHILD = """
import json, sys
import numpy as np
from audiosynth import reproduce
off = {off!r}
if off:
    try:
        from numpy._core._multiarray_umath import __cpu_features__ as features
    except ImportError:
        from numpy.core._multiarray_umath import __cpu_features__ as features
    still = [name for name in off if features[name]]
    assert not still, f"still on: {{still}}"
data = dict(item.split("=", 1) for item in sys.argv[2:])
results = [r.same for r in reproduce(open(sys.argv[1], encoding="utf-8"), data=data)]
print(json.dumps([sum(results), len(results), sys.version.split()[0], np.__version__]))
"""


def dispatched() -> list[str]:
    """Return the SIMD features that this NumPy dispatches to on this machine."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__[name]]


def child(python: str, manifest: Path, data: list[str], *, off: list[str]) -> str:
    """Reproduce a manifest in a process of its own; returns what it found."""
    env = {**os.environ, "PYTHONHASHSEED": "123", "LC_ALL": "C"}
    if off:
        env["NPY_DISABLE_CPU_FEATURES"] = " ".join(off)
    command = [python, "-c", CHILD.format(off=off), str(manifest), *data]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        return f"FAILED: {done.stderr.strip().splitlines()[-1]}"
    same, total, version, numpy = json.loads(done.stdout)
    return f"{same}/{total} equal (Python {version}, NumPy {numpy})"


def shuffled(manifest: Path) -> Path:
    """Return a copy of a manifest in another order."""
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    lines = [lines[i] for i in np.random.default_rng(5).permutation(len(lines))]
    out = manifest.with_name("shuffled.jsonl")
    out.write_text("".join(lines), encoding="utf-8")
    return out


def hashes(manifest: Path) -> list[str]:
    """Return the sample hashes of a manifest."""
    return [json.loads(line)["pcm_sha256"] for line in manifest.read_text(encoding="utf-8").splitlines()]


def one_recipe(name: str, options: argparse.Namespace, folder: Path) -> None:
    """Print all conditions of one recipe."""
    given = dict(item.split("=", 1) for item in options.data)
    try:
        recipe = load_recipe(shipped_recipe(name), data=given)
        share = max(1, round(options.clips / len(recipe.clips)))
        recipe = load_recipe(shipped_recipe(name), data=given, clips=share)
    except AssetError as error:
        print(f"{name:16} left out: {str(error).splitlines()[0]}")
        return
    one = build(recipe, folder / f"{name}1", workers=1).root / "manifest.jsonl"
    two = build(recipe, folder / f"{name}2", workers=2).root / "manifest.jsonl"
    print(
        f"{name:16} {'1 and 2 workers':22} {sum(a == b for a, b in zip(hashes(one), hashes(two), strict=True))}/{len(hashes(one))} equal"
    )
    mixed = shuffled(one)
    print(f"{name:16} {'shuffled, own process':22} {child(sys.executable, mixed, options.data, off=[])}")
    off = dispatched()
    wide = [name for name in off if "AVX512" in name or name == "X86_V4"]
    for title, names in (("AVX-512 off", wide), ("all dispatched off", off)):
        if names:
            print(f"{name:16} {title:22} {child(sys.executable, mixed, options.data, off=names)}   [{' '.join(names)}]")
    for python in options.python:
        print(f"{name:16} {'other interpreter':22} {child(python, mixed, options.data, off=[])}")


def main() -> None:
    """Run all recipes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--data", action="append", default=[])
    parser.add_argument("--python", action="append", default=[])
    parser.add_argument("--recipe", action="append", default=[])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.recipe or shipped_recipes():
            one_recipe(name, options, Path(folder))


if __name__ == "__main__":
    main()
