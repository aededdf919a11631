"""Do the field's own readers take a set's card and its Croissant description? Each reader in an environment of its own.

    python tests/bench/card.py [--envs DIR]

Builds a small set of a declared licence with the exporter croissant, reads README.md with huggingface_hub (front matter into
`DatasetCardData`, and back) and labels/croissant/metadata.json with mlcroissant (licence, and every record), and prints what
they found. With --envs the environments are kept and used again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from material import full_recipe
from readers import environment

from audiosynth import build, load_recipe

READ_CARD = """
import sys, huggingface_hub
from huggingface_hub import DatasetCard
card = DatasetCard.load(sys.argv[1])
data = card.data.to_dict()
again = DatasetCard(str(card)).data.to_dict()
assert again == data, (again, data)
assert data["license"] == "cc-by-4.0" and data["pretty_name"] == "full", data
assert card.text.strip().startswith("# full"), card.text[:80]
print("huggingface_hub", huggingface_hub.__version__, data)
"""
READ_CROISSANT = """
import sys, importlib.metadata, mlcroissant
found = mlcroissant.Dataset(jsonld=sys.argv[1])
counts = {name: sum(1 for _ in found.records(name)) for name in ("clips", "events", "tags")}
assert found.metadata.license == ["CC-BY-4.0"], found.metadata.license
assert counts["clips"] == 9 and counts["events"] >= 9, counts
print("mlcroissant", importlib.metadata.version("mlcroissant"), found.metadata.license, counts)
"""


def main() -> None:
    """Build the set and let both read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envs", type=Path, help="folder of the environments, kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        recipe = full_recipe(folder / "m", licence={"set": "CC-BY-4.0"}, export=["croissant"])
        free = [f"catalogues.{name}.licence=CC0-1.0" for name in ("rooms", "beds")]
        root = build(load_recipe(recipe, set_values=free), folder / "out").root
        envs = (options.envs or folder / "envs").resolve()
        envs.mkdir(parents=True, exist_ok=True)
        for name, code, file in (
            ("huggingface_hub", READ_CARD, root / "README.md"),
            ("mlcroissant", READ_CROISSANT, root / "labels" / "croissant" / "metadata.json"),
        ):
            python = environment(envs / name, (name,))
            done = subprocess.run(
                [str(python), "-W", "ignore", "-c", code, str(file)], capture_output=True, text=True, check=False
            )
            print(
                done.stdout.strip() if not done.returncode else f"{name} FAILED: {done.stderr.strip().splitlines()[-1]}"
            )


if __name__ == "__main__":
    main()
