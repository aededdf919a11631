"""What a set will take, told before it is made: held against what it takes, and against the disk."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from click.testing import CliRunner

from audiosynth import build, load_recipe, shipped_recipe
from audiosynth.building.size import size_of, without_room
from audiosynth.cli import cli

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize("stems", ["false", "true", "{parts: [wet, dry], subtype: PCM_16}"])
def test_a_size_is_that_of_the_files(tmp_path, stems):
    """Of few clips all are planned, so that only the files' heads are missing from it."""
    recipe = load_recipe(shipped_recipe("quickstart"), clips=3, set_values=[f"output.stems={stems}"])
    size = size_of(recipe)
    root = build(recipe, tmp_path / "out").root
    files = [*(root / "audio").rglob("*.wav")]
    taken = sum(path.stat().st_size for path in files)
    assert size is not None
    assert 0 <= taken - size.n_bytes <= 200 * len(files)
    assert size.seconds == pytest.approx(6 * 4.0)


def test_a_set_larger_than_the_disk_is_told(tmp_path, monkeypatch):
    """One line at the start, with the way out, and the build goes on; of what is made already nothing is counted again."""
    free = [50_000]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 0, free[0]))
    command = ["build", "quickstart", "--clips", "1", "-o", str(tmp_path / "out"), "--workers", "1"]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("warning: ")]
    assert "the audio still to be made needs about 256 kB, and 50 kB are free there; free some space" in line
    assert "warning" not in CliRunner().invoke(cli, command).stderr
    recipe = load_recipe(shipped_recipe("quickstart"), clips=65)
    assert "needs about 17 MB" in without_room(recipe, tmp_path / "new")
    units = tmp_path / "half" / ".build" / "units"
    units.mkdir(parents=True)
    for split in recipe.clips:
        (units / f"{split}-000000000.jsonl").touch()
    assert "needs about 256 kB" in without_room(recipe, tmp_path / "half")
    free[0] = 10**9
    assert not without_room(recipe, tmp_path / "new")


def test_a_file_system_that_cannot_tell(tmp_path, monkeypatch):
    """Nothing is said then."""

    def cannot(_: Path) -> Usage:
        raise OSError

    monkeypatch.setattr(shutil, "disk_usage", cannot)
    assert not without_room(load_recipe(shipped_recipe("quickstart")), tmp_path / "new")


@pytest.mark.parametrize("free_local", [False, True])
def test_of_a_set_that_is_uploaded_the_local_folder_counts(tmp_path, monkeypatch, free_local):
    """What is made before it is sent, unless it goes as soon as it has arrived; a folder in a variable may begin with ~."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AUDIOSYNTH_STAGING", "~/staging")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 0, 50_000))
    command = ["build", "quickstart", "--clips", "1", "-o", (tmp_path / "set").as_uri(), "--workers", "1"]
    result = CliRunner().invoke(cli, [*command, *(["--free-local"] if free_local else [])])
    assert result.exit_code == 0, result.stderr
    told = f"warning: {tmp_path}/staging/" in result.stderr.replace("\n", " ")
    assert told is not free_local
