"""What goes wrong outside: a worker is killed, the disk is full or read-only, clocks jump. Nothing is lost, nothing doubled."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from material import full_recipe, tree_of, write_recipe

from audiosynth import build, load_recipe
from audiosynth.errors import BuildError


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return a recipe of many short clips, and the tree of its undisturbed build."""
    folder = tmp_path_factory.mktemp("many")
    source = {"type": "tone", "frequency": {"uniform": [200, 900]}, "duration": 0.05}
    tree = {"duration": 0.1, "sr": 8000, "clips": 320, "events": [{"label": "a", "source": source, "level_dbfs": -20}]}
    recipe = load_recipe(write_recipe(folder / "many.yaml", tree))
    return recipe, tree_of(build(recipe, folder / "whole").root)


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """Mount a small file system of memory, where this user may."""
    folder.mkdir()
    told = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if told.returncode:
        pytest.skip(f"no file system can be mounted here: {told.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, option: str) -> None:
    """Change a mounted file system."""
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


def test_a_killed_worker_is_told_and_loses_nothing(many, tmp_path):
    """Kill -9 of one of two workers: one message, and the same command goes on."""
    recipe, whole = many
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        if done and not killed:
            killed.append(multiprocessing.active_children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(BuildError, match=r"a worker process was killed.*run the same command again"):
        build(recipe, tmp_path / "out", workers=2, progress=kill)
    assert not (tmp_path / "out" / "dataset.json").exists()
    assert multiprocessing.active_children() == []
    assert tree_of(build(recipe, tmp_path / "out").root) == whole


def test_a_disk_that_fills_up(many, tmp_path):
    """On a real file system without space: one message, whole files only; with more space it goes on."""
    recipe, whole = many
    with mounted(tmp_path / "small", "800k") as disk:
        with pytest.raises(BuildError, match="the disk is full; free some space and run the same command again"):
            build(recipe, disk / "out")
        wavs = {name: data for name, data in tree_of(disk / "out").items() if name.endswith(".wav")}
        assert wavs
        assert all(whole[name] == data for name, data in wavs.items())
        remount(disk, "size=64m")
        assert tree_of(build(recipe, disk / "out").root) == whole


def test_a_disk_that_fills_up_at_the_end(many, tmp_path):
    """Full while the manifest is written, which is the largest single file."""
    recipe, whole = many
    with mounted(tmp_path / "small", "64m") as disk:
        threads = threading.active_count()

        def fill(done: int, total: int) -> None:
            if done == total:
                free = os.statvfs(disk)
                (disk / "ballast").write_bytes(b"x" * (free.f_bavail * free.f_frsize - 300_000))

        with pytest.raises(BuildError, match="the disk is full"):
            build(recipe, disk / "out", progress=fill)
        (disk / "ballast").unlink()
        assert not (disk / "out" / "dataset.json").exists()
        assert tree_of(build(recipe, disk / "out").root) == whole
        assert threading.active_count() == threads


def stopping(at: int):
    """Return a progress function that stops a build after so many clips."""

    def stop(done: int, total: int) -> None:
        if done >= at:
            raise InterruptedError

    return stop


def test_an_output_that_cannot_be_written(many, tmp_path):
    """A read-only file system, for a new build and for one that was begun."""
    recipe, whole = many
    with mounted(tmp_path / "disk", "64m") as disk:
        with pytest.raises(BuildError):
            build(recipe, disk / "out", progress=stopping(128))
        remount(disk, "ro")
        for name in ("out", "other"):
            with pytest.raises(BuildError, match=r"cannot be written \(Read-only file system\); choose another folder"):
                build(recipe, disk / name)
        remount(disk, "rw")
        assert tree_of(build(recipe, disk / "out").root) == whole


def test_clocks_do_not_matter(tmp_path):
    """Half a build made by a clock far ahead, the rest by one that was set back: the tree of an undisturbed build."""
    path = full_recipe(tmp_path / "material")
    recipe = load_recipe(path, clips=130, cache_dir=tmp_path / "cache")
    whole = tree_of(build(recipe, tmp_path / "whole").root)

    with pytest.raises(BuildError):
        build(recipe, tmp_path / "out", progress=stopping(128))
    for folder, moment in ((tmp_path / "out", 4_000_000_000), (tmp_path / "material", 300_000_000)):
        for place in sorted(folder.rglob("*")):
            os.utime(place, (moment, moment))
    again = load_recipe(path, clips=130, cache_dir=tmp_path / "cache")
    assert tree_of(build(again, tmp_path / "out").root) == whole
