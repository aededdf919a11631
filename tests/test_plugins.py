"""Components of other installed packages: found by entry point, named with their package, pinned with its version, missed plainly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from material import write_recipe

from audiosynth import build, load_recipe, plugins, registry, reproduce
from audiosynth.cli import cli
from audiosynth.errors import ManifestError, RecipeError, UsageError
from audiosynth.loading.schema import recipe_schema

CODE = '''
"""Horns."""
from typing import Annotated, Any, ClassVar
import numpy as np
from pydantic import Field
from audiosynth.registry import Component

class Buzzer(Component):
    """A buzzer of another package."""
    type_name: ClassVar[str] = "buzzer"
    version: ClassVar[int] = 2
    drawn: ClassVar[dict[str, Any]] = {"f0": {"uniform": [100, 200]}}
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"duration": 0.1},)
    f0: Annotated[float, Field(ge=20, le=4000, description="Pitch", json_schema_extra={"unit": "Hz"})] = 120.0
    duration: Annotated[float, Field(gt=0, le=60, description="Length", json_schema_extra={"unit": "s"})]
    def extent(self, sr):
        return int(self.duration * sr)
    def render(self, ctx):
        return 0.5 * np.sign(np.sin(2 * np.pi * self.f0 * (np.arange(self.extent(ctx.sr)) + 0.5) / ctx.sr))[None]

class OldBuzzer(Buzzer):
    """The buzzer as it was."""
    version: ClassVar[int] = 1

class Louder(Component):
    """An effect of another package."""
    type_name: ClassVar[str] = "louder"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)
    def apply(self, y, ctx):
        return 2 * y
    def extent(self, n_samples, sr):
        return n_samples
    def segments(self, n_samples, sr):
        return [(0, n_samples, 0, n_samples)]

class List(Component):
    """A list of clips."""
    type_name: ClassVar[str] = "list"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)
    def write(self, dataset, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "list.txt").write_text("".join(row["clip_id"] + "\\n" for row in dataset.rows()))
        return [folder / "list.txt"]
'''
POINTS = """[audiosynth.components]
synths.buzzer = hornworks:Buzzer
synths.buzzer.old = hornworks:OldBuzzer
synths.broken = hornworks.nowhere:Gone
synths.misnamed = hornworks:Buzzer
effects.louder = hornworks:Louder
exporters.list = hornworks:List
toys = hornworks:Toys
"""
RECIPE = {
    "duration": 1.0,
    "clips": 2,
    "events": [
        {
            "label": "buzz",
            "source": {"type": "hornworks:buzzer", "duration": 0.25},
            "effects": [{"type": "hornworks:louder"}, {"type": "hornworks:louder", "p": 0.5}],
            "onset": {"slack": {"uniform": [0, 1]}},
            "level_dbfs": -20,
        }
    ],
    "export": ["hornworks:list"],
}


def forget() -> None:
    """Let everything be looked for again."""
    for cached in (
        plugins.offers,
        registry.installed,
        registry._adopted,
        registry.newest,
        registry.lookup,
        registry.known,
    ):
        cached.cache_clear()


def install(folder: Path, *, version: str = "0.3") -> Path:
    """Put the package into a folder, as pip would."""
    folder.mkdir()
    (folder / "hornworks.py").write_text(CODE)
    info = folder / f"Hornworks-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: Hornworks\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(POINTS)
    return folder


@pytest.fixture
def horns(tmp_path, monkeypatch):
    """Have the package installed."""
    monkeypatch.syspath_prepend(str(install(tmp_path / "site")))
    forget()
    yield tmp_path / "site"
    sys.modules.pop("hornworks", None)
    forget()


def test_rows_name_component_package_and_version(horns, tmp_path):
    """The spec pins package:type@version, row and dataset.json the package's version; its draws and seeds work as ours do."""
    recipe = load_recipe(write_recipe(tmp_path / "horns.yaml", RECIPE))
    root = build(recipe, tmp_path / "out", workers=1).root
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text().splitlines()]
    sources = [row["spec"]["events"][0]["source"] for row in rows]
    assert {s["type"] for s in sources} == {"hornworks:buzzer@2"}
    assert len({s["f0"] for s in sources}) == 2
    assert all(100 <= s["f0"] <= 200 for s in sources)
    assert {e["type"] for row in rows for e in row["spec"]["events"][0]["effects"]} == {"hornworks:louder@1"}
    assert [row["needs"] for row in rows] == [["hornworks==0.3"]] * 2
    head = json.loads((root / "dataset.json").read_text())
    assert head["needs"] == ["hornworks==0.3"]
    assert head["build"]["plugins"] == {"hornworks": "0.3"}
    assert (root / "labels/list.txt").read_text().split() == [row["clip_id"] for row in rows]
    assert [(clip.same, clip.notes) for clip in reproduce(root)] == [(True, ())] * 2


