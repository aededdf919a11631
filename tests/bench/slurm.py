"""Build sets by jobs of Slurm, cancel jobs on the way, and compare the trees with that of a local build, byte for byte.

    python tests/bench/slurm.py [--clips 1500] [--parts 4] [--cancels 3] [--folder DIR]

Needs `sbatch` on the path, `audiosynth` for this Python on every node, and a folder that all nodes see (`--folder`). Runs what the README
shows: a job array of `--shard K/N` and a merge (jobs are cancelled at random moments and the array is submitted again until all parts
are there), and workers that dask-jobqueue submits (one job is cancelled in the midst of the build), if dask-jobqueue is installed.
Exit code 1 if a tree differs or a job says anything unexpected.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from dask_cluster import ENV, until
from material import full_recipe, tree_of

from audiosynth import build, dask_crew, load_recipe

JOB = """#!/bin/bash
#SBATCH --array=1-{parts}
#SBATCH --cpus-per-task=1
{python} -m audiosynth build {recipe} --clips {clips} --shard $SLURM_ARRAY_TASK_ID/{parts} --workers $SLURM_CPUS_PER_TASK --quiet
"""
STOPPED = "stopped; run the same command again to go on"
SLURMS = ("slurmstepd-", "slurmstepd: ", "srun: ")
"""How lines begin that Slurm writes itself."""


def said(*words: str) -> str:
    """Run a command and return what it printed."""
    return subprocess.run(words, check=True, capture_output=True, text=True, env=ENV).stdout.strip()


def jobs(number: str = "") -> list[str]:
    """Return the jobs of this user that Slurm still has, tasks of arrays one by one."""
    lines = said("squeue", "--me", "--array", "--noheader", "--format=%i %t").splitlines()
    return [line.split()[0] for line in lines if line.startswith(number)]


def submit(script: Path) -> str:
    """Submit a job; return its number."""
    words = ("sbatch", "--parsable", f"--chdir={script.parent}", f"--output={script.parent}/said-%A-%a", str(script))
    return said(*words).partition(";")[0]


def units(folder: Path) -> int:
    """Return how many units stand in a folder of parts, or in a set."""
    return len([*folder.glob("**/.build/units/*.jsonl")])


def array(recipe: Path, folder: Path, options: argparse.Namespace) -> Path:
    """Build by an array of jobs, some of which are cancelled; return the set."""
    draws = np.random.default_rng(options.seed)
    script, parts = folder / "job.sh", folder / "output" / "full.parts"
    script.write_text(JOB.format(python=sys.executable, recipe=recipe, clips=options.clips, parts=options.parts))
    for cancel in range(options.cancels + 1):
        job, stood = submit(script), units(parts)
        if cancel < options.cancels:
            until(lambda job=job, stood=stood: units(parts) > stood or not jobs(job), "no job gets anything done")
            time.sleep(draws.uniform(0, 1))
            one = cancel % 2 == 0 and any(jobs(job))
            victims = [str(draws.choice(jobs(job)))] if one else [job]
            print(
                f"job {job}: {len(jobs(job))} tasks left, {units(parts)} units stand; scancel {victims[0]}", flush=True
            )
            said("scancel", *victims)
        until(lambda job=job: not jobs(job), f"job {job} does not end")
    done = [
        part.name
        for part in sorted(parts.glob("*"))
        if (part / "part.json").is_file() or (part / "dataset.json").is_file()
    ]
    print(f"parts: {', '.join(done)}")
    words = [
        sys.executable,
        "-m",
        "audiosynth",
        "merge",
        *map(str, sorted(parts.glob("*"))),
        "-o",
        str(folder / "output" / "full"),
        "--quiet",
    ]
    subprocess.run(words, check=True, env=ENV)
    return folder / "output" / "full"


def unexpected(folder: Path) -> set[str]:
    """Return what jobs said that neither Slurm nor a stopped build says."""
    lines = {line for file in folder.glob("said-*") for line in file.read_text().splitlines()}
    print("said by jobs:", *sorted(lines), sep="\n  ")
    return {line for line in lines if line and line != STOPPED and not line.startswith(SLURMS)}


def jobqueue(recipe: Path, folder: Path, options: argparse.Namespace) -> Path:
    """Build with workers that dask-jobqueue submits, one of which is cancelled; return the set."""
    from dask_jobqueue import SLURMCluster

    loaded = load_recipe(recipe, clips=options.clips)
    notes: list[str] = []
    with SLURMCluster(
        cores=1, processes=1, memory="2GB", walltime="01:00:00", python=sys.executable, log_directory=str(folder / "logs"),
        local_directory=str(folder / "scratch"),
    ) as cluster:  # fmt: skip
        cluster.scale(2)

        def progress(done: int, total: int) -> None:
            if total // 3 < done and not notes:
                victim = jobs()[0]
                notes.append(victim)
                print(f"{done} of {total} clips; scancel {victim}", flush=True)
                said("scancel", victim)

        crew = dask_crew(cluster.scheduler_address, note=print)
        built = build(loaded, folder / "far", crew=crew, progress=progress)
    until(lambda: not jobs(), "jobs of dask-jobqueue do not end")
    return built.root


def main() -> int:
    """Build three times, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=1500, help="clips per split, two splits")
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--cancels", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", help="where to work; emptied in the end")
    options = parser.parse_args()
    if shutil.which("sbatch") is None:
        raise SystemExit("there is no sbatch here")
    print(said("sinfo", "--version"), said("sinfo", "--noheader"))
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        recipe = full_recipe(folder / "material")
        whole = tree_of(build(load_recipe(recipe, clips=options.clips), folder / "whole").root)
        same = tree_of(array(recipe, folder, options)) == whole
        odd = unexpected(folder)
        print(f"array of jobs and merge: {'the same tree' if same else 'ANOTHER TREE'}, {len(whole)} files")
        try:
            import dask_jobqueue
        except ImportError:
            print("dask-jobqueue is not installed: not tried")
        else:
            far = tree_of(jobqueue(recipe, folder, options)) == whole
            print(f"dask-jobqueue {dask_jobqueue.__version__}: {'the same tree' if far else 'ANOTHER TREE'}")
            same = same and far
    if odd:
        print("UNEXPECTED:", *sorted(odd), sep="\n  ")
    return 0 if same and not odd else 1


if __name__ == "__main__":
    sys.exit(main())
