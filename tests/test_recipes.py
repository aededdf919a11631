"""The recipes that come with the package build, and every clip of theirs comes back in another process."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import yaml

from audiosynth import build, load_recipe, reproduce, verify
from audiosynth.speech import espeak

ROOT = Path(__file__).parents[1]
RECIPES = {path.stem: path for path in sorted((ROOT / "recipes").glob("*.yaml"))}
# Where the data roots of the shipped recipes are among the shared recordings, where those are at hand.
SHARED = {
    "digits": "speech/fsdd",
    "speech": "speech/librispeech",
    "events": "events/esc10",
    "rooms": "rirs",
    "background": "background",
}
# Layouts that want every class in every part: test_keyword_recipes.py builds enough clips for them.
WHOLE = ("speech_commands", "wake_word")
# The shared speech has four speakers.
SETS = {"speech_meetings": ("let.speakers={integers: [2, 4]}",)}


@pytest.fixture(scope="module")
def elsewhere():
    """Return another process, which the tests share as its start takes longer than most of them."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def given_back(root: str, data: dict[str, str]) -> list[tuple[int, str, bool]]:
    """Return the process, and of each clip whether it came back as it was."""
    return [(os.getpid(), clip.clip_id, clip.same) for clip in reproduce(root, data=data)]


def roots(name: str) -> list[str]:
    """Return the names of a recipe's data roots."""
    return list(yaml.safe_load(RECIPES[name].read_text(encoding="utf-8")).get("data") or ())


def test_recipes_are_there():
    """At least one recipe needs no data, so that the quick start works anywhere."""
    assert any(not roots(name) for name in RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_are_commented(name):
    """Each begins with what it is and the command that builds it, says it in `description` too, and explains its turns."""
    text = RECIPES[name].read_text(encoding="utf-8")
    head = re.match(r"(#.*\n)+", text)
    assert head is not None
    assert f"audiosynth build {name}" in head[0]
    assert len(yaml.safe_load(text)["description"]) > 20
    assert ("[speech]" in head[0]) == ("type: speech" in text)
    data = roots(name)
    assert all(f"--data {root}=" in head[0] for root in data)
    assert text.count("#") - head[0].count("#") >= 2


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_builds_and_reproduces(name, elsewhere, tmp_path, request):
    """A few clips of every split are written, verified, and given back with their hashes by another process."""
    data: dict[str, str] = {}
    if "type: speech" in RECIPES[name].read_text(encoding="utf-8") and not espeak.installed():
        pytest.skip("espeakng-loader is not installed (extra [speech])")
    if roots(name):
        shared = request.getfixturevalue("shared_data")
        data = {root: str(shared / SHARED[root]) for root in roots(name) if root in SHARED}
        if set(data) != set(roots(name)) or not all(Path(path).is_dir() for path in data.values()):
            pytest.skip(f"the recordings of {name} are not here")
    sets = ("export=[jsonl]",) if name in WHOLE else SETS.get(name, ())
    recipe = load_recipe(RECIPES[name], clips=2, data=data, set_values=sets, cache_dir=tmp_path / "cache")
    out = build(recipe, tmp_path / "out").root
    assert verify(out).ok
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows
    found = elsewhere.submit(given_back, str(out), data).result()
    assert [(clip_id, same) for _, clip_id, same in found] == [(row["clip_id"], True) for row in rows]
    assert os.getpid() not in {process for process, _, _ in found}
