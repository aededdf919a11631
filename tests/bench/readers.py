"""Do the field's own readers read what the exporters write? Each reader in an environment of its own, one line each.

    python tests/bench/readers.py [--envs DIR] [--only NAME …]

Builds the sets of `tests/field_sets.py` (awkward labels, empty clips, overlaps, inaudible events, tails, weak and unlabeled
splits), makes an environment for every distribution in `WANTS` with nothing of ours in it, lets `tests/field_readers.py` read
there, and prints version, size of the installation, events and clips read, F1 against the manifest, and the reader's own
score of the labels against themselves where it has one. With --envs the environments are kept and used again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from field_readers import READERS  # noqa: E402
from field_sets import awkward_set, desed_set, single_set  # noqa: E402

WANTS: dict[str, tuple[str, ...]] = {
    "jams": ("jams",),
    "pyannote.database": ("pyannote.database",),
    "meeteval": ("meeteval",),
    "praatio": ("praatio",),
    "textgrid": ("textgrid",),
    "crowsetta": ("crowsetta",),
    "webdataset": ("webdataset",),
    "mlcroissant": ("mlcroissant",),
    "datasets parquet": ("datasets",),
    "datasets audiofolder": ("datasets[audio]<4",),  # later ones decode with torch
    "pyarrow": ("pyarrow",),
    "pandas": ("pandas",),
    "soundata": ("soundata",),
    "sed_eval": ("sed_eval", "setuptools<81"),  # it imports pkg_resources
    "sed_scores_eval": ("sed_scores_eval", "setuptools<81", "pandas<3"),  # it writes into what pandas 3 has read-only
    "psds_eval": ("psds_eval", "numpy<2", "pandas<2.2"),
}
"""What to install for a reader, by its name or its distribution."""
HEADERS = ("reader", "version", "MB", "events", "clips", "F1", "own score", "s")
ROW = "{:22} {:9} {:>5} {:>9} {:>6} {:>6} {:>9} {:>6}"


def environment(folder: Path, wants: tuple[str, ...]) -> Path:
    """Make an environment with the given distributions, or take the one that is there; returns its Python."""
    python = folder / "bin" / "python"
    if not (folder / "ready").is_file():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wants]
        subprocess.run(install, check=True, capture_output=True)
        (folder / "ready").touch()
    return python


def megabytes(folder: Path) -> int:
    """Return the size of what is installed, pip and setuptools among it."""
    return round(sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6)


def read(name: str, envs: Path, sets: dict[str, Path]) -> str:
    """Return the line of one reader."""
    key = name if name in WANTS else name.split(maxsplit=1)[0]
    folder = envs / "".join(c if c.isalnum() else "_" for c in key)
    try:
        python = environment(folder, WANTS[key])
    except subprocess.CalledProcessError as error:
        return f"{name:22} not installed: {last(error.stderr.decode())}"
    root = sets.get(key, sets["awkward"])
    command = [str(python), "-W", "ignore", str(TESTS / "field_readers.py"), name, str(root)]
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        return f"{name:22} FAILED: {last(done.stderr)}"
    found = json.loads(done.stdout.splitlines()[-1])
    clips = f"{found['clips']}{'' if found['all_clips'] else '!'}"
    return ROW.format(
        name, found["version"], megabytes(folder), f"{found['events']}/{found['of']}", clips, f"{found['f1']:.3f}",
        "-" if found["score"] is None else f"{found['score']:.3f}", f"{found['seconds']:.1f}",
    )  # fmt: skip


def last(text: str) -> str:
    """Return the last line of what a program complained of."""
    return (text.strip().splitlines() or ["no message"])[-1]


def main() -> None:
    """Build the sets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envs", type=Path, help="folder of the environments, kept")
    parser.add_argument("--only", nargs="*", default=list(READERS), choices=list(READERS), metavar="NAME")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        desed = desed_set(folder)
        sets = {"awkward": awkward_set(folder), "soundata": single_set(folder)}
        sets.update(dict.fromkeys(("sed_eval", "sed_scores_eval", "psds_eval"), desed))
        envs = (options.envs or folder / "envs").resolve()
        envs.mkdir(parents=True, exist_ok=True)
        print(ROW.format(*HEADERS))
        for name in options.only:
            print(read(name, envs, sets), flush=True)


if __name__ == "__main__":
    main()