def test_workers_and_other_processes_load_it_too(horns, tmp_path):
    """Two spawned workers write the tree that one writes; another process gives its rows back, and without the package says so."""
    path = write_recipe(tmp_path / "horns.yaml", {**RECIPE, "clips": 130})
    one, two = (build(load_recipe(path), tmp_path / f"w{n}", workers=n).root for n in (1, 2))
    assert (one / "manifest.jsonl").read_bytes() == (two / "manifest.jsonl").read_bytes()
    code = "import sys; from audiosynth.cli import main; sys.argv[0] = 'audiosynth'; main()"
    line = [sys.executable, "-c", code, "reproduce", str(one), "--clip", "train-000000129"]
    done = subprocess.run(line, capture_output=True, text=True, env={"PYTHONPATH": str(horns), "PATH": ""}, check=False)
    assert (done.returncode, "ok: 1 clip" in done.stdout) == (0, True), done.stderr
    without = subprocess.run(line, capture_output=True, text=True, env={"PATH": ""}, check=False)
    assert without.returncode == 1
    assert "comes from the package 'hornworks', which is not installed here" in without.stderr
    assert "the row needs hornworks==0.3" in without.stderr
    assert "Traceback" not in without.stderr


def test_another_version_of_the_package_is_told(horns, tmp_path, monkeypatch):
    """The older version of a component is kept by its pin; another version of the package is said before anything is compared."""
    tree = {**RECIPE, "events": [{**RECIPE["events"][0], "source": {"type": "hornworks:buzzer@1", "duration": 0.2}}]}
    root = build(load_recipe(write_recipe(tmp_path / "old.yaml", tree)), tmp_path / "out", workers=1).root
    assert '"hornworks:buzzer@1"' in (root / "manifest.jsonl").read_text()
    (horns / "Hornworks-0.3.dist-info").rename(horns / "Hornworks-0.4.dist-info")
    meta = horns / "Hornworks-0.4.dist-info/METADATA"
    meta.write_text(meta.read_text().replace("0.3", "0.4"))
    forget()
    (again, _) = reproduce(root)
    assert again.same
    assert any("needs hornworks==0.3" in note and "hornworks==0.4" in note for note in again.notes)
    result = CliRunner().invoke(cli, ["build", str(tmp_path / "old.yaml"), "-o", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "changed: plugin hornworks (0.3 → 0.4)" in result.stderr


def test_they_are_listed_described_and_in_the_schema(horns):
    """`list`, `describe` and `schema` know them, with versions, units and draws; what is broken is left out there."""
    result = CliRunner().invoke(cli, ["list", "synths"])
    names = [line.split()[1] for line in result.stdout.splitlines()]
    assert "warning: 'hornworks:broken' cannot be loaded from hornworks==0.3" in result.stderr
    assert "warning: the entry point 'toys' (hornworks:Toys) of audiosynth.components is left out" in result.stderr
    assert "hornworks:buzzer" in names
    assert not {"hornworks:broken", "hornworks:misnamed"} & set(names)
    entry = json.loads(CliRunner().invoke(cli, ["describe", "hornworks:buzzer", "--json"]).stdout)["entries"][0]
    assert entry["versions"] == [1, 2]
    assert [p["unit"] for p in entry["parameters"]] == ["Hz", "s"]
    assert entry["parameters"][0]["default"] == "{uniform: [100, 200]}"
    drawn = CliRunner().invoke(cli, ["describe", "hornworks:buzzer", "--picture"]).stdout
    assert "Sounds like this (f0 1" in drawn
    assert "hornworks:buzzer@2" in recipe_schema()["$defs"]["synths"]["properties"]["type"]["enum"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hornwork:buzzer", r"comes from the package 'hornwork', which is not installed here; .*pip install hornwork"),
        ("os:system", r"comes from the package 'os', which is not installed here"),
        ("../x:y", r"comes from the package '../x', which is not installed here"),
        ("numpy:array", r"the installed package numpy offers no synths"),
        ("hornworks:buzer", r"hornworks offers no synth called 'buzer'; did you mean 'hornworks:buzzer'\?"),
        (
            "hornworks:buzzer@3",
            r"'hornworks:buzzer@3' is no version .* \(newest: hornworks:buzzer@2\); install a newer hornworks",
        ),
        ("hornworks:louder", r"hornworks offers no synth called 'louder'"),
        ("hornworks:broken", r"cannot be loaded from hornworks==0.3 \(ModuleNotFoundError.*\); upgrade or uninstall"),
        ("hornworks:misnamed", r"should name a Component class whose type_name is 'misnamed'"),
    ],
)
def test_what_is_not_there_is_told(horns, tmp_path, name, message):
    """A recipe reaches what its reader has installed under the group's name, and nothing else: no module is loaded by its name."""
    tree = {**RECIPE, "events": [{**RECIPE["events"][0], "source": {"type": name, "duration": 0.2}}]}
    with pytest.raises(RecipeError, match=message):
        load_recipe(write_recipe(tmp_path / "x.yaml", tree))
    assert "hornworks.nowhere" not in sys.modules


def test_a_row_of_a_missing_package(horns, tmp_path):
    """`reproduce` names the package and its version, and does not suspect an edit."""
    root = build(load_recipe(write_recipe(tmp_path / "horns.yaml", RECIPE)), tmp_path / "out", workers=1).root
    lines = (root / "manifest.jsonl").read_text().replace("hornworks", "hornwerke").splitlines()
    with pytest.raises(
        ManifestError, match=r"'hornwerke', which is not installed here.*; the row needs hornwerke==0.3$"
    ):
        list(reproduce(lines))


def test_nothing_is_loaded_until_it_is_named(horns, tmp_path):
    """A recipe without its name, and even its presence in the list of offers, run none of the package's code."""
    tree = {**RECIPE, "events": [{"label": "a", "source": {"type": "click"}, "level_dbfs": -20}], "export": ["jsonl"]}
    root = build(load_recipe(write_recipe(tmp_path / "own.yaml", tree)), tmp_path / "out", workers=1).root
    assert "hornworks:buzzer" in {offer.name for offer in plugins.offers()}
    assert "hornworks" not in sys.modules
    assert "plugins" not in json.loads((root / "dataset.json").read_text())["build"]


def test_the_gallery_takes_one_that_is_named(horns, tmp_path):
    """Its files have names that every system takes; the page of all sounds is of our own."""
    done = CliRunner().invoke(cli, ["gallery", "-o", str(tmp_path / "g"), "--only", "hornworks:buzzer", "-n", "1"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "g").iterdir()) == [
        "index.html",
        "synths-hornworks-buzzer-0.flac",
        "synths-hornworks-buzzer-0.png",
    ]


def test_families_of_plugins_are_ours(horns):
    """An unknown family is refused as ever."""
    with pytest.raises(UsageError, match="no family 'toys'"):
        registry.installed("toys")
