"""What the documentation shows is run: the examples of the docstrings, the recipes and programs of the README, its commands as far as they parse."""

from __future__ import annotations

import doctest
import importlib
import itertools
import pkgutil
import re
import shlex
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
import yaml

import audiosynth
from audiosynth import load_recipe, plan_clip, render
from audiosynth.cli import HOMES, cli
from audiosynth.files.shipped import shipped_recipes
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.speech import espeak

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")
MODULES = [
    info.name for info in pkgutil.walk_packages(audiosynth.__path__, "audiosynth.") if "__main__" not in info.name
]
BARE = {"duration": 10, "clips": 1}
"""What a part of a recipe in the README lacks to be one."""


def fenced(kind: str) -> list[str]:
    """Return the blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name, tmp_path, monkeypatch):
    """Every example of a module gives what stands under it."""
    monkeypatch.chdir(tmp_path)
    if "torch" in name:
        pytest.importorskip("torch", reason="torch is not installed, and nothing here needs it but this module")
    done = doctest.testmod(importlib.import_module(name))
    assert done.failed == 0


def recordings(folder: Path) -> Path:
    """Fill a folder with short recordings of two classes, of three rates and lengths."""
    for i, label in enumerate(("dog", "bell")):
        (folder / label).mkdir(parents=True)
        n = 16_000 + 4000 * i
        y = 0.2 * np.sin(2 * np.pi * 300 * (i + 1) * np.arange(n) / 16_000) * np.hanning(n)
        soundfile.write(folder / label / "one.wav", y, 16_000)
    return folder


@pytest.mark.parametrize("block", fenced("yaml"), ids=lambda text: re.sub(r"\W+", "_", text)[:40])
def test_recipes_of_the_readme(block, tmp_path):
    """Each makes a clip; a part of a recipe with a clip's length added; data roots are folders of recordings."""
    if ("type: speech" in block or "voices:" in block) and not espeak.installed():
        pytest.skip("espeakng-loader is not installed (extra [speech])")
    tree = yaml.safe_load(block)
    path = tmp_path / "readme.yaml"
    lacking = {key: value for key, value in BARE.items() if key not in tree and "extends" not in tree}
    path.write_text(block + yaml.safe_dump(lacking) * bool(lacking), encoding="utf-8")
    data = {name: str(recordings(tmp_path / name)) for name in tree.get("data", {})}
    each = isinstance(tree.get("clips"), dict) and "each" in tree["clips"]
    recipe = load_recipe(path, clips=None if each else 2, data=data)
    clip = render(plan_clip(recipe, next(iter(recipe.clips)), 0), assets=Workspace(AssetStore(recipe.roots)))
    assert np.abs(clip.y).max() > 0


@pytest.mark.parametrize("kind", ["yaml", "python", "console"])
def test_no_block_of_the_readme_is_passed_over(kind):
    """There are some of each kind, and as many as lines begin one, however far to the right."""
    assert len(fenced(kind)) == len(re.findall(rf"^\s*```\s*{kind}\b", TEXT, re.MULTILINE)) > 0


@pytest.mark.parametrize("block", fenced("python"))
def test_programs_of_the_readme(block, tmp_path, monkeypatch):
    """Each runs as it stands, in an empty folder, and what it asserts of its result is true."""
    assert re.search(r"^assert ", block, re.MULTILINE), "a program whose result nobody looks at"
    monkeypatch.chdir(tmp_path)
    exec(compile(block, str(README), "exec"), {"__name__": "readme"})


def command_lines() -> list[str]:
    """Return every command of ours in the README, after a pipe or another command too."""
    lines = [line[2:] for block in fenced("console") for line in block.splitlines() if line.startswith("$ ")]
    return [line[line.index("audiosynth ") :] for line in lines if re.search(r"(^|[&|] )audiosynth ", line)]


@pytest.mark.parametrize("line", command_lines())
def test_commands_of_the_readme_parse(line):
    """The command is there, takes these options and as many arguments, and a recipe that it names comes along."""
    words = shlex.split(line.replace("…", ""), comments=True)
    words = list(itertools.takewhile(lambda word: word not in ("&&", ">", ">>", "|"), words))
    command = cli.get_command(click.Context(cli), words[1])
    assert command is not None
    rest = words[2:]
    if isinstance(command, click.Group):
        command, rest = command.commands[rest[0]], rest[1:]
    values, left, _ = command.make_parser(click.Context(command)).parse_args(rest)
    assert left == []
    named = values.get("recipe")
    assert named is None or named in shipped_recipes() or named.endswith((".yaml", ".wav")), named


def test_the_contents_lead_somewhere():
    """Every link inside the README has its heading, and every section stands in the contents."""
    anchors = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    }
    links = re.findall(r"\]\(#([^)]+)\)", TEXT)
    assert set(links) <= anchors
    assert {
        re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    } <= set(links)


def test_every_command_is_told_of():
    """The README uses or names every command."""
    assert [name for name in HOMES if f"audiosynth {name}" not in TEXT] == []
